//! `Suite` → answers → judgements → `results`.
//!
//! A validated suite and a client come in; one [`results::CaseResult`] per case goes out, in the suite's order,
//! whatever became of it. Progress goes out as [`Event`]s while it runs; nothing in here prints.

mod answer;
mod cache;
mod checks;
mod diagnosis;
mod excerpt;
mod exhibits;
mod feedback;
#[cfg(test)]
mod fixtures;
mod json_scan;
mod judge;
mod judge_prompt;
mod known;
mod limits;
mod metered;
mod pipeline;
mod readiness;
mod recall;
mod service;
mod similarity;
mod verdict;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

pub use cache::{Cache, CacheSettings};
pub use feedback::sample_feedback;
pub use known::{Keep, Kept, Known};
pub use limits::{GRACE, Limits};
#[cfg(any(test, fuzzing))]
pub(crate) use verdict::promises as verdict_promises;
pub use verdict::{Verdict, read as read_verdict};

use exhibits::Exhibits;

use crate::results::{self, AnchorResult, AnswerOutcome, Cases, Results, StopKind, Stopped, VoteOutcome};
use crate::studio::Studio;
use crate::suite::Suite;

/// Whom and how to ask.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The project's id, after overrides.
    pub project: String,
    /// The alias or id of the model under evaluation, after overrides.
    pub model: String,
    /// Chat calls in flight at any time, answers and judgements together; at least 1.
    pub concurrency: usize,
    /// How long a model that needs loading is waited for.
    pub load_timeout: Duration,
    /// Pause between two looks at a model that is being loaded.
    pub load_poll: Duration,
    /// What it may take at the most.
    pub limits: Limits,
    /// Where replies of earlier runs are looked up and this one's are kept; none where nothing is.
    pub cache: Option<Arc<Cache>>,
}

/// What happens while it runs; whoever listens shows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The model is not running and is being loaded.
    Loading {
        /// The model under evaluation.
        model: String,
    },
    /// The first calls go out.
    Started {
        /// Cases of the suite.
        cases: usize,
        /// Answers that will be asked for.
        answers: usize,
        /// Judgements of the suite's answers that will be asked for if every answer is usable and passes its checks.
        judgements: usize,
        /// Judgements of anchors and of earlier answers that will be asked for.
        beside: usize,
        /// What is there from before, and is asked for no more.
        kept: results::Kept,
        /// Judgements of anchors and of earlier answers that are there from before.
        kept_beside: usize,
    },
    /// An answer is there, or is known not to come.
    Answered {
        /// The case's id.
        case: String,
        /// The sample's index, from 0.
        sample: u32,
        /// How it came.
        outcome: AnswerOutcome,
        /// The last attempt's, from sending to the last byte; of a failed call the whole call's.
        latency: Duration,
    },
    /// A judgement is there, or is known not to come.
    Judged {
        /// The case's id.
        case: String,
        /// The sample's index, from 0.
        sample: u32,
        /// The vote's index, from 0; none when a failed check decided and no judge was asked.
        vote: Option<u32>,
        /// How it came; `scored` when a failed check decided.
        outcome: VoteOutcome,
        /// 0..1; 0 when a failed check decided.
        score: Option<f64>,
    },
    /// A judgement of an anchor or of an earlier answer is there, or is known not to come. It is no score of this run.
    JudgedBeside {
        /// How it came.
        outcome: VoteOutcome,
    },
}

/// An evaluation, whole or cut short.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// One entry per case of the suite, in its order.
    pub cases: Cases,
    /// What the judge made of the suite's anchors, in their order. One that was not judged makes no evaluation
    /// incomplete.
    pub anchors: Vec<AnchorResult>,
    /// The earlier results that were given to be judged again, with this run's judge and its votes in place of their own;
    /// an answer that was not judged again has no votes. None where none were given.
    pub rejudged: Option<Results>,
    /// Why it ended before everything was asked; none when it went through.
    pub stopped: Option<Stopped>,
    /// Wall time, waiting for the model included.
    pub duration: Duration,
    /// What of it an earlier process of this run had paid for.
    pub kept: results::Kept,
    /// What of it is from the cache; none where nothing is.
    pub cached: Option<results::CachedReplies>,
    /// Tokens of this evaluation's own chat calls, as [`Limits::tokens`] counts them.
    pub tokens: u64,
}

/// Asks the model for every answer of the suite and the judge for every judgement that is not known yet.
///
/// What is known is used as it is, whatever it is worth; a judgement that it lacks is asked for before any
/// other answer. Every new answer and judgement goes to `keep` as soon as it is there.
///
/// Last of all the suite's anchors are judged, and then of `rejudge` those answers that passed their checks and whose
/// case is the same in this suite, by its id and fingerprint. They count against the limits like any judgement. Where a
/// limit leaves only some of them undone the evaluation has gone through.
///
/// With a cache, a reply that is there is not asked for, and every new one that can be used goes there.
///
/// A failing call is an outcome of its case. Only a refused key, a model or project that is not there, a
/// cancelled client, a limit that is reached and a `keep` that fails end it early; what was not asked by then
/// says so.
pub async fn run(
    suite: &Suite,
    rejudge: Option<&Results>,
    studio: &Studio,
    settings: &Settings,
    known: Known,
    keep: &Keep<'_>,
    events: &UnboundedSender<Event>,
) -> Evaluation {
    let started = Instant::now();
    let exhibits = Exhibits::new(suite, rejudge);
    let cancel = studio.http().cancel().clone();
    let outcome = match judge_prompt::JudgePrompt::new(suite.judge.prompt.as_deref()) {
        Err(fault) => pipeline::Outcome::not_begun(
            suite,
            &exhibits,
            known,
            Stopped {
                kind: StopKind::Unavailable,
                message: format!("the suite's judge prompt can't be used: {fault}: mend judge.prompt"),
            },
        ),
        Ok(prompt) => {
            let plan = pipeline::Plan {
                suite,
                exhibits: &exhibits,
                settings,
                prompt: &prompt,
                cancel: &cancel,
                keep,
                checking: &AtomicUsize::new(0),
                events,
            };
            pipeline::run(&plan, known, studio).await
        }
    };
    outcome.into_evaluation(suite, &exhibits, started.elapsed())
}

/// The evaluation of a suite that may not begin: nothing is asked, and every case that is not known says so.
pub fn not_begun(suite: &Suite, rejudge: Option<&Results>, known: Known, stopped: Stopped) -> Evaluation {
    let exhibits = Exhibits::new(suite, rejudge);
    let outcome = pipeline::Outcome::not_begun(suite, &exhibits, known, stopped);
    outcome.into_evaluation(suite, &exhibits, Duration::ZERO)
}

impl Evaluation {
    /// Judgements of anchors and of earlier answers that failed or were not asked for: the same command, gone on with,
    /// may get them.
    pub fn unjudged_beside(&self) -> u64 {
        let anchors = self.anchors.iter().flat_map(|anchor| &anchor.votes);
        let open =
            |vote: &&results::Vote| matches!(vote.outcome, VoteOutcome::Failed | VoteOutcome::NotAsked);
        let earlier = self.rejudged.iter().flat_map(|results| &results.cases);
        let earlier = earlier.map(|case| {
            let votes = case.samples.iter().flat_map(|sample| &sample.votes);
            votes.filter(open).count()
        });
        (anchors.filter(open).count() + earlier.sum::<usize>()) as u64
    }
}
