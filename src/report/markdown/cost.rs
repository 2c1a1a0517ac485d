//! Tokens, calls and the run's facts: the end of the page.

use crate::report::numbers::{NONE, count, duration};
use crate::report::view::{ChatCost, View};

use super::escape::{At, code, prose};
use super::page::{folded, rows};

/// Tokens and latency of answers and judgements, and every call by name.
pub(super) fn section(view: &View, bytes: usize) -> String {
    let cost = &view.cost;
    let mut out = String::from(
        "### Tokens and calls\n\n| | Calls | Repeats | Prompt tokens | Answer tokens | Median time | 95 % within |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    out.push_str(&chat("Answers", &cost.answers));
    out.push_str(&chat("Judgements", &cost.judgements));
    let uncounted = cost.answers.uncounted.saturating_add(cost.judgements.uncounted);
    if uncounted > 0 {
        out.push_str(&format!(
            "\nThe service counted no tokens for {} of these calls.\n",
            count(uncounted)
        ));
    }
    let head = "| Call | Calls | Requests | Failed | Time in all |\n| --- | --- | --- | --- | --- |\n";
    let shown = rows(
        cost.calls.iter().map(|(name, tally)| {
            format!(
                "| {} | {} | {} | {} | {} |\n",
                prose(name, At::Cell),
                count(tally.calls),
                count(tally.attempts),
                count(tally.failed),
                duration(tally.total_ms),
            )
        }),
        100,
        bytes,
    );
    if shown.shown > 0 {
        let title = format!(
            "{} calls to the service, {} of them failed",
            count(cost.total.calls),
            count(cost.total.failed)
        );
        out.push_str(&format!(
            "\n{}",
            folded(&title, &format!("{head}{}{}", shown.text, shown.rest("names")))
        ));
    }
    out
}

fn chat(name: &str, cost: &ChatCost) -> String {
    let or_none = |value: Option<u64>, show: fn(u64) -> String| value.map_or_else(|| NONE.to_owned(), show);
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} |\n",
        count(cost.calls),
        count(cost.repeats),
        or_none(cost.prompt_tokens, count),
        or_none(cost.completion_tokens, count),
        or_none(cost.median_ms, duration),
        or_none(cost.p95_ms, duration),
    )
}

/// Who, what and when, folded.
pub(super) fn facts(view: &View) -> String {
    let (run, suite, tool) = (
        &view.record.results.run,
        &view.record.results.suite,
        &view.record.results.tool,
    );
    let judge = &suite.judge;
    let mut rows = vec![
        ("Model", code(&suite.model, At::Cell)),
        (
            "Judge",
            format!(
                "{}, temperature {}, votes {}",
                code(&judge.model, At::Cell),
                judge.temperature,
                judge.votes
            ),
        ),
        (
            "Suite",
            format!(
                "{} ({})",
                code(&suite.path, At::Cell),
                code(&suite.fingerprint, At::Cell)
            ),
        ),
        ("Project", code(&suite.project, At::Cell)),
    ];
    if let Some(dataset) = &suite.dataset {
        rows.push(("Dataset", code(dataset, At::Cell)));
    }
    if let Some(commit) = &run.commit {
        rows.push(("Commit", code(commit, At::Cell)));
    }
    rows.push(("Service", code(&run.base_url, At::Cell)));
    rows.push(("Started", code(&run.started_at, At::Cell)));
    rows.push(("Evaluation took", duration(run.duration_ms)));
    rows.push(("Run", code(&run.id, At::Cell)));
    rows.push((
        "Written by",
        format!(
            "{} {}",
            prose(&tool.name, At::Cell),
            prose(&tool.version, At::Cell)
        ),
    ));
    let body: String = rows
        .iter()
        .map(|(name, value)| format!("| {name} | {value} |\n"))
        .collect();
    folded("About this run", &format!("| | |\n| --- | --- |\n{body}"))
}
