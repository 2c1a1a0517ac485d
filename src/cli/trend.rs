//! A suite's runs so far, from the folder, from an earlier run's artifact or from the data branch; this run added to
//! them, in the folder's `history.jsonl` and on the data branch.

use std::path::Path;

use super::frame::Frame;
use super::hub::Hub;
use super::options::{ComparisonOptions, HistoryIn};
use super::output::Screen;
use super::publish::Publication;
use super::resume;
use crate::github::find_history;
use crate::history::{self, Entry};
use crate::report::Record;
use crate::suite::Suite;

/// The file in a suite's folder, and on the data branch in a folder of the suite's name.
pub(crate) const FILE: &str = "history.jsonl";
/// As much of a file on the data branch is read.
const LIMIT_BYTES: usize = history::MAX_BYTES as usize;

/// The runs that the folder tells of.
pub(crate) fn from_folder(frame: &mut Frame, folder: &Path, kept: HistoryIn, screen: &Screen) {
    frame.keeps_history = kept != HistoryIn::Off;
    if frame.keeps_history {
        frame.history = in_folder(folder, screen);
    }
}

fn in_folder(folder: &Path, screen: &Screen) -> Vec<Entry> {
    let path = folder.join(FILE);
    if matches!(path.try_exists(), Ok(false)) {
        return Vec::new();
    }
    match super::history::read(&path) {
        Ok(read) => readable(read, &path.display().to_string(), screen),
        Err(error) => {
            screen.warn(&format!("{error:#}: the history begins anew"));
            Vec::new()
        }
    }
}

/// The runs that could be read; that some could not is told.
fn readable((entries, unread): (Vec<Entry>, usize), from: &str, screen: &Screen) -> Vec<Entry> {
    if unread > 0 {
        screen.note(&format!(
            "{from}: {unread} lines of the history can't be read and are left out"
        ));
    }
    entries
}

/// The runs that GitHub keeps; where it has none or does not say, those that the folder tells of.
pub(crate) async fn look(
    frame: &mut Frame,
    suite: &Suite,
    folder: &Path,
    options: &ComparisonOptions,
    hub: &mut Hub,
    screen: &Screen,
) {
    from_folder(frame, folder, options.history, screen);
    let found = match options.history {
        HistoryIn::Off => return,
        HistoryIn::Artifact => in_artifact(suite, options, hub).await,
        HistoryIn::Branch => on_branch(suite, &options.history_branch, hub).await,
    };
    match found {
        Ok(Some(bytes)) => frame.history = readable(history::read(&bytes), "GitHub", screen),
        Ok(None) => {}
        Err(why) => {
            screen.note(&format!("{}: the earlier runs are not known: {why}", suite.name));
            // A history of this run alone would be the newest, and the next run would go on with it: without one the
            // next run finds those before.
            frame.keeps_history = !frame.history.is_empty();
        }
    }
}

async fn in_artifact(
    suite: &Suite,
    options: &ComparisonOptions,
    hub: &mut Hub,
) -> Result<Option<Vec<u8>>, String> {
    let api = hub.api()?;
    let query = hub.query(&suite.name, options.baseline_workflow.as_deref())?;
    Ok(hub.ask(find_history(&api, &query)).await?)
}

async fn on_branch(suite: &Suite, branch: &str, hub: &mut Hub) -> Result<Option<Vec<u8>>, String> {
    let api = hub.api()?;
    let path = on_data_branch(&suite.name);
    Ok(hub.ask(api.file(&path, branch, LIMIT_BYTES)).await?)
}

fn on_data_branch(suite: &str) -> String {
    format!("{suite}/{FILE}")
}

/// The line of a run. One that ended without an answer of its own has none: the next attempt may.
fn line(record: &Record) -> Option<Entry> {
    let Record {
        results,
        figures,
        comparison,
        verdict,
        cycle,
    } = record;
    let told = resume::may_harvest(record);
    told.then(|| history::entry(results, figures, comparison.as_ref(), verdict, cycle.as_ref()))
}

/// Adds a run to what is known of those before it.
pub(crate) fn add(frame: &mut Frame, record: &Record) {
    if !frame.keeps_history {
        return;
    }
    if let Some(entry) = line(record) {
        frame.history = history::append(std::mem::take(&mut frame.history), entry);
    }
}

/// Adds the runs to the data branch. What somebody proposes is no part of the suite's history until it is merged. The errors are for a person, one for each suite.
pub(crate) async fn keep(done: &[Publication], branch: &str, hub: &mut Hub) -> Vec<String> {
    let mut failed = Vec::new();
    if hub.proposes() {
        return failed;
    }
    for publication in done {
        let Some(entry) = line(&publication.record) else {
            continue;
        };
        let suite = &publication.record.results.suite.name;
        if let Err(why) = change(suite, &entry, branch, hub).await {
            failed.push(format!(
                "{suite}: this run is not in the history on the branch {branch}: {why}"
            ));
        }
    }
    failed
}

async fn change(suite: &str, entry: &Entry, branch: &str, hub: &mut Hub) -> Result<(), String> {
    let api = hub.api()?;
    let message = format!("{suite}: run {}", resume::short(&entry.run));
    let more = |old: Option<Vec<u8>>| {
        let earlier = old.map(|bytes| history::read(&bytes).0).unwrap_or_default();
        history::write(&history::append(earlier, entry.clone())).into_bytes()
    };
    let path = on_data_branch(suite);
    Ok(hub
        .ask(api.change_file(branch, &path, &message, LIMIT_BYTES, &more))
        .await?)
}
