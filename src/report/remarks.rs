//! A record → what is to be told at the suite's own lines, the worst first.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use crate::gate::{GateVerdict, Outcome};
use crate::results::{CaseResult, Place};
use crate::score::CaseChange;

use super::Record;
use super::numbers::{against, score};
use super::text::line;
use super::view::{CaseRow, Ranking, Said, said, samples_by_worth, word};

/// Remarks of a kind, at most: far more than anybody shows.
const MOST: usize = 100;
/// Characters of a title.
const TITLE: usize = 120;
/// Characters of one line of a message.
const LINE: usize = 400;

/// How much a remark weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It fails the run.
    Error,
    /// It doesn't by itself.
    Warning,
    /// Good to know.
    Notice,
}

/// Something to be told at a line of the suite. Its texts may be foreign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// How much it weighs.
    pub weight: Weight,
    /// Where.
    pub place: Place,
    /// A few words.
    pub title: String,
    /// What a person must know; bounded, and may have several lines.
    pub message: String,
}

/// Failed gates, vetoes and failing cases, the worst of each weight first.
///
/// Failed gates and vetoes are errors; gates that decide for want of others, gates that hold or only warn, gates that can't be decided, critical cases
/// without a score and other failing cases are warnings: newly failing ones first, then by score. At most a hundred of
/// a kind.
pub fn remarks(record: &Record) -> Vec<Remark> {
    let mut all: Vec<Remark> = own_gates(record).into_iter().collect();
    all.extend(gates(record));
    all.extend(cases(record));
    // Gates stand before cases of the same weight; the sort keeps that.
    all.sort_by_key(|remark| remark.weight);
    all
}

/// The suite's own gates decide, and were not to.
fn own_gates(record: &Record) -> Option<Remark> {
    let suite = &record.results.suite;
    let policy = suite.policy.as_ref().filter(|policy| policy.own_for_want)?;
    Some(Remark {
        weight: Weight::Warning,
        place: Place {
            file: suite.path.as_str().into(),
            line: 1,
            column: 1,
        },
        title: "the suite's own gates decide".to_owned(),
        message: line(
            &format!("The gates that decide are those of {}.", policy.from),
            LINE,
        ),
    })
}

fn gates(record: &Record) -> Vec<Remark> {
    let written = record.verdict.gates.iter().filter(|gate| !gate.implied);
    let told = written.enumerate().filter_map(|(at, gate)| {
        let weight = weight(gate)?;
        let what = if gate.outcome == Outcome::Fail {
            "gate not met"
        } else {
            "gate inconclusive"
        };
        let mut message = line(&gate.reason, LINE);
        match word(&gate.otherwise).as_str() {
            "hold" => message.push_str("\nNothing is launched; the run does not fail by it."),
            "warn" => message.push_str("\nIt is only told."),
            _ => {}
        }
        if let Some(policy) = record
            .results
            .suite
            .policy
            .as_ref()
            .filter(|policy| policy.differs)
        {
            message.push_str(&format!(
                "\nThe gates that decide are those of {}.",
                line(&policy.from, LINE)
            ));
        }
        Some(Remark {
            weight,
            place: place(record, at, gate),
            title: line(&format!("{what}: {}", gate.require), TITLE),
            message,
        })
    });
    told.take(MOST).collect()
}

fn weight(gate: &GateVerdict) -> Option<Weight> {
    match (gate.outcome, word(&gate.otherwise).as_str()) {
        _ if !gate.applicable => None,
        (Outcome::Pass, _) | (Outcome::Inconclusive, "warn") => None,
        (Outcome::Fail, "fail") => Some(Weight::Error),
        (Outcome::Fail | Outcome::Inconclusive, _) => Some(Weight::Warning),
    }
}

/// Where a gate is written in this suite's file. One of the base branch that this suite no longer has is told at its
/// first line: the places of the other file mean nothing here.
fn place(record: &Record, at: usize, gate: &GateVerdict) -> Place {
    let suite = &record.results.suite;
    let same = |require: &str| require == gate.require;
    let found = match &suite.policy {
        Some(policy) => policy.own.iter().find(|own| same(&own.require)),
        None => suite
            .gates
            .get(at)
            .filter(|own| same(&own.require))
            .or_else(|| suite.gates.iter().find(|own| same(&own.require))),
    };
    found.map_or_else(
        || Place {
            file: suite.path.as_str().into(),
            line: 1,
            column: 1,
        },
        |own| own.place.clone(),
    )
}

