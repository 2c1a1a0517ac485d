//! A map of the tree and the keys it may have → its fields; unknown, repeated and missing keys are told.

use super::faults::Pen;
use super::keys;
use super::suggest::suggest;
use super::tree::{Entry, Kind, Node, Span, Style, quoted};

/// The fields of one map, each known and standing once.
pub(super) struct Fields<'n> {
    /// What the map is, for messages: `the case`, `defaults`.
    what: &'static str,
    node: &'n Node,
    found: Vec<Field<'n>>,
    /// Known keys of which an unknown one is a slip: they are not told as missing too.
    meant: Vec<&'static str>,
}

/// A key of the map and its value.
#[derive(Clone, Copy)]
pub(super) struct Field<'n> {
    pub(super) key: &'n str,
    /// The key's place.
    pub(super) span: Span,
    pub(super) value: &'n Node,
}

impl<'n> Fields<'n> {
    /// Reads a map's keys. `None`, told, when it is no map.
    pub(super) fn read(
        pen: &mut Pen<'_>,
        node: &'n Node,
        what: &'static str,
        known: &[&'static str],
    ) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            let help = match &node.kind {
                Kind::Null => format!("write some of its keys, or leave it out: {}", listed(known)),
                _ => format!("its keys are {}", listed(known)),
            };
            pen.error_help(
                node.span,
                format!("{what} must be a map of keys, found {}", node.describe()),
                help,
            );
            return None;
        };
        let mut found: Vec<Field<'n>> = Vec::with_capacity(entries.len().min(known.len()));
        let mut meant = Vec::new();
        // An unknown key that stands twice is still told once per place, which is enough.
        for entry in entries {
            let Entry { key, span, value } = entry;
            if !known.contains(&key.as_str()) {
                meant.extend(unknown(pen, entry, what, known));
            } else if let Some(first) = found.iter().find(|field| field.key == key) {
                let at = first.span;
                pen.error_help(
                    *span,
                    format!("the key {} stands twice in {what}", quoted(key)),
                    format!(
                        "the first is on line {}, column {}: keep one of them",
                        at.line, at.column
                    ),
                );
            } else {
                found.push(Field {
                    key,
                    span: *span,
                    value,
                });
            }
        }
        Some(Fields {
            what,
            node,
            found,
            meant,
        })
    }

    /// A field that may be missing.
    pub(super) fn get(&self, key: &str) -> Option<Field<'n>> {
        self.found.iter().find(|field| field.key == key).copied()
    }

    /// A field that must be there; told when it is not, with what to write.
    pub(super) fn need(&self, pen: &mut Pen<'_>, key: &str, help: &str) -> Option<Field<'n>> {
        let field = self.get(key);
        if field.is_none() && !pen.may_be_cut(self.node) && !self.meant.contains(&key) {
            pen.error_help(
                self.node.span,
                format!("{} has no {}", self.what, quoted(key)),
                help,
            );
        }
        field
    }

    /// Whether a key may be there in another guise: an unknown one looks like a slip of it.
    pub(super) fn may_have(&self, key: &str) -> bool {
        self.meant.contains(&key)
    }

    /// The map's place: its first key, or its bracket.
    pub(super) fn span(&self) -> Span {
        self.node.span
    }
}

/// Tells an unknown key, and gives the known one that was meant.
fn unknown(pen: &mut Pen<'_>, entry: &Entry, what: &str, known: &[&'static str]) -> Option<&'static str> {
    let key = entry.key.as_str();
    let message = format!("unknown key {} in {what}", quoted(key));
    let foreign = || {
        keys::FOREIGN
            .iter()
            .find(|(word, ours)| *word == key && known.contains(ours))
            .map(|(_, ours)| *ours)
    };
    let home = || {
        keys::HOMES
            .iter()
            .find(|(_, home)| home.contains(&key))
            .map(|(place, _)| *place)
    };
    let meant = suggest(key, known.iter().copied()).or_else(foreign);
    let help = if key == "<<" {
        "YAML's merge keys are not read: put what the cases share under `defaults`".to_owned()
    } else if let Some(meant) = meant {
        format!("did you mean `{meant}`?")
    } else if let Some(place) = home() {
        format!("`{key}` belongs {place}")
    } else {
        format!("its keys are {}", listed(known))
    };
    pen.error_help(entry.span, message, help);
    meant
}

/// `a`, `b` and `c`.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [head @ .., last] if !head.is_empty() => format!("{} and {last}", head.join(", ")),
        _ => quoted.concat(),
    }
}

/// The place of a scalar's text: behind the quote that opens it.
pub(super) fn text_span(node: &Node) -> Span {
    match &node.kind {
        Kind::Scalar {
            style: Style::Quoted, ..
        } if node.span.length > 2 => Span {
            column: node.span.column + 1,
            // Of a text over several lines the quote that closes it is on another.
            length: node.span.length - 1 - u32::from(node.end_line == node.span.line),
            ..node.span
        },
        _ => node.span,
    }
}

/// Whether a place in a scalar's text, as it was read, is one in the file: it is not where the text holds escapes or is
/// folded over lines. Of a `|` text this is said of the first line.
pub(super) fn is_as_written(node: &Node) -> bool {
    let Kind::Scalar { text, style } = &node.kind else {
        return false;
    };
    let read = match style {
        Style::Block => text.split('\n').next().unwrap_or_default(),
        Style::Bare | Style::Quoted => text,
    };
    read.chars().count() == usize::try_from(text_span(node).length).unwrap_or(usize::MAX)
}
