//! Sections and rows → one page within its bound of bytes.

use crate::report::numbers::count;

/// Kept free for the line that tells what was left out.
const NOTE_BYTES: usize = 200;

/// A page that takes a section whole or not at all.
pub(super) struct Page {
    text: String,
    limit: usize,
    left_out: u64,
}

impl Page {
    pub(super) fn new(limit_bytes: usize) -> Page {
        Page {
            text: String::new(),
            limit: limit_bytes,
            left_out: 0,
        }
    }

    /// Adds a section behind an empty line; an empty section adds nothing.
    pub(super) fn push(&mut self, section: String) {
        if section.is_empty() {
            return;
        }
        let gap = usize::from(!self.text.is_empty());
        if section.len() + gap > self.room() {
            self.left_out += 1;
            return;
        }
        if gap > 0 {
            self.text.push('\n');
        }
        self.text.push_str(&section);
    }

    /// The bytes that still fit.
    pub(super) fn room(&self) -> usize {
        self.limit
            .saturating_sub(NOTE_BYTES)
            .saturating_sub(self.text.len())
    }

    pub(super) fn finish(mut self) -> String {
        if self.left_out > 0 {
            let note = format!(
                "\n_{} parts of this report did not fit; all is in results.json._\n",
                self.left_out
            );
            if self.text.len() + note.len() <= self.limit {
                self.text.push_str(&note);
            }
        }
        self.text
    }
}

/// Rows that fit, and how many did not.
pub(super) struct Rows {
    pub text: String,
    pub shown: usize,
    pub left: usize,
}

/// As many of the rows as `most` and `bytes` allow, in their order.
pub(super) fn rows(all: impl ExactSizeIterator<Item = String>, most: usize, bytes: usize) -> Rows {
    let total = all.len();
    let mut text = String::new();
    let mut shown = 0;
    for row in all.take(most) {
        if text.len() + row.len() > bytes {
            break;
        }
        text.push_str(&row);
        shown += 1;
    }
    Rows {
        text,
        shown,
        left: total - shown,
    }
}

impl Rows {
    /// A line for what was left out; empty when nothing was.
    pub(super) fn rest(&self, of: &str) -> String {
        if self.left == 0 {
            return String::new();
        }
        let all = (self.shown + self.left) as u64;
        format!(
            "\n{} of {} {of} not shown; all are in results.json.\n",
            count(self.left as u64),
            count(all)
        )
    }
}

/// A folded part. `summary` is HTML.
pub(super) fn folded(summary: &str, body: &str) -> String {
    // The empty lines make GitHub read the inside as Markdown.
    format!("<details>\n<summary>{summary}</summary>\n\n{body}\n</details>\n")
}
