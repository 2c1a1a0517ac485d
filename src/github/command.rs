//! Workflow commands: messages → lines that the runner obeys, and foreign text → lines that it does not.
//!
//! The wire shape is the runner's own (`ActionCommand.cs`): a line is a command when it begins, after
//! white space, with `::`, or when it holds the older `##[` anywhere. A lone CR ends a line too.

use std::borrow::Cow;

use uuid::Uuid;

/// Annotations of a kind that GitHub shows for a step; it drops the others without a word.
pub const ANNOTATIONS_A_KIND: usize = 10;
/// Characters of a message; the rest is cut with a mark.
const MESSAGE_CHARS: usize = 4_000;

/// The kinds of annotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnnotationKind {
    /// Red.
    Error,
    /// Yellow.
    Warning,
    /// Blue.
    Notice,
}

impl AnnotationKind {
    fn as_str(self) -> &'static str {
        match self {
            AnnotationKind::Error => "error",
            AnnotationKind::Warning => "warning",
            AnnotationKind::Notice => "notice",
        }
    }
}

/// A message that GitHub shows at a line of a file, where it has one. Every text may be foreign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotation {
    /// Relative to the workspace.
    pub file: Option<String>,
    /// Counted from 1.
    pub line: Option<u32>,
    /// The last line, where it is not the first.
    pub end_line: Option<u32>,
    /// Counted from 1.
    pub column: Option<u32>,
    /// Above the message.
    pub title: Option<String>,
    /// May have several lines.
    pub message: String,
}

impl Annotation {
    fn command(&self, kind: AnnotationKind) -> String {
        let number = |n: Option<u32>| n.map(|n| n.to_string());
        let properties: Vec<String> = [
            ("file", self.file.as_deref().map(escape_property)),
            ("line", number(self.line)),
            ("endLine", number(self.end_line)),
            ("col", number(self.column)),
            ("title", self.title.as_deref().map(escape_property)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value.filter(|v| !v.is_empty())?)))
        .collect();
        let space = if properties.is_empty() { "" } else { " " };
        format!(
            "::{}{space}{}::{}",
            kind.as_str(),
            properties.join(","),
            escape_data(&self.message)
        )
    }
}

/// The annotations of a step: at most [`ANNOTATIONS_A_KIND`] of a kind, the first ones, so the worst are
/// to be added first. What is dropped is counted and told.
#[derive(Debug, Clone, Default)]
pub struct Annotations {
    kept: Vec<(AnnotationKind, Annotation)>,
    dropped: [usize; 3],
}

impl Annotations {
    /// Adds one, or counts it where its kind is full.
    pub fn add(&mut self, kind: AnnotationKind, annotation: Annotation) {
        if self.kept.iter().filter(|(k, _)| *k == kind).count() < ANNOTATIONS_A_KIND {
            self.kept.push((kind, annotation));
        } else {
            self.dropped[kind as usize] += 1;
        }
    }

    /// True when nothing was added.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The lines for standard output, each with its line break. Where a kind has more than fits, its last
    /// place says how many there are.
    pub fn commands(&self) -> String {
        let mut out = String::new();
        for kind in [
            AnnotationKind::Error,
            AnnotationKind::Warning,
            AnnotationKind::Notice,
        ] {
            let of_kind: Vec<_> = self
                .kept
                .iter()
                .filter(|(k, _)| *k == kind)
                .map(|(_, a)| a)
                .collect();
            let dropped = self.dropped[kind as usize];
            let shown = if dropped > 0 {
                ANNOTATIONS_A_KIND - 1
            } else {
                of_kind.len()
            };
            for annotation in of_kind.iter().take(shown) {
                out.push_str(&annotation.command(kind));
                out.push('\n');
            }
            if dropped > 0 {
                let message = format!(
                    "{} more of this kind are not shown here; GitHub shows {ANNOTATIONS_A_KIND} a step, the \
                     log has all",
                    dropped + 1
                );
                out.push_str(
                    &Annotation {
                        message,
                        ..Annotation::default()
                    }
                    .command(kind),
                );
                out.push('\n');
            }
        }
        out
    }
}

/// Begins a fold of the log; [`group_end`] ends it. The title may be foreign.
pub fn group(title: &str) -> String {
    // A fold's title is one line of the log.
    let title: String = title.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("::group::{}\n", escape_data(&title))
}

/// Ends a fold.
pub fn group_end() -> &'static str {
    "::endgroup::\n"
}

/// Makes the runner hide a value from here on. It hides line by line, so every line of the value is
/// named; lines without a visible character are not, they would hide everything.
pub fn add_mask(value: &str) -> String {
    value
        .split(['\n', '\r'])
        .filter(|line| !line.trim().is_empty())
        .map(|line| format!("::add-mask::{}\n", line.replace('%', "%25")))
        .collect()
}

/// Foreign text of any number of lines, between two lines that switch the runner's commands off and on
/// again. The token is random, so that the text can't hold it.
pub fn fenced(text: &str) -> String {
    let token = format!("tunegate-{}", Uuid::new_v4());
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    // The older form of a command is read with a prefix anywhere in a line; the switch covers both forms.
    format!("::stop-commands::{token}\n{text}{end}::{token}::\n")
}

