//! Cases and their figures → the order a reader wants them in, and which are shown in full.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;

use crate::report::Record;
use crate::results::{AnswerOutcome, CaseResult, Cases, Sample};
use crate::score::{CaseFigure, Unscored};

use super::ascending;

/// Failing cases shown in full, at most.
const FAILING_IN_FULL: usize = 50;
/// Passing cases fill the list up to this many.
const IN_FULL: usize = 20;
/// Unscored cases shown in full, at most.
const UNSCORED_IN_FULL: usize = 10;

/// One case with its figure. Its texts are read when they are shown.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct CaseRow<'a> {
    cases: &'a Cases,
    at: usize,
    critical: bool,
    pub score: Option<f64>,
    /// Whether it reached its pass score; absent without a score.
    pub passed: Option<bool>,
    /// Why it has no score.
    pub unscored: Option<Unscored>,
    pub figure: Option<&'a CaseFigure>,
}

impl<'a> CaseRow<'a> {
    /// The case itself, read anew each time. None: it is not there, which a row is only made for.
    pub(in crate::report) fn case(&self) -> Option<CaseResult> {
        self.cases.get(self.at)
    }

    pub(in crate::report) fn id(&self) -> Cow<'a, str> {
        match self.figure {
            Some(figure) => Cow::Borrowed(&figure.id),
            None => Cow::Owned(self.case().map(|case| case.id).unwrap_or_default()),
        }
    }
}

/// What the order takes of a case.
#[derive(Deserialize)]
struct Named {
    id: String,
    critical: bool,
}

/// The cases in a reader's order.
#[derive(Debug)]
pub(in crate::report) struct Ranking<'a> {
    /// Every scored case, the weakest first; among equals the critical ones, then in the suite's order.
    pub scored: Vec<CaseRow<'a>>,
    /// Every case without a score, in the suite's order.
    pub unscored: Vec<CaseRow<'a>>,
    /// So many of `scored`, from the front, are shown in full.
    pub in_full: usize,
    /// So many of `unscored`, from the front, are shown in full.
    pub unscored_in_full: usize,
    /// Of `scored`: those that did not reach their pass score.
    pub failing: usize,
}

impl<'a> Ranking<'a> {
    pub(in crate::report) fn new(record: &'a Record) -> Ranking<'a> {
        let mut rows = Rows::new(record);
        for case in record.results.cases.parts::<Named>() {
            rows.add(&case.id, case.critical);
        }
        rows.ranked()
    }
}

/// Rows of cases that come in the suite's order, one after the other.
pub(super) struct Rows<'a> {
    cases: &'a Cases,
    figures: &'a [CaseFigure],
    by_id: Option<HashMap<&'a str, &'a CaseFigure>>,
    rows: Vec<CaseRow<'a>>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(record: &'a Record) -> Rows<'a> {
        Rows {
            cases: &record.results.cases,
            figures: &record.figures.cases,
            by_id: None,
            rows: Vec::with_capacity(record.results.cases.len()),
        }
    }

    /// The next case.
    pub(super) fn add(&mut self, id: &str, critical: bool) {
        let (at, figures) = (self.rows.len(), self.figures);
        // Figures stand beside their cases, but for a record that nobody derived.
        let figure = figures.get(at).filter(|figure| figure.id == id).or_else(|| {
            let all = || {
                figures
                    .iter()
                    .map(|figure| (figure.id.as_str(), figure))
                    .collect()
            };
            self.by_id.get_or_insert_with(all).get(id).copied()
        });
        self.rows.push(CaseRow {
            cases: self.cases,
            at,
            critical,
            score: figure.and_then(|f| f.score),
            passed: figure.and_then(|f| f.passed),
            unscored: figure.and_then(|f| f.unscored),
            figure,
        });
    }

    pub(super) fn ranked(self) -> Ranking<'a> {
        let (mut scored, unscored): (Vec<CaseRow>, Vec<CaseRow>) =
            self.rows.into_iter().partition(|row| row.score.is_some());
        scored.sort_by(|a, b| ascending(a.score, b.score).then(b.critical.cmp(&a.critical)));
        // With pass scores that differ, a failing case can stand behind a passing one with a lower score.
        scored.sort_by_key(|row| row.passed == Some(true));
        let failing = scored.iter().filter(|row| row.passed == Some(false)).count();
        Ranking {
            in_full: failing.clamp(IN_FULL, FAILING_IN_FULL).min(scored.len()),
            unscored_in_full: unscored.len().min(UNSCORED_IN_FULL),
            scored,
            unscored,
            failing,
        }
    }
}

