//! The step that writes traces: in the form the service speaks, with bounded concurrency, each once.

use std::collections::HashSet;

use futures_util::StreamExt;
use futures_util::stream;

use super::plan::{Planned, unwritten};
use super::record::{StepState, TraceState};
use super::run::{Cycle, Halt};
use super::write::{Unwritten, pauses, sleep};
use super::{Event, leak};
use crate::studio::{Effect, Failure, NewTrace, Studio, TRACES_PER_WRITE, TraceForm};

const STEP: &str = "traces";

/// Traces that may be refused in every form before the service counts as taking none.
const REFUSED_IN_EVERY_FORM: usize = 3;

/// Pages that are read to find a trace that may or may not have been written.
const ASK_PAGES: u32 = 50;

/// A trace of the plan that is still to be written: its place in `record.written`, and the trace.
type Pending<'a> = (usize, &'a Planned);

/// Writes what the plan holds and the record does not.
pub(super) async fn write(cycle: &mut Cycle<'_>, planned: &[Planned]) -> Result<(), Halt> {
    let mut pending = open_records(cycle, planned);
    if pending.is_empty() {
        let why = if planned.is_empty() {
            "no scored answer that is not held out"
        } else {
            "all written before"
        };
        cycle.skip(STEP, why);
        return Ok(());
    }
    let began = cycle.begin(STEP, Some(pending.len()));
    // What stands there before the first write: all that comes above it later is new.
    let before = newest(cycle.studio, &cycle.settings.project).await;
    let written = match probe(cycle, &mut pending, &before).await {
        Ok(()) => rest(cycle, pending, &before).await,
        halt => halt,
    };
    let form = cycle.studio.trace_form();
    cycle.record.trace_form = form.map(|f| f.as_str().to_owned());
    cycle.record.count();
    let counts = cycle.record.traces;
    let mut detail = format!("{} of {} written", counts.written, counts.planned);
    if let Some(form) = form {
        detail.push_str(&format!(", form “{}”", form.as_str()));
    }
    for (n, what) in [(counts.failed, "failed"), (counts.unknown, "unknown")] {
        if n > 0 {
            detail.push_str(&format!(", {n} {what}"));
        }
    }
    let state = match (&written, counts.unknown, counts.written) {
        (_, 1.., _) => StepState::Unknown,
        (Err(_), ..) | (.., 0) => StepState::Failed,
        _ => StepState::Done,
    };
    cycle.end(began, state, None, detail);
    written
}

/// Gives every planned trace a place in the record and lists those that are neither written nor in doubt.
fn open_records<'p>(cycle: &mut Cycle<'_>, planned: &'p [Planned]) -> Vec<Pending<'p>> {
    let mut places: std::collections::HashMap<(String, u32), usize> = cycle
        .record
        .written
        .iter()
        .enumerate()
        .map(|(place, t)| ((t.case.clone(), t.sample), place))
        .collect();
    let mut pending = Vec::new();
    for p in planned {
        let place = *places.entry((p.case.clone(), p.sample)).or_insert_with(|| {
            cycle.record.written.push(unwritten(p));
            cycle.record.written.len() - 1
        });
        let record = &cycle.record.written[place];
        if record.trace_id.is_none() && record.state != TraceState::Unknown {
            pending.push((place, p));
        }
    }
    pending
}

/// Writes one trace after the other until the service's form is known.
async fn probe(cycle: &mut Cycle<'_>, pending: &mut Vec<Pending<'_>>, before: &Before) -> Result<(), Halt> {
    let mut refused = 0;
    while cycle.studio.trace_form().is_none() && !pending.is_empty() {
        let first = vec![pending.remove(0)];
        let outcome = send(
            cycle.studio,
            &cycle.settings.project,
            &cycle.settings.model,
            first,
            before,
        )
        .await;
        let failed = outcome
            .iter()
            .any(|(_, r)| matches!(r, Err(Unwritten::NotDone(_))));
        take(cycle, outcome)?;
        if failed && cycle.studio.trace_form().is_none() {
            refused += 1;
        }
        if refused == REFUSED_IN_EVERY_FORM {
            let cause = cycle
                .record
                .failed
                .last()
                .map_or_else(String::new, |f| format!(": {}", f.cause));
            return Err(Halt::stopped(format!(
                "the service took none of {REFUSED_IN_EVERY_FORM} traces in any known form{cause}"
            )));
        }
    }
    Ok(())
}

async fn rest(cycle: &mut Cycle<'_>, pending: Vec<Pending<'_>>, before: &Before) -> Result<(), Halt> {
    let size = match cycle.studio.trace_form() {
        Some(TraceForm::Array | TraceForm::Results) => TRACES_PER_WRITE,
        Some(TraceForm::Walkthrough | TraceForm::Object) | None => 1,
    };
    let (studio, settings) = (cycle.studio, cycle.settings);
    let chunks: Vec<Vec<Pending<'_>>> = pending.chunks(size).map(<[Pending<'_>]>::to_vec).collect();
    let mut outcomes = stream::iter(chunks)
        .map(|chunk| send(studio, &settings.project, &settings.model, chunk, before))
        .buffer_unordered(settings.concurrency);
    while let Some(outcome) = outcomes.next().await {
        take(cycle, outcome)?;
    }
    Ok(())
}

