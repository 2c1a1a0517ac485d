//! The state file: a path comes in, a world or a clear error goes out, and back. The file holds everything as it was
//! at one time; a log beside it holds, line by line, what has changed since. A kill at any moment leaves both such
//! that they are read as the world after some change, and never as one that lacks what a reply has told.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::app::{App, Saved, Shared};
use super::world::{VERSION, World};

/// The most a state file or its log may weigh, in bytes.
const LIMIT_BYTES: u64 = 1024 * 1024 * 1024;

/// A log may grow to this, in bytes, before everything is written anew; further where the state itself is larger.
const LOG_BYTES: u64 = 4 * 1024 * 1024;

/// How long to wait after a save that failed.
const PAUSE: Duration = Duration::from_millis(200);

/// A state file that is this emulator's alone.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    /// `None`: the next save writes everything anew.
    log: Option<File>,
    log_bytes: u64,
    whole_bytes: u64,
    /// Locked until the store is dropped. The file stays: whoever removed it could remove the next one's lock.
    _lock: File,
}

impl Store {
    /// Locks a state file and reads it. `None`: there is none yet.
    pub(super) fn open(path: &Path) -> io::Result<(Store, Option<World>)> {
        let store = Store {
            path: path.to_owned(),
            log: None,
            log_bytes: 0,
            whole_bytes: 0,
            _lock: lock(path)?,
        };
        let world = read(path)?;
        Ok((store, world))
    }

    /// Writes what has changed since the last save, or everything where that is due; how many changes of the world
    /// are saved then.
    fn save(&mut self, app: &App) -> io::Result<u64> {
        let Some(log) = &mut self.log else {
            return self.save_whole(app);
        };
        if self.log_bytes > LOG_BYTES.max(self.whole_bytes) {
            return self.save_whole(app);
        }
        let (changes, line) = app.with(|inner| (inner.world.changes(), inner.world.news()));
        let written = line
            .map_err(io::Error::other)
            .and_then(|line| log.write_all(&line).map(|()| line.len()))
            .and_then(|length| log.sync_data().map(|()| length));
        match written {
            Ok(length) => {
                self.log_bytes += length as u64;
                Ok(changes)
            }
            Err(error) => {
                // What the log lacks now would be missed by every later line.
                self.log = None;
                Err(told(&log_of(&self.path), "writing", &error))
            }
        }
    }

    /// Writes everything and begins a new log.
    pub(super) fn save_whole(&mut self, app: &App) -> io::Result<u64> {
        self.log = None;
        let (changes, bytes) = app.with(|inner| (inner.world.changes(), inner.world.whole()));
        let bytes = bytes?;
        replace(&self.path, &bytes).map_err(|error| told(&self.path, "writing", &error))?;
        let log = log_of(&self.path);
        let header = format!("{}\n", json!({"follows": digest(&bytes)}));
        let begin = || {
            let mut file = File::create(&log)?;
            file.write_all(header.as_bytes())?;
            file.sync_data()?;
            io::Result::Ok(file)
        };
        self.log = Some(begin().map_err(|error| told(&log, "writing", &error))?);
        self.log_bytes = header.len() as u64;
        self.whole_bytes = bytes.len() as u64;
        Ok(changes)
    }

    /// Writes everything and takes the log away.
    fn close(&mut self, app: &App) -> io::Result<()> {
        self.save_whole(app)?;
        self.log = None;
        // A log that stays is one without changes.
        let _removed = fs::remove_file(log_of(&self.path));
        Ok(())
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn log_of(path: &Path) -> PathBuf {
    beside(path, ".log")
}

fn told(path: &Path, doing: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{doing} {}: {error}", path.display()))
}

/// What a log names as the state that it follows: one of another state is none.
fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn lock(path: &Path) -> io::Result<File> {
    let name = beside(path, ".lock");
    let open = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        File::options().create(true).append(true).open(&name)
    };
    let file = open().map_err(|error| told(&name, "opening", &error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let text = format!(
                "another emulator keeps its state in {}: end that one first, or keep this one's in another file",
                path.display()
            );
            return Err(io::Error::new(io::ErrorKind::WouldBlock, text));
        }
        // Some file systems have no locks.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            tracing::warn!(path = %path.display(), "emulator: the state file can't be locked here");
        }
        Err(TryLockError::Error(error)) => return Err(told(&name, "locking", &error)),
    }
    Ok(file)
}

