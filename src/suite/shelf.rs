//! The files that a suite reads while it is read: opened once, bounded in number and in all, their texts kept for
//! the faults that point into them; and what was made of them.
//!
//! Files of lines are not held: the lines that faults point into are looked up again in the end.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use super::faults::Pen;
use super::folder::{Folder, Unread, utf16};
use super::lines::{Line, Lines};
use super::pattern::Patterns;
use super::sharing::Sharing;
use super::tree::Span;
use super::{Diagnostic, Place, Sources, json_schema};

/// Files that one suite may open.
const MOST_FILES: usize = 10_000;
/// Bytes of all of them that are held as a whole.
const MOST_BYTES: usize = 100 * 1024 * 1024;
/// Bytes of all that are read line by line.
const MOST_LINE_BYTES: u64 = 1024 * 1024 * 1024;
/// Bytes of lines that are kept for the faults that point into them.
const MOST_KEPT: usize = 100 * 1024 * 1024;

/// Bytes of all schemas, as they lie in memory.
const MOST_SCHEMA_BYTES: usize = 64 * 1024 * 1024;

/// What a suite has read so far.
pub(super) struct Shelf {
    pub(super) folder: Folder,
    texts: BTreeMap<Rc<str>, Rc<str>>,
    /// What can be shown of files that are no text.
    broken: BTreeMap<Rc<str>, String>,
    bytes: usize,
    /// Files that are read line by line: as people see them, and as the suite calls them.
    streams: BTreeMap<Rc<str>, String>,
    /// Bytes of these.
    stream_bytes: u64,
    /// Told once that there is no more room.
    full: bool,
    patterns: Patterns,
    /// Schemas by their shown name; `None` for one whose fault was told.
    pub(super) schemas: HashMap<String, Option<Arc<serde_json::Value>>>,
    /// What they weigh in memory, in bytes.
    schema_bytes: usize,
    /// What cases have in common.
    pub(super) sharing: Sharing,
    /// Files and folders that patterns of includes have looked at.
    pub(super) looked_at: usize,
}

/// A file that was opened.
pub(super) struct Opened {
    /// As people see it.
    pub(super) shown: Rc<str>,
    pub(super) text: Rc<str>,
}

impl Shelf {
    pub(super) fn new(folder: Folder) -> Shelf {
        Shelf {
            folder,
            texts: BTreeMap::new(),
            broken: BTreeMap::new(),
            bytes: 0,
            streams: BTreeMap::new(),
            stream_bytes: 0,
            full: false,
            patterns: Patterns::default(),
            schemas: HashMap::new(),
            schema_bytes: 0,
            sharing: Sharing::default(),
            looked_at: 0,
        }
    }

    /// Opens a file that the suite names at `span`. A fault is told there, or in the file itself when it was read
    /// far enough to have a place.
    pub(super) fn open(&mut self, pen: &mut Pen<'_>, span: Span, name: &str, largest: u64) -> Option<Opened> {
        let shown: Rc<str> = self.folder.shown(name).into();
        if let Some(text) = self.texts.get(&shown) {
            return Some(Opened {
                shown,
                text: Rc::clone(text),
            });
        }
        if self.files() >= MOST_FILES || self.bytes >= MOST_BYTES {
            self.no_room(pen, span, "the suite reads more than 10,000 files or 100 MB");
            return None;
        }
        match self.folder.read(name, largest) {
            Ok(text) => {
                let text: Rc<str> = text.into();
                self.bytes += text.len();
                self.texts.insert(Rc::clone(&shown), Rc::clone(&text));
                Some(Opened { shown, text })
            }
            Err(unread) => {
                self.tell(pen, span, &shown, unread);
                None
            }
        }
    }

    /// Opens a file of lines that the suite names at `span`, where every fault of it as a whole is told.
    pub(super) fn open_lines(
        &mut self,
        pen: &mut Pen<'_>,
        span: Span,
        name: &str,
    ) -> Option<(Rc<str>, Lines)> {
        if self.files() >= MOST_FILES {
            self.no_room(pen, span, "the suite reads more than 10,000 files or 100 MB");
            return None;
        }
        let shown: Rc<str> = self.folder.shown(name).into();
        match self.folder.lines(name) {
            Ok((_, bytes)) if self.stream_bytes.saturating_add(bytes) > MOST_LINE_BYTES => {
                self.no_room(
                    pen,
                    span,
                    "the suite's `.jsonl` files hold more than 1 GB together",
                );
                None
            }
            Ok((lines, bytes)) => {
                self.stream_bytes += bytes;
                self.streams.insert(Rc::clone(&shown), name.to_owned());
                Some((shown, lines))
            }
            Err(unread) => {
                self.tell(pen, span, &shown, unread);
                None
            }
        }
    }

