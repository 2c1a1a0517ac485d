//! Replies of earlier runs: a key comes in, the reply that was kept under it goes out, and new replies go in, for runs
//! to come.
//!
//! A folder of segments, each a file of lines that one process wrote. Any number of processes may use it at once: none
//! ever changes what another one wrote. Everything in it is somebody else's word: what can't be used is no reply, and
//! never an error. What it costs to be without it is the question asked again.

mod compact;
mod entry;
mod index;
mod key;
mod line;
mod segment;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;

use compact::Bounds;
use index::Index;
use line::Head;
use segment::{Segment, Writer};

pub(super) use entry::{AnswerEntry, VoteEntry};
pub(super) use key::{Key, Parts};

/// A reply from a clock that is ahead of ours by more than this is none.
const AHEAD: i64 = 24 * 60 * 60;

/// Of a folder so many times what it may hold is read, and at the least so many bytes: each of several processes that
/// write at once may fill it, and somebody may have lowered the bound. Whatever else lies there takes no time.
const READ: u64 = 2;
const READ_LEAST: u64 = 256 << 20;

/// Where replies are kept, and how.
#[derive(Debug, Clone)]
pub struct CacheSettings {
    /// The folder; made with the first reply that is kept.
    pub folder: PathBuf,
    /// The service that is asked, by its base URL; `emulator` for the built-in one. Nobody else's replies are found.
    pub origin: String,
    /// Older replies are asked for again.
    pub max_age: Duration,
    /// Bytes of all replies: beyond them the oldest go first, when it is opened the next time.
    pub max_bytes: u64,
    /// Nothing is looked up, and everything that comes is kept: the next run finds today's replies.
    pub refresh: bool,
    /// Its files are for this user alone.
    pub private: bool,
}

/// Replies of earlier runs, as they were when it was opened.
pub struct Cache {
    settings: CacheSettings,
    shelves: Mutex<Shelves>,
}

#[derive(Debug, Default)]
struct Shelves {
    index: Index,
    segments: Vec<Segment>,
    /// The segment of this process.
    writer: Option<Writer>,
    kept: u64,
    fault: Option<String>,
    unread: Option<String>,
}

