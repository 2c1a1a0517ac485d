//! The results of a run in, all of its figures out.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::results::{Left, Results};

use super::agreement::Judged;
use super::anchors::anchor_figures;
use super::case::case_figure;
use super::group::Member;
use super::{CaseFigure, Figures, Group, Selector, TOLERANCE, Unscored};

/// The figures of one run, in O(n log n) of its cases, each of which is looked at once. The same results give the same
/// figures, bit by bit.
pub fn figures(results: &Results) -> Figures {
    let mut cases: Vec<CaseFigure> = Vec::with_capacity(results.cases.len());
    let mut sorts: Vec<Sort> = Vec::with_capacity(results.cases.len());
    let mut groups: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut tagged: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut left = Left::default();
    let mut judged = Judged::default();
    for (at, case) in results.cases.iter().enumerate() {
        cases.push(case_figure(&case));
        left.add(&case, results.suite.judge.votes);
        judged.add(&case);
        let group = case.group.map(|group| shared(&mut groups, group));
        for tag in case.tags {
            tagged.entry(tag).or_default().push(at);
        }
        sorts.push(Sort {
            weight: case.weight,
            group,
            holdout: case.holdout,
        });
    }
    let members: Vec<Member<'_>> = sorts
        .iter()
        .zip(&cases)
        .map(|(sort, figure)| member(sort, figure))
        .collect();
    let group_of = |set: Vec<usize>| {
        let set: Vec<Member<'_>> = set.into_iter().map(|at| members[at]).collect();
        Group::of(&set)
    };
    let marked = |mark: &dyn Fn(usize) -> bool| {
        let set: Vec<usize> = (0..members.len()).filter(|at| mark(*at)).collect();
        (!set.is_empty()).then(|| group_of(set))
    };
    Figures {
        overall: Group::of(&members),
        tags: tagged
            .into_iter()
            .map(|(tag, set)| (tag, group_of(set)))
            .collect(),
        holdout: marked(&|at| sorts[at].holdout),
        critical: marked(&|at| cases[at].critical),
        distribution: distribution(&cases),
        weighted: sorts.iter().any(|sort| sort.weight != 1.0),
        left: Some(left).filter(|left| !left.is_nothing()),
        agreement: judged.agreement(&results.suite.fingerprint),
        anchors: anchor_figures(&results.anchors),
        cases,
    }
}

/// What sets of cases take of a case besides its figure.
struct Sort {
    weight: f64,
    group: Option<Arc<str>>,
    holdout: bool,
}

/// A name that many cases have, held once.
pub(super) fn shared(names: &mut BTreeSet<Arc<str>>, name: String) -> Arc<str> {
    if let Some(there) = names.get(name.as_str()) {
        return Arc::clone(there);
    }
    let name: Arc<str> = name.into();
    names.insert(Arc::clone(&name));
    name
}

fn member<'a>(sort: &'a Sort, figure: &CaseFigure) -> Member<'a> {
    Member {
        weight: sort.weight,
        group: sort.group.as_deref(),
        ..alone(figure)
    }
}

/// A case by itself: its weight changes nothing.
fn alone(figure: &CaseFigure) -> Member<'static> {
    Member {
        score: figure.score,
        passed: figure.passed == Some(true),
        error: figure.unscored.is_some_and(Unscored::is_error),
        weight: 1.0,
        group: None,
    }
}

fn distribution(cases: &[CaseFigure]) -> [u32; 10] {
    let mut bins = [0_u32; 10];
    for score in cases.iter().filter_map(|case| case.score) {
        let bin = ((score * 10.0 + TOLERANCE).floor().max(0.0) as usize).min(bins.len() - 1);
        bins[bin] = bins[bin].saturating_add(1);
    }
    bins
}

impl Figures {
    /// The figures of the selected cases. None: no case matches.
    pub fn select(&self, selector: &Selector) -> Option<Cow<'_, Group>> {
        match selector {
            Selector::All => Some(Cow::Borrowed(&self.overall)),
            Selector::Tag(tag) => self.tags.get(tag).map(Cow::Borrowed),
            Selector::Holdout => self.holdout.as_ref().map(Cow::Borrowed),
            Selector::Critical => self.critical.as_ref().map(Cow::Borrowed),
            Selector::Case(id) => {
                let set: Vec<Member<'_>> = self.cases.iter().filter(|c| c.id == *id).map(alone).collect();
                (!set.is_empty()).then(|| Cow::Owned(Group::of(&set)))
            }
        }
    }
}
