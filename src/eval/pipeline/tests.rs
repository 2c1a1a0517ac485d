use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, sleep};

use super::super::cache::Cache;
use super::super::fixtures::{
    Answer, Asked, Fake, case, failure, fake, numbered, reply, settings, suite, verdict,
};
use super::super::known::Kept;
use super::super::limits::{GRACE, Limits};
use super::*;
use crate::results::{CaseResult, Results, StopKind};
use crate::studio::{FailureKind, Reply};
use crate::suite::Check;

mod again;
mod beside;
mod cached;
mod flow;
mod limits;
mod pace;
mod resuming;
mod stops;

/// What a run came to, and what went over the wire meanwhile.
struct Ran {
    cases: Vec<CaseResult>,
    stopped: Option<Stopped>,
    events: Vec<Event>,
    /// `answer c0`, `judge c0`, … in the order in which the calls began.
    calls: Vec<String>,
    most_in_flight: usize,
    /// How often the service was asked for its models.
    lists: usize,
    took: Duration,
    /// What was handed on to be kept, in order.
    kept: Vec<Entry>,
    evaluation: Evaluation,
    /// Requests that the service got.
    sent: u64,
}

/// What was handed on to be kept.
#[derive(Debug, Clone, PartialEq)]
enum Entry {
    Answer(String, Sample),
    Vote(String, u32, Vote),
    Beside(String, Vote),
}

/// How a run goes.
struct Way<'a> {
    concurrency: usize,
    limits: Limits,
    known: Known,
    cache: Option<Arc<Cache>>,
    /// Earlier results whose answers are judged again.
    rejudge: Option<&'a Results>,
    cancel: &'a CancellationToken,
    /// Whether the nth thing to keep, from 0, can be kept.
    keeps: &'a (dyn Fn(usize) -> Result<(), String> + Sync),
}

impl<'a> Way<'a> {
    fn new(concurrency: usize, cancel: &'a CancellationToken) -> Way<'a> {
        Way {
            concurrency,
            limits: Limits::default(),
            known: Known::default(),
            cache: None,
            rejudge: None,
            cancel,
            keeps: &|_| Ok(()),
        }
    }
}

impl Ran {
    fn answers(&self) -> usize {
        self.calls
            .iter()
            .filter(|call| call.starts_with("answer"))
            .count()
    }

    fn stop_kind(&self) -> Option<StopKind> {
        self.stopped.as_ref().map(|stopped| stopped.kind)
    }

    fn outcomes(&self) -> Vec<AnswerOutcome> {
        self.cases
            .iter()
            .flat_map(|case| case.samples.iter().map(|sample| sample.outcome))
            .collect()
    }

    fn scores(&self) -> Vec<Option<f64>> {
        let samples = self.cases.iter().flat_map(|case| &case.samples);
        samples
            .map(|sample| sample.votes.first().and_then(|vote| vote.score))
            .collect()
    }
}

/// The number of the case that a call is about: every question names its case.
fn number_in(asked: &Asked) -> usize {
    let (_, rest) = asked.messages[0].1.split_once("question c").unwrap();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// Runs a suite against a service whose chat gets the purpose and the case's number.
async fn ran_with<C, F>(
    suite: &Suite,
    concurrency: usize,
    cancel: &CancellationToken,
    service: Fake<C>,
) -> Ran
where
    C: Fn(Purpose, usize) -> F + Sync,
    F: Future<Output = Answer> + Send,
{
    ran_in(suite, Way::new(concurrency, cancel), service).await
}

/// Runs a suite in this way.
async fn ran_in<C, F>(suite: &Suite, way: Way<'_>, service: Fake<C>) -> Ran
where
    C: Fn(Purpose, usize) -> F + Sync,
    F: Future<Output = Answer> + Send,
{
    let (calls, flying, most) = (Mutex::new(Vec::new()), AtomicUsize::new(0), AtomicUsize::new(0));
    let Fake {
        chat,
        running,
        load,
        models,
        projects,
        looks,
        loads,
        lists,
        sent,
    } = service;
    let counted = |asked: Asked| {
        let number = number_in(&asked);
        let word = if asked.purpose == Purpose::Answer {
            "answer"
        } else {
            "judge"
        };
        calls.lock().unwrap().push(format!("{word} c{number}"));
        most.fetch_max(flying.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        let came = chat(asked.purpose, number);
        let flying = &flying;
        async move {
            let came = came.await;
            flying.fetch_sub(1, Ordering::Relaxed);
            came
        }
    };
    let service = Fake {
        chat: counted,
        running,
        load,
        models,
        projects,
        looks,
        loads,
        lists,
        sent,
    };
    let exhibits = Exhibits::new(suite, way.rejudge);
    let (events, mut told) = unbounded_channel();
    let (mut settings, prompt) = (settings(way.concurrency), JudgePrompt::new(None).unwrap());
    (settings.limits, settings.cache) = (way.limits, way.cache);
    let kept = Mutex::new(Vec::new());
    let keep = |entry: Kept<'_>| {
        let mut kept = kept.lock().unwrap();
        (way.keeps)(kept.len())?;
        kept.push(match entry {
            Kept::Answer { case, sample } => Entry::Answer(case.to_owned(), sample.clone()),
            Kept::Vote { case, sample, vote } => Entry::Vote(case.to_owned(), sample, vote.clone()),
            Kept::Beside { key, vote } => Entry::Beside(key.to_owned(), vote.clone()),
        });
        Ok(())
    };
    let plan = Plan {
        suite,
        exhibits: &exhibits,
        settings: &settings,
        prompt: &prompt,
        cancel: way.cancel,
        keep: &keep,
        checking: &AtomicUsize::new(0),
        events: &events,
    };
    let begun = Instant::now();
    let outcome = run(&plan, way.known, &service).await;
    let took = begun.elapsed();
    let evaluation = outcome.into_evaluation(suite, &exhibits, took);
    let lists = service.lists.load(Ordering::Relaxed);
    let sent = service.sent.load(Ordering::Relaxed);
    drop((service, events));
    Ran {
        cases: evaluation.cases.iter().collect(),
        stopped: evaluation.stopped.clone(),
        events: std::iter::from_fn(|| told.try_recv().ok()).collect(),
        calls: calls.into_inner().unwrap(),
        most_in_flight: most.into_inner(),
        lists,
        took,
        kept: kept.into_inner().unwrap(),
        evaluation,
        sent,
    }
}

/// Against a service where everything is there.
async fn ran<C, F>(suite: &Suite, concurrency: usize, chat: C) -> Ran
where
    C: Fn(Purpose, usize) -> F + Sync,
    F: Future<Output = Answer> + Send,
{
    ran_with(suite, concurrency, &CancellationToken::new(), fake(chat)).await
}

/// Answers in 200 ms, judgements in 400 ms.
async fn steady(purpose: Purpose, _: usize) -> Answer {
    match purpose {
        Purpose::Answer => {
            sleep(Duration::from_millis(200)).await;
            Ok(reply("42"))
        }
        Purpose::Judge => {
            sleep(Duration::from_millis(400)).await;
            Ok(verdict(0.5))
        }
    }
}
