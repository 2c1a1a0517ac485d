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
/// What is left of the rate at the first refusal.
const FIRST_CUT: f64 = 0.75;
/// What a count leaves of the rate at the least.
const LEAST_TOLD: f64 = 0.6;
/// The plateau, as a share of the rate, and the dip below it, where nothing could be counted.
const UNTOLD_CUT: f64 = 0.95;
const UNTOLD_DIP: f64 = 0.07;
/// So many calls have to come through between two refusals before they are counted.
const TELLING: u32 = 20;
/// Fewer will do, and at least so many, where there were as many refusals.
const FEW: u32 = 3;
/// Seconds in which a search comes most of the way.
const SEARCH_SECONDS: f64 = 1.0;
/// Where a search ends, as a share of the rate that was refused.
const FOUND: f64 = 0.97;
/// How far below the plateau it begins, as a share of it, and seconds until it is there.
const DIP: f64 = 0.03;
const PLATEAU_SECONDS: f64 = 4.0;
/// And for each second that a refusal closes it.
const PLATEAU_CLOSED: f64 = 8.0;
/// A timer's lateness, which the next call makes up for.
const LATE: Duration = Duration::from_millis(1);
/// Where gaps are smaller than this, calls may go in groups of so much time.
const GRAIN: Duration = Duration::from_millis(4);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    /// Never refused.
    Ramp,
    /// The rate lies below this.
    Search { refused: f64 },
    /// It is about this; so many busy seconds ago it was refused.
    Hold { plateau: f64, dip: f64, age: f64 },
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
    /// When the refusal came that it was closed for.
    closed: Instant,
    /// Sent since then and not refused.
    sent: u32,
    /// Since then it was closed for that refusal alone.
    is_whole: bool,
    /// Refusals since then.
    broken: u32,
    /// Seconds that it was open until the last refusal.
    open: f64,
    /// Seconds for which a refusal closes it, about.
    closing: f64,
    /// Calls until the very first refusal, and the seconds that they took.
    first: Option<(f64, f64)>,
    /// Of those, calls that the pace was in the way of, and the seconds that their gaps took.
    spaced: u32,
    busy: f64,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Pace {
        Pace {
            rate: FIRST,
            phase: Phase::Ramp,
            next: now,
            last: None,
            opened: now,
            closed: now,
            first: None,
            sent: 0,
            is_whole: true,
            broken: 0,
            open: 0.0,
            closing: 0.0,
            spaced: 0,
            busy: 0.0,
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
        let binds = self
            .last
            .is_some_and(|last| now.duration_since(last) < gap.mul_f64(1.5));
        self.last = Some(now);
        // Late timers are made up for where the gap is smaller than they can be late.
        let late = if gap < GRAIN { GRAIN } else { LATE };
        let from = now.checked_sub(late).map_or(now, |early| early.max(self.next));
        self.next = from + gap;
        self.sent += 1;
        if binds {
            self.spaced += 1;
            self.busy += gap.as_secs_f64();
        }
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
                    self.hold(refused * FOUND / (1.0 - DIP), DIP);
                }
            }
            Phase::Hold { plateau, dip, age } => {
                *age += 1.0 / self.rate;
                // What a refusal costs decides how soon the next one may come.
                let way = *age / (PLATEAU_SECONDS + PLATEAU_CLOSED * self.closing) - 1.0;
                // From here on everything is unknown again, and a search would find it.
                self.rate = (*plateau * (1.0 + *dip * way.powi(3))).min(*plateau * 4.0);
            }
        }
    }

    /// A call that went out at `sent_at` was refused; calls like it wait until `opens`.
    pub(super) fn refused(&mut self, sent_at: Instant, now: Instant, opens: Instant) {
        if sent_at >= self.closed {
            self.sent = self.sent.saturating_sub(1);
        }
        if sent_at < self.opened {
            return;
        }
        let open = now.saturating_duration_since(self.opened).as_secs_f64();
        let all = now.saturating_duration_since(self.closed).as_secs_f64();
        self.opened = opens;
        let Some((first, seconds)) = self.first else {
            let seen = match self.spaced {
                0..10 => self.rate,
                spaced => f64::from(spaced) / self.busy.max(0.001),
            };
            self.first = Some((f64::from(self.sent), open));
            self.search(self.rate.min(seen), FIRST_CUT);
            self.begin(now);
            return;
        };
        self.broken += 1;
        if self.sent < TELLING && (self.sent < FEW || self.broken < FEW) {
            // Where hardly anything came through, the service is closed: that alone says nothing about the rate.
            self.is_whole = false;
            self.open += open;
            return;
        }
        self.closing = 0.5 * self.closing + 0.5 * (all - self.open - open).max(0.0);
        match self.capacity((first, seconds), open, all) {
            Some(took) => self.hold(took, DIP),
            None => self.hold(self.rate * UNTOLD_CUT, UNTOLD_DIP),
        }
        self.begin(now);
    }

    /// What the service takes a second, if what came through since the last refusal that counted tells it: `open` seconds
    /// since it opened last, `all` seconds since that refusal.
    ///
    /// It may have let calls through ahead of its rate R: B of them, and in the time that it was closed it makes up for
    /// at most R of it. From the very first refusal, B = first - R * seconds; and now it let through B or what it made
    /// up for, whichever is less, and R * open.
    fn capacity(&self, (first, seconds): (f64, f64), open: f64, all: f64) -> Option<f64> {
        let through = f64::from(self.sent);
        let was_open = self.open + open;
        // With pauses in between, of which the pace is not the cause, nothing can be counted.
        if self.busy < 0.85 * was_open {
            return None;
        }
        let made_up = through / all.max(0.001);
        let longer = open - seconds;
        // One that counts by the second makes up for nothing.
        let most = (through / was_open.max(0.001)).min(self.rate);
        let counted = match self.is_whole && longer > 0.3 * open && through > first {
            true => made_up.max((through - first) / longer),
            false => made_up,
        };
        let took = match self.is_whole && counted >= 0.8 * most {
            true => counted.min(most),
            false => f64::midpoint(counted.min(most), most),
        };
        Some(took.clamp(LEAST_TOLD * self.rate, self.rate))
    }

    /// The account begins anew.
    fn begin(&mut self, now: Instant) {
        self.closed = now;
        self.is_whole = true;
        self.broken = 0;
        self.open = 0.0;
        self.sent = 0;
        self.spaced = 0;
        self.busy = 0.0;
        self.last = None;
    }

    fn search(&mut self, refused: f64, cut: f64) {
        let refused = refused.max(SLOWEST);
        self.rate = (refused * cut).max(SLOWEST);
        self.phase = Phase::Search { refused };
    }

    /// Nothing goes out until then.
    pub(super) fn close(&mut self, opens: Instant) {
        self.next = self.next.max(opens);
    }

    /// Just below the plateau for now.
    fn hold(&mut self, plateau: f64, dip: f64) {
        let plateau = plateau.max(SLOWEST);
        self.rate = plateau * (1.0 - dip);
        self.phase = Phase::Hold {
            plateau,
            dip,
            age: 0.0,
        };
    }
}
