//! A record with a comparison, and the baseline's texts → the differences, on the terminal, as Markdown and as JSON.

mod json;
#[cfg(test)]
mod tests;
mod texts;
mod words;

use std::io;

use super::view::Against;
use super::{Around, MARKDOWN_LIMIT_BYTES, Record, markdown, terminal};

pub(super) use texts::{Line, Most, Sign, TextDiff, compare};

/// The differences for a terminal of `width` characters, with ANSI colours where `colour` is set. Foreign text in it is
/// as harmless as in [`super::terminal`].
pub fn diff_terminal(record: &Record, around: &Around<'_>, width: usize, colour: bool) -> String {
    terminal::differences(record, &Against::new(record, around), width, colour)
}

/// The differences as GitHub-flavoured Markdown of at most `limit_bytes` (and [`MARKDOWN_LIMIT_BYTES`]).
pub fn diff_markdown(record: &Record, around: &Around<'_>, limit_bytes: usize) -> String {
    markdown::differences(record, around, limit_bytes.min(MARKDOWN_LIMIT_BYTES))
}

/// The differences as a JSON document, whole; `docs/results.md` says what it holds. Indented, with a final newline.
///
/// # Errors
/// Those of `to`.
pub fn diff_json(record: &Record, around: &Around<'_>, mut to: impl io::Write) -> io::Result<()> {
    let against = Against::new(record, around);
    serde_json::to_writer_pretty(&mut to, &json::Document::new(record, &against))?;
    to.write_all(b"\n")
}
