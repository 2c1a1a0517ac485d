//! The cycle: its steps, its traces, what is not known, what failed, leaks, and what a dry run would write.

use crate::cycle::{FailedWrite, Record, StepState};
use crate::report::numbers::{count, duration};
use crate::report::text::plural;
use crate::report::view::{View, interrupted, open_traces, tally, word};

use super::escape::{At, code, fenced, prose, summary};
use super::page::{folded, rows};

/// Rows of each list, at most.
const ROWS: usize = 50;
/// Writes of a dry run that are shown with their bodies, at most.
const PLANNED: usize = 100;
/// Characters of such a body.
const PLANNED_CHARS: usize = 2_000;

/// Empty when no cycle was begun.
pub(super) fn section(view: &View, bytes: usize) -> String {
    let Some(cycle) = &view.record.cycle else {
        return String::new();
    };
    let mut out = String::from("### Cycle\n\n");
    out.push_str(&format!("{}, in {}", outcome(cycle), duration(cycle.duration_ms)));
    if let Some(dataset) = &cycle.dataset {
        out.push_str(&format!(
            "; dataset {} ({})",
            code(&dataset.label, At::Line),
            code(&dataset.id, At::Line)
        ));
    }
    out.push_str(&format!(".\nTraces: {}.\n", tally(cycle)));
    out.push_str("\n| | Step | What | Id | Time |\n| :-: | --- | --- | --- | --- |\n");
    let steps = cycle.steps.iter().map(|step| {
        format!(
            "| {} | {} | {} | {} | {} |\n",
            symbol(step.state),
            prose(&step.name, At::Cell),
            prose(&step.detail, At::Cell),
            step.id
                .as_deref()
                .map(|id| code(id, At::Cell))
                .unwrap_or_default(),
            if step.state == StepState::Skipped {
                String::new()
            } else {
                duration(step.duration_ms)
            },
        )
    });
    let shown = rows(steps, ROWS, bytes / 8);
    out.push_str(&shown.text);
    out.push_str(&shown.rest("steps"));
    out.push_str(&writes(
        "Writes whose effect is not known",
        &cycle.unknown,
        bytes / 8,
    ));
    out.push_str(&writes(
        "Calls that failed, surely without effect",
        &cycle.failed,
        bytes / 8,
    ));
    out.push_str(&leaks(cycle, bytes / 8));
    out.push_str(&unfinished(cycle, bytes / 8));
    out.push_str(&planned(cycle, &view.planned, bytes / 4));
    out
}

fn outcome(cycle: &Record) -> String {
    let mut out = if interrupted(cycle) {
        "interrupted".to_owned()
    } else {
        word(&cycle.outcome)
    };
    if let Some(first) = out.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    out = format!("**{out}**");
    if let Some(job) = &cycle.job_id {
        out.push_str(&format!(": job {}", code(job, At::Line)));
        if let Some(name) = &cycle.job_name {
            out.push_str(&format!(", {}", code(name, At::Line)));
        }
        // Of a job that an earlier attempt launched it is not known.
        if cycle.experiments > 0 {
            out.push_str(&format!(
                ", with {}",
                plural(cycle.experiments.into(), "experiment", "experiments")
            ));
        }
    }
    out
}

fn symbol(state: StepState) -> &'static str {
    match state {
        StepState::Done => "✅",
        StepState::Skipped => "➖",
        StepState::Failed => "❌",
        StepState::Unknown => "❓",
    }
}

fn writes(title: &str, writes: &[FailedWrite], bytes: usize) -> String {
    if writes.is_empty() {
        return String::new();
    }
    let mut out = format!("\n**{title}**\n\n| Call | About | How | Requests | What came back |\n");
    out.push_str("| --- | --- | --- | --- | --- |\n");
    let shown = rows(
        writes.iter().map(|write| {
            format!(
                "| {} | {} | {} | {} | {} |\n",
                prose(&write.call, At::Cell),
                prose(&write.about, At::Cell),
                prose(&write.kind, At::Cell),
                write.attempts,
                prose(&write.cause, At::Cell),
            )
        }),
        ROWS,
        bytes,
    );
    out.push_str(&shown.text);
    out.push_str(&shown.rest("calls"));
    out
}

fn leaks(cycle: &Record, bytes: usize) -> String {
    if cycle.leaks.is_empty() {
        return String::new();
    }
    let mut out = String::from("\n**Holdout prompts among the project's traces**\n\n");
    let shown = rows(
        cycle.leaks.iter().map(|leak| {
            let row = if leak.added_to_dataset {
                "a row of a dataset"
            } else {
                "not a row of a dataset"
            };
            format!(
                "- {}: trace {}, {row}\n",
                code(&leak.case, At::Line),
                code(&leak.trace_id, At::Line)
            )
        }),
        ROWS,
        bytes,
    );
    out.push_str(&shown.text);
    out.push_str(&shown.rest("leaks"));
    out
}

/// Traces that are no rows of the dataset.
fn unfinished(cycle: &Record, bytes: usize) -> String {
    let open = open_traces(cycle);
    if open.is_empty() {
        return String::new();
    }
    let mut out =
        String::from("\n**Traces that are not rows of the dataset**\n\n| Case | Answer | Trace | State |\n");
    out.push_str("| --- | --- | --- | --- |\n");
    let shown = rows(
        open.iter().map(|trace| {
            format!(
                "| {} | {} | {} | {} |\n",
                code(&trace.case, At::Cell),
                trace.sample.saturating_add(1),
                trace
                    .trace_id
                    .as_deref()
                    .map(|id| code(id, At::Cell))
                    .unwrap_or_default(),
                word(&trace.state),
            )
        }),
        ROWS,
        bytes,
    );
    out.push_str(&shown.text);
    out.push_str(&shown.rest("traces"));
    out
}

fn planned(cycle: &Record, calls: &[(&str, u64)], bytes: usize) -> String {
    if cycle.planned.is_empty() {
        return String::new();
    }
    let mut out = String::from("\n**What would have been written**\n\n| Call | Times |\n| --- | --- |\n");
    let shown = rows(
        calls
            .iter()
            .map(|(call, n)| format!("| {} | {} |\n", prose(call, At::Cell), count(*n))),
        ROWS,
        bytes / 4,
    );
    out.push_str(&shown.text);
    let bodies = cycle.planned.iter().enumerate().map(|(at, write)| {
        let body = serde_json::to_string_pretty(&write.body).unwrap_or_default();
        let title = format!("{}. {}", at + 1, summary(&write.call));
        format!("\n{}", folded(&title, &fenced(&body, PLANNED_CHARS)))
    });
    let shown = rows(bodies, PLANNED, bytes.saturating_sub(out.len()));
    let inside = format!("{}{}", shown.text.trim_start(), shown.rest("writes"));
    out.push_str(&format!("\n{}", folded("Each of them, in order", &inside)));
    out
}
