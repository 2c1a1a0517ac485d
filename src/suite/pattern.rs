//! The text of a `regex` check → a compiled pattern, or why there is none. Bounded in size, and over a whole suite in
//! number, so that no suite can fill the memory or keep a machine busy.

use std::collections::HashMap;

use regex::{Regex, RegexBuilder};

/// Compiled size of a pattern, in bytes: the sizes that are tried, the last one being the bound.
const SIZES: [usize; 4] = [1 << 14, 1 << 17, 1 << 20, LARGEST];
const LARGEST: usize = 1 << 23;
/// What all patterns of a suite may take together, were they held compiled; each counts as the size that it fits
/// into. That is some 200,000 everyday ones, or 500 of the largest.
const MOST: usize = 1 << 32;

/// Compiles the pattern of a `regex` check, in at most 8 MB.
///
/// # Errors
/// The reason in the words of the crate `regex`, on one line.
pub fn pattern(pattern: &str) -> Result<Regex, String> {
    compile(pattern, LARGEST).map_err(|error| reason(&error))
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
    /// Why a pattern can't be used, if it can't.
    pub(super) fn refusal(&mut self, pattern: &str) -> Option<String> {
        if let Some(known) = self.tried.get(pattern) {
            return known.clone();
        }
        let refusal = self.attempt(pattern);
        self.tried.insert(pattern.to_owned(), refusal.clone());
        refusal
    }

    fn attempt(&mut self, pattern: &str) -> Option<String> {
        for size in SIZES {
            self.spent = self.spent.saturating_add(size);
            if self.spent > MOST {
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
        assert_eq!(patterns.refusal(&large(0)), None);
        assert!(patterns.spent > LARGEST);
        patterns.spent = MOST - LARGEST;
        assert!(patterns.refusal(&large(1)).unwrap().contains("too large"));
        assert_eq!(patterns.refusal(&large(0)), None);
    }
}
