//! The files that a report ends in: `results.json` with its schema and its documentation, and the
//! runner's output and summary.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tunegate::github::{Appended, Runner, SUMMARY_LIMIT_BYTES};
use tunegate::report::{self, Record};

const DOCUMENT: &str = include_str!("../../docs/results.md");

/// The whole file that the documentation shows.
fn documented() -> &'static str {
    let (_, from) = DOCUMENT.split_once("```json\n").unwrap();
    from.split_once("\n```").unwrap().0
}

fn record() -> Record {
    report::read_json(documented().as_bytes()).unwrap()
}

fn schema() -> Value {
    serde_json::to_value(report::json_schema()).unwrap()
}

#[test]
fn the_documented_file_is_read_and_is_valid() {
    let record = record();
    assert_eq!(record.results.cases.get(0).unwrap().id, "total-simple");
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(&serde_json::from_str(documented()).unwrap())
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_checked_in_schema_is_the_generated_one() {
    let generated = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    let checked_in = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/results.v1.json");
    if fs::read_to_string(checked_in).unwrap_or_default() != generated {
        let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("results.v1.json");
        fs::write(&fresh, generated).unwrap();
        panic!(
            "schema/results.v1.json is out of date: run `cargo run -- schema results > schema/results.v1.json`, or take {}",
            fresh.display()
        );
    }
}

#[test]
fn every_field_and_word_of_the_schema_is_documented() {
    fn names(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::Object(properties)) = map.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                for words in ["const", "enum"].iter().filter_map(|key| map.get(*key)) {
                    let words = words
                        .as_array()
                        .map_or(std::slice::from_ref(words), Vec::as_slice);
                    found.extend(words.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                map.values().for_each(|value| names(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| names(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    names(&schema(), &mut found);
    assert!(found.len() > 100, "the schema was walked");
    let missing: Vec<&String> = found
        .iter()
        .filter(|name| !DOCUMENT.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "docs/results.md does not explain {missing:?}");
}

#[test]
fn a_results_file_goes_to_disk_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("results.json");
    let record = record();
    let mut file = BufWriter::new(File::create(&path).unwrap());
    report::write_json(&record, &mut file).unwrap();
    file.flush().unwrap();
    let back = report::read_json(BufReader::new(File::open(&path).unwrap())).unwrap();
    assert_eq!(back, record);

    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    let error = report::read_json(File::open(&path).unwrap())
        .unwrap_err()
        .to_string();
    assert!(error.contains("not complete JSON"), "{error}");
}

/// A runner whose files stand in a folder of their own.
struct Files {
    _folder: tempfile::TempDir,
    output: PathBuf,
    summary: PathBuf,
    runner: Runner,
}

impl Files {
    fn new() -> Files {
        let folder = tempfile::tempdir().unwrap();
        let (output, summary) = (folder.path().join("output"), folder.path().join("summary"));
        let runner = Runner::new(Some(output.clone()), Some(summary.clone()));
        Files {
            _folder: folder,
            output,
            summary,
            runner,
        }
    }

    /// The outputs as the runner reads them.
    fn outputs(&self) -> Vec<(String, String)> {
        let text = fs::read_to_string(&self.output).unwrap();
        let mut lines = text.split('\n');
        let mut outputs = Vec::new();
        while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
            let (name, delimiter) = line.split_once("<<").unwrap();
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
            outputs.push((name.to_owned(), value.join("\n")));
        }
        outputs
    }
}

#[test]
fn outputs_are_read_as_they_were_written() {
    let files = Files::new();
    let values = [
        ("result", "pass"),
        ("mean", ""),
        ("job-id", "7c9e\nresult<<EOF\nforged\nEOF"),
        ("traces", "tunegate_\ntunegate_0\n\n"),
        ("report-dir", "a=b\r\n::set-output name=x::y%0A"),
    ];
    for (name, value) in values {
        files.runner.append_output(name, value).unwrap();
    }
    let want: Vec<(String, String)> = values
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    assert_eq!(files.outputs(), want);
}

#[test]
fn an_output_begins_its_own_line() {
    let files = Files::new();
    fs::write(&files.output, "other<<X\nvalue\nX").unwrap();
    files.runner.append_output("result", "pass").unwrap();
    assert_eq!(files.outputs().len(), 2);
}

#[test]
fn a_summary_never_crosses_githubs_limit() {
    let limit = usize::try_from(SUMMARY_LIMIT_BYTES).unwrap();
    let append = |taken: usize, bytes: usize| {
        let files = Files::new();
        fs::write(&files.summary, "x".repeat(taken)).unwrap();
        let appended = files
            .runner
            .append_summary(&"y".repeat(bytes), "short\n")
            .unwrap();
        (appended, fs::metadata(&files.summary).unwrap().len())
    };
    assert_eq!(append(0, 100), (Appended::Whole, 100));
    // The break after the line that stands there already counts too.
    assert_eq!(
        append(1_000, limit - 1_001),
        (Appended::Whole, SUMMARY_LIMIT_BYTES)
    );
    assert_eq!(append(1_000, limit - 1_000), (Appended::Fallback, 1_007));
    assert_eq!(
        append(limit - 3, 100),
        (Appended::Nothing, SUMMARY_LIMIT_BYTES - 3)
    );
    assert_eq!(
        append(limit + 3, 100),
        (Appended::Nothing, SUMMARY_LIMIT_BYTES + 3)
    );
}

#[test]
fn a_report_is_made_to_fit_what_room_there_is() {
    let files = Files::new();
    let mut record = record();
    let case = record.results.cases.get(0).unwrap();
    for n in 0..400 {
        let mut case = case.clone();
        case.id = format!("case-{n}");
        case.samples[0].answer = Some("answer ".repeat(2_000));
        record.figures.cases.push(
            serde_json::from_value(serde_json::json!({
                "id": case.id, "critical": false, "score": 0.2, "passed": false, "samples_scored": 1, "samples_failed": 1,
            }))
            .unwrap(),
        );
        record.results.cases.push(&case);
    }
    fs::write(&files.summary, "x".repeat(1_000_000)).unwrap();
    let room = usize::try_from(files.runner.summary_room().unwrap().unwrap()).unwrap();
    assert!(
        report::markdown(&record, &report::Around::default()).len() > room,
        "otherwise this shows nothing"
    );
    let page = report::markdown_within(&record, &report::Around::default(), room);
    assert_eq!(files.runner.append_summary(&page, "").unwrap(), Appended::Whole);
    assert!(page.contains("not shown; all are in results.json"));
}

#[test]
fn a_missing_folder_is_told_with_its_path() {
    let runner = Runner::new(Some("/nonexistent/folder/output".into()), None);
    let error = runner.append_output("result", "pass").unwrap_err().to_string();
    assert!(error.contains("/nonexistent/folder/output"), "{error}");
}

#[test]
fn a_comment_stays_within_its_limit_and_says_why_there_is_no_baseline() {
    let mut record = record();
    record.results.baseline = None;
    record.comparison = None;
    record.results.without_baseline = Some("no run of @main has an artifact of this suite".to_owned());
    let around = report::Around {
        url: Some("https://github.example/acme/invoices/actions/runs/7"),
        ..report::Around::default()
    };
    let page = report::comment(&record, &around, report::COMMENT_LIMIT);
    assert!(
        page.contains("**No baseline:** No run of `@main` has an artifact of this suite."),
        "{page}"
    );
    assert!(page.contains("[the run](https://github.example/acme/invoices/actions/runs/7)"));
    for limit in [0, 10, 300, 2_000] {
        assert!(report::comment(&record, &around, limit).len() <= limit);
        assert!(report::diff_markdown(&record, &around, limit).len() <= limit);
    }
    let mut json = Vec::new();
    report::diff_json(&record, &around, &mut json).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        json["without_baseline"],
        "no run of @main has an artifact of this suite"
    );
    assert!(report::diff_terminal(&record, &around, 80, false).contains("no baseline: no run of @main"));
}