    /// Tells that a file of lines that was opened can't be read on.
    pub(super) fn tell_unread(
        &mut self,
        pen: &mut Pen<'_>,
        span: Span,
        name: &str,
        error: Option<&io::Error>,
    ) {
        let shown: Rc<str> = self.folder.shown(name).into();
        let unread = match error {
            Some(error) => self.folder.unread(name, error),
            None => utf16(name),
        };
        self.tell(pen, span, &shown, unread);
    }

    fn files(&self) -> usize {
        self.texts.len() + self.broken.len() + self.streams.len()
    }

    /// Told once.
    fn no_room(&mut self, pen: &mut Pen<'_>, span: Span, message: &str) {
        if !self.full {
            self.full = true;
            pen.error_help(span, message, "split it into several suites");
        }
    }

    fn tell(&mut self, pen: &mut Pen<'_>, span: Span, shown: &Rc<str>, unread: Unread) {
        let Unread {
            message,
            help,
            within,
        } = unread;
        let told = |pen: &mut Pen<'_>, span| match help {
            Some(help) => pen.error_help(span, message, help),
            None => pen.error(span, message),
        };
        match within {
            Some(within) => {
                told(&mut pen.turn(shown), within.span);
                self.bytes += within.text.len();
                self.broken.insert(Rc::clone(shown), within.text);
            }
            None => told(pen, span),
        }
    }

    /// Why a `regex` check's pattern can't be used, if it can't.
    pub(super) fn refused_pattern(&mut self, pattern: &str) -> Option<String> {
        let streamed = usize::try_from(self.stream_bytes).unwrap_or(usize::MAX);
        self.patterns
            .refusal(pattern, self.bytes.saturating_add(streamed))
    }

    /// Takes note of a schema's weight; false when there is no room for it.
    pub(super) fn hold_schema(&mut self, schema: &serde_json::Value) -> bool {
        self.schema_bytes = self.schema_bytes.saturating_add(json_schema::weight(schema));
        self.schema_bytes <= MOST_SCHEMA_BYTES
    }

    /// The texts that `diagnostics` point into, and the suite's own, into which gates will.
    pub(super) fn sources(self, suite: &str, diagnostics: &[Diagnostic]) -> Sources {
        let mut wanted: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::from([(suite, BTreeSet::new())]);
        for Place { file, line, .. } in diagnostics.iter().map(|diagnostic| &diagnostic.place) {
            wanted.entry(file).or_default().insert(*line);
        }
        let mut sources = Sources::default();
        let mut room = MOST_KEPT;
        for (file, name) in &self.streams {
            if let Some(numbers) = wanted.get(&**file) {
                sources.keep_lines(file, again(&self.folder, name, numbers, &mut room));
            }
        }
        let texts = self
            .texts
            .into_iter()
            .map(|(file, text)| (file, text.to_string()));
        for (file, text) in texts.chain(self.broken) {
            if wanted.contains_key(&*file) {
                sources.keep(&file, text);
            }
        }
        sources
    }
}

/// Some lines of a file, looked up again; what can't be read any more, or has no room, is left out.
fn again(folder: &Folder, name: &str, numbers: &BTreeSet<u32>, room: &mut usize) -> BTreeMap<u32, String> {
    let mut found = BTreeMap::new();
    let Ok((mut lines, _)) = folder.lines(name) else {
        return found;
    };
    while found.len() < numbers.len()
        && let Ok(Some((number, line))) = lines.next()
    {
        if !numbers.contains(&number) {
            continue;
        }
        let text = match line {
            Line::Text(text) => Cow::Borrowed(text),
            Line::Bytes { all, .. } | Line::TooLong(all) => String::from_utf8_lossy(all),
            Line::Utf16 => break,
        };
        let Some(left) = room.checked_sub(text.len()) else {
            break;
        };
        *room = left;
        found.insert(number, text.into_owned());
    }
    found
}
