//! What an evaluation may take at the most comes in, with every call that is begun and every reply that came;
//! whether one more call may be begun goes out.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::results::{StopKind, Stopped};
use crate::studio::Purpose;

/// What is in flight at [`Limits::until`] may still arrive for this long.
pub const GRACE: Duration = Duration::from_secs(5);

/// What an evaluation may take at the most. Reaching a limit ends it in order: nothing is begun that the limit
/// does not hold, what is in flight is waited for, and the rest was not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// From then on nothing is begun; what is in flight may take [`GRACE`] longer.
    pub until: Option<Instant>,
    /// Requests that the client may have sent when the evaluation ends, those before it included. An answer is
    /// begun only where its judgements fit too. A call counts as one request when it is begun, so what the
    /// client repeats of the calls in flight can exceed the number by that.
    pub calls: Option<u64>,
    /// Tokens of this evaluation's chat calls, prompt and completion, as the service counts them; a reply
    /// without a count is taken for one token per 4 bytes. A call is begun only where the mean of those before
    /// it fits, so the last ones can exceed the number by what they differ from the mean.
    pub tokens: Option<u64>,
    /// Of `calls`, what is left over for each answer that has a score: what the cycle sends for it.
    pub calls_per_answer: u64,
    /// Of `calls`, what is left over in any case.
    pub calls_reserved: u64,
}

/// The limit that keeps a call from being begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    Deadline,
    Calls,
    Tokens,
}

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    /// An answer, and this many judgements of it; so many other answers are begun and not yet with the judge.
    Answer { votes: u64, open: u64 },
    /// A judgement of an answer that counts as scored already, or not yet.
    Judgement { counts: bool },
    /// A judgement that is of no answer of this run. What this run's own answers are owed comes first.
    Beside,
    /// A request that is no chat call.
    Request,
}

/// The limits, and what was taken of them so far.
pub(super) struct Purse<'a> {
    limits: &'a Limits,
    /// Requests that the client has sent.
    sent: &'a (dyn Fn() -> u64 + Sync),
    began: Instant,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    answers: Book,
    judgements: Book,
    /// Answers that have a score, or a judgement in flight.
    scored: u64,
    owed: Owed,
    /// What was in the way of a call last.
    refused: Option<Reached>,
}

/// What the answers that were begun have still to come.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Owed {
    /// Judgements at the most.
    pub(super) judgements: u64,
    /// Answers at the most that may have a score by them.
    pub(super) scores: u64,
}

/// The chat calls of one purpose.
#[derive(Debug, Default, Clone, Copy)]
struct Book {
    /// Begun, and not yet among the requests that were sent.
    waiting: u64,
    flying: u64,
    /// Over, whatever became of them.
    ended: u64,
    replies: u64,
    tokens: u64,
}

impl Book {
    fn in_flight(&self) -> u64 {
        self.waiting + self.flying
    }

    /// Tokens of one call, as those so far were.
    fn mean(&self) -> Option<u64> {
        (self.replies > 0).then(|| self.tokens.div_ceil(self.replies))
    }
}

impl Books {
    fn book(&mut self, purpose: Purpose) -> &mut Book {
        match purpose {
            Purpose::Answer => &mut self.answers,
            Purpose::Judge => &mut self.judgements,
        }
    }

    fn tokens(&self) -> u64 {
        self.answers.tokens.saturating_add(self.judgements.tokens)
    }

    /// Whether the calls of this number hold what is wanted when `sent` are sent.
    fn calls_hold(&self, calls: u64, limits: &Limits, wanted: Wanted, sent: u64) -> bool {
        let begun = sent
            .saturating_add(self.answers.waiting)
            .saturating_add(self.judgements.waiting);
        let (more, scored) = match wanted {
            // An answer that can't be judged is of no use to this run.
            Wanted::Answer { votes, open } => (
                1 + (open + 1).saturating_mul(votes),
                self.scored.saturating_add(open + 1),
            ),
            Wanted::Judgement { counts } => (1, self.scored + u64::from(!counts)),
            Wanted::Beside => (
                self.owed.judgements.saturating_add(1),
                self.scored.saturating_add(self.owed.scores),
            ),
            Wanted::Request => (1, self.scored),
        };
        begun
            .saturating_add(more)
            .saturating_add(limits.calls_reserved)
            .saturating_add(limits.calls_per_answer.saturating_mul(scored))
            <= calls
    }

