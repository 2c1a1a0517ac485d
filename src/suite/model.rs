//! The validated suite: what every later stage works from. Nothing in here is optional because a
//! default was left out; an `Option` means that the suite may truly go without it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Texts;

/// Where something stands in a file of the suite. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The file as it was reached from the working directory, with `/` between its parts. The cases of a file share it.
    #[serde(with = "shared")]
    #[schemars(with = "String")]
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1 in characters.
    pub column: u32,
}

/// A suite of format version 1, validated.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    /// The file it was read from, as it was given.
    pub path: String,
    /// Names the report's folder, the comment and the baseline.
    pub name: String,
    /// The project's id, unless the environment or a flag names it.
    pub project: Option<String>,
    /// The alias or id of the model under evaluation, unless the environment or a flag names it.
    pub model: Option<String>,
    /// The id or label of the dataset; needed only where a project has several.
    pub dataset: Option<String>,
    /// Who scores the answers, and how.
    pub judge: Judge,
    /// At least one; ids are unique.
    pub cases: Vec<Case>,
    /// The gates as written, in order. Empty when the suite asks for none.
    pub gates: Vec<Gate>,
    /// What happens when the gates are through.
    pub cycle: CycleSettings,
    /// SHA-256 (hex) over everything that shapes the evaluation: cases, parameters, judge, gates.
    pub fingerprint: String,
}

/// The judge: a chat model that scores an answer 0..1.
#[derive(Debug, Clone, PartialEq)]
pub struct Judge {
    /// The judge model's alias or id.
    pub model: String,
    /// 0..2.
    pub temperature: f64,
    /// Judgements per answer, 1..=25.
    pub votes: u32,
    /// Joins the judge's prompt.
    pub rubric: Option<String>,
    /// A minijinja template that replaces the built-in prompt.
    pub prompt: Option<String>,
    /// Upper bound of the judge's reply, in tokens.
    pub max_completion_tokens: Option<u32>,
    /// Sampling seed.
    pub seed: Option<i64>,
    /// Frozen questions and answers with known scores: they tell whether the judge is still the same one.
    pub anchors: Vec<Anchor>,
    /// SHA-256 (hex) over model, prompt, rubric and parameters: scores compare only where this is equal.
    pub fingerprint: String,
}

/// A frozen question and answer with the score that a good judge gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Anchor {
    /// The question, as the judge is shown it.
    pub question: String,
    /// The answer under judgement.
    pub answer: String,
    /// What the judge compares with.
    pub reference: Option<String>,
    /// The score that a good judge gives, 0..1.
    pub expected: f64,
    /// How far the judge may be off, above 0, at most 1.
    pub tolerance: f64,
    /// SHA-256 (hex) over question, answer and reference: anchors of two runs are the same where it is.
    pub fingerprint: String,
    /// Where the anchor is written.
    pub place: Place,
}

/// One entry of the suite.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Unique in the suite and stable over time.
    pub id: String,
    /// What the model is asked, and what its answer is compared with.
    pub texts: Texts,
    /// The tags that gates and figures select by. Cases with the same ones share them.
    pub tags: Arc<BTreeSet<String>>,
    /// Cases of one group belong together (turns of one document, say) and are not independent.
    pub group: Option<String>,
    /// Above 0; 1 unless the suite says otherwise.
    pub weight: f64,
    /// A failing critical case fails the gate, whatever the mean.
    pub critical: bool,
    /// Scored and gated, never traced.
    pub holdout: bool,
    /// Answers asked for, 1..=100.
    pub samples: u32,
    /// 0..1; a case passes when its score is at or above.
    pub pass_score: f64,
    /// How the model samples its answer. Shared between cases where it is the same.
    pub parameters: Arc<Parameters>,
    /// Decided before the judge is asked. Shared between cases that add none to the defaults'.
    pub checks: Arc<[Check]>,
    /// SHA-256 (hex) over messages, parameters, samples, reference and checks.
    pub fingerprint: String,
    /// Where the case is written.
    pub place: Place,
}

/// The text that stands for the question: in the judge's prompt, in the trace and in the report.
///
/// The user's message where there is exactly one; otherwise every message but the system's,
/// each headed by its role.
pub fn input_of(messages: &[Message]) -> String {
    let spoken: Vec<&Message> = messages.iter().filter(|m| m.role != Role::System).collect();
    if let [only] = spoken.as_slice() {
        return only.content.to_string();
    }
    spoken
        .iter()
        .map(|m| format!("{}: {}", m.role.as_str(), m.content))
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// A message of the conversation that is put to the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said; never empty. The cases share a system message of the defaults.
    #[serde(with = "shared")]
    #[schemars(with = "String")]
    pub content: Arc<str>,
}

