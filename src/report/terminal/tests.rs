//! What a person sees, and that a foreign text can do nothing to the terminal or the runner.

use super::*;
use crate::report::fixtures;

#[test]
fn a_launched_run() {
    insta::assert_snapshot!(terminal(&fixtures::passing(), 110, false));
}

#[test]
fn a_failing_run_with_vetoes_and_unscored_cases() {
    insta::assert_snapshot!(terminal(&fixtures::failing(), 110, false));
}

#[test]
fn an_incomplete_run_that_was_taken_up_again() {
    insta::assert_snapshot!(terminal(&fixtures::incomplete(), 110, false));
}

#[test]
fn a_dry_run_on_the_emulator_in_a_narrow_terminal() {
    insta::assert_snapshot!(terminal(&fixtures::dry_run(), 72, false));
}

#[test]
fn a_hostile_run() {
    insta::assert_snapshot!(terminal(&fixtures::hostile(), 110, false));
}

#[test]
fn no_line_of_a_hostile_run_is_a_command_or_too_long() {
    for width in [40, 80, 110] {
        for line in terminal(&fixtures::hostile(), width, false).lines() {
            assert!(!line.trim_start().starts_with("::"), "{line}");
            assert!(!line.contains("##["), "{line}");
            assert!(!line.contains(char::is_control), "{line:?}");
        }
        // Sentences wrap at spaces alone, tables are cut.
        for line in terminal(&fixtures::failing(), width, false).lines().skip(1) {
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
        let coloured = terminal(&record, 100, true);
        assert!(coloured.contains("\u{1b}["));
        assert_eq!(strip(&coloured), terminal(&record, 100, false));
    }
}
