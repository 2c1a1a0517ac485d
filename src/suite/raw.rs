//! The shape of a suite as it is written → its JSON Schema, from which editors complete and explain.
//!
//! The types are never filled: the reader works on the tree, to tell every fault with its place. A test holds their
//! keys to the reader's (`keys`), another their verdict on the example suites. Doc comments become descriptions.

#![expect(
    dead_code,
    reason = "the types describe the format to schemars and are never filled"
)]

use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::Value;

/// A prompt suite for tunegate, format version 1.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "tunegate suite")]
struct Suite {
    /// The version of the format.
    #[schemars(extend("const" = 1))]
    version: u8,
    /// Names the report's folder, the sticky comment and the baseline: letters, digits, `.`, `_` and `-`.
    #[schemars(
        regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"),
        example = "invoice-extraction"
    )]
    name: Name,
    /// The project's id on Prem Studio. TUNEGATE_PROJECT and `--project` win over it.
    project: Option<Word>,
    /// The alias or id of the model under evaluation. TUNEGATE_MODEL and `--model` win over it.
    model: Option<Word>,
    /// The id or label of the dataset; needed only where the project has several.
    dataset: Option<Word>,
    /// Who scores the answers, and how.
    judge: Option<Judge>,
    /// What holds for every case that does not say otherwise.
    defaults: Option<Defaults>,
    /// What the model is asked: cases, and files of cases.
    #[schemars(length(min = 1))]
    cases: Vec<CaseEntry>,
    /// What must hold before a job is launched. Without any, `coverage >= 0.95` alone is asked.
    gates: Option<Vec<Gate>>,
    /// What happens when the gates are through.
    cycle: Option<Cycle>,
}

/// Who scores the answers, and how.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Judge {
    /// The judge model's alias or id.
    #[schemars(extend("default" = super::DEFAULT_JUDGE_MODEL))]
    model: Option<Word>,
    /// The judge's sampling temperature.
    #[schemars(range(min = 0, max = 2), extend("default" = super::DEFAULT_JUDGE_TEMPERATURE))]
    temperature: Option<f64>,
    /// Judgements per answer; their mean is the answer's score.
    #[schemars(range(min = 1, max = 25), extend("default" = 1))]
    votes: Option<i64>,
    /// What matters in an answer, in your words. Joins the judge's prompt.
    rubric: Option<Text>,
    /// A file in the suite's folder that replaces the judge's prompt. It may hold `{{ prompt }}`, `{{ answer }}` (this
    /// one it must), `{{ reference }}`, `{{ rubric }}`, and `{% if reference %} … {% else %} … {% endif %}`.
    #[schemars(
        regex(pattern = r"\.([mM][dD]|[tT][xX][tT]|[jJ][iI][nN][jJ][aA]|[jJ]2)$"),
        example = "judge.md"
    )]
    prompt: Option<Name>,
    /// Upper bound of the judge's reply, in tokens.
    #[schemars(range(min = 1, max = 1_000_000))]
    max_completion_tokens: Option<i64>,
    /// The judge's sampling seed.
    #[schemars(range(min = -9_007_199_254_740_991i64, max = 9_007_199_254_740_991i64))]
    seed: Option<i64>,
    /// Questions and answers that stay as they are, with the score that a good judge gives: every run has them judged,
    /// and where the judge moved on them against the baseline, no difference is claimed.
    #[schemars(length(max = 200))]
    anchors: Option<Vec<Anchor>>,
}

/// A question and an answer that stay as they are, with the score that a good judge gives.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Anchor {
    /// What the answer is an answer to.
    question: Text,
    /// The answer under judgement; good, middling and bad ones together tell most.
    answer: Text,
    /// What the judge compares with.
    reference: Option<Text>,
    /// The score that a good judge gives.
    #[schemars(range(min = 0, max = 1))]
    expected: f64,
    /// How far from it the judge may be: above 0, at most 1.
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0, "default" = super::DEFAULT_TOLERANCE))]
    tolerance: Option<f64>,
}

