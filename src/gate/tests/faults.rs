//! What `check` says of gates that are wrong, and where.

use std::collections::BTreeSet;

use super::gates;
use crate::gate::{Known, check};
use crate::suite::{Diagnostic, Severity};

pub(super) fn faults(requires: &[&str]) -> Vec<Diagnostic> {
    let set = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let (tags, ids) = (set(&["dates", "totals"]), set(&["a-1", "a-2"]));
    check(
        &gates(requires),
        &Known {
            tags: &tags,
            ids: &ids,
            holdout: true,
            critical: false,
            cases: None,
            all_tags: true,
            all_ids: true,
        },
    )
}

/// The part of the text that a fault underlines.
pub(super) fn underlined(text: &str, fault: &Diagnostic) -> String {
    text.chars()
        .skip(fault.place.column as usize - 14)
        .take(fault.length as usize)
        .collect()
}

#[test]
fn faults_stand_in_their_place_and_say_what_to_write() {
    for (text, at, message, help) in [
        (
            "pas_rate >= 0.9",
            "pas_rate",
            "unknown metric `pas_rate`",
            "did you mean `pass_rate`?",
        ),
        ("Mean >= 0.9", "Mean", "unknown metric", "did you mean `mean`?"),
        (
            "accuracy >= 0.9",
            "accuracy",
            "unknown metric",
            "metrics are coverage, mean",
        ),
        (
            "mean(tags: totals) >= 0.9",
            "tags",
            "unknown selector `tags`",
            "did you mean `tag: …`?",
        ),
        (
            "mean(holdouts) >= 0.9",
            "holdouts",
            "unknown selector",
            "did you mean `holdout`?",
        ),
        (
            "mean(totals) >= 0.9",
            "totals",
            "unknown selector",
            "selectors are `tag: x`",
        ),
        (
            "mean(tag: totls) >= 0.9",
            "totls",
            "no case is tagged `totls`",
            "did you mean `totals`?",
        ),
        (
            "mean(tag: 'to tals') >= 0.9",
            "'to tals'",
            "no case is tagged",
            "did you mean `totals`?",
        ),
        (
            "mean(tag: zebra) >= 0.9",
            "zebra",
            "no case is tagged",
            "the suite has `dates`, `totals`",
        ),
        (
            "mean(case: a-3) >= 0.9",
            "a-3",
            "no case has the id `a-3`",
            "did you mean `a-1`?",
        ),
        (
            "mean(critical) >= 0.9",
            "critical",
            "no case is `critical: true`",
            "mark a case",
        ),
        (
            "mean(holdout: true) >= 0.9",
            ":",
            "`holdout` takes no value",
            "write `(holdout)`",
        ),
        (
            "mean(tag totals) >= 0.9",
            "totals",
            "expected `:`, found `totals`",
            "write `tag: name`",
        ),
        (
            "mean(tag: two words) >= 0.9",
            "words",
            "expected `)`, found `words`",
            "stands in quotes",
        ),
        (
            "mean(tag: ) >= 0.9",
            ")",
            "expected a name after `tag:`",
            "quotes",
        ),
        ("mean(tag: '') >= 0.9", "''", "the name is empty", ""),
        (
            "mean(tag: 'totals) >= 0.9",
            "'totals) >= 0.9",
            "the quoted name does not end",
            "close it with '",
        ),
        ("mean() >= 0.9", ")", "expected a selector", "selectors are"),
        (
            "mean(tag: totals",
            "totals",
            "`)` is missing at the end",
            "close the selector",
        ),
        (
            "mean 0.9",
            "0.9",
            "expected a comparison, found `0.9`",
            "write `>=`",
        ),
        ("mean", "mean", "a comparison is missing at the end", "write `>=`"),
        ("mean => 0.9", "=>", "`=>` is no comparison", "write `>=`"),
        ("mean ≥ 0.9", "≥", "`≥` is no comparison", "write `>=`"),
        ("mean = 0.9", "=", "`=` is no comparison", "write `==`"),
        ("mean != 0.9", "!=", "`!=` is no comparison", "write `>=`, `>`"),
        ("mean >=", ">=", "a number is missing at the end", "0.95"),
        ("mean >= 95%", "95%", "`95%` is no number", "write 0.95"),
        ("mean >= 95 %", "%", "`%` follows the number", "write 0.95"),
        ("mean >= 0,95", "0,95", "is no number", "write 0.95"),
        ("mean >= 9e-1", "9e-1", "is no number", "plain decimal"),
        ("mean >= NaN", "NaN", "is no number", "plain decimal"),
        ("mean >= inf", "inf", "is no number", "plain decimal"),
        ("mean >= 1.", "1.", "is no number", "plain decimal"),
        (
            "mean >= 0.9 and min >= 0.5",
            "and",
            "`and` follows the number",
            "a gate is one comparison",
        ),
        (
            "mean >= 95",
            "95",
            "`mean` is between 0 and 1: `>= 95` never holds",
            "write 0.95 for 95 %",
        ),
        (
            "mean <= 1.5",
            "1.5",
            "`<= 1.5` always holds",
            "write 0.015 for 1.5 %",
        ),
        ("error_rate < -1", "-1", "never holds", "from 0 to 1"),
        ("stddev > -0.5", "-0.5", "always holds", "from 0 to 1"),
        (
            "cases >= 0.5",
            "0.5",
            "a whole number of cases",
            "a whole number, 0 or more",
        ),
        (
            "unscored <= -1",
            "-1",
            "a whole number of cases",
            "a whole number, 0 or more",
        ),
        (
            "stddev(case: a-1) <= 0.5",
            "stddev",
            "a single case has no standard deviation",
            "",
        ),
        (
            "drop <= 0.03",
            "<",
            "expected `(`, found `<`",
            "drop(mean) <= 0.03",
        ),
        (
            "drop(coverage) <= 0.03",
            "coverage",
            "`coverage` has no drop",
            "mean, median, p10 or pass_rate",
        ),
        (
            "drop(drop(mean)) <= 0.03",
            "drop",
            "`drop` has no drop",
            "a drop is of",
        ),
        (
            "drop(mean) >= 0.03",
            ">=",
            "a drop is limited from above",
            "write `<=` or `<`",
        ),
        (
            "drop(mean) <= 3",
            "3",
            "a drop's margin is between 0 and 1",
            "write 0.03 for 3 %",
        ),
        (
            "drop(mean; tag: totals) <= 0.1",
            ";",
            "expected `)`",
            "drop(mean(tag: x))",
        ),
        ("drop(mean)(tag: totals) <= 0.1", "(", "expected a comparison", ""),
        ("", "", "a metric is missing at the end", "metrics are"),
        (">= 0.9", ">", "expected a metric, found `>`", "metrics are"),
    ] {
        let found = faults(&[text]);
        let Some(fault) = found.first() else {
            panic!("no fault in {text}")
        };
        assert_eq!(fault.severity, Severity::Error, "{text}");
        assert!(fault.message.contains(message), "{text}: {}", fault.message);
        assert!(
            fault.help.as_deref().unwrap_or_default().contains(help),
            "{text}: {:?}",
            fault.help
        );
        let length = usize::max(1, at.chars().count());
        assert_eq!(
            (underlined(text, fault).as_str(), fault.length as usize),
            (at, length),
            "{text}"
        );
    }
}

