//! A suite, what is known of it and a service come in; every answer and judgement goes out, in the suite's order.
//!
//! One task drives a bounded set of calls, answers and judgements together. A judgement that is due goes
//! ahead of the next answer: results come early, and no more answers wait in memory than are in flight.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::answer::{self, Answered};
use super::checks::Checks;
use super::diagnosis;
use super::excerpt::excerpt;
use super::exhibits::Exhibits;
use super::judge::{self, Bench, Judged, Subject};
use super::judge_prompt::JudgePrompt;
use super::known::{Keep, Known};
use super::limits::{Purse, Reached, Wanted};
use super::metered::Metered;
use super::readiness::{self, interrupted};
use super::recall::Recall;
use super::service::Service;
use super::{Evaluation, Event, Settings};
use crate::results::{AnswerOutcome, Sample, Stopped, Vote, VoteOutcome};
use crate::studio::{Failure, Purpose};
use crate::suite::Suite;

pub(super) use outcome::Outcome;
use state::State;

mod outcome;
mod state;

/// What is to be done.
pub(super) struct Plan<'a> {
    pub(super) suite: &'a Suite,
    /// What is judged beside the suite's answers.
    pub(super) exhibits: &'a Exhibits<'a>,
    pub(super) settings: &'a Settings,
    pub(super) prompt: &'a JudgePrompt<'a>,
    pub(super) cancel: &'a CancellationToken,
    pub(super) keep: &'a Keep<'a>,
    /// Answers that are there and at their checks.
    pub(super) checking: &'a AtomicUsize,
    pub(super) events: &'a UnboundedSender<Event>,
}

/// One thing to do. Cases are named by their position in the suite.
#[derive(Clone)]
enum Job {
    Answer {
        case: usize,
        sample: u32,
        checks: Option<Arc<Checks>>,
    },
    Judge {
        case: usize,
        sample: u32,
        vote: u32,
        answer: Arc<str>,
    },
    /// A judgement of an exhibit, which is named by its position.
    Beside {
        exhibit: usize,
        vote: u32,
        /// Today's judge is meant, and none of another day.
        anew: bool,
    },
    Diagnose {
        purpose: Purpose,
        failure: Failure,
    },
}

impl Job {
    /// What its call is for; a diagnosis makes none that is paid for.
    fn purpose(&self) -> Option<Purpose> {
        match self {
            Job::Answer { .. } => Some(Purpose::Answer),
            Job::Judge { .. } | Job::Beside { .. } => Some(Purpose::Judge),
            Job::Diagnose { .. } => None,
        }
    }
}

/// One thing done.
enum Done {
    Answer {
        case: usize,
        answered: Answered,
    },
    Vote {
        case: usize,
        sample: u32,
        judged: Judged,
    },
    Beside {
        exhibit: usize,
        judged: Judged,
    },
    Diagnosis {
        purpose: Purpose,
        stopped: Option<Stopped>,
    },
}

/// An answer that came before the end may be at its checks; they are waited for this long.
const CHECKS_GRACE: Duration = Duration::from_secs(2);
/// Turns that are given to calls that a cancellation is about to wake.
const LAST_TURNS: usize = 16;

/// Runs the plan to its end, or to the first reason to stop: a refused key, a cancelled client, a model or
/// project that is not there, as the first rejected call and the service's lists tell, a limit, or a reply
/// that can't be kept.
pub(super) async fn run<S: Service>(plan: &Plan<'_>, known: Known, service: &S) -> Outcome {
    let sent = || service.sent();
    let purse = Purse::new(&plan.settings.limits, &sent);
    let service = &Metered {
        service,
        purse: &purse,
    };
    let mut state = State::new(plan, &purse, known);
    state.recall().await;
    // Where nothing is left to ask but what was answered before this run, the model need not run.
    if state.is_open()
        && let Err(stopped) = readiness::make_ready(plan.settings, plan.events, plan.cancel, service).await
    {
        return state.outcome(Some(stopped));
    }
    plan.tell(state.started());
    let mut flying = FuturesUnordered::new();
    let stopped = loop {
        while let Some(job) = state.next_job(&Room::now(plan, service)) {
            flying.push(guarded(job, plan, service));
        }
        if let Some(stopped) = state.condemned() {
            break Some(stopped);
        }
        let done = tokio::select! {
            biased;
            () = plan.cancel.cancelled() => break Some(match purse.is_over() {
                // Whoever gave the time may also cancel when it is over.
                true => purse.stopped(Reached::Deadline),
                false => interrupted(),
            }),
            done = flying.next() => done,
            () = service.more_room(), if !flying.is_empty() => continue,
            () = purse.patience() => break Some(purse.stopped(Reached::Deadline)),
        };
        match done {
            None => break state.unfinished(),
            Some(done) => {
                if let Some(stopped) = state.take(done) {
                    break Some(stopped);
                }
            }
        }
    };
    hear_out(&mut state, &mut flying).await;
    // Whatever is in flight yet is dropped with `flying`, and so cancelled.
    state.outcome(stopped)
}

/// How many calls may be in flight.
struct Room {
    answers: usize,
    judgements: usize,
    /// Of both together.
    all: usize,
    /// Both are of one model, whose room they share.
    shared: bool,
}

