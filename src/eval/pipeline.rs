//! A suite, what is known of it and a service come in; every answer and judgement goes out, in the suite's order.
//!
//! One task drives a bounded set of calls, answers and judgements together. A judgement that is due goes
//! ahead of the next answer: results come early, and no more answers wait in memory than are in flight.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::answer::{self, Answered};
use super::checks::Checks;
use super::diagnosis;
use super::excerpt::excerpt;
use super::judge::{self, Bench, Judged};
use super::judge_prompt::JudgePrompt;
use super::known::{Keep, Known};
use super::readiness::{self, interrupted};
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
    pub(super) settings: &'a Settings,
    pub(super) prompt: &'a JudgePrompt<'a>,
    pub(super) cancel: &'a CancellationToken,
    pub(super) keep: &'a Keep<'a>,
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
    Diagnose {
        purpose: Purpose,
        failure: Failure,
    },
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
    Diagnosis {
        purpose: Purpose,
        stopped: Option<Stopped>,
    },
}

/// Runs the plan to its end, or to the first reason to stop: a refused key, a cancelled client, a model or
/// project that is not there, as the first rejected call and the service's lists tell, or a reply that
/// can't be kept.
pub(super) async fn run<S: Service>(plan: &Plan<'_>, known: Known, service: &S) -> Outcome {
    let mut state = State::new(plan, known);
    // Where nothing is left to ask, the model need not run.
    if state.is_open()
        && let Err(stopped) = readiness::make_ready(plan.settings, plan.events, plan.cancel, service).await
    {
        return state.outcome(Some(stopped));
    }
    plan.tell(state.started());
    let mut flying = FuturesUnordered::new();
    loop {
        while let Some(job) = state.next_job() {
            flying.push(guarded(job, plan, service));
        }
        if let Some(stopped) = state.condemned() {
            return state.outcome(Some(stopped));
        }
        // Whatever is in flight when the run stops is dropped with `flying`, and so cancelled.
        let done = tokio::select! {
            biased;
            () = plan.cancel.cancelled() => return state.outcome(Some(interrupted())),
            done = flying.next() => done,
        };
        match done {
            None => return state.outcome(None),
            Some(done) => {
                if let Some(stopped) = state.take(done) {
                    return state.outcome(Some(stopped));
                }
            }
        }
    }
}

/// Does the job; a panic in it costs this one answer or vote, not the run.
async fn guarded<S: Service>(job: Job, plan: &Plan<'_>, service: &S) -> Done {
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
            } => {
                let vote = judge::unscored(vote, VoteOutcome::Failed, told, Vec::new());
                Done::Vote {
                    case,
                    sample,
                    judged: Judged { vote, failure: None },
                }
            }
            Job::Diagnose { purpose, .. } => Done::Diagnosis {
                purpose,
                stopped: None,
            },
        }
    })
}

async fn work<S: Service>(job: Job, plan: &Plan<'_>, service: &S) -> Done {
    let Plan {
        suite,
        settings,
        prompt,
        ..
    } = *plan;
    match job {
        Job::Answer { case, sample, checks } => {
            let answered = answer::ask(&suite.cases[case], sample, checks, settings, service).await;
            Done::Answer { case, answered }
        }
        Job::Judge {
            case,
            sample,
            vote,
            answer,
        } => {
            let bench = Bench {
                judge: &suite.judge,
                prompt,
                settings,
            };
            let judged = judge::judge(bench, &suite.cases[case], &answer, vote, service).await;
            Done::Vote { case, sample, judged }
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
