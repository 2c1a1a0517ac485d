//! The cases of a suite in; out, which drops have too few of them to be told from noise, ever.

use std::collections::{BTreeMap, BTreeSet};

use crate::score::Selector;
use crate::suite::Case;

use super::drops::least;
use super::rule::Subject;
use super::wording::counted;

/// How many cases a suite has, whole and by what selects them.
#[derive(Default)]
pub(super) struct Sizes<'a> {
    all: Size<'a>,
    tags: BTreeMap<&'a str, Size<'a>>,
    holdout: Size<'a>,
    critical: Size<'a>,
}

/// Cases, and how many of them are independent of each other: of each group one.
#[derive(Default)]
struct Size<'a> {
    cases: u32,
    alone: u32,
    groups: BTreeSet<&'a str>,
}

impl<'a> Size<'a> {
    fn add(&mut self, case: &'a Case) {
        self.cases = self.cases.saturating_add(1);
        match &case.group {
            Some(group) => drop(self.groups.insert(group)),
            None => self.alone = self.alone.saturating_add(1),
        }
    }

    fn independent(&self) -> u32 {
        self.alone
            .saturating_add(u32::try_from(self.groups.len()).unwrap_or(u32::MAX))
    }
}

impl<'a> Sizes<'a> {
    pub(super) fn of(cases: &'a [Case]) -> Sizes<'a> {
        let mut sizes = Sizes::default();
        for case in cases {
            sizes.all.add(case);
            for tag in case.tags.iter() {
                sizes.tags.entry(tag).or_default().add(case);
            }
            if case.holdout {
                sizes.holdout.add(case);
            }
            if case.critical {
                sizes.critical.add(case);
            }
        }
        sizes
    }

    /// Why the drop of a subject will be INCONCLUSIVE whatever the scores, and what to do; none where it need not be.
    pub(super) fn too_few(&self, subject: &Subject) -> Option<(String, String)> {
        let size = match &subject.selector {
            Selector::All => &self.all,
            Selector::Tag(tag) => self.tags.get(tag.as_str())?,
            Selector::Holdout => &self.holdout,
            Selector::Critical => &self.critical,
            Selector::Case(_) => return None,
        };
        let least = least(subject.metric);
        if size.independent() >= least {
            return None;
        }
        let cases = counted(size.cases as usize, "case", "cases");
        let has = if size.cases >= least {
            format!(
                "{cases} of which {} are independent of each other",
                size.independent()
            )
        } else {
            cases
        };
        let message =
            format!("with a baseline this gate is always inconclusive: it takes {least} cases and has {has}");
        let help = "add cases, or gate the figure itself (`mean >= 0.7`), or tell it only, with `else: warn`";
        Some((message, help.to_owned()))
    }
}
