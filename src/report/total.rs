//! Several records → one small table: what each suite came to. For runs of more than one suite.

use super::Record;
use super::markdown::{At, code};
use super::numbers::{count, score};
use super::terminal::{Column, Style, columns, foreign, tone_symbol};
use super::view::{Headline, Tone};

/// Suites that are listed, at most.
const SUITES: usize = 200;

/// The total as Markdown, to stand above or below the suites' own reports.
pub fn total_markdown(records: &[&Record]) -> String {
    let mut out = format!(
        "## {} suites\n\n| | Suite | Verdict | Mean | Pass rate | Coverage | Cases |\n\
         | :-: | --- | --- | --- | --- | --- | --- |\n",
        count(records.len() as u64)
    );
    for record in records.iter().take(SUITES) {
        let headline = Headline::new(record);
        let group = &record.figures.overall;
        let symbol = match headline.tone {
            Tone::Good => "✅",
            Tone::Held => "⏸️",
            Tone::Bad => "❌",
            Tone::Unsure => "❓",
        };
        out.push_str(&format!(
            "| {symbol} | {} | {} | {} | {} | {} | {} |\n",
            code(&record.results.suite.name, At::Cell),
            headline.title,
            score(group.mean),
            score(group.pass_rate),
            score(group.coverage),
            count(group.cases.into()),
        ));
    }
    if records.len() > SUITES {
        out.push_str(&format!(
            "\n{} suites more.\n",
            count((records.len() - SUITES) as u64)
        ));
    }
    out
}

/// The total for a terminal of `width` characters, with ANSI colours where `colour` is set.
pub fn total_terminal(records: &[&Record], width: usize, colour: bool) -> String {
    let style = Style {
        colour,
        width: width.clamp(40, 160),
    };
    let headlines: Vec<Headline> = records
        .iter()
        .take(SUITES)
        .map(|record| Headline::new(record))
        .collect();
    let mut rows = vec![
        ["", "suite", "mean", "pass rate", "coverage", "verdict"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(records.iter().zip(&headlines).map(|(record, headline)| {
        let group = &record.figures.overall;
        vec![
            tone_symbol(headline.tone).to_owned(),
            foreign(&record.results.suite.name, 40),
            score(group.mean),
            score(group.pass_rate),
            score(group.coverage),
            headline.title.to_owned(),
        ]
    }));
    let aligned = [
        Column::Left,
        Column::Left,
        Column::Right,
        Column::Right,
        Column::Right,
        Column::Left,
    ];
    let table = columns(&rows, &aligned, style.width, |row, column, cell| {
        match row.checked_sub(1) {
            None => style.dim(cell),
            Some(at) if column == 0 => style.tone(headlines[at].tone, cell),
            Some(_) => cell.to_owned(),
        }
    });
    let title = style.bold(&format!("{} suites", count(records.len() as u64)));
    let more = records.len().saturating_sub(SUITES);
    let more = if more > 0 {
        format!("  and {} more\n", count(more as u64))
    } else {
        String::new()
    };
    format!("{title}\n{table}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    fn suites() -> Vec<Record> {
        let mut held = fixtures::dry_run();
        held.results.suite.name = "safety".to_owned();
        vec![
            fixtures::passing(),
            fixtures::failing(),
            held,
            fixtures::stopped(),
            fixtures::hostile(),
        ]
    }

    #[test]
    fn a_total_as_markdown() {
        insta::assert_snapshot!(total_markdown(&suites().iter().collect::<Vec<_>>()));
    }

    #[test]
    fn a_total_for_a_terminal() {
        insta::assert_snapshot!(total_terminal(&suites().iter().collect::<Vec<_>>(), 110, false));
    }
}
