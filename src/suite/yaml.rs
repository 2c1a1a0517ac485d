//! YAML text → a tree of nodes with places; its syntax errors → faults in a user's words.
//!
//! Read from the parser's events and not through serde: serde stops at the first fault, and loses how a scalar
//! was written. Bounded in depth, in nodes and in what aliases may grow to.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use serde_yaml::granit_parser::{self as granit, Event, Parser, ScalarStyle, StructureStyle};

use super::faults::Pen;
use super::place;
use super::shield::{SHIELD, shield};
use super::syntax::{self, Around};
use super::tree::{Entry, Kind, Node, Span, Style, quoted};

/// Nested lists and maps; the format itself needs seven.
const DEEPEST: usize = 64;
/// Values in one file: more than 100,000 cases can need.
const MOST_NODES: usize = 1_000_000;
/// What all aliases together may add, in bytes of text plus `NODE_WEIGHT` a value.
const MOST_ALIASED: usize = 10_000_000;
const NODE_WEIGHT: usize = 16;

/// Reads one document. `None` when there is none, which is told. After a syntax error it is what stood before,
/// and the pen knows from which line on something may be missing.
pub(super) fn parse(pen: &mut Pen<'_>, text: &str) -> Option<Rc<Node>> {
    let text = shield(text);
    let options = granit::options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let before = pen.errors();
    let mut builder = Builder {
        text: &text,
        ..Builder::default()
    };
    let mut documents = 0;
    for event in Parser::new_from_str_with_options(&text, options) {
        match event {
            Ok((Event::DocumentStart(..), span)) => {
                documents += 1;
                if documents > 1 {
                    let help = "a file holds one document: remove this line, or put what follows into a file of its own";
                    pen.error_help(builder.span(span), "a second YAML document begins here", help);
                    break;
                }
            }
            Ok((event, span)) => {
                if let Err(Refused(message, help)) = builder.take(pen, event, span) {
                    let place = builder.span(span);
                    pen.error_help(place, message, help);
                    builder.cut(pen, place.line);
                    break;
                }
            }
            Err(error) => {
                let at = place::point(error.marker());
                let told = syntax::words(error.kind(), &text, at, &builder.around());
                // `*bold* text` is one mistake, and told as an alias.
                if builder.unresolved != at.line {
                    pen.error_help(told.span, told.message, told.help);
                }
                builder.cut(pen, at.line.min(told.span.line));
                break;
            }
        }
    }
    builder.flush(pen);
    if builder.root.is_none() && pen.errors() == before {
        pen.error(Span::START, "the file is empty");
    }
    builder.root
}

/// Why reading can't go on: message and help.
struct Refused(&'static str, &'static str);

/// A finished node and what it weighs when an alias repeats it.
type Grown = (Rc<Node>, usize, usize);

#[derive(Default)]
struct Builder<'t> {
    text: &'t str,
    open: Vec<Open>,
    /// The last scalar, held back by one event: a syntax error right behind it may be about it.
    pending: Option<(Grown, u32)>,
    anchors: HashMap<usize, Grown>,
    nodes: usize,
    aliased: usize,
    /// The line of the last alias that names nothing.
    unresolved: u32,
    root: Option<Rc<Node>>,
}

/// A list or map that is not closed yet.
struct Open {
    span: Span,
    /// Written with a bracket.
    flow: bool,
    anchor: usize,
    weight: usize,
    depth: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Rc<Node>>),
    Map {
        entries: Vec<Entry>,
        key: Option<Option<(String, Span)>>,
    },
}

