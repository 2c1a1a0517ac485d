//! A suite's runs so far → the trend for a terminal: the line of blocks, the runs and the flaky cases.

use super::{Column, Style, columns, foreign};
use crate::history::{Entry, Flaky, Trend};
use crate::report::numbers::{NONE, count};
use crate::report::text::plural;
use crate::report::trend::{FLAKY, Row, began, difference, ending, mark, mean, picture, sentences, start};

/// The line of blocks and the sentences above it. Nothing without a run.
pub(in crate::report) fn brief(history: &[Entry], last: usize, style: &Style) -> String {
    Trend::of(history, last).map_or_else(String::new, |trend| blocks(&trend, style))
}

/// Everything, for a person who asked for it.
pub(in crate::report) fn whole(history: &[Entry], last: usize, style: &Style) -> String {
    let Some(trend) = Trend::of(history, last) else {
        return style.wrapped("No run so far.");
    };
    format!(
        "{}\n{}{}",
        brief(history, last, style),
        table(&trend, style),
        flaky(&trend.flaky, style)
    )
}

fn blocks(trend: &Trend<'_>, style: &Style) -> String {
    let mut out = style.wrapped(&sentences(trend).join(" "));
    for Row { word, drawn, told } in picture(trend) {
        // As many of the newest as the line holds.
        let room = style.width.saturating_sub(11);
        let drawn = &drawn[drawn.len().saturating_sub(room)..];
        let told = if drawn.len() + told.chars().count() + 2 <= room {
            format!("  {}", style.dim(&told))
        } else {
            String::new()
        };
        let drawn: String = drawn
            .iter()
            .map(|(tone, c)| match tone {
                Some(tone) => style.tone(*tone, &c.to_string()),
                None => c.to_string(),
            })
            .collect();
        out.push_str(&format!("  {word:<8} {drawn}{told}\n"));
    }
    out
}

fn table(trend: &Trend<'_>, style: &Style) -> String {
    let judges = !trend.breaks.is_empty();
    let mut rows = vec![vec![
        String::new(),
        "began (UTC)".to_owned(),
        "mean".to_owned(),
        "Δ".to_owned(),
        "verdict".to_owned(),
        "commit".to_owned(),
        "job".to_owned(),
        if judges { "judge" } else { "" }.to_owned(),
        "model".to_owned(),
    ]];
    let short = |id: Option<&String>| id.map_or_else(|| NONE.to_owned(), |id| foreign(&start(id), 8));
    let newest_first: Vec<&&Entry> = trend.runs.iter().rev().collect();
    rows.extend(newest_first.iter().map(|run| {
        vec![
            mark(run.decision).1.to_string(),
            began(run).unwrap_or_else(|| NONE.to_owned()),
            mean(run),
            difference(run),
            ending(run),
            short(run.commit.as_ref()),
            short(run.job.as_ref()),
            if judges {
                foreign(&start(&run.judge), 8)
            } else {
                String::new()
            },
            foreign(&run.model, 24),
        ]
    }));
    let mut aligned = [Column::Left; 9];
    aligned[2] = Column::Right;
    aligned[3] = Column::Right;
    columns(&rows, &aligned, style.width, |row, column, cell| {
        match row.checked_sub(1) {
            None => style.dim(cell),
            Some(at) if column == 0 => style.tone(mark(newest_first[at].decision).0, cell),
            Some(_) => cell.to_owned(),
        }
    })
}

fn flaky(cases: &[Flaky], style: &Style) -> String {
    if cases.is_empty() {
        return String::new();
    }
    let title = plural(cases.len() as u64, "flaky case", "flaky cases");
    let told = "the verdict flipped although neither case, judge, pass score nor model was changed";
    let rows: Vec<Vec<String>> = cases
        .iter()
        .take(FLAKY)
        .map(|case| {
            vec![
                foreign(&case.case, 60),
                plural(case.flips.into(), "flip", "flips"),
                format!(
                    "passed {} of {}",
                    count(case.passed.into()),
                    count(case.runs.into())
                ),
            ]
        })
        .collect();
    let aligned = [Column::Left, Column::Right, Column::Left];
    let more = match cases.len().saturating_sub(FLAKY) {
        0 => String::new(),
        more => format!("  and {} more\n", count(more as u64)),
    };
    format!(
        "\n{}\n{}{}{more}",
        style.bold(&title),
        style.wrapped(&format!("{}.", crate::report::text::sentence(told))),
        columns(&rows, &aligned, style.width, |_, _, cell| cell.to_owned())
    )
}
