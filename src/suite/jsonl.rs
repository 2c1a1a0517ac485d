//! One line of a `.jsonl` file → a tree of nodes with places, the same as YAML's.

use std::rc::Rc;

use serde::de::IgnoredAny;

use super::faults::Pen;
use super::place::{self, count};
use super::tree::{Entry, Kind, Node, Span, Style};

/// Reads a line that holds one JSON value. A fault is told and gives `None`.
pub(super) fn parse_line(pen: &mut Pen<'_>, text: &str, line: u32) -> Option<Rc<Node>> {
    // serde_json decides what JSON is, with a bound on depth; the walk below only finds places in what it accepted.
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        let span = Span {
            line,
            ..place::of_json(text, &error)
        };
        let words = error.to_string();
        let reason = words.split(" at line ").next().unwrap_or_default();
        pen.error_help(
            span,
            format!("not JSON: {reason}"),
            "a line of a `.jsonl` file holds one case as a JSON object",
        );
        return None;
    }
    let mut walk = Walk {
        text,
        at: 0,
        column: 0,
        line,
        nodes: 0,
    };
    let node = walk.value();
    if walk.nodes > MOST_NODES {
        pen.error(
            Span {
                line,
                column: 1,
                length: 1,
            },
            "the line holds more than 10,000 values",
        );
    } else if node.is_none() {
        pen.error(
            Span {
                line,
                column: 1,
                length: 1,
            },
            "not JSON: a text with a broken escape",
        );
    }
    node
}

/// Values on one line: a case of a thousand messages needs half as many.
const MOST_NODES: usize = 10_000;

/// A walk over text that is known to be JSON.
struct Walk<'t> {
    text: &'t str,
    at: usize,
    /// Characters before `at`.
    column: usize,
    line: u32,
    nodes: usize,
}

impl Walk<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes on by `bytes`, which must end on a character's boundary, and gives them.
    fn forward(&mut self, bytes: usize) -> Option<&str> {
        let passed = self.text.get(self.at..self.at + bytes)?;
        self.at += bytes;
        self.column += passed.chars().count();
        Some(passed)
    }

    fn blanks(&mut self) -> Option<u8> {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b':')) {
            self.forward(1)?;
        }
        self.peek()
    }

    fn span(&self, from: usize) -> Span {
        let length = count(self.column - from).max(1);
        Span {
            line: self.line,
            column: count(from) + 1,
            length,
        }
    }

    fn value(&mut self) -> Option<Rc<Node>> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return None;
        }
        let first = self.blanks()?;
        let from = self.column;
        let (span, kind) = match first {
            b'{' => {
                self.forward(1)?;
                let begin = self.span(from);
                let mut entries = Vec::new();
                while self.blanks()? != b'}' {
                    let from = self.column;
                    let key = self.string()?;
                    let span = self.span(from);
                    entries.push(Entry {
                        key,
                        span,
                        value: self.value()?,
                    });
                }
                self.forward(1)?;
                (begin, Kind::Map(entries))
            }
            b'[' => {
                self.forward(1)?;
                let begin = self.span(from);
                let mut items = Vec::new();
                while self.blanks()? != b']' {
                    items.push(self.value()?);
                }
                self.forward(1)?;
                (begin, Kind::List(items))
            }
            b'"' => {
                let text = self.string()?;
                (
                    self.span(from),
                    Kind::Scalar {
                        text,
                        style: Style::Quoted,
                    },
                )
            }
            _ => {
                let rest = self.text.get(self.at..)?;
                let end = rest
                    .find([',', ']', '}', ' ', '\t', '\n', '\r'])
                    .unwrap_or(rest.len());
                let text = self.forward(end)?.to_owned();
                let kind = if text == "null" {
                    Kind::Null
                } else {
                    Kind::Scalar {
                        text,
                        style: Style::Bare,
                    }
                };
                (self.span(from), kind)
            }
        };
        Some(Rc::new(Node {
            span,
            end_line: self.line,
            kind,
        }))
    }

    fn string(&mut self) -> Option<String> {
        let bytes = self.text.as_bytes();
        let mut end = self.at + 1;
        loop {
            match bytes.get(end)? {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        let literal = self.forward(end + 1 - self.at)?;
        match literal.contains('\\') {
            true => serde_json::from_str(literal).ok(),
            false => literal.get(1..literal.len() - 1).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::faults::Faults;

    fn read(text: &str) -> (Option<Rc<Node>>, Vec<crate::suite::Diagnostic>) {
        let mut faults = Faults::default();
        let node = parse_line(&mut faults.pen(&Rc::from("a.jsonl")), text, 7);
        (node, faults.finish("a.yaml"))
    }

    #[test]
    fn keys_and_values_have_their_places() {
        let (node, faults) = read(r#" {"é": "a\"b", "n":[1.50, null ,{}]}"#);
        assert!(faults.is_empty());
        let Kind::Map(entries) = &node.unwrap().kind else {
            panic!()
        };
        assert_eq!((entries[0].key.as_str(), entries[0].span.column), ("é", 3));
        let value = &entries[0].value;
        assert!(matches!(&value.kind, Kind::Scalar { text, style: Style::Quoted } if text == "a\"b"));
        assert_eq!((value.span.column, value.span.length, value.span.line), (8, 6, 7));
        let Kind::List(items) = &entries[1].value.kind else {
            panic!()
        };
        assert!(matches!(&items[0].kind, Kind::Scalar { text, style: Style::Bare } if text == "1.50"));
        assert!(matches!(items[1].kind, Kind::Null));
    }

    #[test]
    fn what_is_not_json_is_told_with_its_column() {
        for (text, column) in [
            ("{\"é\": tru}", 10),
            ("{", 1),
            ("{} x", 4),
            ("\"\\ud800\"", 1),
            ("", 1),
        ] {
            let (node, faults) = read(text);
            assert!(node.is_none(), "{text}");
            assert_eq!((faults.len(), faults[0].place.line), (1, 7), "{text}");
            assert!(
                faults[0].place.column.abs_diff(column) <= 1,
                "{text}: {}",
                faults[0].place.column
            );
        }
        assert!(read(&"[".repeat(100_000)).0.is_none());
    }
}
