//! Two texts → the lines that differ, with the lines around them and the changed words marked. The work is bounded
//! whatever the texts, and by their size alone: the same texts always give the same lines.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::words::Words;
use crate::report::numbers::count;
use crate::report::text::{Lines, cut, plural, visible};

/// Lines around a difference that are shown.
const AROUND: usize = 2;
/// Bytes around the first and behind the last difference that are looked at: lines may be of any length.
const AROUND_BYTES: usize = 300;

/// How much of two texts is compared and shown.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Most {
    /// Characters of each, from a little before the first difference.
    pub chars: usize,
    /// Lines that are shown.
    pub lines: usize,
}

/// Whose line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Sign {
    Same,
    Removed,
    Added,
    /// Ours: what was left out.
    Between,
}

/// One line, without its line break. It is foreign text, unless it stands between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Line {
    pub sign: Sign,
    pub text: String,
}

/// How two texts differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) enum TextDiff {
    Same,
    /// In line breaks, or in white space at the end, alone.
    Space,
    Lines(Vec<Line>),
}

impl Line {
    pub(in crate::report) fn new(sign: Sign, text: impl Into<String>) -> Line {
        Line {
            sign,
            text: text.into(),
        }
    }
}

/// The lines by which `after` differs from `before`.
pub(in crate::report) fn compare(before: &str, after: &str, most: Most) -> TextDiff {
    if before == after {
        return TextDiff::Same;
    }
    let (old, new) = (before.trim_end(), after.trim_end());
    if old == new {
        return TextDiff::Space;
    }
    let window = Window::around_the_difference(old, new);
    let (old, old_left) = cut(window.old, most.chars);
    let (new, new_left) = cut(window.new, most.chars);
    let (old, new) = (visible(old, Lines::Keep), visible(new, Lines::Keep));
    if old == new && old_left == 0 && new_left == 0 {
        return TextDiff::Space;
    }
    let left = (old_left, new_left);
    let (old, new): (Vec<&str>, Vec<&str>) = (first_lines(&old, most), first_lines(&new, most));
    let mut ops = capture_diff_slices(Algorithm::Myers, &old, &new);
    // Where both were cut, the longer one's end is no difference: what stands against it was cut off.
    if left.0 > 0
        && left.1 > 0
        && ops.len() > 1
        && matches!(ops.last(), Some(DiffOp::Delete { .. } | DiffOp::Insert { .. }))
    {
        ops.pop();
    }
    let mut lines = Vec::new();
    if !window.before.is_empty() {
        lines.push(Line::new(
            Sign::Between,
            same(window.before, window.before.ends_with('\n')),
        ));
    }
    let mut words = Words::default();
    let last = ops.len().saturating_sub(1);
    for (at, op) in ops.iter().enumerate() {
        push_op(&mut lines, op, (&old, &new), (at == 0, at == last), &mut words);
    }
    let shown = most.lines.max(1);
    if lines.len() > shown {
        let more = lines.len() - shown;
        lines.truncate(shown);
        lines.push(Line::new(
            Sign::Between,
            format!("{} more lines not shown", count(more as u64)),
        ));
    }
    let behind = match left {
        (0, 0) if window.behind.is_empty() => String::new(),
        (0, 0) => same(window.behind, window.behind.starts_with('\n')),
        (old, new) => {
            let rest = window.behind.chars().count();
            let (old, new) = (count((old + rest) as u64), count((new + rest) as u64));
            format!("{old} characters before and {new} now behind this not compared")
        }
    };
    if !behind.is_empty() {
        lines.push(Line::new(Sign::Between, behind));
    }
    TextDiff::Lines(lines)
}

/// `18 lines the same`, or the characters of a part of a line.
fn same(text: &str, whole_lines: bool) -> String {
    let n = if whole_lines {
        plural(text.matches('\n').count() as u64, "line", "lines")
    } else {
        plural(text.chars().count() as u64, "character", "characters")
    };
    format!("{n} the same")
}

/// More lines than that can't be shown, and need not be compared.
fn first_lines(text: &str, most: Most) -> Vec<&str> {
    text.split('\n')
        .take(most.lines.saturating_mul(3).max(30))
        .collect()
}

/// The parts of two texts between what they begin and end with alike, and a little of that.
struct Window<'a> {
    old: &'a str,
    new: &'a str,
    /// What stands before it, the same in both.
    before: &'a str,
    /// What stands behind it, the same in both.
    behind: &'a str,
}

