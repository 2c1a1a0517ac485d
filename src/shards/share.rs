//! A suite and a shard → the suite with that shard's cases alone, and what has to stand in its results so that they can
//! be put together again.

use std::collections::HashMap;

use super::{Shard, assign};
use crate::results::{Portion, Results, ShardRecord};
use crate::suite::Suite;

/// What one shard has of a suite.
#[derive(Debug)]
pub struct Share {
    shard: Shard,
    portion: Portion,
    /// Every case of the whole suite, and whose it is.
    owners: HashMap<String, u16>,
}

impl Share {
    /// Leaves a suite the cases of one shard. Its fingerprint stays the whole suite's; its anchors are judged by the
    /// first shard alone, whatever it has of the cases.
    pub fn take(suite: &mut Suite, shard: Shard) -> Share {
        let cases = suite.cases.iter().map(|case| (case.id.as_str(), case.samples));
        let shards = assign(cases, shard.of());
        let ids = suite.cases.iter().map(|case| case.id.to_string());
        let owners = ids.zip(shards.iter().copied()).collect();
        let portion = portion(shards.iter().map(|owner| *owner == shard.index()));
        let mut own = shards.into_iter().map(|owner| owner == shard.index());
        suite.cases.retain(|_| own.next().unwrap_or_default());
        if shard.index() != 1 {
            suite.judge.anchors.clear();
        }
        Share {
            shard,
            portion,
            owners,
        }
    }

    /// Leaves an earlier run the cases that this shard has, and says where they stood. What is no case of the suite any
    /// more is the first shard's.
    pub fn of_baseline(&self, base: &mut Results) -> Portion {
        let is_own = |id: &str| *self.owners.get(id).unwrap_or(&1) == self.shard.index();
        let portion = portion(base.cases.iter().map(|case| is_own(&case.id)));
        base.cases = base.cases.iter().filter(|case| is_own(&case.id)).collect();
        portion
    }

    /// What stands in the results. `baseline`: what [`Share::of_baseline`] said, where there is one.
    pub fn record(&self, baseline: Option<Portion>, workflow_run: Option<u64>) -> ShardRecord {
        ShardRecord {
            index: self.shard.index(),
            of: self.shard.of(),
            of_cases: self.portion.of_cases,
            positions: self.portion.positions.clone(),
            workflow_run,
            baseline,
        }
    }

    /// The shard.
    pub fn shard(&self) -> Shard {
        self.shard
    }
}

/// Which of a list's entries are one's own.
fn portion(own: impl Iterator<Item = bool>) -> Portion {
    let mut portion = Portion {
        of_cases: 0,
        positions: Vec::new(),
    };
    for own in own {
        if own {
            portion.positions.push(portion.of_cases);
        }
        portion.of_cases += 1;
    }
    portion
}
