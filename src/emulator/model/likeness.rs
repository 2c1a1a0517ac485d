//! How like an answer is to its reference: two texts come in, a score in 0..1 with a reason goes out.

use std::collections::HashMap;

use serde_json::Value;

use super::base::start_of;
use super::words::{is_number, plain, words};

/// How many words of a text are compared.
const MOST_WORDS: usize = 4_000;

/// How an answer stands to its reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Likeness {
    /// 0..1, two decimals.
    pub(super) score: f64,
    pub(super) verdict: Verdict,
}

/// The same in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Same,
    Contained,
    Partly,
    Wrong,
    Empty,
}

/// Compares: 1 for the same text (or JSON), below 0.7 down to 0.5 for the reference with ever more around it (too
/// low to be trained on as it is), up to 0.45 for shared words (numbers weigh most), 0.05 for nothing in common, 0
/// for no answer.
pub(super) fn compare(answer: &str, reference: &str) -> Likeness {
    if answer.trim().is_empty() {
        return Likeness {
            score: 0.0,
            verdict: Verdict::Empty,
        };
    }
    if plain(answer) == plain(reference) || same_json(answer, reference) {
        return Likeness {
            score: 1.0,
            verdict: Verdict::Same,
        };
    }
    let (given, wanted) = (first_words(answer), first_words(reference));
    if given == wanted && !wanted.is_empty() {
        return Likeness {
            score: 0.97,
            verdict: Verdict::Same,
        };
    }
    if !wanted.is_empty() && given.windows(wanted.len()).any(|window| window == wanted) {
        return Likeness {
            score: rounded(0.5 + 0.2 * ratio(wanted.len(), given.len())),
            verdict: Verdict::Contained,
        };
    }
    let shared = shared(&given, &wanted);
    if shared == 0 {
        return Likeness {
            score: 0.05,
            verdict: Verdict::Wrong,
        };
    }
    let f1 = ratio(2 * shared, given.len() + wanted.len());
    let numbers: Vec<&String> = wanted.iter().filter(|word| is_number(word)).collect();
    let met = numbers.iter().filter(|number| given.contains(number)).count();
    let numeric = if numbers.is_empty() {
        1.0
    } else {
        0.3 + 0.7 * ratio(met, numbers.len())
    };
    let score = rounded((0.45 * f1 * numeric).max(0.05));
    Likeness {
        score,
        verdict: if score < 0.15 {
            Verdict::Wrong
        } else {
            Verdict::Partly
        },
    }
}

/// Comparing takes time in proportion to both lengths; whoever sends a book gets its beginning compared.
fn first_words(text: &str) -> Vec<String> {
    let mut words = words(start_of(text));
    words.truncate(MOST_WORDS);
    words
}

/// A share of two counts.
pub(super) fn ratio(part: usize, whole: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of words are far below 2^52")]
    let ratio = part as f64 / whole.max(1) as f64;
    ratio
}

/// Two decimals.
pub(super) fn rounded(score: f64) -> f64 {
    (score * 100.0).round() / 100.0
}

fn same_json(answer: &str, reference: &str) -> bool {
    let Ok(wanted) = serde_json::from_str::<Value>(reference) else {
        return false;
    };
    // A bare number is a text like any other, and was compared as one.
    if !wanted.is_object() && !wanted.is_array() {
        return false;
    }
    let bare = answer.trim().trim_start_matches("```json").trim_matches('`');
    serde_json::from_str::<Value>(bare).is_ok_and(|given| given == wanted)
}

fn shared(given: &[String], wanted: &[String]) -> usize {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in wanted {
        *left.entry(word).or_default() += 1;
    }
    let mut shared = 0;
    for word in given {
        if let Some(count) = left.get_mut(word.as_str()).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(answer: &str, reference: &str) -> f64 {
        compare(answer, reference).score
    }

    #[test]
    fn the_same_is_one() {
        assert_eq!(score("1,204.00 EUR", "1,204.00 EUR"), 1.0);
        assert_eq!(score("`1,204.00 eur`.", "1,204.00 EUR"), 1.0);
        assert_eq!(
            score("```json\n{\"b\": 2, \"a\": 1}\n```", r#"{"a":1,"b":2}"#),
            1.0
        );
        assert_eq!(score("1204 EUR", "1,204.00 EUR"), 0.97);
    }

    #[test]
    fn more_around_it_costs() {
        let near = score("Total: 1,204.00 EUR", "1,204.00 EUR");
        let far = score(
            "The sum of it all that is to be paid is 1,204.00 EUR and no more",
            "1,204.00 EUR",
        );
        assert!((0.6..0.7).contains(&near), "{near}");
        assert!((0.5..0.55).contains(&far), "{far}");
    }

    #[test]
    fn a_wrong_number_is_worse_than_a_wrong_word() {
        let number = score("1,205.00 EUR", "1,204.00 EUR");
        let word = score("unsafe", "unsafe\nS1 violent crimes");
        assert!(number < 0.15, "{number}");
        assert!((0.1..0.5).contains(&word), "{word}");
    }

    #[test]
    fn nothing_in_common_and_nothing_at_all() {
        assert_eq!(score("I can't say", "17"), 0.05);
        assert_eq!(score(" \n", "17"), 0.0);
    }
}
