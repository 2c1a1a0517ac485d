//! Any bytes come in; the promises of what reads foreign text, and of what shows it, are held against them. A promise
//! stands beside what it is about (`promises.rs`); here each has the name of its fuzz target. Only the tests and
//! `cargo fuzz` build this; nothing goes out, a broken promise panics.

use std::path::Path;

use crate::{cycle, eval, gate, github, http, report, suite};

/// More than this is not looked at, in bytes: what is slow is slow long before.
pub const LARGEST: usize = 64 << 10;

/// The promises of one target, held against any bytes; a folder of its own is lent to those that need files.
pub type Promises = fn(&[u8], &Path);

/// What is fuzzed, by the name of its target.
pub const TARGETS: [(&str, Promises); 7] = [
    ("gate", |data, _| gate(data)),
    ("journal", |data, _| journal(data)),
    ("judge_reply", |data, _| judge_reply(data)),
    ("log_line", |data, _| log_line(data)),
    ("markdown", |data, _| markdown(data)),
    ("retry_after", |data, _| retry_after(data)),
    ("suite", suite),
];

/// The reader of a gate's requirement.
pub fn gate(data: &[u8]) {
    if let Some(text) = text(data) {
        gate::promises::of_a_requirement(text);
    }
}

/// The reader of a journal.
pub fn journal(data: &[u8]) {
    if data.len() <= LARGEST {
        cycle::journal::promises::of_a_journal(data);
    }
}

/// The reader of a judge's reply: the reply, a line with `%%%` alone, the answer that is judged.
pub fn judge_reply(data: &[u8]) {
    if let Some(text) = text(data) {
        let (reply, answer) = text.split_once("\n%%%\n").unwrap_or((text, ""));
        eval::verdict_promises::of_a_reply(reply, answer);
    }
}

/// What is escaped for the log of GitHub's runner.
pub fn log_line(data: &[u8]) {
    if let Some(text) = text(data) {
        github::promises::of_a_text(text);
    }
}

/// What is escaped for the report.
pub fn markdown(data: &[u8]) {
    if let Some(text) = text(data) {
        report::markdown_promises::of_a_text(text);
    }
}

/// The reader of `Retry-After`: the header, and on a second line the `Date` beside it.
pub fn retry_after(data: &[u8]) {
    if data.len() <= LARGEST {
        http::pause_promises::of_headers(data);
    }
}

/// The reader of suites and of their gates: the suite, a line `%%% cases.jsonl`, that file, and so on.
pub fn suite(data: &[u8], folder: &Path) {
    if data.len() > LARGEST {
        return;
    }
    let mut reading = suite::promises::of_files(folder, data);
    let known = gate::Known {
        tags: &reading.tags,
        ids: &reading.ids,
        all_tags: reading.all_tags,
        all_ids: reading.all_ids,
        holdout: reading.holdout,
        critical: reading.critical,
        cases: reading.suite.as_ref().map(|suite| suite.cases.as_slice()),
    };
    let faults = gate::check(&reading.gates, &known);
    if !reading.refused()
        && faults
            .iter()
            .any(|fault| fault.severity == suite::Severity::Error)
    {
        reading.suite = None;
    }
    reading.tell(faults);
    suite::promises::of_a_reading(&reading, &folder.to_string_lossy());
}

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data)
        .ok()
        .filter(|text| text.len() <= LARGEST)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::TARGETS;

    fn below(folder: &str) -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder);
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn names(folder: &str) -> BTreeSet<String> {
        let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        below(folder).into_iter().map(stem).collect()
    }

    #[test]
    fn every_target_has_its_promises_and_its_corpus() {
        let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names("fuzz_targets"), targets);
        assert_eq!(names("corpus"), targets);
    }

    #[test]
    fn what_fuzzing_found_worth_keeping_holds() {
        let folder = tempfile::tempdir().unwrap();
        for (name, promises) in TARGETS {
            let corpus = below(&format!("corpus/{name}"));
            assert!(corpus.len() >= 10, "{name}: {}", corpus.len());
            for path in corpus {
                // Shown by the test's harness where the promises panic.
                println!("{}", path.display());
                promises(&fs::read(&path).unwrap(), folder.path());
            }
        }
    }
}
