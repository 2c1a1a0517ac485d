//! Pairs of values of the compared cases in, the difference of a quantile between the two runs out.

use std::collections::BTreeMap;

use crate::score::TOLERANCE;
use crate::score::case::count;
use crate::score::student::{Z_800, Z_950};
use crate::score::summation::{quantile, sample_deviation};

use super::Method;
use super::bootstrap::{RESAMPLES, TwoValues, quantile_differences, tails};
use super::difference::{Analysis, Distribution, Pair, Resampling, nothing};

/// The difference of the two runs' quantiles, unweighted as the quantiles of one run are, with bounds of a percentile
/// bootstrap over whole cases or groups. The error is the standard deviation of the resampled differences.
///
/// Where 90 % of the resamples and more give one and the same difference (most scores are 1.0, say) there are no bounds,
/// as an interval between them would be of no width; the difference itself then says as much as they would.
pub(super) fn quantile_difference(pairs: &[Pair<'_>], share: f64, mut resampling: Resampling) -> Analysis {
    let (values, clusters) = numbered(pairs);
    let mut difference = nothing();
    difference.n = count(pairs.len());
    difference.clusters = count(clusters);
    let of = |value: fn(&TwoValues) -> f64| {
        let mut ascending: Vec<f64> = values.iter().map(value).collect();
        ascending.sort_unstable_by(f64::total_cmp);
        quantile(&ascending, share)
    };
    (difference.now, difference.before) = (of(|v| v.now), of(|v| v.before));
    let moved = difference
        .now
        .zip(difference.before)
        .map(|(now, before)| now - before);
    difference.difference = moved;
    let mut distribution = Distribution::None;
    if let Some(moved) = moved {
        let differences = quantile_differences(
            &values,
            clusters,
            share,
            &mut resampling.random,
            resampling.resamples,
        );
        let ends = tails(&differences, 0.05).filter(|(low, high)| high - low > TOLERANCE);
        match ends.zip(sample_deviation(&differences)) {
            // A quantile at the edge of its resamples still lies between its bounds.
            Some(((low, high), error)) => {
                (difference.low, difference.high) = (Some(low.min(moved)), Some(high.max(moved)));
                difference.error = Some(error);
                difference.detectable = Some((Z_950 + Z_800) * error);
                difference.method = Method::Percentile;
                if differences.len() < RESAMPLES {
                    let n = differences.len();
                    difference
                        .notes
                        .push(format!("{n} resamples instead of {RESAMPLES}: the set is large"));
                }
                distribution = Distribution::Differences(differences);
            }
            None => difference.notes.push(format!(
                "at least 90 % of the resamples give the same difference, {moved:+.4}: there is no interval"
            )),
        }
    }
    Analysis {
        difference,
        distribution,
        missing: None,
    }
}

/// The pairs with their clusters counted: groups by name first, then the cases without one in their order.
fn numbered(pairs: &[Pair<'_>]) -> (Vec<TwoValues>, usize) {
    let mut names: BTreeMap<&str, usize> = pairs
        .iter()
        .filter_map(|p| p.group)
        .map(|name| (name, 0))
        .collect();
    for (index, number) in names.values_mut().enumerate() {
        *number = index;
    }
    let mut clusters = names.len();
    let mut values = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let grouped = pair.group.and_then(|name| names.get(name).copied());
        let cluster = grouped.unwrap_or(clusters);
        if grouped.is_none() {
            clusters += 1;
        }
        values.push(TwoValues {
            now: pair.now,
            before: pair.before,
            cluster,
        });
    }
    (values, clusters)
}
