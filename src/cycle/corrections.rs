//! The step that waits until the service has corrected the weak rows. A snapshot before that would miss exactly the
//! rows the cycle exists for.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::Instant;

use super::Event;
use super::halt::Halt;
use super::journal::Fact;
use super::record::{StepState, TraceState};
use super::run::Cycle;
use super::write::sleep;
use crate::studio::{Failure, FailureKind, Processing, Studio, Trace};

const SETTLE: &str = "corrections";

/// A trace with a status that this version does not know is looked at so many times in a row.
const LOOKS_AT_A_WORD: u32 = 3;

/// The pause between these looks.
const AFTER_A_WORD: Duration = Duration::from_millis(100);

/// A queued trace that is neither a row nor worked on counts as not corrected after this time…
const IDLE_PATIENCE: Duration = Duration::from_secs(60);

/// … and this many looks in a row.
const IDLE_LOOKS: u32 = 3;

/// A queued trace that was a row at the first look, with nothing going on, counts as corrected after this
/// time…
const CALM_PATIENCE: Duration = Duration::from_secs(1);

/// … and this many looks in a row.
const CALM_LOOKS: u32 = 2;

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
            if let Ok(Trace {
                processing: Processing::Unknown(word),
                ..
            }) = &seen
            {
                let times = cycle.strange.take().map_or(0, |(_, times)| times);
                cycle.strange = Some((word.clone(), times + 1));
            }
            let state = match seen {
                Ok(trace) => {
                    let stands = (&trace.processing, trace.added_to_dataset);
                    progress(stands, &mut watched, started.elapsed(), calm)
                }
                // Somebody deleted it, or it does not show yet: nothing of its correction is to be seen.
                Err(failure) if failure.status == Some(404) && watched.queued => {
                    let nothing = (&Processing::None, false);
                    progress(nothing, &mut watched, started.elapsed(), calm)
                }
                // It can't be looked at, and the service has said that it is a row.
                Err(failure) if failure.kind == FailureKind::Rejected && !watched.queued => before,
                Err(failure) => {
                    halt = halt.or_else(|| Halt::of(&failure));
                    TraceState::Processing
                }
            };
            cycle.record.written[watched.place].state = state;
            if state != before
                && let Err(halted) = note(cycle, watched.place, state)
            {
                halt = halt.or(Some(halted));
            }
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
            break Err(Halt::interrupted());
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

fn note(cycle: &Cycle<'_>, place: usize, state: TraceState) -> Result<(), Halt> {
    let record = &cycle.record.written[place];
    cycle.journal.note(&Fact::Stands {
        case: record.case.clone(),
        sample: record.sample,
        state,
    })?;
    Ok(())
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
            let mut seen = studio.trace(&watched.id).await;
            for _ in 1..LOOKS_AT_A_WORD {
                // A garbled look is taken again; what the service truly says it says again.
                let Ok(Trace {
                    processing: Processing::Unknown(_),
                    ..
                }) = &seen
                else {
                    break;
                };
                sleep(studio, AFTER_A_WORD).await;
                seen = studio.trace(&watched.id).await;
            }
            (watched, seen)
        })
        .buffered(concurrency)
        .collect()
        .await
}

/// Where a trace stands now: what the service does with it, and whether it is a row.
fn progress(
    seen: (&Processing, bool),
    watched: &mut Watched,
    waited: Duration,
    calm: Duration,
) -> TraceState {
    match seen {
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
