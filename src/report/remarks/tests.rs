//! What is told at the suite's lines, in which order, and where a gate of another branch is told.

use super::*;
use crate::report::fixtures;

fn titles(record: &Record, weight: Weight) -> Vec<String> {
    let told = remarks(record)
        .into_iter()
        .filter(|remark| remark.weight == weight);
    told.map(|remark| remark.title).collect()
}

#[test]
fn failed_gates_and_vetoes_are_errors_and_newly_failing_cases_come_before_the_others() {
    let record = fixtures::worse().record;
    assert_eq!(
        titles(&record, Weight::Error),
        ["gate not met: drop(mean) <= 0.03", "currency"]
    );
    // By score within those that fail newly; `e-invoice` and the rest failed before, or were not there.
    assert_eq!(
        titles(&record, Weight::Warning),
        [
            "total-discount",
            "credit-note",
            "vendor-name",
            "line-items",
            "vat-rate",
            "due-date",
            "two-invoices",
            "e-invoice"
        ]
    );
    let all = remarks(&record);
    assert_eq!((all[0].place.line, all[0].place.column), (23, 14));
    assert_eq!(
        all[1].message,
        "Critical: it fails the run, 1 of 1 samples failed.\nNewly failing: score 0.350, needs 0.700; before 0.900.\n\
         The invoice is in euros; a dollar sign is no ISO code either."
    );
    assert!(all.windows(2).all(|two| two[0].weight <= two[1].weight));
}

#[test]
fn gates_that_do_not_fail_the_run_only_warn_and_the_implied_one_has_no_line() {
    let mut record = fixtures::worse().record;
    record.verdict.vetoes.clear();
    let gate = &mut record.verdict.gates[2];
    gate.otherwise = serde_json::from_str("\"hold\"").unwrap();
    gate.outcome = Outcome::Fail;
    assert_eq!(titles(&record, Weight::Error), [""; 0]);
    assert_eq!(
        titles(&record, Weight::Warning)[0],
        "gate not met: drop(mean) <= 0.03"
    );
    record.verdict.gates[2].outcome = Outcome::Inconclusive;
    assert_eq!(
        titles(&record, Weight::Warning)[0],
        "gate inconclusive: drop(mean) <= 0.03"
    );
    record.verdict.gates[2].otherwise = serde_json::from_str("\"warn\"").unwrap();
    assert!(!titles(&record, Weight::Warning)[0].starts_with("gate"));
    let gate = &mut record.verdict.gates[0];
    (gate.outcome, gate.implied) = (Outcome::Fail, true);
    assert_eq!(titles(&record, Weight::Error), [""; 0]);
    let gate = &mut record.verdict.gates[0];
    (gate.implied, gate.applicable) = (false, false);
    assert_eq!(titles(&record, Weight::Error), [""; 0]);
}

#[test]
fn a_gate_of_another_branch_is_told_where_this_suite_has_it_or_at_its_first_line() {
    let mut record = fixtures::incomparable().record;
    record.verdict.gates[2].outcome = Outcome::Fail;
    record.verdict.gates[1].outcome = Outcome::Fail;
    for gate in &mut record.results.suite.gates {
        gate.place.line = 900;
    }
    let told = remarks(&record);
    let line = |title: &str| {
        told.iter()
            .find(|remark| remark.title.ends_with(title))
            .unwrap()
            .place
            .line
    };
    assert_eq!(line("drop(mean) <= 0.03"), 23);
    assert_eq!(line("mean >= 0.60"), 1);
    assert!(told[0].message.contains("The gates that decide are those of"));
}

#[test]
fn a_check_is_told_before_words_and_a_critical_case_without_a_score_is_told() {
    let mut record = fixtures::failing();
    record.verdict.undecided_critical = vec!["line-items".to_owned()];
    let told = remarks(&record);
    let of = |title: &str| told.iter().find(|remark| remark.title == title).unwrap();
    assert!(
        of("total-simple")
            .message
            .ends_with("\ncheck is_json: not JSON at character 1")
    );
    assert!(
        of("line-items")
            .message
            .starts_with("Critical, and without a score")
    );
}

#[test]
fn whatever_the_texts_a_remark_is_bounded_and_has_nothing_hidden() {
    let mut record = fixtures::hostile_compared().record;
    record.results.cases.edit(|cases| {
        for case in cases {
            case.samples[0].votes[0].feedback = Some("\u{202e}long ".repeat(10_000));
        }
    });
    let told = remarks(&record);
    assert!(told.len() > 5);
    for remark in told {
        assert!(remark.title.chars().count() <= 120);
        assert!(remark.message.chars().count() <= 1_500);
        assert!(!(remark.title + &remark.message).contains(['\u{202e}', '\u{200b}', '\u{1b}', '\r']));
    }
}