impl<'a> Window<'a> {
    fn around_the_difference(old: &'a str, new: &'a str) -> Window<'a> {
        let same = same_at_start(old.as_bytes(), new.as_bytes());
        let from = lines_before(old, old.floor_char_boundary(same));
        // What both end with does not reach into what both begin with: `aa` and `aaa` have one `a` more.
        let end = same_at_end(&old.as_bytes()[same..], &new.as_bytes()[same..]);
        let end_of_old = old.ceil_char_boundary(old.len() - end);
        let to = lines_behind(old, end_of_old);
        let behind = old.len() - to;
        Window {
            old: &old[from..to],
            new: new.get(from..new.len() - behind).unwrap_or(new),
            before: &old[..from],
            behind: &old[to..],
        }
    }
}

/// Bytes that both begin with, compared by the block first.
fn same_at_start(a: &[u8], b: &[u8]) -> usize {
    const BLOCK: usize = 512;
    let blocks = a
        .chunks_exact(BLOCK)
        .zip(b.chunks_exact(BLOCK))
        .take_while(|(a, b)| a == b)
        .count();
    let from = blocks * BLOCK;
    from + a[from..]
        .iter()
        .zip(&b[from..])
        .take_while(|(a, b)| a == b)
        .count()
}

/// Bytes that both end with.
fn same_at_end(a: &[u8], b: &[u8]) -> usize {
    const BLOCK: usize = 512;
    let blocks = a
        .rchunks_exact(BLOCK)
        .zip(b.rchunks_exact(BLOCK))
        .take_while(|(a, b)| a == b)
        .count();
    let from = blocks * BLOCK;
    let rest = |text: &'_ [u8]| text.len() - from;
    let (a, b) = (&a[..rest(a)], &b[..rest(b)]);
    from + a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(a, b)| a == b)
        .count()
}

/// Where the line `AROUND` lines before the one at `at` begins, or a little before `at` in long lines.
fn lines_before(text: &str, at: usize) -> usize {
    let floor = text.floor_char_boundary(at.saturating_sub(AROUND_BYTES));
    let begin = text[floor..at]
        .rmatch_indices('\n')
        .nth(AROUND)
        .map(|(found, _)| floor + found + 1);
    begin.unwrap_or_else(|| match floor {
        0 => 0,
        floor => next_word(text, floor, at),
    })
}

/// A cut within a line begins with a whole word, where there is one.
fn next_word(text: &str, floor: usize, at: usize) -> usize {
    text[floor..at]
        .find([' ', '\n'])
        .map_or(floor, |found| floor + found + 1)
}

/// Where the line `AROUND` lines behind the one at `at` ends, or a little behind `at` in long lines.
fn lines_behind(text: &str, at: usize) -> usize {
    let ceiling = text.ceil_char_boundary(at.saturating_add(AROUND_BYTES).min(text.len()));
    let end = text[at..ceiling]
        .match_indices('\n')
        .nth(AROUND)
        .map(|(found, _)| at + found);
    end.unwrap_or(ceiling)
}

fn push_op(
    lines: &mut Vec<Line>,
    op: &DiffOp,
    (old, new): (&[&str], &[&str]),
    (first, last): (bool, bool),
    words: &mut Words,
) {
    let (removed, added) = (&old[op.old_range()], &new[op.new_range()]);
    if let DiffOp::Equal { .. } = op {
        let (head, tail) = (if first { 0 } else { AROUND }, if last { 0 } else { AROUND });
        let hidden = removed.len().saturating_sub(head + tail);
        // One line is shown rather than counted.
        if hidden < 2 {
            lines.extend(removed.iter().map(|line| Line::new(Sign::Same, *line)));
            return;
        }
        let lines_of = |part: &[&str]| {
            part.iter()
                .map(|line| Line::new(Sign::Same, *line))
                .collect::<Vec<_>>()
        };
        lines.extend(lines_of(&removed[..head]));
        lines.push(Line::new(
            Sign::Between,
            format!("{} lines the same", count(hidden as u64)),
        ));
        lines.extend(lines_of(&removed[head + hidden..]));
        return;
    }
    let marked: Vec<(String, String)> = removed
        .iter()
        .zip(added)
        .map(|(old, new)| words.mark(old, new))
        .collect();
    let whole = |part: &[&str]| {
        part.iter()
            .skip(marked.len())
            .map(|line| (*line).to_owned())
            .collect::<Vec<_>>()
    };
    let (rest_old, rest_new) = (whole(removed), whole(added));
    let (was, is): (Vec<String>, Vec<String>) = marked.into_iter().unzip();
    lines.extend(
        was.into_iter()
            .chain(rest_old)
            .map(|line| Line::new(Sign::Removed, line)),
    );
    lines.extend(
        is.into_iter()
            .chain(rest_new)
            .map(|line| Line::new(Sign::Added, line)),
    );
}
