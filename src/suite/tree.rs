//! The shape that YAML and JSONL texts are read into before anything is known of suites: scalars, lists
//! and maps, each with its place, duplicate keys kept. What it means is decided by the readers above.

use std::rc::Rc;

/// Where a node or key begins, and how many characters of that line it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Counted from 1.
    pub(super) line: u32,
    /// Counted from 1, in characters.
    pub(super) column: u32,
    /// At least 1.
    pub(super) length: u32,
}

impl Span {
    /// The first character of a file: where a fault of the whole file stands.
    pub(super) const START: Span = Span {
        line: 1,
        column: 1,
        length: 1,
    };
}

/// A value and its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    /// The line on which a list or map ended; a syntax error from there on may have cut it short.
    pub(super) end_line: u32,
    pub(super) kind: Kind,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum Kind {
    /// Nothing: `~`, `null`, or no value at all.
    Null,
    Scalar {
        text: String,
        style: Style,
    },
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>),
}

/// How a scalar is written: only a bare one can be a number or a boolean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Bare,
    Quoted,
    /// `|` or `>`: the text starts on a line of its own.
    Block,
}

/// A key and its value, as written; a key may stand twice.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) span: Span,
    pub(super) value: Rc<Node>,
}

impl Node {
    /// What stands here, for a message: `the number 5`, `a list`.
    pub(super) fn describe(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::List(items) if items.is_empty() => "an empty list".to_owned(),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a map".to_owned(),
            Kind::Scalar {
                text,
                style: Style::Bare,
            } if is_number(text) => format!("the number {}", quoted(text)),
            Kind::Scalar {
                text,
                style: Style::Bare,
            } if boolean(text).is_some() => quoted(text),
            Kind::Scalar { text, .. } if text.is_empty() => "an empty text".to_owned(),
            Kind::Scalar { text, .. } => format!("the text {}", quoted(text)),
        }
    }
}

/// A number as YAML 1.2 and JSON write it in base ten, the not-finite ones included.
pub(super) fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let finite = text
        .bytes()
        .all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
        && unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && text.parse::<f64>().is_ok();
    finite || matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// A boolean as YAML 1.2 writes it; `yes`, `no`, `on` and `off` are texts.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// A word of the suite for a message: between backticks, one line, bounded, nothing that steers a terminal.
pub(super) fn quoted(word: &str) -> String {
    const SHOWN: usize = 60;
    format!("`{}`", one_line(word, SHOWN).replace('`', "'"))
}

/// A foreign text for a message: one line, at most `shown` characters, nothing that steers a terminal.
pub(super) fn one_line(text: &str, shown: usize) -> String {
    let mut line = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == shown {
            line.push('…');
            break;
        }
        if steers(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// Whether a terminal or a reader's eye would not show a character as what it is: controls, line breaks, marks of the
/// direction of writing, and some that have no width.
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_words() {
        for number in [
            "0", "-1", "1.10", "1e3", ".5", "5.", "+2", ".inf", "-.inf", ".nan",
        ] {
            assert!(is_number(number), "{number}");
        }
        for word in [
            "", "-", ".", "e", "1e", "inf", "nan", "0x10", "1_000", "1,2", "--1", "v1", "1.2.3",
        ] {
            assert!(!is_number(word), "{word}");
        }
    }

    #[test]
    fn a_quoted_word_is_one_bounded_line() {
        assert_eq!(
            quoted("a\n\u{1b}[31m`b`\u{202e}"),
            "`a\\n\\u{1b}[31m'b'\\u{202e}`"
        );
        assert_eq!(quoted(&"x".repeat(1_000)).chars().count(), 63);
    }
}
