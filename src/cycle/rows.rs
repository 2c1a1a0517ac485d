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
use crate::studio::{Added, Failure, Processing, Studio, Trace};

const ADD: &str = "rows";
const SETTLE: &str = "corrections";

/// A queued trace that is neither a row nor worked on counts as not corrected after this time…
const IDLE_PATIENCE: Duration = Duration::from_secs(60);

/// … and this many looks in a row.
const IDLE_LOOKS: u32 = 3;

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
            Err(unwritten) => {
                cycle.note(&about, &unwritten);
                halt = halt.or_else(|| cycle.stop_on(unwritten.failure()));
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

/// Waits until none of this run's traces is being corrected, or the suite's patience ends.
pub(super) async fn settle(cycle: &mut Cycle<'_>) -> Result<(), Halt> {
    let mut waiting: Vec<(usize, String, u32)> = cycle
        .record
        .written
        .iter()
        .enumerate()
        .filter(|(_, t)| t.state == TraceState::Processing)
        .filter_map(|(place, t)| Some((place, t.trace_id.clone()?, 0)))
        .collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let began = cycle.begin(SETTLE, Some(waiting.len()));
    let started = Instant::now();
    let patience = cycle.settings.cycle.settle_timeout;
    let end = loop {
        let looked = look(
            cycle.studio,
            std::mem::take(&mut waiting),
            cycle.settings.concurrency,
        )
        .await;
        let mut halt = None;
        for (place, id, idle, seen) in looked {
            let (state, idle) = match seen {
                Ok(trace) => progress(&trace, idle, started.elapsed()),
                Err(failure) => {
                    halt = halt.or_else(|| cycle.stop_on(&failure));
                    (TraceState::Processing, idle)
                }
            };
            cycle.record.written[place].state = state;
            if state == TraceState::Processing {
                waiting.push((place, id, idle));
            } else {
                cycle.emit(Event::Advanced { step: SETTLE, state });
            }
        }
        if let Some(halt) = halt {
            break Err(halt);
        }
        if waiting.is_empty() || started.elapsed() >= patience {
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

type Seen = (usize, String, u32, Result<Trace, Failure>);

async fn look(studio: &Studio, waiting: Vec<(usize, String, u32)>, concurrency: usize) -> Vec<Seen> {
    stream::iter(waiting)
        .map(|(place, id, idle)| async move {
            let seen = studio.trace(&id).await;
            (place, id, idle, seen)
        })
        .buffered(concurrency)
        .collect()
        .await
}

/// Where a trace stands that was queued, and how often it was seen idle in a row.
fn progress(trace: &Trace, idle: u32, waited: Duration) -> (TraceState, u32) {
    match (&trace.processing, trace.added_to_dataset) {
        (Processing::Failed, _) => (TraceState::CorrectionFailed, 0),
        (Processing::None, true) => (TraceState::Corrected, 0),
        // Not begun yet, or given up without a word: looked at again a few times.
        (Processing::None, false) if idle + 1 >= IDLE_LOOKS && waited >= IDLE_PATIENCE => {
            (TraceState::CorrectionFailed, 0)
        }
        (Processing::None, false) => (TraceState::Processing, idle + 1),
        (Processing::Processing | Processing::Unknown(_), _) => (TraceState::Processing, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(processing: Processing, added_to_dataset: bool) -> Trace {
        Trace {
            id: "t".into(),
            created_at: None,
            model_id: None,
            input: "i".into(),
            output: "o".into(),
            score: Some(0.2),
            added_to_dataset,
            processing,
        }
    }

    #[test]
    fn a_trace_is_settled_only_when_it_is_a_row_or_has_failed() {
        assert_eq!(
            progress(&trace(Processing::Processing, true), 0, IDLE_PATIENCE).0,
            TraceState::Processing
        );
        assert_eq!(
            progress(
                &trace(Processing::Unknown("later".into()), true),
                0,
                IDLE_PATIENCE
            )
            .0,
            TraceState::Processing
        );
        assert_eq!(
            progress(&trace(Processing::None, true), 0, IDLE_PATIENCE).0,
            TraceState::Corrected
        );
        assert_eq!(
            progress(&trace(Processing::Failed, false), 0, IDLE_PATIENCE).0,
            TraceState::CorrectionFailed
        );
    }

    #[test]
    fn an_idle_trace_is_looked_at_again_before_it_counts_as_not_corrected() {
        let mut idle = 0;
        for _ in 1..IDLE_LOOKS {
            let (state, next) = progress(&trace(Processing::None, false), idle, IDLE_PATIENCE);
            assert_eq!(state, TraceState::Processing);
            idle = next;
        }
        assert_eq!(
            progress(&trace(Processing::None, false), idle, Duration::ZERO).0,
            TraceState::Processing
        );
        assert_eq!(
            progress(&trace(Processing::None, false), idle, IDLE_PATIENCE).0,
            TraceState::CorrectionFailed
        );
    }

    #[test]
    fn a_trace_that_nothing_happened_to_was_not_added() {
        assert_eq!(taken(&trace(Processing::None, false)), None);
        assert_eq!(taken(&trace(Processing::Processing, false)), Some(Added::Queued));
        assert_eq!(
            taken(&trace(Processing::None, true)),
            Some(Added::Row { datapoint: None })
        );
    }
}
