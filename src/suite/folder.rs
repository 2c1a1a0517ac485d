//! File names that a suite gives → texts, never from outside the suite's own folder (symbolic links included),
//! never above a size, always UTF-8.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

use super::lines::Lines;
use super::place;
use super::suggest::suggest;
use super::tree::{Span, quoted};

/// The largest suite or include, in bytes.
pub(super) const LARGEST: u64 = 10 * 1024 * 1024;

/// Bytes of a file of lines that are read at once.
const AT_ONCE: usize = 64 * 1024;

/// The folder in which a suite lies.
#[derive(Debug)]
pub(super) struct Folder {
    /// What stands before a file's name when people are told about it: empty, or ending in `/`.
    prefix: String,
    /// Without any symbolic link.
    real: PathBuf,
    /// How often a missing file's name was compared with those that are there.
    tries: Cell<u32>,
}

/// Why a file could not be read.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) within: Option<Box<Within>>,
}

/// A place in a file that could be read, but not as text.
#[derive(Debug)]
pub(super) struct Within {
    pub(super) span: Span,
    /// With a stand-in for what is no text.
    pub(super) text: String,
}

impl Unread {
    fn new(message: String, help: &str) -> Self {
        Unread {
            message,
            help: Some(help.to_owned()),
            within: None,
        }
    }
}

impl Folder {
    /// The folder of the suite at `path`.
    pub(super) fn of(path: &Path) -> io::Result<Folder> {
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut prefix = shown(parent);
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        Ok(Folder {
            prefix,
            real: parent.canonicalize()?,
            tries: Cell::new(0),
        })
    }

    /// How a file of this folder is called in messages: as it is reached from the working directory.
    pub(super) fn shown(&self, name: &str) -> String {
        format!("{}{}", self.prefix, shown(Path::new(name)))
    }

    /// The folder itself, resolved.
    pub(super) fn real(&self) -> &Path {
        &self.real
    }

    /// Where a name leads, if it stays inside; the file need not be readable yet.
    pub(super) fn resolve(&self, name: &str) -> Result<PathBuf, Unread> {
        inside(name)?;
        let path = self
            .real
            .join(name)
            .canonicalize()
            .map_err(|error| self.unread(name, &error))?;
        if !path.starts_with(&self.real) {
            return Err(Unread::new(
                format!(
                    "{} leads out of the suite's folder through a symbolic link",
                    quoted(name)
                ),
                "a suite reads only files below its own folder: copy the file there",
            ));
        }
        Ok(path)
    }

    /// A file's text, without a byte order mark.
    pub(super) fn read(&self, name: &str, largest: u64) -> Result<String, Unread> {
        let (path, _) = self.regular(name)?;
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(largest + 1).read_to_end(&mut bytes))
            .map_err(|error| self.unread(name, &error))?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > largest) {
            return Err(too_large(name, largest));
        }
        text(name, bytes)
    }

    /// A file's lines, and how many bytes it has. What it gains from here on is not read.
    pub(super) fn lines(&self, name: &str) -> Result<(Lines, u64), Unread> {
        let (path, bytes) = self.regular(name)?;
        let file = File::open(&path).map_err(|error| self.unread(name, &error))?;
        let file = BufReader::with_capacity(AT_ONCE, file.take(bytes));
        Ok((Lines::of(Box::new(file)), bytes))
    }

    /// Where a regular file lies, and how many bytes it has.
    fn regular(&self, name: &str) -> Result<(PathBuf, u64), Unread> {
        let path = self.resolve(name)?;
        let about = path.metadata().map_err(|error| self.unread(name, &error))?;
        if about.is_dir() {
            return Err(Unread::new(
                format!("{} is a folder", quoted(name)),
                "name a file",
            ));
        }
        // Not opened before this is known: opening a pipe would wait for its other end.
        if !about.is_file() {
            return Err(Unread::new(
                format!("{} is not a regular file", quoted(name)),
                "name a text file",
            ));
        }
        Ok((path, about.len()))
    }

    pub(super) fn unread(&self, name: &str, error: &io::Error) -> Unread {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => {
                let help = self.near(name).map(|near| format!("did you mean `{near}`?"));
                let message = format!("there is no file {}", quoted(&self.shown(name)));
                return Unread {
                    message,
                    help,
                    within: None,
                };
            }
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        Unread {
            message: format!("can't read {}: {reason}", quoted(name)),
            help: None,
            within: None,
        }
    }

    /// A file beside the missing one with nearly its name.
    fn near(&self, name: &str) -> Option<String> {
        const LOOKED_AT: usize = 1_000;
        const MOST_TRIES: u32 = 20;
        let tries = self.tries.get();
        if tries >= MOST_TRIES {
            return None;
        }
        self.tries.set(tries + 1);
        let (folder, file) = name
            .rsplit_once('/')
            .map_or(("", name), |(folder, file)| (folder, file));
        let real = self
            .real
            .join(folder)
            .canonicalize()
            .ok()
            .filter(|real| real.starts_with(&self.real))?;
        let names: Vec<String> = real
            .read_dir()
            .ok()?
            .take(LOOKED_AT)
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| !name.chars().any(super::tree::steers))
            .collect();
        // Without its ending, or `a.yaml` would be near to `b.yaml`.
        let stem = |name: &str| name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
        let stems: Vec<String> = names.iter().map(|name| stem(name)).collect();
        let near = suggest(&stem(file), stems.iter().map(String::as_str))?;
        let alike = || {
            stems
                .iter()
                .zip(&names)
                .filter(|(stem, _)| stem.as_str() == near)
                .map(|(_, name)| name)
        };
        let ending = file.get(stem(file).len()..).unwrap_or_default();
        let near = alike()
            .find(|name| name.ends_with(ending))
            .or_else(|| alike().next())?;
        Some(if folder.is_empty() {
            near.to_owned()
        } else {
            format!("{folder}/{near}")
        })
    }
}

