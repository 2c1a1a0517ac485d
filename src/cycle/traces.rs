//! The step that writes traces: in the form the service speaks, with bounded concurrency, each once.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::Event;
use super::halt::Halt;
use super::journal::{Standing, Write};
use super::plan::Planned;
use super::record::{StepState, TraceRecord, TraceState};
use super::run::Cycle;
use super::survey::{Survey, words};
use super::write::{Due, Kind, Unwritten, carry_out};
use crate::studio::{Failure, FailureKind, NewTrace, Studio, TRACES_PER_WRITE, TraceForm};

const STEP: &str = "traces";

/// Pages that are read to find a trace that may or may not have been written.
const ASK_PAGES: u32 = 1_000;

/// A trace of the plan that is still to be written: its place in `record.written`, and the trace.
type Pending<'a> = (usize, &'a Planned);

/// Writes what the plan holds and the service does not.
pub(super) async fn write(cycle: &mut Cycle<'_>, planned: &[Planned], survey: &Survey) -> Result<(), Halt> {
    let mut pending = open_records(cycle, planned);
    if pending.is_empty() {
        let why = match (planned.is_empty(), cycle.record.traces.cached) {
            (false, _) => "nothing left to write",
            (true, 0) => "no scored answer that is not held out",
            (true, _) => "no scored answer of this run that is not held out: the others are from the cache",
        };
        cycle.skip(STEP, why);
        return Ok(());
    }
    let began = cycle.begin(STEP, Some(pending.len()));
    let (studio, settings) = (cycle.studio, cycle.settings);
    let written = cycle.record.written.iter().filter_map(|t| t.trace_id.clone());
    let kind = Traces {
        studio,
        project: &settings.project,
        model: &settings.model,
        survey,
        ids: RefCell::new(written.collect()),
    };
    let desk = cycle.desk();
    // One finds the form that the service speaks, and with it how many go into one call. What is in doubt is asked for
    // meanwhile with the rest: it may take its time.
    let first = pending.iter().position(|due| due.doubt.is_none());
    let first = first
        .filter(|_| studio.trace_form().is_none())
        .map(|at| pending.remove(at));
    let mut end = Ok(());
    for part in [first.into_iter().collect(), pending] {
        if end.is_ok() {
            end = carry_out(desk, &kind, part, |(place, _), result| take(cycle, place, result)).await;
        }
    }
    let form = studio.trace_form();
    if let Some(form) = form {
        cycle.record.trace_form = Some(form.as_str().to_owned());
    }
    cycle.record.count();
    let counts = cycle.record.traces;
    let mut detail = format!(
        "{} of {} written",
        counts.written,
        counts.planned - counts.already
    );
    if let Some(form) = form {
        detail.push_str(&format!(", form “{}”", form.as_str()));
    }
    for (n, what) in [(counts.failed, "failed"), (counts.unknown, "unknown")] {
        if n > 0 {
            detail.push_str(&format!(", {n} {what}"));
        }
    }
    let state = match (&end, counts.unknown, counts.written) {
        (_, 1.., _) => StepState::Unknown,
        (Err(_), ..) | (.., 0) => StepState::Failed,
        _ => StepState::Done,
    };
    cycle.end(began, state, None, detail);
    end
}

/// Gives every planned trace its place in the record, as the history has it, and lists those that are not written.
pub(super) fn open_records<'p>(cycle: &mut Cycle<'_>, planned: &'p [Planned]) -> Vec<Due<Pending<'p>>> {
    let mut pending = Vec::new();
    cycle.record.written.clear();
    for (place, p) in planned.iter().enumerate() {
        let history = cycle.history.traces.get(&(p.case.clone(), p.sample));
        let history = history.cloned().unwrap_or_default();
        cycle.record.written.push(TraceRecord {
            case: p.case.clone(),
            sample: p.sample,
            trace_id: match &history.trace {
                Standing::Done(id) => Some(id.clone()),
                Standing::Open | Standing::InDoubt(_) => None,
            },
            state: history.stands(),
        });
        let doubt = match history.trace {
            Standing::Done(_) => continue,
            Standing::InDoubt(doubt) => Some(doubt),
            Standing::Open => None,
        };
        pending.push(Due {
            item: (place, p),
            doubt,
        });
    }
    pending
}

