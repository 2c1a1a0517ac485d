//! The journal's file: facts come in, and go out as lines of it that stay.
//!
//! A line is one append to the file, so that whoever ends this process ends it between two lines or within the last
//! one. What must survive the machine too waits for [`Journal::sync`]; everything else follows within a second.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinHandle;

use super::read::{Words, read_file, skim};
use super::{Begun, Fact, Fault, place};
use crate::results::{Sample, Vote};

use line::{Borrowed, line_of};

mod line;

/// The longest that a line waits for the disk when nobody asks for it.
const BATCH: Duration = Duration::from_secs(1);

/// A disk that takes longer to take our lines in is given up.
const PATIENCE: Duration = Duration::from_secs(120);

/// The journal of the run that is under way; cheap to clone.
#[derive(Debug, Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    aside: Option<PathBuf>,
    disk: Box<dyn Disk>,
    state: Mutex<State>,
    /// Held by who is on the way to the disk: two trips at once could each be told half of what went wrong.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes of the file, all of them whole lines.
    length: u64,
    /// Bytes that are surely on the disk.
    synced: u64,
    /// Nothing is written or promised any more.
    failed: Option<Fault>,
    /// The trip to the disk that nobody asked for, and whether it is yet to begin.
    batch: Option<JoinHandle<()>>,
    batch_ahead: bool,
}

/// What a journal asks of its file.
trait Disk: std::fmt::Debug + Send + Sync {
    /// Appends; in one call, unless the system takes less.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;
    /// Cuts off everything behind the first `length` bytes.
    fn cut(&self, length: u64) -> io::Result<()>;
    /// Returns when what was appended is on the disk.
    fn sync(&self) -> io::Result<()>;
}

