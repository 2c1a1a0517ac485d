//! Cases that fail in one run alone and cases that fail in the other alone in, a p-value out.

use statrs::function::factorial::ln_binomial;

/// McNemar's test, mid-p, two-sided: `min(1, 2·P(X ≤ min(b, c)) − P(X = min(b, c)))` with X binomial of b + c trials at
/// ½ (Fagerland, Lydersen and Laake, *BMC Medical Research Methodology* 13:91, 2013). None where nothing flips.
pub(super) fn mid_p(b: u32, c: u32) -> Option<f64> {
    let (fewer, trials) = (u64::from(b.min(c)), u64::from(b) + u64::from(c));
    if trials == 0 {
        return None;
    }
    let at = (ln_binomial(trials, fewer) - trials as f64 * std::f64::consts::LN_2).exp();
    let (mut term, mut below, mut k) = (at, 0.0, fewer);
    // P(X = k − 1) = P(X = k)·k/(n − k + 1): falling, as k is at most half of n.
    while k > 0 && term > 1e-18 * at {
        term *= k as f64 / (trials - k + 1) as f64;
        below += term;
        k -= 1;
    }
    Some((2.0 * below + at).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::mid_p;

    #[test]
    fn small_tables_are_those_of_the_binomial_by_hand() {
        assert_eq!(mid_p(0, 0), None);
        for (b, c, expected) in [(0, 1, 0.5), (1, 1, 1.0), (0, 5, 1.0 / 32.0), (2, 4, 29.0 / 64.0)] {
            let got = mid_p(b, c).unwrap();
            assert!((got - expected).abs() < 1e-12, "{b}, {c}: {got}");
            assert_eq!(mid_p(c, b), Some(got), "it has two sides");
        }
    }

    #[test]
    fn large_tables_end() {
        assert!(mid_p(u32::MAX, 0).unwrap() < 1e-300);
        assert!(mid_p(50_000, 50_000).unwrap() > 0.99);
    }
}
