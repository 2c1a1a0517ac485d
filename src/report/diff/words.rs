//! A line and the one in its place → both with the words that changed between marks: `[-old-]`, `{+new+}`.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// What may be spent on the words of one text: pairs of words that could be held against each other.
const BUDGET: usize = 600_000;
/// A line that keeps less of itself is another line: its words are not marked. In percent.
const KEPT: usize = 35;

/// Marks words, as long as its budget lasts; then what differs is marked in one.
#[derive(Debug)]
pub(super) struct Words {
    left: usize,
}

impl Default for Words {
    fn default() -> Words {
        Words { left: BUDGET }
    }
}

impl Words {
    /// The old line and the new one, marked.
    pub(super) fn mark(&mut self, old: &str, new: &str) -> (String, String) {
        let (a, b) = (words(old), words(new));
        let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
        let ends = |words: &[&str]| words.len() - start;
        let end = a
            .iter()
            .rev()
            .zip(b.iter().rev())
            .take(ends(&a).min(ends(&b)))
            .take_while(|(a, b)| a == b)
            .count();
        let (inner_a, inner_b) = (&a[start..a.len() - end], &b[start..b.len() - end]);
        let cost = inner_a.len().saturating_mul(inner_b.len());
        let ops = if cost <= self.left {
            self.left -= cost;
            capture_diff_slices(Algorithm::Myers, inner_a, inner_b)
        } else {
            vec![DiffOp::Replace {
                old_index: 0,
                old_len: inner_a.len(),
                new_index: 0,
                new_len: inner_b.len(),
            }]
        };
        let runs = runs(&ops, inner_a, inner_b);
        let length = |words: &[&str]| words.iter().map(|word| word.len()).sum::<usize>();
        let kept = length(&a[..start])
            + length(&a[a.len() - end..])
            + runs
                .iter()
                .filter(|run| run.same)
                .map(|run| length(run.old))
                .sum::<usize>();
        if kept * 100 < old.len().max(new.len()) * KEPT {
            return (old.to_owned(), new.to_owned());
        }
        let (mut was, mut is) = (a[..start].concat(), b[..start].concat());
        for run in &runs {
            push_marked(&mut was, run.old, run.same, ("[-", "-]"));
            push_marked(&mut is, run.new, run.same, ("{+", "+}"));
        }
        was.push_str(&a[a.len() - end..].concat());
        is.push_str(&b[b.len() - end..].concat());
        (was, is)
    }
}

fn push_marked(out: &mut String, words: &[&str], same: bool, (open, close): (&str, &str)) {
    if same || words.is_empty() {
        out.extend(words.iter().copied());
        return;
    }
    out.push_str(open);
    out.extend(words.iter().copied());
    out.push_str(close);
}

/// Words side by side that are the same in both lines, or stand in each other's place.
struct Run<'a, 'b> {
    old: &'a [&'b str],
    new: &'a [&'b str],
    same: bool,
}

/// The runs of two lines; white space between two changes is part of one change.
fn runs<'a, 'b>(ops: &[DiffOp], old: &'a [&'b str], new: &'a [&'b str]) -> Vec<Run<'a, 'b>> {
    let blank = |words: &[&str]| words.iter().all(|word| word.trim().is_empty());
    let mut runs: Vec<Run> = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    let last = ops.len().saturating_sub(1);
    for (at, op) in ops.iter().enumerate() {
        let (was, is) = (op.old_range(), op.new_range());
        let same = matches!(op, DiffOp::Equal { .. }) && !(at > 0 && at < last && blank(&old[was.clone()]));
        if !same {
            open.get_or_insert((was.start, is.start));
        }
        if let Some((from_old, from_new)) = open.filter(|_| same || at == last) {
            let (to_old, to_new) = if same {
                (was.start, is.start)
            } else {
                (was.end, is.end)
            };
            runs.push(Run {
                old: &old[from_old..to_old],
                new: &new[from_new..to_new],
                same: false,
            });
            open = None;
        }
        if same {
            runs.push(Run {
                old: &old[was],
                new: &new[is],
                same: true,
            });
        }
    }
    runs
}

/// Runs of letters and digits, runs of white space, and everything else by itself.
fn words(line: &str) -> Vec<&str> {
    #[derive(PartialEq, Clone, Copy)]
    enum Kind {
        Word,
        Space,
        Other,
    }
    let kind = |c: char| match c {
        c if c.is_alphanumeric() => Kind::Word,
        c if c.is_whitespace() => Kind::Space,
        _ => Kind::Other,
    };
    let mut words = Vec::new();
    let mut from = 0;
    let mut before = None;
    for (at, c) in line.char_indices() {
        let now = kind(c);
        if at > 0 && (before != Some(now) || now == Kind::Other) {
            words.push(&line[from..at]);
            from = at;
        }
        before = Some(now);
    }
    if from < line.len() {
        words.push(&line[from..]);
    }
    words
}
