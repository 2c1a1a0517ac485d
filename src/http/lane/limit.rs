//! How many calls a model takes at once: latencies and refusals come in, a number goes out.
//!
//! It grows by one a success, doubling a round trip, while latency is steady. Latency is compared as the mean of its
//! logarithm over epochs, with the error of that mean taken off: answers differ tenfold by their length alone. Where it
//! grew beyond doubt the number shrinks; where that did not make the answers quicker, they are slow for reasons of
//! their own, and the new latency is the measure from then on.

use std::time::Duration;

use tokio::time::Instant;

/// Calls of a model at once, at the beginning.
pub(super) const START: f64 = 8.0;
/// Never fewer.
const LEAST: f64 = 2.0;
/// Never more.
pub(super) const MOST: f64 = 256.0;
/// Latencies that an epoch has at least.
const EPOCH: u32 = 16;
/// Errors of a mean that are taken off before a difference counts.
const ERRORS: f64 = 2.0;
/// Growth of latency that is too much: 1.5 times (ln).
const TOO_SLOW: f64 = 0.405;
/// Growth of latency at which the limit stays: 1.35 times (ln).
const SLOWER: f64 = 0.3;
/// What a shrinking limit has to bring: the latency falls by this power of it.
const RESPONSE: f64 = 0.35;
/// How much of a new latency goes into the running mean.
const FRESH: f64 = 0.125;

/// Mean and spread of the logarithms of latencies.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    count: u32,
    sum: f64,
    squares: f64,
}

impl Sum {
    fn add(&mut self, x: f64) {
        self.count += 1;
        self.sum += x;
        self.squares += x * x;
    }

    fn mean(&self) -> f64 {
        self.sum / f64::from(self.count.max(1))
    }

    fn spread(&self) -> f64 {
        let mean = self.mean();
        (self.squares / f64::from(self.count.max(1)) - mean * mean).max(0.0).sqrt()
    }

    fn error(&self) -> f64 {
        self.spread() / f64::from(self.count.max(1)).sqrt()
    }
}

/// What latency was before the limit was cut for it.
#[derive(Debug, Clone, Copy)]
struct Cut {
    limit: f64,
    mean: f64,
}

/// The calls of one model at once.
#[derive(Debug)]
pub(super) struct Limit {
    limit: f64,
    highest: f64,
    /// Growth a success.
    growth: f64,
    /// Calls at once at the last refusal.
    ceiling: Option<f64>,
    /// What was sent before is the affair of an earlier limit.
    since: Instant,
    epoch: Sum,
    /// The lowest mean of an epoch, its error added.
    base: Option<f64>,
    /// Of single latencies.
    spread: f64,
    recent: f64,
    cut: Option<Cut>,
}

impl Limit {
    pub(super) fn new(now: Instant) -> Limit {
        Limit {
            limit: START,
            highest: START,
            growth: 1.0,
            ceiling: None,
            since: now,
            epoch: Sum::default(),
            base: None,
            spread: 0.0,
            recent: 0.0,
            cut: None,
        }
    }

    /// Calls at once.
    pub(super) fn now(&self) -> usize {
        self.limit as usize
    }

    /// The most that it was.
    pub(super) fn highest(&self) -> usize {
        self.highest as usize
    }

    /// A call came through that was one of `at_once` when it went out.
    pub(super) fn accepted(&mut self, sent_at: Instant, now: Instant, latency: Duration, at_once: usize) {
        let x = latency.as_secs_f64().max(0.001).ln();
        self.recent = if self.base.is_none() && self.epoch.count == 0 {
            x
        } else {
            self.recent + FRESH * (x - self.recent)
        };
        if sent_at >= self.since {
            self.epoch.add(x);
        }
        let binds = at_once as f64 + 1.0 >= self.limit * 0.8;
        if binds && self.is_steady() && self.cut.is_none() {
            self.grow();
        }
        if self.epoch.count >= EPOCH.max((self.limit * 0.75) as u32) {
            self.judge(now);
        }
    }

    fn is_steady(&self) -> bool {
        let noise = ERRORS * self.spread * (FRESH / (2.0 - FRESH)).sqrt();
        self.base.is_none_or(|base| self.recent - base < SLOWER + noise)
    }

    fn grow(&mut self) {
        // Far beyond the last ceiling it was none.
        if self.ceiling.is_some_and(|ceiling| self.limit > ceiling * 1.4) {
            self.ceiling = None;
            self.growth = (self.growth * 4.0).min(1.0);
        }
        self.limit = (self.limit + self.growth).min(MOST);
        self.highest = self.highest.max(self.limit);
    }

    /// An epoch is over.
    fn judge(&mut self, now: Instant) {
        let epoch = std::mem::take(&mut self.epoch);
        self.since = now;
        let (mean, error) = (epoch.mean(), ERRORS * epoch.error());
        self.spread = epoch.spread();
        if let Some(cut) = self.cut.take() {
            let hoped = RESPONSE * (cut.limit / self.limit).ln();
            if mean > cut.mean - hoped {
                self.base = Some(mean + error);
                self.limit = cut.limit;
                return;
            }
        }
        let base = self.base.map_or(mean + error, |base| base.min(mean + error));
        self.base = Some(base);
        let slower = mean - error - base;
        if slower > TOO_SLOW {
            self.cut = Some(Cut { limit: self.limit, mean });
            let cut = (SLOWER - slower).exp().clamp(0.5, 0.75);
            self.limit = (self.limit * cut).max(LEAST);
            self.growth = self.growth.min(1.0 / 16.0);
        }
    }

    /// A call was refused that was one of `at_once`: about so many are too many, or they came too fast.
    pub(super) fn refused(&mut self, sent_at: Instant, now: Instant, at_once: usize) {
        if sent_at < self.since {
            return;
        }
        let at_once = at_once as f64;
        if self.ceiling.is_some_and(|ceiling| (0.75..1.34).contains(&(at_once / ceiling))) {
            self.growth = (self.growth / 4.0).max(1.0 / 64.0);
        }
        self.ceiling = Some(at_once);
        self.shrink(now, (at_once - 1.0).min(at_once * 0.95));
    }

    /// The service is overloaded, or too slow to answer at all.
    pub(super) fn overloaded(&mut self, sent_at: Instant, now: Instant) {
        if sent_at < self.since {
            return;
        }
        self.growth = self.growth.min(1.0 / 16.0);
        self.shrink(now, self.limit / 2.0);
    }

    fn shrink(&mut self, now: Instant, to: f64) {
        self.limit = self.limit.min(to.max(LEAST));
        self.since = now;
        self.epoch = Sum::default();
        self.cut = None;
    }
}
