//! Ids of cases and the number of shards → which shard has which case.
//!
//! Rendezvous hashing with bounded loads (Thaler and Ravishankar 1998; Mirrokni, Thorup and Zadimoghaddam 2018): an id
//! gives every shard a weight, and goes to the heaviest one that has room. A case that is added, or another order of
//! them, so moves few of the others; and no shard has more than one answer more than another, where each case asks for one.

use std::cmp::Reverse;

use sha2::{Digest, Sha256};

/// What an id is hashed behind, so that it is no other hash of the house's. A new version may share out otherwise.
const LAYOUT: &[u8] = b"shard/1\n";

/// The shard of every case, counted from 1, in the order of the cases. `cases`: ids, and how many answers each asks for.
///
/// `of`: how many shards there are; none counts as one.
pub fn assign<'a>(cases: impl IntoIterator<Item = (&'a str, u32)>, of: u16) -> Vec<u16> {
    let of = of.max(1);
    let mut cases: Vec<Case<'_>> = cases
        .into_iter()
        .enumerate()
        .map(|(at, (id, answers))| Case {
            at,
            id,
            answers: u64::from(answers),
            hash: hash(id),
        })
        .collect();
    let mut shards = vec![1; cases.len()];
    let mut room = Room::new(cases.iter().map(|case| case.answers).sum(), of);
    // The large ones first, as long as all have room; then in an order that the suite's has no part in.
    cases.sort_unstable_by_key(|case| (Reverse(case.answers), case.hash, case.id));
    for case in &cases {
        if let (Some(shard), Some(place)) = (room.take(case), shards.get_mut(case.at)) {
            *place = shard;
        }
    }
    shards
}

#[derive(Debug)]
struct Case<'a> {
    at: usize,
    id: &'a str,
    answers: u64,
    hash: u64,
}

/// The answers that the shards have, and may have.
#[derive(Debug)]
struct Room {
    loads: Vec<u64>,
    /// As many each shard may have.
    share: u64,
    /// So many of them one more.
    over: u64,
}

impl Room {
    fn new(answers: u64, of: u16) -> Room {
        Room {
            loads: vec![0; usize::from(of)],
            share: answers / u64::from(of),
            over: answers % u64::from(of),
        }
    }

    /// The number of the shard that takes the case: of those with room the id's first choice; where none has, of those
    /// that have the least.
    fn take(&mut self, case: &Case<'_>) -> Option<u16> {
        let most = self.share + u64::from(self.over > 0);
        let least = self.loads.iter().min().copied().unwrap_or_default();
        let room = self.loads.iter().any(|load| load + case.answers <= most);
        let fits = |load: u64| match room {
            true => load + case.answers <= most,
            false => load == least,
        };
        let numbered = (1..).zip(&mut self.loads);
        let choice = numbered
            .filter(|(_, load)| fits(**load))
            .max_by_key(|(number, _)| (weight(case.hash, *number), Reverse(*number)));
        let (number, load) = choice?;
        *load += case.answers;
        if *load == self.share + 1 {
            self.over = self.over.saturating_sub(1);
        }
        Some(number)
    }
}

fn hash(id: &str) -> u64 {
    let digest = Sha256::new().chain_update(LAYOUT).chain_update(id).finalize();
    digest
        .iter()
        .take(8)
        .fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood 2014) over the id's hash and the shard's number.
fn weight(hash: u64, shard: u16) -> u64 {
    let mut z = hash.wrapping_add(u64::from(shard).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("case-{i}")).collect()
    }

    fn assigned(ids: &[String], of: u16) -> Vec<u16> {
        assign(ids.iter().map(|id| (id.as_str(), 1)), of)
    }

    fn loads(shards: &[u16], of: u16) -> Vec<usize> {
        let load = |shard| shards.iter().filter(|s| **s == shard).count();
        (1..=of).map(load).collect()
    }

    /// What a shard has must be the same on every machine and in every build: a matrix may run two of them.
    #[test]
    fn the_same_everywhere() {
        assert_eq!(hash("total-simple"), GOLDEN_HASH);
        assert_eq!(assigned(&ids(20), 4), GOLDEN);
    }

    /// By another implementation, in Python.
    const GOLDEN_HASH: u64 = 6_359_840_004_750_658_504;
    const GOLDEN: [u16; 20] = [4, 1, 1, 1, 4, 2, 1, 3, 3, 3, 4, 2, 2, 3, 4, 4, 2, 2, 1, 3];

    #[test]
    fn no_shard_has_two_more_than_another() {
        for (n, of) in [
            (0, 3),
            (1, 1),
            (7, 10),
            (10, 10),
            (95, 10),
            (1000, 7),
            (1000, 256),
        ] {
            let loads = loads(&assigned(&ids(n), of), of);
            assert_eq!(loads.iter().sum::<usize>(), n);
            let (least, most) = (loads.iter().min().unwrap(), loads.iter().max().unwrap());
            assert!(most - least <= 1, "{n} over {of}: {loads:?}");
        }
    }

    #[test]
    fn the_order_of_the_cases_has_no_part_in_it() {
        let ids = ids(300);
        let forth = assigned(&ids, 7);
        let turned: Vec<String> = ids.iter().rev().cloned().collect();
        let mut back = assigned(&turned, 7);
        back.reverse();
        assert_eq!(forth, back);
    }

    #[test]
    fn a_case_more_moves_few_others() {
        let ids = ids(1001);
        let (before, after) = (assigned(&ids[..1000], 10), assigned(&ids, 10));
        let moved = before.iter().zip(&after).filter(|(b, a)| b != a).count();
        assert!(moved < 150, "{moved} of 1000");
    }

    #[test]
    fn answers_are_shared_out_rather_than_cases() {
        // One case of 50 answers, and 50 of one.
        let ids = ids(51);
        let cases = ids
            .iter()
            .enumerate()
            .map(|(i, id)| (id.as_str(), if i == 0 { 50 } else { 1 }));
        let shards = assign(cases, 2);
        let alone = shards.iter().filter(|shard| **shard == shards[0]).count();
        assert_eq!(alone, 1, "{shards:?}");
        // One that is larger than any share has room nowhere, and goes somewhere all the same.
        let cases = [("a", 100), ("b", 1), ("c", 1)];
        let shards = assign(cases, 3);
        assert!(shards[1..].iter().all(|shard| *shard != shards[0]), "{shards:?}");
    }
}