/// Reads a state file and the log that follows it. `None`: there is none yet.
fn read(path: &Path) -> io::Result<Option<World>> {
    let bad = |why: String| {
        let text = format!(
            "the emulator's state in {} {why}; delete the file to start anew, or name another one",
            path.display()
        );
        io::Error::new(io::ErrorKind::InvalidData, text)
    };
    let whole = |path: &Path| {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(told(path, "reading", &error)),
            Ok(metadata) if metadata.len() > LIMIT_BYTES => {
                return Err(bad(format!(
                    "has {} bytes, more than {LIMIT_BYTES}",
                    metadata.len()
                )));
            }
            Ok(_) => {}
        }
        fs::read(path)
            .map(Some)
            .map_err(|error| told(path, "reading", &error))
    };
    let Some(bytes) = whole(path)? else {
        return Ok(None);
    };
    let mut world: World =
        serde_json::from_slice(&bytes).map_err(|error| bad(format!("can't be read: {error}")))?;
    if world.version() != VERSION {
        return Err(bad(format!(
            "is of version {}, this is version {VERSION}",
            world.version()
        )));
    }
    let log = whole(&log_of(path))?.unwrap_or_default();
    for line in changes(&log, &bytes) {
        world
            .learn(line)
            .map_err(|error| bad(format!("has a log that can't be read: {error}")))?;
    }
    Ok(Some(world))
}

/// The lines of a log that follow a state: none where it follows another one, and without the last one where that
/// was cut, for nobody was told of it.
fn changes<'a>(log: &'a [u8], state: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    let end = log.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let mut lines = log[..end].split(|byte| *byte == b'\n');
    let header: Option<Value> = lines.next().and_then(|line| serde_json::from_slice(line).ok());
    let follows = header.is_some_and(|header| header["follows"] == digest(state));
    lines.take_while(move |_| follows)
}

/// Writes a file beside it and renames that over it, so that a crash leaves the old state or the new one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path, &format!(".{}.new", std::process::id()));
    let mut file = File::create(&new)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_data())
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // The first error is the one worth telling.
        let _leftover = fs::remove_file(&new);
    }
    written
}

/// Saves after changes until it is told to stop; what changes during a save is the next one's, all of it together.
pub(super) async fn keep(app: Shared, store: Arc<Mutex<Store>>, stop: CancellationToken) {
    while stop.run_until_cancelled(app.changed.notified()).await.is_some() {
        match on_thread(&app, &store, Store::save).await {
            Ok(changes) => {
                let saved = Saved {
                    changes,
                    failed: None,
                };
                app.saved.send_replace(saved);
            }
            Err(error) => {
                tracing::warn!(%error, "emulator: the state could not be saved");
                app.saved
                    .send_modify(|saved| saved.failed = Some(error.to_string()));
                let _stopped = stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
                app.changed.notify_one();
            }
        }
    }
    let ended = "the emulator has ended".to_owned();
    app.saved.send_modify(|saved| saved.failed = Some(ended));
}

/// Saves everything for the last time.
pub(super) async fn close(app: &Shared, store: &Arc<Mutex<Store>>) -> io::Result<()> {
    on_thread(app, store, Store::close).await
}

/// Runs a part of the store's work where it may block.
async fn on_thread<R: Send + 'static>(
    app: &Shared,
    store: &Arc<Mutex<Store>>,
    act: fn(&mut Store, &App) -> io::Result<R>,
) -> io::Result<R> {
    let (app, store) = (app.clone(), store.clone());
    tokio::task::spawn_blocking(move || act(&mut store.lock().unwrap_or_else(PoisonError::into_inner), &app))
        .await
        .map_err(io::Error::other)?
}
