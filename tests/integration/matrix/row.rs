//! One row: an emulator with its faults comes in, a night of runs against it is played, and what did not hold
//! goes out.

use std::collections::BTreeMap;

use serde_json::Value;
use tunegate::emulator::{self, Options};

use super::night::{CASES, Night, Run};

/// The exit code of a run that stopped for the service's sake.
const STOPPED: i32 = 4;

/// The exit code of a run whose gates could not decide, as when a case has no answer.
const INCONCLUSIVE: i32 = 11;

pub(super) struct Row {
    pub(super) name: String,
    pub(super) options: Options,
    /// Runs until one must have ended well.
    pub(super) runs: usize,
    /// What a run that stops must tell.
    pub(super) blame: Option<Blame>,
    /// The first run must end well.
    pub(super) harmless: bool,
    /// Faults on chat calls may leave a case without a score: such a run ends inconclusive.
    pub(super) chat: bool,
}

/// What was to blame: one of each must stand in what a stopped run says.
pub(super) struct Blame {
    pub(super) call: &'static [&'static str],
    pub(super) cause: &'static [&'static str],
}

impl Blame {
    fn told(&self, run: &Run) -> Result<(), String> {
        let told = run.told.replace('\u{a0}', " ");
        let one_of = |words: &[&str], what: &str| {
            let found = words.iter().any(|word| told.contains(word));
            found
                .then_some(())
                .ok_or(format!("stopped without telling {what} ({words:?})"))
        };
        one_of(self.call, "the call")?;
        one_of(&["attempt"], "the attempts")?;
        one_of(self.cause, "the cause")
    }
}

impl Row {
    /// Plays it; what did not hold, with what the runs said.
    pub(super) async fn play(&self) -> Result<(), String> {
        let emulator = emulator::start(self.options.clone()).await.unwrap();
        let night = Night::new();
        let mut runs = Vec::new();
        let mut outcome = Err("it never ended well".to_owned());
        while runs.len() < self.runs {
            let run = night.run(&emulator).await;
            let code = run.code;
            let stopped = code == Some(STOPPED) || self.chat && code == Some(INCONCLUSIVE);
            let told = match &self.blame {
                Some(blame) if code == Some(STOPPED) => blame.told(&run),
                _ => Ok(()),
            };
            runs.push(run);
            if let Err(why) = told {
                outcome = Err(why);
                break;
            }
            match code {
                Some(0) => {
                    outcome = Ok(());
                    break;
                }
                Some(_) if stopped && self.harmless => {
                    outcome = Err("such a fault is none".to_owned());
                    break;
                }
                Some(_) if stopped => {}
                _ => {
                    outcome = Err(format!("ended with {code:?}"));
                    break;
                }
            }
        }
        let state = emulator.state().await;
        emulator.stop().await.unwrap();
        let mut wrong = wrong(&state, &night.results(), outcome.is_ok());
        wrong.extend(outcome.err());
        if wrong.is_empty() {
            return Ok(());
        }
        let said: Vec<String> = runs.iter().map(shown).collect();
        Err(format!("{}\n{}", wrong.join("; "), said.join("\n")))
    }
}

/// The end of what a run said, for the reader of a failed row.
pub(crate) fn shown(run: &Run) -> String {
    let lines: Vec<&str> = run
        .told
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with(['|', '<', '#']))
        .take(12)
        .collect();
    format!("  run ended with {:?}\n    {}", run.code, lines.join("\n    "))
}

/// What does not hold of a state: things that are there twice, and at the end things that are missing.
fn wrong(state: &Value, results: &Value, ended: bool) -> Vec<String> {
    let mut wrong = twice(state);
    if state["counters"]["faults"].as_u64() == Some(0) {
        wrong.push("the fault was never met".to_owned());
    }
    if ended {
        wrong.extend(missing(state, results, CASES));
    }
    wrong
}

fn list(state: &Value, kind: &str) -> Vec<Value> {
    state[kind].as_array().cloned().unwrap_or_default()
}

/// The traces of the dataset's rows.
fn rows(state: &Value) -> Vec<String> {
    let rows = list(&state["datasets"][0], "rows");
    let traces = rows.iter().filter_map(|row| row["trace_id"].as_str());
    traces.map(str::to_owned).collect()
}

/// What a state has more than once.
pub(crate) fn twice(state: &Value) -> Vec<String> {
    let repeated = |of: &mut dyn Iterator<Item = String>| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        of.for_each(|key| *counts.entry(key).or_default() += 1);
        counts.retain(|_, count| *count > 1);
        counts.len()
    };
    let mut wrong = Vec::new();
    let traces = list(state, "traces");
    let again = repeated(&mut traces.iter().map(|trace| trace["input"].to_string()));
    if again > 0 {
        wrong.push(format!("{again} prompts have several traces"));
    }
    let again = repeated(&mut rows(state).into_iter());
    if again > 0 {
        wrong.push(format!("{again} traces have several rows"));
    }
    let (snapshots, jobs) = (list(state, "snapshots").len(), list(state, "jobs").len());
    if snapshots > 1 || jobs > 1 {
        wrong.push(format!("{snapshots} snapshots, {jobs} jobs"));
    }
    wrong
}

/// What a state lacks after a run that ended well; `cases`: those that are no holdouts.
pub(crate) fn missing(state: &Value, results: &Value, cases: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    let (snapshots, jobs) = (list(state, "snapshots"), list(state, "jobs"));
    let planned = results["cycle"]["traces"]["planned"].as_u64().unwrap_or(0);
    if planned != cases {
        wrong.push(format!("{planned} answers are counted as training data"));
    }
    let (traces, rows) = (list(state, "traces").len() as u64, rows(state).len());
    if (traces, rows as u64) != (cases, cases) {
        wrong.push(format!("{traces} traces and {rows} rows for {cases} answers"));
    }
    if (snapshots.len(), jobs.len()) != (1, 1) {
        wrong.push(format!(
            "ended well with {} snapshots, {} jobs",
            snapshots.len(),
            jobs.len()
        ));
        return wrong;
    }
    let all = list(&state["datasets"][0], "rows").len();
    if snapshots[0]["rows"] != all || snapshots[0]["processing_traces"] != 0 {
        wrong.push(format!("the snapshot has {} rows of {all}", snapshots[0]["rows"]));
    }
    wrong
}
