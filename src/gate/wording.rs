//! Figures, bounds, names and lists in, the words of a verdict out: one line each, bounded, and never two
//! equal numbers of which one is said to be below the other.

use crate::score::{Selector, TOLERANCE};
use crate::suite::steers;

use super::rule::{Op, Rule};

/// Characters of a name that are shown.
const NAME: usize = 60;

/// Entries of a list that are shown.
const LISTED: usize = 3;

/// A name of the suite on one line: what moves the cursor, turns the direction of writing or does not show becomes a
/// space, and the rest is cut.
pub(super) fn name(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(NAME)
        .map(|c| if steers(c) { ' ' } else { c })
        .collect();
    if text.chars().nth(NAME).is_some() {
        shown.push('…');
    }
    shown
}

/// A selector as a gate writes it.
pub(super) fn selector(selector: &Selector) -> String {
    match selector {
        Selector::All => "all cases".to_owned(),
        Selector::Tag(tag) => format!("tag: {}", quoted(tag)),
        Selector::Holdout => "holdout".to_owned(),
        Selector::Critical => "critical".to_owned(),
        Selector::Case(id) => format!("case: {}", quoted(id)),
    }
}

fn quoted(text: &str) -> String {
    let shown = name(text);
    let plain = !shown.is_empty() && !shown.contains(|c: char| c.is_whitespace() || "()'\"".contains(c));
    if plain {
        shown
    } else {
        format!("'{}'", shown.replace('\'', "''"))
    }
}

/// A number of 0..1 as written: at least two decimals.
pub(super) fn share(value: f64) -> String {
    padded(value.to_string())
}

/// A bound as the suite means it: a whole number for counts.
pub(super) fn bound(rule: &Rule) -> String {
    if rule.subject.metric.is_count() {
        format!("{:.0}", rule.bound)
    } else {
        share(rule.bound)
    }
}

/// A figure: counts whole, others with two to four decimals, and with more where four would make it look
/// like the bound that it is not.
pub(super) fn figure(figure: f64, rule: &Rule) -> String {
    if rule.subject.metric.is_count() {
        return format!("{figure:.0}");
    }
    let differs = (figure - rule.bound).abs() > TOLERANCE;
    let digits = (4..=10)
        .find(|digits| {
            let shown: f64 = format!("{figure:.digits$}").parse().unwrap_or(figure);
            !differs || (shown - rule.bound).abs() > TOLERANCE / 10.0
        })
        .unwrap_or(10);
    let shown = format!("{figure:.digits$}");
    padded(shown.trim_end_matches('0').to_owned())
}

/// How large a difference is, with as many decimals as it takes not to look like the bound.
pub(super) fn amount(difference: f64, rule: &Rule) -> String {
    figure(difference.abs(), rule)
}

/// A difference with its sign, a minus being one.
pub(super) fn signed(difference: f64, rule: &Rule) -> String {
    let shown = amount(difference, rule);
    let nothing = shown.chars().all(|c| matches!(c, '0' | '.'));
    if difference < 0.0 && !nothing {
        format!("−{shown}")
    } else {
        shown
    }
}

/// A p-value above the level: two or three decimals.
pub(super) fn p_value(p: f64) -> String {
    let shown = format!("{p:.2}");
    if shown == "0.05" { format!("{p:.3}") } else { shown }
}

fn padded(number: String) -> String {
    match number.split_once('.') {
        None => format!("{number}.00"),
        Some((_, decimals)) if decimals.len() < 2 => number.clone() + &"0".repeat(2 - decimals.len()),
        Some(_) => number,
    }
}

/// How the figure stands to the bound.
pub(super) fn relation(op: Op, holds: bool) -> &'static str {
    match (op, holds) {
        (Op::AtLeast, true) => "is at or above",
        (Op::AtLeast, false) => "is below",
        (Op::Above, true) => "is above",
        (Op::Above, false) => "is not above",
        (Op::AtMost, true) => "is at or below",
        (Op::AtMost, false) => "is above",
        (Op::Below, true) => "is below",
        (Op::Below, false) => "is not below",
        (Op::Equal, true) => "is",
        (Op::Equal, false) => "is not",
    }
}

/// The first few of a list, and how many more there are.
pub(super) fn list(items: &[String], separator: &str) -> String {
    let shown = items
        .iter()
        .take(LISTED)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(separator);
    match items.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `1 case`, `2 cases`.
pub(super) fn counted(n: usize, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {many}")
    }
}