impl Builder<'_> {
    fn take(&mut self, pen: &mut Pen<'_>, event: Event<'_>, span: granit::Span) -> Result<(), Refused> {
        self.flush(pen);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let text_tag = self.tag(pen, tag.as_deref(), span);
                let kind = scalar(text, style, text_tag, span);
                let end_line = place::count(span.end.line());
                let grown = self.node(self.span(span), end_line, kind)?;
                self.anchor(anchor, &grown);
                self.pending = Some((grown, end_line));
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.tag(pen, tag.as_deref(), span);
                self.begin(span, style, anchor, OpenKind::List(Vec::new()))?;
            }
            Event::MappingStart(style, anchor, tag) => {
                self.tag(pen, tag.as_deref(), span);
                self.begin(
                    span,
                    style,
                    anchor,
                    OpenKind::Map {
                        entries: Vec::new(),
                        key: None,
                    },
                )?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(pen, place::count(span.end.line())),
            Event::Alias(anchor) => self.alias(pen, anchor)?,
            Event::UnresolvedAlias(name) => {
                let place = self.span(span);
                pen.error_help(
                    place,
                    format!("the alias {} names nothing", quoted(&format!("*{name}"))),
                    "define it above with `&`, or put the text between quotes when it is meant as text",
                );
                self.unresolved = place.line;
                // Meant as a text, most likely: then that is all there is to say about it.
                let text = format!("*{name}");
                let grown = self.node(
                    place,
                    place.line,
                    Kind::Scalar {
                        text,
                        style: Style::Quoted,
                    },
                )?;
                self.place(pen, grown);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a tag says that this is a text; any other tag is a fault.
    fn tag(&self, pen: &mut Pen<'_>, tag: Option<&granit::Tag>, span: granit::Span) -> bool {
        let Some(tag) = tag else { return false };
        if tag.core_suffix() == Some("str") {
            return true;
        }
        let place = span
            .tag_span()
            .map_or_else(|| self.span(span), |span| self.span(span));
        pen.error_help(
            place,
            format!(
                "YAML tags such as {} are not read",
                quoted(&format!("{}{}", tag.original_handle(), tag.suffix()))
            ),
            "remove it, or put the value between quotes when the `!` is a part of the text",
        );
        false
    }

    /// What stood before a syntax error.
    fn around(&self) -> Around {
        let value = matches!(
            self.open.last(),
            Some(Open {
                kind: OpenKind::Map { key: Some(_), .. },
                ..
            })
        );
        Around {
            bracket: self.open.last().filter(|open| open.flow).map(|open| open.span),
            before: self.pending.as_ref().map_or(1, |(_, end_line)| *end_line),
            text: self
                .pending
                .as_ref()
                .map(|((node, ..), _)| node.span)
                .filter(|_| !value),
        }
    }

    fn begin(
        &mut self,
        span: granit::Span,
        style: StructureStyle,
        anchor: usize,
        kind: OpenKind,
    ) -> Result<(), Refused> {
        if self.open.len() >= DEEPEST {
            return Err(TOO_DEEP);
        }
        self.open.push(Open {
            span: self.span(span),
            flow: style == StructureStyle::Flow,
            anchor,
            weight: NODE_WEIGHT,
            depth: 1,
            kind,
        });
        Ok(())
    }

    fn end(&mut self, pen: &mut Pen<'_>, end_line: u32) {
        let Some(open) = self.open.pop() else { return };
        let kind = match open.kind {
            OpenKind::List(items) => Kind::List(items),
            OpenKind::Map { entries, .. } => Kind::Map(entries),
        };
        self.nodes += 1;
        // A block map begins where its first key does: let the caret underline that key.
        let span = match &kind {
            Kind::Map(entries) => entries.first().map_or(open.span, |first| match first.span {
                span if (span.line, span.column) == (open.span.line, open.span.column) => span,
                _ => open.span,
            }),
            _ => open.span,
        };
        let grown = (Rc::new(Node { span, end_line, kind }), open.weight, open.depth);
        self.anchor(open.anchor, &grown);
        self.place(pen, grown);
    }

    /// The repeated node keeps its own place: a fault in it is told where it is written.
    fn alias(&mut self, pen: &mut Pen<'_>, anchor: usize) -> Result<(), Refused> {
        let Some((node, weight, depth)) = self.anchors.get(&anchor).cloned() else {
            return Err(Refused(
                "an alias inside the very thing it repeats",
                "write the value out",
            ));
        };
        self.aliased = self.aliased.saturating_add(weight);
        if self.aliased > MOST_ALIASED {
            return Err(Refused(
                "the file's aliases grow to more than 10 MB",
                "write the values out, or put what the cases share under `defaults`",
            ));
        }
        if self.open.len() + depth > DEEPEST {
            return Err(TOO_DEEP);
        }
        self.place(pen, (node, weight, depth));
        Ok(())
    }

    fn node(&mut self, span: Span, end_line: u32, kind: Kind) -> Result<Grown, Refused> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(Refused(
                "the file holds more than 1,000,000 values",
                "split the cases over several files and `include` them",
            ));
        }
        let weight = NODE_WEIGHT
            + if let Kind::Scalar { text, .. } = &kind {
                text.len()
            } else {
                0
            };
        Ok((Rc::new(Node { span, end_line, kind }), weight, 0))
    }

    fn anchor(&mut self, anchor: usize, grown: &Grown) {
        if anchor > 0 {
            self.anchors.insert(anchor, grown.clone());
        }
    }

    fn flush(&mut self, pen: &mut Pen<'_>) {
        if let Some((grown, _)) = self.pending.take() {
            self.place(pen, grown);
        }
    }

    /// Puts a finished node where it belongs: a list's item, a map's key or value, or the root.
    fn place(&mut self, pen: &mut Pen<'_>, (node, weight, depth): Grown) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        open.weight = open.weight.saturating_add(weight);
        open.depth = open.depth.max(depth + 1);
        match &mut open.kind {
            OpenKind::List(items) => items.push(node),
            OpenKind::Map { entries, key } => match key.take() {
                None => {
                    let text = match &node.kind {
                        Kind::Scalar { text, .. } => Some((text.clone(), node.span)),
                        _ => {
                            let message = format!("a key must be a word, found {}", node.describe());
                            let help = match &node.kind {
                                Kind::Null => "write a word before the `:`",
                                _ => "a text that begins with `{` or `[` needs quotes",
                            };
                            pen.error_help(node.span, message, help);
                            None
                        }
                    };
                    *key = Some(text);
                }
                Some(Some((key, span))) => {
                    entries.push(Entry {
                        key,
                        span,
                        value: with_place(node, span),
                    });
                }
                Some(None) => {}
            },
        }
    }

    /// Closes everything after a syntax error, without what stands on the faulty line.
    fn cut(&mut self, pen: &mut Pen<'_>, line: u32) {
        if self
            .pending
            .as_ref()
            .is_some_and(|(_, end_line)| *end_line >= line)
        {
            self.pending = None;
        }
        self.flush(pen);
        while !self.open.is_empty() {
            self.end(pen, u32::MAX);
        }
        pen.cut = Some(line);
    }

    fn span(&self, span: granit::Span) -> Span {
        place::span(self.text, span)
    }
}

const TOO_DEEP: Refused = Refused(
    "lists and maps nested deeper than 64 levels",
    "a suite needs seven: flatten this part",
);

/// A missing value has no place of its own worth a caret: its key's stands for it.
fn with_place(node: Rc<Node>, key: Span) -> Rc<Node> {
    match &node.kind {
        Kind::Null => Rc::new(Node {
            span: key,
            end_line: node.end_line,
            kind: Kind::Null,
        }),
        _ => node,
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, tagged_text: bool, span: granit::Span) -> Kind {
    let absent = span.start == span.end;
    let text = if text.contains(SHIELD) {
        text.replace(SHIELD, " ")
    } else {
        text.into_owned()
    };
    let style = match style {
        ScalarStyle::Plain if tagged_text => Style::Quoted,
        ScalarStyle::Plain => Style::Bare,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    };
    if style == Style::Bare && (absent || matches!(text.as_str(), "~" | "null" | "Null" | "NULL")) {
        return Kind::Null;
    }
    Kind::Scalar { text, style }
}
