//! Faults and the texts they stand in → what a terminal shows: title, place, the line, the caret, the help.

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use super::tree::steers;
use super::{Diagnostic, Severity, Sources};

/// A caret further right than this is not drawn: the place says where, and such a line is no help to anyone.
const WIDEST: usize = 20_000;

/// Renders faults one under the other, a blank line between them, with a final line break; an empty text for none.
/// Control characters of the suite's text are shown as pictures, never sent.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut shown = String::new();
    for (index, diagnostic) in diagnostics.iter().enumerate() {
        if index > 0 {
            shown.push('\n');
        }
        shown.push_str(&one(diagnostic, sources, &renderer));
        shown.push('\n');
    }
    shown
}

fn one(diagnostic: &Diagnostic, sources: &Sources, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let place = &diagnostic.place;
    let file = harmless(&place.file);
    let column = number(place.column).max(1);
    let line = sources
        .line(&place.file, place.line)
        .filter(|_| column <= WIDEST)
        .map(|line| harmless(line.get(..offset(line, WIDEST * 2)).unwrap_or_default()));
    let title = level.primary_title(harmless(&diagnostic.message));
    let mut group = match &line {
        Some(line) => {
            let from = offset(line, column - 1);
            let to = offset(line, column - 1 + number(diagnostic.length).min(WIDEST));
            let annotation = AnnotationKind::Primary.span(from..to);
            title.element(
                Snippet::source(line.as_str())
                    .line_start(number(place.line))
                    .path(file)
                    .annotation(annotation),
            )
        }
        None => title.element(Origin::path(file).line(number(place.line)).char_column(column)),
    };
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(harmless(help)));
    }
    renderer.render(&[group])
}

/// A text of the same length in characters in which nothing steers a terminal; tabs stay.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| if steers(c) && c != '\t' { '\u{FFFD}' } else { c })
        .collect()
}

/// The byte offset of the `chars`-th character, or the line's end.
fn offset(line: &str, chars: usize) -> usize {
    line.char_indices().nth(chars).map_or(line.len(), |(at, _)| at)
}

fn number(from: u32) -> usize {
    usize::try_from(from).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::Place;

    fn fault(file: &str, line: u32, column: u32, length: u32) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            message: "unknown key `promt`".to_owned(),
            place: Place {
                file: file.into(),
                line,
                column,
            },
            length,
            help: Some("did you mean `prompt`?".to_owned()),
        }
    }

    #[test]
    fn shows_the_line_and_the_caret() {
        let mut sources = Sources::default();
        sources.keep("a.yaml", "x: 1\nä promt: 日本\n".to_owned());
        let shown = render(
            &[fault("a.yaml", 2, 3, 5), fault("b.yaml", 1, 1, 1)],
            &sources,
            false,
        );
        insta::assert_snapshot!(shown, @r"
        error: unknown key `promt`
         --> a.yaml:2:3
          |
        2 | ä promt: 日本
          |   ^^^^^
          |
          = help: did you mean `prompt`?

        error: unknown key `promt`
        --> b.yaml:1:1
         = help: did you mean `prompt`?
        ");
    }

    #[test]
    fn nothing_of_the_suite_steers_the_terminal() {
        let mut sources = Sources::default();
        sources.keep(
            "a\u{1b}[2J.yaml",
            "k\u{1b}]0;t\u{7}\u{202e}\u{9b}: v\n".to_owned(),
        );
        let mut bad = fault("a\u{1b}[2J.yaml", 1, 900, 4_000_000_000);
        bad.message = "x\u{1b}[31m".to_owned();
        let shown = render(&[bad], &sources, false);
        assert!(!shown.chars().any(|c| c != '\n' && steers(c)), "{shown:?}");
    }

    #[test]
    fn colour_only_when_asked() {
        let sources = Sources::default();
        assert!(render(&[fault("a", 1, 1, 1)], &sources, true).contains('\u{1b}'));
        assert!(!render(&[fault("a", 1, 1, 1)], &sources, false).contains('\u{1b}'));
    }

    #[test]
    fn a_line_of_megabytes_is_no_burden() {
        let mut sources = Sources::default();
        sources.keep("a", "x".repeat(9_000_000));
        let shown = render(
            &[fault("a", 1, 8_000_000, 5), fault("a", 1, 10, 8_000_000)],
            &sources,
            false,
        );
        assert!(shown.len() < 2_000, "{}", shown.len());
    }
}