    /// Whether these tokens hold what is wanted, if it takes what the calls before it took.
    fn tokens_hold(&self, tokens: u64, wanted: Wanted) -> bool {
        let (answers, judgements) = (&self.answers, &self.judgements);
        // Before anything is known of a purpose, its first call goes alone.
        let alone = |book: &Book| book.ended > 0 || book.in_flight() == 0;
        let answer = answers.mean().or(judgements.mean()).unwrap_or(1);
        let judgement = judgements.mean().or(answers.mean()).unwrap_or(1);
        let more = match wanted {
            Wanted::Answer { votes, open } if alone(answers) => {
                let to_come = (open + 1)
                    .saturating_mul(votes)
                    .saturating_add(judgements.in_flight());
                (answers.in_flight() + 1)
                    .saturating_mul(answer)
                    .saturating_add(to_come.saturating_mul(judgement))
            }
            Wanted::Judgement { .. } if alone(judgements) => answers
                .in_flight()
                .saturating_mul(answer)
                .saturating_add((judgements.in_flight() + 1).saturating_mul(judgement)),
            Wanted::Beside if alone(judgements) => {
                let to_come = (judgements.in_flight() + 1).saturating_add(self.owed.judgements);
                answers
                    .in_flight()
                    .saturating_mul(answer)
                    .saturating_add(to_come.saturating_mul(judgement))
            }
            Wanted::Answer { .. } | Wanted::Judgement { .. } | Wanted::Beside => return false,
            Wanted::Request => 0,
        };
        self.tokens().saturating_add(more) <= tokens
    }
}

impl<'a> Purse<'a> {
    /// `sent` tells how many requests the client has sent so far.
    pub(super) fn new(limits: &'a Limits, sent: &'a (dyn Fn() -> u64 + Sync)) -> Purse<'a> {
        Purse {
            limits,
            sent,
            began: Instant::now(),
            books: Mutex::default(),
        }
    }

    /// The limit that does not hold what is wanted, now. With calls in flight it may hold it later.
    pub(super) fn refuses(&self, wanted: Wanted) -> Option<Reached> {
        let limits = self.limits;
        if *limits == Limits::default() {
            return None;
        }
        let mut books = self.books();
        let reached = if self.is_over() {
            Some(Reached::Deadline)
        } else if limits
            .calls
            .is_some_and(|calls| !books.calls_hold(calls, limits, wanted, (self.sent)()))
        {
            Some(Reached::Calls)
        } else if limits
            .tokens
            .is_some_and(|tokens| !books.tokens_hold(tokens, wanted))
        {
            Some(Reached::Tokens)
        } else {
            None
        };
        books.refused = reached.or(books.refused);
        reached
    }

    /// The limit that was in the way of a call last.
    pub(super) fn refused(&self) -> Option<Reached> {
        self.books().refused
    }

    /// Whether nothing may be begun any more because of the time.
    pub(super) fn is_over(&self) -> bool {
        self.limits.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Comes when what is in flight is waited for no longer.
    pub(super) async fn patience(&self) {
        match self.limits.until {
            Some(until) => sleep_until(until + GRACE).await,
            None => std::future::pending().await,
        }
    }

    /// A call will be sent.
    pub(super) fn begin(&self, purpose: Purpose) {
        self.books().book(purpose).waiting += 1;
    }

    /// It is sent now, or will never be.
    pub(super) fn begun(&self, purpose: Purpose) {
        let mut books = self.books();
        let book = books.book(purpose);
        book.waiting = book.waiting.saturating_sub(1);
    }

    /// One more call is on its way, and counts as a request that was sent.
    pub(super) fn left(&self, purpose: Purpose) {
        self.books().book(purpose).flying += 1;
    }

    /// It is over; how many tokens its reply took, where one came.
    pub(super) fn landed(&self, purpose: Purpose, tokens: Option<u64>) {
        let mut books = self.books();
        let book = books.book(purpose);
        book.flying = book.flying.saturating_sub(1);
        book.ended += 1;
        if let Some(tokens) = tokens {
            book.replies += 1;
            book.tokens = book.tokens.saturating_add(tokens);
        }
    }

    /// How many answers have a score, or a judgement in flight.
    pub(super) fn scored(&self, answers: usize) {
        self.books().scored = answers as u64;
    }

    /// What the answers that were begun have still to come.
    pub(super) fn owes(&self, owed: Owed) {
        self.books().owed = owed;
    }

    /// Tokens that were taken.
    pub(super) fn tokens(&self) -> u64 {
        self.books().tokens()
    }

    /// The end that a limit brings.
    pub(super) fn stopped(&self, reached: Reached) -> Stopped {
        let books = self.books();
        let (kind, message) = match reached {
            Reached::Deadline => (
                StopKind::Deadline,
                format!(
                    "the deadline for asking is reached, after {} s",
                    self.began.elapsed().as_secs()
                ),
            ),
            Reached::Calls => {
                let limits = self.limits;
                let rest = limits
                    .calls_per_answer
                    .saturating_mul(books.scored)
                    .saturating_add(limits.calls_reserved);
                let rest = match rest {
                    0 => String::new(),
                    rest => format!(", {rest} left for the cycle"),
                };
                (
                    StopKind::Budget,
                    format!(
                        "the budget of {} calls holds no more ({} sent{rest})",
                        limits.calls.unwrap_or_default(),
                        (self.sent)(),
                    ),
                )
            }
            Reached::Tokens => (
                StopKind::Budget,
                format!(
                    "the budget of {} tokens holds no more ({} used)",
                    self.limits.tokens.unwrap_or_default(),
                    books.tokens()
                ),
            ),
        };
        Stopped { kind, message }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Purse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Purse")
            .field("limits", self.limits)
            .field("books", &*self.books())
            .finish_non_exhaustive()
    }
}
