//! A run's results, figures, comparison, verdict and cycle come in, its line of the history goes out.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{CASES, Entry, VERSION};
use crate::cycle;
use crate::gate::Verdict;
use crate::results::Results;
use crate::score::{Comparison, Figures};

/// Hexadecimal digits that stand for what a verdict depends on: of thirty runs no two share them by chance.
const BASIS_DIGITS: usize = 8;

/// The line of a run.
///
/// Runs that ended early have one as well; cases without a score have no verdict in it, so a run that never asked a
/// case says nothing about it.
pub fn entry(
    results: &Results,
    figures: &Figures,
    comparison: Option<&Comparison>,
    verdict: &Verdict,
    cycle: Option<&cycle::Record>,
) -> Entry {
    let (run, suite, overall) = (&results.run, &results.suite, &figures.overall);
    Entry {
        version: VERSION,
        run: run.id.clone(),
        at: run.started_at.clone(),
        commit: run.commit.clone(),
        model: suite.model.clone(),
        judge: suite.judge.fingerprint.clone(),
        suite: suite.fingerprint.clone(),
        emulator: run.emulator,
        cases: overall.cases,
        scored: overall.scored,
        mean: overall.mean,
        interval: overall
            .mean_interval
            .map(|interval| [interval.low, interval.high]),
        pass_rate: overall.pass_rate,
        difference: comparison.and_then(|comparison| comparison.mean.difference),
        decision: verdict.decision,
        outcome: cycle.map(|cycle| cycle.outcome),
        job: cycle.and_then(|cycle| cycle.job_id.clone()),
        verdicts: verdicts(results, figures),
    }
}

fn verdicts(results: &Results, figures: &Figures) -> BTreeMap<String, String> {
    if results.cases.len() > CASES {
        return BTreeMap::new();
    }
    let scored = results.cases.parts::<Judged>().zip(&figures.cases);
    scored
        // Another day's reply was a verdict on that day, and is none that has stood once more.
        .filter(|(case, figure)| case.id == figure.id && !case.has_cached())
        .filter_map(|(case, figure)| {
            let sign = if figure.passed? { '+' } else { '-' };
            let basis = basis(results, &case);
            Some((case.id, format!("{sign}{basis}")))
        })
        .collect()
}

/// What is looked at of a case.
#[derive(Deserialize)]
struct Judged {
    id: String,
    fingerprint: String,
    pass_score: f64,
    samples: Vec<Answered>,
}

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    answered_by: Option<String>,
    #[serde(default)]
    cached: Option<IgnoredAny>,
    votes: Vec<Given>,
}

#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    cached: Option<IgnoredAny>,
}

impl Judged {
    fn has_cached(&self) -> bool {
        let cached = |sample: &Answered| {
            sample.cached.is_some() || sample.votes.iter().any(|vote| vote.cached.is_some())
        };
        self.samples.iter().any(cached)
    }
}

/// Its layout is part of every line: a history's runs are compared by it.
#[derive(Serialize)]
struct Basis<'a> {
    layout: &'static str,
    case: &'a str,
    judge: &'a str,
    pass_score: f64,
    model: &'a str,
    answered_by: BTreeSet<&'a str>,
    emulator: bool,
}

/// What has to be the same in two runs for another verdict to be nobody's doing: the case, the judge, the bar, and the
/// model, both as it was asked for and as the service says who answered. An alias that moves on to a newly trained
/// model is a change, though nobody wrote one down.
fn basis(results: &Results, case: &Judged) -> String {
    let answered_by = case
        .samples
        .iter()
        .filter_map(|sample| sample.answered_by.as_deref())
        .collect();
    let hashed = Basis {
        layout: "verdict/1",
        case: &case.fingerprint,
        judge: &results.suite.judge.fingerprint,
        pass_score: case.pass_score,
        model: &results.suite.model,
        answered_by,
        emulator: results.run.emulator,
    };
    // Plain data of texts and numbers always has a JSON text.
    let text = serde_json::to_vec(&hashed).unwrap_or_default();
    HEXLOWER.encode(&Sha256::digest(text)[..BASIS_DIGITS / 2])
}