impl Room {
    fn now<S: Service>(plan: &Plan<'_>, service: &S) -> Room {
        let (model, judge) = (&plan.settings.model, &plan.suite.judge.model);
        Room {
            answers: service.room(model),
            judgements: service.room(judge),
            all: (plan.settings.concurrency.max(1)).saturating_add(service.parked()),
            shared: model == judge,
        }
    }
}

/// Takes what has come by the time the run stops: it was paid for. What is on its way is not waited for.
async fn hear_out<F: Future<Output = Done>>(state: &mut State<'_>, flying: &mut FuturesUnordered<F>) {
    for _ in 0..LAST_TURNS {
        while let Some(Some(done)) = flying.next().now_or_never() {
            state.take(done);
        }
        if flying.is_empty() {
            return;
        }
        tokio::task::yield_now().await;
    }
    let checks = async {
        while state.plan().checking.load(Ordering::Relaxed) > 0 {
            match flying.next().await {
                Some(done) => state.take(done),
                None => return,
            };
        }
    };
    // Checks take time in proportion to an answer that is bounded: this is for a machine that stands still.
    let _ = timeout(CHECKS_GRACE, checks).await;
}

/// Does the job; a panic in it costs this one answer or vote, not the run.
async fn guarded<S: Service>(job: Job, plan: &Plan<'_>, service: &Metered<'_, S>) -> Done {
    if let Some(purpose) = job.purpose() {
        service.purse.begun(purpose);
    }
    let done = AssertUnwindSafe(work(job.clone(), plan, service))
        .catch_unwind()
        .await;
    done.unwrap_or_else(|payload| {
        let told = format!(
            "a bug in tunegate, please report it: {}",
            panic_text(payload.as_ref())
        );
        match job {
            Job::Answer { case, sample, .. } => {
                let sample = answer::without_answer(sample, AnswerOutcome::Failed, Some(told));
                Done::Answer {
                    case,
                    answered: Answered {
                        sample,
                        latency: Duration::ZERO,
                        failure: None,
                    },
                }
            }
            Job::Judge {
                case, sample, vote, ..
            } => Done::Vote {
                case,
                sample,
                judged: judged_nothing(vote, told),
            },
            Job::Beside { exhibit, vote, .. } => Done::Beside {
                exhibit,
                judged: judged_nothing(vote, told),
            },
            Job::Diagnose { purpose, .. } => Done::Diagnosis {
                purpose,
                stopped: None,
            },
        }
    })
}

fn judged_nothing(vote: u32, told: String) -> Judged {
    let vote = judge::unscored(vote, VoteOutcome::Failed, told, Vec::new());
    Judged { vote, failure: None }
}

async fn work<S: Service>(job: Job, plan: &Plan<'_>, service: &S) -> Done {
    let Plan {
        suite,
        settings,
        prompt,
        ..
    } = *plan;
    let bench = Bench {
        judge: &suite.judge,
        prompt,
        settings,
    };
    let recall = Recall::new(suite, settings);
    match job {
        Job::Answer { case, sample, checks } => {
            let asked = &suite.cases[case];
            let answered = match recall.answer(asked, sample) {
                Some(sample) => answer::again(sample, checks, plan.checking).await,
                None => {
                    let answered = answer::ask(asked, sample, checks, settings, service, plan.checking).await;
                    recall.keep_answer(asked, &answered.sample);
                    answered
                }
            };
            Done::Answer { case, answered }
        }
        Job::Judge {
            case,
            sample,
            vote,
            answer,
        } => {
            let texts = suite.cases[case].texts.read();
            let subject = Subject::of(&texts, sample, &*answer);
            let again = Wanted::Judgement { counts: true };
            let judged = judged(recall, bench, &subject, vote, again, service).await;
            Done::Vote { case, sample, judged }
        }
        Job::Beside { exhibit, vote, anew } => {
            let recall = recall.anew(anew);
            let judged = match plan.exhibits.subject(exhibit) {
                Some(subject) => judged(recall, bench, &subject, vote, Wanted::Beside, service).await,
                None => judged_nothing(vote, "a bug in tunegate, please report it: no exhibit".to_owned()),
            };
            Done::Beside { exhibit, judged }
        }
        Job::Diagnose { purpose, failure } => {
            let model = match purpose {
                Purpose::Answer => &settings.model,
                Purpose::Judge => &suite.judge.model,
            };
            let asked = diagnosis::Asked {
                purpose,
                model,
                project: &settings.project,
            };
            Done::Diagnosis {
                purpose,
                stopped: diagnosis::explain(&asked, &failure, service).await,
            }
        }
    }
}

/// A judgement that the cache has, or one that is asked for.
async fn judged<S: Service>(
    recall: Recall<'_>,
    bench: Bench<'_>,
    subject: &Subject<'_>,
    vote: u32,
    again: Wanted,
    service: &S,
) -> Judged {
    match recall.vote(subject, vote) {
        Some(vote) => Judged { vote, failure: None },
        None => {
            let judged = judge::judge(bench, subject, vote, again, service).await;
            recall.keep_vote(subject, judged)
        }
    }
}

fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic");
    excerpt(&text.replace(char::is_control, " "), 300)
}

impl Plan<'_> {
    fn tell(&self, event: Event) {
        // Whoever listened may have gone; the run goes on without.
        let _ = self.events.send(event);
    }
}

#[cfg(test)]
mod tests;