/// Who speaks in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Instructions, only as the first message.
    System,
    /// The one who asks.
    User,
    /// An earlier answer of the model.
    Assistant,
}

impl Role {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        }
    }
}

/// Sampling parameters. An absent one is not sent, so that the service's default holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Parameters {
    /// 0..2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Above 0, at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Sampling seed. With several samples, sample `i` is sent `seed + i`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Upper bound of the answer, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_completion_tokens: Option<u32>,
    /// Texts that end the answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
}

/// A check on the answer's text that needs no judge.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// The answer, trimmed, is this text, trimmed.
    Equals(String),
    /// The text stands in the answer.
    Contains(String),
    /// The text stands in the answer, upper and lower case alike.
    Icontains(String),
    /// The text does not stand in the answer.
    NotContains(String),
    /// The pattern (crate `regex`) matches somewhere in the answer; known to compile.
    Regex(String),
    /// The answer is one JSON value (a fence around it is allowed).
    IsJson,
    /// The answer is JSON and valid against the schema.
    JsonSchema {
        /// The schema's file as the suite names it.
        file: String,
        /// The schema; known to compile, without references outside itself. Shared by the checks that name its file.
        schema: Arc<serde_json::Value>,
    },
    /// The answer's similarity to a text is at least `min`.
    Similar {
        /// The text to compare with.
        to: String,
        /// 0..1.
        min: f64,
    },
    /// The answer has at most this many characters.
    MaxChars(u64),
    /// The answer came within this time (the last attempt's, without waits between attempts).
    MaxLatency(Duration),
}

/// A gate as the suite writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// For example `pass_rate(tag: totals) >= 0.9`.
    pub require: String,
    /// What follows when the requirement is not met.
    #[serde(rename = "else")]
    pub otherwise: Otherwise,
    /// Where the requirement's text is written.
    pub place: Place,
}

/// What follows when a gate is not met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// No launch, exit code 10 (11 where the gate is inconclusive).
    #[default]
    Fail,
    /// No launch, exit code 0.
    Hold,
    /// Only told.
    Warn,
}

/// The `cycle:` part of the suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CycleSettings {
    /// The share of a snapshot's rows that trains, in percent, 1..=99.
    pub split_percentage: u8,
    /// When the answers become traces.
    pub harvest: Harvest,
    /// What is done when somebody else is training in the project.
    #[serde(default)]
    pub when_busy: WhenBusy,
    /// How long `when_busy: wait` waits.
    #[serde(rename = "busy_timeout_ms", with = "millis", default = "busy_timeout")]
    #[schemars(with = "u64")]
    pub busy_timeout: Duration,
    /// A minijinja template of the job's name; knows `date` (UTC, `YYYY-MM-DD`), `suite`, `model` and `run`, the run's
    /// identity. Where `run` is not in it, it is appended: by it a job is known whose launch was not answered.
    pub job_name: String,
    /// Pause between two looks at something the service works on.
    #[serde(rename = "poll_ms", with = "millis")]
    #[schemars(with = "u64")]
    pub poll: Duration,
    /// How long the service's corrections are waited for.
    #[serde(rename = "settle_timeout_ms", with = "millis")]
    #[schemars(with = "u64")]
    pub settle_timeout: Duration,
    /// How long the recommendations are waited for.
    #[serde(rename = "recommendations_timeout_ms", with = "millis")]
    #[schemars(with = "u64")]
    pub recommendations_timeout: Duration,
}

impl Default for CycleSettings {
    fn default() -> Self {
        CycleSettings {
            split_percentage: 80,
            harvest: Harvest::Always,
            when_busy: WhenBusy::Hold,
            busy_timeout: busy_timeout(),
            job_name: "Continuous Fine-tuning - {{ date }}".to_owned(),
            poll: Duration::from_secs(5),
            settle_timeout: Duration::from_secs(15 * 60),
            recommendations_timeout: Duration::from_secs(30 * 60),
        }
    }
}

fn busy_timeout() -> Duration {
    Duration::from_secs(60 * 60)
}

/// What is done when a job is under way in the project, or somebody took a snapshot after this run began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenBusy {
    /// No snapshot and no launch; the traces are written.
    #[default]
    Hold,
    /// Wait for it, up to `busy_timeout`.
    Wait,
    /// Go on.
    Ignore,
}

/// When the answers become traces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Harvest {
    /// Whatever the gates say: weak answers are worth most as corrected rows.
    #[default]
    Always,
    /// Only when the gates let a job be launched.
    WhenGatesPass,
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

/// A text that many share, as a text.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(from).map(Arc::from)
    }
}
