//! Lanes: a call's attempts come in, each with the model it is for; each goes out when the model's budget, the pace of
//! the service and what it asked for allow it, and what became of it is learned from.
//!
//! A lane is the budget of one model. Nothing holds a place in it that is not on its way: a call that sleeps before it
//! is repeated has given its place back, and is ahead of new ones when it returns. The pace is the service's: limits are
//! mostly those of a key, whatever model is asked.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use tracing::debug;
use uuid::Uuid;

use books::{Books, Key, Ticket};

mod books;
mod history;
mod limit;
mod meter;
mod pace;

/// How late the runtime's timers are at the most, where nothing else is.
const TIMER: Duration = Duration::from_millis(2);

/// How many attempts may be on their way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Concurrency {
    /// As many as each model is found to take.
    Auto,
    /// At most so many of all models together; at least 1.
    Fixed(usize),
    /// Any number.
    #[default]
    Unbounded,
}

/// What a client knows of a service's limits from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Attempts at once.
    pub concurrency: Concurrency,
    /// Requests a minute that each model takes, where that is known.
    pub rpm: Option<u64>,
    /// Tokens a minute that each model takes, where that is known.
    pub tpm: Option<u64>,
}

/// Who goes first where two could.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// It finishes what was begun.
    Finishes,
    /// It begins something.
    Begins,
}

/// The turn that a call waits for before each attempt.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Whose budget it takes.
    pub lane: Lane,
    /// How it stands among others.
    pub urgency: Urgency,
}

/// What became of an attempt, as far as a lane learns from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A reply came.
    Through,
    /// 429, or what means the same.
    Refused { retry_after: Option<Duration> },
    /// 503 or 529.
    Overloaded { retry_after: Option<Duration> },
    /// No reply came in time.
    TimedOut,
    /// Anything else, and what was given up.
    Other,
}

/// What a lane came to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LaneFigures {
    /// Calls at once that it allows; none where the number was given.
    pub limit: Option<usize>,
    /// The most that it allowed.
    pub highest: Option<usize>,
    /// Attempts that were refused for too much traffic.
    pub refused: u64,
    /// The pace of all models together, where refusals taught one.
    pub calls_a_second: Option<f64>,
}

/// All lanes of one client; clones are the same ones.
#[derive(Clone)]
pub struct Lanes {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Somebody else has to mind the time.
    vacant: Notify,
    /// The time that is minded may have changed.
    changed: Notify,
    /// More calls may be begun.
    room: Notify,
}

struct State {
    books: Books<oneshot::Sender<Ticket>>,
    /// Whoever waits and minds the time for all.
    keeper: Option<Key>,
}

impl Lanes {
    /// No lane yet.
    pub fn new(traffic: Traffic) -> Lanes {
        let [high, low] = [0, 64].map(|shift| (Uuid::new_v4().as_u128() >> shift) as u64);
        Lanes::with_chance(traffic, high ^ low)
    }

    /// With a chance that is given, for tests.
    pub(crate) fn with_chance(traffic: Traffic, chance: u64) -> Lanes {
        let state = State {
            books: Books::new(traffic, chance, Instant::now()),
            keeper: None,
        };
        Lanes {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                vacant: Notify::new(),
                changed: Notify::new(),
                room: Notify::new(),
            }),
        }
    }

    /// The lane of a model.
    pub fn of(&self, model: &str) -> Lane {
        let at = self.shared.state().books.lane(model, Instant::now());
        Lane {
            shared: Arc::clone(&self.shared),
            at,
        }
    }

    /// Calls that are begun and can't go for now: they sleep, or their lane is closed. At most a few dozen.
    pub fn parked(&self) -> usize {
        self.shared.state().books.parked(Instant::now())
    }

    /// Comes when more calls may be begun than before; for one listener.
    pub async fn more_room(&self) {
        self.shared.room.notified().await;
    }

    /// What became of each lane, by model.
    pub fn figures(&self) -> BTreeMap<String, LaneFigures> {
        let state = self.shared.state();
        let figures = state.books.figures();
        figures
            .map(|(name, figures)| (name.to_owned(), figures))
            .collect()
    }
}

/// The lane of one model; clones are the same one.
#[derive(Clone)]
pub struct Lane {
    shared: Arc<Shared>,
    at: usize,
}

impl Lane {
    /// How many calls may be begun at any time, those that sleep included.
    pub fn room(&self) -> usize {
        self.shared.state().books.room(self.at)
    }

    /// Whether refusals came for so long, and nothing else, that waiting is no use any more.
    pub(crate) fn is_given_up(&self) -> bool {
        self.shared.state().books.is_given_up(self.at, Instant::now())
    }

