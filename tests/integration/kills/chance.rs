//! Moments that nobody chose: numbers from a seed.

use proptest::test_runner::{Config, RngSeed};

/// What the seeds of this folder's tests begin with, unless `PROPTEST_RNG_SEED` says otherwise: what decides about a
/// change may not be chance.
const SEED: u64 = 20_261_122;

/// Numbers that follow from a seed (SplitMix64).
#[derive(Clone)]
pub(super) struct Chance {
    state: u64,
    pub(super) seed: u64,
}

impl Chance {
    /// The `number`th of a test's seeds.
    pub(super) fn nth(number: u64) -> Chance {
        let first = match Config::default().rng_seed {
            RngSeed::Fixed(seed) => seed,
            RngSeed::Random => SEED,
        };
        let seed = first.wrapping_add(number);
        Chance { state: seed, seed }
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}
