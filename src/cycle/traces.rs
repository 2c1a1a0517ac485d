//! The step that writes traces: in the form the service speaks, with bounded concurrency, each once.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::stream;

use super::plan::{Planned, unwritten};
use super::record::{StepState, TraceState};
use super::run::{Cycle, Halt};
use super::write::{Unwritten, before_asking, in_doubt, pauses, sleep};
use super::{Event, leak};
use crate::studio::{Effect, Failure, FailureKind, NewTrace, Studio, TRACES_PER_WRITE, TraceForm};

const STEP: &str = "traces";

/// Pages that are read to find a trace that may or may not have been written.
const ASK_PAGES: u32 = 500;

/// A trace of the plan that is still to be written: its place in `record.written`, and the trace.
type Pending<'a> = (usize, &'a Planned);

/// Writes what the plan holds and the record does not.
pub(super) async fn write(cycle: &mut Cycle<'_>, planned: &[Planned]) -> Result<(), Halt> {
    let mut pending = VecDeque::from(open_records(cycle, planned));
    if pending.is_empty() {
        let why = if planned.is_empty() {
            "no scored answer that is not held out"
        } else {
            "nothing left to write"
        };
        cycle.skip(STEP, why);
        return Ok(());
    }
    let began = cycle.begin(STEP, Some(pending.len()));
    let (studio, settings) = (cycle.studio, cycle.settings);
    let run = Run {
        studio,
        project: &settings.project,
        model: &settings.model,
        before: newest(studio, &settings.project).await,
        ids: RefCell::new(
            cycle
                .record
                .written
                .iter()
                .filter_map(|t| t.trace_id.clone())
                .collect(),
        ),
    };
    let written = match probe(cycle, &mut pending, &run).await {
        Ok(()) => rest(cycle, pending, &run).await,
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
    let mut places: HashMap<(String, u32), usize> = cycle
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

/// Writes one trace after the other until the service's form is known. Where it is never found, `studio` soon
/// sends nothing more.
async fn probe(
    cycle: &mut Cycle<'_>,
    pending: &mut VecDeque<Pending<'_>>,
    run: &Run<'_>,
) -> Result<(), Halt> {
    while cycle.studio.trace_form().is_none()
        && let Some(first) = pending.pop_front()
    {
        let outcome = run.send(vec![first]).await;
        take(cycle, run, outcome)?;
    }
    Ok(())
}

/// Writes the rest. Traces with the words of another one come last and one write after the other: were two
/// of them under way, and one met a server error, the other would be found in its place.
async fn rest(cycle: &mut Cycle<'_>, pending: VecDeque<Pending<'_>>, run: &Run<'_>) -> Result<(), Halt> {
    let mut words = HashSet::new();
    let (first, twins): (Vec<_>, Vec<_>) = pending
        .into_iter()
        .partition(|(_, p)| words.insert((p.trace.input.trim(), p.trace.output.trim())));
    write_all(cycle, first, run).await?;
    for twin in twins {
        write_all(cycle, vec![twin], run).await?;
    }
    Ok(())
}

async fn write_all(cycle: &mut Cycle<'_>, pending: Vec<Pending<'_>>, run: &Run<'_>) -> Result<(), Halt> {
    let size = match cycle.studio.trace_form() {
        Some(TraceForm::Array | TraceForm::Results) => TRACES_PER_WRITE,
        Some(TraceForm::Walkthrough | TraceForm::Object) | None => 1,
    };
    let chunks: Vec<Vec<Pending<'_>>> = pending.chunks(size).map(<[Pending<'_>]>::to_vec).collect();
    let halted = AtomicBool::new(false);
    let mut outcomes = stream::iter(chunks)
        .map(|chunk| async {
            // What is in flight is always waited for; what has not begun is left.
            if halted.load(Ordering::Relaxed) {
                Vec::new()
            } else {
                run.send(chunk).await
            }
        })
        .buffer_unordered(cycle.settings.concurrency);
    let mut end = Ok(());
    while let Some(outcome) = outcomes.next().await {
        let taken = take(cycle, run, outcome);
        halted.fetch_or(taken.is_err(), Ordering::Relaxed);
        end = end.and(taken);
    }
    end
}

