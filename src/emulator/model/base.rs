//! What a model says that never learnt the task: a prompt comes in, the sentence of it that seems to answer its
//! question goes out, or one of the alternatives that it names. Right now and then, wrong now and then.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use super::words::{content_words, question_among, sentences};
use super::{Prompt, object};
use crate::emulator::draw;

/// How much of a prompt is read, in bytes: the work must stay small whatever is sent.
const READ_BYTES: usize = 64 * 1024;

/// The answer to a prompt.
pub(super) fn answer(prompt: Prompt<'_>) -> String {
    let text = start_of(prompt.user);
    let options = alternatives(text);
    if !options.is_empty() {
        let drawn = draw::number(prompt.seed, &["alternative", text]);
        let place = usize::try_from(drawn % options.len() as u64).unwrap_or_default();
        return options.get(place).copied().unwrap_or_default().to_owned();
    }
    let sentences = sentences(text);
    let Some(asking) = question_among(&sentences) else {
        return "I need a question.".to_owned();
    };
    let asked = sentences.get(asking).copied().unwrap_or_default();
    match object::keys(
        Prompt {
            whole: start_of(prompt.whole),
            ..prompt
        },
        asked,
    ) {
        None => fitting(prompt, &sentences, asking, &stems(asked)),
        Some(keys) => object::write(keys, |words| {
            let words = words.iter().cloned().map(stem).collect();
            fitting(prompt, &sentences, asking, &words)
        }),
    }
}

/// The sentence that has most of the wanted words, rare ones counting most.
fn fitting(prompt: Prompt<'_>, sentences: &[&str], asking: usize, wanted: &BTreeSet<String>) -> String {
    let mut candidates = weighed(sentences, asking, wanted);
    candidates.sort_by(|one, other| other.0.partial_cmp(&one.0).unwrap_or(Ordering::Equal));
    let place = drawn_place(prompt, candidates.len());
    candidates
        .get(place)
        .map_or("I do not know.", |(_, sentence)| sentence)
        .to_owned()
}

/// The question within a prompt; two prompts about the same text differ in it alone.
pub(super) fn question(text: &str) -> BTreeSet<String> {
    let text = start_of(text);
    let sentences = sentences(text);
    let asking = question_among(&sentences)
        .and_then(|place| sentences.get(place).copied())
        .unwrap_or_default();
    stems(asking)
}

fn stems(text: &str) -> BTreeSet<String> {
    content_words(text).into_iter().map(stem).collect()
}

/// The alternatives that a text names in quotes, joined by `or` or commas: `'safe' or 'unsafe'`.
pub(super) fn alternatives(text: &str) -> Vec<&str> {
    let mut best: Vec<&str> = Vec::new();
    for line in start_of(text).lines().filter(|line| line.contains(" or ")) {
        let mut run: Vec<&str> = Vec::new();
        let mut joined_by_or = false;
        let mut rest = line;
        while let Some((before, option, after)) = next_quoted(rest) {
            match before.trim() {
                "," if !run.is_empty() => {}
                "or" | ", or" if !run.is_empty() => joined_by_or = true,
                _ if joined_by_or => break,
                _ => run.clear(),
            }
            run.push(option);
            rest = after;
        }
        if joined_by_or && run.len() > 1 {
            best = run;
        }
    }
    best
}

/// What stands before the next short quoted text, that text, and what follows. A loop: a text may be all quotes.
fn next_quoted(text: &str) -> Option<(&str, &str, &str)> {
    let mut rest = text;
    loop {
        let open = rest.find(['\'', '"', '`'])?;
        let mark = rest[open..].chars().next()?;
        let inside = &rest[open + 1..];
        let close = inside.find(mark)?;
        let option = &inside[..close];
        if !option.is_empty() && option.len() <= 40 {
            return Some((&rest[..open], option, &inside[close + 1..]));
        }
        rest = inside;
    }
}

