//! Where a journal stands: a suite's folder comes in, files go out that are what they seem to be.
//!
//! The folder may have come out of a shared cache: what stands in it is foreign. A link is not followed, and a pipe
//! that would keep us waiting is not opened.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::{Fault, Journal};

/// Names that are tried for an earlier journal at the most.
const NAMES: u32 = 10_000;

/// The journal's path in a suite's folder.
pub(super) fn journal(folder: &Path) -> PathBuf {
    folder.join(Journal::FILE)
}

/// Opens a regular file; `None`: nothing is there.
pub(super) fn open(path: &Path, options: &OpenOptions) -> Result<Option<File>, Fault> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(found) => return Err(irregular(path, found.file_type())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fault::system("look at", path, &error)),
    }
    let file = options
        .open(path)
        .map_err(|error| Fault::system("open", path, &error))?;
    let opened = file
        .metadata()
        .map_err(|error| Fault::system("look at", path, &error))?;
    if opened.is_file() {
        Ok(Some(file))
    } else {
        Err(irregular(path, opened.file_type()))
    }
}

fn irregular(path: &Path, kind: fs::FileType) -> Fault {
    let what = if kind.is_dir() {
        "a folder"
    } else if kind.is_symlink() {
        "a link"
    } else {
        "no regular file"
    };
    Fault::new(format!(
        "{} is {what}, and a file of tunegate's is expected there: move it away, or choose another --output-dir",
        path.display()
    ))
}

/// Makes the folder and waits until it is on the disk.
pub(super) fn make(folder: &Path) -> Result<(), Fault> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| Fault::system("make the folder", folder, &error))?;
    // The output folder and the suite's folder in it may both be new. Above them nothing is ours.
    for above in folder.ancestors().skip(1).take(2) {
        sync(above)?;
    }
    Ok(())
}

/// Waits until what was made, renamed or removed in a folder is on the disk.
pub(super) fn sync(folder: &Path) -> Result<(), Fault> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    match File::open(folder).and_then(|opened| opened.sync_all()) {
        // Some network and container file systems know no such call, and no other way either.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        done => done.map_err(|error| Fault::system("bring to the disk the folder", folder, &error)),
    }
}

/// Renames what stands at the journal's place to `journal.<name>.jsonl`, or to the first of `-2`, `-3`, … that is free.
pub(super) fn set_aside(folder: &Path, name: &str) -> Result<PathBuf, Fault> {
    let from = journal(folder);
    for number in 1..=NAMES {
        let to = folder.join(match number {
            1 => format!("journal.{name}.jsonl"),
            _ => format!("journal.{name}-{number}.jsonl"),
        });
        match fs::symlink_metadata(&to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return fs::rename(&from, &to)
                    .map(|()| to)
                    .map_err(|error| Fault::system("set aside", &from, &error));
            }
            // Whatever stands there stays, even where it can't be looked at.
            _ => {}
        }
    }
    Err(Fault::new(format!(
        "can't set {} aside: {NAMES} names for it are taken: remove those that nobody needs",
        from.display()
    )))
}

/// What an earlier run's journal is called when it is set aside.
pub(super) fn name_of(run: &str) -> String {
    let name: String = run.chars().take(8).collect();
    let plain = |c: char| c.is_ascii_digit() || c.is_ascii_lowercase() || c == '-';
    if !name.is_empty() && name.chars().all(plain) {
        name
    } else {
        "old".to_owned()
    }
}
