//! How fast a service takes calls, learned from its refusals: calls that were sent and refused come in, with the
//! time; the earliest moment of the next call goes out.
//!
//! Nothing is known at first: the rate starts at [`FIRST`] and grows with every call that comes through, so that the
//! first refusal comes near the limit and not far beyond it. The refusal cuts it; it is searched for between there and
//! the refusal; once found it is held a little below, and tried again ever more boldly the longer nothing was refused
//! (the cubic law of RFC 9438, in time that counts only where the pace was in the way).

use std::time::Duration;

use tokio::time::Instant;

/// Calls a second, before anything is known.
const FIRST: f64 = 100.0;
/// Calls a second that each call adds until the first refusal: it doubles in about a fifth of a second.
const RAMP: f64 = 4.0;
/// Above this many calls a second nothing is spaced.
const FREE: f64 = 20_000.0;
/// Slowest pace, in calls a second: what is refused beyond that is a matter of closing times.
const SLOWEST: f64 = 0.2;
/// What is left of the rate at the first refusal, and at one that comes soon after another.
const FIRST_CUT: f64 = 0.8;
const SOON_CUT: f64 = 0.85;
/// A refusal within this time of the last one says that the rate is still far off.
const SOON: Duration = Duration::from_millis(400);
/// Seconds in which a search comes most of the way.
const SEARCH_SECONDS: f64 = 0.6;
/// Where a search ends, as a share of the rate that was refused.
const FOUND: f64 = 0.97;
/// The plateau, as a share of the rate that was refused.
const PLATEAU: f64 = 0.985;
/// How far below the plateau it begins, and seconds until it is there.
const DIP: f64 = 0.04;
const PLATEAU_SECONDS: f64 = 10.0;
/// Timers are no finer than this: above its rate calls may go in small groups.
const GRAIN: Duration = Duration::from_millis(4);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// Never refused.
    Ramp,
    /// The rate lies below this.
    Search { refused: f64 },
    /// It is about this; so many busy seconds ago it was refused.
    Hold { plateau: f64, age: f64 },
}

/// The pace of all calls to a service.
#[derive(Debug)]
pub(super) struct Pace {
    rate: f64,
    phase: Phase,
    /// The next call goes not before.
    next: Instant,
    last: Option<Instant>,
    /// What was sent before says nothing about the rate since.
    opened: Instant,
    /// Sent since then and not refused.
    sent: u32,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Pace {
        Pace {
            rate: FIRST,
            phase: Phase::Ramp,
            next: now,
            last: None,
            opened: now,
            sent: 0,
        }
    }

    /// Calls a second, where a refusal has taught it.
    pub(super) fn learned(&self) -> Option<f64> {
        (self.phase != Phase::Ramp).then_some(self.rate)
    }

    /// The next call goes not before.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// A call goes out. Whether the pace was in its way.
    pub(super) fn sent(&mut self, now: Instant) -> bool {
        if self.rate >= FREE {
            return false;
        }
        let gap = Duration::from_secs_f64(1.0 / self.rate);
        let binds = self.last.is_some_and(|last| now.duration_since(last) < gap.mul_f64(1.5));
        self.last = Some(now);
        // Late timers are made up for where the gap is smaller than they can be late.
        let late = if gap < GRAIN { GRAIN } else { Duration::ZERO };
        let from = now.checked_sub(late).map_or(now, |early| early.max(self.next));
        self.next = from + gap;
        self.sent += 1;
        binds
    }

    /// A call that the pace was in the way of came through.
    pub(super) fn accepted(&mut self) {
        match &mut self.phase {
            Phase::Ramp => self.rate += RAMP,
            Phase::Search { refused } => {
                let refused = *refused;
                self.rate += (refused - self.rate) / (self.rate * SEARCH_SECONDS).max(1.0);
                if self.rate >= FOUND * refused {
                    self.hold(refused * FOUND / PLATEAU);
                }
            }
            Phase::Hold { plateau, age } => {
                *age += 1.0 / self.rate;
                let way = *age / PLATEAU_SECONDS - 1.0;
                // From here on everything is unknown again, and a search would find it.
                self.rate = (*plateau * (1.0 + DIP * way.powi(3))).min(*plateau * 4.0);
            }
        }
    }

    /// A call that went out at `sent_at` was refused; calls like it wait until `opens`.
    pub(super) fn refused(&mut self, sent_at: Instant, now: Instant, opens: Instant) {
        self.sent = self.sent.saturating_sub(1);
        if sent_at < self.opened {
            return;
        }
        let since = now.saturating_duration_since(self.opened);
        let (through, seconds) = (f64::from(self.sent), since.as_secs_f64());
        // Where nothing came through at all, the service is closed: that says nothing about the rate.
        if self.sent > 0 || self.phase == Phase::Ramp {
            match self.phase {
                Phase::Ramp => {
                    let seen = if self.sent >= 10 { through / seconds.max(0.001) } else { self.rate };
                    let refused = self.rate.min(seen);
                    self.search(refused, FIRST_CUT);
                }
                _ if since < SOON => self.search(self.rate, SOON_CUT),
                _ => self.hold(self.rate),
            }
        }
        self.opened = opens;
        self.sent = 0;
        self.last = None;
    }

    fn search(&mut self, refused: f64, cut: f64) {
        let refused = refused.max(SLOWEST);
        self.rate = (refused * cut).max(SLOWEST);
        self.phase = Phase::Search { refused };
    }

    /// `refused`: the rate that was just too much.
    fn hold(&mut self, refused: f64) {
        let plateau = (refused * PLATEAU).max(SLOWEST);
        self.rate = plateau * (1.0 - DIP);
        self.phase = Phase::Hold { plateau, age: 0.0 };
    }
}
