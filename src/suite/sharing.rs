//! Tags, parameters and checks of the cases come in as they are read; what is the same goes out as one.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::{Check, Parameters};

/// How many of the last different ones a new one is compared with: exports repeat a few.
const COMPARED: usize = 8;

/// What the cases so far have.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    tags: HashSet<Arc<BTreeSet<String>>>,
    parameters: Vec<Arc<Parameters>>,
    checks: Vec<Arc<[Check]>>,
}

impl Sharing {
    pub(super) fn tags(&mut self, tags: BTreeSet<String>) -> Arc<BTreeSet<String>> {
        if let Some(known) = self.tags.get(&tags) {
            return Arc::clone(known);
        }
        let tags = Arc::new(tags);
        self.tags.insert(Arc::clone(&tags));
        tags
    }

    pub(super) fn parameters(&mut self, parameters: Parameters) -> Arc<Parameters> {
        let same = |known: &Arc<Parameters>| **known == parameters;
        if let Some(known) = same_as(&self.parameters, same) {
            return known;
        }
        let parameters = Arc::new(parameters);
        keep(&mut self.parameters, &parameters);
        parameters
    }

    pub(super) fn checks(&mut self, checks: Vec<Check>) -> Arc<[Check]> {
        let same = |known: &Arc<[Check]>| **known == *checks;
        if let Some(known) = same_as(&self.checks, same) {
            return known;
        }
        let checks: Arc<[Check]> = checks.into();
        keep(&mut self.checks, &checks);
        checks
    }
}

fn same_as<T: ?Sized>(known: &[Arc<T>], same: impl Fn(&Arc<T>) -> bool) -> Option<Arc<T>> {
    known.iter().rev().find(|known| same(known)).cloned()
}

fn keep<T: ?Sized>(known: &mut Vec<Arc<T>>, new: &Arc<T>) {
    if known.len() == COMPARED {
        known.remove(0);
    }
    known.push(Arc::clone(new));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_there_once() {
        let mut sharing = Sharing::default();
        let tags = |tag: &str| BTreeSet::from([tag.to_owned()]);
        let first = sharing.tags(tags("a"));
        assert!(!Arc::ptr_eq(&first, &sharing.tags(tags("b"))));
        assert!(Arc::ptr_eq(&first, &sharing.tags(tags("a"))));
        let seeded = |seed| Parameters {
            seed: Some(seed),
            ..Parameters::default()
        };
        let first = sharing.parameters(seeded(1));
        assert!(Arc::ptr_eq(&first, &sharing.parameters(seeded(1))));
        for seed in 2..100 {
            assert_eq!(*sharing.parameters(seeded(seed)), seeded(seed));
        }
        assert_eq!(sharing.parameters.len(), COMPARED);
        let checks = || vec![Check::IsJson, Check::MaxChars(3)];
        let first = sharing.checks(checks());
        assert!(Arc::ptr_eq(&first, &sharing.checks(checks())));
        assert_ne!(first, sharing.checks(vec![Check::IsJson]));
    }
}
