//! Writes traces in the form the service speaks: traces come in, an id or a failure each goes out. The form
//! is found on the first write and remembered for the whole run.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::OnceLock;

use reqwest::Method;
use tokio::sync::Mutex;
use tracing::{debug, info};

use super::batches::{chunks, list_of};
use super::forms::{Answer, Written};
use super::{NewTrace, Studio, TraceForm, not_sent};
use crate::http::{Call, Failure, FailureKind, Reply, Writes};

/// A service that takes no trace in any form so many times will not take the next one either: whatever the
/// number of traces, it is asked three times this often at most.
const FRUITLESS_PROBES: u32 = 10;

const NAME: &str = "create trace";
const PATH: &str = "/api/v1/traces";

/// The form that the service speaks, once it is known. Shared by all clones.
#[derive(Debug, Default)]
pub(super) struct FormMemory {
    known: OnceLock<TraceForm>,
    /// Held while the form is looked for: one write at a time looks. Counts the looks in vain.
    probe: Mutex<u32>,
}

impl FormMemory {
    pub(super) fn known(&self) -> Option<TraceForm> {
        self.known.get().copied()
    }
}

type Outcome = Result<String, Failure>;

impl Studio {
    /// Writes traces in the form the service speaks; one result per trace, in order.
    ///
    /// The form is found on the first write: after 400 or 422 the next form is tried, each once, and never
    /// after a write of unknown effect. In the one-object forms the traces of one call go out one after the
    /// other; in the others up to [`super::TRACES_PER_WRITE`] a write, and a write that is refused as a whole (400,
    /// 413, 422) is halved until the traces that it was refused for stand alone. What the service would
    /// refuse anyway is not sent: a rejection without attempts. Once the key is refused or the run is
    /// cancelled nothing more is sent.
    pub async fn create_traces<T: Borrow<NewTrace>>(
        &self,
        project: &str,
        model: &str,
        traces: &[T],
    ) -> Vec<Outcome> {
        let mut batch = Batch {
            studio: self,
            project,
            model,
            traces: traces.iter().map(Borrow::borrow).collect(),
            outcomes: vec![Err(not_sent(NAME, "the call ended before it")); traces.len()],
            end: None,
        };
        let mut waiting = VecDeque::with_capacity(traces.len());
        for (i, trace) in batch.traces.clone().into_iter().enumerate() {
            match trace.check(project, model) {
                Ok(()) => waiting.push_back(i),
                Err(why) => batch.settle(i, Err(not_sent(NAME, &why))),
            }
        }
        while let Some(&first) = waiting.front() {
            match self.form.known() {
                _ if batch.end.is_some() => batch.leave(waiting.drain(..)),
                Some(form) if form.takes_many() => {
                    let all: Vec<usize> = waiting.drain(..).collect();
                    batch.write_many(form, &all).await;
                }
                Some(form) => {
                    waiting.pop_front();
                    let outcome = batch.send(batch.body(form, first)).await.and_then(outcome_of_one);
                    batch.settle(first, outcome);
                }
                None => {
                    // `None`: another call has found the form meanwhile.
                    if let Some(outcome) = batch.probe(first).await {
                        waiting.pop_front();
                        batch.settle(first, outcome);
                    }
                }
            }
        }
        batch.outcomes
    }
}

/// Whether nothing more is worth sending.
fn ends_all(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Unauthorized | FailureKind::Cancelled)
}

/// Whether the service refuses the form, or this trace in it.
fn refuses_form(failure: &Failure) -> bool {
    failure.kind == FailureKind::Rejected && matches!(failure.status, Some(400 | 422))
}

/// One call of [`Studio::create_traces`].
struct Batch<'a> {
    studio: &'a Studio,
    project: &'a str,
    model: &'a str,
    traces: Vec<&'a NewTrace>,
    outcomes: Vec<Outcome>,
    /// What made it pointless to send more.
    end: Option<Failure>,
}

