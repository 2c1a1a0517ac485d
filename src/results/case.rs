//! One case of an evaluation: its answers, their checks and judgements, as plain data.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::suite::{Message, Parameters, Place};

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
    /// That the answer is another day's, and of which; absent when it was asked for by this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<Cached>,
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
    /// That the judgement is another day's, and of which; absent when it was asked for by this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<Cached>,
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

/// Where a reply is from that was not asked for by this run: the cache of earlier runs' replies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cached {
    /// When it came, RFC 3339, UTC.
    pub at: String,
    /// Milliseconds that it took then, as `latency_ms` of a call counts them.
    pub latency_ms: u64,
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

impl Sample {
    /// True when a check said no: the sample's score is 0 and no judge was asked.
    pub fn failed_a_check(&self) -> bool {
        self.checks.iter().any(|c| !c.passed)
    }
}

impl CaseResult {
    /// Whether an answer or a judgement is another day's, from the cache.
    pub fn has_cached(&self) -> bool {
        let cached = |sample: &Sample| {
            sample.cached.is_some() || sample.votes.iter().any(|vote| vote.cached.is_some())
        };
        self.samples.iter().any(cached)
    }
}
