//! The steps that make rows of traces: adding them to the dataset, and waiting until the service has
//! corrected the weak ones. A snapshot before that would miss exactly the rows the cycle exists for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::Instant;

use super::Event;
use super::record::{FailedWrite, StepState, TraceState};
use super::run::{Cycle, Halt};
use super::write::{Unwritten, sleep, write};
use crate::studio::{Added, Failure, FailureKind, Processing, Studio, Trace};

const ADD: &str = "rows";
const SETTLE: &str = "corrections";

/// A queued trace that is neither a row nor worked on counts as not corrected after this time…
const IDLE_PATIENCE: Duration = Duration::from_secs(60);

/// … and this many looks in a row.
const IDLE_LOOKS: u32 = 3;

/// A queued trace that was a row at the first look, with nothing going on, counts as corrected after this
/// time…
const CALM_PATIENCE: Duration = Duration::from_secs(1);

/// … and this many looks in a row.
const CALM_LOOKS: u32 = 2;

/// Adds every written trace to the dataset.
pub(super) async fn add(cycle: &mut Cycle<'_>) -> Result<(), Halt> {
    let pending: Vec<(usize, String)> = cycle
        .record
        .written
        .iter()
        .enumerate()
        .filter(|(_, t)| matches!(t.state, TraceState::Written | TraceState::Failed))
        .filter_map(|(place, t)| Some((place, t.trace_id.clone()?)))
        .collect();
    if pending.is_empty() {
        return Ok(());
    }
    let began = cycle.begin(ADD, Some(pending.len()));
    let studio = cycle.studio;
    let halted = AtomicBool::new(false);
    let stop = &halted;
    let mut outcomes = stream::iter(pending)
        .map(|(place, id)| async move {
            // What is in flight is always waited for; what has not begun is left.
            if stop.load(Ordering::Relaxed) {
                None
            } else {
                Some((place, add_one(studio, &id).await))
            }
        })
        .buffer_unordered(cycle.settings.concurrency);
    let mut halt = None;
    let (mut rows, mut queued, mut failed) = (0, 0, 0);
    while let Some(outcome) = outcomes.next().await {
        let Some((place, outcome)) = outcome else { continue };
        let about = cycle.record.written[place].case.clone();
        let state = match outcome {
            Ok(Added::Row { .. }) => TraceState::Row,
            Ok(Added::Queued | Added::Unsaid) => TraceState::Processing,
            Ok(Added::Refused { reason }) => {
                cycle.record.failed.push(refused(&about, reason));
                TraceState::Failed
            }
            Err(unwritten) if unwritten.unsent() => {
                halt = halt.or_else(|| Halt::of(unwritten.failure()));
                TraceState::Written
            }
            Err(unwritten) => {
                cycle.note(&about, &unwritten);
                halt = halt.or_else(|| Halt::of(unwritten.failure()));
                match unwritten {
                    Unwritten::NotDone(_) => TraceState::Failed,
                    Unwritten::Unknown(_) => TraceState::Unknown,
                }
            }
        };
        match state {
            TraceState::Row => rows += 1,
            TraceState::Processing => queued += 1,
            _ => failed += 1,
        }
        cycle.record.written[place].state = state;
        cycle.emit(Event::Advanced { step: ADD, state });
        halted.fetch_or(halt.is_some(), Ordering::Relaxed);
    }
    let mut detail = format!("{rows} added, {queued} to be corrected first");
    if failed > 0 {
        detail.push_str(&format!(", {failed} not added"));
    }
    let state = if rows + queued == 0 {
        StepState::Failed
    } else {
        StepState::Done
    };
    cycle.end(began, state, None, detail);
    halt.map_or(Ok(()), Err)
}

fn refused(about: &str, reason: String) -> FailedWrite {
    FailedWrite {
        call: "add trace to dataset".to_owned(),
        about: about.to_owned(),
        kind: "refused".to_owned(),
        attempts: 1,
        cause: reason,
    }
}

/// Adds one trace. Where the answer does not say what became of it, the trace is asked.
async fn add_one(studio: &Studio, id: &str) -> Result<Added, Unwritten> {
    let ask = async || studio.trace(id).await.map(|trace| taken(&trace));
    let added = write(studio, async || studio.add_to_dataset(id).await, ask).await?;
    if added != Added::Unsaid {
        return Ok(added);
    }
    Ok(ask().await.ok().flatten().unwrap_or(Added::Queued))
}

/// What the trace itself says of having been added; `None`: nothing has happened to it.
fn taken(trace: &Trace) -> Option<Added> {
    match (&trace.processing, trace.added_to_dataset) {
        (Processing::None, false) => None,
        (Processing::None, true) => Some(Added::Row { datapoint: None }),
        (Processing::Processing | Processing::Unknown(_), _) => Some(Added::Queued),
        // Taken and failed at: the wait for corrections sees it and counts it.
        (Processing::Failed, _) => Some(Added::Queued),
    }
}

