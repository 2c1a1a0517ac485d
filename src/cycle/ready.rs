//! Where the traces stand → whether a snapshot may be taken now, or what is left to do.

use super::halt::Halt;
use super::record::{FailedWrite, Record};
use super::run::{Cycle, human};
use crate::studio::Dataset;

/// Nothing in doubt, nothing under way, and something to train on.
pub(super) fn to_train(cycle: &mut Cycle<'_>, dataset: &Dataset) -> Result<(), Halt> {
    is_known(cycle)?;
    cycle.record.count();
    let counts = cycle.record.traces;
    let strange = match &cycle.strange {
        Some((word, times)) => {
            let times = match times {
                1 => "after 1 attempt".to_owned(),
                n => format!("{n} times in as many attempts"),
            };
            format!(" (read trace: {times} a processing status came that this version does not know: {word})")
        }
        None => String::new(),
    };
    if counts.unsettled > 0 {
        cycle.skip("snapshot", "corrections are still being written");
        return Err(Halt::stopped(format!(
            "{} of this run's traces are still being corrected after {}{strange}; a snapshot now would miss them: \
             raise `cycle.settle_timeout`, or let the same command go on later",
            counts.unsettled,
            human(cycle.settings.cycle.settle_timeout),
        )));
    }
    if counts.failed > counts.planned / 2 {
        cycle.skip("snapshot", "most of the traces are missing");
        let cause = cycle
            .record
            .failed
            .first()
            .map_or(String::new(), |f| format!(": {}", f.cause));
        return Err(Halt::stopped(format!(
            "{} of {} traces could not be written or added{cause}; mend that, and the same command goes on from here",
            counts.failed, counts.planned
        )));
    }
    if counts.rows > 0 || (counts.already > 0 && has_new_rows(dataset)) {
        return Ok(());
    }
    cycle.skip("snapshot", "no row was added");
    if counts.failed + counts.correction_failed > 0 {
        let cause = cycle
            .record
            .failed
            .first()
            .map_or(String::new(), |f| format!(": {}", f.cause));
        return Err(Halt::stopped(format!(
            "none of this run's traces became a row of the dataset{cause}"
        )));
    }
    Err(Halt::held(match (counts.already, counts.cached) {
        (0, 0) => "nothing to train on: no scored answer that is not held out",
        (0, _) => {
            "nothing new to train on: answers from the cache are another day's and are never written again; leave \
             --cache out, or give --cache-refresh, to have today's"
        }
        _ => "nothing new to train on: every answer is in the dataset already",
    }))
}

/// Nothing in doubt. Whatever the gates say, such a write is asked for again by the same command.
pub(super) fn is_known(cycle: &mut Cycle<'_>) -> Result<(), Halt> {
    if cycle.record.unknown.is_empty() {
        return Ok(());
    }
    cycle.skip("snapshot", "a write's effect is not known");
    Err(Halt::stopped(unknown_reason(&cycle.record.unknown)))
}

/// Whether the dataset has rows that none of its snapshots has.
fn has_new_rows(dataset: &Dataset) -> bool {
    let held = dataset.snapshots.iter().filter_map(|s| s.rows).max();
    match (dataset.datapoints, held) {
        (Some(rows), held) => rows > held.unwrap_or_default(),
        (None, _) => dataset.snapshots.is_empty(),
    }
}

fn unknown_reason(unknown: &[FailedWrite]) -> String {
    let named: Vec<String> = unknown
        .iter()
        .take(3)
        .map(|w| format!("{} ({})", w.call, w.about))
        .collect();
    let more = if unknown.len() > 3 {
        format!(" and {} more", unknown.len() - 3)
    } else {
        String::new()
    };
    format!(
        "it is not known whether the service has done {}{more}, and it could not be asked: the same command asks \
         again; once you have looked at the project and it is not there, give --assume-not-done",
        named.join(", ")
    )
}

/// What an interrupted cycle leaves to do.
pub(super) fn left(record: &Record) -> String {
    let counts = record.traces;
    let mut left = Vec::new();
    let traces = counts.planned - counts.already.min(counts.planned) - counts.written.min(counts.planned);
    for (n, what) in [
        (traces, "traces to be written"),
        (
            counts
                .written
                .saturating_sub(counts.rows + counts.unsettled + counts.correction_failed),
            "traces to be added",
        ),
        (counts.unsettled, "corrections to be waited for"),
        (counts.unknown, "writes to be asked for"),
    ] {
        if n > 0 {
            left.push(format!("{n} {what}"));
        }
    }
    if record.snapshot_id.is_none() {
        left.push("no snapshot yet".to_owned());
    }
    format!("left: {}; the same command goes on from here", left.join(", "))
}
