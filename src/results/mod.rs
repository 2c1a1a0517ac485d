//! The record of an evaluation: every answer and judgement of one suite, as plain data.
//!
//! On disk (`results.json`) it is the hand-off between commands and between runs. Figures, verdict and
//! the cycle's outcome stand beside it in the same file; they are derived from it and have types of
//! their own in `score`, `gate` and `cycle`.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::suite::Gate;

mod baseline;
mod case;
mod cases;
mod samples;
mod shard;

pub use crate::suite::{CycleSettings, Harvest, Place, WhenBusy};
pub use baseline::{
    AnchorResult, Baseline, BaselineAnchor, BaselineCase, BaselineRun, BaselineSource, Found,
};
pub use case::{AnswerOutcome, Cached, CallCost, CaseResult, CheckResult, Sample, Vote, VoteOutcome};
pub use cases::{Cases, CasesBuilder, Iter as CasesIter, Reader as CasesReader};
pub use samples::{Samples, Unpacked};
pub use shard::{Portion, ShardRecord};

/// The version of the format that this build writes and reads.
pub const VERSION: u32 = 1;

/// One evaluation of one suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Results {
    /// The format's version: 1.
    pub version: u32,
    /// What wrote the file.
    pub tool: Tool,
    /// When, where and how it ran.
    pub run: Run,
    /// What was asked, and of whom.
    pub suite: SuiteRecord,
    /// In the suite's order.
    pub cases: Cases,
    /// What the judge made of the suite's anchors, in the suite's order; empty where it has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anchors: Vec<AnchorResult>,
    /// The earlier run that this one is compared with; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// Why there is no baseline although one was looked for, for a person; absent where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_baseline: Option<String>,
    /// True when it could not be found out whether there is a baseline, because GitHub did not answer: a run that would
    /// pass is held then where a gate on a drop was not applied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub baseline_unknown: bool,
    /// Calls to the service by name (`chat: answer`, `chat: judge`, `create trace`, …).
    pub calls: BTreeMap<String, CallTally>,
}

/// The program that wrote the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `tunegate`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// When, where and how an evaluation ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// A UUID made for this run.
    pub id: String,
    /// When the run began, RFC 3339, UTC; of a run that was taken up again its first attempt.
    pub started_at: String,
    /// The evaluation's wall time in milliseconds; of a run that was taken up again its last attempt's.
    pub duration_ms: u64,
    /// Times that the run was taken up again after it had ended early; 0 when it went through in one go.
    #[serde(default)]
    pub resumed: u32,
    /// What was taken over from the run's earlier attempts and not paid for again.
    #[serde(default)]
    pub kept: Kept,
    /// What of it is from the cache of earlier runs' replies, and so from another day; absent where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<CachedReplies>,
    /// The service's origin, without credentials.
    pub base_url: String,
    /// True when the built-in emulator answered instead of Prem Studio.
    pub emulator: bool,
    /// The commit that was checked out, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Why the evaluation ended before every case was asked; absent when it went through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// Which part of the suite this is, where it was split; absent in a whole run and in merged ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<ShardRecord>,
}

/// What an attempt took over from those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// Answers.
    pub answers: u64,
    /// Judgements of these answers.
    pub judgements: u64,
}

/// What of an evaluation was not asked for by it, but found in the cache of earlier runs' replies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CachedReplies {
    /// Answers from the cache.
    pub answers: u64,
    /// Answers of the suite.
    pub of_answers: u64,
    /// Judgements of the suite's answers from the cache.
    pub judgements: u64,
    /// Judgements of the suite's answers that are there, from the cache or not.
    pub of_judgements: u64,
    /// Judgements of anchors and of the baseline's answers from the cache.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub beside: u64,
    /// When the oldest of them came, RFC 3339, UTC.
    pub oldest: String,
}

/// Why an evaluation ended early.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stopped {
    /// The kind of end.
    pub kind: StopKind,
    /// For a person: what happened and what to do.
    pub message: String,
}

/// The kinds of early end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopKind {
    /// The service refused the key (401 or 403).
    Unauthorized,
    /// The model, project or dataset is not there, or could not be made ready.
    Unavailable,
    /// A signal.
    Interrupted,
    /// The time that was given for it is over.
    Deadline,
    /// The calls or tokens that were given for it are used up.
    Budget,
    /// What came could not be written down, and what is lost would be paid for again.
    Unrecorded,
}

/// What an evaluation that ended early left undone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Left {
    /// Answers that were not asked for.
    pub answers: u64,
    /// Answers of the suite.
    pub of_answers: u64,
    /// Judgements that were not asked for: of answers that are there, and of those that are not.
    pub judgements: u64,
}

/// What was asked, and of whom: enough to gate and to go on with the cycle without the suite's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteRecord {
    /// The suite's name.
    pub name: String,
    /// The suite's file as it was given.
    pub path: String,
    /// SHA-256 (hex) over everything that shapes the evaluation: cases, parameters, judge, gates.
    pub fingerprint: String,
    /// The project's id, after overrides.
    pub project: String,
    /// The model under evaluation, after overrides.
    pub model: String,
    /// The dataset's id or label, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Who judged.
    pub judge: JudgeRecord,
    /// The gates that decide, as written.
    pub gates: Vec<Gate>,
    /// Where they are from, when it is not this suite's own file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The cycle's settings.
    pub cycle: CycleSettings,
}

/// Gates that are not the suite's own: those of the protected base branch, say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// Where they are from, for a person: `prompts/nightly.yaml on main (9fceb02)`.
    pub from: String,
    /// The gates that the suite itself has, and that do not decide.
    pub own: Vec<Gate>,
    /// Whether the two differ in more than their places.
    pub differs: bool,
    /// True when the suite's own gates decide although others were asked for: those could not be had, as `from` says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_for_want: bool,
}

/// Who judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JudgeRecord {
    /// The judge model.
    pub model: String,
    /// 0..2.
    pub temperature: f64,
    /// Judgements per answer.
    pub votes: u32,
    /// SHA-256 (hex) over model, prompt, rubric and parameters: scores compare only where it is equal.
    pub fingerprint: String,
}

/// All calls of one name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallTally {
    /// Calls made.
    pub calls: u64,
    /// Requests sent: calls and their repeats.
    pub attempts: u64,
    /// Calls that ended without a usable reply.
    pub failed: u64,
    /// Milliseconds spent in attempts, added up.
    pub total_ms: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Left {
    /// Adds what is not asked of one more case, at `votes` judgements per answer.
    pub fn add(&mut self, case: &CaseResult, votes: u32) {
        for sample in &case.samples {
            self.of_answers += 1;
            if sample.outcome == AnswerOutcome::NotAsked {
                self.answers += 1;
                self.judgements += u64::from(votes);
            }
            let open = |vote: &&Vote| vote.outcome == VoteOutcome::NotAsked;
            self.judgements += sample.votes.iter().filter(open).count() as u64;
        }
    }

    /// True when everything was asked.
    pub fn is_nothing(&self) -> bool {
        self.answers == 0 && self.judgements == 0
    }
}

impl fmt::Display for Left {
    /// `incomplete: 12 of 60 answers and 20 judgements were not asked`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("incomplete: ")?;
        if self.answers > 0 {
            write!(f, "{} of {} answers and ", self.answers, self.of_answers)?;
        }
        match self.judgements {
            1 if self.answers == 0 => f.write_str("1 judgement was not asked"),
            1 => f.write_str("1 judgement were not asked"),
            n => write!(f, "{n} judgements were not asked"),
        }
    }
}
