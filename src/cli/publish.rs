//! What a run leaves behind: the files of each suite's folder, the step's summary and outputs, and what
//! standard output gets.

use std::io::{BufWriter, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::Context;

use super::environment::{Environment, GitHub};
use super::exit::{self, Exit};
use super::frame::Frame;
use super::options::Format;
use super::output::Screen;
use super::{annotate, outputs, trend};
use crate::cycle::Outcome;
use crate::gate::Decision;
use crate::github::{self, Appended, Runner};
use crate::history;
use crate::report::{self, Record};
use crate::shards::Shard;

/// A suite that is through, its folder, and how it ended.
pub(crate) struct Publication {
    pub(crate) folder: PathBuf,
    pub(crate) record: Record,
    pub(crate) frame: Frame,
    pub(crate) exit: Exit,
}

impl Publication {
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.record.cycle.as_ref().map(|c| c.outcome)
    }
}

/// The folder in a suite's folder that has one for each of its shards.
const SHARDS: &str = "shards";
/// Bytes of the step's summary that a shard takes: the merged run has the whole of it.
const OF_A_SHARD: usize = 8_000;

/// Makes the suite's folder, or its shard's, and sees that files can be written to it, before anything is paid for.
pub(crate) fn prepare(output_dir: &Path, suite: &str, shard: Option<Shard>) -> anyhow::Result<PathBuf> {
    let mut parts = Path::new(suite).components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
        return Err(exit::usage(format!(
            "`{suite}` is no name for a folder: a suite never has such a name"
        )));
    }
    let mut folder = output_dir.join(suite);
    if let Some(shard) = shard {
        folder = folder.join(SHARDS).join(shard.folder());
    }
    let refusal = |error: std::io::Error| {
        exit::usage(format!(
            "can't write reports to {}: {error}; choose another --output-dir",
            folder.display()
        ))
    };
    std::fs::create_dir_all(&folder).map_err(refusal)?;
    for file in ["results.json", "summary.md", trend::FILE] {
        if folder.join(file).is_dir() {
            return Err(exit::usage(format!(
                "{} is a folder: move it away",
                folder.join(file).display()
            )));
        }
    }
    let probe = folder.join(".write-probe");
    std::fs::write(&probe, b"")
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(refusal)?;
    Ok(folder)
}

/// How a suite's run ends.
pub(crate) fn exit_of(record: &Record, interrupted: bool) -> Exit {
    use crate::results::StopKind;
    let shard = record.results.run.shard.is_some();
    match record.results.run.stopped.as_ref().map(|s| s.kind) {
        Some(StopKind::Interrupted) => return Exit::Interrupted,
        Some(StopKind::Unauthorized | StopKind::Unavailable) => return Exit::Service,
        Some(StopKind::Unrecorded) => return Exit::Usage,
        Some(StopKind::Deadline | StopKind::Budget) if shard => return Exit::Inconclusive,
        // Ended in order: the verdict says that it is incomplete.
        Some(StopKind::Deadline | StopKind::Budget) => {}
        None => {}
    }
    match record.cycle.as_ref().map(|c| c.outcome) {
        Some(Outcome::Stopped) if interrupted => return Exit::Interrupted,
        Some(Outcome::Stopped) => return Exit::Service,
        Some(Outcome::Launched | Outcome::NotLaunched | Outcome::Held | Outcome::DryRun) | None => {}
    }
    let all = &record.figures.overall;
    if all.cases > 0 && all.errors == all.cases && all.scored == 0 {
        // Every case met a failed call: the service was not there to be evaluated.
        return Exit::Service;
    }
    if shard {
        return Exit::Done;
    }
    match record.verdict.decision {
        Decision::Pass | Decision::Hold => Exit::Done,
        Decision::Fail => Exit::GateFailed,
        Decision::Inconclusive => Exit::Inconclusive,
    }
}

