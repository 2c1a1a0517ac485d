//! The checks of a case and an answer come in; what each check says goes out. No judge, no network.

use std::sync::OnceLock;
use std::time::Duration;

use regex::Regex;
use serde_json::Value;

use super::excerpt::{excerpt, quoted};
use super::similarity::{Unit, similarity};
use crate::results::CheckResult;
use crate::suite::{Check, pattern, schema_validator};

/// Characters of an answer or a value that a label or detail shows.
const SHOWN: usize = 80;
/// Characters of a detail.
const MAX_DETAIL: usize = 300;

/// The checks of a case. Patterns and schemas are compiled when the first answer needs them, once.
#[derive(Debug)]
pub(super) struct Checks {
    checks: Vec<Check>,
    compiled: OnceLock<Result<Vec<Compiled>, String>>,
}

/// What a check needs besides itself.
#[derive(Debug)]
enum Compiled {
    Nothing,
    Pattern(Regex),
    Schema(Box<jsonschema::Validator>),
}

impl Checks {
    /// The checks of a case; nothing is compiled yet.
    pub(super) fn new(checks: &[Check]) -> Checks {
        Checks {
            checks: checks.to_vec(),
            compiled: OnceLock::new(),
        }
    }

    /// Whether these are the same checks.
    pub(super) fn are(&self, checks: &[Check]) -> bool {
        self.checks == checks
    }

    /// Every check's result, in order, also behind a failed one. Fails when a pattern or schema does not
    /// compile, which a validated suite does not hold.
    ///
    /// Takes time in proportion to the answer: call it where blocking is allowed.
    pub(super) fn run(&self, answer: &str, latency: Duration) -> Result<Vec<CheckResult>, String> {
        let compiled = self
            .compiled
            .get_or_init(|| self.checks.iter().map(compile).collect())
            .as_ref()
            .map_err(Clone::clone)?;
        Ok(self
            .checks
            .iter()
            .zip(compiled)
            .map(|(check, compiled)| {
                let detail = fault(check, compiled, answer, latency).err();
                CheckResult {
                    check: label(check),
                    passed: detail.is_none(),
                    detail: detail.map(|text| excerpt(&text, MAX_DETAIL)),
                }
            })
            .collect())
    }
}

fn compile(check: &Check) -> Result<Compiled, String> {
    let refused = |fault: String| format!("check {} can't be used: {}", label(check), excerpt(&fault, 200));
    match check {
        Check::Regex(text) => pattern(text).map(Compiled::Pattern).map_err(refused),
        Check::JsonSchema { schema, .. } => schema_validator(schema)
            .map(|schema| Compiled::Schema(Box::new(schema)))
            .map_err(refused),
        _ => Ok(Compiled::Nothing),
    }
}

