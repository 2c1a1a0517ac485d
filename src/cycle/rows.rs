//! The step that makes rows of traces: written traces come in, each is added to the dataset once.

use futures_util::StreamExt;
use futures_util::stream;

use super::Event;
use super::halt::Halt;
use super::journal::{Doubt, Standing, TraceHistory, Write};
use super::record::{FailedWrite, StepState, TraceState};
use super::run::Cycle;
use super::traces::unreadable;
use super::write::{Due, Kind, Unwritten, carry_out};
use crate::studio::{Added, Failure, FailureKind, Processing, Studio, Trace};

const ADD: &str = "rows";
/// Traces that are asked about at the same time.
const ASKED_AT_ONCE: usize = 8;

/// A trace to be added: its place in `record.written`, its case and sample, its id.
struct Row {
    place: usize,
    case: String,
    sample: u32,
    id: String,
}

/// Adds every written trace to the dataset.
pub(super) async fn add(cycle: &mut Cycle<'_>) -> Result<(), Halt> {
    let pending = open_rows(cycle);
    if pending.is_empty() {
        return Ok(());
    }
    let began = cycle.begin(ADD, Some(pending.len()));
    let (mut rows, mut queued, mut failed) = (0, 0, 0);
    let kind = Rows { studio: cycle.studio };
    let end = carry_out(cycle.desk(), &kind, pending, |row, result| {
        let state = take(cycle, &row, result);
        match state {
            TraceState::Row => rows += 1,
            TraceState::Processing => queued += 1,
            _ => failed += 1,
        }
    })
    .await;
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
    end
}

/// The traces that are written and not known to be added.
fn open_rows(cycle: &Cycle<'_>) -> Vec<Due<Row>> {
    let written = cycle.record.written.iter().enumerate();
    written
        .filter(|(_, t)| {
            matches!(
                t.state,
                TraceState::Written | TraceState::Failed | TraceState::Unknown
            )
        })
        .filter_map(|(place, t)| {
            let history = cycle.history.traces.get(&(t.case.clone(), t.sample));
            let doubt = match history {
                Some(TraceHistory {
                    row: Standing::InDoubt(doubt),
                    ..
                }) => Some(doubt.clone()),
                // Written before this process: whether it was added too is asked, in case the journal lost its end.
                Some(TraceHistory {
                    trace: Standing::Done(_),
                    ..
                }) => Some(Doubt::of_old()),
                _ => None,
            };
            let row = Row {
                place,
                case: t.case.clone(),
                sample: t.sample,
                id: t.trace_id.clone()?,
            };
            Some(Due { item: row, doubt })
        })
        .collect()
}

/// Notes what became of an addition.
fn take(cycle: &mut Cycle<'_>, row: &Row, result: Result<Added, Unwritten>) -> TraceState {
    let state = match result {
        Ok(Added::Row { .. }) => TraceState::Row,
        Ok(Added::Queued | Added::Unsaid) => TraceState::Processing,
        Ok(Added::Refused { reason }) => {
            cycle.record.failed.push(refused(&row.case, reason));
            TraceState::Failed
        }
        Err(unwritten) if unwritten.unsent() => TraceState::Written,
        Err(unwritten) => {
            cycle.note(&row.case, &unwritten);
            match unwritten {
                Unwritten::NotDone(_) => TraceState::Failed,
                Unwritten::Unknown(_) => TraceState::Unknown,
            }
        }
    };
    cycle.record.written[row.place].state = state;
    cycle.emit(Event::Advanced { step: ADD, state });
    state
}

/// The additions, and how the service is asked for one: the trace itself tells.
struct Rows<'a> {
    studio: &'a Studio,
}

impl Rows<'_> {
    async fn ask_one(&self, id: &str) -> Result<Option<Added>, Failure> {
        match self.studio.trace(id).await {
            Ok(trace) => taken(&trace),
            // A list that lags, or a trace that somebody deleted. Either way it is no row that can be seen.
            Err(failure) if failure.status == Some(404) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

impl Kind for Rows<'_> {
    type Item = Row;
    type Made = Added;
    const CALL: &'static str = "add to dataset";

    fn write(&self, row: &Row) -> Write {
        Write::Row {
            case: row.case.clone(),
            sample: row.sample,
        }
    }

    fn made(added: &Added) -> String {
        let word = match added {
            Added::Row { .. } => "row",
            Added::Queued | Added::Unsaid => "queued",
            Added::Refused { .. } => "refused",
        };
        word.to_owned()
    }

    async fn send(&self, rows: &[&Row]) -> Vec<Result<Added, Failure>> {
        let mut results = Vec::with_capacity(rows.len());
        for row in rows {
            let mut added = self.studio.add_to_dataset(&row.id).await;
            // An answer that does not say what became of it: the trace does.
            if added == Ok(Added::Unsaid) {
                added = Ok(self
                    .ask_one(&row.id)
                    .await
                    .ok()
                    .flatten()
                    .unwrap_or(Added::Queued));
            }
            // A refusal may be because it is one already: an earlier process may have added it, whose journal lost that.
            let refused = match &added {
                Ok(Added::Refused { .. }) => true,
                Err(failure) => failure.kind == FailureKind::Rejected,
                Ok(_) => false,
            };
            if refused && let Ok(Some(there)) = self.ask_one(&row.id).await {
                added = Ok(there);
            }
            results.push(added);
        }
        results
    }

    async fn ask(&self, rows: &[&Row]) -> Vec<Result<Option<Added>, Failure>> {
        stream::iter(rows)
            .map(|row| self.ask_one(&row.id))
            .buffered(ASKED_AT_ONCE)
            .collect()
            .await
    }
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

/// What the trace itself says of having been added; `None`: nothing has happened to it.
///
/// # Errors
/// When it says so in a word that this version does not know: that is neither a yes nor a no.
fn taken(trace: &Trace) -> Result<Option<Added>, Failure> {
    Ok(match (&trace.processing, trace.added_to_dataset) {
        (Processing::None, false) => None,
        (Processing::None, true) => Some(Added::Row { datapoint: None }),
        (Processing::Unknown(word), false) => {
            let message = format!("a processing status that this version does not know: {word}");
            return Err(unreadable("read trace", message));
        }
        (Processing::Processing | Processing::Unknown(_), _) => Some(Added::Queued),
        // Taken and failed at: the wait for corrections sees it and counts it.
        (Processing::Failed, _) => Some(Added::Queued),
    })
}

#[cfg(test)]
mod tests;
