//! What the grammar reads.

use crate::gate::parse::parse;
use crate::gate::rule::{Metric, Op, Rule, Subject};
use crate::score::Selector;

#[track_caller]
fn read(text: &str) -> Rule {
    let parsed = parse(text);
    assert_eq!(parsed.faults, [], "{text}");
    parsed.rule.unwrap()
}

fn rule(metric: Metric, selector: Selector, drop: bool, op: Op, bound: f64) -> Rule {
    Rule {
        subject: Subject {
            metric,
            selector,
            drop,
        },
        op,
        bound,
    }
}

#[test]
fn every_metric_and_comparison_is_read() {
    for metric in Metric::ALL {
        let bound = if metric.is_count() { 3.0 } else { 0.5 };
        for (sign, op) in [
            (">=", Op::AtLeast),
            (">", Op::Above),
            ("<=", Op::AtMost),
            ("<", Op::Below),
            ("==", Op::Equal),
        ] {
            let text = format!("{} {sign} {bound}", metric.word());
            assert_eq!(
                read(&text),
                rule(metric, Selector::All, false, op, bound),
                "{text}"
            );
        }
    }
}

#[test]
fn selectors_are_read_with_and_without_quotes() {
    let tag = |tag: &str| Selector::Tag(tag.to_owned());
    for (text, selector) in [
        ("mean(tag: totals) >= 0.5", tag("totals")),
        ("mean(tag:totals)>=0.5", tag("totals")),
        ("  mean \t( tag :\n totals )\n>=  0.5  ", tag("totals")),
        ("mean(tag: 'two words') >= 0.5", tag("two words")),
        ("mean(tag: \"with ) inside\") >= 0.5", tag("with ) inside")),
        ("mean(tag: 'it''s') >= 0.5", tag("it's")),
        ("mean(tag: \"it's\") >= 0.5", tag("it's")),
        ("mean(tag: größe-1/α:β) >= 0.5", tag("größe-1/α:β")),
        ("mean(tag: holdout) >= 0.5", tag("holdout")),
        ("mean(holdout) >= 0.5", Selector::Holdout),
        ("mean(critical) >= 0.5", Selector::Critical),
        (
            "mean(case: total-simple) >= 0.5",
            Selector::Case("total-simple".to_owned()),
        ),
    ] {
        assert_eq!(
            read(text),
            rule(Metric::Mean, selector, false, Op::AtLeast, 0.5),
            "{text}"
        );
    }
}

#[test]
fn a_drop_wraps_a_metric_and_its_selector() {
    assert_eq!(
        read("drop(mean) <= 0.03"),
        rule(Metric::Mean, Selector::All, true, Op::AtMost, 0.03)
    );
    let tagged = Selector::Tag("x".to_owned());
    let expected = rule(Metric::PassRate, tagged, true, Op::Below, 0.1);
    assert_eq!(read("drop( pass_rate (tag: x) ) < .1"), expected);
}

#[test]
fn a_rule_shows_as_it_is_written() {
    for text in [
        "mean",
        "pass_rate(tag: x)",
        "min(tag: 'a ''b''')",
        "drop(mean(holdout))",
        "cases(case: c-1)",
    ] {
        let op = if text.starts_with("drop") { "<=" } else { ">=" };
        assert_eq!(read(&format!("{text} {op} 1")).subject.to_string(), text);
    }
}

#[test]
fn comparisons_forgive_rounding_in_favour_of_equality() {
    let sum = 0.1 + 0.2;
    assert_ne!(sum, 0.3);
    for (op, below, equal, above) in [
        (Op::AtLeast, false, true, true),
        (Op::Above, false, false, true),
        (Op::AtMost, true, true, false),
        (Op::Below, true, false, false),
        (Op::Equal, false, true, false),
    ] {
        assert_eq!(op.holds(0.299_999, 0.3), below, "{op:?}");
        assert_eq!(op.holds(sum, 0.3), equal, "{op:?}");
        assert_eq!(op.holds(0.3, sum), equal, "{op:?}");
        assert_eq!(op.holds(0.300_001, 0.3), above, "{op:?}");
        assert!(!op.holds(f64::NAN, 0.3), "{op:?}");
    }
}
