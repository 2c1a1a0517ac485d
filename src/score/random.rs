//! A text in, a stream of random numbers out that is the same on every machine and in every release: what is resampled
//! must come out alike on a re-run.

use sha2::{Digest, Sha256};

/// The generator xoshiro256++ of Blackman and Vigna (*Scrambled Linear Pseudorandom Number Generators*, ACM TOMS 47,
/// 2021). Not for secrets.
#[derive(Debug, Clone)]
pub(super) struct Random {
    state: [u64; 4],
}

impl Random {
    /// A stream of its own for each suite and each label.
    pub(super) fn seeded(suite_fingerprint: &str, label: &str) -> Random {
        let mut hasher = Sha256::new();
        for part in ["tunegate/resampling/1", suite_fingerprint, label] {
            // The length before each text: no two pairs of texts run together to the same bytes.
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let digest = hasher.finalize();
        let mut state = [0_u64; 4];
        for (word, bytes) in state.iter_mut().zip(digest.chunks_exact(8)) {
            *word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        Random { state }
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A whole number below `n`, each as likely as any other: Lemire, *Fast Random Integer Generation in an Interval*
    /// (ACM TOMACS 29, 2019). 0 where `n` is 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        let range = n as u64;
        loop {
            let product = u128::from(self.next()) * u128::from(range);
            let (high, low) = ((product >> 64) as u64, product as u64);
            // Only a low half below 2⁶⁴ mod n, which is below n, makes some numbers likelier than others.
            if low >= range || low >= range.wrapping_neg().checked_rem(range).unwrap_or(0) {
                return high as usize;
            }
        }
    }

    /// A number in 0..1, 53 bits of it random.
    #[cfg(test)]
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers that the authors' own C program gives for this state.
    #[test]
    fn the_stream_is_that_of_the_reference() {
        let mut random = Random { state: [1, 2, 3, 4] };
        let first: Vec<u64> = (0..5).map(|_| random.next()).collect();
        assert_eq!(
            first,
            [
                41_943_041,
                58_720_359,
                3_588_806_011_781_223,
                3_591_011_842_654_386,
                9_228_616_714_210_784_205
            ]
        );
    }

    #[test]
    fn every_number_of_a_range_is_as_likely_as_any_other() {
        let mut random = Random::seeded("suite", "range");
        let mut seen = [0_i32; 7];
        for _ in 0..70_000 {
            seen[random.below(7)] += 1;
        }
        // Each count is binomial with a standard deviation of 93.
        assert!(seen.iter().all(|count| (count - 10_000).abs() < 400), "{seen:?}");
        assert_eq!((random.below(1), random.below(0)), (0, 0));
    }

    #[test]
    fn suite_and_label_tell_streams_apart_and_nothing_else_does() {
        let first = |suite, label| Random::seeded(suite, label).next();
        assert_eq!(first("a", "mean"), first("a", "mean"));
        assert_ne!(first("a", "mean"), first("b", "mean"));
        assert_ne!(first("a", "mean"), first("am", "ean"));
    }
}
