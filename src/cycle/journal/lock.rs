//! One process at a time in a suite's folder: the folder comes in, a hold on it goes out.
//!
//! The system's own lock on a file that stays: it ends with the process, however that ends. Who holds it stands in the
//! file, for people.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use jiff::Timestamp;

use super::{Fault, place};

/// The file that is locked.
const FILE: &str = ".lock";

/// Bytes of it that are read at the most.
const MOST: u64 = 100;

/// Held as long as it lives; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the folder, or says who has it. A folder that is not there is made.
    ///
    /// # Errors
    /// When another process (or another `Lock` of this one) has it, or the system can't make, open or lock the file.
    pub fn take(folder: &Path) -> Result<Lock, Fault> {
        place::make(folder)?;
        let path = folder.join(FILE);
        let mut file = open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Fault::new(format!(
                    "another tunegate works in {}{}: wait for it, or choose another --output-dir",
                    folder.display(),
                    holder(&file).unwrap_or_default()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(Fault::system("lock", &path, &error)),
        }
        // For people only: without it the lock is no less a lock.
        let who = format!("{} {}\n", std::process::id(), now());
        let _told = file.set_len(0).and_then(|()| file.write_all(who.as_bytes()));
        Ok(Lock { _file: file })
    }
}

fn open(path: &Path) -> Result<File, Fault> {
    let mut options = File::options();
    options.read(true).write(true);
    // Made only where nothing is, so that no link is written through.
    for _ in 0..2 {
        if let Some(file) = place::open(path, &options)? {
            return Ok(file);
        }
        match options.clone().create_new(true).open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => return made.map_err(|error| Fault::system("make", path, &error)),
        }
    }
    Err(Fault::new(format!(
        "{} comes and goes: another program works in the folder",
        path.display()
    )))
}

fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Who holds the lock, where the file says so in our own words.
fn holder(file: &File) -> Option<String> {
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).ok()?;
    let (pid, since) = text.trim_end().split_once(' ')?;
    let pid: u32 = pid.parse().ok()?;
    let since: Timestamp = since.parse().ok()?;
    Some(format!(" (pid {pid} since {since})"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    #[test]
    fn one_at_a_time_and_the_next_when_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("out").join("suite");
        let lock = Lock::take(&folder).unwrap();
        let since = fs::read_to_string(folder.join(FILE)).unwrap();
        let since = since.trim_end().split_once(' ').unwrap().1;
        assert_eq!(
            Lock::take(&folder).unwrap_err().message,
            format!(
                "another tunegate works in {} (pid {} since {since}): wait for it, or choose another --output-dir",
                folder.display(),
                std::process::id()
            )
        );
        drop(lock);
        Lock::take(&folder).unwrap();
        assert!(folder.join(FILE).exists());
    }

    #[test]
    fn who_holds_it_is_told_only_in_our_own_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let _lock = Lock::take(folder.path()).unwrap();
        let hostile = [
            "",
            "1",
            "x 2026-11-22T03:04:05Z",
            "1 \u{1b}[31mnow",
            &"1 ".repeat(1000),
            "1 2026-11-22T03:04:05Z\nx",
        ];
        for text in hostile {
            fs::write(&path, text).unwrap();
            let told = Lock::take(folder.path()).unwrap_err().message;
            let place = folder.path().display();
            assert!(
                told.starts_with(&format!("another tunegate works in {place}: wait")),
                "{told}"
            );
        }
        fs::write(&path, [0xff; 10]).unwrap();
        assert!(Lock::take(folder.path()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_neither_locked_nor_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, "mine").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        let told = Lock::take(folder.path()).unwrap_err().message;
        assert!(told.contains(".lock is a link, "), "{told}");
        assert_eq!(fs::read(&elsewhere).unwrap(), b"mine");
        fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let told = Lock::take(folder.path()).unwrap_err().message;
        assert!(told.contains(".lock is no regular file, "), "{told}");
    }
}
