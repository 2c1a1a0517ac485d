//! What the emulator's models can take: chat calls come in and are let in, kept waiting, slowed down or turned away, as a
//! service would that says nothing of its limits. The clock is tokio's.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::faults::RetryAfter;

/// What the models can take together; by default, whatever comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capacity {
    /// Chat calls beyond this rate are turned away with 429.
    pub rate: Option<Rate>,
    /// So many chat calls are answered at once; others wait for their turn, first come, first served.
    pub slots: Option<NonZeroU32>,
    /// With `n` chat calls in hand, more than these `k`, a reply takes `(n/k)²` times its latency.
    pub slow_down: Option<NonZeroU32>,
}

/// How many chat calls are accepted: a bucket that is full at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls that the bucket gains in a second.
    pub per_second: NonZeroU32,
    /// Calls that the full bucket holds.
    pub burst: NonZeroU32,
    /// What the 429 says of when to come back.
    pub retry_after: RetryAfter,
}

/// How busy the models are.
pub(super) struct Load {
    capacity: Capacity,
    slots: Option<Semaphore>,
    /// When the bucket is full again.
    full: Mutex<Option<Instant>>,
    in_hand: AtomicU32,
    most: AtomicU32,
    limited: AtomicU32,
}

impl Load {
    pub(super) fn new(capacity: Capacity) -> Self {
        let slots = capacity
            .slots
            .map(|slots| Semaphore::new(usize::try_from(slots.get()).unwrap_or(Semaphore::MAX_PERMITS)));
        Load {
            capacity,
            slots,
            full: Mutex::default(),
            in_hand: AtomicU32::new(0),
            most: AtomicU32::new(0),
            limited: AtomicU32::new(0),
        }
    }

    /// Takes a call from the bucket; what the 429 says where there is none left.
    pub(super) fn admit(&self) -> Result<(), RetryAfter> {
        let Some(rate) = self.capacity.rate else {
            return Ok(());
        };
        let now = Instant::now();
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        // In whole nanoseconds: calls that keep the rate exactly are all accepted.
        let gap = Duration::from_secs(1) / rate.per_second.get();
        let next = full.map_or(now, |full| full.max(now)) + gap;
        if next - now > gap * rate.burst.get() {
            self.limited.fetch_add(1, Ordering::Relaxed);
            return Err(rate.retry_after);
        }
        *full = Some(next);
        Ok(())
    }

    /// A chat call came in: it is in hand until this is dropped.
    pub(super) fn enter(&self) -> InHand<'_> {
        let number = self.in_hand.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(number, Ordering::Relaxed);
        InHand { load: self, number }
    }

    /// As `GET /__emulator/state` shows it.
    pub(super) fn show(&self) -> Value {
        json!({
            "most_at_once": self.most.load(Ordering::Relaxed),
            "limited": self.limited.load(Ordering::Relaxed),
        })
    }
}

/// A chat call that is being answered or waits to be.
pub(super) struct InHand<'a> {
    load: &'a Load,
    /// How many there were with this one when it came.
    number: u32,
}

impl<'a> InHand<'a> {
    /// Waits for a slot and then for as long as the reply takes; the slot is held until the permit is dropped.
    pub(super) async fn serve(&self, latency: Duration) -> Option<SemaphorePermit<'a>> {
        let permit = match &self.load.slots {
            // Nobody closes it.
            Some(slots) => slots.acquire().await.ok(),
            None => None,
        };
        let latency = self.slowed(latency);
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        permit
    }

    fn slowed(&self, latency: Duration) -> Duration {
        match self.load.capacity.slow_down {
            Some(most) if self.number > most.get() => {
                latency.mul_f64((f64::from(self.number) / f64::from(most.get())).powi(2))
            }
            _ => latency,
        }
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.load.in_hand.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::time::{advance, sleep};

    use super::*;

    const fn number(n: u32) -> NonZeroU32 {
        NonZeroU32::new(n).unwrap()
    }

    fn rate(per_second: u32, burst: u32) -> Load {
        Load::new(Capacity {
            rate: Some(Rate {
                per_second: number(per_second),
                burst: number(burst),
                retry_after: RetryAfter::Seconds(1),
            }),
            ..Capacity::default()
        })
    }

    fn admitted(load: &Load, calls: u32) -> usize {
        (0..calls).filter(|_| load.admit().is_ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_gives_its_burst_and_then_its_rate() {
        let load = rate(100, 10);
        assert_eq!(admitted(&load, 50), 10);
        advance(Duration::from_millis(9)).await;
        assert_eq!(admitted(&load, 1), 0);
        advance(Duration::from_millis(1)).await;
        assert_eq!(admitted(&load, 2), 1);
        advance(Duration::from_millis(35)).await;
        assert_eq!(admitted(&load, 9), 3);
        // It never holds more than the burst.
        advance(Duration::from_secs(60)).await;
        assert_eq!(admitted(&load, 50), 10);
        assert_eq!(load.show()["limited"], 40 + 1 + 1 + 6 + 40);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_keep_the_rate_exactly_are_never_turned_away() {
        for per_second in [1, 8, 100, 1_000] {
            let load = rate(per_second, 1);
            let begun = Instant::now();
            for call in 0..5_000_u32 {
                let due = begun + Duration::from_secs(1) * call / per_second;
                tokio::time::sleep_until(due).await;
                assert_eq!(load.admit(), Ok(()), "call {call} at {per_second} a second");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn slots_are_taken_in_turn() {
        let load = Load::new(Capacity {
            slots: Some(number(3)),
            ..Capacity::default()
        });
        let begun = Instant::now();
        let second = Duration::from_secs(1);
        let call = async |order: u32| {
            sleep(Duration::from_millis(order.into())).await;
            let in_hand = load.enter();
            let _slot = in_hand.serve(second).await;
            (order, (begun.elapsed().as_secs_f64()).floor() as u32)
        };
        let ended = join_all((0..9).map(call)).await;
        for (order, at) in ended {
            assert_eq!(at, order / 3 + 1, "call {order}");
        }
        assert_eq!(load.show()["most_at_once"], 9);
    }

    #[tokio::test(start_paused = true)]
    async fn load_slows_replies_down_and_what_is_given_up_is_no_load() {
        let load = Load::new(Capacity {
            slow_down: Some(number(2)),
            ..Capacity::default()
        });
        let held: Vec<InHand> = (0..4).map(|_| load.enter()).collect();
        let begun = Instant::now();
        held[1].serve(Duration::from_secs(1)).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
        held[3].serve(Duration::from_secs(1)).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
        drop(held);
        let again = load.enter();
        let begun = Instant::now();
        again.serve(Duration::from_secs(1)).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
    }
}
