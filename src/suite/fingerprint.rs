//! A case, an anchor, a judge or a suite → SHA-256 (hex) over what makes it what it is.
//!
//! What is hashed is one JSON text with its keys in the fixed order written here, so that neither the order of keys
//! nor comments, quotes, places, or the file a case stands in change it. Every text begins with its kind and the
//! version of this layout (`case/1`, `anchor/1`, `judge/1`, `suite/1`): a changed layout can't be taken for a changed suite.
//!
//! - case: messages, parameters (absent ones left out), samples, reference, checks (JSON Schemas with sorted keys).
//! - anchor: question, answer, reference.
//! - judge: model, prompt the version of the built-in texts, rubric, temperature, `max_completion_tokens`, seed, votes.
//! - suite: name, judge, gates (text and `else`), where there are anchors of each, sorted by fingerprint: fingerprint,
//!   expected score, tolerance; and of each case, sorted by id: id, fingerprint, tags, weight, group,
//!   critical, holdout, `pass_score`.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Anchor, Case, Check, Gate, Judge};

/// `case/1`. The order of the fields is that of the keys.
#[derive(Serialize)]
struct Asked<'a> {
    layout: &'static str,
    messages: Vec<(&'static str, &'a str)>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    seed: Option<i64>,
    max_completion_tokens: Option<u32>,
    stop: &'a [String],
    samples: u32,
    reference: Option<&'a str>,
    checks: Vec<Value>,
}

/// A case in `suite/1`.
#[derive(Serialize)]
struct Counted<'a> {
    id: &'a str,
    fingerprint: &'a str,
    tags: &'a BTreeSet<String>,
    weight: f64,
    group: Option<&'a str>,
    critical: bool,
    holdout: bool,
    pass_score: f64,
}

pub(super) fn case(case: &Case) -> String {
    let texts = case.texts.read();
    let p = &case.parameters;
    digest(&[Asked {
        layout: "case/1",
        messages: texts
            .messages
            .iter()
            .map(|message| (message.role.as_str(), &*message.content))
            .collect(),
        temperature: p.temperature,
        top_p: p.top_p,
        seed: p.seed,
        max_completion_tokens: p.max_completion_tokens,
        stop: &p.stop,
        samples: case.samples,
        reference: texts.reference.as_deref(),
        checks: case.checks.iter().map(check).collect(),
    }])
}

fn check(check: &Check) -> Value {
    match check {
        Check::Equals(text) => json!(["equals", text]),
        Check::Contains(text) => json!(["contains", text]),
        Check::Icontains(text) => json!(["icontains", text]),
        Check::NotContains(text) => json!(["not_contains", text]),
        Check::Regex(pattern) => json!(["regex", pattern]),
        Check::IsJson => json!(["is_json"]),
        // The file's name is no part: what is asked of the answer stands in the schema.
        Check::JsonSchema { schema, .. } => json!(["json_schema", sorted(schema)]),
        Check::Similar { to, min } => json!(["similar", to, min]),
        Check::MaxChars(most) => json!(["max_chars", most]),
        Check::MaxLatency(most) => {
            json!(["max_latency", u64::try_from(most.as_millis()).unwrap_or(u64::MAX)])
        }
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(keys) => {
            let mut keys: Vec<(&String, &Value)> = keys.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            Value::Object(
                keys.into_iter()
                    .map(|(key, value)| (key.clone(), sorted(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

/// The version of the judge's built-in prompt and of the paragraph about the reply's form: a new wording judges
/// otherwise, and its scores do not compare with the old one's. A test of the evaluation holds the two together.
pub const BUILT_IN_JUDGE_PROMPT: u32 = 1;

pub(super) fn judge(judge: &Judge) -> String {
    digest(&[json!({
        "layout": "judge/1",
        "model": judge.model,
        "prompt": judge.prompt,
        "built_in_prompt": BUILT_IN_JUDGE_PROMPT,
        "rubric": judge.rubric,
        "temperature": judge.temperature,
        "max_completion_tokens": judge.max_completion_tokens,
        "seed": judge.seed,
        "votes": judge.votes,
    })])
}

pub(super) fn anchor(question: &str, answer: &str, reference: Option<&str>) -> String {
    digest(&[json!({
        "layout": "anchor/1",
        "question": question,
        "answer": answer,
        "reference": reference,
    })])
}

pub(super) fn suite(name: &str, judge: &Judge, gates: &[Gate], cases: &[Case]) -> String {
    let gates: Vec<Value> = gates
        .iter()
        .map(|gate| json!([gate.require, gate.otherwise]))
        .collect();
    let head = json!({ "layout": "suite/1", "name": name, "judge": judge.fingerprint, "gates": gates });
    let mut sorted: Vec<&Case> = cases.iter().collect();
    sorted.sort_by(|a, b| a.id.cmp(&b.id));
    let cases = sorted.into_iter().map(|case| Counted {
        id: &case.id,
        fingerprint: &case.fingerprint,
        tags: &case.tags,
        weight: case.weight,
        group: case.group.as_deref(),
        critical: case.critical,
        holdout: case.holdout,
        pass_score: case.pass_score,
    });
    // A suite without anchors is the suite that it was before there were any.
    let mut anchors: Vec<&Anchor> = judge.anchors.iter().collect();
    anchors.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
    let anchors: Vec<Value> = anchors
        .into_iter()
        .map(|anchor| json!([anchor.fingerprint, anchor.expected, anchor.tolerance]))
        .collect();
    let anchors = (!anchors.is_empty()).then(|| json!({ "anchors": anchors }));
    let mut lines = Lines::default();
    lines.add(&head);
    anchors.iter().for_each(|anchors| lines.add(anchors));
    cases.for_each(|case| lines.add(&case));
    lines.digest()
}

fn digest(values: &[impl Serialize]) -> String {
    let mut lines = Lines::default();
    values.iter().for_each(|value| lines.add(value));
    lines.digest()
}

/// The values' texts, a line break behind each; JSON has none of its own.
#[derive(Default)]
struct Lines {
    hasher: Sha256,
    line: Vec<u8>,
}

impl Lines {
    fn add(&mut self, value: &impl Serialize) {
        self.line.clear();
        // Plain data of texts and numbers always has a JSON text, and memory takes it.
        let _ = serde_json::to_writer(&mut self.line, value);
        self.line.push(b'\n');
        self.hasher.update(&self.line);
    }

    fn digest(self) -> String {
        HEXLOWER.encode(&self.hasher.finalize())
    }
}
