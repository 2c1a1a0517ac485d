//! Segments of a cache come in; one segment in their place goes out, with what is worth keeping.
//!
//! One process at a time does this, under a lock on the folder, and only to segments that nobody writes any more. The
//! new segment is there whole before an old one goes: whoever looks meanwhile finds a reply in one of the two, or in
//! both.

use std::cmp::Reverse;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use super::index::{Index, Place};
use super::line;
use super::segment::{self, Segment};

/// The file that whoever tidies up holds.
const LOCK: &str = ".lock";
/// How an unfinished file's name ends: of a writer, of whoever tidied up.
const UNFINISHED: [&str; 2] = [".new", ".tmp"];
/// An unfinished file this old belongs to nobody.
const ABANDONED: Duration = Duration::from_secs(60 * 60);
/// More segments are put together.
const SEGMENTS: usize = 16;
/// Less than this is not worth it, in bytes.
const WORTH: u64 = 1 << 20;

/// What a cache may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Older replies are none, in seconds since 1970.
    pub(super) since: i64,
    /// Bytes of all segments.
    pub(super) bytes: u64,
}

/// Whether there is something to tidy up.
pub(super) fn is_due(segments: &[Segment], index: &Index, bounds: Bounds) -> bool {
    let all: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let live = index.places().filter(|place| place.at >= bounds.since);
    let live: u64 = live.map(|place| u64::from(place.length)).sum();
    let dead = all.saturating_sub(live);
    segments.len() > SEGMENTS || all > bounds.bytes || (dead > WORTH && dead > all / 2)
}

/// Puts together what nobody writes any more: of each key the newest line, none older than the bounds say, and no more
/// than they hold, the oldest left out first. False where another process is at it, or all of it is being written.
pub(super) fn compact(
    folder: &Path,
    segments: &[Segment],
    index: &Index,
    bounds: Bounds,
    private: bool,
) -> io::Result<bool> {
    let Some(_lock) = lock(folder)? else {
        return Ok(false);
    };
    remove_abandoned(folder)?;
    // Held until the old ones are gone: who writes one holds it, and no other process takes it up again.
    let left: Vec<bool> = segments
        .iter()
        .map(|segment| segment.file.try_lock().is_ok())
        .collect();
    let is_left = |place: &Place| left.get(place.segment as usize) == Some(&true);
    if !left.contains(&true) {
        return Ok(false);
    }
    let written = segments.iter().zip(&left).filter(|(_, left)| !**left);
    let written: u64 = written.map(|(segment, _)| segment.bytes).sum();
    let kept = kept(index, bounds, written, is_left);
    let name = segment::name();
    if !kept.is_empty() {
        let new = folder.join(format!("{name}.tmp"));
        let mut out = BufWriter::with_capacity(128 << 10, segment::create(&new, private)?);
        for place in kept {
            let Some(segment) = segments.get(place.segment as usize) else {
                continue;
            };
            let bytes = segment.line(place.offset, place.length)?;
            if line::read(&bytes).is_some() {
                out.write_all(&bytes)?;
            }
        }
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&new, folder.join(name + ".jsonl"))?;
    }
    for (segment, _) in segments.iter().zip(&left).filter(|(_, left)| **left) {
        match fs::remove_file(&segment.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(true)
}

/// The lines that stay, in the order in which they are read fast.
fn kept(index: &Index, bounds: Bounds, written: u64, is_left: impl Fn(&Place) -> bool) -> Vec<Place> {
    let mut places: Vec<Place> = index
        .places()
        .filter(|place| place.at >= bounds.since && is_left(place))
        .collect();
    places.sort_unstable_by_key(|place| Reverse(place.at));
    // Not to the brim: the next run's replies would have it all read and written again.
    let mut room = (bounds.bytes / 4 * 3).saturating_sub(written);
    places.retain(|place| {
        let fits = u64::from(place.length) <= room;
        room = if fits { room - u64::from(place.length) } else { 0 };
        fits
    });
    places.sort_unstable_by_key(|place| (place.segment, place.offset));
    places
}

fn lock(folder: &Path) -> io::Result<Option<File>> {
    let path = folder.join(LOCK);
    // Through no link.
    if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
        return Ok(None);
    }
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// What processes left that ended in the middle.
fn remove_abandoned(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let unfinished = name
            .to_str()
            .is_some_and(|name| UNFINISHED.iter().any(|ending| segment::is_ours(name, ending)));
        let Ok(found) = entry.metadata() else { continue };
        let age = found.modified().ok().and_then(|at| at.elapsed().ok());
        if unfinished && found.is_file() && age.is_some_and(|age| age > ABANDONED) {
            // Another process may have been faster.
            let _gone = fs::remove_file(entry.path());
        }
    }
    Ok(())
}
