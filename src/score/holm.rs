//! P-values of several tests in, the same adjusted for their number out.

/// P-values adjusted by Holm's step-down method (*Scandinavian Journal of Statistics* 6, 1979), in the order given: the
/// i-th smallest of m is multiplied by `m − i + 1`, and none is below a smaller one's. Calling those at or below α
/// significant raises a false alarm in any of them with probability α at most, however the tests hang together.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut largest = 0.0_f64;
    for (rank, at) in order.into_iter().enumerate() {
        largest = largest.max((p.len() - rank) as f64 * p[at]).min(1.0);
        adjusted[at] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::holm;

    #[test]
    fn one_test_is_not_adjusted_and_none_is_none() {
        assert_eq!(holm(&[0.03]), [0.03]);
        assert_eq!(holm(&[]), [] as [f64; 0]);
    }

    #[test]
    fn order_is_kept_and_no_adjusted_value_overtakes_a_smaller_one() {
        assert_eq!(holm(&[0.25, 0.125, 0.1875]), [0.375, 0.375, 0.375]);
        assert_eq!(holm(&[0.5, 0.0, 0.9]), [1.0, 0.0, 1.0]);
    }
}
