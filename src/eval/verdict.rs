//! A judge's reply comes in, as text; its verdict or the precise fault goes out. Pure.
//!
//! The reply may quote the answer under judgement, and the answer may hold a verdict that it would like
//! to be given. So of the JSON objects with all three fields the *last* one decides, and it decides alone:
//! where its score can't be used, where the answer holds it word for word, or where what looks like one
//! more verdict broke off behind it, an earlier one is not taken in its place. It may be a draft, or a
//! quotation. The reply is then a case for asking once more.

use std::borrow::Cow;

use super::excerpt::excerpt;
use super::json_scan::{Depth, Found, Json, objects};

/// A longer reply is not read, in bytes.
const MAX_REPLY_BYTES: usize = 256 << 10;
const BROKEN: &str =
    "its JSON object is broken or incomplete (are quotes and line breaks in its texts escaped?)";
/// So many strings within strings of an answer are looked into.
const MAX_ESCAPED: usize = 3;

/// What the judge says of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// 0..=1.
    pub score: f64,
    /// What the model should do better.
    pub feedback: String,
    /// Why this score.
    pub reasoning: String,
}

/// The verdict in a judge's `reply` on an `answer`, or what is wrong with the reply, worded to follow
/// "your reply could not be used:".
///
/// The fields may also stand in an object within the outermost one (`{"evaluation": {…}}`), a habit of some
/// models; nowhere deeper.
///
/// # Errors
/// See above.
pub fn read(reply: &str, answer: &str) -> Result<Verdict, String> {
    if reply.trim().is_empty() {
        return Err("it was empty".to_owned());
    }
    if reply.len() > MAX_REPLY_BYTES {
        return Err("it is longer than 256 KiB".to_owned());
    }
    let (mut last, mut partial) = (None, None);
    let (mut objects_seen, mut broken_before, mut broken_after) = (false, false, false);
    for found in objects(reply, Depth::Outermost) {
        match found {
            Found::Broken => broken_after = true,
            Found::Complete { entries, start, end } => {
                objects_seen = true;
                match Fields::of(entries) {
                    Some(fields) if fields.missing().is_empty() => {
                        last = Some((fields, start, end));
                        broken_before |= std::mem::take(&mut broken_after);
                    }
                    Some(fields) => partial = Some(fields),
                    None => {}
                }
            }
        }
    }
    let Some((fields, start, end)) = last else {
        return Err(match (broken_after, partial, objects_seen) {
            (true, ..) => BROKEN.to_owned(),
            (_, Some(partial), _) => format!("its JSON object lacks {}", partial.missing().join(" and ")),
            (_, _, true) => "its JSON object lacks the fields feedback, reasoning and score".to_owned(),
            _ => "it holds no JSON object".to_owned(),
        });
    };
    // Broken objects of the answer's subject may be quoted anywhere; only what names a verdict's fields
    // can be a verdict.
    let rest = reply.get(end..).unwrap_or_default();
    if broken_after && Fields::named_in(rest) {
        return Err("a broken or incomplete JSON object follows its verdict".to_owned());
    }
    // An answer that is quoted without escaping breaks the verdict around it, and then the quoted object
    // is the only whole one. The verdict's own end still stands behind it.
    if broken_before && rest.contains('}') && reply.get(..start).is_some_and(Fields::named_in) {
        return Err("its JSON object is broken: quotes inside its texts must be escaped".to_owned());
    }
    let verdict = fields.verdict()?;
    if stands_in(&verdict, answer) {
        return Err("its JSON object is copied word for word from the answer under judgement".to_owned());
    }
    Ok(verdict)
}

/// Whether the answer holds this very verdict: then the judge quoted or obeyed it. It may stand in a string
/// of the answer's own JSON, and in one within that.
fn stands_in(verdict: &Verdict, answer: &str) -> bool {
    let mut answer = Cow::Borrowed(answer);
    for _ in 0..=MAX_ESCAPED {
        let held = objects(&answer, Depth::Any)
            .filter_map(|found| match found {
                Found::Complete { entries, .. } => Fields::of(entries),
                Found::Broken => None,
            })
            .any(|fields| fields.verdict().is_ok_and(|other| other == *verdict));
        if held {
            return true;
        }
        if !answer.contains("\\\"") {
            break;
        }
        answer = Cow::Owned(unescaped(&answer));
    }
    false
}

