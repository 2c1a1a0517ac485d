//! The cases that moved: a table of them, and folded beside it how the answers and the judge's words differ.

use crate::report::Around;
use crate::report::numbers::{count, score, signed};
use crate::report::text::plural;
use crate::report::view::{Diff, Flip, Row};

use super::texts::{LEVELS, Level, body};
use super::{left, nothing_moved, rest};
use crate::report::markdown::escape::{At, code, summary};
use crate::report::markdown::page::{folded, rows};

/// Rows of the table, at most.
const ROWS: usize = 100;
/// Rows that are open: more would push the answers off the screen.
const OPEN: usize = 20;
/// Cases whose texts are compared, at most.
const FOLDS: usize = 40;

/// What moved, worst first.
pub(super) fn moved(diff: &Diff, around: &Around<'_>, bytes: usize) -> String {
    if diff.comparison.incomparable.is_some() {
        return String::new();
    }
    if diff.moved.is_empty() {
        return if nothing_moved(diff) {
            "\nNo case moved.\n".to_owned()
        } else {
            String::new()
        };
    }
    let title = plural(diff.moved.len() as u64, "case", "cases");
    let order = match diff.ways() {
        (0, _) => ", none of them down; the largest rise first".to_owned(),
        (1, 0) => ", down".to_owned(),
        (_, 0) => ", all of them down; the largest fall first".to_owned(),
        (down, up) => format!(
            ", {} down and {} up; the largest fall first",
            count(down),
            count(up)
        ),
    };
    let mut out = format!("\n**{title} moved**{order}:\n\n");
    // Without several votes that column would say nothing.
    let votes = diff.moved.iter().any(|row| row.vote_spread().is_some());
    let (title, line) = if votes {
        ("Votes' spread | ", "--- | ")
    } else {
        ("", "")
    };
    let head = format!(
        "| | Case | Score | Difference | {title}Tags | |\n| :-: | --- | --- | --- | {line}--- | --- |\n"
    );
    let shown = rows(diff.moved.iter().map(|moved| row(moved, votes)), ROWS, bytes);
    out.push_str(&head);
    // A few rows more are no reason for a fold.
    let open = if shown.shown > OPEN + 5 { OPEN } else { shown.shown };
    let cut: usize = shown.text.split_inclusive('\n').take(open).map(str::len).sum();
    let (first, more) = shown.text.split_at(cut);
    out.push_str(first);
    let mut left_out = rest(&shown, "moved cases", around);
    if !more.is_empty() {
        let title = format!("{} more moved cases", count((shown.shown - open) as u64));
        let body = format!("{head}{more}{left_out}");
        out.push_str(&format!("\n{}", folded(&title, &body)));
        left_out.clear();
    }
    out.push_str(&left_out);
    // What the table does not reach is named all the same: these are what a reviewer looks for.
    if shown.left > 0 {
        for (flip, title) in [(Flip::Failing, "Newly failing"), (Flip::Fixed, "Newly fixed")] {
            let ids = diff.flipped(flip);
            let names = rows(ids.iter().map(|id| code(id, At::Line) + " "), ROWS, bytes / 4);
            if names.shown > 0 {
                out.push_str(&format!("\n{title}: {}\n", names.text.trim_end()));
                out.push_str(&rest(&names, "of them", around));
            }
        }
    }
    out
}

fn row(row: &Row, votes: bool) -> String {
    let tags = row.case().map_or(String::new(), |case| {
        let tags: Vec<String> = case.tags.iter().take(5).map(|tag| code(tag, At::Cell)).collect();
        tags.join(" ")
    });
    let marks: Vec<String> = row
        .marks()
        .into_iter()
        .map(|mark| {
            if mark == "newly failing" {
                format!("**{mark}**")
            } else {
                mark.to_owned()
            }
        })
        .collect();
    let spread = if votes {
        format!("{} | ", score(row.vote_spread()))
    } else {
        String::new()
    };
    format!(
        "| {} | {} | {} | {} | {spread}{tags} | {} |\n",
        symbol(row),
        code(&row.change.id, At::Cell),
        scores(row).replace(' ', "\u{a0}"),
        row.change.difference.map(signed).unwrap_or_default(),
        marks.join(", "),
    )
}

fn symbol(row: &Row) -> &'static str {
    match (row.flip, row.change.difference) {
        (Some(Flip::Failing), _) => "❌",
        (Some(Flip::Fixed), _) => "✅",
        (None, Some(difference)) if difference < 0.0 => "🔻",
        (None, Some(_)) => "🔼",
        (None, None) => "▫️",
    }
}

/// `1.000 → 0.450`
pub(super) fn scores(row: &Row) -> String {
    format!("{} → {}", score(row.change.before), score(row.change.after))
}

/// The moved cases' texts, a fold a case, in at most `bytes`.
pub(super) fn folds(diff: &Diff, around: &Around<'_>, bytes: usize) -> String {
    if diff.moved.is_empty() {
        return String::new();
    }
    if !diff.texts {
        return "\nThe baseline's answers are not at hand: no texts are compared.\n".to_owned();
    }
    let full = in_folds(&diff.moved, bytes.saturating_sub(600));
    let mut out = String::new();
    if full.shown > 0 {
        out.push_str("\nHow the answers differ (`-` before, `+` now):\n");
    }
    out.push_str(&full.text);
    out + &left(
        diff.moved.len() - full.shown,
        diff.moved.len(),
        "answers compared are",
        around,
    )
}

/// Cases with their texts.
pub(super) struct Folds {
    pub text: String,
    pub shown: usize,
}

/// As many of the cases as fit, each in its share of `bytes`: one whose texts do not fit goes down a level.
pub(super) fn in_folds(cases: &[Row], bytes: usize) -> Folds {
    let mut folds = Folds {
        text: String::new(),
        shown: 0,
    };
    let most = cases.len().min(FOLDS);
    for (at, row) in cases.iter().take(most).enumerate() {
        let room = bytes.saturating_sub(folds.text.len());
        let share = room / (most - at);
        let shortest = LEVELS.len() - 1;
        let fits =
            |(level, text): &(usize, String)| text.len() < share || (*level == shortest && text.len() < room);
        let mut tries = LEVELS
            .iter()
            .enumerate()
            .map(|(level, limits)| (level, fold(row, *limits)));
        let Some((_, text)) = tries.find(fits) else {
            break;
        };
        folds.text.push('\n');
        folds.text.push_str(&text);
        folds.shown += 1;
    }
    folds
}

fn fold(row: &Row, level: Level) -> String {
    let mut title = format!("{} {} · {}", symbol(row), summary(&row.change.id), scores(row));
    if let Some(difference) = row.change.difference {
        title.push_str(&format!(" ({})", signed(difference)));
    }
    row.marks()
        .iter()
        .for_each(|mark| title.push_str(&format!(" · <b>{mark}</b>")));
    folded(&title, &body(row, level))
}
