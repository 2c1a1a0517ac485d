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

/// A text whose places are asked for many times.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Lines<'t> {
        Lines {
            text,
            starts: line_starts(text),
        }
    }

    /// The place of some bytes of the text, to the end of the line where they go on.
    pub(super) fn at(&self, offset: usize, bytes: usize) -> Span {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|index| self.starts.get(index));
        let before = self
            .text
            .get(start.copied().unwrap_or_default()..offset)
            .unwrap_or_default();
        let covered = self
            .text
            .get(offset..self.text.floor_char_boundary(offset.saturating_add(bytes)));
        let covered = covered
            .unwrap_or_default()
            .split(['\n', '\r'])
            .next()
            .unwrap_or_default();
        Span {
            line: count(line),
            column: count(before.chars().count()) + 1,
            length: count(covered.chars().count()).max(1),
        }
    }
}

/// The place of an error of serde_json's, which counts its columns in bytes and knows only one kind of line break.
pub(super) fn of_json(text: &str, error: &serde_json::Error) -> Span {
    let before = error.line().saturating_sub(1);
    let line: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    Lines::of(text).at(line + error.column().saturating_sub(1), 1)
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
            ("a\r\nb", 2, 1, (1, 3, 1)),
            ("a\rb", 2, 1, (2, 1, 1)),
            ("a\n", 2, 1, (2, 1, 1)),
            ("é", 1, 1, (1, 1, 1)),
            ("é", 9, 9, (1, 2, 1)),
            ("", 0, 0, (1, 1, 1)),
        ] {
            let Span { line, column, length } = Lines::of(text).at(offset, bytes);
            assert_eq!((line, column, length), wanted, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_json_is_found_behind_whatever_ends_a_line() {
        for (text, line, column) in [
            ("{\"é\": tru}", 1, 9),
            ("{\r\"a\": tru}", 2, 9),
            ("{\r\n\"a\": tru}", 2, 9),
            ("{\n\n", 3, 1),
            ("", 1, 1),
        ] {
            let error = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
            let found = of_json(text, &error);
            assert_eq!(
                (found.line, found.column.abs_diff(column) <= 1),
                (line, true),
                "{text:?}: {found:?}"
            );
        }
    }
}
