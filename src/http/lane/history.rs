//! What the calls so far tell of a service's limit: the times at which calls went out that came through, and at which
//! some went out that were refused, come in; how many a second, or how many at once, goes out.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Counts of seconds that differ by a smaller share are the same.
const SAME: f64 = 0.05;
/// Beginnings of a second that are tried.
const PHASES: u32 = 100;

/// The number that came through in a second before each of the refused calls, and in no second more: in those that end
/// with any call, or in those of a clock, wherever its seconds begin. None where no such number is.
///
/// Both are in the order of time. Two refusals are needed: one is explained by any beginning.
pub(super) fn by_the_second(through: &VecDeque<Instant>, refused: &VecDeque<Instant>) -> Option<f64> {
    let first = *refused.front().filter(|_| refused.len() > 1)?;
    let begun = first.checked_sub(Duration::from_secs(1))?;
    let at = |at: &Instant| at.saturating_duration_since(begun).as_secs_f64();
    let since = through.partition_point(|sent| *sent < begun);
    let mut calls: Vec<_> = through.range(since..).map(|sent| (at(sent), true)).collect();
    calls.extend(refused.iter().map(|sent| (at(sent), false)));
    calls.sort_by(|a, b| a.0.total_cmp(&b.0));

    let mut tallies = vec![sliding(&calls)];
    tallies.extend((0..PHASES).map(|phase| fixed(&calls, f64::from(phase) / f64::from(PHASES))));
    let best = tallies.iter().map(Tally::wrong).fold(f64::INFINITY, f64::min);
    let as_good = || tallies.iter().filter(|tally| tally.wrong() <= best);
    let sum: f64 = as_good().map(|tally| tally.least).sum();
    (best < SAME).then(|| sum / as_good().count() as f64)
}

/// Seconds that end with a call.
fn sliding(calls: &[(f64, bool)]) -> Tally {
    let mut tally = Tally::default();
    let mut gone = calls.iter().peekable();
    for (at, through) in calls {
        while let Some((_, through)) = gone.next_if(|(gone, _)| *gone < at - 1.0) {
            tally.count -= f64::from(u8::from(*through));
        }
        tally.add(*through);
    }
    tally
}

/// Seconds of a clock that is so much ahead.
fn fixed(calls: &[(f64, bool)], phase: f64) -> Tally {
    let (mut second, mut tally) = (0.0, Tally::default());
    for (at, through) in calls {
        let of = (at + phase).floor();
        if of > second {
            (second, tally.count) = (of, 0.0);
        }
        tally.add(*through);
    }
    tally
}

/// What came through in a second so far, in any second at most, and at least where a call was refused.
struct Tally {
    count: f64,
    most: f64,
    least: f64,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally {
            count: 0.0,
            most: 0.0,
            least: f64::INFINITY,
        }
    }
}

impl Tally {
    fn add(&mut self, through: bool) {
        match through {
            true => self.count += 1.0,
            false => self.least = self.least.min(self.count),
        }
        self.most = self.most.max(self.count);
    }

    /// By what share of a second more came through than where it refused.
    fn wrong(&self) -> f64 {
        (self.most - self.least) / self.least.max(1.0)
    }
}

/// How many calls a service that takes `rate` a second was asked for ahead of it at the end, when they came at `sends`;
/// and it was so far behind at that time before.
pub(super) fn ahead<'a>(
    sends: impl Iterator<Item = &'a Instant>,
    rate: f64,
    behind: Option<(f64, Instant)>,
) -> f64 {
    let (mut ahead, mut last) = match behind {
        Some((ahead, at)) => (ahead, Some(at)),
        None => (0.0_f64, None),
    };
    for send in sends {
        let passed = last.map_or(0.0, |last| send.duration_since(last).as_secs_f64());
        ahead = (ahead - rate * passed).max(0.0) + 1.0;
        last = Some(*send);
    }
    ahead
}