fn weighed<'a>(sentences: &[&'a str], asking: usize, question: &BTreeSet<String>) -> Vec<(f64, &'a str)> {
    let others = || sentences.iter().enumerate().filter(|(place, _)| *place != asking);
    let held: Vec<(&str, BTreeSet<String>)> = others()
        .map(|(_, sentence)| (*sentence, stems(sentence)))
        .collect();
    let mut spread: HashMap<&str, f64> = HashMap::new();
    for word in held.iter().flat_map(|(_, words)| words) {
        *spread.entry(word).or_default() += 1.0;
    }
    let weight = |words: &BTreeSet<String>| -> f64 {
        words
            .intersection(question)
            .map(|word| 1.0 / spread.get(word.as_str()).copied().unwrap_or(1.0))
            .sum()
    };
    held.iter()
        .map(|(sentence, words)| (weight(words), *sentence))
        .collect()
}

/// The best at temperature 0; a hotter model now and then takes a later one.
fn drawn_place(prompt: Prompt<'_>, count: usize) -> usize {
    let slip = (prompt.temperature * 0.3).clamp(0.0, 0.6);
    let slips = (0..count)
        .take_while(|step| draw::share(prompt.seed, &["slip", prompt.whole, &step.to_string()]) < slip)
        .count();
    slips.min(count.saturating_sub(1))
}

/// `totals` and `total` are the same thing to ask for.
fn stem(word: String) -> String {
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 => stem.to_owned(),
        _ => word,
    }
}

pub(super) fn start_of(text: &str) -> &str {
    let mut end = text.len().min(READ_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(user: &str, temperature: f64, seed: u64) -> Prompt<'_> {
        Prompt {
            user,
            whole: user,
            temperature,
            keys: None,
            seed,
        }
    }

    const INVOICE: &str =
        "Invoice 17 of ACME Ltd. Net 1,000.00 EUR. VAT 204.00 EUR. Total 1,204.00 EUR. What is the total?";

    #[test]
    fn it_answers_with_the_sentence_that_fits() {
        assert_eq!(answer(prompt(INVOICE, 0.0, 1)), "Total 1,204.00 EUR.");
        assert_eq!(answer(prompt("What is the total?", 0.0, 1)), "I do not know.");
        assert_eq!(answer(prompt("", 0.0, 1)), "I need a question.");
    }

    #[test]
    fn a_prompt_that_wants_json_gets_it() {
        let asked = "Seller: Blue Fox Inc. Invoice total: 12.00 EUR. Reply as JSON with \"seller\" and \"invoice_total\".";
        let json: serde_json::Value = serde_json::from_str(&answer(prompt(asked, 0.0, 1))).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"seller": "Blue Fox Inc", "invoice_total": "12.00 EUR"})
        );
        let whole = format!("You extract invoice fields as JSON.\n\n{INVOICE}");
        let unnamed = Prompt {
            whole: &whole,
            ..prompt(INVOICE, 0.0, 1)
        };
        assert_eq!(answer(unnamed), r#"{"total":"Total 1,204.00 EUR"}"#);
    }

    #[test]
    fn heat_brings_variety_and_the_seed_brings_it_back() {
        let said: BTreeSet<String> = (0..40).map(|seed| answer(prompt(INVOICE, 1.0, seed))).collect();
        assert!(said.len() > 1, "{said:?}");
        assert_eq!(answer(prompt(INVOICE, 1.0, 9)), answer(prompt(INVOICE, 1.0, 9)));
    }

    #[test]
    fn alternatives_are_what_stands_in_quotes_around_or() {
        assert_eq!(
            alternatives("First line must read 'safe' or 'unsafe'."),
            ["safe", "unsafe"]
        );
        assert_eq!(
            alternatives("Answer \"low\", \"mid\" or \"high\"."),
            ["low", "mid", "high"]
        );
        assert!(alternatives("He said 'no' and left.").is_empty());
        assert!(alternatives("I can't or don't know").is_empty());
        assert!(alternatives(&format!("yes or {}", "'".repeat(READ_BYTES))).is_empty());
    }
}