impl Cache {
    /// Opens a folder, and tidies up in it where that is due and nobody else does. One that is not there is empty.
    ///
    /// # Errors
    /// When the system can't list the folder, told for a person.
    pub fn open(settings: CacheSettings) -> Result<Cache, String> {
        let mut shelves = Shelves::default();
        let most = settings.max_bytes.saturating_mul(READ).max(READ_LEAST);
        match read(&settings.folder, most) {
            Ok((segments, index)) => {
                shelves.unread = unread(&settings.folder, &segments, most);
                shelves.index = index;
                shelves.segments = segments;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(told("read", &settings.folder, &error)),
        }
        let bounds = Bounds {
            since: now().saturating_sub(seconds(settings.max_age)),
            bytes: settings.max_bytes,
        };
        if compact::is_due(&shelves.segments, &shelves.index, bounds) {
            let Shelves { segments, index, .. } = &shelves;
            match compact::compact(&settings.folder, segments, index, bounds, settings.private) {
                Ok(false) => {}
                Ok(true) => {
                    // The old ones stay readable as long as they are held, and their locks with them.
                    if let Ok((segments, index)) = read(&settings.folder, most) {
                        (shelves.segments, shelves.index) = (segments, index);
                    }
                }
                Err(error) => shelves.fault = Some(told("tidy up", &settings.folder, &error)),
            }
        }
        Ok(Cache {
            settings,
            shelves: Mutex::new(shelves),
        })
    }

    /// The service whose replies these are.
    pub(super) fn origin(&self) -> &str {
        &self.settings.origin
    }

    /// The reply of a key, and when it came, in seconds since 1970. None where there is none that can be used.
    pub(super) fn get<E: DeserializeOwned>(&self, key: &Key) -> Option<(i64, E)> {
        if self.settings.refresh {
            return None;
        }
        let bytes = {
            let shelves = self.shelves();
            let place = shelves.index.get(key)?;
            let now = now();
            let age = now.saturating_sub(place.at);
            if age > seconds(self.settings.max_age) || place.at < 0 || age < -AHEAD {
                return None;
            }
            let segment = shelves.segments.get(place.segment as usize)?;
            segment.line(place.offset, place.length).ok()?
        };
        let (head, json) = line::read(&bytes)?;
        if head.key != *key {
            return None;
        }
        Some((head.at, serde_json::from_str(json).ok()?))
    }

    /// Keeps a reply that came now. That it can't be kept is [`Cache::fault`]'s to tell, once.
    pub(super) fn put<E: Serialize>(&self, key: Key, entry: &E) {
        let Ok(json) = serde_json::to_string(entry) else {
            return;
        };
        let head = Head { key, at: now() };
        let Some(line) = line::write(head, &json) else {
            return;
        };
        let mut shelves = self.shelves();
        if shelves.fault.is_some() {
            return;
        }
        if let Err(error) = shelves.add(&self.settings, &line) {
            shelves.fault = Some(told("write to", &self.settings.folder, &error));
        }
    }

    /// Replies that this process has added.
    pub fn kept(&self) -> u64 {
        self.shelves().kept
    }

    /// Why replies could not be kept, for a person; none where all was well.
    pub fn fault(&self) -> Option<String> {
        self.shelves().fault.clone()
    }

    /// Why some of what lies in the folder was not even read, for a person; none where all was.
    pub fn unread(&self) -> Option<String> {
        self.shelves().unread.clone()
    }

    /// Sees to it that what was added outlives the machine.
    pub fn sync(&self) {
        let mut shelves = self.shelves();
        if let Some(writer) = &shelves.writer
            && let Err(error) = writer.sync()
        {
            shelves.fault = Some(told("write to", &self.settings.folder, &error));
        }
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Shelves {
    /// Adds a line to this process's own segment. It is not looked up again: what was asked for by this run is no reply
    /// of an earlier one, and two answers of one run that happen to be the same are each judged.
    fn add(&mut self, settings: &CacheSettings, line: &[u8]) -> io::Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                segment::make_folder(&settings.folder, settings.private)?;
                self.writer
                    .insert(Writer::begin(&settings.folder, settings.private)?)
            }
        };
        if writer.bytes.saturating_add(line.len() as u64) > settings.max_bytes {
            // It is the newest, and all there is room for.
            return Ok(());
        }
        writer.add(line)?;
        self.kept += 1;
        Ok(())
    }
}

fn read(folder: &Path, most: u64) -> io::Result<(Vec<Segment>, Index)> {
    let segments = segment::open(folder, most)?;
    let mut index = Index::default();
    // A reply of a time to come would stand before every true one for as long.
    let times = 0..=now().saturating_add(AHEAD);
    for (at, segment) in (0..).zip(&segments) {
        // One that can't be read to its end holds what was read of it.
        let _ = segment.scan(|head, offset, length| {
            if times.contains(&head.at) {
                index.add(head, at, offset, length);
            }
        });
    }
    Ok((segments, index))
}

fn unread(folder: &Path, segments: &[Segment], most: u64) -> Option<String> {
    let unread = || segments.iter().filter(|segment| !segment.is_read);
    let largest = unread().max_by_key(|segment| segment.bytes)?;
    let name = largest.path.file_name().unwrap_or_default().to_string_lossy();
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    Some(format!(
        "the replies' cache in {} holds more than the {} MB that are read of it: {} of its files left out, the largest of them \
         {name} with {} MB",
        folder.display(),
        megabytes(most),
        unread().count(),
        megabytes(largest.bytes),
    ))
}

fn told(what: &str, folder: &Path, error: &io::Error) -> String {
    format!("can't {what} the replies' cache in {}: {error}", folder.display())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    seconds(since.unwrap_or_default())
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
