//! Replies that came together go in, and come out a few at a time.
//!
//! A service that takes as long for every call answers sixty at once. Were all of them read before the first one leads to
//! the next call, the service would stand still for as long as that takes, each time.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::yield_now;

/// So many are read side by side.
const AT_ONCE: usize = 4;
/// Where replies come sooner, the service waits for the next call no longer than that, and it is the cheapest to take
/// whatever is there in one go.
const SOON: Duration = Duration::from_millis(10);

/// The order in which replies are read.
pub(super) struct Order(Semaphore);

impl Default for Order {
    fn default() -> Order {
        Order(Semaphore::new(AT_ONCE))
    }
}

impl Order {
    /// A reply that took so long is there in whole; what comes out is held while it is read.
    pub(super) async fn turn(&self, latency: Duration) -> Option<SemaphorePermit<'_>> {
        let turn = match latency < SOON {
            true => None,
            // It is never closed.
            false => self.0.acquire().await.ok(),
        };
        // The pool gets its connection back: another task returns it, a moment after the body's last byte, and a call
        // that begins before that would open one more, which the pool would keep as well. And what was begun goes out.
        for _ in 0..2 {
            yield_now().await;
        }
        turn
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_few_of_those_that_took_long_and_all_of_the_others_are_read_side_by_side() {
        for (latency, most) in [(SOON, AT_ONCE), (SOON - Duration::from_nanos(1), 10)] {
            let order = Order::default();
            let mut turns = Vec::new();
            for _ in 0..10 {
                if let Ok(turn) = tokio::time::timeout(SOON, order.turn(latency)).await {
                    turns.push(turn);
                }
            }
            assert_eq!(turns.len(), most, "{latency:?}");
            drop(turns);
            let all = join_all((0..10).map(|_| async { drop(order.turn(latency).await) }));
            assert_eq!(all.await.len(), 10);
        }
    }

    #[tokio::test]
    async fn others_have_their_turn_before_a_reply_is_read() {
        let order = Order::default();
        assert!(order.turn(Duration::ZERO).now_or_never().is_none());
    }
}
