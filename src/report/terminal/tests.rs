//! What a person sees, and that a foreign text can do nothing to the terminal or the runner.

use super::*;
use crate::report::fixtures;

#[test]
fn a_launched_run() {
    insta::assert_snapshot!(terminal(&fixtures::passing(), &Around::default(), 110, false));
}

#[test]
fn a_failing_run_with_vetoes_and_unscored_cases() {
    insta::assert_snapshot!(terminal(&fixtures::failing(), &Around::default(), 110, false));
}

#[test]
fn an_incomplete_run_that_was_taken_up_again() {
    insta::assert_snapshot!(terminal(&fixtures::incomplete(), &Around::default(), 110, false));
}

#[test]
fn a_dry_run_on_the_emulator_in_a_narrow_terminal() {
    insta::assert_snapshot!(terminal(&fixtures::dry_run(), &Around::default(), 72, false));
}

#[test]
fn a_hostile_run() {
    insta::assert_snapshot!(terminal(&fixtures::hostile(), &Around::default(), 110, false));
}

#[test]
fn no_line_of_a_hostile_run_is_a_command_or_too_long() {
    for width in [40, 80, 110] {
        for line in terminal(&fixtures::hostile(), &Around::default(), width, false).lines() {
            assert!(!line.trim_start().starts_with("::"), "{line}");
            assert!(!line.contains("##["), "{line}");
            assert!(!line.contains(char::is_control), "{line:?}");
        }
        // Sentences wrap at spaces alone, tables are cut.
        for line in terminal(&fixtures::failing(), &Around::default(), width, false)
            .lines()
            .skip(1)
        {
            assert!(line.chars().count() <= width, "{line}");
        }
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let strip = |text: &str| {
        let mut out = String::new();
        let mut parts = text.split('\u{1b}');
        out.extend(parts.next());
        parts.for_each(|part| out.push_str(part.split_once('m').map_or("", |(_, rest)| rest)));
        out
    };
    for record in fixtures::all() {
        let coloured = terminal(&record, &Around::default(), 100, true);
        assert!(coloured.contains("\u{1b}["));
        assert_eq!(
            strip(&coloured),
            terminal(&record, &Around::default(), 100, false)
        );
    }
}

fn differences_of(compared: &fixtures::Compared, width: usize, colour: bool) -> String {
    crate::report::diff_terminal(&compared.record, &compared.around(), width, colour)
}

#[test]
fn the_differences_of_a_run_that_is_worse() {
    insta::assert_snapshot!(differences_of(&fixtures::worse(), 110, false));
}

#[test]
fn differences_that_nobody_claims() {
    insta::assert_snapshot!(differences_of(&fixtures::incomparable(), 80, false));
}

#[test]
fn the_section_against_the_baseline() {
    let compared = fixtures::worse();
    let page = terminal(&compared.record, &compared.around(), 110, false);
    let (_, from) = page.split_once("\nAgainst the baseline\n").unwrap();
    insta::assert_snapshot!(from.split("\nScores\n").next().unwrap());
    let mut record = fixtures::passing();
    record.results.without_baseline = Some("no earlier run".to_owned());
    assert!(terminal(&record, &Around::default(), 80, false).contains("no baseline: no earlier run"));
}

#[test]
fn no_line_of_hostile_differences_is_a_command_or_moves_the_cursor() {
    let compared = fixtures::hostile_compared();
    for text in [
        differences_of(&compared, 80, false),
        terminal(&compared.record, &compared.around(), 80, false),
    ] {
        for line in text.lines() {
            assert!(!line.trim_start().starts_with("::"), "{line}");
            assert!(!line.contains("##["), "{line}");
            assert!(!line.contains(char::is_control), "{line:?}");
        }
    }
}
