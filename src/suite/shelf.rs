//! The files that a suite reads while it is read: opened once, bounded in number and in all, their texts kept for
//! the faults that point into them; and what was made of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::faults::Pen;
use super::folder::{Folder, Unread};
use super::pattern::Patterns;
use super::tree::Span;
use super::{Diagnostic, Sources, json_schema};

/// Files that one suite may open.
const MOST_FILES: usize = 10_000;
/// Bytes of all of them.
const MOST_BYTES: usize = 100 * 1024 * 1024;

/// Bytes of all schemas, as they lie in memory.
const MOST_SCHEMA_BYTES: usize = 64 * 1024 * 1024;

/// What a suite has read so far.
pub(super) struct Shelf {
    pub(super) folder: Folder,
    texts: BTreeMap<Rc<str>, Rc<str>>,
    /// What can be shown of files that are no text.
    broken: BTreeMap<Rc<str>, String>,
    bytes: usize,
    /// Told once that there is no more room.
    full: bool,
    patterns: Patterns,
    /// Schemas by their shown name; `None` for one whose fault was told.
    pub(super) schemas: HashMap<String, Option<serde_json::Value>>,
    /// What they weigh in memory, in bytes.
    schema_bytes: usize,
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
            full: false,
            patterns: Patterns::default(),
            schemas: HashMap::new(),
            schema_bytes: 0,
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
        if self.texts.len() + self.broken.len() >= MOST_FILES || self.bytes >= MOST_BYTES {
            if !self.full {
                self.full = true;
                pen.error_help(
                    span,
                    "the suite reads more than 10,000 files or 100 MB",
                    "split it into several suites",
                );
            }
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
        self.patterns.refusal(pattern, self.bytes)
    }

    /// Takes note of a schema's weight; false when there is no room for it.
    pub(super) fn hold_schema(&mut self, schema: &serde_json::Value) -> bool {
        self.schema_bytes = self.schema_bytes.saturating_add(json_schema::weight(schema));
        self.schema_bytes <= MOST_SCHEMA_BYTES
    }

    /// The texts that `diagnostics` point into, and the suite's own, into which gates will.
    pub(super) fn sources(self, suite: &str, diagnostics: &[Diagnostic]) -> Sources {
        let wanted: BTreeSet<&str> = diagnostics
            .iter()
            .map(|diagnostic| diagnostic.place.file.as_str())
            .chain([suite])
            .collect();
        let mut sources = Sources::default();
        let texts = self
            .texts
            .into_iter()
            .map(|(file, text)| (file, text.to_string()));
        for (file, text) in texts.chain(self.broken) {
            if wanted.contains(&*file) {
                sources.keep(&file, text);
            }
        }
        sources
    }
}
