//! Collects the faults of one reading, in the order of files and lines, bounded in number.
//! Readers hold a [`Pen`], which knows the file they are in.

use std::rc::Rc;
use std::sync::Arc;

use super::tree::{Node, Span};
use super::{Diagnostic, Place, Severity};

/// How many faults one reading shows; the rest are counted.
pub(super) const SHOWN: usize = 200;

/// Everything found so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    kept: Vec<(usize, Diagnostic)>,
    errors: usize,
    warnings: usize,
    /// Files in the order they were read: the order in which their faults are told.
    files: Vec<Rc<str>>,
    /// The same, as places share them.
    shown: Vec<Arc<str>>,
}

impl Faults {
    /// Begins a file; faults without a file of their own go to the last one begun.
    pub(super) fn pen(&mut self, file: &Rc<str>) -> Pen<'_> {
        let rank = match self.files.iter().rposition(|known| known == file) {
            Some(rank) => rank,
            None => {
                self.files.push(Rc::clone(file));
                self.shown.push((**file).into());
                self.files.len() - 1
            }
        };
        let shown = match self.shown.get(rank) {
            Some(shown) => Arc::clone(shown),
            None => (**file).into(),
        };
        Pen {
            faults: self,
            file: Rc::clone(file),
            shown,
            rank,
            cut: None,
        }
    }

    /// Whether any error was found, shown or not.
    pub(super) fn any_error(&self) -> bool {
        self.errors > 0
    }

    /// How many faults are only counted.
    pub(super) fn hidden(&self) -> usize {
        self.errors + self.warnings - self.kept.len()
    }

    /// The faults in reading order; a last one tells how many are not shown.
    pub(super) fn finish(self, suite: &str) -> Vec<Diagnostic> {
        let (hidden, refused) = (self.hidden(), self.any_error());
        let mut kept = self.kept;
        kept.sort_by_key(|(rank, d)| (*rank, d.place.line, d.place.column));
        let mut told: Vec<Diagnostic> = kept.into_iter().map(|(_, diagnostic)| diagnostic).collect();
        told.extend(not_shown(hidden, refused, suite));
        told
    }
}

/// What stands for so many faults that are not shown, in a suite that is refused or not.
pub(super) fn not_shown(hidden: usize, refused: bool, suite: &str) -> Option<Diagnostic> {
    (hidden > 0).then(|| Diagnostic {
        severity: if refused {
            Severity::Error
        } else {
            Severity::Warning
        },
        message: format!("and {hidden} more faults, not shown"),
        place: Place {
            file: suite.into(),
            line: 1,
            column: 1,
        },
        length: 1,
        help: Some("mend the ones above and check again".to_owned()),
    })
}

/// Writes faults of one file.
pub(super) struct Pen<'f> {
    faults: &'f mut Faults,
    /// The file as people see it.
    pub(super) file: Rc<str>,
    /// The same, as places share it.
    shown: Arc<str>,
    rank: usize,
    /// The line of a syntax error: what ended there or later may lack keys only because of it.
    pub(super) cut: Option<u32>,
}

impl Pen<'_> {
    /// Tells an error.
    pub(super) fn error(&mut self, span: Span, message: impl Into<String>) {
        self.tell(Severity::Error, span, message.into(), None);
    }

    /// Tells an error and what to do about it.
    pub(super) fn error_help(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.tell(Severity::Error, span, message.into(), Some(help.into()));
    }

    /// Tells a warning.
    pub(super) fn warning(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.tell(Severity::Warning, span, message.into(), Some(help.into()));
    }

    /// Whether a syntax error may have taken a part of this node away.
    pub(super) fn may_be_cut(&self, node: &Node) -> bool {
        self.cut.is_some_and(|line| node.end_line >= line)
    }

    /// A place in this pen's file.
    pub(super) fn place(&self, span: Span) -> Place {
        Place {
            file: Arc::clone(&self.shown),
            line: span.line,
            column: span.column,
        }
    }

    /// Errors so far, over all files: whether a part was read without any is a comparison of two counts.
    pub(super) fn errors(&self) -> usize {
        self.faults.errors
    }

    /// A pen for another file.
    pub(super) fn turn(&mut self, file: &Rc<str>) -> Pen<'_> {
        self.faults.pen(file)
    }

    fn tell(&mut self, severity: Severity, span: Span, message: String, help: Option<String>) {
        match severity {
            Severity::Error => self.faults.errors += 1,
            Severity::Warning => self.faults.warnings += 1,
        }
        if self.faults.kept.len() >= SHOWN {
            return;
        }
        let place = self.place(span);
        let diagnostic = Diagnostic {
            severity,
            message,
            place,
            length: span.length.max(1),
            help,
        };
        self.faults.kept.push((self.rank, diagnostic));
    }
}
