//! The differences against a baseline → lines for a terminal: as a section of the report, and by themselves.

mod texts;

use crate::gate::Outcome;
use crate::report::Record;
use crate::report::numbers::{NONE, score, signed, signed_interval};
use crate::report::text::plural;
use crate::report::view::{Against, Diff, Flip, Row, Standing, Tone, word};
use crate::score::Difference;

use super::parts::{judge, marked, rest};
use super::{Column, Style, columns, foreign};

/// Moved cases that the report lists, at most.
const IN_REPORT: usize = 8;
/// Rows of the differences' own lists, at most.
const ROWS: usize = 50;

/// The section of a report: what moved, without texts.
pub(super) fn section(against: &Against, style: &Style) -> String {
    match against {
        Against::Nothing => String::new(),
        Against::Without(why) => style.wrapped(&format!("no baseline: {}", foreign(why, 300))),
        Against::Run(diff) => head(diff, style, false) + &moved(diff, style, IN_REPORT),
    }
}

/// The differences by themselves.
pub(in crate::report) fn differences(
    record: &Record,
    against: &Against,
    width: usize,
    colour: bool,
) -> String {
    let style = Style {
        colour,
        width: width.clamp(40, 160),
    };
    let name = foreign(&record.results.suite.name, 60);
    let diff = match against {
        Against::Nothing => return format!("{}\n  no baseline: nothing was compared\n", style.bold(&name)),
        Against::Without(_) => return format!("{}\n{}", style.bold(&name), section(against, &style)),
        Against::Run(diff) => diff,
    };
    let (tone, symbol) = tone(&diff.standing);
    let title = format!("{symbol} {name}: {}", diff.standing.words());
    let mut out = format!(
        "{}\n{}{}",
        style.bold(&style.tone(tone, &title)),
        head(diff, &style, true),
        gates(diff, &style)
    );
    let lists = [
        ("Moved cases", moved(diff, &style, ROWS)),
        ("Tags", tags(diff, &style)),
        ("Changed, in no difference", named(&diff.changed, &style, changed)),
        (
            "Added",
            named(&diff.added, &style, |row| vec![score(row.change.after)]),
        ),
        (
            "Removed",
            named(&diff.removed, &style, |row| vec![score(row.change.before)]),
        ),
        (
            "Without a score in one of the runs",
            named(&diff.unscored, &style, |row| vec![arrow(row)]),
        ),
        (
            "Bars that were moved",
            named(&diff.bars, &style, |row| {
                row.change.bar.iter().map(|bar| foreign(bar, 80)).collect()
            }),
        ),
        ("Changed prompts", texts::prompts(diff, &style)),
        ("Answers", texts::answers(diff, &style)),
    ];
    for (title, body) in lists {
        if !body.is_empty() {
            out.push_str(&format!("\n{}\n{body}", style.bold(title)));
        }
    }
    out
}

fn tone(standing: &Standing) -> (Tone, &'static str) {
    match standing {
        Standing::Better => (Tone::Good, "▲"),
        Standing::Worse => (Tone::Bad, "▼"),
        Standing::WorseWithin => (Tone::Held, "▼"),
        Standing::Noise | Standing::Same => (Tone::Held, "="),
        Standing::Untold(_) => (Tone::Unsure, "?"),
    }
}

/// What is said of the differences as a whole; `titled`: the word for them stands above it.
fn head(diff: &Diff, style: &Style, titled: bool) -> String {
    let (tone, symbol) = tone(&diff.standing);
    let why = diff.standing.why().map(|why| foreign(why, 300));
    let first = match (titled, why) {
        (true, why) => why.unwrap_or_default(),
        (false, None) => format!("{symbol} {}", diff.standing.words()),
        (false, Some(why)) => format!("{symbol} {}: {why}", diff.standing.words()),
    };
    let mut out = String::new();
    for line in style.wrapped(&first).lines().filter(|line| !line.is_empty()) {
        out.push_str(&style.tone(tone, line));
        out.push('\n');
    }
    let rows: Vec<Vec<String>> = diff
        .figures()
        .iter()
        .map(|(name, difference)| vec![name.to_lowercase(), change(difference)])
        .collect();
    out.push_str(&columns(
        &rows,
        &[Column::Left, Column::Left],
        style.width,
        |_, _, cell| cell.to_owned(),
    ));
    if let Some((told, p)) = diff.turned() {
        let p = p.map_or(String::new(), |p| format!(" (McNemar's mid-p = {p:.3})"));
        out.push_str(&style.wrapped(&(told + &p)));
    }
    if let Some(detectable) = diff.detectable() {
        out.push_str(&style.wrapped(&format!(
            "a fall of {} or more would most likely have been seen (80 % power)",
            score(Some(detectable))
        )));
    }
    let base = &diff.base;
    let run = base
        .workflow_run
        .map_or(String::new(), |id| format!(" (run {id})"));
    let age = base.age.as_deref().unwrap_or("at a time that can't be read");
    out.push_str(&style.wrapped(&format!(
        "compared with {}{run}: {}, {age}",
        foreign(&base.what, 80),
        foreign(&base.found, 200)
    )));
    out.push_str(&style.wrapped(&diff.counts()));
    if let Some(suite) = base.suite {
        out.push_str(&style.wrapped(suite));
    }
    for told in &base.told {
        for line in style.wrapped(&foreign(told, 300)).lines() {
            out.push_str(&style.tone(Tone::Unsure, line));
            out.push('\n');
        }
    }
    for note in diff.notes().take(5) {
        out.push_str(&style.wrapped(&foreign(note, 300)));
    }
    out.push_str(&judge(diff.record, style));
    if let Some(policy) = &diff.record.results.suite.policy {
        let which = if policy.differs {
            "others, and do not decide"
        } else {
            "the same"
        };
        let text = format!(
            "the gates are those of {}; the suite's own are {which}",
            foreign(&policy.from, 120)
        );
        out.push_str(&style.wrapped(&text));
    }
    out
}

