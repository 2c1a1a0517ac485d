//! The text of a requirement in, its words and marks out, each with its place; and what is wrong with it.

use super::wording;

/// Characters that end a word; they mean something by themselves.
const MARKS: &str = "()<>=!~≥≤≠'\":,;";

/// A stretch of the text, in characters from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) length: usize,
}

/// Something that is wrong with the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) span: Span,
    pub(super) help: Option<String>,
}

/// Reads from the front of the text to its end, and skips white space before everything it reads.
pub(super) struct Reader {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
    /// What was read last: where something is missing at the end, this is what it is missing after.
    pub(super) last: Span,
}

impl Reader {
    pub(super) fn new(text: &str) -> Reader {
        Reader {
            chars: text.chars().collect(),
            at: 0,
            last: Span { start: 0, length: 1 },
        }
    }

    /// The next character that is not white space.
    pub(super) fn peek(&mut self) -> Option<char> {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.chars.get(self.at).copied()
    }

    /// The longest run of such characters, past white space; none of length 0.
    pub(super) fn run(&mut self, belongs: impl Fn(char) -> bool) -> Option<(String, Span)> {
        self.peek();
        let text: String = self
            .chars
            .iter()
            .skip(self.at)
            .take_while(|c| belongs(**c))
            .collect();
        if text.is_empty() {
            return None;
        }
        self.last = Span {
            start: self.at,
            length: text.chars().count(),
        };
        self.at += self.last.length;
        Some((text, self.last))
    }

    pub(super) fn word(&mut self) -> Option<(String, Span)> {
        self.run(|c| !c.is_whitespace() && !MARKS.contains(c))
    }

    pub(super) fn mark(&mut self, mark: char, help: &str) -> Result<(), Fault> {
        if self.peek() != Some(mark) {
            return Err(self.missing(&format!("`{mark}`"), help));
        }
        self.last = Span {
            start: self.at,
            length: 1,
        };
        self.at += 1;
        Ok(())
    }

    pub(super) fn missing(&mut self, what: &str, help: &str) -> Fault {
        let help = Some(help.to_owned()).filter(|help| !help.is_empty());
        match self.peek() {
            None => Fault {
                message: format!("{what} is missing at the end"),
                span: self.last,
                help,
            },
            Some(_) => {
                let start = self.at;
                let rest = self.chars.get(start..).unwrap_or_default();
                let word = rest
                    .iter()
                    .take_while(|c| !c.is_whitespace() && !MARKS.contains(**c))
                    .count();
                // Where no word stands, a mark is in the way, and it alone.
                let found = rest.get(..word.max(1)).unwrap_or_default();
                let length = found.len();
                let word = wording::name(&found.iter().collect::<String>());
                let span = Span { start, length };
                Fault {
                    message: format!("expected {what}, found `{word}`"),
                    span,
                    help,
                }
            }
        }
    }
}
