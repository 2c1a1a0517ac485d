//! Two texts come in; how alike they are, 0..1, goes out, in bounded time whatever the texts are.
//!
//! The measure is the usual ratio: twice the length of what both have in common in the same order, over
//! both lengths. Short texts are compared by characters, longer ones by words, and texts that are too
//! long for that by the words they have in common whatever their order. The choice depends on the texts
//! alone, so that the same answer gets the same figure on every machine.

use std::collections::HashMap;
use std::hash::Hash;

use similar::{Algorithm, capture_diff_slices};

/// Sequences are compared in order while the product of their lengths is at most this: 2,000 characters
/// against 2,000, say. A few hundredths of a second at worst.
const MAX_PRODUCT: usize = 4_000_000;

/// How alike two texts are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Similarity {
    /// 0..=1; 1 for equal texts.
    pub(super) ratio: f64,
    /// What was compared.
    pub(super) unit: Unit,
}

/// What was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Characters in order.
    Characters,
    /// Words (runs of non-space) in order.
    Words,
    /// Words without regard to their order.
    WordsInAnyOrder,
}

impl Unit {
    /// For a report, to follow "compared by".
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Unit::Characters => "characters",
            Unit::Words => "words",
            Unit::WordsInAnyOrder => "words in any order",
        }
    }
}

/// Compares two texts, without the white space around them.
pub(super) fn similarity(a: &str, b: &str) -> Similarity {
    let (a, b) = (a.trim(), b.trim());
    if a == b {
        return Similarity {
            ratio: 1.0,
            unit: Unit::Characters,
        };
    }
    let lengths = (a.chars().count(), b.chars().count());
    if lengths.0.saturating_mul(lengths.1) <= MAX_PRODUCT {
        let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
        return Similarity {
            ratio: in_order(&a, &b),
            unit: Unit::Characters,
        };
    }
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split_whitespace().collect(), b.split_whitespace().collect());
    if a.len().saturating_mul(b.len()) <= MAX_PRODUCT {
        Similarity {
            ratio: in_order(&a, &b),
            unit: Unit::Words,
        }
    } else {
        Similarity {
            ratio: in_any_order(&a, &b),
            unit: Unit::WordsInAnyOrder,
        }
    }
}

fn in_order<T: Ord + Hash + Eq>(a: &[T], b: &[T]) -> f64 {
    // The raw variant, because the other one may miss a longer common part.
    let operations = capture_diff_slices(Algorithm::RawMyers, a, b);
    let common = operations
        .iter()
        .map(|operation| match operation {
            similar::DiffOp::Equal { len, .. } => *len,
            _ => 0,
        })
        .sum();
    ratio(common, a.len(), b.len())
}

fn in_any_order(a: &[&str], b: &[&str]) -> f64 {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in a {
        *left.entry(word).or_default() += 1;
    }
    let common = b
        .iter()
        .filter(|word| match left.get_mut(**word) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        })
        .count();
    ratio(common, a.len(), b.len())
}

fn ratio(common: usize, a: usize, b: usize) -> f64 {
    match a + b {
        0 => 1.0,
        both => 2.0 * common as f64 / both as f64,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn ratio_of(a: &str, b: &str) -> f64 {
        similarity(a, b).ratio
    }

    #[test]
    fn known_ratios() {
        assert_eq!(ratio_of("", ""), 1.0);
        assert_eq!(ratio_of(" x ", "x\n"), 1.0);
        assert_eq!(ratio_of("x", ""), 0.0);
        assert_eq!(ratio_of("abc", "xyz"), 0.0);
        assert_eq!(ratio_of("abcd", "bcde"), 0.75);
        assert_eq!(ratio_of("äöü", "äöx"), 2.0 / 3.0);
        assert_eq!(ratio_of("1,204.00 EUR", "1,204.00"), 0.8);
    }

    #[test]
    fn a_hidden_common_part_is_found() {
        let (a, b) = ("ab".repeat(500), "ba".repeat(500));
        assert_eq!(ratio_of(&a, &b), 999.0 / 1000.0);
    }

    #[test]
    fn longer_texts_are_compared_by_words_and_huge_ones_without_order() {
        let words = |n: usize| (0..n).map(|i| format!("word{i}")).collect::<Vec<_>>().join(" ");
        let (thousand, more) = (words(1000), words(1500));
        assert_eq!(
            similarity(&thousand, &more),
            Similarity {
                ratio: 0.8,
                unit: Unit::Words
            }
        );
        let (huge, huger) = (words(10_000), format!("last {}", words(10_000)));
        assert_eq!(
            similarity(&huge, &huger),
            Similarity {
                ratio: 20_000.0 / 20_001.0,
                unit: Unit::WordsInAnyOrder
            }
        );
    }

    #[test]
    fn hostile_texts_take_no_time_worth_telling() {
        let mega = 1 << 20;
        let scrambled = |salt: u32, n: u32| {
            (0..n)
                .filter_map(|i| char::from_u32(0x4e00 + (i.wrapping_mul(salt) % 5000)))
                .collect::<String>()
        };
        for (a, b) in [
            ("a".repeat(mega), "b".repeat(mega)),
            ("a ".repeat(mega / 2), "a b ".repeat(mega / 4)),
            (scrambled(7919, 2000), scrambled(104_729, 2000)),
            ("ab".repeat(1000), "ba".repeat(1000)),
            ("x".to_owned(), "ab".repeat(mega / 2)),
        ] {
            let begun = Instant::now();
            let found = similarity(&a, &b);
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "{found:?} in {:?}",
                begun.elapsed()
            );
        }
    }
}
