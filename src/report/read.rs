//! A `results.json` → a [`Record`], or what is wrong with the file.
//!
//! The file may come from another run, another version or another hand: its size is bounded, its version
//! is looked at before its shape, and no score in it is believed that no judge could have given.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use thiserror::Error;

use super::Record;
use super::text::line;
use crate::results::{CaseResult, Results, VERSION, Vote, VoteOutcome};

/// Larger files are refused: 1 GiB. 100,000 cases with answers of 3,000 characters take half of it.
pub const MAX_RESULTS_BYTES: u64 = 1024 * 1024 * 1024;
/// Of a file so much is read at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// Why a file is no record that this build can work with.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file could not be read to its end.
    #[error("can't read the results: {0}")]
    Io(#[from] io::Error),
    /// The file is larger than [`MAX_RESULTS_BYTES`].
    #[error("the results are larger than {} MiB, which is more than is read; split the suite", .limit / (1024 * 1024))]
    TooLarge {
        /// The most that is read.
        limit: u64,
    },
    /// The file is not JSON, or not to its end.
    #[error("the results are not complete JSON ({fault}); was the run that wrote them cut short?")]
    NotJson {
        /// What the parser says, with line and column.
        fault: String,
    },
    /// JSON, and not written by this program.
    #[error(
        "this is not a results.json of tunegate: {missing}; give the file that `tunegate run` or `tunegate eval` wrote"
    )]
    NotOurs {
        /// What a results file has and this one lacks.
        missing: &'static str,
    },
    /// Written by a later version of the program.
    #[error(
        "the results have format version {found} (written by tunegate {tool}) and this build reads version {VERSION}; use tunegate {tool} or later"
    )]
    Newer {
        /// The file's version.
        found: u64,
        /// The version of the program that wrote it.
        tool: String,
    },
    /// The version is right and the shape is not.
    #[error(
        "the results do not have the shape of format version {VERSION} ({fault}); were they changed by hand?"
    )]
    Shape {
        /// What is missing or wrong, with line and column.
        fault: String,
    },
    /// The shape is right and the content can't be.
    #[error("the results can't be right: {fault}; were they changed by hand?")]
    Content {
        /// What can't be, and of which case.
        fault: String,
    },
}

/// Only what tells whose file it is.
#[derive(Deserialize)]
struct Head {
    version: Option<u64>,
    tool: Option<HeadTool>,
}

#[derive(Deserialize)]
struct HeadTool {
    name: Option<String>,
    version: Option<String>,
}

/// Reads a record, at most [`MAX_RESULTS_BYTES`] of it, which are held while it is read. A file is better given to
/// [`read_json_file`].
///
/// # Errors
/// See [`ReadError`].
pub fn read_json(from: impl Read) -> Result<Record, ReadError> {
    read_bounded(from, MAX_RESULTS_BYTES)
}

/// Reads a record from a file of at most [`MAX_RESULTS_BYTES`], case by case: of its text no more is held than a buffer.
///
/// # Errors
/// See [`ReadError`].
pub fn read_json_file(file: File) -> Result<Record, ReadError> {
    // What can be read but once has to be held.
    match file.metadata()?.is_file() {
        true => read_streaming(file, MAX_RESULTS_BYTES),
        false => read_json(file),
    }
}

fn read_bounded(from: impl Read, limit: u64) -> Result<Record, ReadError> {
    let mut bytes = Vec::new();
    from.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    read_streaming(Cursor::new(bytes), limit)
}

/// The record is read at once, as most of what is read is one. Of what is none it is found out what it is instead.
fn read_streaming(mut from: impl Read + Seek, limit: u64) -> Result<Record, ReadError> {
    if from.seek(SeekFrom::End(0))? > limit {
        return Err(ReadError::TooLarge { limit });
    }
    let record: Record = match parsed(&mut from, limit)? {
        Ok(record) => record,
        Err(fault) if fault.is_io() => return Err(ReadError::Io(fault.into())),
        Err(fault) => {
            check_head(&mut from, limit)?;
            return Err(ReadError::Shape {
                fault: line(&fault.to_string(), 300),
            });
        }
    };
    let Results { version, tool, .. } = &record.results;
    check_writer((*version).into(), Some(&tool.name), Some(&tool.version))?;
    check_content(&record)?;
    Ok(record)
}

fn parsed<T: DeserializeOwned>(
    from: &mut (impl Read + Seek),
    limit: u64,
) -> io::Result<serde_json::Result<T>> {
    from.rewind()?;
    let from = BufReader::with_capacity(BUFFER_BYTES, from.take(limit));
    Ok(serde_json::from_reader(from))
}

