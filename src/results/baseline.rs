//! The earlier run that a run is compared with, as plain data: of its record as much as a comparison takes, so that
//! `results.json` by itself says how its differences came about. And the judge's anchors, which tell whether it is the
//! same judge.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{JudgeRecord, Vote};

/// The earlier run that a run is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Baseline {
    /// Where its record was found.
    pub source: BaselineSource,
    /// Which run it is.
    pub run: BaselineRun,
    /// Who judged; after `--rejudge-baseline` this run's judge.
    pub judge: JudgeRecord,
    /// True when its stored answers were scored again by this run's judge.
    #[serde(default)]
    pub rejudged: bool,
    /// Its cases, in its suite's order.
    pub cases: Vec<BaselineCase>,
    /// Its anchors that have a score.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anchors: Vec<BaselineAnchor>,
}

/// Where a baseline was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineSource {
    /// How it was found.
    pub found: Found,
    /// The file, where it was given as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The branch of the workflow run that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The id of that workflow run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_run: Option<u64>,
    /// Where that workflow run can be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// How a baseline was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// A file that was named.
    Given,
    /// The successful workflow run of the commit that the pull request branched off from.
    MergeBase,
    /// The newest successful workflow run on the pull request's base branch.
    BaseBranch,
    /// The newest successful workflow run before this one on the same branch.
    Previous,
}

/// Which run a baseline is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineRun {
    /// Its UUID.
    pub id: String,
    /// When it began, RFC 3339, UTC.
    pub started_at: String,
    /// The commit that was checked out, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The model that was evaluated.
    pub model: String,
    /// True when the built-in emulator answered.
    pub emulator: bool,
    /// False when its evaluation ended early.
    pub complete: bool,
    /// The fingerprint of its suite.
    pub fingerprint: String,
}

/// A case of a baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineCase {
    /// The case's id.
    pub id: String,
    /// Its fingerprint, as in `cases`.
    pub fingerprint: String,
    /// What tells the parts of a changed case apart: the first 16 hexadecimal digits of SHA-256 over the messages.
    pub messages: String,
    /// The same over the parameters and the number of samples.
    pub parameters: String,
    /// The same over the reference; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Its score, 0..1; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// It passed at or above this score.
    pub pass_score: f64,
    /// Whether it vetoed.
    pub critical: bool,
}

/// An anchor of a baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineAnchor {
    /// The anchor's fingerprint.
    pub fingerprint: String,
    /// The mean of its votes, 0..1.
    pub score: f64,
}

/// A frozen question and answer with a known score, and what the judge made of it this time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AnchorResult {
    /// SHA-256 (hex) over question, answer and reference: anchors of two runs are the same where it is.
    pub fingerprint: String,
    /// The question.
    pub question: String,
    /// The answer under judgement.
    pub answer: String,
    /// What the judge compares with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The score that a good judge gives, 0..1.
    pub expected: f64,
    /// How far the judge may be off, 0..1.
    pub tolerance: f64,
    /// One entry per judgement asked for.
    pub votes: Vec<Vote>,
}