/// What holds for every case that does not say otherwise. `checks` and `tags` are added to a case's own.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Defaults {
    /// The system message of every case that has none.
    system: Option<Text>,
    /// Sampling temperature. Left out, the service's default holds.
    #[schemars(range(min = 0, max = 2))]
    temperature: Option<f64>,
    /// Nucleus sampling: above 0, at most 1.
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0))]
    top_p: Option<f64>,
    /// Sampling seed; with several samples, sample `i` is sent `seed + i`.
    #[schemars(range(min = -9_007_199_254_740_991i64, max = 9_007_199_254_740_991i64))]
    seed: Option<i64>,
    /// Upper bound of an answer, in tokens.
    #[schemars(range(min = 1, max = 1_000_000))]
    max_completion_tokens: Option<i64>,
    /// Texts that end an answer.
    stop: Option<Stop>,
    /// Answers per case; their mean is the case's score.
    #[schemars(range(min = 1, max = 100), extend("default" = 1))]
    samples: Option<i64>,
    /// A case passes when its score is at or above this.
    #[schemars(range(min = 0, max = 1), extend("default" = super::DEFAULT_PASS_SCORE))]
    pass_score: Option<f64>,
    /// Checks of every case, before the case's own.
    checks: Option<Vec<Check>>,
    /// Tags of every case, besides the case's own.
    tags: Option<Vec<Word>>,
}

/// A case, or a file of cases.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum CaseEntry {
    Case(Box<Case>),
    Include(Include),
}

/// The cases of other files, in this place.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Include {
    /// A file or pattern (`*`, `?`, `[…]`, `**`) below the suite's own folder: `.yaml` and `.yml` files hold a list of
    /// cases or a map with `cases:`, `.jsonl` files one case a line.
    #[schemars(example = "cases/*.yaml")]
    include: Word,
}

/// One question to the model, and how its answer is scored.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("oneOf" = [{"required": ["prompt"]}, {"required": ["messages"]}]))]
struct Case {
    /// Unique in the suite and stable over time: it pairs a run with earlier ones.
    #[schemars(example = "total-simple")]
    id: Word,
    /// What the model is asked, as one message from the user.
    prompt: Option<Text>,
    /// What the model is asked, as a conversation that ends with the user.
    #[schemars(length(min = 1))]
    messages: Option<Vec<Message>>,
    /// What the judge compares the answer with.
    reference: Option<Text>,
    /// Gates and figures select by these.
    tags: Option<Vec<Word>>,
    /// When this case fails in a majority of its samples, the gate fails, whatever the mean.
    #[schemars(extend("default" = false))]
    critical: Option<bool>,
    /// Scored and gated, never trained on.
    #[schemars(extend("default" = false))]
    holdout: Option<bool>,
    /// Decided without a judge, first; a failed one scores 0.
    checks: Option<Vec<Check>>,
    /// The case's weight in every mean.
    #[schemars(range(max = 1_000_000), extend("exclusiveMinimum" = 0, "default" = 1))]
    weight: Option<f64>,
    /// Cases of one group belong together (turns of one document, say) and are not counted as independent.
    group: Option<Word>,
    /// The system message, instead of the one in `defaults`.
    system: Option<Text>,
    /// Sampling temperature.
    #[schemars(range(min = 0, max = 2))]
    temperature: Option<f64>,
    /// Nucleus sampling: above 0, at most 1.
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0))]
    top_p: Option<f64>,
    /// Sampling seed; with several samples, sample `i` is sent `seed + i`.
    #[schemars(range(min = -9_007_199_254_740_991i64, max = 9_007_199_254_740_991i64))]
    seed: Option<i64>,
    /// Upper bound of the answer, in tokens.
    #[schemars(range(min = 1, max = 1_000_000))]
    max_completion_tokens: Option<i64>,
    /// Texts that end the answer.
    stop: Option<Stop>,
    /// Answers asked for; their mean is the case's score.
    #[schemars(range(min = 1, max = 100), extend("default" = 1))]
    samples: Option<i64>,
    /// The case passes when its score is at or above this.
    #[schemars(range(min = 0, max = 1), extend("default" = super::DEFAULT_PASS_SCORE))]
    pass_score: Option<f64>,
}

/// A message of the conversation.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Message {
    /// Who speaks. A system message stands first; the last message is the user's.
    role: super::Role,
    /// What is said.
    content: Text,
}

/// A check on the answer's text that needs no judge.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Check {
    /// The answer, trimmed, is this text, trimmed.
    Equals(Text),
    /// The text stands in the answer.
    Contains(Text),
    /// The text stands in the answer, upper and lower case alike.
    Icontains(Text),
    /// The text does not stand in the answer.
    NotContains(Text),
    /// The pattern matches somewhere in the answer: the syntax of the Rust crate `regex`, no look-around.
    Regex(Text),
    /// The answer is one JSON value; a fence around it is allowed.
    IsJson(True),
    /// The answer is one JSON value; a fence around it is allowed.
    #[schemars(rename = "is_json")]
    IsJsonWord,
    /// The answer is JSON and valid against the JSON Schema in this file of the suite's folder.
    JsonSchema(Word),
    /// The answer's similarity to a text is at least `min`.
    Similar(Similar),
    /// The answer has at most this many characters.
    MaxChars(MaxChars),
    /// The answer came within this time.
    MaxLatency(Duration),
}

