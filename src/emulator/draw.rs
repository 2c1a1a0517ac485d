//! Chance by seed: what a decision depends on comes in, the same number goes out on every run and machine.

/// A number from a seed and the things the decision depends on (FNV-1a over the parts, SplitMix64's finaliser).
pub(super) fn number(seed: u64, parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for part in parts {
        for byte in part.as_bytes() {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        // A byte that UTF-8 never has keeps ("ab", "c") and ("a", "bc") apart.
        hash = (hash ^ 0xff).wrapping_mul(0x0000_0100_0000_01b3);
    }
    finalise(hash)
}

/// A number in 0..1 of the same kind.
pub(super) fn share(seed: u64, parts: &[&str]) -> f64 {
    // 53 bits are what a double holds.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    let unit = (number(seed, parts) >> 11) as f64 / (1_u64 << 53) as f64;
    unit
}

/// A UUID from the seed and a running number.
pub(super) fn id(seed: u64, running: u64) -> String {
    let count = running.to_string();
    let high = number(seed, &["id", &count]);
    let low = number(seed, &["id", &count, "low"]);
    let bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

fn finalise(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parts_give_the_same_number_and_others_another() {
        assert_eq!(number(1, &["a", "b"]), number(1, &["a", "b"]));
        assert_ne!(number(1, &["a", "b"]), number(2, &["a", "b"]));
        assert_ne!(number(1, &["ab", "c"]), number(1, &["a", "bc"]));
    }

    #[test]
    fn shares_spread_over_the_unit() {
        let drawn: Vec<f64> = (0..2_000)
            .map(|n: u32| share(7, &["x", &n.to_string()]))
            .collect();
        let mean = drawn.iter().sum::<f64>() / 2_000.0;
        assert!((0.47..0.53).contains(&mean), "mean {mean}");
        assert!(drawn.iter().all(|share| (0.0..1.0).contains(share)));
    }

    #[test]
    fn ids_are_uuids_and_differ() {
        let ids: std::collections::BTreeSet<String> = (0..1_000).map(|n| id(3, n)).collect();
        assert_eq!(ids.len(), 1_000);
        assert!(ids.iter().all(|id| uuid::Uuid::parse_str(id).is_ok()));
    }
}
