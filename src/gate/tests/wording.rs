//! How figures, bounds and names are shown.

use crate::gate::parse::parse;
use crate::gate::wording::{bound, figure, list, name, share};

fn shown(value: f64, requirement: &str) -> String {
    let rule = parse(requirement).rule.unwrap();
    format!("{} vs {}", figure(value, &rule), bound(&rule))
}

#[test]
fn figures_have_two_to_four_decimals_and_counts_none() {
    assert_eq!(shown(0.731, "mean >= 0.7"), "0.731 vs 0.70");
    assert_eq!(shown(2.0 / 3.0, "mean >= 0.75"), "0.6667 vs 0.75");
    assert_eq!(shown(1.0, "mean >= 0.70"), "1.00 vs 0.70");
    assert_eq!(shown(0.0, "mean >= 0.701"), "0.00 vs 0.701");
    assert_eq!(shown(12.0, "cases >= 10"), "12 vs 10");
    assert_eq!(share(0.95), "0.95");
}

#[test]
fn a_figure_never_looks_like_the_bound_that_it_is_not() {
    assert_eq!(shown(0.699_999, "mean >= 0.7"), "0.699999 vs 0.70");
    assert_eq!(shown(0.700_000_02, "mean <= 0.7"), "0.70000002 vs 0.70");
    assert_eq!(shown(0.949_99, "coverage >= 0.95"), "0.94999 vs 0.95");
    assert_eq!(shown(0.1 + 0.2, "mean >= 0.3"), "0.30 vs 0.30");
}

#[test]
fn names_stay_on_one_line_and_are_bounded() {
    assert_eq!(name("a\nb\r\u{1b}[31m\u{2028}c"), "a b  [31m c");
    assert_eq!(name("a\u{202e}b\u{feff}c\u{200b}"), "a b c ");
    assert_eq!(name(&"é".repeat(61)), "é".repeat(60) + "…");
    assert_eq!(name(&"é".repeat(60)), "é".repeat(60));
}

#[test]
fn lists_show_three_and_count_the_rest() {
    let items: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).into();
    assert_eq!(list(&items, ", "), "a, b, c and 2 more");
    assert_eq!(list(&items[..3], "; "), "a; b; c");
    assert_eq!(list(&[], ", "), "");
}
