//! A JSON document, written in pieces → the same document without effects on who shows it: GitHub's runner, a terminal.
//!
//! The runner obeys `##[` anywhere in a line, a terminal the controls above ASCII; and JSON can't be fenced and still be
//! read by a script. All of them stand in strings only, where they can be escaped.

use std::io::{self, Write};

/// Writes on, a line at a time: a document of 100,000 cases is never held whole.
pub(crate) struct InertJson<W: Write> {
    to: W,
    /// What has come of a line that has not ended.
    line: Vec<u8>,
}

impl<W: Write> InertJson<W> {
    /// To `to`, which the caller buffers.
    pub(crate) fn new(to: W) -> InertJson<W> {
        InertJson { to, line: Vec::new() }
    }

    /// Writes what is left.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.line);
        self.put(&rest)?;
        self.to.flush()
    }

    fn put(&mut self, text: &[u8]) -> io::Result<()> {
        let text =
            std::str::from_utf8(text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.to.write_all(inert(text).as_bytes())
    }
}

impl<W: Write> Write for InertJson<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match bytes.iter().rposition(|byte| *byte == b'\n') {
            None => self.line.extend_from_slice(bytes),
            Some(end) => {
                let mut lines = std::mem::take(&mut self.line);
                lines.extend_from_slice(&bytes[..=end]);
                self.put(&lines)?;
                lines.clear();
                lines.extend_from_slice(&bytes[end + 1..]);
                self.line = lines;
            }
        }
        Ok(bytes.len())
    }

    /// Whole lines are on their way; half of one can't be judged yet.
    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn inert(document: &str) -> String {
    let mut out = String::with_capacity(document.len());
    for c in document.chars() {
        match c {
            '[' if out.ends_with("##") => out.push_str("\\u005b"),
            '\u{7f}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it comes out of a document that is written in pieces of this size.
    fn written(document: &str, piece: usize) -> String {
        let mut out = Vec::new();
        let mut inert = InertJson::new(&mut out);
        for piece in document.as_bytes().chunks(piece) {
            inert.write_all(piece).unwrap();
        }
        inert.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_keeps_its_value_and_loses_its_effects_however_it_is_cut() {
        let value =
            serde_json::json!({"##[error]a": ["##[[", "\u{9b}31m \u{7f}\u{202e}", "\\##[x]", "é ##"]});
        let document = format!("{value:#}\n");
        let whole = written(&document, document.len());
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&whole).ok(),
            Some(value)
        );
        assert!(
            !whole.contains("##[") && !whole.contains(['\u{9b}', '\u{7f}', '\u{202e}']),
            "{whole}"
        );
        for piece in 1..document.len() {
            assert_eq!(written(&document, piece), whole);
        }
    }
}
