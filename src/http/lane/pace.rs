//! How fast a service takes calls, learned from its refusals: calls that were sent and refused come in, with the
//! time; the earliest moment of the next call goes out.
//!
//! Nothing is known at first: the rate starts at [`FIRST`] and doubles with the round trip. The first refusal halves it,
//! at the least, and from there it is searched for upwards; or, where calls that are spaced are refused again, the
//! service counts by the second, and what came through in one is the rate. The second refusal tells it: by how far
//! ahead of the service the calls were both times, or by the one count that explains both. It is held a little below,
//! the longer the more a refusal costs, and then tried ever more boldly (the cubic law of RFC 9438, in time that counts
//! only where the pace was in the way).

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::history::{ahead, by_the_second};

/// Calls a second, before anything is known.
const FIRST: f64 = 50.0;
/// Until the first refusal it doubles in so many of the quickest round trip, and within these bounds.
const DOUBLING: f64 = 20.0;
const DOUBLING_SECONDS: (f64, f64) = (0.005, 0.1);
/// Above this many calls a second nothing is spaced.
const FREE: f64 = 20_000.0;
/// Slowest pace, in calls a second: what is refused beyond that is a matter of closing times.
const SLOWEST: f64 = 0.2;
/// What a count leaves of the rate at the least.
const LEAST_TOLD: f64 = 0.5;
/// And at the most, where refusals cost much.
const MOST_TOLD: f64 = 0.95;
/// Fewer calls than that between two refusals tell nothing.
const TELLING: u32 = 12;
/// Nor does what came through in less than so many seconds.
const ACCOUNT: f64 = 0.9;
/// So many refusals in a row that tell nothing slow it all the same.
const FEW: u32 = 3;
/// Calls that a service which doesn't count by the second would have taken since, before another is sent.
const DUE: f64 = 2.0;
/// So many at most come through where a service is closed until its second is over.
const HARDLY: u32 = 1;
/// A refusal that closes for no longer, in seconds, costs little.
const CHEAP: f64 = 0.3;
/// Seconds in which a search doubles the rate; and what is added when refusals close for a second.
const CLIMB: f64 = 0.7;
const CLIMB_CLOSED: f64 = 0.4;
/// Where a search ends, as a share of the rate that was refused.
const FOUND: f64 = 0.97;
/// What is held, as a share of what the service took.
const PLATEAU: f64 = 0.985;
/// Seconds for which it is held.
const PLATEAU_SECONDS: f64 = 4.0;
/// And for each second that a refusal closes it.
const PLATEAU_CLOSED: f64 = 20.0;
/// What is tried above it after as much time again, as a share of it.
const BOLD: f64 = 0.03;
/// Calls that are remembered.
const MOST_SENDS: usize = 4_096;
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
    /// When the last refusal came that told something.
    closed: Instant,
    /// It was closed until its second was over.
    by_second: bool,
    /// When calls went out that were refused, and told something.
    told: VecDeque<Instant>,
    /// What came through in the second before the very first refusal.
    count: Option<f64>,
    /// So many calls at once are never refused.
    burst: f64,
    /// Sent since then and not refused.
    sent: u32,
    /// Refusals in a row that told nothing.
    untold: u32,
    /// Seconds for which the last refusal closed it.
    closing: f64,
    /// When calls went out: until the very first refusal, and lately.
    first: Vec<Instant>,
    sends: VecDeque<Instant>,
    /// The quickest round trip, in seconds.
    quickest: f64,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Pace {
        Pace {
            rate: FIRST,
            phase: Phase::Ramp,
            next: now,
            last: None,
            closed: now,
            by_second: false,
            count: None,
            told: VecDeque::new(),
            burst: f64::INFINITY,
            quickest: f64::INFINITY,
            sent: 0,
            untold: 0,
            closing: 0.0,
            first: Vec::new(),
            sends: VecDeque::new(),
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

    /// Whether the service refuses a call that is early by a fraction of the gap.
    pub(super) fn is_exact(&self) -> bool {
        self.burst < 2.0 && self.rate * GRAIN.as_secs_f64() <= 1.0
    }

    /// A call goes out. Whether the pace was in its way.
    pub(super) fn sent(&mut self, now: Instant) -> bool {
        if self.rate >= FREE {
            // A first refusal is told by what went out before it.
            self.note(now);
            return false;
        }
        let gap = Duration::from_secs_f64(1.0 / self.rate);
        let binds = self
            .last
            .is_some_and(|last| now.duration_since(last) < gap.mul_f64(1.5));
        self.last = Some(now);
        // Late timers are made up for where the gap is smaller than they can be late.
        let late = if gap < GRAIN { GRAIN } else { LATE };
        let late = if self.is_exact() { Duration::ZERO } else { late };
        let from = now.checked_sub(late).map_or(now, |early| early.max(self.next));
        self.next = from + gap;
        self.note(now);
        binds
    }

    fn note(&mut self, now: Instant) {
        self.sent += 1;
        if self.sends.len() >= MOST_SENDS {
            let gone = self.sends.pop_front();
            self.told
                .retain(|told| gone.is_none_or(|gone| told.duration_since(gone) > Duration::from_secs(1)));
        }
        if self.sends.is_empty() {
            // What came before the very first call was no pause.
            self.closed = now;
        }
        self.sends.push_back(now);
    }

    /// A call came through that went out at `sent_at`; whether the pace was in its way.
    pub(super) fn accepted(&mut self, sent_at: Instant, latency: Duration, paced: bool) {
        self.quickest = self.quickest.min(latency.as_secs_f64());
        // What went out before a refusal that closes for long comes back when hardly anything goes.
        if !paced || (sent_at < self.closed && self.closing > CHEAP) {
            return;
        }
        match &mut self.phase {
            Phase::Ramp => {
                let doubling = (DOUBLING * self.quickest).clamp(DOUBLING_SECONDS.0, DOUBLING_SECONDS.1);
                self.rate *= (1.0 / (self.rate * doubling)).min(1.0).exp2();
            }
            Phase::Search { refused } => {
                let refused = *refused;
                let doubling = CLIMB + CLIMB_CLOSED * self.closing.min(1.0);
                self.rate *= (1.0 / (self.rate * doubling)).min(1.0).exp2();
                if self.rate >= FOUND * refused {
                    self.hold(refused);
                }
            }
            Phase::Hold { plateau, age } => {
                *age += 1.0 / self.rate;
                // What a refusal costs decides how soon the next one may come.
                let held = PLATEAU_SECONDS + PLATEAU_CLOSED * self.closing;
                let beyond = (*age - held).max(0.0) / PLATEAU_SECONDS;
                self.rate = *plateau * (1.0 + BOLD * beyond.powi(3));
                if self.rate > 2.0 * *plateau {
                    // Everything is unknown again.
                    self.phase = Phase::Search {
                        refused: f64::INFINITY,
                    };
                }
            }
        }
    }

    /// A call that went out at `sent_at` was refused; calls like it wait until `opens`.
    pub(super) fn refused(&mut self, sent_at: Instant, now: Instant, opens: Instant) {
        let at = self.sends.partition_point(|at| *at < sent_at);
        if self.sends.get(at) == Some(&sent_at) {
            self.sends.remove(at);
        }
        if sent_at < self.closed {
            // It went out before the last refusal was known, and was counted as one that came through.
            return;
        }
        self.sent = self.sent.saturating_sub(1);
        let all = now.saturating_duration_since(self.closed).as_secs_f64();
        let through = f64::from(self.sent);
        if self.phase != Phase::Ramp && all < ACCOUNT && self.sent < TELLING {
            // Where nothing comes through any more that was spaced, it counts by the second.
            let waited = sent_at.duration_since(self.closed).as_secs_f64();
            if self.sent <= HARDLY && waited >= self.due() && matches!(self.phase, Phase::Search { .. }) {
                let count = self.count.take_if(|count| *count >= f64::from(TELLING));
                match count {
                    Some(count) => {
                        self.by_second = true;
                        self.hold(count);
                    }
                    // Or it is far slower.
                    None if self.sends.len() < TELLING as usize => {
                        let begun = self.sends.front().copied().unwrap_or(now);
                        let took = self.sends.len() as f64 / now.duration_since(begun).as_secs_f64().max(0.1);
                        self.search(self.rate, took.min(0.5 * self.rate));
                    }
                    None => {}
                }
            }
            self.spaced(now);
            return;
        }
        self.told.push_back(sent_at);
        if self.told.len() > 3 {
            self.told.pop_front();
        }
        self.closing = opens.saturating_duration_since(now).as_secs_f64();
        let a_second = |at: &&Instant| now.duration_since(**at) < Duration::from_secs(1);
        let last = self.sends.iter().rev().take_while(a_second).count() as f64;
        if self.phase == Phase::Ramp {
            self.first = self.sends.iter().copied().chain([sent_at]).collect();
            self.count = Some(last);
            let mean = 0.7 * last.max(1.0) / all.clamp(0.001, 1.0);
            self.search(self.rate, mean.min(0.5 * self.rate).min(last.max(FIRST)));
            self.burst = 1.0;
        } else if self.sent == 0 {
            // Closed.
            return;
        } else if self.sent < TELLING {
            // Hardly anything came through: it may be far slower, but not than what it took.
            let took = self.took(through);
            if let Phase::Search { .. } = self.phase {
                self.search(self.rate, took.max(0.5 * self.rate).min(self.rate));
            } else {
                self.untold += 1;
                if self.untold < FEW {
                    return;
                }
                self.hold(took.max(0.8 * self.rate).min(self.rate));
            }
        } else {
            let count = by_the_second(&self.sends, &self.told);
            let capacity = self.capacity(sent_at);
            // No count explains both: it does not count by the second.
            self.by_second &= count.is_some() || self.told.len() < 2;
            let is_held = matches!(self.phase, Phase::Hold { .. });
            if count.is_none() && capacity.is_none() && !self.by_second && is_held {
                // Nor does a bucket that was asked for more before: it refuses for other reasons.
                self.untold += 1;
                if self.untold >= FEW {
                    self.hold(0.8 * self.rate);
                    self.untold = 0;
                }
                (self.closed, self.sent) = (now, 0);
                self.spaced(now);
                return;
            }
            let most = if self.closing > CHEAP { MOST_TOLD } else { 1.0 };
            let capacity = capacity.unwrap_or(0.0);
            let capacity = capacity.clamp(LEAST_TOLD * self.rate, most * self.rate);
            self.burst = ahead(self.first.iter(), capacity, None);
            let made_up = (through / all.max(1.0)).max(self.took(through)).max(capacity);
            // What is too low stays longer than what is too high.
            self.hold(match (count, self.by_second) {
                (Some(count), true) => count,
                (None, true) => last,
                (Some(count), false) => made_up.max(count),
                (None, false) => made_up,
            });
        }
        self.closed = now;
        self.sent = 0;
        self.untold = 0;
        self.spaced(now);
    }

    /// Whatever it takes, it has taken all of it now.
    fn spaced(&mut self, now: Instant) {
        let gap = (1.0 / self.rate).max(self.due());
        self.next = self.next.max(now + Duration::from_secs_f64(gap));
    }

    /// Calls a second that the service took since the last refusal, but for what was there when it began.
    fn took(&self, through: f64) -> f64 {
        let since = self.sends.iter().filter(|at| **at >= self.closed);
        let (mut open, mut last) = (0.0, None);
        for at in since {
            let gap = last.map_or(0.0, |last| at.duration_since(last).as_secs_f64());
            (open, last) = (open + gap.min(2.0 / self.rate), Some(*at));
        }
        (through - self.burst) / f64::max(open, ACCOUNT * 0.5)
    }

    /// Seconds after the first refusal, after which another tells that it counts by the second.
    fn due(&self) -> f64 {
        let telling = self.count.filter(|count| *count >= f64::from(TELLING));
        telling.map_or(0.0, |count| DUE / count)
    }

    /// The rate at which the calls since the last refusal were as far ahead of the service as those of the very first.
    fn capacity(&self, refused: Instant) -> Option<f64> {
        let is_beyond = |rate: f64| {
            let since = self
                .sends
                .iter()
                .chain([&refused])
                .filter(|at| **at >= self.closed);
            let burst = ahead(self.first.iter(), rate, None);
            ahead(since, rate, Some((burst, self.closed))) > burst
        };
        let (mut low, mut high) = (LEAST_TOLD * self.rate, self.rate);
        if !is_beyond(low) {
            return None;
        }
        for _ in 0..12 {
            let rate = f64::midpoint(low, high);
            match is_beyond(rate) {
                true => low = rate,
                false => high = rate,
            }
        }
        Some(high)
    }

    fn search(&mut self, refused: f64, from: f64) {
        self.rate = from.max(SLOWEST);
        self.phase = Phase::Search {
            refused: refused.max(SLOWEST),
        };
    }

    /// Nothing goes out until then.
    pub(super) fn close(&mut self, opens: Instant) {
        self.next = self.next.max(opens);
    }

    /// The service takes so many a second: a little less, for as long as a refusal would cost.
    fn hold(&mut self, took: f64) {
        let plateau = (PLATEAU * took).max(SLOWEST);
        self.rate = plateau;
        self.phase = Phase::Hold { plateau, age: 0.0 };
    }
}
