//! What went wrong with answers and judgements: by kind, with counts and ids, and the cases themselves.

use crate::report::numbers::count;
use crate::report::text::plural;
use crate::report::view::{Problem, View};

use super::cases::in_full;
use super::escape::{At, code, prose};
use super::page::{folded, rows};

/// Empty when nothing did.
pub(super) fn section(view: &View, bytes: usize) -> String {
    let unscored = &view.ranking.unscored;
    if view.problems.is_empty() && unscored.is_empty() {
        return String::new();
    }
    let mut out = String::from("### What went wrong\n\n");
    out.push_str(
        "| What | How often | Cases left unscored | Cases | What came back |\n| --- | --- | --- | --- | --- |\n",
    );
    let shown = rows(view.problems.iter().map(problem), 20, bytes / 4);
    out.push_str(&shown.text);
    out.push_str(&shown.rest("kinds"));
    if !unscored.is_empty() {
        let full = in_full(&unscored[..view.ranking.unscored_in_full], bytes / 4);
        let ids = unscored[full.shown..]
            .iter()
            .map(|row| format!("{} ", code(&row.id(), At::Line)));
        let others = rows(ids, 500, bytes / 4);
        let mut body = full.text.trim_start().to_owned();
        if others.shown > 0 {
            body.push_str(&format!("\nAlso unscored: {}\n", others.text.trim_end()));
        }
        if others.left > 0 {
            body.push_str(&format!(
                "\n{} more are in results.json.\n",
                count(others.left as u64)
            ));
        }
        let title = plural(
            unscored.len() as u64,
            "case without a score",
            "cases without a score",
        );
        out.push_str(&format!("\n{}", folded(&title, &body)));
    }
    out
}

fn problem(problem: &Problem) -> String {
    let mut ids: Vec<String> = problem.ids.iter().map(|id| code(id, At::Cell)).collect();
    let more = problem.cases.saturating_sub(problem.ids.len() as u64);
    if more > 0 {
        ids.push(format!("and {} more", count(more)));
    }
    let details: Vec<String> = problem
        .details
        .iter()
        .map(|(text, times)| format!("{} ({}×)", prose(text, At::Cell), count(*times)))
        .collect();
    format!(
        "| {} | {} | {} | {} | {} |\n",
        problem.what,
        count(problem.count),
        count(problem.unscored),
        ids.join(" "),
        details.join("<br>"),
    )
}
