//! Scored cases in, or their differences between two runs; the standard error of their mean out, and 95 % intervals of
//! their mean and of their pass rate.

use std::collections::BTreeMap;

use super::Interval;
use super::student::{Z_975, t_975};
use super::summation::sum;

/// A standard error this small is rounding, not information.
const NO_ERROR: f64 = 1e-12;

/// A case as the intervals see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observation<'a> {
    /// Its score, 0..1, or the difference of two, −1..1.
    pub(super) value: f64,
    /// Above 0.
    pub(super) weight: f64,
    /// Cases with the same name here are not independent.
    pub(super) group: Option<&'a str>,
}

/// Why a mean has no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoInterval {
    /// Fewer than two independent observations.
    OneObservation,
    /// All observations belong to one group.
    OneGroup,
    /// The weights leave fewer than two observations' worth of information.
    Lopsided,
    /// The groups' deviations cancel out.
    Cancelled,
}

/// How many equally weighted observations carry as much as these: Kish (1965), `(Σ w)² / Σ w²`. It lies
/// between 1 and n, and is n when all weights are equal.
pub(super) fn effective_number(observations: &[Observation<'_>]) -> f64 {
    let total = sum(observations.iter().map(|o| o.weight));
    let squares = sum(observations.iter().map(|o| o.weight * o.weight));
    total * total / squares
}

/// How many independent clusters the observations form: each group is one, and so is each case without.
pub(super) fn clusters(observations: &[Observation<'_>]) -> usize {
    let groups: std::collections::BTreeSet<&str> = observations.iter().filter_map(|o| o.group).collect();
    groups.len() + observations.iter().filter(|o| o.group.is_none()).count()
}

/// The standard error of a weighted mean, and how far it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StandardError {
    /// Above 0.
    pub(super) error: f64,
    /// Degrees of freedom, at least 1 up to rounding; fractional where there are weights.
    pub(super) freedom: f64,
}

/// One independent part of the observations: a group, or a case without one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cluster {
    /// `Σ w·(x − mean)` over its members.
    pub(super) deviation: f64,
    /// `Σ w` over its members.
    pub(super) weight: f64,
}

/// The standard error of a weighted mean `m = Σ w·x / Σ w`.
///
/// - Linearised and robust to clusters, `SE = √(G/(G−1) · Σ_g (Σ_{i∈g} w_i (x_i − m))²) / Σ w` over the G clusters (see
///   [`clusters`]). Without groups or weights this is `s/√n`; without weights it is the cluster-robust form of Miller,
///   *Adding Error Bars to Evals* (arXiv 2411.00640), section 2.2.
/// - Degrees of freedom: `G·(n_eff/n) − 1` with Kish's effective number (see [`effective_number`]), so
///   `n − 1` without groups or weights and `G − 1` without weights. Simulated with weights of a log-normal
///   distribution (σ = 1) and beta-distributed scores, 95 % intervals cover 0.92 at n = 10 where n − 1
///   degrees of freedom cover 0.87 (`tests/figures/weighted_coverage.py`).
pub(super) fn standard_error(
    observations: &[Observation<'_>],
    mean: f64,
) -> Result<StandardError, NoInterval> {
    let n = observations.len();
    let clusters = clusters(observations);
    if n < 2 {
        return Err(NoInterval::OneObservation);
    }
    if clusters < 2 {
        return Err(NoInterval::OneGroup);
    }
    let freedom = clusters as f64 * (effective_number(observations) / n as f64) - 1.0;
    if freedom < 1.0 - NO_ERROR {
        return Err(NoInterval::Lopsided);
    }
    let parts = parts(observations, mean);
    let squares = sum(parts.iter().map(|part| part.deviation * part.deviation));
    let total = sum(parts.iter().map(|part| part.weight));
    let g = clusters as f64;
    let error = (g / (g - 1.0) * squares).sqrt() / total;
    if error <= NO_ERROR {
        return Err(NoInterval::Cancelled);
    }
    Ok(StandardError { error, freedom })
}

/// The 95 % interval of a weighted mean, `m ± t(0.975, df)·SE` (see [`standard_error`]), cut to 0..1 because no score
/// lies outside.
pub(super) fn of_mean(observations: &[Observation<'_>], mean: f64) -> Result<Interval, NoInterval> {
    let StandardError { error, freedom } = standard_error(observations, mean)?;
    let half = t_975(freedom) * error;
    Ok(Interval {
        low: (mean - half).clamp(0.0, 1.0),
        high: (mean + half).clamp(0.0, 1.0),
    })
}

/// The clusters of the observations: the groups by name, then the cases without one in their order.
pub(super) fn parts(observations: &[Observation<'_>], mean: f64) -> Vec<Cluster> {
    let mut grouped: BTreeMap<&str, Vec<&Observation<'_>>> = BTreeMap::new();
    let mut single = Vec::new();
    for observation in observations {
        match observation.group {
            Some(group) => grouped.entry(group).or_default().push(observation),
            None => single.push(observation),
        }
    }
    let part = |members: &[&Observation<'_>]| Cluster {
        deviation: sum(members.iter().map(|o| o.weight * (o.value - mean))),
        weight: sum(members.iter().map(|o| o.weight)),
    };
    let groups = grouped.values().map(|members| part(members));
    groups.chain(single.iter().map(|o| part(&[o]))).collect()
}

/// The 95 % score interval of a rate (Wilson 1927):
/// `(p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) / (1 + z²/n)`.
///
/// With weights `p` is the weighted rate and `n` is Kish's effective number, as is usual for proportions
/// of weighted surveys.
pub(super) fn of_rate(rate: f64, n: f64) -> Interval {
    let z2 = Z_975 * Z_975;
    let scale = 1.0 + z2 / n;
    let centre = (rate + z2 / (2.0 * n)) / scale;
    let half = Z_975 * (rate * (1.0 - rate) / n + z2 / (4.0 * n * n)).sqrt() / scale;
    // The interval holds the rate, and at the ends it ends there, exactly: rounding must not part them.
    Interval {
        low: if rate <= 0.0 {
            0.0
        } else {
            (centre - half).clamp(0.0, rate.min(1.0))
        },
        high: if rate >= 1.0 {
            1.0
        } else {
            (centre + half).clamp(rate.max(0.0), 1.0)
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_of_all_or_nothing_ends_exactly_at_the_end() {
        for n in [1.0, 2.0, 3.5, 10.0, 1e5] {
            assert_eq!(of_rate(1.0, n).high, 1.0);
            assert_eq!(of_rate(0.0, n).low, 0.0);
            assert!(of_rate(1.0, n).low < 1.0 && of_rate(0.0, n).high > 0.0);
            for rate in [1e-91, 1e-17, 1.0 - f64::EPSILON] {
                let interval = of_rate(rate, n);
                assert!(
                    interval.low <= rate && rate <= interval.high,
                    "{rate} of {n}: {interval:?}"
                );
            }
        }
    }
}
