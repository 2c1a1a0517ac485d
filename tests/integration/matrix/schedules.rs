//! Faults of all kinds on all calls by chance: whatever the seed, runs one after the other come to the end.

use std::time::Duration;

use tunegate::emulator::{Faults, RetryAfter, TraceForm};

use super::night::{LAG, LATE};
use super::row::Row;
use crate::harness::options;

/// Seeds played; a failure names its own.
const SEEDS: u64 = 24;

/// A fifth of all calls meets a fault, of every kind alike.
const SHARE: f64 = 0.2;

fn row(seed: u64) -> Row {
    let forms = [
        TraceForm::Walkthrough,
        TraceForm::Object,
        TraceForm::Array,
        TraceForm::Results,
        TraceForm::Any,
    ];
    let back = [RetryAfter::None, RetryAfter::Seconds(1), RetryAfter::HttpDate(1)];
    let mut options = options();
    options.seed = seed;
    options.trace_form = forms[usize::try_from(seed).unwrap() % forms.len()];
    options.listing_lag = if seed.is_multiple_of(2) {
        Duration::ZERO
    } else {
        LAG
    };
    options.faults = Faults {
        retry_after: back[usize::try_from(seed).unwrap() % back.len()],
        silence_for: Duration::from_secs(30),
        trickle_over: Duration::from_millis(200),
        late_by: LATE,
        ..Faults::evenly(SHARE)
    };
    Row {
        name: format!("seed {seed}"),
        options,
        runs: 10,
        blame: None,
        harmless: false,
        chat: true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_at_random_each_effect_takes_place_once() {
    super::play((0..SEEDS).map(row).collect()).await;
}
