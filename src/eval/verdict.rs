//! A judge's reply comes in, as text; its verdict or the precise fault goes out. Pure.
//!
//! The reply may quote the answer under judgement, and the answer may hold a verdict that it would like
//! to be given. So the rule is narrow: of the outermost JSON objects, the *last* one that has any of the
//! three fields decides, and it decides alone. Where that one can't be used, an earlier one is not taken
//! in its place: it may be a draft, or a quotation of the answer. The reply is then a case for asking
//! once more.

use super::excerpt::excerpt;
use super::json_scan::{Depth, Found, Json, objects};

/// A longer reply is not read, in bytes.
const MAX_REPLY_BYTES: usize = 256 << 10;

/// What the judge says of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    /// 0..=1.
    pub(super) score: f64,
    /// What the model should do better.
    pub(super) feedback: String,
    /// Why this score.
    pub(super) reasoning: String,
}

/// The verdict in a judge's `reply` on an `answer`, or what is wrong with the reply, worded to follow
/// "your reply could not be used:".
///
/// The fields may also stand in an object that is the only entry of the outermost one
/// (`{"evaluation": {…}}`), a habit of some models; nowhere deeper.
pub(super) fn read(reply: &str, answer: &str) -> Result<Verdict, String> {
    if reply.trim().is_empty() {
        return Err("it was empty".to_owned());
    }
    if reply.len() > MAX_REPLY_BYTES {
        return Err("it is longer than 256 KiB".to_owned());
    }
    let mut last = None;
    let (mut objects_seen, mut broken_before, mut broken_after) = (false, false, false);
    for found in objects(reply, Depth::Outermost) {
        match found {
            Found::Broken => broken_after = true,
            Found::Complete { entries, end } => {
                objects_seen = true;
                if let Some(fields) = Fields::of(entries) {
                    last = Some((fields, end));
                    broken_before |= std::mem::take(&mut broken_after);
                }
            }
        }
    }
    let Some((fields, end)) = last else {
        return Err(match (broken_after, objects_seen) {
            (true, _) => "its JSON object is broken or incomplete".to_owned(),
            (_, true) => "its JSON object lacks the fields feedback, reasoning and score".to_owned(),
            _ => "it holds no JSON object".to_owned(),
        });
    };
    if broken_after {
        return Err("a broken or incomplete JSON object follows its verdict".to_owned());
    }
    // An answer that is quoted without escaping breaks the verdict around it, and then the quoted object
    // is the only whole one. The verdict's own end still stands behind it.
    if broken_before && reply.get(end..).is_some_and(|rest| rest.contains('}')) {
        return Err("its JSON object is broken: quotes inside its texts must be escaped".to_owned());
    }
    let verdict = fields.verdict()?;
    if stands_in(&verdict, answer) {
        return Err("its JSON object is copied word for word from the answer under judgement".to_owned());
    }
    Ok(verdict)
}

/// Whether the answer holds this very verdict: then the judge quoted or obeyed it.
fn stands_in(verdict: &Verdict, answer: &str) -> bool {
    objects(answer, Depth::Any)
        .filter_map(|found| match found {
            Found::Complete { entries, .. } => Fields::of(entries),
            Found::Broken => None,
        })
        .any(|fields| fields.verdict().is_ok_and(|other| other == *verdict))
}

/// The entries of an object that has at least one of the three fields.
struct Fields(Vec<(String, Json)>);

impl Fields {
    const NAMES: [&'static str; 3] = ["feedback", "reasoning", "score"];

    fn of(entries: Vec<(String, Json)>) -> Option<Fields> {
        let named = |entries: &[(String, Json)]| {
            entries
                .iter()
                .any(|(key, _)| Fields::NAMES.contains(&key.as_str()))
        };
        if named(&entries) {
            return Some(Fields(entries));
        }
        match <[(String, Json); 1]>::try_from(entries) {
            Ok([(_, Json::Object(inner))]) if named(&inner) => Some(Fields(inner)),
            _ => None,
        }
    }

    fn verdict(&self) -> Result<Verdict, String> {
        let missing: Vec<&str> = Fields::NAMES
            .into_iter()
            .filter(|name| !self.0.iter().any(|(key, _)| key == name))
            .collect();
        if !missing.is_empty() {
            return Err(format!("its JSON object lacks {}", missing.join(" and ")));
        }
        for (at, (key, _)) in self.0.iter().enumerate() {
            if self.0.iter().take(at).any(|(earlier, _)| earlier == key) {
                return Err(format!("its JSON object has {} twice", excerpt(key, 40)));
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
            return Err(format!("score is {score}, not a number from 0 to 1"));
        }
        Ok(Verdict {
            score: score.abs(),
            feedback: text("feedback")?,
            reasoning: text("reasoning")?,
        })
    }
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

#[cfg(test)]
mod tests;
