//! The differences against a baseline → the parts of a page that show them: the verdict on them, what moved and how
//! the answers differ, and what does not compare. The summary, the comment and the differences' own page share them.

mod cases;
mod changes;
mod head;
mod page;
#[cfg(test)]
mod tests;
mod texts;

use crate::report::Around;
use crate::report::view::{Against, Diff};

use super::escape::{At, link, prose};
use super::page::Rows;
use crate::report::numbers::count;

pub(super) use head::policy;
pub(in crate::report) use page::{comment, differences};

/// The section of the summary: what moved, in at most about `bytes`.
pub(super) fn section(against: &Against, around: &Around<'_>, bytes: usize) -> String {
    let diff = match against {
        Against::Nothing => return String::new(),
        Against::Without(why) => return without(why),
        Against::Run(diff) => diff,
    };
    let mut out = head::head(diff, around, "###");
    out.push_str(&cases::moved(diff, around, bytes / 5));
    let behind = [
        changes::tags(diff, around, bytes / 10),
        changes::not_compared(diff, around, bytes / 5),
        changes::bars(diff, around, bytes / 20),
    ]
    .concat();
    let room = bytes.saturating_sub(out.len() + behind.len());
    out.push_str(&cases::folds(diff, around, room));
    out + &behind
}

/// Why there is nothing to compare with.
fn without(why: &str) -> String {
    format!("**No baseline:** {}\n", super::head::as_sentence(why))
}

/// Where all of it is: the run's own page, where it is known.
fn whole(around: &Around<'_>) -> String {
    around
        .url
        .and_then(|url| link("the run", url))
        .unwrap_or_else(|| "results.json".to_owned())
}

/// A line for the rows that were left out; empty when none was.
fn rest(rows: &Rows, of: &str, around: &Around<'_>) -> String {
    left(rows.left, rows.shown + rows.left, of, around)
}

fn left(left: usize, all: usize, of: &str, around: &Around<'_>) -> String {
    if left == 0 {
        return String::new();
    }
    format!(
        "\n{} of {} {of} not shown; all are in {}.\n",
        count(left as u64),
        count(all as u64),
        whole(around)
    )
}

/// Notes as one paragraph; empty where there are none.
fn notes<'a>(name: &str, notes: impl Iterator<Item = &'a String>) -> String {
    let notes: Vec<String> = notes.take(10).map(|note| prose(note, At::Line)).collect();
    if notes.is_empty() {
        return String::new();
    }
    format!("\n_{name}:_ {}\n", notes.join("; "))
}

/// True where every compared case has the score that it had.
fn nothing_moved(diff: &Diff) -> bool {
    diff.moved.is_empty() && diff.comparison.incomparable.is_none() && diff.comparison.counts.compared > 0
}
