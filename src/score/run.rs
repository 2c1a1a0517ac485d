//! The results of a run in, all of its figures out.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::results::{CaseResult, Left, Results};

use super::agreement::agreement;
use super::anchors::anchor_figures;
use super::case::case_figure;
use super::group::Member;
use super::{CaseFigure, Figures, Group, Selector, TOLERANCE, Unscored};

/// The figures of one run, in O(n log n) of its cases. The same results give the same figures, bit by bit.
pub fn figures(results: &Results) -> Figures {
    let cases: Vec<CaseFigure> = results.cases.iter().map(case_figure).collect();
    let members: Vec<Member<'_>> = results
        .cases
        .iter()
        .zip(&cases)
        .map(|(case, figure)| member(case, figure))
        .collect();
    let marked = |mark: fn(&CaseResult) -> bool| {
        let set: Vec<Member<'_>> = results
            .cases
            .iter()
            .zip(&members)
            .filter(|(case, _)| mark(case))
            .map(|(_, m)| *m)
            .collect();
        (!set.is_empty()).then(|| Group::of(&set))
    };

    let mut tagged: BTreeMap<&str, Vec<Member<'_>>> = BTreeMap::new();
    for (case, member) in results.cases.iter().zip(&members) {
        for tag in &case.tags {
            tagged.entry(tag).or_default().push(*member);
        }
    }
    Figures {
        overall: Group::of(&members),
        tags: tagged
            .into_iter()
            .map(|(tag, set)| (tag.to_owned(), Group::of(&set)))
            .collect(),
        holdout: marked(|case| case.holdout),
        critical: marked(|case| case.critical),
        distribution: distribution(&cases),
        weighted: results.cases.iter().any(|case| case.weight != 1.0),
        left: Some(Left::of(&results.cases, results.suite.judge.votes)).filter(|left| !left.is_nothing()),
        agreement: agreement(results),
        anchors: anchor_figures(&results.anchors),
        cases,
    }
}

fn member<'a>(case: &'a CaseResult, figure: &CaseFigure) -> Member<'a> {
    Member {
        weight: case.weight,
        group: case.group.as_deref(),
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
