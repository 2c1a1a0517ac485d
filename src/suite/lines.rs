//! A file's bytes → its lines, one at a time, each of them text and bounded: of a file of any size one line is held.
//!
//! Lines end with LF, CR LF or a lone CR, as in YAML; behind the last ending there is one more line, which is empty.

use std::fmt;
use std::io::{self, BufRead};

/// The longest line, in bytes.
pub(super) const LONGEST: usize = 10 * 1024 * 1024;

/// The byte order mark of UTF-8.
const MARK: &[u8] = "\u{FEFF}".as_bytes();

/// The lines of a file that is being read.
pub(super) struct Lines<R = Box<dyn BufRead>> {
    from: R,
    longest: usize,
    line: Vec<u8>,
    number: u32,
    /// The last line ended with a CR: a LF that follows belongs to it.
    after_cr: bool,
    ended: bool,
}

/// One line, without what ends it and without a byte order mark.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'l> {
    Text(&'l str),
    /// No UTF-8, and where it is none.
    Bytes {
        /// What stands before the first byte that begins no character.
        before: &'l str,
        all: &'l [u8],
    },
    /// The file is UTF-16, which its first two bytes say.
    Utf16,
    /// Longer than the bound; so much of it as is within.
    TooLong(&'l [u8]),
}

impl<R> fmt::Debug for Lines<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl<R: BufRead> Lines<R> {
    pub(super) fn of(from: R) -> Lines<R> {
        Lines {
            from,
            longest: LONGEST,
            line: Vec::new(),
            number: 0,
            after_cr: false,
            ended: false,
        }
    }

    /// The next line and its number, counted from 1; `None` behind the last one.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(super) fn next(&mut self) -> io::Result<Option<(u32, Line<'_>)>> {
        if self.ended {
            return Ok(None);
        }
        let whole = self.fill()?;
        self.number = self.number.saturating_add(1);
        let first = self.number == 1;
        let bytes = self.line.as_slice();
        if first && (bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF])) {
            return Ok(Some((self.number, Line::Utf16)));
        }
        let bytes = match bytes.strip_prefix(MARK) {
            Some(rest) if first => rest,
            _ => bytes,
        };
        let line = match (whole, std::str::from_utf8(bytes)) {
            (false, _) => Line::TooLong(bytes),
            (true, Ok(text)) => Line::Text(text),
            (true, Err(error)) => {
                let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
                Line::Bytes {
                    before: std::str::from_utf8(before).unwrap_or_default(),
                    all: bytes,
                }
            }
        };
        Ok(Some((self.number, line)))
    }

    /// Takes the bytes of the next line; whether it is within the bound.
    fn fill(&mut self) -> io::Result<bool> {
        self.line.clear();
        let mut whole = true;
        loop {
            let buffer = match self.from.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            let Some(first) = buffer.first() else {
                self.ended = true;
                return Ok(whole);
            };
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                self.from.consume(1);
                continue;
            }
            let end = buffer.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            let room = self.longest - self.line.len();
            whole &= part.len() <= room;
            self.line
                .extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
            let taken = part.len();
            match end {
                Some(at) => {
                    self.after_cr = buffer.get(at) == Some(&b'\r');
                    self.from.consume(at + 1);
                    return Ok(whole);
                }
                None => self.from.consume(taken),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;
    use crate::suite::source::line_starts;

    fn lines(bytes: &[u8], at_once: usize) -> Vec<String> {
        let mut lines = Lines::of(BufReader::with_capacity(at_once, bytes));
        let mut found = Vec::new();
        while let Some((number, line)) = lines.next().unwrap() {
            found.push(match line {
                Line::Text(text) => format!("{number} {text}"),
                other => format!("{number} {other:?}"),
            });
        }
        assert!(lines.next().unwrap().is_none());
        found
    }

    #[test]
    fn a_line_ends_as_it_does_in_a_text_that_is_held_whole() {
        for text in [
            "",
            "a",
            "a\n",
            "\n",
            "\r",
            "\r\n",
            "a\r\nb\rc\n\nd",
            "a\r\r\n\r",
            "é\n\n\r\n",
        ] {
            let starts = line_starts(text);
            let ends = starts.iter().skip(1).copied().chain([text.len()]);
            let wanted: Vec<String> = (1..)
                .zip(starts.iter().copied().zip(ends))
                .map(|(number, (from, to))| {
                    format!("{number} {}", text[from..to].trim_end_matches(['\n', '\r']))
                })
                .collect();
            for at_once in [1, 2, 3, 64] {
                assert_eq!(lines(text.as_bytes(), at_once), wanted, "{text:?} by {at_once}");
            }
        }
    }

    #[test]
    fn only_the_first_line_loses_a_byte_order_mark() {
        assert_eq!(
            lines("\u{FEFF}a\n\u{FEFF}b".as_bytes(), 2),
            ["1 a", "2 \u{FEFF}b"]
        );
        assert_eq!(lines(&[0xFF, 0xFE, b'a', 0], 1), ["1 Utf16"]);
    }

    #[test]
    fn what_is_no_text_is_told_with_what_stands_before_it() {
        let mut read = Lines::of(&b"a\n\xC3\xA9\xFFb\nc"[..]);
        assert_eq!(read.next().unwrap(), Some((1, Line::Text("a"))));
        let wanted = Line::Bytes {
            before: "é",
            all: b"\xC3\xA9\xFFb",
        };
        assert_eq!(read.next().unwrap(), Some((2, wanted)));
        assert_eq!(read.next().unwrap(), Some((3, Line::Text("c"))));
    }

    #[test]
    fn of_a_line_that_is_too_long_the_beginning_is_held() {
        for at_once in [1, 3, 64] {
            let mut read = Lines::of(BufReader::with_capacity(at_once, &b"12345\n123456\n1"[..]));
            read.longest = 5;
            assert_eq!(read.next().unwrap(), Some((1, Line::Text("12345"))));
            assert_eq!(read.next().unwrap(), Some((2, Line::TooLong(b"12345"))));
            assert_eq!(read.next().unwrap(), Some((3, Line::Text("1"))));
        }
    }
}