impl Batch<'_> {
    fn settle(&mut self, trace: usize, outcome: Outcome) {
        if let Err(failure) = &outcome
            && ends_all(failure)
        {
            self.end = Some(failure.clone());
        }
        self.outcomes[trace] = outcome;
    }

    /// These are not sent any more.
    fn leave(&mut self, traces: impl Iterator<Item = usize>) {
        for trace in traces {
            if let Some(end) = &self.end {
                self.outcomes[trace] = Err(Failure {
                    attempts: 0,
                    ..end.clone()
                });
            }
        }
    }

    /// Looks for the form with one trace. `None`: it is known meanwhile, and nothing was sent.
    async fn probe(&self, trace: usize) -> Option<Outcome> {
        let memory = &self.studio.form;
        let Some(mut fruitless) = self
            .studio
            .http
            .cancel()
            .run_until_cancelled(memory.probe.lock())
            .await
        else {
            let message = "the run was cancelled".to_owned();
            return Some(Err(Failure {
                call: NAME,
                kind: FailureKind::Cancelled,
                status: None,
                attempts: 0,
                message,
                retry_after: None,
            }));
        };
        if memory.known().is_some() {
            return None;
        }
        if *fruitless >= FRUITLESS_PROBES {
            let why = format!("the service took none of the first {FRUITLESS_PROBES} traces in any form");
            return Some(Err(not_sent(NAME, &why)));
        }
        let mut first_refusal: Option<Failure> = None;
        for form in [TraceForm::Walkthrough, TraceForm::Object, TraceForm::Array] {
            let one = self.body(form, trace);
            let answer = self
                .send(if form.takes_many() { list_of(&[one]) } else { one })
                .await;
            match answer {
                Ok(reply) => {
                    let form = if form.takes_many() {
                        reply.value.form_of_many()
                    } else {
                        form
                    };
                    // Set under the lock, hence once.
                    let _ = memory.known.set(form);
                    info!(
                        form = form.as_str(),
                        "the form of the trace call that the service speaks"
                    );
                    return Some(outcome_of_one(reply));
                }
                Err(failure) if refuses_form(&failure) => {
                    debug!(
                        form = form.as_str(),
                        status = failure.status,
                        "this form of the trace call is refused"
                    );
                    let attempts = failure.attempts;
                    first_refusal = Some(match first_refusal {
                        Some(first) => Failure {
                            attempts: first.attempts + attempts,
                            ..first
                        },
                        None => failure,
                    });
                }
                Err(failure) => {
                    // Taken, and no id to be read: the next trace would fare no better.
                    if failure.kind == FailureKind::Unreadable {
                        *fruitless += 1;
                    }
                    return Some(Err(failure));
                }
            }
        }
        *fruitless += 1;
        first_refusal.map(|first| {
            let message = format!(
                "{}; refused in every form (walkthrough, object, array)",
                first.message
            );
            Err(Failure { message, ..first })
        })
    }

    /// Writes the traces in as few writes as their number and size allow.
    async fn write_many(&mut self, form: TraceForm, traces: &[usize]) {
        let bodies: Vec<Vec<u8>> = traces.iter().map(|trace| self.body(form, *trace)).collect();
        let mut writes: VecDeque<Range<usize>> = chunks(&bodies).into();
        while let Some(range) = writes.pop_front() {
            let written = &traces[range.clone()];
            if self.end.is_some() {
                self.leave(written.iter().copied());
                continue;
            }
            match self.send(list_of(&bodies[range.clone()])).await {
                Ok(reply) => {
                    let attempts = reply.attempts;
                    for (trace, said) in written.iter().zip(reply.value.of_each(range.len())) {
                        self.settle(*trace, outcome(said, attempts));
                    }
                }
                Err(failure)
                    if range.len() > 1 && (refuses_form(&failure) || failure.status == Some(413)) =>
                {
                    let middle = range.start + range.len() / 2;
                    writes.push_front(middle..range.end);
                    writes.push_front(range.start..middle);
                }
                Err(failure) => {
                    for trace in written {
                        self.settle(*trace, Err(failure.clone()));
                    }
                }
            }
        }
    }

    fn body(&self, form: TraceForm, trace: usize) -> Vec<u8> {
        form.write(self.project, self.model, self.traces[trace])
    }

    async fn send(&self, body: Vec<u8>) -> Result<Reply<Answer>, Failure> {
        let call = Call {
            name: NAME,
            method: Method::POST,
            path: PATH.to_owned(),
            query: Vec::new(),
            body: Some(body.into()),
            writes: Writes::Yes,
        };
        self.studio.ask(&call).await
    }
}

fn outcome_of_one(reply: Reply<Answer>) -> Outcome {
    let attempts = reply.attempts;
    let said = reply.value.of_each(1).pop();
    outcome(
        said.unwrap_or(Written::Unreadable("an empty answer".to_owned())),
        attempts,
    )
}

fn outcome(written: Written, attempts: u32) -> Outcome {
    let (kind, message) = match written {
        Written::Id(id) => return Ok(id),
        Written::Refused(why) => (
            FailureKind::Rejected,
            format!("the service did not take it: {why}"),
        ),
        Written::Unreadable(why) => (FailureKind::Unreadable, why),
    };
    Err(Failure {
        call: NAME,
        kind,
        status: None,
        attempts,
        message,
        retry_after: None,
    })
}
