//! What the moved cases do not tell: differences per tag, cases that do not compare and why, and bars that were moved.

use crate::report::Around;
use crate::report::numbers::{count, score};
use crate::report::text::plural;
use crate::report::view::{Diff, Row, word};

use super::cases::{in_folds, scores};
use super::head::{cases, with_bounds};
use super::{left, nothing_moved, rest};
use crate::report::markdown::escape::{At, code, prose};
use crate::report::markdown::page::{folded, rows};

/// Rows of a table, and names of a list, at most.
const ROWS: usize = 100;

/// One row per tag, the largest fall first; folded.
pub(super) fn tags(diff: &Diff, around: &Around<'_>, bytes: usize) -> String {
    let row = |(tag, difference): &(&str, &crate::score::Difference)| {
        format!(
            "| {} | {} | {} | {} | {} |\n",
            code(tag, At::Cell),
            score(difference.now),
            score(difference.before),
            with_bounds(difference),
            cases(difference)
        )
    };
    let shown = rows(diff.tags.iter().map(row), ROWS, bytes);
    if shown.shown == 0 || nothing_moved(diff) {
        return String::new();
    }
    let title = format!(
        "Differences of {}, the largest fall first",
        plural(diff.tags.len() as u64, "tag", "tags")
    );
    let head = "| Tag | Now | Before | Difference (90 %) | Cases |\n| --- | --- | --- | --- | --- |\n";
    let body = format!("{head}{}{}", shown.text, rest(&shown, "tags", around));
    format!("\n{}", folded(&title, &body))
}

/// Cases that were changed, added, removed or left without a score; folded, the changed ones with what was changed.
pub(super) fn not_compared(diff: &Diff, around: &Around<'_>, bytes: usize) -> String {
    let mut out = changed(diff, around, bytes / 2);
    let lists = [
        ("added", &diff.added),
        ("removed", &diff.removed),
        ("without a score in one of the runs", &diff.unscored),
    ];
    for (what, cases) in lists {
        let line = |row: &Row| {
            let marks = row.marks();
            let marks = if marks.is_empty() {
                String::new()
            } else {
                format!(" ({})", marks.join(", "))
            };
            let score = match (row.change.before, row.change.after) {
                (None, None) => String::new(),
                (None, after) => format!(", now {}", score(after)),
                (before, None) => format!(", before {}", score(before)),
                _ => format!(", {}", scores(row)),
            };
            format!("- {}{score}{marks}\n", code(&row.change.id, At::Line))
        };
        let shown = rows(cases.iter().map(line), ROWS, bytes / 6);
        if shown.shown > 0 {
            let title = format!("{} {what}", plural(cases.len() as u64, "case", "cases"));
            let body = format!("{}{}", shown.text, rest(&shown, "cases", around));
            out.push_str(&format!("\n{}", folded(&title, &body)));
        }
    }
    out
}

fn changed(diff: &Diff, around: &Around<'_>, bytes: usize) -> String {
    let row = |row: &Row| {
        let parts: Vec<String> = row.change.parts.iter().map(word).collect();
        format!(
            "| {} | {} | {} |\n",
            code(&row.change.id, At::Cell),
            parts.join(", "),
            scores(row).replace(' ', "\u{a0}")
        )
    };
    let shown = rows(diff.changed.iter().map(row), ROWS, bytes / 3);
    if shown.shown == 0 {
        return String::new();
    }
    let n = diff.changed.len();
    let title = format!(
        "{} changed, in no difference{}",
        plural(n as u64, "case", "cases"),
        ways(&diff.changed)
    );
    let mut body = String::from(
        "They are asked or checked otherwise than in the baseline: before and after say what each run gave, and are \
         no like-for-like difference.\n\n| Case | Changed | Score |\n| --- | --- | --- |\n",
    );
    body.push_str(&shown.text);
    body.push_str(&rest(&shown, "changed cases", around));
    if diff.texts {
        let full = in_folds(&diff.changed, bytes.saturating_sub(body.len() + 600));
        body.push_str(&full.text);
        body.push_str(&left(n - full.shown, n, "changed prompts and answers", around));
    }
    let fold = folded(&title, &body);
    // Where nothing compares, this is all there is to see.
    if diff.comparison.counts.compared == 0 && diff.comparison.incomparable.is_none() {
        return format!("\n{}", fold.replacen("<details>", "<details open>", 1));
    }
    format!("\n{fold}")
}

/// `: 2 scored higher, 1 lower`; empty where none did either.
fn ways(changed: &[Row]) -> String {
    let by = |row: &&Row| Some(row.change.after? - row.change.before?);
    let higher = changed
        .iter()
        .filter(|row| by(row).is_some_and(|by| by > 1e-9))
        .count();
    let lower = changed
        .iter()
        .filter(|row| by(row).is_some_and(|by| by < -1e-9))
        .count();
    if higher + lower == 0 {
        return String::new();
    }
    format!(
        ": {} scored higher, {} lower",
        count(higher as u64),
        count(lower as u64)
    )
}

/// Bars of single cases that were moved: open, because they are easily overlooked.
pub(super) fn bars(diff: &Diff, around: &Around<'_>, bytes: usize) -> String {
    let line = |row: &Row| {
        let bars: Vec<String> = row
            .change
            .bar
            .iter()
            .take(5)
            .map(|bar| prose(bar, At::Line))
            .collect();
        format!("- {}: {}\n", code(&row.change.id, At::Line), bars.join(", "))
    };
    let shown = rows(diff.bars.iter().map(line), ROWS, bytes);
    if shown.shown == 0 {
        return String::new();
    }
    let title = match diff.bars.len() {
        1 => "The bar of 1 case is another one".to_owned(),
        n => format!("The bars of {} cases are others", count(n as u64)),
    };
    format!(
        "\n**{title}:**\n\n{}{}",
        shown.text,
        rest(&shown, "such cases", around)
    )
}