/// What each row's case is told as, in the rows' order. The cases are read in the order in which they lie beside one
/// another: read here and there, each costs as much as a hundred.
pub(in crate::report) fn told<T>(
    rows: &[CaseRow],
    tell: impl Fn(&CaseRow, &CaseResult) -> T,
) -> Vec<Option<T>> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|row| rows[*row].at);
    let mut told: Vec<Option<T>> = rows.iter().map(|_| None).collect();
    let mut reader = rows.first().map(|row| row.cases.reader());
    for row in order {
        let case = reader.as_mut().and_then(|reader| reader.get(rows[row].at));
        told[row] = case.map(|case| tell(&rows[row], &case));
    }
    told
}

/// The samples of a case, the ones that explain its score first: without a usable answer, with a failed
/// check, then by the lowest vote.
pub(in crate::report) fn samples_by_worth(case: &CaseResult) -> Vec<&Sample> {
    let lowest = |sample: &Sample| {
        sample
            .votes
            .iter()
            .filter_map(|vote| vote.score)
            .min_by(f64::total_cmp)
    };
    let mut samples: Vec<&Sample> = case.samples.iter().collect();
    samples.sort_by(|a, b| {
        let answered = |s: &Sample| s.outcome == AnswerOutcome::Answered;
        answered(a)
            .cmp(&answered(b))
            .then(b.failed_a_check().cmp(&a.failed_a_check()))
            .then(ascending(lowest(a), lowest(b)))
    });
    samples
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    fn ids(rows: &[CaseRow]) -> Vec<String> {
        rows.iter().map(|row| row.case().unwrap().id).collect()
    }

    #[test]
    fn failing_cases_come_first_and_among_equals_the_critical_ones() {
        let mut record = fixtures::large(4, 10);
        let set = |record: &mut Record, at: usize, score: f64, passed: bool, critical: bool| {
            record.figures.cases[at].score = Some(score);
            record.figures.cases[at].passed = Some(passed);
            record.results.cases.edit(|cases| cases[at].critical = critical);
        };
        set(&mut record, 0, 0.5, true, false);
        set(&mut record, 1, 0.6, false, false);
        set(&mut record, 2, 0.6, false, true);
        set(&mut record, 3, 0.2, false, false);
        let ranking = Ranking::new(&record);
        let want: Vec<String> = [3, 2, 1, 0]
            .map(|at: usize| record.results.cases.get(at).unwrap().id)
            .into();
        assert_eq!(ids(&ranking.scored), want);
        assert_eq!((ranking.failing, ranking.in_full), (3, 4));
    }

    #[test]
    fn as_many_are_shown_in_full_as_a_reader_bears() {
        let failing = |n: usize| {
            let mut record = fixtures::large(200, 10);
            for (at, figure) in record.figures.cases.iter_mut().enumerate() {
                (figure.score, figure.passed) = (Some(0.5), Some(at >= n));
            }
            let ranking = Ranking::new(&record);
            (ranking.failing, ranking.in_full)
        };
        assert_eq!(failing(0), (0, 20));
        assert_eq!(failing(30), (30, 30));
        assert_eq!(failing(120), (120, 50));
    }

    #[test]
    fn figures_in_another_order_still_find_their_case() {
        let mut record = fixtures::failing();
        let want = ids(&Ranking::new(&record).scored);
        record.figures.cases.reverse();
        record.figures.cases.pop();
        let ranking = Ranking::new(&record);
        assert_eq!(
            ranking.scored.len() + ranking.unscored.len(),
            record.results.cases.len()
        );
        assert!(ids(&ranking.scored).iter().all(|id| want.contains(id)));
    }
}
