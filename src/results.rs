//! The record of an evaluation: every answer and judgement of one suite, as plain data.
//!
//! On disk (`results.json`) it is the hand-off between commands and between runs. Figures, verdict and
//! the cycle's outcome stand beside it in the same file; they are derived from it and have types of
//! their own in `score`, `gate` and `cycle`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::suite::{Gate, Message, Parameters, Place};

pub use crate::suite::{CycleSettings, Harvest, WhenBusy};

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
    pub cases: Vec<CaseResult>,
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
}

/// What an attempt took over from those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// Answers.
    pub answers: u64,
    /// Judgements of these answers.
    pub judgements: u64,
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
    /// The gates as written.
    pub gates: Vec<Gate>,
    /// The cycle's settings.
    pub cycle: CycleSettings,
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

/// One case and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseResult {
    /// The case's id.
    pub id: String,
    /// SHA-256 (hex) over messages, parameters, samples, reference and checks.
    pub fingerprint: String,
    /// Where the case is written.
    pub place: Place,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// Its group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its weight.
    pub weight: f64,
    /// Whether it vetoes.
    pub critical: bool,
    /// Whether it is never traced.
    pub holdout: bool,
    /// It passes at or above this score.
    pub pass_score: f64,
    /// What was asked.
    pub messages: Vec<Message>,
    /// How it was asked.
    pub parameters: Parameters,
    /// What the judge compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// One entry per answer asked for.
    pub samples: Vec<Sample>,
}

/// One generated answer of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// Counted from 0.
    pub index: u32,
    /// How the answer came.
    pub outcome: AnswerOutcome,
    /// The answer's text; also a truncated one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// The model that the service says answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<String>,
    /// What the call cost; absent when none was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<CallCost>,
    /// Why there is no usable answer, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// In the suite's order; empty when there was no usable answer.
    pub checks: Vec<CheckResult>,
    /// One entry per judgement asked for; empty when a check failed or there was no usable answer.
    pub votes: Vec<Vote>,
}

/// How an answer came. Only `answered` can be scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerOutcome {
    /// A complete text.
    Answered,
    /// The text is empty or white space.
    Empty,
    /// The service says that the answer hit its length limit (`finish_reason: length`).
    Truncated,
    /// There is no text at all (`content: null`, or no choice).
    Null,
    /// The service withheld the answer (`finish_reason: content_filter`).
    Filtered,
    /// The call failed.
    Failed,
    /// The run ended before the call was made.
    NotAsked,
}

impl AnswerOutcome {
    /// The word in the file and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            AnswerOutcome::Answered => "answered",
            AnswerOutcome::Empty => "empty",
            AnswerOutcome::Truncated => "truncated",
            AnswerOutcome::Null => "null",
            AnswerOutcome::Filtered => "filtered",
            AnswerOutcome::Failed => "failed",
            AnswerOutcome::NotAsked => "not_asked",
        }
    }
}

/// What a check said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// The check as a person would write it, for example `contains: "1,204.00"`.
    pub check: String,
    /// Whether the answer passes.
    pub passed: bool,
    /// What was found instead; absent when it passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// One judgement of one answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Vote {
    /// Counted from 0.
    pub index: u32,
    /// How the judgement came.
    pub outcome: VoteOutcome,
    /// 0..1; there only when the outcome is `scored`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// What the judge tells the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedback: Option<String>,
    /// Why the judge gave the score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// Why there is no score, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// One entry per question put to the judge: two when the first reply could not be parsed.
    pub calls: Vec<CallCost>,
}

/// How a judgement came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoteOutcome {
    /// A score in 0..1 with feedback and reasoning.
    Scored,
    /// Neither the first nor the second reply held a verdict.
    Unparseable,
    /// The call failed.
    Failed,
    /// The run ended before the call was made.
    NotAsked,
}

impl VoteOutcome {
    /// The word in the file and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            VoteOutcome::Scored => "scored",
            VoteOutcome::Unparseable => "unparseable",
            VoteOutcome::Failed => "failed",
            VoteOutcome::NotAsked => "not_asked",
        }
    }
}

/// What one chat call cost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallCost {
    /// Milliseconds of the last attempt, from sending to the last byte.
    pub latency_ms: u64,
    /// Requests sent, at least 1.
    pub attempts: u32,
    /// As the service counts them; absent when it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// As the service counts them; absent when it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_tokens: Option<u64>,
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

impl Left {
    /// What is not asked of these cases, at `votes` judgements per answer.
    pub fn of(cases: &[CaseResult], votes: u32) -> Left {
        let mut left = Left::default();
        for sample in cases.iter().flat_map(|case| &case.samples) {
            left.of_answers += 1;
            if sample.outcome == AnswerOutcome::NotAsked {
                left.answers += 1;
                left.judgements += u64::from(votes);
            }
            let open = |vote: &&Vote| vote.outcome == VoteOutcome::NotAsked;
            left.judgements += sample.votes.iter().filter(open).count() as u64;
        }
        left
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

impl Sample {
    /// True when a check said no: the sample's score is 0 and no judge was asked.
    pub fn failed_a_check(&self) -> bool {
        self.checks.iter().any(|c| !c.passed)
    }
}