/// Similarity to a text.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Similar {
    /// The text to compare with.
    to: Text,
    /// The least similarity, from 0 (nothing in common) to 1 (equal).
    #[schemars(range(min = 0, max = 1))]
    min: f64,
}

/// What must hold before a job is launched.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Gate {
    /// `metric [(selector)] op number`. Metrics: `coverage`, `mean`, `median`, `min`, `p10`, `stddev`, `pass_rate`,
    /// `error_rate`, `unscored`, `cases`, `drop(metric)`. Selectors: `tag: x`, `holdout`, `critical`, `case: id`.
    /// Operators: `>=`, `>`, `<=`, `<`, `==`.
    #[schemars(example = "mean >= 0.70", example = "pass_rate(tag: totals) >= 0.9")]
    require: Text,
    /// What follows when it is not met. `fail`: no launch, exit code 10. `hold`: no launch, exit code 0. `warn`: only told.
    #[serde(rename = "else")]
    #[schemars(extend("default" = "fail"))]
    otherwise: Option<super::Otherwise>,
}

/// What happens when the gates are through.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Cycle {
    /// The share of a snapshot's rows that trains, in percent.
    #[schemars(range(min = 1, max = 99), extend("default" = 80))]
    split_percentage: Option<i64>,
    /// When the answers become traces: `always`, or only when the gates let a job be launched.
    #[schemars(extend("default" = "always"))]
    harvest: Option<super::Harvest>,
    /// When somebody else is training in the project: `hold` (no snapshot, no launch), `wait` for it, or `ignore` it.
    #[schemars(extend("default" = "hold"))]
    when_busy: Option<super::WhenBusy>,
    /// How long `when_busy: wait` waits.
    #[schemars(extend("default" = "1h"))]
    busy_timeout: Option<Duration>,
    /// The fine-tuning job's name; may hold `{{ date }}` (UTC), `{{ suite }}`, `{{ model }}` and `{{ run }}`, the run's
    /// identity, which is appended where it is not in it.
    #[schemars(length(max = 200), extend("default" = "Continuous Fine-tuning - {{ date }}"))]
    job_name: Option<Name>,
    /// Pause between two looks at something the service works on.
    #[schemars(extend("default" = "5s"))]
    poll: Option<Duration>,
    /// How long the service's corrections are waited for.
    #[schemars(extend("default" = "15m"))]
    settle_timeout: Option<Duration>,
    /// How long the recommendations are waited for.
    #[schemars(extend("default" = "30m"))]
    recommendations_timeout: Option<Duration>,
}

/// Declares a type that stands for one small schema, written in the place where it is used.
macro_rules! inline {
    ($($name:ident = $schema:tt;)*) => {$(
        struct $name;
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

// A bare `1.10`, `42` or `true` in YAML is read as that text.
inline! {
    Text = {"type": ["string", "number", "boolean"], "pattern": r"\S"};
    Word = {"type": ["string", "number", "boolean"], "maxLength": 200, "pattern": r"^\S(.*\S)?$"};
    Name = {"type": "string"};
    Stop = {
        "anyOf": [
            {"type": ["string", "number", "boolean"], "minLength": 1},
            {"type": "array", "maxItems": 16, "items": {"type": ["string", "number", "boolean"], "minLength": 1}},
        ]
    };
    True = {"const": true};
    MaxChars = {"type": "integer", "minimum": 1, "maximum": 100_000_000};
    Duration = {
        "type": "string",
        "pattern": "^[0-9]+(ms|s|m|h)$",
        "examples": ["300ms", "5s", "10m", "2h"],
    };
}

/// The JSON Schema (draft 2020-12) of the suite's format, pretty-printed with a final line break.
pub fn json_schema() -> String {
    let mut schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Suite>();
    RecursiveTransform(written).transform(&mut schema);
    // A Value always prints; the keys are text.
    let printed = serde_json::to_string_pretty(&schema).unwrap_or_default();
    printed + "\n"
}

/// A key that may be left out can't be null, and Rust's integer types mean nothing to an editor.
fn written(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    object.remove("format");
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").and_then(Value::as_str) != Some("null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            for (key, value) in only {
                object.entry(key).or_insert(value);
            }
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
}
