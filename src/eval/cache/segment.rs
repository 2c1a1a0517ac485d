//! The files of a cache: a folder comes in, its segments with what stands where go out; and the one segment that this
//! process writes.
//!
//! A segment is written by one process alone, which holds a lock on it as long as it lives; others only read it. It
//! appears in the folder under a lock already, so that nobody takes a new one for one that was left.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::line::{self, HEAD, Head, MAX_LINE};

/// How a segment's name ends.
const ENDING: &str = ".jsonl";
/// Digits of the milliseconds since 1970 that it begins with (until the year 2286), and of the UUID behind them.
const MILLIS: usize = 13;
const ID: usize = 32;
/// Segments that are read at the most; more are there only where nobody can tidy up.
const MOST: usize = 512;

/// A file of replies.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) bytes: u64,
    /// False where the folder holds more than is read of it, and this is not of the newest.
    pub(super) is_read: bool,
}

impl Segment {
    /// Calls `found` with the head of every line, its offset and its length, the line break with it. The last line
    /// may be half a one: that shows when it is read.
    pub(super) fn scan(&self, mut found: impl FnMut(Head, u64, u32)) -> io::Result<()> {
        if !self.is_read {
            return Ok(());
        }
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        // What is written to it meanwhile is not waited for.
        let mut lines = BufReader::with_capacity(128 << 10, file.take(self.bytes));
        let (mut offset, mut head) = (0, Vec::with_capacity(HEAD));
        loop {
            head.clear();
            let mut length = lines.by_ref().take(HEAD as u64).read_until(b'\n', &mut head)?;
            if length == 0 {
                return Ok(());
            }
            if head.last() != Some(&b'\n') {
                length += lines.skip_until(b'\n')?;
            }
            if length <= MAX_LINE
                && let (Some(head), Ok(length)) = (line::head(&head), u32::try_from(length))
            {
                found(head, offset, length);
            }
            offset += length as u64;
        }
    }

    /// The bytes of a line.
    pub(super) fn line(&self, offset: u64, length: u32) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length as usize];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Opens the segments of a folder, the newest last: of two replies of one second the later one counts. Of those beyond
/// `most` bytes, counted from the newest on, nothing is to be read. One that vanishes meanwhile was put together with
/// others: its lines are in one that a second look finds.
pub(super) fn open(folder: &Path, most: u64) -> io::Result<Vec<Segment>> {
    let mut opened: Vec<Segment> = Vec::new();
    for _ in 0..4 {
        let mut vanished = false;
        for path in listed(folder)? {
            if opened.iter().any(|segment| segment.path == path) {
                continue;
            }
            match File::open(&path) {
                Ok(file) => {
                    let bytes = file.metadata()?.len();
                    opened.push(Segment {
                        path,
                        file,
                        bytes,
                        is_read: true,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => vanished = true,
                // Another user's, say: its replies are asked for again.
                Err(_) => {}
            }
        }
        if !vanished {
            break;
        }
    }
    opened.sort_by(|a, b| a.path.cmp(&b.path));
    let mut room = most;
    for segment in opened.iter_mut().rev() {
        segment.is_read = segment.bytes <= room;
        if segment.is_read {
            room -= segment.bytes;
        }
    }
    Ok(opened)
}

/// Whether a file's name is one that [`Writer::begin`] gives, or tidying up: anything else in the folder is somebody's
/// own, and is neither read nor ever removed.
pub(super) fn is_ours(name: &str, ending: &str) -> bool {
    let parts = name.strip_suffix(ending).and_then(|name| name.split_once('-'));
    parts.is_some_and(|(millis, id)| {
        let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        millis.len() == MILLIS
            && millis.bytes().all(|byte| byte.is_ascii_digit())
            && id.len() == ID
            && id.bytes().all(hex)
    })
}

/// A name for a new file, without its ending: the later the greater.
pub(super) fn name() -> String {
    let millis = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    format!("{millis:0MILLIS$}-{}", uuid::Uuid::new_v4().simple())
}

/// The segments' paths. Links and folders are none.
fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file
            && entry
                .file_name()
                .to_str()
                .is_some_and(|name| is_ours(name, ENDING))
        {
            paths.push(entry.path());
        }
    }
    // Their names begin with their time.
    paths.sort_unstable_by(|a, b| b.cmp(a));
    paths.truncate(MOST);
    Ok(paths)
}

/// The segment that this process writes.
#[derive(Debug)]
pub(super) struct Writer {
    file: File,
    /// Bytes in it.
    pub(super) bytes: u64,
}

impl Writer {
    /// Makes a segment of its own.
    pub(super) fn begin(folder: &Path, private: bool) -> io::Result<Writer> {
        let name = name();
        let (new, path) = (folder.join(format!("{name}.new")), folder.join(name + ENDING));
        let file = create(&new, private)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
            // A file system without locks: it is one process's all the same.
            Err(TryLockError::Error(_)) => {}
        }
        fs::rename(&new, &path)?;
        Ok(Writer { file, bytes: 0 })
    }

    /// Adds a line.
    pub(super) fn add(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.write_all(line)?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    /// What was added is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// A file that was not there before; `private`: for this user alone.
pub(super) fn create(path: &Path, private: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    options.open(path)
}

/// The cache's folder, where it is not there yet.
pub(super) fn make_folder(folder: &Path, private: bool) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    }
    builder.create(folder)
}
