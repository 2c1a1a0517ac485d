//! What the cycle did, as plain data: the `cycle` part of `results.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What became of the cycle.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// How it ended.
    pub outcome: Outcome,
    /// One line for a person: why it ended so and what to do, where something is to be done.
    pub reason: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
    /// The dataset that the traces became rows of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<Dataset>,
    /// The form of the trace call that the service speaks, once it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_form: Option<String>,
    /// What became of the traces.
    pub traces: Traces,
    /// Every trace of this run, in the suite's order.
    pub written: Vec<TraceRecord>,
    /// Writes whose effect is not known. Any of them holds the launch.
    pub unknown: Vec<FailedWrite>,
    /// Writes and looks that failed and surely had no effect.
    pub failed: Vec<FailedWrite>,
    /// Holdout cases whose prompt stands among the project's traces.
    pub leaks: Vec<Leak>,
    /// The steps in their order, with ids and durations.
    pub steps: Vec<Step>,
    /// The snapshot's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<String>,
    /// The fine-tuning job's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// The name the job was created with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_name: Option<String>,
    /// Experiments of the job.
    pub experiments: u32,
    /// With `--dry-run`: everything that would have been written, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned: Vec<PlannedWrite>,
}

impl Record {
    /// Brings the counts of [`Traces`] in line with where each trace stands.
    pub(super) fn count(&mut self) {
        let of = |states: &[TraceState]| {
            u32::try_from(self.written.iter().filter(|t| states.contains(&t.state)).count())
                .unwrap_or(u32::MAX)
        };
        let written = self
            .written
            .iter()
            .filter(|t| t.trace_id.is_some() && t.state != TraceState::Known)
            .count();
        self.traces.written = u32::try_from(written).unwrap_or(u32::MAX);
        self.traces.already = of(&[TraceState::Known]);
        self.traces.rows = of(&[TraceState::Row, TraceState::Corrected]);
        self.traces.corrected = of(&[TraceState::Corrected]);
        self.traces.correction_failed = of(&[TraceState::CorrectionFailed]);
        self.traces.unsettled = of(&[TraceState::Processing]);
        self.traces.failed = of(&[TraceState::Failed]);
        self.traces.unknown = of(&[TraceState::Unknown]);
    }
}

/// How a cycle ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "CycleOutcome")]
pub enum Outcome {
    /// A fine-tuning job was launched.
    Launched,
    /// Everything but the launch: `--no-launch`.
    NotLaunched,
    /// The gates or the suite do not let it be launched, or there was nothing to train on.
    Held,
    /// The service failed, or its state is not known.
    #[default]
    Stopped,
    /// Shown and not sent: `--dry-run`.
    DryRun,
}

impl Outcome {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Launched => "launched",
            Outcome::NotLaunched => "not_launched",
            Outcome::Held => "held",
            Outcome::Stopped => "stopped",
            Outcome::DryRun => "dry_run",
        }
    }
}

/// The dataset of the cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dataset {
    /// Its id.
    pub id: String,
    /// Its label.
    pub label: String,
}

/// Counts of this run's traces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Traces {
    /// Scored answers that are not held out.
    pub planned: u32,
    /// Answers left out because their case is a holdout.
    pub holdout: u32,
    /// Answers left out because nobody scored them.
    pub unscored: u32,
    /// Answers left out because the run has the same answer to the same question already.
    pub repeated: u32,
    /// Answers left out because they are another day's, from the cache: the run that asked for them may have traced them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached: u32,
    /// Answers left out because the dataset has them already: the same model, question and answer.
    #[serde(default)]
    pub already: u32,
    /// Traces written.
    pub written: u32,
    /// Traces added to the dataset as rows, at once or after correction.
    pub rows: u32,
    /// Of the rows: those the service corrected first.
    pub corrected: u32,
    /// Traces whose correction the service failed at.
    pub correction_failed: u32,
    /// Traces whose correction was still going on when the wait ended.
    pub unsettled: u32,
    /// Traces that could not be written or added.
    pub failed: u32,
    /// Traces of which it is not known whether they were written or added.
    pub unknown: u32,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// One trace of this run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TraceRecord {
    /// The case's id.
    pub case: String,
    /// The sample's index.
    pub sample: u32,
    /// The trace's id, once written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Where it stands.
    pub state: TraceState,
}

/// Where a trace stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TraceState {
    /// The dataset had the answer before this run.
    Known,
    /// Written, and not (yet) added.
    Written,
    /// A row of the dataset as it is.
    Row,
    /// A row of the dataset, corrected by the service.
    Corrected,
    /// The service is correcting it.
    Processing,
    /// The service failed at correcting it.
    CorrectionFailed,
    /// Not sent: the cycle ended before.
    NotSent,
    /// It could not be written or added.
    Failed,
    /// Not known whether it was written or added.
    Unknown,
}

/// A write that did not come through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedWrite {
    /// The call's name.
    pub call: String,
    /// What it was about: a case's id, a snapshot's id, …
    pub about: String,
    /// The class of the failure.
    pub kind: String,
    /// Requests sent.
    pub attempts: u32,
    /// What came back.
    pub cause: String,
}

/// A holdout prompt found among the project's traces: the model may have been trained on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Leak {
    /// The holdout case's id.
    pub case: String,
    /// The trace that holds its prompt.
    pub trace_id: String,
    /// Whether that trace is a row of a dataset.
    pub added_to_dataset: bool,
}

/// A step of the cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// For example `traces`, `snapshot`.
    pub name: String,
    /// How it ended.
    pub state: StepState,
    /// The id of what it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// For a person.
    pub detail: String,
    /// Wall time in milliseconds.
    pub duration_ms: u64,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Done.
    Done,
    /// Not taken, by decision.
    Skipped,
    /// Failed.
    Failed,
    /// Sent, and nobody knows.
    Unknown,
}

/// A write that `--dry-run` shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedWrite {
    /// The call's name.
    pub call: String,
    /// What it would send, as far as it is known before the calls ahead of it.
    pub body: Value,
}