#[test]
fn all_faults_of_all_gates_are_told_in_their_order() {
    let found = faults(&[
        "meen(tag: totls) => 95%",
        "mean(tag: totls) >= 95",
        "mean >= 0.7",
        "min > 1.1",
    ]);
    let said: Vec<(u32, &str)> = found.iter().map(|f| (f.place.line, f.message.as_str())).collect();
    assert_eq!(
        said,
        [
            (1, "unknown metric `meen`"),
            (1, "`=>` is no comparison"),
            (1, "no case is tagged `totls`"),
            (2, "`mean` is between 0 and 1: `>= 95` never holds"),
            (2, "no case is tagged `totls`"),
            (4, "`min` is between 0 and 1: `> 1.1` never holds"),
        ]
    );
}

#[test]
fn gates_that_look_unintended_are_warned_of() {
    let found = faults(&[
        "mean >= 0.70",
        "min > 1",
        "mean>=.7",
        "mean > 0.7",
        "cases < 0",
        "drop(mean) < 0",
    ]);
    let said: Vec<(u32, Severity, &str)> = found
        .iter()
        .map(|f| (f.place.line, f.severity, f.message.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (2, Severity::Warning, "`min > 1` can never hold"),
            (3, Severity::Warning, "the same gate stands in line 1 already"),
            (5, Severity::Warning, "`cases < 0` can never hold"),
        ]
    );
}

#[test]
fn half_of_a_name_with_spaces_is_not_called_unknown() {
    let found = faults(&["mean(tag: two words) >= 0.5"]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].help.as_deref().unwrap().contains("quotes"), "{found:?}");
}

#[test]
fn nothing_is_said_of_names_while_cases_are_missing() {
    let none = BTreeSet::new();
    let known = Known {
        tags: &none,
        ids: &none,
        holdout: true,
        critical: true,
        cases: None,
        all_tags: false,
        all_ids: false,
    };
    let names = gates(&[
        "mean(tag: x) >= 0.5",
        "mean(case: y) >= 0.5",
        "min(holdout) > 0",
        "min(critical) > 0",
    ]);
    assert_eq!(check(&names, &known), []);
    let complete = check(
        &names,
        &Known {
            holdout: false,
            critical: false,
            cases: None,
            all_tags: true,
            all_ids: true,
            ..known
        },
    );
    assert_eq!(complete.len(), 4);
    assert_eq!(complete[0].help.as_deref(), Some("the suite has none at all"));
}

#[test]
fn a_fault_past_the_first_line_is_placed_at_the_beginning() {
    let fault = &faults(&["mean\n>= 95%"])[0];
    assert_eq!((fault.place.line, fault.place.column, fault.length), (1, 14, 3));
}

#[test]
fn long_texts_are_refused_unread_and_long_words_are_cut() {
    let endless = format!("mean(tag: {}) >= 0.5", "x".repeat(1_000_000));
    assert!(
        faults(&[&endless])[0]
            .message
            .contains("longer than 1000 characters")
    );
    let long = format!("{} >= 0.5", "x".repeat(900));
    assert!(faults(&[&long])[0].message.chars().count() < 100);
}

#[test]
fn many_unknown_names_among_many_take_bounded_time() {
    let tags: BTreeSet<String> = (0..20_000).map(|i| format!("tag-number-{i:06}")).collect();
    let ids = BTreeSet::new();
    let known = Known {
        tags: &tags,
        ids: &ids,
        holdout: false,
        critical: false,
        cases: None,
        all_tags: true,
        all_ids: true,
    };
    let requires: Vec<String> = (0..5_000)
        .map(|i| format!("mean(tag: tagnumber-{i:06}x) >= 0.5"))
        .collect();
    let requires: Vec<&str> = requires.iter().map(String::as_str).collect();
    let begun = std::time::Instant::now();
    let found = check(&gates(&requires), &known);
    assert_eq!(found.len(), 5_000);
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}
