//! A limit that is known: so many requests or tokens a minute come in; the earliest moment of the next call goes out.

use std::time::Duration;

use tokio::time::Instant;

/// So much of a minute may be used at once after a pause. A service that counts by the minute never sees more than
/// this above its limit, and one that counts by the second little.
const AHEAD: Duration = Duration::from_millis(500);

/// What is taken flows off evenly.
#[derive(Debug)]
pub(super) struct Meter {
    /// Of one unit.
    each: Duration,
    /// All that was taken will have flown off then.
    full_until: Instant,
}

impl Meter {
    pub(super) fn new(per_minute: u64, now: Instant) -> Meter {
        Meter {
            each: Duration::from_secs_f64(60.0 / per_minute.max(1) as f64),
            full_until: now,
        }
    }

    /// The next call goes not before.
    pub(super) fn next(&self) -> Instant {
        self.full_until
    }

    /// So many units go out.
    pub(super) fn take(&mut self, units: f64, now: Instant) {
        // A gap that is longer than what may be used at once leaves nothing to be made up for.
        let ahead = AHEAD.saturating_sub(self.each);
        let from = now
            .checked_sub(ahead)
            .map_or(now, |early| early.max(self.full_until));
        self.full_until = from + self.each.mul_f64(units.max(0.0));
    }

    /// A call took more or fewer units than were taken for it.
    pub(super) fn correct(&mut self, taken: f64, truly: f64) {
        let (more, time) = (truly >= taken, self.each.mul_f64((truly - taken).abs()));
        self.full_until = match more {
            true => self.full_until + time,
            false => self.full_until.checked_sub(time).unwrap_or(self.full_until),
        };
    }
}