/// Writes the suite's files, each whole or not at all.
pub(crate) fn write(record: &Record, frame: &Frame, folder: &Path, screen: &Screen) -> anyhow::Result<()> {
    whole(&folder.join("results.json"), |file| {
        Ok(report::write_json(record, file)?)
    })?;
    whole(&folder.join("summary.md"), |file| {
        Ok(file.write_all(report::markdown(record, &frame.around()).as_bytes())?)
    })?;
    if frame.keeps_history && !frame.history.is_empty() {
        whole(&folder.join(trend::FILE), |file| {
            Ok(file.write_all(history::write(&frame.history).as_bytes())?)
        })?;
    }
    if screen.progress != super::output::Progress::Nothing {
        screen.note(&format!("report in {}", folder.display()));
    }
    Ok(())
}

/// Writes a file beside its name and moves it there, so that nobody reads half of one.
fn whole(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<std::fs::File>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let beside = path.with_extension("part");
    let written = std::fs::File::create(&beside)
        .map_err(anyhow::Error::from)
        .and_then(|file| {
            let mut file = BufWriter::new(file);
            fill(&mut file)?;
            file.flush()?;
            Ok(std::fs::rename(&beside, path)?)
        });
    written.with_context(|| format!("can't write {}", path.display()))
}

/// Shows what is done: on standard output, and to GitHub's runner where there is one.
pub(crate) fn publish(
    done: &[Publication],
    output_dir: &Path,
    format: Format,
    environment: &Environment,
    screen: &Screen,
) -> anyhow::Result<()> {
    let records: Vec<&Record> = done.iter().map(|p| &p.record).collect();
    match format {
        Format::Json => screen.json(|to| json(&records, to))?,
        Format::Text => {
            let mut text = String::new();
            for Publication { record, frame, .. } in done {
                text.push_str(&report::terminal(
                    record,
                    &frame.around(),
                    screen.columns,
                    screen.colour,
                ));
            }
            if records.len() > 1 {
                text.push_str(&report::total_terminal(&records, screen.columns, screen.colour));
            }
            if screen.github {
                text = github::fenced(&text);
            }
            screen.result(&text);
        }
    }
    if let Some(runner) = environment.github.as_ref().map(GitHub::runner) {
        summarize(&runner, done, &records, screen);
        if let Err(error) = outputs::set(&runner, done, output_dir) {
            screen.warn(&format!("the step's outputs could not be set: {error:#}"));
        }
    }
    annotate::remarks(done, format, screen);
    Ok(())
}

/// The same document as `results.json`; a list of them where there are several.
pub(crate) fn json(records: &[&Record], mut to: &mut dyn Write) -> std::io::Result<()> {
    match records {
        [only] => report::write_json(only, to),
        all => {
            serde_json::to_writer_pretty(&mut to, all)?;
            to.write_all(b"\n")
        }
    }
}

/// Appends to the step's summary. A missing summary is a missing nicety, no failure.
fn summarize(runner: &Runner, done: &[Publication], records: &[&Record], screen: &Screen) {
    let total = if records.len() > 1 {
        report::total_markdown(records)
    } else {
        String::new()
    };
    let room = runner.summary_room().ok().flatten().unwrap_or_default();
    let room = usize::try_from(room)
        .unwrap_or(usize::MAX)
        .min(report::MARKDOWN_LIMIT_BYTES);
    let share = room.saturating_sub(total.len()) / records.len().max(1);
    let mut text = total.clone();
    for Publication { record, frame, .. } in done {
        let most = match record.results.run.shard {
            Some(_) => share.min(OF_A_SHARD),
            None => share,
        };
        text.push_str(&report::markdown_within(
            record,
            &frame.around(),
            most.saturating_sub(1),
        ));
        text.push('\n');
    }
    let fallback = if total.is_empty() {
        report::total_markdown(records)
    } else {
        total
    };
    match runner.append_summary(&text, &fallback) {
        Ok(Appended::Whole | Appended::NoFile) => {}
        Ok(Appended::Fallback | Appended::Nothing) => {
            screen.warn("the step's summary had no room for the whole report; summary.md has it");
        }
        Err(error) => screen.warn(&format!("the step's summary could not be written: {error}")),
    }
}
