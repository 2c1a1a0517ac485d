//! Answers as JSON for prompts that want them: a prompt and its sentences come in, an object with the keys that
//! were asked for goes out, each with what stands next to its name in the text.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Prompt;
use super::words::{content_words, is_number};

/// The most keys that are read out of a prompt.
const MOST_KEYS: usize = 20;

/// The keys that a prompt wants an object with; `None` when it wants no JSON. `question` names the key where the
/// prompt doesn't.
pub(super) fn keys(prompt: Prompt<'_>, question: &str) -> Option<Vec<String>> {
    if let Some(keys) = prompt.keys {
        return Some(keys.iter().take(MOST_KEYS).cloned().collect());
    }
    let asking: Vec<&str> = prompt.whole.lines().filter(|line| wants_json(line)).collect();
    if asking.is_empty() {
        return None;
    }
    let mut keys: Vec<String> = Vec::new();
    for quoted in asking.iter().flat_map(|line| line.split('"').skip(1).step_by(2)) {
        let named = !quoted.is_empty()
            && quoted.len() <= 40
            && quoted
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if named && keys.len() < MOST_KEYS && !keys.iter().any(|key| key == quoted) {
            keys.push(quoted.to_owned());
        }
    }
    if keys.is_empty() {
        let last = content_words(question)
            .into_iter()
            .rfind(|word| !is_number(word) && word != "json");
        keys.push(last.unwrap_or_else(|| "answer".to_owned()));
    }
    Some(keys)
}

/// The object, as text.
pub(super) fn write(keys: Vec<String>, best: impl Fn(&BTreeSet<String>) -> String) -> String {
    let object: Map<String, Value> = keys
        .into_iter()
        .map(|key| {
            let value = beside(&best(&parts(&key)));
            (key, Value::String(value))
        })
        .collect();
    Value::Object(object).to_string()
}

fn wants_json(line: &str) -> bool {
    line.split(|letter: char| !letter.is_ascii_alphanumeric())
        .any(|word| word.eq_ignore_ascii_case("json"))
}

/// The words of a key: `invoice_number` and `invoiceNumber` are both an invoice's number.
fn parts(key: &str) -> BTreeSet<String> {
    let mut spaced = String::with_capacity(key.len() + 4);
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            spaced.push(' ');
        }
        spaced.push(if letter == '_' { ' ' } else { letter });
    }
    content_words(&spaced).into_iter().collect()
}

/// What follows the colon of `Total: 12 EUR.`, or the whole.
fn beside(sentence: &str) -> String {
    let value = sentence.split_once(": ").map_or(sentence, |(_, value)| value);
    value.trim().trim_end_matches(['.', ';']).to_owned()
}
