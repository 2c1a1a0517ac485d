//! The cases of two runs in, each beside its counterpart out: which compare, which were changed, added or removed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::results::{BaselineCase, CaseResult, Cases};
use crate::score::CaseFigure;
use crate::score::case::passes;
use crate::score::run::shared;

use super::base::PartDigests;
use super::{CaseChange, PairCounts, Pairing, Part};

/// A case of this run and its counterpart.
#[derive(Debug)]
pub(super) struct Match<'a> {
    pub(super) id: &'a str,
    pub(super) now: Option<f64>,
    /// The baseline's case of this id; none where there is none.
    pub(super) base: Option<&'a BaselineCase>,
    pub(super) weight: f64,
    pub(super) group: Option<Arc<str>>,
    pub(super) tags: Box<[Arc<str>]>,
    pub(super) holdout: bool,
    pub(super) critical: bool,
    pass_score: f64,
    pairing: Pairing,
    parts: Vec<Part>,
    bar: Vec<String>,
}

/// Every case of this run beside its counterpart by id, and the baseline's cases that have none. An id that stands
/// several times in a file edited by hand counts the first time.
pub(super) fn matches<'a>(
    cases: &Cases,
    figures: &'a [CaseFigure],
    base: &'a [BaselineCase],
) -> (Vec<Match<'a>>, Vec<&'a BaselineCase>) {
    let mut open: BTreeMap<&str, &BaselineCase> = BTreeMap::new();
    for case in base {
        open.entry(&case.id).or_insert(case);
    }
    let mut names = BTreeSet::new();
    let matched = cases
        .iter()
        .zip(figures)
        .map(|(case, figure)| Match::new(case, figure, open.remove(figure.id.as_str()), &mut names))
        .collect();
    let mut removed = Vec::new();
    for case in base {
        removed.extend(open.remove(case.id.as_str()));
    }
    (matched, removed)
}

impl<'a> Match<'a> {
    /// The names of groups and tags are held once.
    fn new(
        case: CaseResult,
        figure: &'a CaseFigure,
        base: Option<&'a BaselineCase>,
        names: &mut BTreeSet<Arc<str>>,
    ) -> Match<'a> {
        Match {
            id: &figure.id,
            now: figure.score,
            base,
            weight: case.weight,
            holdout: case.holdout,
            critical: case.critical,
            pass_score: case.pass_score,
            pairing: match base {
                None => Pairing::Added,
                Some(base) if base.fingerprint == case.fingerprint => Pairing::Unchanged,
                Some(_) => Pairing::Changed,
            },
            parts: base.map_or_else(Vec::new, |base| parts(&case, base)),
            bar: base.map_or_else(Vec::new, |base| bar(&case, base)),
            group: case.group.map(|group| shared(names, group)),
            tags: case.tags.into_iter().map(|tag| shared(names, tag)).collect(),
        }
    }

    pub(super) fn pairing(&self) -> Pairing {
        self.pairing
    }

    /// The baseline's score; one outside 0..1 (a results file edited by hand) counts as none.
    pub(super) fn before(&self) -> Option<f64> {
        self.base.and_then(usable_score)
    }

    /// This run's score and the baseline's, where the two compare: `(now, before)`.
    pub(super) fn scores(&self) -> Option<(f64, f64)> {
        if self.pairing() != Pairing::Unchanged {
            return None;
        }
        self.now.zip(self.before())
    }

    /// Whether the case passes now and passed before, both held to this run's pass score.
    pub(super) fn passes(&self, (now, before): (f64, f64)) -> (bool, bool) {
        let bar = self.pass_score;
        (passes(now, bar), passes(before, bar))
    }

    /// Counts this case.
    pub(super) fn count(&self, counts: &mut PairCounts) {
        let counter = match (self.pairing(), self.scores()) {
            (Pairing::Unchanged, Some(_)) => &mut counts.compared,
            (Pairing::Unchanged, None) => &mut counts.unscored,
            (Pairing::Changed, _) => &mut counts.changed,
            (Pairing::Added, _) => &mut counts.added,
            (Pairing::Removed, _) => &mut counts.removed,
        };
        *counter = counter.saturating_add(1);
    }

    /// What is said of this case; `comparable` is false where the judge is not the same.
    pub(super) fn change(&self, comparable: bool) -> CaseChange {
        let before = self.before();
        let passed = |score: f64| passes(score, self.pass_score);
        CaseChange {
            id: self.id.to_owned(),
            pairing: self.pairing(),
            parts: self.parts.clone(),
            before,
            after: self.now,
            difference: self
                .scores()
                .filter(|_| comparable)
                .map(|(now, before)| now - before),
            passed_before: before.map(passed),
            passed_after: self.now.map(passed),
            bar: self.bar.clone(),
        }
    }
}

fn usable_score(case: &BaselineCase) -> Option<f64> {
    case.score.filter(|score| (0.0..=1.0).contains(score))
}

/// What is said of a case of the baseline alone.
pub(super) fn removed(case: &BaselineCase) -> CaseChange {
    let before = usable_score(case);
    CaseChange {
        id: case.id.clone(),
        pairing: Pairing::Removed,
        parts: Vec::new(),
        before,
        after: None,
        difference: None,
        passed_before: before.map(|score| passes(score, case.pass_score)),
        passed_after: None,
        bar: Vec::new(),
    }
}

/// What of a case was changed. Its checks are not in the record: they are what is left where nothing else was.
fn parts(case: &CaseResult, base: &BaselineCase) -> Vec<Part> {
    if case.fingerprint == base.fingerprint {
        return Vec::new();
    }
    let now = PartDigests::of(case);
    let mut parts = Vec::new();
    if now.messages != base.messages {
        parts.push(Part::Prompt);
    }
    if now.parameters != base.parameters {
        parts.push(Part::Parameters);
    }
    if now.reference != base.reference {
        parts.push(Part::Reference);
    }
    if parts.is_empty() {
        parts.push(Part::Checks);
    }
    parts
}

/// How this run's bar differs from the baseline's.
fn bar(case: &CaseResult, base: &BaselineCase) -> Vec<String> {
    let mut bar = Vec::new();
    let (before, now) = (base.pass_score, case.pass_score);
    if before != now {
        let (short_before, short_now) = (format!("{before:.2}"), format!("{now:.2}"));
        bar.push(if short_before == short_now {
            format!("pass score {before} → {now}")
        } else {
            format!("pass score {short_before} → {short_now}")
        });
    }
    match (base.critical, case.critical) {
        (true, false) => bar.push("no longer critical".to_owned()),
        (false, true) => bar.push("now critical".to_owned()),
        _ => {}
    }
    bar
}
