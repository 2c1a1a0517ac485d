//! A record with a comparison, and the baseline's texts → what is shown of the differences: picked, ordered and
//! worded, the same for every format. What it was compared with is never left unsaid.

mod base;
mod rows;
mod standing;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use crate::gate::GateVerdict;
use crate::report::{Around, Record};
use crate::results::{Baseline, Cases, Results};
use crate::score::{CaseFigure, Comparison, Difference, PairCounts, Pairing};

use super::ascending;

use base::Base;
pub(in crate::report) use rows::{Flip, Held, Row, Said, said};
pub(in crate::report) use standing::Standing;

/// Differences of a case's score up to here are rounding.
pub(super) const MOVED: f64 = 1e-9;

/// What a record is compared with.
#[derive(Debug)]
pub(in crate::report) enum Against<'a> {
    /// Nothing, and nothing was looked for.
    Nothing,
    /// Nothing, for this reason.
    Without(&'a str),
    /// An earlier run.
    Run(Box<Diff<'a>>),
}

/// The differences between a run and its baseline.
#[derive(Debug)]
pub(in crate::report) struct Diff<'a> {
    pub record: &'a Record,
    pub comparison: &'a Comparison,
    pub baseline: &'a Baseline,
    /// Whether the baseline's texts are at hand.
    pub texts: bool,
    pub standing: Standing,
    pub base: Base<'a>,
    /// The `drop(…)` gates, in the suite's order.
    pub gates: Vec<&'a GateVerdict>,
    /// Every case of either run, in the comparison's order.
    pub rows: Vec<Row<'a>>,
    /// Compared cases whose score is another one, the largest fall first, or the largest rise where none fell; among equals the critical ones, then in the
    /// suite's order.
    pub moved: Vec<Row<'a>>,
    /// Cases that were asked or checked otherwise.
    pub changed: Vec<Row<'a>>,
    /// Cases of this run alone.
    pub added: Vec<Row<'a>>,
    /// Cases of the baseline alone.
    pub removed: Vec<Row<'a>>,
    /// The same in both runs, and without a score in one of them.
    pub unscored: Vec<Row<'a>>,
    /// Cases whose own bar is another one.
    pub bars: Vec<Row<'a>>,
    /// Differences per tag, the largest fall first; those without one are left out.
    pub tags: Vec<(&'a str, &'a Difference)>,
}

impl<'a> Against<'a> {
    pub(in crate::report) fn new(record: &'a Record, around: &Around<'a>) -> Against<'a> {
        match (&record.comparison, &record.results.baseline) {
            (Some(comparison), Some(baseline)) => Against::Run(Box::new(Diff::new(
                record,
                comparison,
                baseline,
                around.base.filter(|base| is_of(base, baseline)),
            ))),
            _ => record
                .results
                .without_baseline
                .as_deref()
                .map_or(Against::Nothing, Against::Without),
        }
    }

    pub(in crate::report) fn run(&self) -> Option<&Diff<'a>> {
        match self {
            Against::Run(diff) => Some(diff),
            Against::Nothing | Against::Without(_) => None,
        }
    }
}

/// Texts of another run than the one that was compared with would be a lie.
fn is_of(texts: &Results, baseline: &Baseline) -> bool {
    texts.run.id == baseline.run.id
}