/// `Err` holds what was found instead.
fn fault(check: &Check, compiled: &Compiled, answer: &str, latency: Duration) -> Result<(), String> {
    let shown = || format!("the answer is {}", quoted(answer.trim(), SHOWN));
    let met = |ok: bool| if ok { Ok(()) } else { Err(shown()) };
    match (check, compiled) {
        (Check::Equals(text), _) => met(answer.trim() == text.trim()),
        (Check::Contains(text), _) => met(answer.contains(text.as_str())),
        (Check::Icontains(text), _) => met(answer.to_lowercase().contains(&text.to_lowercase())),
        (Check::NotContains(text), _) => match answer.find(text.as_str()) {
            None => Ok(()),
            Some(at) => Err(format!(
                "it stands there, in {}",
                quoted(around(answer, at), SHOWN)
            )),
        },
        (Check::Regex(_), Compiled::Pattern(pattern)) => met(pattern.is_match(answer)),
        (Check::IsJson, _) => json(answer).map(drop),
        (Check::JsonSchema { .. }, Compiled::Schema(schema)) => {
            let value = json(answer)?;
            schema.validate(&value).map_err(|fault| {
                let place = fault.instance_path().to_string();
                let place = if place.is_empty() {
                    "the answer"
                } else {
                    place.as_str()
                };
                let told = fault.masked_with("the value").to_string();
                format!("{}: {}", excerpt(place, SHOWN), excerpt(&told, 200))
            })
        }
        (Check::Similar { to, min }, _) => {
            let found = similarity(answer, to);
            if found.ratio >= *min {
                return Ok(());
            }
            let by = match found.unit {
                Unit::Characters => String::new(),
                unit => format!(" by {}", unit.as_str()),
            };
            // Rounded down, so that a figure just below the bound does not look like the bound.
            let ratio = (found.ratio * 1000.0).floor() / 1000.0;
            Err(format!("similarity is {ratio:.3}{by}; {}", shown()))
        }
        (Check::MaxChars(most), _) => {
            let count = answer.chars().count();
            if u64::try_from(count).is_ok_and(|count| count <= *most) {
                Ok(())
            } else {
                Err(format!("the answer has {count} characters"))
            }
        }
        (Check::MaxLatency(most), _) if latency <= *most => Ok(()),
        (Check::MaxLatency(_), _) => Err(format!("the answer took {} ms", latency.as_millis())),
        (Check::Regex(_) | Check::JsonSchema { .. }, _) => Err("it was not compiled".to_owned()),
    }
}

/// The text from a little before a byte offset on.
fn around(text: &str, at: usize) -> &str {
    let begin = text
        .get(..at)
        .and_then(|before| before.char_indices().rev().nth(SHOWN / 4))
        .map_or(0, |(begin, _)| begin);
    text.get(begin..).unwrap_or(text)
}

/// The one JSON value that the answer is, with or without a fence around it.
fn json(answer: &str) -> Result<Value, String> {
    serde_json::from_str(unfenced(answer.trim()))
        .map_err(|fault| format!("no JSON: {fault}; the answer is {}", quoted(answer.trim(), SHOWN)))
}

/// The text between ```` ```json ```` and ```` ``` ````, where the whole answer is such a block.
fn unfenced(answer: &str) -> &str {
    let fenced = answer
        .strip_prefix("```")
        .and_then(|rest| rest.strip_suffix("```"));
    match fenced.and_then(|inside| inside.split_once('\n')) {
        Some((language, body)) if language.trim().chars().all(char::is_alphanumeric) => body,
        _ => answer,
    }
}

/// The check as a person would write it in the suite, on one line.
pub(super) fn label(check: &Check) -> String {
    match check {
        Check::Equals(text) => format!("equals: {}", quoted(text, SHOWN)),
        Check::Contains(text) => format!("contains: {}", quoted(text, SHOWN)),
        Check::Icontains(text) => format!("icontains: {}", quoted(text, SHOWN)),
        Check::NotContains(text) => format!("not_contains: {}", quoted(text, SHOWN)),
        Check::Regex(pattern) if pattern.chars().any(char::is_control) => {
            format!("regex: {}", quoted(pattern, SHOWN))
        }
        Check::Regex(pattern) => format!("regex: '{}'", excerpt(pattern, SHOWN).replace('\'', "''")),
        Check::IsJson => "is_json".to_owned(),
        Check::JsonSchema { file, .. } => format!("json_schema: {}", excerpt(file, SHOWN)),
        Check::Similar { to, min } => format!("similar: {{to: {}, min: {min}}}", quoted(to, SHOWN)),
        Check::MaxChars(most) => format!("max_chars: {most}"),
        Check::MaxLatency(most) => format!("max_latency: {}", written(*most)),
    }
}

/// A duration as a suite has it: `300ms`, `5s`, `10m`, `2h`.
fn written(duration: Duration) -> String {
    let millis = duration.as_millis();
    for (unit, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if millis > 0 && millis.is_multiple_of(size) {
            return format!("{}{unit}", millis / size);
        }
    }
    format!("{millis}ms")
}

#[cfg(test)]
mod tests;
