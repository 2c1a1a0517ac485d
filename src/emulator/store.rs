//! The state file: a path comes in, a world or a clear error goes out, and back. A write goes to a file beside it
//! and is renamed over it, so that a crash leaves the old state or the new one.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::app::Shared;
use super::world::{VERSION, World};

/// The most a state file may weigh, in bytes.
const LIMIT_BYTES: u64 = 1024 * 1024 * 1024;

/// The least time between two writes.
const PAUSE: Duration = Duration::from_millis(50);

/// Reads a state file. `None`: there is none yet.
pub(super) fn read(path: &Path) -> io::Result<Option<World>> {
    let bad = |why: String| {
        let text = format!(
            "the emulator's state in {} {why}; delete the file to start anew, or name another one",
            path.display()
        );
        io::Error::new(io::ErrorKind::InvalidData, text)
    };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(io::Error::new(
                error.kind(),
                format!("reading {}: {error}", path.display()),
            ));
        }
        Ok(metadata) if metadata.len() > LIMIT_BYTES => {
            return Err(bad(format!(
                "has {} bytes, more than {LIMIT_BYTES}",
                metadata.len()
            )));
        }
        Ok(_) => {}
    }
    let bytes = fs::read(path)
        .map_err(|error| io::Error::new(error.kind(), format!("reading {}: {error}", path.display())))?;
    let world: World =
        serde_json::from_slice(&bytes).map_err(|error| bad(format!("can't be read: {error}")))?;
    if world.version() != VERSION {
        return Err(bad(format!(
            "is of version {}, this is version {VERSION}",
            world.version()
        )));
    }
    Ok(Some(world))
}

/// Writes the world as it is now.
pub(super) async fn write(app: &Shared, path: &Path) -> io::Result<()> {
    let app = app.clone();
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let bytes = app.with(|inner| serde_json::to_vec(&inner.world))?;
        replace(&path, &bytes)
            .map_err(|error| io::Error::new(error.kind(), format!("writing {}: {error}", path.display())))
    })
    .await
    .map_err(io::Error::other)?
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = Path::new(&beside);
    let mut file = fs::File::create(beside)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_data())
        .and_then(|()| fs::rename(beside, path));
    if written.is_err() {
        // The first error is the one worth telling.
        let _leftover = fs::remove_file(beside);
    }
    written
}

/// Writes after changes, several at a time, until it is told to stop.
pub(super) async fn keep(app: Shared, path: std::path::PathBuf, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = app.changed.notified() => {}
            () = stop.cancelled() => return,
        }
        let started = std::time::Instant::now();
        if let Err(error) = write(&app, &path).await {
            tracing::warn!(%error, "emulator: the state could not be saved");
        }
        // A large state is written less often, so that saving never takes more than a tenth of the time.
        tokio::select! {
            () = tokio::time::sleep(PAUSE.max(started.elapsed() * 10)) => {}
            () = stop.cancelled() => return,
        }
    }
}
