//! Numbers in, sums and order statistics out, without the rounding that piles up over 100,000 terms.

/// The sum, compensated as by Neumaier (1974): the error does not grow with the number of terms.
pub(super) fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut total = 0.0_f64;
    let mut lost = 0.0_f64;
    for value in values {
        let next = total + value;
        lost += if total.abs() >= value.abs() {
            (total - next) + value
        } else {
            (value - next) + total
        };
        total = next;
    }
    total + lost
}

/// The arithmetic mean; none of nothing.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| sum(values.iter().copied()) / values.len() as f64)
}

/// The quantile of an ascending list by linear interpolation between order statistics: Hyndman and Fan
/// (1996), type 7, the default of R and NumPy. None of nothing.
pub(super) fn quantile(ascending: &[f64], share: f64) -> Option<f64> {
    let last = ascending.len().checked_sub(1)?;
    let rank = last as f64 * share.clamp(0.0, 1.0);
    let below = (rank.floor() as usize).min(last);
    let above = (below + 1).min(last);
    let (low, high) = (ascending[below], ascending[above]);
    Some(low + (rank - below as f64) * (high - low))
}

/// The standard deviation of a sample, `√(Σ (x − mean)² / (n − 1))`; none below two values.
pub(super) fn sample_deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = mean(values)?;
    let squares = sum(values.iter().map(|x| (x - mean).powi(2)));
    Some((squares / (values.len() - 1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_terms_survive_large_ones() {
        assert_eq!(sum([1e16, 1.0, -1e16]), 1.0);
        assert_eq!(sum(std::iter::repeat_n(0.1, 100_000)), 10_000.0);
    }

    #[test]
    fn quantiles_interpolate_between_order_statistics() {
        let four = [0.1, 0.2, 0.4, 0.8];
        assert!((quantile(&four, 0.1).unwrap() - 0.13).abs() < 1e-12);
        assert!((quantile(&four, 0.5).unwrap() - 0.3).abs() < 1e-12);
        assert_eq!(quantile(&four, 0.0), Some(0.1));
        assert_eq!(quantile(&four, 1.0), Some(0.8));
        assert_eq!(quantile(&[0.6], 0.1), Some(0.6));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn the_deviation_of_a_sample_divides_by_one_less() {
        assert!((sample_deviation(&[0.0, 1.0]).unwrap() - 0.5_f64.sqrt()).abs() < 1e-15);
        assert_eq!(sample_deviation(&[0.5]), None);
        assert_eq!(sample_deviation(&[]), None);
        assert_eq!(mean(&[]), None);
    }
}
