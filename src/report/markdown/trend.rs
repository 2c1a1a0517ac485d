//! A suite's runs so far → the trend as Markdown: open the line of blocks, folded the runs and the flaky cases.

use super::escape::{At, code};
use super::page::{Page, folded, rows};
use crate::history::{Entry, Flaky, Trend};
use crate::report::numbers::{NONE, count};
use crate::report::text::plural;
use crate::report::trend::{FLAKY, Row, began, difference, ending, mark, mean, picture, sentences, start};
use crate::report::view::Tone;

/// Below so many bytes a section shows nothing.
const LEAST_BYTES: usize = 1_000;

/// The trend below a title of our own (`### Trend`), of at most `bytes` bytes: the line of blocks open, the flaky cases
/// and the runs folded. Nothing without a run, or where there is no room.
pub(in crate::report) fn section(title: &str, history: &[Entry], last: usize, bytes: usize) -> String {
    match Trend::of(history, last) {
        Some(trend) => body(&trend, title, bytes),
        None => String::new(),
    }
}

/// The whole page of one suite, of at most `bytes` bytes.
pub(in crate::report) fn page(name: &str, history: &[Entry], last: usize, bytes: usize) -> String {
    let title = format!("## {}", code(name, At::Line));
    if history.is_empty() {
        return format!("{title}\n\nNo run so far.\n");
    }
    section(&title, history, last, bytes)
}

fn body(trend: &Trend<'_>, title: &str, bytes: usize) -> String {
    if bytes < LEAST_BYTES {
        return String::new();
    }
    let mut out = format!("{title}\n\n{}\n\n```text\n", sentences(trend).join(" "));
    for Row { word, drawn, told } in picture(trend) {
        let drawn: String = drawn.iter().map(|(_, c)| *c).collect();
        out.push_str(&format!("{word:<8} {drawn}  {told}\n"));
    }
    out.push_str("```\n");
    let mut page = Page::new(bytes);
    page.push(out);
    page.push(flaky(&trend.flaky, page.room()));
    page.push(table(trend, page.room()));
    page.finish()
}

fn table(trend: &Trend<'_>, bytes: usize) -> String {
    let judges = !trend.breaks.is_empty();
    let judge = if judges { " Judge |" } else { "" };
    let line = if judges { " --- |" } else { "" };
    let head = format!(
        "| Began (UTC) | Commit | Model | Mean | Δ |{judge} Verdict | Job |\n| --- | --- | --- | --- | --- |{line} --- | --- |\n"
    );
    let short = |id: Option<&String>| id.map_or_else(|| NONE.to_owned(), |id| code(&start(id), At::Cell));
    let newest_first = trend.runs.iter().rev().map(|run| {
        let judge = if judges {
            format!(" {} |", code(&start(&run.judge), At::Cell))
        } else {
            String::new()
        };
        let began = began(run).unwrap_or_else(|| NONE.to_owned());
        let symbol = match mark(run.decision).0 {
            Tone::Good => "✅",
            Tone::Held => "⏸️",
            Tone::Bad => "❌",
            Tone::Unsure => "❓",
        };
        format!(
            "| {began} | {} | {} | {} | {} |{judge} {symbol} {} | {} |\n",
            short(run.commit.as_ref()),
            code(&run.model, At::Cell),
            mean(run),
            difference(run),
            ending(run),
            short(run.job.as_ref()),
        )
    });
    let told = rows(
        newest_first,
        trend.runs.len(),
        bytes.saturating_sub(head.len() + 200),
    );
    if told.shown == 0 {
        return String::new();
    }
    let left = match told.left {
        0 => String::new(),
        left => format!("\n{} more.\n", plural(left as u64, "run", "runs")),
    };
    let runs = plural(trend.runs.len() as u64, "run", "runs");
    folded(
        &format!("{runs}, the newest first"),
        &format!("{head}{}{left}", told.text),
    )
}

fn flaky(cases: &[Flaky], bytes: usize) -> String {
    if cases.is_empty() {
        return String::new();
    }
    const HEAD: &str = "The verdict of these cases flipped although neither case, judge, pass score nor model was changed.\n\n\
                        | Case | Flips | Passed |\n| --- | --- | --- |\n";
    let worst_first = cases.iter().map(|case| {
        format!(
            "| {} | {} | {} of {} |\n",
            code(&case.case, At::Cell),
            count(case.flips.into()),
            count(case.passed.into()),
            plural(case.runs.into(), "run", "runs")
        )
    });
    let told = rows(worst_first, FLAKY, bytes.saturating_sub(HEAD.len() + 200));
    if told.shown == 0 {
        return String::new();
    }
    let left = match told.left {
        0 => String::new(),
        left => format!("\n{} more.\n", plural(left as u64, "case", "cases")),
    };
    let title = plural(cases.len() as u64, "flaky case", "flaky cases");
    folded(&title, &format!("{HEAD}{}{left}", told.text))
}