impl<'a> Diff<'a> {
    fn new(
        record: &'a Record,
        comparison: &'a Comparison,
        baseline: &'a Baseline,
        texts: Option<&'a Results>,
    ) -> Diff<'a> {
        let gates = record
            .verdict
            .gates
            .iter()
            .filter(|gate| gate.applicable && gate.require.trim_start().starts_with("drop"))
            .collect::<Vec<_>>();
        let rows = rows(record, comparison, texts);
        let pick = |pairing: Pairing| -> Vec<Row<'a>> {
            rows.iter()
                .filter(|row| row.change.pairing == pairing)
                .copied()
                .collect()
        };
        let mut moved: Vec<Row> = rows.iter().filter(|row| row.moved()).copied().collect();
        // Where nothing fell, the largest rise is what there is to see.
        let fell = moved
            .iter()
            .any(|row| row.change.difference.is_some_and(|d| d < 0.0));
        moved.sort_by(|a, b| {
            let by = ascending(a.change.difference, b.change.difference);
            let by = if fell { by } else { by.reverse() };
            by.then(b.critical().cmp(&a.critical()))
        });
        let mut tags: Vec<(&str, &Difference)> = comparison
            .tags
            .iter()
            .filter(|(_, difference)| difference.difference.is_some())
            .map(|(tag, difference)| (tag.as_str(), difference))
            .collect();
        tags.sort_by(|(_, a), (_, b)| ascending(a.difference, b.difference));
        let unscored = |row: &&Row| {
            row.change.pairing == Pairing::Unchanged
                && (row.change.before.is_none() || row.change.after.is_none())
        };
        Diff {
            record,
            comparison,
            baseline,
            texts: texts.is_some(),
            standing: Standing::new(comparison, &gates),
            base: Base::new(record, baseline),
            gates,
            moved,
            changed: pick(Pairing::Changed),
            added: pick(Pairing::Added),
            removed: pick(Pairing::Removed),
            unscored: rows.iter().filter(unscored).copied().collect(),
            bars: rows
                .iter()
                .filter(|row| !row.change.bar.is_empty())
                .copied()
                .collect(),
            rows,
            tags,
        }
    }

    /// The fall of the mean that would most likely have been seen, where none was shown: else it is nothing to act on.
    pub(in crate::report) fn detectable(&self) -> Option<f64> {
        let open = matches!(self.standing, Standing::Noise | Standing::Untold(_));
        self.comparison.mean.detectable.filter(|_| open)
    }

    /// What must be known of the comparison. That nothing moved says by itself that there is no spread.
    pub(in crate::report) fn notes(&self) -> impl Iterator<Item = &'a String> {
        let mean = &self.comparison.mean.notes;
        let of_mean = if self.standing == Standing::Same {
            &[]
        } else {
            mean.as_slice()
        };
        self.comparison.notes.iter().chain(of_mean)
    }

    /// `12 cases moved: 9 fell, 3 rose`
    pub(in crate::report) fn ways(&self) -> (u64, u64) {
        let fell = self
            .moved
            .iter()
            .filter(|row| row.change.difference.is_some_and(|d| d < 0.0))
            .count();
        (fell as u64, (self.moved.len() - fell) as u64)
    }

    /// `5 newly failing, 0 newly fixed`, and McNemar's p-value of them; absent where no verdict turned.
    pub(in crate::report) fn turned(&self) -> Option<(String, Option<f64>)> {
        let flips = &self.comparison.flips;
        let (failing, fixed) = (flips.newly_failing.len(), flips.newly_fixed.len());
        let count = |n: usize| crate::report::numbers::count(n as u64);
        (failing + fixed > 0).then(|| {
            (
                format!("{} newly failing, {} newly fixed", count(failing), count(fixed)),
                flips.p,
            )
        })
    }

    /// The `most` moved cases that a reader looks for first, in their order: those whose verdict turned, the critical
    /// ones, and then the largest moves.
    pub(in crate::report) fn foremost(&self, most: usize) -> Vec<&Row<'a>> {
        let mut at: Vec<usize> = (0..self.moved.len()).collect();
        let size = |at: usize| self.moved[at].change.difference.map(f64::abs);
        let rank = |at: usize| match self.moved[at].flip {
            Some(Flip::Failing) => 0,
            _ if self.moved[at].critical() => 1,
            Some(Flip::Fixed) => 2,
            None => 3,
        };
        at.sort_by(|&a, &b| rank(a).cmp(&rank(b)).then(ascending(size(b), size(a))));
        at.truncate(most);
        at.sort_unstable();
        at.into_iter().map(|at| &self.moved[at]).collect()
    }

    /// Every difference of a figure that is shown, with its name.
    pub(in crate::report) fn figures(&self) -> Vec<(&'static str, &'a Difference)> {
        let all = self.comparison;
        [
            Some(("Mean", &all.mean)),
            Some(("Pass rate", &all.pass_rate)),
            all.holdout.as_ref().map(|group| ("Mean, holdout", group)),
            all.critical.as_ref().map(|group| ("Mean, critical", group)),
        ]
        .into_iter()
        .flatten()
        .filter(|(_, difference)| difference.difference.is_some())
        .collect()
    }

    /// `12 cases compared; 2 changed, 1 added`
    pub(in crate::report) fn counts(&self) -> String {
        use crate::report::text::plural;
        let PairCounts {
            compared,
            unscored,
            changed,
            added,
            removed,
        } = self.comparison.counts;
        let mut out = match compared {
            0 => "No case compares".to_owned(),
            n if self.comparison.incomparable.is_some() => {
                let are = if n == 1 { "is" } else { "are" };
                format!(
                    "{} {are} the same in both runs",
                    plural(n.into(), "case", "cases")
                )
            }
            n => format!("{} compared", plural(n.into(), "case", "cases")),
        };
        let others: Vec<String> = [
            (changed, "changed"),
            (added, "added"),
            (removed, "removed"),
            (unscored, "without a score in one of the runs"),
        ]
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{} {what}", crate::report::numbers::count((*n).into())))
        .collect();
        if !others.is_empty() {
            out.push_str(&format!("; {}", others.join(", ")));
        }
        out
    }

    /// The cases that fail now and passed before, or the other way round, in the suite's order.
    pub(in crate::report) fn flipped(&self, flip: Flip) -> Vec<&'a str> {
        let flips = &self.comparison.flips;
        let ids = match flip {
            Flip::Failing => &flips.newly_failing,
            Flip::Fixed => &flips.newly_fixed,
        };
        ids.iter().map(String::as_str).collect()
    }
}

