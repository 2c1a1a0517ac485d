//! Any bytes come in, as the files of a suite; what the room promises of reading them is held against what it does. For
//! the tests and for fuzzing: what was read goes out, a broken promise panics.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::tree::steers;
use super::{Reading, Severity, Suite, fingerprint, pattern, policy, read, render, schema_validator};

/// The file that is read.
const SUITE: &str = "suite.yaml";
/// The files that it may name.
const BESIDE: [&str; 5] = [
    "cases.yaml",
    "cases.jsonl",
    "judge.md",
    "schema.json",
    "more/cases.yaml",
];
/// Stands before the name of a file, on a line of its own; what follows is that file.
const MARK: &str = "%%% ";

/// Writes the files into a folder and reads the suite among them: twice the same, every fault in its place, and what
/// is accepted is in every range that is promised.
///
/// The bytes are the suite, up to a line `%%% name` that begins another file.
pub(crate) fn of_files(folder: &Path, data: &[u8]) -> Reading {
    let Some(text) = lay_out(folder, data) else {
        return read(folder);
    };
    let path = folder.join(SUITE);
    let reading = read(&path);
    is_the_same(&reading, &read(&path));
    of_a_reading(&reading, &folder.to_string_lossy());
    of_a_policy(&reading, &path, &text);
    if let Some(suite) = &reading.suite {
        of_a_suite(suite);
        stands_a_line_lower(&path, &text, suite);
    }
    reading
}

/// What is told of a suite, also by others.
pub(crate) fn of_a_reading(reading: &Reading, folder: &str) {
    assert_eq!(reading.suite.is_none(), reading.refused());
    assert!(reading.diagnostics.len() <= super::faults::SHOWN + 1);
    for fault in &reading.diagnostics {
        let help = fault.help.as_deref();
        for text in [fault.message.as_str()].into_iter().chain(help) {
            // A file is called by its path, which is as long as it is.
            assert!(
                !text.is_empty() && text.replace(folder, "").chars().count() <= 1_000,
                "{fault:?}"
            );
            assert!(!text.contains(steers), "{fault:?}");
        }
        let place = &fault.place;
        assert!(
            place.line >= 1 && place.column >= 1 && fault.length >= 1,
            "{fault:?}"
        );
        match reading.sources.line(&place.file, place.line) {
            Some(line) => {
                // What is missing at a line's end stands right behind it.
                let end = line.chars().count() + 1;
                let length = usize::try_from(fault.length).unwrap_or(usize::MAX);
                let column = usize::try_from(place.column).unwrap_or(usize::MAX);
                assert!(
                    column <= end && column - 1 + length <= end.max(2),
                    "{fault:?} in {line:?}"
                );
            }
            None => assert_eq!((place.line, place.column, fault.length), (1, 1, 1), "{fault:?}"),
        }
    }
    let shown = render(&reading.diagnostics, &reading.sources, false);
    assert_eq!(shown, render(&reading.diagnostics, &reading.sources, false));
    assert!(!shown.chars().any(|c| c != '\n' && steers(c)), "{shown:?}");
    assert_eq!(shown.is_empty(), reading.diagnostics.is_empty());
}

/// The texts of the files, into the folder; the suite's own is given back. None where a name is not one of ours.
fn lay_out(folder: &Path, data: &[u8]) -> Option<Vec<u8>> {
    let mut texts: Vec<(&str, Vec<u8>)> = vec![(SUITE, Vec::new())];
    for line in data.split_inclusive(|byte| *byte == b'\n') {
        let name = line.strip_prefix(MARK.as_bytes()).map(<[u8]>::trim_ascii_end);
        match BESIDE.iter().find(|known| name == Some(known.as_bytes())) {
            Some(name) => texts.push((name, Vec::new())),
            None => texts.last_mut()?.1.extend_from_slice(line),
        }
    }
    fs::create_dir_all(folder.join("more")).ok()?;
    for name in BESIDE
        .iter()
        .filter(|name| !texts.iter().any(|(known, _)| known == *name))
    {
        // Left over from before, or not there.
        fs::remove_file(folder.join(name)).unwrap_or_default();
    }
    for (name, text) in &texts {
        fs::write(folder.join(name), text).ok()?;
    }
    texts.into_iter().next().map(|(_, text)| text)
}