/// Refuses names that can't lie inside the folder, before anything is looked up.
pub(super) fn inside(name: &str) -> Result<(), Unread> {
    const HELP: &str = "name a file below the suite's folder, relative to it, with `/` between folders";
    let path = Path::new(name);
    let drive = name.as_bytes().get(1) == Some(&b':') && name.starts_with(|c: char| c.is_ascii_alphabetic());
    if path.is_absolute() || name.starts_with(['/', '\\', '~']) || drive {
        return Err(Unread::new(format!("{} is an absolute path", quoted(name)), HELP));
    }
    if name.split(['/', '\\']).any(|part| part == "..") {
        return Err(Unread::new(
            format!("{} leads out of the suite's folder", quoted(name)),
            HELP,
        ));
    }
    if name.contains('\\') {
        return Err(Unread::new(
            format!("{} has a backslash in it", quoted(name)),
            HELP,
        ));
    }
    Ok(())
}

/// A path with `/` between its parts and without `.` parts.
pub(super) fn shown(path: &Path) -> String {
    let mut shown = String::new();
    for part in path.components() {
        match part {
            Component::CurDir => continue,
            Component::RootDir => shown.push('/'),
            Component::Prefix(prefix) => shown.push_str(&prefix.as_os_str().to_string_lossy()),
            Component::ParentDir | Component::Normal(_) => {
                if !shown.is_empty() && !shown.ends_with('/') {
                    shown.push('/');
                }
                shown.push_str(&part.as_os_str().to_string_lossy());
            }
        }
    }
    shown
}

/// The byte order mark.
const MARK: char = '\u{FEFF}';

/// What is said of a file above so many bytes.
pub(super) fn too_large(name: &str, largest: u64) -> Unread {
    let (size, unit) = if largest >= 1024 * 1024 {
        (largest >> 20, "MB")
    } else {
        (largest >> 10, "KB")
    };
    Unread::new(
        format!("{} is larger than {size} {unit}", quoted(name)),
        "split it over several files",
    )
}

/// What is said of a file in UTF-16.
pub(super) fn utf16(name: &str) -> Unread {
    Unread::new(format!("{} is UTF-16", quoted(name)), SAVE_AS_UTF8)
}

/// What is said of a byte that begins no character.
pub(super) fn not_utf8(name: &str) -> String {
    format!("{} is not UTF-8: a byte here begins no character", quoted(name))
}

pub(super) const SAVE_AS_UTF8: &str = "save the file as UTF-8";

/// A file's bytes as text, without a byte order mark.
pub(super) fn text(name: &str, bytes: Vec<u8>) -> Result<String, Unread> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(utf16(name));
    }
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let mut text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let before = text.get(..valid).unwrap_or_default().trim_start_matches(MARK);
        let span = place::Lines::of(before).at(before.len(), 1);
        text = text.trim_start_matches(MARK).to_owned();
        Unread {
            message: not_utf8(name),
            help: Some(SAVE_AS_UTF8.to_owned()),
            within: Some(Box::new(Within { span, text })),
        }
    })?;
    if text.starts_with(MARK) {
        text.drain(..MARK.len_utf8());
    }
    Ok(text)
}