/// Every case of the comparison beside what the two runs have of it.
fn rows<'a>(record: &'a Record, comparison: &'a Comparison, texts: Option<&'a Results>) -> Vec<Row<'a>> {
    let now = by_id(&record.results.cases);
    let before = texts.map(|texts| by_id(&texts.cases)).unwrap_or_default();
    let figures: HashMap<&str, &CaseFigure> =
        record.figures.cases.iter().map(|f| (f.id.as_str(), f)).collect();
    let set = |ids: &'a [String]| ids.iter().map(String::as_str).collect::<HashSet<&str>>();
    let failing = set(&comparison.flips.newly_failing);
    let fixed = set(&comparison.flips.newly_fixed);
    comparison
        .cases
        .iter()
        .map(|change| {
            let id = change.id.as_str();
            let flip = match (failing.contains(id), fixed.contains(id)) {
                (true, _) => Some(Flip::Failing),
                (_, true) => Some(Flip::Fixed),
                _ => None,
            };
            Row {
                change,
                now: now
                    .get(id)
                    .copied()
                    .filter(|_| change.pairing != Pairing::Removed),
                figure: figures.get(id).copied(),
                base: before
                    .get(id)
                    .copied()
                    .filter(|_| change.pairing != Pairing::Added),
                flip,
            }
        })
        .collect()
}

/// Where each case is.
fn by_id(cases: &Cases) -> HashMap<String, Held<'_>> {
    #[derive(Deserialize)]
    struct Named {
        id: String,
        critical: bool,
        holdout: bool,
    }
    let held = |(at, case): (usize, Named)| {
        let held = Held {
            cases,
            at,
            critical: case.critical,
            holdout: case.holdout,
        };
        (case.id, held)
    };
    cases.parts().enumerate().map(held).collect()
}
