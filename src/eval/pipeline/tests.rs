use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{Instant, sleep};

use super::super::fixtures::{
    Answer, Asked, Fake, case, failure, fake, numbered, reply, settings, suite, verdict,
};
use super::super::known::Kept;
use super::*;
use crate::results::{CaseResult, StopKind};
use crate::studio::FailureKind;
use crate::suite::Check;

mod flow;
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
    };
    let (events, mut told) = unbounded_channel();
    let (settings, prompt) = (settings(concurrency), JudgePrompt::new(None).unwrap());
    let keep = |_: Kept<'_>| Ok(());
    let plan = Plan {
        suite,
        settings: &settings,
        prompt: &prompt,
        cancel,
        keep: &keep,
        events: &events,
    };
    let begun = Instant::now();
    let outcome = run(&plan, Known::default(), &service).await;
    let took = begun.elapsed();
    let Evaluation { cases, stopped, .. } = outcome.into_evaluation(suite, took);
    let lists = service.lists.load(Ordering::Relaxed);
    drop((service, events));
    Ran {
        cases,
        stopped,
        events: std::iter::from_fn(|| told.try_recv().ok()).collect(),
        calls: calls.into_inner().unwrap(),
        most_in_flight: most.into_inner(),
        lists,
        took,
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
