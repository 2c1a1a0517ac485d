//! The YAML parser's marks → spans: lines and columns from 1, a length that stays on the first line.

use serde_yaml::granit_parser::{Marker, Span as Marks};

use super::source::line_starts;
use super::tree::Span;

/// A single character.
pub(super) fn point(mark: &Marker) -> Span {
    Span {
        line: count(mark.line()).max(1),
        column: count(mark.col()) + 1,
        length: 1,
    }
}

/// What lies between two marks of `text`, to the end of the line where it goes on.
pub(super) fn span(text: &str, marks: Marks) -> Span {
    let length = if marks.start.line() == marks.end.line() {
        marks.end.col().saturating_sub(marks.start.col())
    } else {
        rest_of_line(text, &marks.start).trim_end().chars().count()
    };
    Span {
        length: count(length).max(1),
        ..point(&marks.start)
    }
}

/// The line from a mark on, as far as anyone would look.
fn rest_of_line<'t>(text: &'t str, mark: &Marker) -> &'t str {
    const FAR: usize = 2_000;
    let rest = mark
        .byte_offset()
        .and_then(|at| text.get(at..))
        .unwrap_or_default();
    let far = rest.char_indices().nth(FAR).map_or(rest.len(), |(at, _)| at);
    let near = rest.get(..far).unwrap_or(rest);
    near.split(['\n', '\r']).next().unwrap_or_default()
}

/// The place of some bytes of a text, to the end of the line where they go on.
pub(super) fn at(text: &str, offset: usize, bytes: usize) -> Span {
    let before = text.get(..offset).unwrap_or(text);
    let starts = line_starts(before);
    let line = before
        .get(starts.last().copied().unwrap_or_default()..)
        .unwrap_or_default();
    let covered = text.get(offset..offset.saturating_add(bytes)).unwrap_or_default();
    let length = covered
        .split(['\n', '\r'])
        .next()
        .unwrap_or_default()
        .chars()
        .count();
    Span {
        line: count(starts.len()),
        column: count(line.chars().count()) + 1,
        length: count(length).max(1),
    }
}

/// The place of an error of serde_json's, which counts its columns in bytes.
pub(super) fn of_json(text: &str, error: &serde_json::Error) -> Span {
    let line = error.line().max(1);
    let bytes = error.column().saturating_sub(1);
    let written = text.split('\n').nth(line - 1).unwrap_or_default();
    Span {
        line: count(line),
        column: count(written.char_indices().take_while(|(at, _)| *at < bytes).count()) + 1,
        length: 1,
    }
}

/// A count for a place; more than four billion lines are as good as four billion.
pub(super) fn count(from: usize) -> u32 {
    u32::try_from(from).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_over_lines_is_covered_to_the_end_of_its_first() {
        for (text, offset, bytes, wanted) in [
            ("é {{ né }} x", 3, 9, (1, 3, 8)),
            ("a\nb {{ c\nd }}", 4, 9, (2, 3, 4)),
            ("a\r\nb {{ c\r\nd }}", 5, 10, (2, 3, 4)),
            ("a\n", 2, 1, (2, 1, 1)),
            ("é", 1, 1, (1, 2, 1)),
        ] {
            let Span { line, column, length } = at(text, offset, bytes);
            assert_eq!((line, column, length), wanted, "{text:?}");
        }
    }
}
