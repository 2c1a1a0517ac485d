//! Degrees of freedom in, quantiles and probabilities of Student's t out; and the constants of the normal distribution.

use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::function::erf::erfc;

/// The 0.975 quantile of the standard normal distribution.
pub(super) const Z_975: f64 = 1.959_963_984_540_054;

/// Its 0.95 quantile.
pub(super) const Z_950: f64 = 1.644_853_626_951_472_2;

/// Its 0.80 quantile.
pub(super) const Z_800: f64 = 0.841_621_233_572_914_3;

/// From here on the expansions around the normal distribution are exact to 1e-11: the incomplete beta function that
/// `statrs` uses loses digits as the degrees of freedom grow, and its inverse has lost all but four at a million.
const MANY: f64 = 1_000.0;

/// The 0.975 quantile of Student's t; `freedom` is at least 1 and may be fractional.
pub(super) fn t_975(freedom: f64) -> f64 {
    quantile(0.975, Z_975, freedom)
}

/// The 0.95 quantile of Student's t; `freedom` is at least 1 and may be fractional.
pub(super) fn t_950(freedom: f64) -> f64 {
    quantile(0.95, Z_950, freedom)
}

/// `z` is the normal quantile of the same `level`. For many degrees of freedom by the expansion around it (Abramowitz
/// and Stegun 26.7.5).
fn quantile(level: f64, z: f64, freedom: f64) -> f64 {
    if freedom < MANY
        && let Ok(t) = StudentsT::new(0.0, 1.0, freedom.max(1.0))
    {
        return t.inverse_cdf(level);
    }
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / freedom + second / freedom.powi(2) + third / freedom.powi(3)
}

/// The probability that Student's t is at or below `t`; `freedom` is at least 1 and may be fractional. For many
/// degrees of freedom by Fisher's expansion around the normal distribution (*Metron* 5, 1925).
pub(super) fn t_at_or_below(t: f64, freedom: f64) -> f64 {
    if freedom < MANY
        && let Ok(student) = StudentsT::new(0.0, 1.0, freedom.max(1.0))
    {
        return student.cdf(t);
    }
    // Beyond this the density is 0 in a float, and the powers below may overflow.
    let t = t.clamp(-40.0, 40.0);
    let normal = 0.5 * erfc(-t / std::f64::consts::SQRT_2);
    let density = (-0.5 * t * t).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let s = t * t;
    let first = t * (s + 1.0) / 4.0;
    let second = t * (((3.0 * s - 7.0) * s - 5.0) * s - 3.0) / 96.0;
    let third = t * (((((s - 11.0) * s + 14.0) * s + 6.0) * s - 3.0) * s - 15.0) / 384.0;
    let correction = first / freedom + second / freedom.powi(2) + third / freedom.powi(3);
    (normal - density * correction).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(table: &str) -> impl Iterator<Item = Vec<f64>> {
        let lines = table.lines().skip(1);
        lines.map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
    }

    /// From SciPy, `scipy.stats.t.ppf`.
    #[test]
    fn t_quantiles_are_those_of_the_tables() {
        let mut count = 0;
        for row in rows(include_str!("../../tests/figures/t_quantiles.csv")) {
            for (got, expected) in [(t_975(row[0]), row[1]), (t_950(row[0]), row[2])] {
                assert!(
                    (got / expected - 1.0).abs() < 1e-9,
                    "{} degrees: {got} instead of {expected}",
                    row[0]
                );
            }
            count += 1;
        }
        assert!(count > 300, "only {count} rows");
    }

    /// From SciPy, `scipy.stats.t.cdf`.
    #[test]
    fn t_probabilities_are_those_of_the_tables() {
        let mut count = 0;
        for row in rows(include_str!("../../tests/figures/t_probabilities.csv")) {
            let got = t_at_or_below(row[1], row[0]);
            assert!(
                (got - row[2]).abs() < 1e-10,
                "T({}) with {} degrees: {got}",
                row[1],
                row[0]
            );
            count += 1;
        }
        assert!(count > 300, "only {count} rows");
        assert_eq!(t_at_or_below(-1e200, 1e5), 0.0);
        assert_eq!(t_at_or_below(1e200, 1e5), 1.0);
    }

    #[test]
    fn the_quantile_falls_where_the_two_methods_meet() {
        for quantile in [t_975, t_950] {
            assert!(quantile(999.9) > quantile(1_000.0));
            assert!((quantile(999.999_999) - quantile(1_000.0)).abs() < 1e-8);
        }
    }
}
