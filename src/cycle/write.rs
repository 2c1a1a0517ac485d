//! Writes that are never blindly repeated: what is to be written comes in, each thing done, surely not done, or
//! unknown goes out.
//!
//! The intention is on the disk before a call goes out. A write whose answer is lost, late or a server error is in
//! doubt; the service is asked for its effect, again and again for a bounded time, and only where it
//! says no to the end the write is sent once more.

use std::collections::VecDeque;
use std::time::Duration;

use ask::{Asking, look};
use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::StreamExt;
use futures_util::stream;

use super::halt::Halt;
use super::journal::{Doubt, Fact, Journal, Write};
use crate::studio::{Effect, Failure, FailureKind, Studio};

mod ask;

/// Times a write is sent at the most, each time with the client's own repeats of what was surely not done.
pub(super) const ROUNDS: u32 = 5;

/// A write that did not come through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unwritten {
    /// The service has surely not done it.
    NotDone(Failure),
    /// It may have been done.
    Unknown(Failure),
}

impl Unwritten {
    /// Whether nothing at all went out, because the run ended before.
    pub(super) fn unsent(&self) -> bool {
        let failure = self.failure();
        failure.kind == FailureKind::Cancelled && failure.attempts == 0
    }

    pub(super) fn failure(&self) -> &Failure {
        match self {
            Unwritten::NotDone(failure) | Unwritten::Unknown(failure) => failure,
        }
    }
}

/// One kind of write: how it is sent and how the service is asked for its effect.
pub(super) trait Kind {
    /// One thing to be written.
    type Item;
    /// What the service makes of it.
    type Made;
    /// The call's name.
    const CALL: &'static str;
    /// How many times longer than a trace's its effect is asked for: what it costs to have it twice.
    const CARE: u32 = 1;

    /// What it is in the journal.
    fn write(&self, item: &Self::Item) -> Write;
    /// What was made, for the journal.
    fn made(made: &Self::Made) -> String;
    /// How many go into one call now.
    fn batch(&self) -> usize {
        1
    }
    /// Sends some in one call; one result each, in order.
    async fn send(&self, items: &[&Self::Item]) -> Vec<Result<Self::Made, Failure>>;
    /// Asks for the effects of some; one result each, in order. `None`: the service does not have it.
    async fn ask(&self, items: &[&Self::Item]) -> Vec<Result<Option<Self::Made>, Failure>>;
}

/// One thing to be written, and the doubt about it that an earlier process left.
pub(super) struct Due<I> {
    pub(super) item: I,
    pub(super) doubt: Option<Doubt>,
}

/// With whom and how patiently.
#[derive(Clone, Copy)]
pub(super) struct Desk<'a> {
    pub(super) studio: &'a Studio,
    pub(super) journal: &'a Journal,
    /// Calls in flight at any time.
    pub(super) concurrency: usize,
    /// How long the service is asked for an effect before a no counts.
    pub(super) patience: Duration,
    /// A person has looked: what an earlier process left in doubt counts as not done unless it is found at once.
    pub(super) assume_not_done: bool,
}

/// A write on its way.
struct Open<I> {
    item: I,
    /// Times it was sent.
    rounds: u32,
    /// Requests of all of them.
    attempts: u32,
    failure: Option<Failure>,
    doubt: Option<Asking>,
}

