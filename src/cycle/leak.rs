//! The leak check: a holdout prompt that stands among the project's traces may have been trained on, and
//! its score flatters.

use std::collections::HashMap;

use super::record::{Leak, StepState};
use super::run::{Cycle, Halt};
use crate::studio::FailureKind;

const STEP: &str = "leak check";

/// Pages of traces that are read at the most.
const PAGES: u32 = 1_000;

/// Two texts that differ only in the white space around them are the same.
pub(super) fn same_text(a: &str, b: &str) -> bool {
    a.trim() == b.trim()
}

/// Looks for the holdout prompts among the project's traces. Not being able to look is told and ends nothing.
pub(super) async fn check(cycle: &mut Cycle<'_>) -> Result<(), Halt> {
    if cycle.settings.holdouts.is_empty() {
        return Ok(());
    }
    let began = cycle.begin(STEP, None);
    let mut prompts: HashMap<&str, Vec<&str>> = HashMap::new();
    for (case, prompt) in &cycle.settings.holdouts {
        prompts.entry(prompt.trim()).or_default().push(case);
    }
    let mut looked_at = 0;
    let mut all = false;
    for page in 1..=PAGES {
        let listed = match cycle.studio.traces(&cycle.settings.project, None, page).await {
            Ok(listed) => listed,
            Err(failure) => {
                cycle.end(began, StepState::Failed, None, format!("not checked: {failure}"));
                return match failure.kind {
                    FailureKind::Unauthorized | FailureKind::Cancelled => {
                        Halt::of(&failure).map_or(Ok(()), Err)
                    }
                    _ => Ok(()),
                };
            }
        };
        let last = listed.traces.is_empty();
        looked_at += listed.traces.len() as u64;
        for trace in listed.traces {
            for case in prompts.get(trace.input.trim()).into_iter().flatten() {
                cycle.record.leaks.push(Leak {
                    case: (*case).to_owned(),
                    trace_id: trace.id.clone(),
                    added_to_dataset: trace.added_to_dataset,
                });
            }
        }
        all = last || listed.total.is_some_and(|total| looked_at >= total);
        if all {
            break;
        }
    }
    cycle
        .record
        .leaks
        .sort_by(|a, b| (&a.case, &a.trace_id).cmp(&(&b.case, &b.trace_id)));
    cycle.record.leaks.dedup();
    let which = if all { "" } else { "the newest " };
    let detail = match cycle.record.leaks.len() {
        0 => format!("no holdout prompt among {which}{looked_at} traces"),
        n => format!("{n} times a holdout prompt among {which}{looked_at} traces"),
    };
    cycle.end(began, StepState::Done, None, detail);
    Ok(())
}
