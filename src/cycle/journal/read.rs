//! A journal's bytes come in, the [`History`] that they tell goes out.
//!
//! One line is held at a time. Whatever a crash leaves at the end (half a line, zeros) does not count; a line that
//! can't be read and is not the last means that somebody else wrote here, and is a fault.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::begun::VERSION;
use super::fault::inert;
use super::{Fact, Fault, History, Journal, Line, place};

/// What a journal's bytes tell.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Where the run stands; none: not even the first line is there.
    pub(crate) history: Option<History>,
    /// Bytes from the beginning that count. What is behind them was torn.
    pub(crate) bytes: u64,
    /// The last line that counts is complete but for its line break.
    pub(crate) unfinished: bool,
}

/// Why a journal's bytes can't be read.
#[derive(Debug)]
pub(crate) enum Bad {
    /// The system gave no bytes.
    System(io::Error),
    /// A line that this program did not write, or not this version of it.
    Line {
        /// Counted from 1.
        number: u64,
        /// What is wrong with it, and what else to do than begin anew; fit to be shown.
        cause: String,
    },
}

/// Reads the journal of a suite's folder; `None`: there is none, or nothing of its first line.
///
/// # Errors
/// When it is no regular file, can't be read, is of another version, or has a line that can't be read and is not
/// the torn last one.
pub fn read(folder: &Path) -> Result<Option<History>, Fault> {
    let path = place::journal(folder);
    match place::open(&path, File::options().read(true))? {
        Some(file) => Ok(read_file(&file, &path, Words::Kept)?.history),
        None => Ok(None),
    }
}

/// What becomes of the words of answers and judgements, which are most of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// They are a part of the history.
    Kept,
    /// The history tells which answers there are, and not what they are.
    PassedOver,
}

/// Where the run of a suite's folder stands, and not what was answered; see [`read`].
///
/// # Errors
/// As of [`read`].
pub fn skim(folder: &Path) -> Result<Option<History>, Fault> {
    let path = place::journal(folder);
    match place::open(&path, File::options().read(true))? {
        Some(file) => Ok(read_file(&file, &path, Words::PassedOver)?.history),
        None => Ok(None),
    }
}

/// Reads an open journal from its beginning.
pub(super) fn read_file(file: &File, path: &Path, words: Words) -> Result<Reading, Fault> {
    let unread = |error: &io::Error| Fault::system("read the journal", path, error);
    let bytes = file.metadata().map_err(|error| unread(&error))?.len();
    if bytes > Journal::MAX_BYTES {
        return Err(Fault::new(format!(
            "the journal {} has {bytes} bytes, more than the {} that are read: {ANEW}",
            path.display(),
            Journal::MAX_BYTES
        )));
    }
    read_with(BufReader::with_capacity(1 << 16, file), words).map_err(|bad| match bad {
        Bad::System(error) => unread(&error),
        Bad::Line { number, cause } => Fault::new(format!(
            "line {number} of the journal {} can't be taken in: {cause}: {ANEW}",
            path.display()
        )),
    })
}

const ANEW: &str = "`--fresh` sets it aside and begins anew";

/// Reads a journal from its beginning.
///
/// # Errors
/// See [`Bad`]. A torn end is none.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_from(reader: impl BufRead) -> Result<Reading, Bad> {
    read_with(reader, Words::Kept)
}

/// Reads a journal from its beginning.
///
/// # Errors
/// See [`Bad`]. A torn end is none.
pub(crate) fn read_with(mut reader: impl BufRead, words: Words) -> Result<Reading, Bad> {
    let mut reading = Reading::default();
    let mut torn = None;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let most = Journal::MAX_LINE_BYTES as u64;
        let taken = (&mut reader).take(most).read_until(b'\n', &mut line);
        let taken = taken.map_err(Bad::System)? as u64;
        if taken == 0 {
            break;
        }
        if let Some(cause) = torn {
            // There is a line behind it: no crash did that.
            return Err(Bad::Line {
                number: number - 1,
                cause,
            });
        }
        let ended = line.ends_with(b"\n");
        if !ended && taken == most {
            torn = Some(format!("it is longer than {most} bytes"));
            reader.skip_until(b'\n').map_err(Bad::System)?;
            continue;
        }
        match line_of(&line, number == 1) {
            Ok(line) => take(&mut reading.history, line, words).map_err(|cause| Bad::Line {
                number,
                cause: inert(&cause),
            })?,
            Err(Unread::Torn(cause)) => {
                torn = Some(cause);
                continue;
            }
            Err(Unread::Foreign(cause)) => return Err(Bad::Line { number, cause }),
        }
        reading.bytes += taken;
        reading.unfinished = !ended;
    }
    Ok(reading)
}

enum Unread {
    /// No complete JSON object: what a crash may leave of a line.
    Torn(String),
    /// Complete, and not one of ours.
    Foreign(String),
}

fn line_of(bytes: &[u8], first: bool) -> Result<Line, Unread> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unread::Torn("it is not UTF-8".to_owned()))?;
    let error = match serde_json::from_str::<Line>(text) {
        Ok(line) => return Ok(line),
        Err(error) => error,
    };
    // The error may be about the half that is there: what counts is whether the line is whole.
    if !text.starts_with('{') || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Err(Unread::Torn("it is not a JSON object".to_owned()));
    }
    let version = if first { version_of(text) } else { None };
    Err(Unread::Foreign(match version {
        Some(version) if version != u64::from(VERSION) => another_version(version),
        _ => cause_of(&error),
    }))
}

fn take(history: &mut Option<History>, line: Line, words: Words) -> Result<(), String> {
    if let Some(history) = history {
        return match words {
            Words::Kept => history.take(line),
            Words::PassedOver => history.take_lightly(line),
        };
    }
    let Fact::Begun(begun) = line.fact else {
        return Err("it is the first and does not say `begun`".to_owned());
    };
    if begun.version != VERSION {
        return Err(another_version(u64::from(begun.version)));
    }
    *history = Some(History {
        begun: *begun,
        began_at: line.at,
        ..History::default()
    });
    Ok(())
}

fn another_version(version: u64) -> String {
    format!(
        "the journal is of format version {version}, and this program reads version {VERSION}; go on with the \
         version of tunegate that wrote it"
    )
}

/// The version of a first line whose other fields this program does not understand.
fn version_of(text: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct First {
        fact: Named,
    }
    #[derive(Deserialize)]
    struct Named {
        begun: Versioned,
    }
    #[derive(Deserialize)]
    struct Versioned {
        version: u64,
    }
    let first: First = serde_json::from_str(text).ok()?;
    Some(first.fact.begun.version)
}

/// What is wrong with a complete line, without the parser's place in it.
fn cause_of(error: &serde_json::Error) -> String {
    let told = error.to_string();
    let told = told
        .rsplit_once(" at line ")
        .map_or(told.as_str(), |(what, _)| what);
    match told.strip_prefix("unknown variant `") {
        Some(word) => format!(
            "it tells of `{}`, which this version of tunegate does not know; go on with the version that wrote it",
            inert(word.split('`').next().unwrap_or_default())
        ),
        None => inert(told),
    }
}

#[cfg(test)]
mod tests;