fn check_head(from: &mut (impl Read + Seek), limit: u64) -> Result<(), ReadError> {
    parsed::<IgnoredAny>(from, limit)?.map_err(|e| ReadError::NotJson {
        fault: line(&e.to_string(), 300),
    })?;
    let head: Head = parsed(from, limit)?.map_err(|_| not_ours(NO_HEAD))?;
    let (Some(version), Some(tool)) = (head.version, head.tool) else {
        return Err(not_ours(NO_HEAD));
    };
    check_writer(version, tool.name.as_deref(), tool.version.as_deref())
}

/// What a file of others lacks.
const NO_HEAD: &str = "it has no `version` and `tool` at its top";

fn not_ours(missing: &'static str) -> ReadError {
    ReadError::NotOurs { missing }
}

fn check_writer(version: u64, name: Option<&str>, tool: Option<&str>) -> Result<(), ReadError> {
    if name != Some("tunegate") {
        return Err(not_ours("its `tool.name` is not `tunegate`"));
    }
    match version {
        0 => Err(not_ours("its `version` is 0")),
        v if v > u64::from(VERSION) => Err(ReadError::Newer {
            found: v,
            tool: line(tool.unwrap_or("?"), 40),
        }),
        _ => Ok(()),
    }
}

/// What serde can't see: figures and gates are computed from these numbers, and a job is launched by them.
fn check_content(record: &Record) -> Result<(), ReadError> {
    let mut ids = HashSet::new();
    let tells_of_cached = record.results.run.cached.is_some();
    for case in &record.results.cases {
        // What is of another day is told by what the run says of it.
        let untold = (!tells_of_cached && case.has_cached())
            .then_some("has a reply from the cache, and the run says nothing of any");
        let fault = case_fault(&case).or(untold);
        let (id, new) = (line(&case.id, 80), ids.insert(case.id.into_boxed_str()));
        let fault = if new { fault } else { Some("stands there twice") };
        if let Some(fault) = fault {
            return Err(ReadError::Content {
                fault: format!("case {id:?} {fault}"),
            });
        }
    }
    for case in record
        .results
        .baseline
        .iter()
        .flat_map(|baseline| &baseline.cases)
    {
        let share = |n: f64| (0.0..=1.0).contains(&n);
        if !case.score.is_none_or(share) || !share(case.pass_score) {
            return Err(ReadError::Content {
                fault: format!(
                    "case {:?} of the baseline has a score outside 0..1",
                    line(&case.id, 80)
                ),
            });
        }
    }
    Ok(())
}

