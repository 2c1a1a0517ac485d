//! The text of a `regex` check → a compiled pattern, or why there is none. Bounded in size, and over a whole suite in
//! number, so that no suite can fill the memory or keep a machine busy.

use std::collections::HashMap;

use regex::{Regex, RegexBuilder};

/// Compiled size of a pattern, in bytes: the sizes that are tried, the last one being the bound.
const SIZES: [usize; 4] = [1 << 14, 1 << 17, 1 << 20, LARGEST];
const LARGEST: usize = 1 << 23;
/// What all patterns of a suite may take together, were they held compiled; each counts as the sizes that are tried.
/// That is some 200,000 everyday ones, or 500 of the largest, which take the time that goes with it: a small suite
/// may have less, so that its size says how long it is read.
const MOST: usize = 1 << 32;
const MOST_OF_A_SMALL_SUITE: usize = 1 << 27;
const MOST_FOR_A_BYTE: usize = 1_500;
/// Characters of a pattern. Before it is compiled, a class of Unicode's takes thousands of bytes for each of its own.
pub(super) const LONGEST: usize = 10_000;

/// Compiles the pattern of a `regex` check: of 10,000 characters at most, in at most 8 MB.
///
/// # Errors
/// The reason in the words of the crate `regex`, on one line.
pub fn pattern(pattern: &str) -> Result<Regex, String> {
    if is_too_long(pattern) {
        return Err(TOO_LONG.to_owned());
    }
    compile(pattern, LARGEST).map_err(|error| reason(&error))
}

const TOO_LONG: &str = "it is longer than 10,000 characters";

/// Whether a pattern is not even looked at.
pub(super) fn is_too_long(pattern: &str) -> bool {
    pattern.len() > LONGEST && pattern.chars().nth(LONGEST).is_some()
}

fn compile(pattern: &str, largest: usize) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .size_limit(largest)
        .dfa_size_limit(LARGEST)
        .build()
}

fn reason(error: &regex::Error) -> String {
    if let regex::Error::CompiledTooBig(_) = error {
        return "compiled it is larger than 8 MB".to_owned();
    }
    // The crate draws the pattern and a caret over several lines; the reason is the last.
    let drawn = error.to_string();
    let last = drawn.lines().last().unwrap_or_default();
    last.trim().trim_start_matches("error:").trim().to_owned()
}

/// The patterns that a suite has tried.
#[derive(Default)]
pub(super) struct Patterns {
    /// With the reason of those that can't be used.
    tried: HashMap<String, Option<String>>,
    spent: usize,
}

impl Patterns {
    /// Why a pattern can't be used, if it can't, in a suite of so many bytes.
    pub(super) fn refusal(&mut self, pattern: &str, bytes: usize) -> Option<String> {
        if let Some(known) = self.tried.get(pattern) {
            return known.clone();
        }
        let refusal = self.attempt(pattern, bytes);
        self.tried.insert(pattern.to_owned(), refusal.clone());
        refusal
    }

    fn attempt(&mut self, pattern: &str, bytes: usize) -> Option<String> {
        if is_too_long(pattern) {
            return Some(TOO_LONG.to_owned());
        }
        let most = MOST.min(MOST_OF_A_SMALL_SUITE.saturating_add(bytes.saturating_mul(MOST_FOR_A_BYTE)));
        for size in SIZES {
            self.spent = self.spent.saturating_add(size);
            if self.spent > most {
                return Some("the suite's patterns are too many and too large together".to_owned());
            }
            match compile(pattern, size) {
                Ok(_) => return None,
                Err(regex::Error::CompiledTooBig(_)) if size < LARGEST => {}
                Err(error) => return Some(reason(&error)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_one_line() {
        assert!(pattern(r"^\{.*\}$").is_ok());
        assert_eq!(pattern("(").unwrap_err(), "unclosed group");
        assert!(pattern("(?=x)").unwrap_err().starts_with("look-around"));
        assert!(pattern(&"a{1000}".repeat(1_000)).unwrap_err().contains("8 MB"));
        assert!(pattern(&"(".repeat(100_000)).is_err());
    }

    #[test]
    fn large_patterns_are_counted() {
        let mut patterns = Patterns::default();
        let large = |n: usize| format!(r"\w{{100}}{n}");
        assert_eq!(patterns.refusal(&large(0), 0), None);
        assert!(patterns.spent > LARGEST);
        patterns.spent = MOST - LARGEST;
        assert!(
            patterns
                .refusal(&large(1), usize::MAX)
                .unwrap()
                .contains("too large")
        );
        assert_eq!(patterns.refusal(&large(0), 0), None);
    }

    #[test]
    fn a_small_suite_may_have_few_large_patterns_and_a_large_one_more() {
        let refused = |bytes| {
            let mut patterns = Patterns {
                spent: 40 * LARGEST,
                ..Patterns::default()
            };
            patterns.refusal(r"\w{100}", bytes).is_some()
        };
        assert!(refused(64 << 10) && !refused(1 << 20));
        let mut patterns = Patterns::default();
        let everyday = |n: usize| format!("^total: [0-9]+ EUR {n}$");
        assert!((0..1_000).all(|n| patterns.refusal(&everyday(n), 64 << 10).is_none()));
    }

    #[test]
    fn a_pattern_is_bounded_before_it_is_looked_at() {
        assert!(pattern(&"é".repeat(LONGEST)).is_ok());
        let long = "é".repeat(LONGEST + 1);
        assert_eq!(pattern(&long).unwrap_err(), TOO_LONG);
        assert_eq!(
            Patterns::default().refusal(&long, usize::MAX).as_deref(),
            Some(TOO_LONG)
        );
    }
}
