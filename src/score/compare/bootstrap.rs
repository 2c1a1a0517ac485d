//! Clusters or pairs of cases and a stream of random numbers in, sorted bootstrap distributions out.

use crate::score::interval::Cluster;
use crate::score::random::Random;

/// Resamples behind the bounds of one difference.
pub(super) const RESAMPLES: usize = 10_000;

/// A spread this small beside the squares it is of is rounding.
const NO_SPREAD: f64 = 1e-10;

/// The studentised statistics `t* = (D̄* − D̄)/SE*` of resamples of whole clusters, ascending (Davison and Hinkley,
/// *Bootstrap Methods and their Application*, 1997, section 5.2), and how many resamples have no spread.
///
/// Such a resample can't be studentised; its t* is −∞, 0 or ∞, by the sign of `D̄* − D̄`, which is what it tends to.
/// A resample costs a few additions per cluster: D̄* − D̄ and SE* follow from the sums of the clusters' deviations `a`
/// and weights `b`, of their squares and of their products.
pub(super) fn studentised(clusters: &[Cluster], random: &mut Random, resamples: usize) -> (Vec<f64>, usize) {
    let g = clusters.len();
    let correction = g as f64 / (g as f64 - 1.0);
    let even = clusters.first().map_or(0.0, |first| first.weight);
    let uneven = clusters.iter().any(|cluster| cluster.weight != even);
    let mut degenerate = 0;
    let mut statistics: Vec<f64> = (0..resamples)
        .map(|_| {
            let sums = if uneven {
                weighted(clusters, random)
            } else {
                unweighted(clusters, even, random)
            };
            let shift = sums.a / sums.b;
            let squares = sums.aa - 2.0 * shift * sums.ab + shift * shift * sums.bb;
            if squares <= NO_SPREAD * sums.aa {
                degenerate += 1;
                return if shift == 0.0 {
                    0.0
                } else {
                    shift.signum() * f64::INFINITY
                };
            }
            shift * sums.b / (correction * squares).sqrt()
        })
        .collect();
    statistics.sort_unstable_by(f64::total_cmp);
    (statistics, degenerate)
}

/// Sums over the clusters of one resample.
#[derive(Default)]
struct Sums {
    a: f64,
    b: f64,
    aa: f64,
    ab: f64,
    bb: f64,
}

fn weighted(clusters: &[Cluster], random: &mut Random) -> Sums {
    let mut sums = Sums::default();
    for _ in 0..clusters.len() {
        let Cluster { deviation, weight } = clusters[random.below(clusters.len())];
        sums.a += deviation;
        sums.b += weight;
        sums.aa += deviation * deviation;
        sums.ab += deviation * weight;
        sums.bb += weight * weight;
    }
    sums
}

/// The same where every cluster weighs `even`: three of the sums are known.
fn unweighted(clusters: &[Cluster], even: f64, random: &mut Random) -> Sums {
    let (mut a, mut aa) = (0.0, 0.0);
    for _ in 0..clusters.len() {
        let deviation = clusters[random.below(clusters.len())].deviation;
        a += deviation;
        aa += deviation * deviation;
    }
    let g = clusters.len() as f64;
    Sums {
        a,
        b: g * even,
        aa,
        ab: even * a,
        bb: g * even * even,
    }
}

/// The order statistics of an ascending list that cut off a share `tail` at either end: the k-th from below and from
/// above, `k = ⌊tail·(B + 1)⌋`. They go with the p-value `(1 + #)/(B + 1)`: it is at or below `tail` exactly where the
/// bound is beyond. None of a list too short for it.
pub(super) fn tails(ascending: &[f64], tail: f64) -> Option<(f64, f64)> {
    let k = (tail * (ascending.len() + 1) as f64 + 1e-9).floor() as usize;
    let low = k.checked_sub(1)?;
    Some((
        *ascending.get(low)?,
        *ascending.get(ascending.len().checked_sub(k)?)?,
    ))
}

/// `(1 + #{x ≤ at})/(B + 1)` and `(1 + #{x ≥ at})/(B + 1)`: p-values of a resampled distribution, never 0.
pub(super) fn shares(ascending: &[f64], at: f64) -> (f64, f64) {
    let total = (ascending.len() + 1) as f64;
    let below = ascending.partition_point(|x| *x <= at);
    let above = ascending.len() - ascending.partition_point(|x| *x < at);
    ((1 + below) as f64 / total, (1 + above) as f64 / total)
}

/// A value of each of two runs, and what it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct TwoValues {
    /// This run's.
    pub(super) now: f64,
    /// The baseline's.
    pub(super) before: f64,
    /// Its cluster, counted from 0.
    pub(super) cluster: usize,
}

