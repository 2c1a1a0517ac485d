//! Scored cases in, 95 % intervals of their mean and of their pass rate out.

use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::Interval;
use super::summation::sum;

/// The 0.975 quantile of the standard normal distribution.
const Z_975: f64 = 1.959_963_984_540_054;

/// A standard error this small is rounding, not information.
const NO_ERROR: f64 = 1e-12;

/// A scored case as the intervals see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observation<'a> {
    /// 0..1.
    pub(super) score: f64,
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

/// The 95 % interval of a weighted mean `m = Σ w·x / Σ w`, cut to 0..1 because no score lies outside:
/// `m ± t(0.975, df)·SE`.
///
/// - Standard error: linearised and robust to clusters,
///   `SE = √(G/(G−1) · Σ_g (Σ_{i∈g} w_i (x_i − m))²) / Σ w` over the G clusters (see [`clusters`]).
///   Without groups or weights this is `s/√n`; without weights it is the cluster-robust form of Miller,
///   *Adding Error Bars to Evals* (arXiv 2411.00640), section 2.2.
/// - Degrees of freedom: `G·(n_eff/n) − 1` with Kish's effective number (see [`effective_number`]), so
///   `n − 1` without groups or weights and `G − 1` without weights. Simulated with weights of a log-normal
///   distribution (σ = 1) and beta-distributed scores, 95 % intervals cover 0.92 at n = 10 where n − 1
///   degrees of freedom cover 0.87 (`tests/figures/weighted_coverage.py`).
pub(super) fn of_mean(observations: &[Observation<'_>], mean: f64) -> Result<Interval, NoInterval> {
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
    let total = sum(observations.iter().map(|o| o.weight));
    let squares = cluster_deviations(observations, mean).map(|d| d * d);
    let g = clusters as f64;
    let error = (g / (g - 1.0) * sum(squares)).sqrt() / total;
    if error <= NO_ERROR {
        return Err(NoInterval::Cancelled);
    }
    let half = t_975(freedom) * error;
    Ok(Interval {
        low: (mean - half).clamp(0.0, 1.0),
        high: (mean + half).clamp(0.0, 1.0),
    })
}

/// Per cluster, the sum of `w·(x − mean)` over its members.
fn cluster_deviations(observations: &[Observation<'_>], mean: f64) -> impl Iterator<Item = f64> {
    let mut grouped: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut single = Vec::new();
    for observation in observations {
        let deviation = observation.weight * (observation.score - mean);
        match observation.group {
            Some(group) => grouped.entry(group).or_default().push(deviation),
            None => single.push(deviation),
        }
    }
    grouped.into_values().map(sum).chain(single)
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

/// The 0.975 quantile of Student's t; `freedom` is at least 1 and may be fractional.
///
/// From 1,000 degrees on by the expansion around the normal quantile (Abramowitz and Stegun 26.7.5), whose
/// first left-out term is below 1e-11 there: the inverted beta function that `statrs` uses loses digits as
/// the degrees of freedom grow, and has lost all but four at a million.
fn t_975(freedom: f64) -> f64 {
    if freedom < 1_000.0
        && let Ok(t) = StudentsT::new(0.0, 1.0, freedom.max(1.0))
    {
        return t.inverse_cdf(0.975);
    }
    let z = Z_975;
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / freedom + second / freedom.powi(2) + third / freedom.powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From SciPy 1.17, `scipy.stats.t.ppf(0.975, df)`.
    #[test]
    fn t_quantiles_are_those_of_the_tables() {
        let table = include_str!("../../tests/figures/t_quantiles.csv");
        let mut rows = 0;
        for line in table.lines().skip(1) {
            let (freedom, expected) = line.split_once(',').unwrap();
            let (freedom, expected): (f64, f64) = (freedom.parse().unwrap(), expected.parse().unwrap());
            let got = t_975(freedom);
            assert!(
                (got / expected - 1.0).abs() < 1e-9,
                "df {freedom}: {got} instead of {expected}"
            );
            rows += 1;
        }
        assert!(rows > 300, "only {rows} rows");
    }

    #[test]
    fn the_quantile_falls_where_the_two_methods_meet() {
        assert!(t_975(999.9) > t_975(1_000.0));
        assert!((t_975(999.999_999) - t_975(1_000.0)).abs() < 1e-8);
    }

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
