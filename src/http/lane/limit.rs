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
/// And the very first one.
const FIRST_EPOCH: u32 = 6;
/// Errors of a mean that are taken off before a difference counts.
const ERRORS: f64 = 2.0;
/// Growth of latency that is too much: 1.35 times (ln).
const TOO_SLOW: f64 = 0.3;
/// Growth of latency at which the limit stays: 1.1 times (ln).
const SLOWER: f64 = 0.1;
/// What a shrinking limit has to bring: the latency falls by this power of it.
const RESPONSE: f64 = 0.35;
/// While it starts, a round that is slower has to bring so much more.
const ENOUGH: f64 = 1.25;
/// How much of a new latency goes into the running mean.
const FRESH: f64 = 0.25;
/// So many cuts in a row that make nothing quicker say that latency is not of the load.
const IN_VAIN: u32 = 3;

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
        (self.squares / f64::from(self.count.max(1)) - mean * mean)
            .max(0.0)
            .sqrt()
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

/// A round trip of the start.
#[derive(Debug, Clone, Copy)]
struct Round {
    began: Instant,
    limit: f64,
    through: u32,
    sum: f64,
    /// Of the round before: its limit, calls a second.
    before: Option<(f64, f64)>,
    /// The lowest mean of the logarithms of a round's latencies.
    best: f64,
}

/// The calls of one model at once.
#[derive(Debug)]
pub(super) struct Limit {
    limit: f64,
    highest: f64,
    /// Growth a success.
    growth: f64,
    /// What was sent before is the affair of an earlier limit.
    since: Instant,
    /// When the last call went out that there was room for.
    reached: Option<Instant>,
    epoch: Sum,
    /// The calls of a round of the start: where it ends, what came through and in what time.
    round: Option<Round>,
    /// The lowest mean of an epoch, its error added.
    base: Option<f64>,
    /// Of single latencies.
    spread: f64,
    recent: f64,
    cut: Option<Cut>,
    /// Cuts in a row that made nothing quicker, and the limit before them.
    in_vain: u32,
    before: f64,
}

impl Limit {
    pub(super) fn new(now: Instant) -> Limit {
        Limit {
            limit: START,
            highest: START,
            growth: 1.0,
            since: now,
            reached: None,
            epoch: Sum::default(),
            round: Some(Round {
                began: now,
                limit: START,
                through: 0,
                sum: 0.0,
                before: None,
                best: f64::INFINITY,
            }),
            base: None,
            spread: 0.0,
            recent: 0.0,
            cut: None,
            in_vain: 0,
            before: START,
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

    /// A call goes out, as one of `at_once`.
    pub(super) fn sent(&mut self, now: Instant, at_once: usize) {
        if at_once >= self.now() {
            self.reached = Some(now);
        }
    }

    /// A call came through.
    pub(super) fn accepted(&mut self, sent_at: Instant, now: Instant, latency: Duration) {
        let x = latency.as_secs_f64().max(0.001).ln();
        self.recent = if self.base.is_none() && self.epoch.count == 0 {
            x
        } else {
            self.recent + FRESH * (x - self.recent)
        };
        if sent_at >= self.since {
            self.epoch.add(x);
        }
        self.count(sent_at, now, x);
        // Was there no more room at any time while it was on its way?
        let binds = self.reached.is_some_and(|reached| reached >= sent_at);
        if binds && self.is_steady() && self.cut.is_none() {
            self.grow();
        }
        let whole = match self.base {
            Some(_) => EPOCH.max((self.limit * 0.75) as u32),
            None => FIRST_EPOCH,
        };
        if self.epoch.count >= whole {
            self.judge(now);
        }
    }

    /// A call of the start came through. Once a round trip it is looked whether more at once brought more.
    fn count(&mut self, sent_at: Instant, now: Instant, x: f64) {
        let Some(round) = &mut self.round else {
            return;
        };
        if sent_at < round.began {
            return;
        }
        round.through += 1;
        round.sum += x;
        if f64::from(round.through) < round.limit.max(START) {
            return;
        }
        let mean = round.sum / f64::from(round.through);
        let rate = f64::from(round.through) / now.duration_since(round.began).as_secs_f64().max(0.001);
        let slower = mean - round.best;
        let brought = round.before.is_none_or(|(_, before)| rate > ENOUGH * before);
        let noise = ERRORS * self.spread / f64::from(round.through).sqrt();
        if slower > TOO_SLOW + noise && !brought {
            let back = round.before.map_or(START, |(limit, _)| limit);
            self.round = None;
            self.growth = self.growth.min(1.0 / 16.0);
            self.shrink(now, back);
            return;
        }
        *round = Round {
            began: now,
            limit: self.limit,
            through: 0,
            sum: 0.0,
            before: Some((round.limit, rate)),
            best: round.best.min(mean),
        };
    }

    fn is_steady(&self) -> bool {
        let noise = ERRORS * self.spread * (FRESH / (2.0 - FRESH)).sqrt();
        self.base.is_none_or(|base| self.recent - base < SLOWER + noise)
    }

    fn grow(&mut self) {
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
                self.in_vain += 1;
                if self.in_vain >= IN_VAIN {
                    self.in_vain = 0;
                    self.base = Some(mean + error);
                    self.limit = self.before;
                    return;
                }
            } else {
                self.in_vain = 0;
            }
        }
        let base = self.base.map_or(mean + error, |base| base.min(mean + error));
        self.base = Some(base);
        let slower = mean - error - base;
        if slower > TOO_SLOW {
            if self.in_vain == 0 {
                self.before = self.limit;
            }
            self.cut = Some(Cut {
                limit: self.limit,
                mean,
            });
            let cut = (SLOWER - slower).exp().clamp(0.5, 0.75);
            self.limit = (self.limit * cut).max(LEAST);
            self.growth = self.growth.min(1.0 / 16.0);
            // What is on its way was sent under the old limit, and what goes out next waits behind it.
            self.since = now + Duration::from_secs_f64(mean.exp().min(60.0));
        }
    }

    /// A call was refused that was one of `at_once`. The pace is what answers that; the limit only stays near what was
    /// on its way, so that it says something when the pace has found its rate.
    pub(super) fn refused(&mut self, sent_at: Instant, now: Instant, at_once: usize) {
        if sent_at < self.since {
            return;
        }
        let near = (at_once as f64 * 1.5).max(START);
        if near < self.limit {
            self.shrink(now, near);
        }
    }

    /// The service is overloaded, or too slow to answer at all.
    pub(super) fn overloaded(&mut self, sent_at: Instant, now: Instant) {
        if sent_at < self.since {
            return;
        }
        self.growth = self.growth.min(1.0 / 16.0);
        // Whoever refuses so few does it for reasons of its own.
        self.shrink(now, (self.limit / 2.0).max(START / 2.0));
    }

    fn shrink(&mut self, now: Instant, to: f64) {
        self.limit = self.limit.min(to.max(LEAST));
        self.since = now;
        self.epoch = Sum::default();
        self.cut = None;
    }
}