/// Carries some writes out. `told` hears of each one once, when its outcome is known or the run ends.
///
/// # Errors
/// What ends the cycle: a refused key, the end of the run, a journal that can't be written.
pub(super) async fn carry_out<K: Kind>(
    desk: Desk<'_>,
    kind: &K,
    due: Vec<Due<K::Item>>,
    mut told: impl FnMut(K::Item, Result<K::Made, Unwritten>),
) -> Result<(), Halt> {
    let (mut open, mut doubted) = sort(desk, due);
    let mut pauses = pauses();
    let mut halt = None;
    loop {
        // What an earlier process left in doubt is asked for before anything is sent.
        if !doubted.is_empty() && halt.is_none() {
            let looked = look(desk, kind, std::mem::take(&mut doubted), &mut told).await;
            doubted = looked.doubted;
            open.extend(looked.open);
            halt = looked.halt;
        }
        if !open.is_empty() && halt.is_none() {
            let sent = send(desk, kind, std::mem::take(&mut open), &mut told).await;
            halt = sent.halt;
            open.extend(sent.open);
            if !sent.doubted.is_empty() {
                pauses = self::pauses();
            }
            doubted.extend(sent.doubted);
        }
        if let Some(halt) = halt {
            leave(open, doubted, &mut told, K::CALL);
            return Err(halt);
        }
        if open.is_empty() && doubted.is_empty() {
            return Ok(());
        }
        let asked_for = open
            .iter()
            .chain(&doubted)
            .filter_map(|w| w.failure.as_ref()?.retry_after)
            .max()
            .unwrap_or_default();
        let pause = pauses.next().unwrap_or(LONGEST_PAUSE).max(asked_for);
        for write in open.iter_mut().chain(&mut doubted) {
            // Honoured once: the next failure may ask for another one.
            if let Some(failure) = &mut write.failure {
                failure.retry_after = None;
            }
        }
        if !sleep(desk.studio, pause).await {
            halt = Some(Halt::interrupted());
        }
    }
}

/// The longest pause between two questions.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// The pauses between two questions for an effect.
fn pauses() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(250))
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .with_jitter()
        .build()
}

fn sort<I>(desk: Desk<'_>, due: Vec<Due<I>>) -> (VecDeque<Open<I>>, Vec<Open<I>>) {
    let (mut open, mut doubted) = (VecDeque::new(), Vec::new());
    for Due { item, doubt } in due {
        let write = |doubt| Open {
            item,
            rounds: 0,
            attempts: 0,
            failure: None,
            doubt,
        };
        match doubt {
            None => open.push_back(write(None)),
            Some(doubt) => doubted.push(write(Some(Asking::earlier(&doubt, desk.assume_not_done)))),
        }
    }
    (open, doubted)
}

/// What a round leaves to do.
struct Left<I> {
    open: Vec<Open<I>>,
    doubted: Vec<Open<I>>,
    halt: Option<Halt>,
}

/// Sends everything that is open, each once.
async fn send<K: Kind>(
    desk: Desk<'_>,
    kind: &K,
    open: VecDeque<Open<K::Item>>,
    told: &mut impl FnMut(K::Item, Result<K::Made, Unwritten>),
) -> Left<K::Item> {
    let mut left = Left {
        open: Vec::new(),
        doubted: Vec::new(),
        halt: None,
    };
    let halted = std::cell::Cell::new(false);
    let waiting = std::cell::RefCell::new(open);
    let stopped = &halted;
    let next = std::iter::from_fn(|| {
        let mut waiting = waiting.borrow_mut();
        let size = kind.batch().max(1).min(waiting.len());
        // What is in flight is always waited for; what has not begun is left.
        (size > 0 && !stopped.get()).then(|| waiting.drain(..size).collect::<Vec<_>>())
    });
    let mut flying = stream::iter(next)
        .map(|chunk| send_chunk(desk, kind, chunk))
        .buffer_unordered(desk.concurrency.max(1));
    while let Some((chunk, results)) = flying.next().await {
        let results = match results {
            Ok(results) => results,
            Err(halt) => {
                left.open.extend(chunk);
                halted.set(true);
                left.halt = left.halt.or(Some(halt));
                continue;
            }
        };
        for (mut write, result) in chunk.into_iter().zip(results) {
            write.rounds += 1;
            let judged = judge(desk, kind, &mut write, result);
            match judged {
                Ok(Judged::Made(made)) => told(write.item, Ok(made)),
                Ok(Judged::Refused(failure)) => told(write.item, Err(Unwritten::NotDone(failure))),
                Ok(Judged::Again) => left.open.push(write),
                Ok(Judged::Doubted) => left.doubted.push(write),
                Err(halt) => {
                    halted.set(true);
                    left.halt = left.halt.or(Some(halt));
                    left.doubted.push(write);
                }
            }
            let ends = left.doubted.last().into_iter().chain(left.open.last());
            let ends = ends.filter_map(|w| Halt::of(w.failure.as_ref()?)).next();
            if let Some(halt) = ends {
                halted.set(true);
                left.halt = left.halt.or(Some(halt));
            }
        }
    }
    drop(flying);
    left.open.extend(waiting.into_inner());
    left
}

