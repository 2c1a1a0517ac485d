//! `history`: the runs of a suite so far, as a trend.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::exit::{self, Exit};
use super::output::Screen;
use super::trend::FILE;
use crate::history::{self, Entry, Flaky, KEPT, SHOWN, Trend};
use crate::report;

/// Suites of an output folder that are shown, at most.
const SUITES: usize = 200;

/// The arguments of `history`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tunegate history                                  every suite in .tunegate
  tunegate history .tunegate/invoice-extraction     one of them
  tunegate history history.jsonl --last 10          a file that an artifact or a data branch had
  tunegate history --format markdown > trend.md
  tunegate history --format json | jq '.[].flaky'")]
pub(crate) struct Arguments {
    /// A history.jsonl, a suite's folder, or the output folder with every suite's
    #[arg(value_name = "PATH", env = "TUNEGATE_OUTPUT_DIR", default_value = ".tunegate")]
    paths: Vec<PathBuf>,
    /// The form of the trend
    #[arg(long, value_enum, env = "TUNEGATE_FORMAT", default_value_t = Form::Text)]
    format: Form,
    /// The newest runs that are shown
    #[arg(
        long,
        value_name = "N",
        default_value_t = SHOWN as u16,
        value_parser = clap::value_parser!(u16).range(1..=KEPT as i64)
    )]
    last: u16,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// For a terminal
    Text,
    /// As in the job summary
    Markdown,
    /// For a script: a list, an object per suite
    Json,
}

/// One suite's history, as a script gets it.
#[derive(Serialize)]
struct Document<'a> {
    /// The name of the suite's folder.
    suite: String,
    path: String,
    /// Those that the trend shows, the oldest first, without the verdicts of their cases.
    runs: Vec<Entry>,
    /// Older ones of the same kind.
    earlier: usize,
    /// Runs of the other kind (on the emulator, or real), which are left out.
    of_other_kind: usize,
    flaky: &'a [Flaky],
    /// Lines that can't be read.
    passed_over: usize,
}

pub(crate) fn main(arguments: &Arguments, screen: &Screen) -> anyhow::Result<Exit> {
    let mut files: Vec<PathBuf> = Vec::new();
    for path in &arguments.paths {
        for file in find(path)? {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    if files.len() > SUITES {
        screen.warn(&format!(
            "{} suites, of which the first {SUITES} are shown",
            files.len()
        ));
        files.truncate(SUITES);
    }
    let last = usize::from(arguments.last);
    let (mut text, mut documents) = (Vec::new(), Vec::new());
    for file in &files {
        let (entries, passed_over) = read(file)?;
        if passed_over > 0 {
            screen.warn(&format!(
                "{}: {passed_over} lines passed over: cut, of a later version, or not tunegate's",
                file.display()
            ));
        }
        let name = suite_of(file);
        match arguments.format {
            Form::Text => text.push(report::trend_terminal(
                &name,
                &entries,
                last,
                screen.columns,
                screen.colour,
            )),
            Form::Markdown => text.push(report::trend_markdown(
                &name,
                &entries,
                last,
                report::MARKDOWN_LIMIT_BYTES / files.len(),
            )),
            Form::Json => documents.push(document(name, file, &entries, passed_over, last)?),
        }
    }
    match arguments.format {
        Form::Text => {
            let text = text.join("\n");
            screen.result(&if screen.github {
                crate::github::fenced(&text)
            } else {
                text
            });
        }
        // It goes into a file more often than into the log, so there can be no fence around it.
        Form::Markdown => screen.result(&screen.inert(&text.join("\n"))),
        Form::Json => screen.json(|to| {
            serde_json::to_writer_pretty(&mut *to, &documents)?;
            to.write_all(b"\n")
        })?,
    }
    Ok(Exit::Done)
}

fn document(
    suite: String,
    file: &Path,
    entries: &[Entry],
    passed_over: usize,
    last: usize,
) -> anyhow::Result<serde_json::Value> {
    let trend = Trend::of(entries, last);
    let bare = |run: &&Entry| Entry {
        verdicts: std::collections::BTreeMap::new(),
        ..(**run).clone()
    };
    Ok(serde_json::to_value(Document {
        suite,
        path: file.display().to_string(),
        runs: trend.iter().flat_map(|trend| &trend.runs).map(bare).collect(),
        earlier: trend.as_ref().map_or(0, |trend| trend.earlier),
        of_other_kind: trend.as_ref().map_or(0, |trend| trend.of_other_kind),
        flaky: trend.as_ref().map_or(&[], |trend| &trend.flaky),
        passed_over,
    })?)
}

/// The histories that a path means: the file itself, the one in it, or those in its folders.
fn find(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let refusal = |error: std::io::Error| {
        exit::usage(format!(
            "can't read {}: {error}; give a history.jsonl, a suite's folder or the output folder of a run",
            path.display()
        ))
    };
    let there = std::fs::metadata(path).map_err(refusal)?;
    if !there.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    if path.join(FILE).is_file() {
        return Ok(vec![path.join(FILE)]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(refusal)? {
        let file = entry.map_err(refusal)?.path().join(FILE);
        if file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(exit::usage(format!(
            "no {FILE} in {} or in a folder of it; `tunegate run` and `tunegate eval` write one beside results.json, \
             unless `--history off` is set",
            path.display()
        )));
    }
    files.sort();
    Ok(files)
}

/// Reads the runs of a file, the oldest first, and how many of its lines were passed over. Of a large file the end.
///
/// # Errors
/// When it is no file, or can't be read.
pub(crate) fn read(path: &Path) -> anyhow::Result<(Vec<Entry>, usize)> {
    let refusal = |error: std::io::Error| exit::usage(format!("can't read {}: {error}", path.display()));
    // A pipe would be waited for, and a device has no end.
    if !std::fs::metadata(path).map_err(refusal)?.is_file() {
        return Err(exit::usage(format!(
            "can't read {}: it is no file",
            path.display()
        )));
    }
    let mut file = std::fs::File::open(path).map_err(refusal)?;
    let length = file.metadata().map_err(refusal)?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(history::MAX_BYTES)))
        .map_err(refusal)?;
    let mut bytes = Vec::new();
    file.take(history::MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(refusal)?;
    Ok(history::read(&bytes))
}

/// What a history is called: its folder is named for its suite.
fn suite_of(file: &Path) -> String {
    let whole = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let name = match file.file_name() {
        Some(name) if name == FILE => whole.parent().and_then(Path::file_name),
        _ => file.file_stem(),
    };
    name.map_or_else(
        || file.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}