/// Notes what became of some traces.
fn take(cycle: &mut Cycle<'_>, outcome: Vec<(usize, Result<String, Unwritten>)>) -> Result<(), Halt> {
    let mut halt = None;
    for (place, result) in outcome {
        let state = match result {
            Ok(id) => {
                cycle.record.written[place].trace_id = Some(id);
                TraceState::Written
            }
            Err(unwritten) => {
                let about = cycle.record.written[place].case.clone();
                cycle.note(&about, &unwritten);
                halt = halt.or_else(|| cycle.stop_on(unwritten.failure()));
                match unwritten {
                    Unwritten::NotDone(_) => TraceState::Failed,
                    Unwritten::Unknown(_) => TraceState::Unknown,
                }
            }
        };
        cycle.record.written[place].state = state;
        cycle.emit(Event::Advanced { step: STEP, state });
    }
    halt.map_or(Ok(()), Err)
}

/// Writes some traces; those that met a server error are looked for before they are sent again.
async fn send(
    studio: &Studio,
    project: &str,
    model: &str,
    mut chunk: Vec<Pending<'_>>,
    before: &Before,
) -> Vec<(usize, Result<String, Unwritten>)> {
    let mut outcome = Vec::with_capacity(chunk.len());
    let mut pauses = pauses();
    let mut sent = 0;
    loop {
        let traces: Vec<NewTrace> = chunk.iter().map(|(_, p)| p.trace.clone()).collect();
        let results = studio.create_traces(project, model, &traces).await;
        let mut askable: Vec<(Pending<'_>, Failure)> = Vec::new();
        for (pending, result) in chunk.into_iter().zip(results) {
            match result {
                Err(failure) if failure.effect() == Effect::Askable => askable.push((pending, failure)),
                result => outcome.push((pending.0, result.map_err(Unwritten::of))),
            }
        }
        let Some((_, failure)) = askable.first() else {
            return outcome;
        };
        sent += failure.attempts;
        for (_, failure) in &mut askable {
            failure.attempts = sent;
        }
        let pause = pauses.next();
        sleep(studio, pause.unwrap_or_default()).await;
        let wanted: Vec<&NewTrace> = askable.iter().map(|((_, p), _)| &p.trace).collect();
        let Ok(found) = find(studio, project, &wanted, before).await else {
            outcome.extend(
                askable
                    .into_iter()
                    .map(|((place, _), f)| (place, Err(Unwritten::Unknown(f)))),
            );
            return outcome;
        };
        chunk = Vec::new();
        for ((pending, failure), id) in askable.into_iter().zip(found) {
            match id {
                Some(id) => outcome.push((pending.0, Ok(id))),
                None if pause.is_none() => outcome.push((pending.0, Err(Unwritten::NotDone(failure)))),
                None => chunk.push(pending),
            }
        }
        if chunk.is_empty() {
            return outcome;
        }
    }
}

/// The ids on the newest page of the project's traces before this run's first write.
type Before = Result<HashSet<String>, Failure>;

async fn newest(studio: &Studio, project: &str) -> Before {
    let page = studio.traces(project, None, 1).await?;
    Ok(page.traces.into_iter().map(|t| t.id).collect())
}

/// The ids of traces that were written since `before`, by input and output; `None` where there is none.
///
/// # Errors
/// When the service can't be asked, or was written to so much meanwhile that the question has no end.
async fn find(
    studio: &Studio,
    project: &str,
    wanted: &[&NewTrace],
    before: &Before,
) -> Result<Vec<Option<String>>, Failure> {
    let before = before.as_ref().map_err(Clone::clone)?;
    let mut found: Vec<Option<String>> = vec![None; wanted.len()];
    let mut taken: HashSet<String> = HashSet::new();
    for page in 1..=ASK_PAGES {
        let listed = studio.traces(project, None, page).await?;
        let last = listed.traces.is_empty();
        for trace in listed.traces {
            if before.contains(&trace.id) {
                return Ok(found);
            }
            let hit = wanted.iter().zip(&mut found).find(|(w, found)| {
                found.is_none()
                    && leak::same_text(&w.input, &trace.input)
                    && leak::same_text(&w.output, &trace.output)
            });
            if let Some((_, place)) = hit
                && taken.insert(trace.id.clone())
            {
                *place = Some(trace.id);
            }
        }
        if last || found.iter().all(Option::is_some) {
            return Ok(found);
        }
    }
    Err(Failure {
        call: "list traces",
        kind: crate::studio::FailureKind::Unreadable,
        status: None,
        attempts: ASK_PAGES,
        message: format!("more than {ASK_PAGES} pages of new traces"),
    })
}