    /// Waits for the turn of an attempt.
    pub(crate) async fn admit(&self, repeat: bool, urgency: Urgency) -> Permit {
        let shared = &self.shared;
        let (sender, turn) = oneshot::channel();
        let key = shared.state().books.arrive(self.at, repeat, urgency, sender);
        let mut waiting = Waiting {
            lane: self,
            key,
            turn,
        };
        // Whoever minds the time knows nothing of it yet.
        let mut is_new = true;
        loop {
            let soonest = shared.turns();
            if let Ok(ticket) = waiting.turn.try_recv() {
                return self.permit(ticket);
            }
            let keeps = *shared.state().keeper.get_or_insert(key) == key;
            if !keeps && std::mem::take(&mut is_new) {
                shared.changed.notify_one();
            }
            let time = async {
                match soonest {
                    Some((soonest, is_exact)) => until(soonest, is_exact).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                ticket = &mut waiting.turn => {
                    // The sender is dropped with its place in the queue alone, which is this one's.
                    if let Ok(ticket) = ticket {
                        return self.permit(ticket);
                    }
                }
                () = time, if keeps => {}
                () = shared.changed.notified(), if keeps => {}
                () = shared.vacant.notified(), if !keeps => {}
            }
        }
    }

    fn permit(&self, ticket: Ticket) -> Permit {
        Permit {
            lane: self.clone(),
            ticket,
            end: End::Other,
        }
    }

    /// For as long as this lives a call sleeps.
    pub(crate) fn sleep(&self) -> Asleep<'_> {
        self.shared.state().books.asleep(self.at, true);
        self.shared.room.notify_one();
        Asleep { lane: self }
    }

    /// A reply took so many tokens.
    pub fn took(&self, tokens: u64) {
        self.shared.state().books.took(self.at, tokens);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets everybody go whose turn it is; when the next one comes by time alone, and whether that time is to be kept
    /// better than by a timer.
    fn turns(&self) -> Option<(Instant, bool)> {
        let mut state = self.state();
        let now = Instant::now();
        loop {
            match state.books.turn(now) {
                Err(soonest) => return soonest.map(|soonest| (soonest, state.books.is_exact())),
                Ok((waiter, ticket)) => {
                    if let Err(ticket) = waiter.send(ticket) {
                        state.books.end(&ticket, End::Other, now);
                    }
                }
            }
        }
    }

    fn end(&self, ticket: &Ticket, end: End) {
        let mut state = self.state();
        state.books.end(ticket, end, Instant::now());
        if !matches!(end, End::Through | End::Other)
            && let Some((model, figures)) = state.books.figures().nth(ticket.lane)
        {
            debug!(
                model,
                outcome = ?end,
                at_once = figures.limit,
                calls_a_second = figures.calls_a_second.map(f64::round),
                "lane"
            );
        }
        drop(state);
        self.turns();
        self.changed.notify_one();
    }
}

/// Until then. The timers of the runtime are of a millisecond and late; a thread that sleeps is so by less than a tenth.
async fn until(at: Instant, is_exact: bool) {
    // A paused clock, which a test has, stands still while a thread sleeps.
    if is_exact && !cfg!(test) {
        if let Some(early) = at.checked_sub(TIMER).filter(|early| *early > Instant::now()) {
            sleep_until(early).await;
        }
        let rest = at.saturating_duration_since(Instant::now()).min(TIMER);
        if !rest.is_zero() {
            // It fails when the runtime ends, and then nobody waits any more.
            #[expect(
                clippy::disallowed_methods,
                reason = "a fraction of a timer's grain, on a thread of its own"
            )]
            let _ = spawn_blocking(move || std::thread::sleep(rest)).await;
        }
    }
    // Where it has come already a timer would wait for the next millisecond.
    if Instant::now() < at {
        sleep_until(at).await;
    }
}

/// A place in the queue.
struct Waiting<'a> {
    lane: &'a Lane,
    key: Key,
    turn: oneshot::Receiver<Ticket>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let shared = &self.lane.shared;
        let mut state = shared.state();
        state.books.leave(self.lane.at, self.key);
        if state.keeper == Some(self.key) {
            state.keeper = None;
        }
        let vacant = state.keeper.is_none();
        drop(state);
        // Also by one that was woken to mind the time and whose turn came first: somebody else has to be woken then.
        if vacant {
            shared.vacant.notify_one();
        }
        // Its turn came, and nobody was there.
        if let Ok(ticket) = self.turn.try_recv() {
            shared.end(&ticket, End::Other);
        }
    }
}

/// An attempt may be on its way; its place is free again when this is dropped.
pub(crate) struct Permit {
    lane: Lane,
    ticket: Ticket,
    end: End,
}

impl Permit {
    /// What became of the attempt.
    pub(crate) fn end(mut self, end: End) {
        self.end = end;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.lane.shared.end(&self.ticket, self.end);
    }
}

/// A call that sleeps before it is repeated.
pub(crate) struct Asleep<'a> {
    lane: &'a Lane,
}

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.lane.shared.state().books.asleep(self.lane.at, false);
    }
}

impl fmt::Debug for Lanes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.figures()).finish()
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;