/// Notes what became of a trace.
fn take(cycle: &mut Cycle<'_>, place: usize, result: Result<String, Unwritten>) {
    let record = &mut cycle.record.written[place];
    let state = match result {
        Ok(id) => {
            record.trace_id = Some(id);
            TraceState::Written
        }
        Err(unwritten) => {
            let about = record.case.clone();
            let unsent = unwritten.unsent();
            if !unsent {
                cycle.note(&about, &unwritten);
            }
            match unwritten {
                Unwritten::NotDone(_) if unsent => TraceState::NotSent,
                Unwritten::NotDone(_) => TraceState::Failed,
                Unwritten::Unknown(_) => TraceState::Unknown,
            }
        }
    };
    cycle.record.written[place].state = state;
    cycle.emit(Event::Advanced { step: STEP, state });
}

/// Where the traces of this run go, and what stood there before.
struct Traces<'a> {
    studio: &'a Studio,
    project: &'a str,
    model: &'a str,
    survey: &'a Survey,
    /// The ids of this run's traces so far.
    ids: RefCell<HashSet<String>>,
}

impl<'a> Kind for Traces<'a> {
    type Item = Pending<'a>;
    type Made = String;
    const CALL: &'static str = "create trace";

    fn write(&self, (_, planned): &Pending<'a>) -> Write {
        Write::Trace {
            case: planned.case.clone(),
            sample: planned.sample,
        }
    }

    fn made(id: &String) -> String {
        id.clone()
    }

    fn batch(&self) -> usize {
        match self.studio.trace_form() {
            Some(TraceForm::Array | TraceForm::Results) => TRACES_PER_WRITE,
            Some(TraceForm::Walkthrough | TraceForm::Object) | None => 1,
        }
    }

    async fn send(&self, items: &[&Pending<'a>]) -> Vec<Result<String, Failure>> {
        let traces: Vec<&NewTrace> = items.iter().map(|(_, p)| &p.trace).collect();
        let results = self.studio.create_traces(self.project, self.model, &traces).await;
        results.into_iter().map(|result| self.once(result?)).collect()
    }

    async fn ask(&self, items: &[&Pending<'a>]) -> Vec<Result<Option<String>, Failure>> {
        match self.find(items).await {
            Ok(found) => found.into_iter().map(Ok).collect(),
            Err(failure) => items.iter().map(|_| Err(failure.clone())).collect(),
        }
    }
}

impl<'a> Traces<'a> {
    /// No two answers of a run share a trace.
    fn once(&self, id: String) -> Result<String, Failure> {
        if self.ids.borrow_mut().insert(id.clone()) {
            return Ok(id);
        }
        let message = format!("trace {id} stands for another answer of this run already");
        Err(unreadable("create trace", message))
    }

    /// The ids of the traces that hold these answers, by input and output; `None` where there is none. No two of
    /// them have the same words, and what had them before this run was either taken for the answer's or is known
    /// to be another model's.
    ///
    /// # Errors
    /// When the service can't be asked, or was written to so much meanwhile that the question has no end.
    async fn find(&self, wanted: &[&Pending<'a>]) -> Result<Vec<Option<String>>, Failure> {
        if let Some(unlisted) = &self.survey.unlisted {
            return Err(unlisted.clone());
        }
        let places: HashMap<(&str, &str), usize> = wanted
            .iter()
            .enumerate()
            .map(|(at, (_, p))| (words(&p.trace.input, &p.trace.output), at))
            .collect();
        let mut found: Vec<Option<String>> = vec![None; wanted.len()];
        let mut seen = 0;
        for page in 1..=ASK_PAGES {
            let listed = self.studio.traces(self.project, None, page).await?;
            seen += listed.traces.len() as u64;
            let mut last = listed.traces.is_empty() || listed.total.is_some_and(|total| seen >= total);
            for trace in listed.traces {
                // The page is read to its end: traces of one instant stand in any order.
                last |= self.survey.newest.contains(&trace.id);
                if self.survey.strangers.contains(&trace.id) || self.ids.borrow().contains(&trace.id) {
                    continue;
                }
                if let Some(&at) = places.get(&words(&trace.input, &trace.output))
                    && found[at].is_none()
                {
                    found[at] = Some(trace.id);
                }
            }
            if last || found.iter().all(Option::is_some) {
                self.ids.borrow_mut().extend(found.iter().flatten().cloned());
                return Ok(found);
            }
        }
        let message = format!("more than {ASK_PAGES} pages of traces");
        Err(unreadable("list traces", message))
    }
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