impl Disk for File {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = self;
        file.write_all(bytes)
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Journal {
    /// The file's name in the suite's folder.
    pub const FILE: &str = "journal.jsonl";

    /// Bytes of a line at the most, its line break included: twice the longest reply that is taken in.
    pub const MAX_LINE_BYTES: usize = 64 << 20;

    /// Bytes of a journal at the most.
    pub const MAX_BYTES: u64 = 4 << 30;

    /// Begins a journal. An earlier one that has not ended is set aside as `journal.<first 8 of its run>.jsonl`, one that
    /// can't be read as `journal.unreadable.jsonl`. When it returns, the first line is on the disk.
    ///
    /// # Errors
    /// When the system can't write the file. The earlier journal then stands where it stood, or aside.
    pub fn begin(folder: &Path, begun: Begun) -> Result<Journal, Fault> {
        place::make(folder)?;
        let path = place::journal(folder);
        let beside = folder.join("journal.new");
        let line = line_of(&Fact::Begun(Box::new(begun)), &path)?;
        let failed = |error: io::Error| Fault::system("begin the journal", &path, &error);
        #[cfg(debug_assertions)]
        super::kill::before_line();
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let file = File::options()
            .append(true)
            .create_new(true)
            .open(&beside)
            .map_err(failed)?;
        file.append(&line)
            .and_then(|()| file.sync_all())
            .map_err(failed)?;
        let aside = match skim(folder) {
            Ok(Some(earlier)) if earlier.ended.is_none() => {
                Some(place::set_aside(folder, &place::name_of(&earlier.begun.run))?)
            }
            Ok(_) => None,
            Err(_) => Some(place::set_aside(folder, "unreadable")?),
        };
        fs::rename(&beside, &path).map_err(failed)?;
        place::sync(folder)?;
        #[cfg(debug_assertions)]
        super::kill::after_line();
        let length = line.len() as u64;
        Ok(Journal::over(path, aside, Box::new(file), length, length))
    }

    /// Takes up the journal that stands there: what a torn end holds is cut off.
    ///
    /// # Errors
    /// When there is none, [`read`](super::read) refuses it, or the system can't write to it.
    pub fn resume(folder: &Path) -> Result<Journal, Fault> {
        let path = place::journal(folder);
        let file = place::open(&path, File::options().read(true).append(true))?;
        let (file, reading) = match file {
            Some(file) => {
                let reading = read_file(&file, &path, Words::PassedOver)?;
                (Some(file), reading)
            }
            None => (None, Default::default()),
        };
        let (Some(file), Some(_)) = (file, reading.history) else {
            return Err(Fault::new(format!(
                "there is nothing to go on with in {}: begin anew with `--fresh`",
                path.display()
            )));
        };
        let mut length = reading.bytes;
        let repaired = file.set_len(length).and_then(|()| {
            if reading.unfinished {
                length += 1;
                file.append(b"\n")?;
            }
            Ok(())
        });
        repaired.map_err(|error| Fault::system("repair the end of the journal", &path, &error))?;
        // What an earlier process wrote may not be on the disk yet: the first sync covers it.
        let journal = Journal::over(path, None, Box::new(file), length, 0);
        journal.note(&Fact::Resumed {
            tool: env!("CARGO_PKG_VERSION").to_owned(),
        })?;
        Ok(journal)
    }

    fn over(path: PathBuf, aside: Option<PathBuf>, disk: Box<dyn Disk>, length: u64, synced: u64) -> Journal {
        let state = State {
            length,
            synced,
            ..State::default()
        };
        Journal {
            shared: Arc::new(Shared {
                path,
                aside,
                disk,
                state: Mutex::new(state),
                turn: Arc::default(),
            }),
        }
    }

    /// Where [`Journal::begin`] has put an earlier journal that had not ended, or could not be read.
    pub fn set_aside(&self) -> Option<&Path> {
        self.shared.aside.as_deref()
    }

    /// Appends a fact. When it returns, the line survives the end of this process; the machine's only after
    /// [`Journal::sync`], or about a second where a Tokio runtime is there.
    ///
    /// # Errors
    /// When the line can't be written. The file then ends with the last whole line as before; where even that can't be
    /// had, every later note and sync is refused with the same fault.
    pub fn note(&self, fact: &Fact) -> Result<(), Fault> {
        self.append(fact)
    }

    /// Notes an answer as [`Fact::Answered`], without a copy of it.
    ///
    /// # Errors
    /// As of [`Journal::note`].
    pub fn note_answer(&self, case: &str, sample: &Sample) -> Result<(), Fault> {
        self.append(&Borrowed::Answered { case, sample })
    }

    /// Notes a judgement as [`Fact::Judged`], without a copy of it.
    ///
    /// # Errors
    /// As of [`Journal::note`].
    pub fn note_vote(&self, case: &str, sample: u32, vote: &Vote) -> Result<(), Fault> {
        self.append(&Borrowed::Judged { case, sample, vote })
    }

    /// Notes a judgement as [`Fact::JudgedBeside`], without a copy of it.
    ///
    /// # Errors
    /// As of [`Journal::note`].
    pub fn note_beside(&self, key: &str, vote: &Vote) -> Result<(), Fault> {
        self.append(&Borrowed::JudgedBeside { key, vote })
    }

    fn append(&self, fact: &impl Serialize) -> Result<(), Fault> {
        let shared = &self.shared;
        let mut state = shared.state();
        if let Some(fault) = &state.failed {
            return Err(fault.clone());
        }
        let line = line_of(fact, &shared.path)?;
        if state.length + line.len() as u64 > Journal::MAX_BYTES {
            return Err(Fault::new(format!(
                "the journal {} is full: it may have {} bytes: split the suite",
                shared.path.display(),
                Journal::MAX_BYTES
            )));
        }
        #[cfg(debug_assertions)]
        super::kill::before_line();
        if let Err(error) = shared.disk.append(&line) {
            let fault = Fault::system("write to the journal", &shared.path, &error);
            if let Err(worse) = shared.disk.cut(state.length) {
                let worse = Fault::system("repair the end of the journal", &shared.path, &worse);
                state.failed = Some(Fault::new(format!("{fault}; then {worse}")));
            }
            return Err(state.failed.clone().unwrap_or(fault));
        }
        #[cfg(debug_assertions)]
        super::kill::after_line();
        state.length += line.len() as u64;
        self.sync_within_a_batch(&mut state);
        Ok(())
    }

    /// Returns when everything noted so far is on the disk. Many waiters share one trip.
    ///
    /// # Errors
    /// When the disk does not take it. Nothing that a system has once failed to bring to the disk can be trusted to come
    /// there later: every later note and sync is refused with the same fault.
    pub async fn sync(&self) -> Result<(), Fault> {
        let shared = &self.shared;
        let wanted = shared.state().length;
        if let Some(known) = shared.known(wanted) {
            return known;
        }
        let trip = async {
            let turn = shared.turn.clone().lock_owned().await;
            if let Some(known) = shared.known(wanted) {
                return known;
            }
            let shared = shared.clone();
            // It holds its turn to the end, and says itself how it ended: this future may be dropped meanwhile.
            tokio::task::spawn_blocking(move || {
                let _turn = turn;
                shared.bring_to_the_disk()
            })
            .await
            .unwrap_or_else(|error| {
                Err(Fault::new(format!(
                    "the journal was not brought to the disk: {error}"
                )))
            })
        };
        tokio::time::timeout(PATIENCE, trip).await.unwrap_or_else(|_| {
            Err(Fault::new(format!(
                "the disk of {} did not take the journal in within {} s: look at the disk, or choose another \
                 --output-dir",
                shared.path.display(),
                PATIENCE.as_secs()
            )))
        })
    }

    /// Sees to it that a line which nobody waits for comes to the disk soon.
    fn sync_within_a_batch(&self, state: &mut State) {
        let runs = state.batch.as_ref().is_some_and(|batch| !batch.is_finished());
        if runs && state.batch_ahead {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let shared = Arc::downgrade(&self.shared);
        state.batch_ahead = true;
        state.batch = Some(runtime.spawn(async move {
            tokio::time::sleep(BATCH).await;
            if let Some(shared) = shared.upgrade() {
                shared.state().batch_ahead = false;
                // What goes wrong stays with the journal: the next note says it.
                let _known = Journal { shared }.sync().await;
            }
        }));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of the first `wanted` bytes without a trip to the disk.
    fn known(&self, wanted: u64) -> Option<Result<(), Fault>> {
        let state = self.state();
        match &state.failed {
            Some(fault) => Some(Err(fault.clone())),
            None => (state.synced >= wanted).then_some(Ok(())),
        }
    }

    fn bring_to_the_disk(&self) -> Result<(), Fault> {
        let length = self.state().length;
        let synced = self.disk.sync();
        let mut state = self.state();
        match synced {
            Ok(()) => state.synced = length,
            Err(error) => {
                let fault = Fault::system("bring to the disk the journal", &self.path, &error);
                state.failed.get_or_insert(fault);
            }
        }
        state.failed.clone().map_or(Ok(()), Err)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(batch) = state.batch.take() {
            batch.abort();
        }
    }
}

#[cfg(test)]
mod tests;
