//! Suites and the shard that is asked for → the suites' parts, and frames that say which part it is. A shard decides
//! nothing and tells nobody: that is for the merged run.

use super::environment::Environment;
use super::frame::Frame;
use super::options::{Base, Commenting, ComparisonOptions, HistoryIn};
use crate::gate::{self, Verdict};
use crate::results::Results;
use crate::shards::{Shard, Share};
use crate::suite::Suite;

/// Leaves every suite the shard's cases. None where no shard is asked for.
pub(crate) fn split(suites: &mut [Suite], shard: Option<Shard>) -> Vec<Share> {
    shard.map_or_else(Vec::new, |shard| {
        let shares = suites.iter_mut().map(|suite| Share::take(suite, shard));
        shares.collect()
    })
}

/// What of the comparison is a shard's: an earlier run whose answers it judges again, or a file that was given. The
/// merged run looks for the others, comments, and has a history.
pub(crate) fn comparison(asked: &ComparisonOptions, shard: Option<Shard>) -> ComparisonOptions {
    let mut options = asked.clone();
    if shard.is_some() {
        if options.baseline == Base::Auto && !options.rejudge_baseline {
            options.baseline = Base::None;
        }
        options.comment = Commenting::Never;
        options.history = HistoryIn::Off;
    }
    options
}

/// Notes in each frame which part it is, and leaves it that part of the earlier run.
pub(crate) fn mark(frames: &mut [Frame], shares: &[Share], environment: &Environment) {
    let workflow_run = environment.github.as_ref().and_then(|github| github.run_id);
    for (frame, share) in frames.iter_mut().zip(shares) {
        let base = frame.base.as_mut();
        let portion = base.map(|base| share.of_baseline(&mut base.results));
        frame.shard = Some(share.record(portion, workflow_run));
    }
}

/// What is said in the place of a verdict, where the results are a shard's.
pub(crate) fn verdict(results: &Results) -> Option<Verdict> {
    let shard = results.run.shard.as_ref()?;
    let (index, of) = (shard.index, shard.of);
    let cases = match results.cases.len() {
        0 => "no case".to_owned(),
        n => format!("{n} of {} cases", shard.of_cases),
    };
    Some(gate::open(format!(
        "shard {index} of {of}, with {cases}: the gates decide when all shards are merged"
    )))
}