/// A line with foreign text in it, so that the runner does not take it for a command: `::` where a line
/// begins and `##[` anywhere get a space into them. Several lines stay several lines.
pub fn inert_line(line: &str) -> Cow<'_, str> {
    if !line.contains("::") && !line.contains("##[") {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len() + 8);
    for part in line.split_inclusive(['\n', '\r']) {
        // The runner passes over white space; what draws nothing is passed over too, to be sure.
        let start = part
            .find(|c: char| c.is_ascii_graphic() || c.is_alphanumeric())
            .unwrap_or(part.len());
        let (space, text) = part.split_at(start);
        out.push_str(space);
        match text.strip_prefix("::") {
            Some(rest) => {
                out.push_str(": :");
                out.push_str(&rest.replace("##[", "## ["));
            }
            None => out.push_str(&text.replace("##[", "## [")),
        }
    }
    Cow::Owned(out)
}

fn escape_data(text: &str) -> String {
    let end = text.char_indices().nth(MESSAGE_CHARS).map(|(at, _)| at);
    match end {
        Some(at) => escape_controls(&text[..at]) + "…",
        None => escape_controls(text),
    }
}

fn escape_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' => out.push_str("%25"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            // The runner writes the message to its log: no colours, no cursor.
            c if c.is_control() && c != '\t' => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::promises;
    use proptest::prelude::*;

    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            prop::sample::select(vec![
                "::",
                ":",
                "##[",
                "##",
                "[",
                "]",
                "\n",
                "\r",
                "\r\n",
                " ",
                "\t",
                "\u{a0}",
                "\u{2003}",
                "\u{feff}",
                "error",
                "set-output name=x",
                "add-mask",
                "%0A",
                "%0D",
                "%25",
                "%",
                ",",
                "=",
                "stop-commands",
                "\u{1b}[31m",
                "\u{85}",
                "\u{2028}",
            ])
            .prop_map(str::to_owned),
            any::<String>(),
        ];
        prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn an_inert_line_is_no_command(text in hostile()) {
            promises::an_inert_line_is_no_command(&text);
        }

        #[test]
        fn an_annotation_is_one_command_whatever_its_texts(message in hostile(), file in hostile()) {
            promises::an_annotation_is_one_command(&message, &file);
        }

        #[test]
        fn a_fence_holds_every_line(text in hostile()) {
            promises::a_fence_holds_every_line(&text);
        }

        #[test]
        fn everything_else_holds_too(text in hostile()) {
            promises::of_a_text(&text);
        }
    }

    #[test]
    fn texts_are_escaped_for_their_place() {
        let annotation = Annotation {
            file: Some("a,b:c.yaml".into()),
            line: Some(7),
            column: Some(3),
            title: Some("50 %, done".into()),
            message: "first: 100 %\nsecond\r::set-output name=x::y".into(),
            ..Annotation::default()
        };
        assert_eq!(
            annotation.command(AnnotationKind::Warning),
            "::warning file=a%2Cb%3Ac.yaml,line=7,col=3,title=50 %25%2C done::first: 100 %25%0Asecond%0D::set-output name=x::y"
        );
        let plain = Annotation {
            message: "x".into(),
            ..Annotation::default()
        };
        assert_eq!(plain.command(AnnotationKind::Notice), "::notice::x");
        assert_eq!(group("a\n::error::b\u{1b}"), "::group::a ::error::b\u{FFFD}\n");
    }

    #[test]
    fn the_ten_worst_are_shown_and_the_rest_is_told() {
        let mut annotations = Annotations::default();
        let add = |annotations: &mut Annotations, kind, n: usize| {
            annotations.add(
                kind,
                Annotation {
                    message: format!("fault {n}"),
                    ..Annotation::default()
                },
            );
        };
        (0..10).for_each(|n| add(&mut annotations, AnnotationKind::Error, n));
        assert_eq!(annotations.commands().lines().count(), 10);
        assert!(!annotations.commands().contains("more of this kind"));
        (10..25).for_each(|n| add(&mut annotations, AnnotationKind::Error, n));
        add(&mut annotations, AnnotationKind::Notice, 0);
        let out = annotations.commands();
        assert_eq!(out.lines().count(), 11);
        assert!(out.contains("::error::fault 8\n") && !out.contains("fault 9"));
        assert!(out.contains("::error::16 more of this kind"));
        assert!(out.ends_with("::notice::fault 0\n"));
    }

    #[test]
    fn a_mask_covers_every_line_and_no_empty_one() {
        assert_eq!(
            add_mask("one\n\n  \r\ntwo%"),
            "::add-mask::one\n::add-mask::two%25\n"
        );
    }

    #[test]
    fn long_messages_are_cut() {
        let annotation = Annotation {
            message: "ä".repeat(5_000),
            ..Annotation::default()
        };
        assert_eq!(
            annotation.command(AnnotationKind::Error).chars().count(),
            "::error::".len() + 4_001
        );
    }
}
