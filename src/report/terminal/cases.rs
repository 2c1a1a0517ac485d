//! The weakest cases, and the answers and judgements that gave no score → lines for a terminal.

use crate::report::numbers::{count, score};
use crate::report::text::plural;
use crate::report::view::{CaseRow, View, samples_by_worth};

use super::parts::{WEAKEST, below, marked};
use super::{Column, Style, foreign};

pub(super) fn weakest(view: &View, style: &Style) -> String {
    let ranking = &view.ranking;
    let rows: Vec<Vec<String>> = ranking
        .scored
        .iter()
        .filter(|row| row.passed != Some(true) || row.score < Some(1.0))
        .take(WEAKEST)
        .map(case)
        .collect();
    let mut out = marked(
        &rows,
        &[
            Column::Left,
            Column::Left,
            Column::Left,
            Column::Left,
            Column::Left,
        ],
        style,
    );
    if ranking.failing > rows.len() {
        let all = plural(ranking.failing as u64, "case", "cases");
        out.push_str(&format!(
            "  {all} did not reach their pass score; the report has them\n"
        ));
    }
    out
}

fn case(row: &CaseRow) -> Vec<String> {
    let Some(case) = &row.case() else {
        return Vec::new();
    };
    let symbol = if row.passed == Some(false) { "✗" } else { "✓" };
    let marks: Vec<&str> = [(case.critical, "critical"), (case.holdout, "holdout")]
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, mark)| *mark)
        .collect();
    let said = samples_by_worth(case).into_iter().find_map(|sample| {
        let check = sample.checks.iter().find(|check| !check.passed);
        let check = check.map(|c| format!("check {}: {}", c.check, c.detail.as_deref().unwrap_or("failed")));
        check.or_else(|| sample.votes.iter().find_map(|vote| vote.feedback.clone()))
    });
    let said = said.map(|text| foreign(&text, 160)).unwrap_or_default();
    vec![
        symbol.to_owned(),
        foreign(&case.id, 40),
        score(row.score),
        marks.join(" "),
        said,
    ]
}

pub(super) fn problems(view: &View, style: &Style) -> String {
    let rows: Vec<Vec<String>> = view
        .problems
        .iter()
        .map(|problem| {
            let ids: Vec<String> = problem.ids.iter().take(3).map(|id| foreign(id, 30)).collect();
            let more = problem.cases.saturating_sub(ids.len() as u64);
            let more = if more > 0 {
                format!(" and {} more", count(more))
            } else {
                String::new()
            };
            vec![
                if problem.unscored > 0 { "✗" } else { "?" }.to_owned(),
                problem.what.to_owned(),
                format!("{}×", count(problem.count)),
                format!("{}{more}", ids.join(", ")),
            ]
        })
        .collect();
    let table = marked(
        &rows,
        &[Column::Left, Column::Left, Column::Right, Column::Left],
        style,
    );
    below(&table, style, |at| {
        let (text, _) = view.problems.get(at)?.details.first()?;
        Some(foreign(text, 200))
    })
}