/// Notes what became of some traces.
fn take(
    cycle: &mut Cycle<'_>,
    run: &Run<'_>,
    outcome: Vec<(usize, Result<String, Unwritten>)>,
) -> Result<(), Halt> {
    let mut halt = None;
    for (place, result) in outcome {
        let result = result.and_then(|id| once(run, id));
        let state = match result {
            Ok(id) => {
                cycle.record.written[place].trace_id = Some(id);
                TraceState::Written
            }
            Err(unwritten) => {
                let about = cycle.record.written[place].case.clone();
                if !unwritten.unsent() {
                    cycle.note(&about, &unwritten);
                }
                halt = halt.or_else(|| Halt::of(unwritten.failure()));
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

/// Two cases may ask the same and be answered the same: what was found for one may be the other's.
fn once(run: &Run<'_>, id: String) -> Result<String, Unwritten> {
    if run.ids.borrow_mut().insert(id.clone()) {
        return Ok(id);
    }
    let message = format!("trace {id} stands for another answer of this run already");
    Err(Unwritten::Unknown(unreadable("create trace", message)))
}

/// Where the traces of this run go, and what stood there before.
struct Run<'a> {
    studio: &'a Studio,
    project: &'a str,
    model: &'a str,
    /// The ids on the newest page of the project's traces before this run's first write: all that comes
    /// above them later is new.
    before: Result<HashSet<String>, Failure>,
    /// The ids of this run's traces so far.
    ids: RefCell<HashSet<String>>,
}

impl Run<'_> {
    /// Writes some traces; those that met a server error are looked for before they are sent again.
    async fn send(&self, mut chunk: Vec<Pending<'_>>) -> Vec<(usize, Result<String, Unwritten>)> {
        let mut outcome = Vec::with_capacity(chunk.len());
        let mut pauses = pauses();
        let mut sent = 0;
        loop {
            let traces: Vec<NewTrace> = chunk.iter().map(|(_, p)| p.trace.clone()).collect();
            let results = self.studio.create_traces(self.project, self.model, &traces).await;
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
            let pause = pauses.next();
            sleep(self.studio, before_asking(pause, failure)).await;
            for (_, failure) in &mut askable {
                failure.attempts = sent;
            }
            let wanted: Vec<&NewTrace> = askable.iter().map(|((_, p), _)| &p.trace).collect();
            let found = match self.find(&wanted).await {
                Ok(found) => found,
                Err(why) => {
                    outcome.extend(
                        askable
                            .into_iter()
                            .map(|((place, _), f)| (place, Err(in_doubt(f, &why)))),
                    );
                    return outcome;
                }
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

    /// The ids of traces that were written since this run began, by input and output; `None` where there is
    /// none.
    ///
    /// # Errors
    /// When the service can't be asked, or was written to so much meanwhile that the question has no end.
    async fn find(&self, wanted: &[&NewTrace]) -> Result<Vec<Option<String>>, Failure> {
        let before = self.before.as_ref().map_err(Clone::clone)?;
        let mut found: Vec<Option<String>> = vec![None; wanted.len()];
        let mut taken: HashSet<String> = HashSet::new();
        for page in 1..=ASK_PAGES {
            let listed = self.studio.traces(self.project, None, page).await?;
            let mut last = listed.traces.is_empty();
            for trace in listed.traces {
                if before.contains(&trace.id) {
                    // The page is read to its end: traces of one instant stand in any order.
                    last = true;
                    continue;
                }
                if self.ids.borrow().contains(&trace.id) {
                    continue;
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
        Err(unreadable(
            "list traces",
            format!("more than {ASK_PAGES} pages of new traces"),
        ))
    }
}

async fn newest(studio: &Studio, project: &str) -> Result<HashSet<String>, Failure> {
    let page = studio.traces(project, None, 1).await?;
    Ok(page.traces.into_iter().map(|t| t.id).collect())
}

/// An answer that came and does not tell what it should.
pub(super) fn unreadable(call: &'static str, message: String) -> Failure {
    Failure {
        call,
        kind: FailureKind::Unreadable,
        status: None,
        attempts: 1,
        message,
        retry_after: None,
    }
}