type Sent<K> = (
    Vec<Open<<K as Kind>::Item>>,
    Result<Vec<Result<<K as Kind>::Made, Failure>>, Halt>,
);

/// One call. Nothing goes out whose intention is not on the disk.
async fn send_chunk<K: Kind>(desk: Desk<'_>, kind: &K, chunk: Vec<Open<K::Item>>) -> Sent<K> {
    if desk.studio.http().cancel().is_cancelled() {
        return (chunk, Err(Halt::interrupted()));
    }
    for write in &chunk {
        let write = kind.write(&write.item);
        if let Err(fault) = desk.journal.note(&Fact::Sending { write }) {
            return (chunk, Err(fault.into()));
        }
    }
    if let Err(fault) = desk.journal.sync().await {
        return (chunk, Err(fault.into()));
    }
    let items: Vec<&K::Item> = chunk.iter().map(|w| &w.item).collect();
    let results = kind.send(&items).await;
    (chunk, Ok(results))
}

enum Judged<M> {
    Made(M),
    Refused(Failure),
    Again,
    Doubted,
}

/// What the outcome of one sending means, noted in the journal.
fn judge<K: Kind>(
    desk: Desk<'_>,
    kind: &K,
    open: &mut Open<K::Item>,
    result: Result<K::Made, Failure>,
) -> Result<Judged<K::Made>, Halt> {
    let write = kind.write(&open.item);
    let mut failure = match result {
        Ok(made) => {
            let made_text = K::made(&made);
            desk.journal.note(&Fact::Done {
                write,
                made: made_text,
            })?;
            return Ok(Judged::Made(made));
        }
        Err(failure) => failure,
    };
    open.attempts += failure.attempts;
    failure.attempts = open.attempts;
    let cause = failure.to_string();
    open.failure = Some(failure.clone());
    // A repeat that is refused may be so because the first one took effect after all.
    let repeated = open.rounds > 1 && failure.kind == FailureKind::Rejected;
    if failure.effect() == Effect::NotDone && !repeated {
        desk.journal.note(&Fact::NotDone { write, cause })?;
        let ends = Halt::of(&failure).is_some();
        let passing = matches!(failure.kind, FailureKind::Connect | FailureKind::Limited)
            || failure.status == Some(408);
        return Ok(if ends || (passing && open.rounds < ROUNDS) {
            Judged::Again
        } else {
            Judged::Refused(failure)
        });
    }
    let late = failure.kind == FailureKind::Timeout || failure.status == Some(504);
    desk.journal.note(&Fact::InDoubt { write, cause, late })?;
    open.doubt = Some(Asking::now(late));
    Ok(Judged::Doubted)
}

/// Tells of everything that the end of the run leaves open.
fn leave<I, M>(
    open: VecDeque<Open<I>>,
    doubted: Vec<Open<I>>,
    told: &mut impl FnMut(I, Result<M, Unwritten>),
    call: &'static str,
) {
    for write in open {
        let failure = write.failure.unwrap_or_else(|| unsent(call));
        told(write.item, Err(Unwritten::NotDone(failure)));
    }
    for write in doubted {
        let failure = write.failure.unwrap_or_else(|| lost(call));
        told(write.item, Err(Unwritten::Unknown(failure)));
    }
}

fn unsent(call: &'static str) -> Failure {
    Failure {
        call,
        kind: FailureKind::Cancelled,
        status: None,
        attempts: 0,
        message: "the run ended before it was sent".to_owned(),
        retry_after: None,
    }
}

/// Of a write that an earlier process sent.
fn lost(call: &'static str) -> Failure {
    Failure {
        call,
        kind: FailureKind::Broken,
        status: None,
        attempts: 1,
        message: "an earlier process of this run sent it and ended before the answer was noted".to_owned(),
        retry_after: None,
    }
}

/// Sleeps, or returns early when the run is cancelled. True: slept through.
pub(super) async fn sleep(studio: &Studio, pause: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(pause) => true,
        () = studio.http().cancel().cancelled() => false,
    }
}