/// The differences of a quantile between two runs (type 7, unweighted) in resamples of whole clusters, ascending.
pub(super) fn quantile_differences(
    values: &[TwoValues],
    clusters: usize,
    share: f64,
    random: &mut Random,
    resamples: usize,
) -> Vec<f64> {
    let sorted = |of: fn(&TwoValues) -> f64| {
        let mut order: Vec<(f64, usize)> = values.iter().map(|v| (of(v), v.cluster)).collect();
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        order
    };
    let (now, before) = (sorted(|v| v.now), sorted(|v| v.before));
    let mut sizes = vec![0_usize; clusters];
    values.iter().for_each(|value| sizes[value.cluster] += 1);
    let mut times = vec![0_usize; clusters];
    let mut differences: Vec<f64> = (0..resamples)
        .filter_map(|_| {
            times.fill(0);
            let mut drawn = 0;
            for _ in 0..clusters {
                let cluster = random.below(clusters);
                times[cluster] += 1;
                drawn += sizes[cluster];
            }
            let of = |ascending| quantile_of_drawn(ascending, &times, drawn, share);
            Some(of(&now)? - of(&before)?)
        })
        .collect();
    differences.sort_unstable_by(f64::total_cmp);
    differences
}

/// The quantile of the values, each counted as often as its cluster was drawn, `drawn` in all: only as many of them are
/// looked at as lie below it.
fn quantile_of_drawn(ascending: &[(f64, usize)], times: &[usize], drawn: usize, share: f64) -> Option<f64> {
    let position = share * drawn.checked_sub(1)? as f64;
    let rank = position.floor() as usize;
    let mut passed = 0;
    let mut below = None;
    for (value, cluster) in ascending {
        passed += times[*cluster];
        if below.is_none() && passed > rank {
            below = Some(*value);
        }
        if let Some(below) = below
            && passed > (rank + 1).min(drawn - 1)
        {
            return Some(below + (position - rank as f64) * (value - below));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(deviations: &[f64], weights: &[f64]) -> Vec<Cluster> {
        let pairs = deviations.iter().zip(weights);
        pairs
            .map(|(deviation, weight)| Cluster {
                deviation: *deviation,
                weight: *weight,
            })
            .collect()
    }

    #[test]
    fn both_ways_to_sum_say_the_same() {
        let clusters = of(&[0.2, -0.1, -0.3, 0.15, 0.05], &[0.5; 5]);
        let mut random = Random::seeded("suite", "sums");
        for _ in 0..50 {
            let slow = weighted(&clusters, &mut random.clone());
            let fast = unweighted(&clusters, 0.5, &mut random);
            for (a, b) in [
                (slow.a, fast.a),
                (slow.b, fast.b),
                (slow.aa, fast.aa),
                (slow.ab, fast.ab),
                (slow.bb, fast.bb),
            ] {
                assert!((a - b).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn the_bound_and_the_p_value_say_the_same_at_every_place() {
        let ascending: Vec<f64> = (0..999).map(f64::from).collect();
        let (low, high) = tails(&ascending, 0.05).unwrap();
        assert_eq!((low, high), (49.0, 949.0));
        for x in 0..999 {
            let at = f64::from(x) - 0.5;
            let (below, above) = shares(&ascending, at);
            assert_eq!(below <= 0.05, at < low, "{at}");
            assert_eq!(above <= 0.05, at > high, "{at}");
        }
        assert_eq!(tails(&[1.0, 2.0], 0.05), None);
    }

    #[test]
    fn a_resample_without_spread_is_counted_and_beyond_every_bound() {
        let mut deviations = vec![-0.01; 60];
        deviations[0] = 0.59;
        let (statistics, degenerate) = studentised(
            &of(&deviations, &[1.0; 60]),
            &mut Random::seeded("suite", "rare"),
            2_000,
        );
        // The one case that differs is left out with probability (1 − 1/60)^60 = 0.365.
        assert!((600..860).contains(&degenerate), "{degenerate}");
        let infinite = statistics.iter().filter(|t| t.is_infinite()).count();
        assert_eq!(infinite, degenerate);
        assert!(statistics.iter().all(|t| !t.is_nan()));
    }

    #[test]
    fn a_quantile_is_found_without_writing_out_what_was_drawn() {
        let ascending: Vec<(f64, usize)> = (0..30_u32)
            .map(|i| (f64::from(i).sqrt(), i as usize % 12))
            .collect();
        let mut random = Random::seeded("suite", "drawn");
        for _ in 0..200 {
            let mut times = vec![0; 12];
            (0..random.below(13)).for_each(|_| times[random.below(12)] += 1);
            let written: Vec<f64> = ascending
                .iter()
                .flat_map(|(value, cluster)| std::iter::repeat_n(*value, times[*cluster]))
                .collect();
            for share in [0.0, 0.1, 0.5, 0.73, 1.0] {
                let found = quantile_of_drawn(&ascending, &times, written.len(), share);
                assert_eq!(
                    found,
                    crate::score::summation::quantile(&written, share),
                    "{times:?} {share}"
                );
            }
        }
    }

    #[test]
    fn quantiles_of_a_resample_are_those_of_what_was_drawn() {
        let values: Vec<TwoValues> = (0..40)
            .map(|i| TwoValues {
                now: f64::from(i) / 40.0,
                before: f64::from(i) / 40.0 + 0.125,
                cluster: i as usize / 2,
            })
            .collect();
        let differences = quantile_differences(&values, 20, 0.5, &mut Random::seeded("suite", "median"), 500);
        assert_eq!(differences.len(), 500);
        assert!(
            differences.iter().all(|d| (d + 0.125).abs() < 1e-12),
            "every case moved alike"
        );
    }
}