fn cases(record: &Record) -> Vec<Remark> {
    let ranking = Ranking::new(record);
    let vetoes: HashMap<&str, String> = record
        .verdict
        .vetoes
        .iter()
        .map(|veto| {
            let failed = format!(
                "{} of {} samples failed",
                veto.samples_failed, veto.samples_scored
            );
            (veto.case.as_str(), failed)
        })
        .collect();
    let changes: HashMap<&str, &CaseChange> = record
        .comparison
        .iter()
        .flat_map(|comparison| &comparison.cases)
        .map(|change| (change.id.as_str(), change))
        .collect();
    let newly: HashSet<&str> = record
        .comparison
        .iter()
        .flat_map(|comparison| &comparison.flips.newly_failing)
        .map(String::as_str)
        .collect();
    let mut failing: Vec<&CaseRow> = ranking.scored[..ranking.failing].iter().collect();
    failing.sort_by_key(|row| !newly.contains(&*row.id()));
    let (vetoing, others): (Vec<&CaseRow>, Vec<&CaseRow>) = failing
        .into_iter()
        .partition(|row| vetoes.contains_key(&*row.id()));
    let undecided: HashSet<&str> = record
        .verdict
        .undecided_critical
        .iter()
        .map(String::as_str)
        .collect();
    let undecided = ranking
        .unscored
        .iter()
        .filter(|row| undecided.contains(&*row.id()));
    let remark = |weight: Weight, row: &CaseRow| {
        let case = row.case()?;
        let id = case.id.as_str();
        let mut message = vetoes.get(id).map_or(String::new(), |failed| {
            format!("Critical: it fails the run, {failed}.\n")
        });
        message.push_str(&scored(row, &case, changes.get(id).copied(), newly.contains(id)));
        message.push_str(&said_first(&case));
        Some(Remark {
            weight,
            title: line(id, TITLE),
            place: case.place,
            message,
        })
    };
    let errors = vetoing
        .into_iter()
        .take(MOST)
        .filter_map(|row| remark(Weight::Error, row));
    let undecided = undecided
        .take(MOST)
        .filter_map(|row| remark(Weight::Warning, row));
    errors
        .chain(undecided)
        .chain(
            others
                .into_iter()
                .take(MOST)
                .filter_map(|row| remark(Weight::Warning, row)),
        )
        .collect()
}

/// `Newly failing: score 0.450, needs 0.700 (before 0.900).`
fn scored(row: &CaseRow, case: &CaseResult, change: Option<&CaseChange>, newly: bool) -> String {
    let Some(value) = row.score else {
        return "Critical, and without a score: whether it fails the run can't be told.".to_owned();
    };
    let before = change
        .filter(|change| change.difference.is_some())
        .and_then(|change| change.before)
        .map_or(String::new(), |before| {
            format!("; before {}", score(Some(before)))
        });
    format!(
        "{} {}, needs {}{before}.",
        if newly { "Newly failing: score" } else { "Score" },
        against(value, case.pass_score),
        score(Some(case.pass_score))
    )
}

/// The first line of what was said of the answer that explains the score.
fn said_first(case: &CaseResult) -> String {
    let Some(sample) = samples_by_worth(case).first().copied() else {
        return String::new();
    };
    let first = |text: &str| {
        text.trim()
            .lines()
            .next()
            .map_or(String::new(), |first| line(first, LINE))
    };
    let text = match said(sample) {
        Said::Check(check) => {
            let detail = check.detail.as_deref().unwrap_or("failed");
            format!("check {}: {}", line(&check.check, TITLE), first(detail))
        }
        Said::Vote(vote) => first(vote.feedback.as_deref().unwrap_or_default()),
        Said::Nothing(why) => first(why.unwrap_or_default()),
    };
    if text.is_empty() {
        text
    } else {
        format!("\n{text}")
    }
}