fn case_fault(case: &CaseResult) -> Option<&'static str> {
    let share = |n: f64| (0.0..=1.0).contains(&n);
    let forged = |vote: &Vote| match vote.outcome {
        VoteOutcome::Scored => !vote.score.is_some_and(share),
        VoteOutcome::Unparseable | VoteOutcome::Failed | VoteOutcome::NotAsked => vote.score.is_some(),
    };
    if !(case.weight.is_finite() && case.weight > 0.0) {
        Some("has a weight that is not above 0")
    } else if !share(case.pass_score) {
        Some("has a pass score outside 0..1")
    } else if case.samples.iter().flat_map(|sample| &sample.votes).any(forged) {
        Some("has a vote whose score does not fit its outcome or is outside 0..1")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;
    use serde_json::{Value, json};

    fn read(change: impl FnOnce(&mut Value)) -> Result<Record, String> {
        let mut value = serde_json::to_value(fixtures::passing()).unwrap();
        change(&mut value);
        read_json(value.to_string().as_bytes()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_newer_version_is_told_whatever_its_shape() {
        let text =
            r#"{"version": 2, "tool": {"name": "tunegate", "version": "3.1.0"}, "cases": "elsewhere"}"#;
        let error = read_json(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            error,
            "the results have format version 2 (written by tunegate 3.1.0) and this build reads version 1; \
             use tunegate 3.1.0 or later"
        );
    }

    #[test]
    fn no_reply_of_another_day_goes_untold() {
        let mark = json!({"at": "2026-11-20T00:00:00Z", "latency_ms": 1});
        for pointer in ["/cases/0/samples/0/cached", "/cases/0/samples/0/votes/0/cached"] {
            let marked = |value: &mut Value| {
                let (parent, key) = pointer.rsplit_once('/').unwrap();
                value.pointer_mut(parent).unwrap()[key] = mark.clone();
            };
            let error = read(marked).unwrap_err();
            assert!(error.contains("the run says nothing of any"), "{error}");
            let told = read(|value| {
                marked(value);
                value["run"]["cached"] = json!({"answers": 1, "of_answers": 1, "judgements": 1, "of_judgements": 1,
                    "oldest": "2026-11-20T00:00:00Z"});
            });
            assert!(told.is_ok(), "{told:?}");
        }
    }

    #[test]
    fn files_of_others_are_told_apart_from_broken_ones() {
        let error = |text: &str| read_json(text.as_bytes()).unwrap_err();
        for text in [
            "[]",
            "3",
            "{}",
            r#"{"version": "1.0"}"#,
            r#"{"version": 1, "tool": {"name": "eslint"}}"#,
        ] {
            assert!(
                matches!(error(text), ReadError::NotOurs { .. }),
                "{text}: {}",
                error(text)
            );
        }
        for text in ["", "{", "name: x", r#"{"version": 1"#] {
            assert!(
                matches!(error(text), ReadError::NotJson { .. }),
                "{text}: {}",
                error(text)
            );
        }
        let deep = "[".repeat(100_000);
        assert!(matches!(error(&deep), ReadError::NotJson { .. }));
    }

    #[test]
    fn a_wrong_shape_is_told_with_its_line() {
        let mut text = Vec::new();
        crate::report::write_json(&fixtures::passing(), &mut text).unwrap();
        let text = String::from_utf8(text)
            .unwrap()
            .replacen("\"started_at\"", "\"begun_at\"", 1);
        let error = read_json(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("missing field `started_at` at line"), "{error}");
    }

    #[test]
    fn fields_of_later_builds_are_passed_over() {
        assert!(read(|v| v["added_later"] = json!([1])).is_ok());
    }

    #[test]
    fn numbers_that_no_judge_gave_are_refused() {
        let vote = "/cases/0/samples/0/votes/0";
        let at = |v: &mut Value, path: &str, to: Value| *v.pointer_mut(path).unwrap() = to;
        for forged in [json!(1.5), json!(-0.1), json!(null)] {
            let error = read(|v| at(v, &format!("{vote}/score"), forged)).unwrap_err();
            assert!(error.contains("outside 0..1"), "{error}");
        }
        assert!(read(|v| at(v, &format!("{vote}/outcome"), json!("failed"))).is_err());
        assert!(read(|v| at(v, "/cases/0/weight", json!(-3.0))).is_err());
        assert!(read(|v| at(v, "/cases/0/pass_score", json!(7.0))).is_err());
        let twice = read(|v| {
            let id = v["cases"][0]["id"].clone();
            v["cases"][1]["id"] = id;
        });
        assert!(twice.unwrap_err().contains("stands there twice"));
    }

    #[test]
    fn a_newer_version_of_the_same_shape_is_told_as_well() {
        let error = read(|v| v["version"] = json!(2)).unwrap_err();
        assert!(error.contains("format version 2"), "{error}");
        let error = read(|v| v["tool"]["name"] = json!("eslint")).unwrap_err();
        assert!(error.contains("is not `tunegate`"), "{error}");
        assert!(read(|v| v["version"] = json!(0)).is_err());
    }

    #[test]
    fn a_file_reads_as_its_text_does() {
        let mut file = tempfile::tempfile().unwrap();
        let record = fixtures::large(300, 2_000);
        crate::report::write_json(&record, &mut file).unwrap();
        assert_eq!(read_json_file(file.try_clone().unwrap()).unwrap(), record);
        io::Write::write_all(&mut file, b"{").unwrap();
        let error = read_json_file(file.try_clone().unwrap()).unwrap_err();
        assert!(matches!(error, ReadError::NotJson { .. }), "{error}");
        file.set_len(MAX_RESULTS_BYTES + 1).unwrap();
        let error = read_json_file(file).unwrap_err();
        assert!(matches!(error, ReadError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn size_is_bounded() {
        let endless = io::repeat(b' ');
        assert!(matches!(
            read_bounded(endless, 1000),
            Err(ReadError::TooLarge { limit: 1000 })
        ));
    }

    #[test]
    fn a_score_of_the_baseline_that_no_judge_gave_is_refused() {
        let mut record = fixtures::worse().record;
        record.results.baseline.as_mut().unwrap().cases[3].score = Some(1.5);
        let error = read_json(serde_json::to_vec(&record).unwrap().as_slice()).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("case \"due-date\" of the baseline has a score outside 0..1")
        );
    }
}