/// The gates on the drop, each with its reason.
fn gates(diff: &Diff, style: &Style) -> String {
    let told = diff.gates.iter().take(ROWS).map(|gate| {
        let (symbol, tone) = match gate.outcome {
            Outcome::Pass => ("✓", Tone::Good),
            Outcome::Fail => ("✗", Tone::Bad),
            Outcome::Inconclusive => ("?", Tone::Unsure),
        };
        let text = format!(
            "{symbol} {}: {}",
            foreign(&gate.require, 60),
            foreign(&gate.reason, 300)
        );
        let lines = style.wrapped(&text);
        let lines: Vec<String> = lines.lines().map(|line| style.tone(tone, line)).collect();
        lines.join("\n") + "\n"
    });
    told.collect()
}

/// `0.742, was 0.861: −0.119 (90 % −0.171 to −0.067), 12 cases`
fn change(difference: &Difference) -> String {
    let bounds = match (difference.low, difference.high) {
        (Some(low), Some(high)) => format!(" (90 % {})", signed_interval(low, high)),
        _ => String::new(),
    };
    format!(
        "{}, was {}: {}{bounds}, {}",
        score(difference.now),
        score(difference.before),
        difference.difference.map_or_else(|| NONE.to_owned(), signed),
        plural(difference.n.into(), "case", "cases")
    )
}

pub(super) fn arrow(row: &Row) -> String {
    format!("{} → {}", score(row.change.before), score(row.change.after))
}

fn symbol(row: &Row) -> &'static str {
    match (row.flip, row.change.difference) {
        (Some(Flip::Failing), _) => "✗",
        (Some(Flip::Fixed), _) => "✓",
        (None, Some(difference)) if difference > 0.0 => "▲",
        _ => "▼",
    }
}

fn moved(diff: &Diff, style: &Style, most: usize) -> String {
    let rows: Vec<Vec<String>> = diff
        .foremost(most)
        .into_iter()
        .map(|row| {
            let case = row.case();
            let tags: Vec<&str> = case
                .iter()
                .flat_map(|case| &case.tags)
                .take(3)
                .map(String::as_str)
                .collect();
            let spread = row
                .vote_spread()
                .map(|spread| format!("votes differ by {}", score(Some(spread))));
            let notes = row.marks().into_iter().map(str::to_owned).chain(spread);
            let notes: Vec<String> = notes
                .chain(tags.into_iter().map(|tag| foreign(tag, 30)))
                .collect();
            vec![
                symbol(row).to_owned(),
                foreign(&row.change.id, 40),
                arrow(row),
                row.change.difference.map(signed).unwrap_or_default(),
                notes.join(", "),
            ]
        })
        .collect();
    let aligned = [
        Column::Left,
        Column::Left,
        Column::Left,
        Column::Right,
        Column::Left,
    ];
    marked(&rows, &aligned, style) + &rest(diff.moved.len(), rows.len(), "moved cases")
}

fn tags(diff: &Diff, style: &Style) -> String {
    if diff.moved.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = diff
        .tags
        .iter()
        .take(ROWS)
        .map(|(tag, difference)| vec![foreign(tag, 30), change(difference)])
        .collect();
    let table = columns(&rows, &[Column::Left, Column::Left], style.width, |_, _, cell| {
        cell.to_owned()
    });
    table + &rest(diff.tags.len(), rows.len(), "tags")
}

/// Cases by name, with what `more` says of each.
fn named(cases: &[Row], style: &Style, more: impl Fn(&Row) -> Vec<String>) -> String {
    let rows: Vec<Vec<String>> = cases
        .iter()
        .take(ROWS)
        .map(|row| vec![foreign(&row.change.id, 60), more(row).join(", ")])
        .collect();
    let table = columns(
        &rows,
        &[Column::Left, Column::Left],
        style.width,
        |_, at, cell| match at {
            0 => cell.to_owned(),
            _ => style.dim(cell),
        },
    );
    table + &rest(cases.len(), rows.len(), "cases")
}

fn changed(row: &Row) -> Vec<String> {
    let parts: Vec<String> = row.change.parts.iter().map(word).collect();
    vec![parts.join(" and "), arrow(row)]
}
