//! A workflow run's artifact in, a suite's file of it out: a zip that is bounded in size, entries and depth, and of which
//! nothing is ever written to a path that it names.

use std::borrow::Cow;
use std::io::{Cursor, Read};
use std::time::Duration;

use serde::Deserialize;
use zip::ZipArchive;

use crate::http::Download;

/// Bytes of the zip.
pub(super) const ZIP_LIMIT: usize = 64 * 1024 * 1024;
/// A zip lies where a redirect leads, which opens to anybody for a while.
pub(super) const DOWNLOAD: Download = Download {
    accept: None,
    limit: ZIP_LIMIT,
    away: true,
    timeout: Some(Duration::from_secs(60)),
};
/// Entries of the zip.
const ENTRIES: usize = 10_000;
/// Bytes of all files together that are unpacked to look for the suite's results.
const RESULTS_LIMIT: u64 = 512 * 1024 * 1024;
/// Bytes of a history.
const HISTORY_LIMIT: u64 = 32 * 1024 * 1024;
/// Files that may be the suite's.
const CANDIDATES: usize = 16;
/// Memory for a file before any of it is unpacked.
const FIRST_BYTES: u64 = 1024 * 1024;
/// What every entry of a zip's list begins with.
const ENTRY_MARK: &[u8] = b"PK\x01\x02";

const RESULTS: &str = "results.json";
const HISTORY: &str = "history.jsonl";

/// Which of a suite's files is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// `results.json`, with the suite's name in it.
    Results,
    /// `history.jsonl`, in the suite's folder or beside its results.
    History,
}

/// The names that an artifact with the suite's report may have, the suite's own first.
pub(super) fn names(suite: &str) -> [String; 2] {
    [format!("tunegate-{suite}"), "tunegate".to_owned()]
}

/// The suite's file in a zip; `None`: it holds none. An error says what is wrong with the zip.
pub(super) fn unpack(zip: &[u8], suite: &str, own: bool, wanted: Wanted) -> Result<Option<Vec<u8>>, String> {
    // The list is read into memory as a whole, and an entry of 46 bytes takes several hundred there.
    if zip.windows(ENTRY_MARK.len()).filter(|w| *w == ENTRY_MARK).count() > ENTRIES {
        return Err(format!("a zip of more than {ENTRIES} entries"));
    }
    let mut archive =
        ZipArchive::new(Cursor::new(zip)).map_err(|e| format!("no zip that can be read: {e}"))?;
    let mut found = Finder {
        results: Vec::new(),
        histories: Vec::new(),
        left: RESULTS_LIMIT,
        suite,
    };
    if archive.has_duplicate_names() {
        return Err("a zip that names a file twice".to_owned());
    }
    let list = archive.metadata();
    for index in 0..list.len() {
        let entry = list.entry(index).map_err(|e| e.to_string())?;
        let Ok(name) = entry.name() else { continue };
        // What is encrypted or leads elsewhere is not a file of ours.
        if !entry.is_file() || entry.is_symlink() || entry.encrypted() {
            continue;
        }
        found.consider(index, &name);
    }
    if found.results.len() + found.histories.len() > CANDIDATES {
        return Err(format!(
            "a zip with more than {CANDIDATES} files that may be the suite's"
        ));
    }
    match wanted {
        Wanted::Results => found.results(&mut archive),
        Wanted::History => found.history(&mut archive, own),
    }
}

/// A file that may be the suite's.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    index: usize,
    /// At the top, and not in a folder called for the suite.
    top: bool,
}

struct Finder<'a> {
    results: Vec<Candidate>,
    histories: Vec<Candidate>,
    /// Bytes that may yet be unpacked.
    left: u64,
    suite: &'a str,
}

impl Finder<'_> {
    /// Takes `FILE`, `<suite>/FILE` and `…/<suite>/FILE`.
    fn consider(&mut self, index: usize, name: &str) {
        let parts: Vec<&str> = name.split('/').collect();
        let odd = |part: &str| matches!(part, "" | "." | "..") || part.contains(['\\', ':', '\0']);
        let Some((file, folders)) = parts.split_last() else {
            return;
        };
        if parts.iter().any(|part| odd(part)) || folders.last().is_some_and(|last| *last != self.suite) {
            return;
        }
        let top = folders.is_empty();
        match *file {
            RESULTS => self.results.push(Candidate { index, top }),
            HISTORY => self.histories.push(Candidate { index, top }),
            _ => {}
        }
    }

    fn results(&mut self, archive: &mut ZipArchive<Cursor<&[u8]>>) -> Result<Option<Vec<u8>>, String> {
        let mut own = None;
        for candidate in std::mem::take(&mut self.results) {
            let bytes = inflate(archive, candidate.index, self.left)?;
            self.left -= bytes.len() as u64;
            if !is_of(&bytes, self.suite) {
                continue;
            }
            if own.replace(bytes).is_some() {
                return Err(format!("a zip that holds results of {} twice", self.suite));
            }
        }
        Ok(own)
    }

    fn history(
        &mut self,
        archive: &mut ZipArchive<Cursor<&[u8]>>,
        own: bool,
    ) -> Result<Option<Vec<u8>>, String> {
        let mut histories = Vec::new();
        for candidate in std::mem::take(&mut self.histories) {
            if !candidate.top || own || self.top_is_of_suite(archive)? {
                histories.push(candidate.index);
            }
        }
        match histories[..] {
            [] => Ok(None),
            [one] => inflate(archive, one, HISTORY_LIMIT).map(Some),
            _ => Err(format!("a zip that holds a history of {} twice", self.suite)),
        }
    }

    /// Whether the results at the top are the suite's.
    fn top_is_of_suite(&self, archive: &mut ZipArchive<Cursor<&[u8]>>) -> Result<bool, String> {
        match self.results.iter().find(|candidate| candidate.top) {
            Some(top) => Ok(is_of(&inflate(archive, top.index, self.left)?, self.suite)),
            None => Ok(false),
        }
    }
}

/// A file's bytes; what its entry says of its size is not relied on.
fn inflate(archive: &mut ZipArchive<Cursor<&[u8]>>, index: usize, limit: u64) -> Result<Vec<u8>, String> {
    let file = archive
        .by_index(index)
        .map_err(|e| format!("a zip that can't be unpacked: {e}"))?;
    let too_large = || format!("a zip with a file of more than {} MiB", limit / (1024 * 1024));
    if file.size() > limit {
        return Err(too_large());
    }
    let first = usize::try_from(file.size().min(FIRST_BYTES)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(first);
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    read.map_err(|e| format!("a zip that can't be unpacked: {e}"))?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Whether these are results of the suite: what else they are is for others to read.
fn is_of(results: &[u8], suite: &str) -> bool {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(borrow)]
        suite: Suite<'a>,
    }
    #[derive(Deserialize)]
    struct Suite<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
    }
    serde_json::from_slice::<Head<'_>>(results).is_ok_and(|head| head.suite.name == suite)
}

#[cfg(test)]
mod tests;
