//! What the emulator's models can take, as the command line says it.

use std::num::NonZeroU32;

use clap::Args;

use crate::emulator::{Capacity, Rate, RetryAfter};

/// The options for what the models can take.
#[derive(Debug, Args)]
pub(super) struct CapacityArguments {
    /// Chat calls a second that are accepted, of all models together; others are refused with 429
    #[arg(long, value_name = "N", env = "TUNEGATE_EMULATOR_RATE")]
    rate: Option<NonZeroU32>,
    /// Chat calls that may come at once before --rate holds
    #[arg(long, value_name = "N", default_value = "10", env = "TUNEGATE_EMULATOR_BURST")]
    burst: NonZeroU32,
    /// Chat calls that are answered at once; others wait for their turn
    #[arg(long, value_name = "K", env = "TUNEGATE_EMULATOR_SLOTS")]
    slots: Option<NonZeroU32>,
    /// With n > K chat calls in hand, a reply takes (n/K)^2 times its latency
    #[arg(long, value_name = "K", env = "TUNEGATE_EMULATOR_SLOW_DOWN")]
    slow_down: Option<NonZeroU32>,
}

impl CapacityArguments {
    pub(super) fn capacity(&self, retry_after: RetryAfter) -> Capacity {
        Capacity {
            rate: self.rate.map(|per_second| Rate {
                per_second,
                burst: self.burst,
                retry_after,
            }),
            slots: self.slots,
            slow_down: self.slow_down,
        }
    }
}