/// A row, or what is to become one, on its way to being settled.
struct Watched {
    place: usize,
    id: String,
    /// The service said that it corrects it first.
    queued: bool,
    /// It was seen before its correction was over.
    begun: bool,
    /// Looks in a row at which nothing was going on.
    idle: u32,
}

/// Waits until none of this run's traces is being corrected, or the suite's patience ends.
///
/// All of them are looked at, whatever the service answered when they were added, and once more together
/// at the end of a wait: what counts is that nothing is under way when the snapshot is taken.
pub(super) async fn settle(cycle: &mut Cycle<'_>) -> Result<(), Halt> {
    let mut waiting = watched(cycle);
    if waiting.is_empty() {
        return Ok(());
    }
    let began = cycle.begin(SETTLE, Some(waiting.len()));
    let started = Instant::now();
    let patience = cycle.settings.cycle.settle_timeout;
    let calm = CALM_PATIENCE.min(patience);
    let mut all = true;
    let end = loop {
        let looked = look(
            cycle.studio,
            std::mem::take(&mut waiting),
            cycle.settings.concurrency,
        )
        .await;
        let mut halt = None;
        for (mut watched, seen) in looked {
            let before = cycle.record.written[watched.place].state;
            let state = match seen {
                Ok(trace) => progress(&trace, &mut watched, started.elapsed(), calm),
                // It can't be looked at, and the service has said that it is a row.
                Err(failure) if failure.kind == FailureKind::Rejected && !watched.queued => before,
                Err(failure) => {
                    halt = halt.or_else(|| Halt::of(&failure));
                    TraceState::Processing
                }
            };
            cycle.record.written[watched.place].state = state;
            if state == TraceState::Processing {
                waiting.push(watched);
            } else if state != before {
                cycle.emit(Event::Advanced { step: SETTLE, state });
            }
        }
        if let Some(halt) = halt {
            break Err(halt);
        }
        if waiting.is_empty() {
            if all {
                break Ok(());
            }
            all = true;
            waiting = watched(cycle);
            continue;
        }
        all = false;
        if started.elapsed() >= patience {
            break Ok(());
        }
        cycle.emit(Event::Waiting {
            step: SETTLE,
            left: waiting.len(),
            waited: started.elapsed(),
        });
        let pause = cycle
            .settings
            .cycle
            .poll
            .min(patience.saturating_sub(started.elapsed()));
        if !sleep(cycle.studio, pause).await {
            break Err(Halt::stopped("interrupted"));
        }
    };
    cycle.record.count();
    let counts = cycle.record.traces;
    let mut detail = format!("{} corrected", counts.corrected);
    for (n, what) in [
        (counts.correction_failed, "failed"),
        (counts.unsettled, "still under way"),
    ] {
        if n > 0 {
            detail.push_str(&format!(", {n} {what}"));
        }
    }
    let state = if counts.unsettled > 0 {
        StepState::Failed
    } else {
        StepState::Done
    };
    cycle.end(began, state, None, detail);
    end
}

/// The traces of this run that are rows or are to become some.
fn watched(cycle: &Cycle<'_>) -> Vec<Watched> {
    let written = cycle.record.written.iter().enumerate();
    written
        .filter_map(|(place, t)| {
            let (queued, begun) = match t.state {
                TraceState::Processing => (true, false),
                TraceState::Row => (false, false),
                TraceState::Corrected => (true, true),
                _ => return None,
            };
            Some(Watched {
                place,
                id: t.trace_id.clone()?,
                queued,
                begun,
                idle: 0,
            })
        })
        .collect()
}

type Seen = (Watched, Result<Trace, Failure>);

async fn look(studio: &Studio, waiting: Vec<Watched>, concurrency: usize) -> Vec<Seen> {
    stream::iter(waiting)
        .map(|watched| async move {
            let seen = studio.trace(&watched.id).await;
            (watched, seen)
        })
        .buffered(concurrency)
        .collect()
        .await
}

/// Where a trace stands now.
fn progress(trace: &Trace, watched: &mut Watched, waited: Duration, calm: Duration) -> TraceState {
    match (&trace.processing, trace.added_to_dataset) {
        (Processing::Processing | Processing::Unknown(_), _) => {
            (watched.queued, watched.begun, watched.idle) = (true, true, 0);
            TraceState::Processing
        }
        (Processing::Failed, _) => TraceState::CorrectionFailed,
        (Processing::None, _) if !watched.queued => TraceState::Row,
        (Processing::None, true) if watched.begun => TraceState::Corrected,
        (Processing::None, added) => {
            watched.begun |= !added;
            watched.idle += 1;
            let (looks, patience, end) = if added {
                // A row from the start: corrected in an instant, or not begun yet.
                (CALM_LOOKS, calm, TraceState::Corrected)
            } else {
                // Not begun yet, or given up without a word.
                (IDLE_LOOKS, IDLE_PATIENCE, TraceState::CorrectionFailed)
            };
            if watched.idle >= looks && waited >= patience {
                end
            } else {
                TraceState::Processing
            }
        }
    }
}

#[cfg(test)]
mod tests;