/// The gates by themselves are those of the suite; what is refused is told in bounded lines.
fn of_a_policy(reading: &Reading, path: &Path, text: &[u8]) {
    match (policy(&super::folder::shown(path), text), &reading.suite) {
        (Ok(gates), Some(suite)) => assert_eq!(gates, suite.gates),
        (Ok(gates), None) => assert_eq!(gates, reading.gates),
        (Err(told), suite) => {
            assert!(suite.is_none(), "{told}");
            assert!(!told.is_empty() && told.lines().count() <= 11, "{told}");
            assert!(!told.contains(|c| c != '\n' && steers(c)), "{told:?}");
        }
    }
}

fn is_the_same(one: &Reading, other: &Reading) {
    assert_eq!(one.diagnostics, other.diagnostics);
    assert_eq!(one.suite, other.suite);
    assert_eq!((&one.name, &one.name_place), (&other.name, &other.name_place));
    assert_eq!(
        (&one.gates, &one.tags, &one.ids),
        (&other.gates, &other.tags, &other.ids)
    );
    let may_be = |reading: &Reading| {
        (
            reading.all_tags,
            reading.all_ids,
            reading.holdout,
            reading.critical,
        )
    };
    assert_eq!(may_be(one), may_be(other));
}

fn of_a_suite(suite: &Suite) {
    let ids: BTreeSet<&str> = suite.cases.iter().map(|case| case.id.as_str()).collect();
    assert!(!suite.cases.is_empty() && ids.len() == suite.cases.len());
    assert!(!suite.name.is_empty() && !suite.name.contains(['/', '\\']) && !suite.name.starts_with('.'));
    let again = fingerprint::suite(&suite.name, &suite.judge, &suite.gates, &suite.cases);
    assert_eq!(suite.fingerprint, again);
    assert_eq!(suite.judge.fingerprint, fingerprint::judge(&suite.judge));
    let mut anchors = BTreeSet::new();
    for anchor in &suite.judge.anchors {
        let again = fingerprint::anchor(&anchor.question, &anchor.answer, anchor.reference.as_deref());
        assert_eq!(anchor.fingerprint, again);
        assert!(anchors.insert(&anchor.fingerprint) && anchors.len() <= 200);
        assert!(!anchor.question.trim().is_empty() && !anchor.answer.trim().is_empty());
        assert!((0.0..=1.0).contains(&anchor.expected) && anchor.tolerance > 0.0 && anchor.tolerance <= 1.0);
    }
    for case in &suite.cases {
        assert_eq!(case.fingerprint, fingerprint::case(case));
        let messages = &case.texts.read().messages;
        assert!(!messages.is_empty() && messages.iter().all(|message| !message.content.is_empty()));
        assert!(case.weight > 0.0 && case.weight.is_finite());
        assert!((0.0..=1.0).contains(&case.pass_score) && (1..=100).contains(&case.samples));
        let sampling = &case.parameters;
        assert!(sampling.temperature.is_none_or(|t| (0.0..=2.0).contains(&t)));
        assert!(sampling.top_p.is_none_or(|p| p > 0.0 && p <= 1.0));
        for check in case.checks.iter() {
            match check {
                super::Check::Regex(text) => assert!(pattern(text).is_ok()),
                super::Check::JsonSchema { schema, .. } => assert!(schema_validator(schema).is_ok()),
                super::Check::Similar { min, .. } => assert!((0.0..=1.0).contains(min)),
                _ => {}
            }
        }
    }
    assert!((1..=99).contains(&suite.cycle.split_percentage) && (1..=25).contains(&suite.judge.votes));
    assert!(suite.judge.temperature.is_finite());
}

/// A comment above everything changes no fingerprint, and no place but its line.
fn stands_a_line_lower(path: &Path, text: &[u8], suite: &Suite) {
    const MARK: &[u8] = "\u{FEFF}".as_bytes();
    let text = text.strip_prefix(MARK).unwrap_or(text);
    if fs::write(path, [b"# a note\n", text].concat()).is_err() {
        return;
    }
    let lower = read(path);
    assert!(
        lower
            .diagnostics
            .iter()
            .all(|fault| fault.severity == Severity::Warning),
        "{lower:?}"
    );
    let Some(lower) = lower.suite else { return };
    assert_eq!(lower.fingerprint, suite.fingerprint);
    let own = |place: &super::Place| *place.file == *path.to_string_lossy();
    for (lower, case) in lower.cases.iter().zip(&suite.cases) {
        let moved = u32::from(own(&case.place));
        assert_eq!(
            (lower.place.line, lower.place.column),
            (case.place.line + moved, case.place.column)
        );
    }
}