/// A text with its JSON escapes undone once, wherever they stand.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, chars.as_str().chars().next()) {
            ('\\', Some(escaped @ ('"' | '\\' | '/'))) => {
                out.push(escaped);
                chars.next();
            }
            ('\\', Some('n' | 'r' | 't')) => {
                out.push(' ');
                chars.next();
            }
            (c, _) => out.push(c),
        }
    }
    out
}

/// The entries of an object that has at least one of the three fields.
struct Fields(Vec<(String, Json)>);

impl Fields {
    const NAMES: [&'static str; 3] = ["feedback", "reasoning", "score"];

    /// The object itself; else, of the objects in it, the only one that has all three fields, or the only
    /// one at all.
    fn of(entries: Vec<(String, Json)>) -> Option<Fields> {
        let fields = Fields(entries);
        if fields.missing().len() < Fields::NAMES.len() {
            return Some(fields);
        }
        let mut inner: Vec<Fields> = fields
            .0
            .into_iter()
            .filter_map(|(_, value)| match value {
                Json::Object(entries) => Some(Fields(entries)),
                Json::Text(_) | Json::Number(_) | Json::Other(_) => None,
            })
            .filter(|fields| fields.missing().len() < Fields::NAMES.len())
            .collect();
        if inner.iter().any(|fields| fields.missing().is_empty()) {
            inner.retain(|fields| fields.missing().is_empty());
        }
        match <[Fields; 1]>::try_from(inner) {
            Ok([only]) => Some(only),
            Err(_) => None,
        }
    }

    /// Whether a text has one of the names as JSON writes a key.
    fn named_in(text: &str) -> bool {
        Fields::NAMES
            .iter()
            .any(|name| text.contains(&format!("\"{name}\"")))
    }

    fn missing(&self) -> Vec<&'static str> {
        Fields::NAMES
            .into_iter()
            .filter(|name| !self.0.iter().any(|(key, _)| key == name))
            .collect()
    }

    fn verdict(&self) -> Result<Verdict, String> {
        let missing = self.missing();
        if !missing.is_empty() {
            return Err(format!("its JSON object lacks {}", missing.join(" and ")));
        }
        for (at, (key, _)) in self.0.iter().enumerate() {
            if self.0.iter().take(at).any(|(earlier, _)| earlier == key) {
                return Err(format!("its JSON object has {} twice", shown(key)));
            }
            if at >= 32 {
                return Err("its JSON object has more than 32 fields".to_owned());
            }
        }
        let text = |name: &str| match self.0.iter().find(|(key, _)| key == name) {
            Some((_, Json::Text(text))) => Ok(text.clone()),
            Some((_, other)) => Err(format!("{name} is {}, not text", other.kind())),
            None => Err(format!("its JSON object lacks {name}")),
        };
        let score = match self.0.iter().find(|(key, _)| key == "score") {
            Some((_, score)) => {
                number(score).ok_or_else(|| format!("score is {}, not a number from 0 to 1", score.kind()))?
            }
            None => return Err("its JSON object lacks score".to_owned()),
        };
        if !(0.0..=1.0).contains(&score) {
            // Written out, the largest have 309 digits.
            let written = Some(score.to_string()).filter(|written| written.len() <= 20);
            let written = written.unwrap_or_else(|| format!("{score:e}"));
            return Err(format!("score is {written}, not a number from 0 to 1"));
        }
        Ok(Verdict {
            score: score.abs(),
            feedback: text("feedback")?,
            reasoning: text("reasoning")?,
        })
    }
}

/// A key for a fault: its beginning, on one line.
fn shown(key: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{FFFD}' } else { c };
    excerpt(key, 40).chars().map(visible).collect()
}

/// A number, also one that the judge put between quotes. No other text is one: no `95%`, no `NaN`.
fn number(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => Some(*number),
        Json::Text(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

impl Json {
    fn kind(&self) -> &'static str {
        match self {
            Json::Object(_) => "an object",
            Json::Text(_) => "text",
            Json::Number(_) => "a number",
            Json::Other(name) => name,
        }
    }
}

#[cfg(any(test, fuzzing))]
pub(crate) mod promises;
#[cfg(test)]
mod tests;
