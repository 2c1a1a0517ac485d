//! Numbers → their form in reports, the same in every format. Scores and rates are shares of 1, as gates
//! write them, so that a figure can be copied into a gate.

use crate::score::Interval;

/// What stands where there is no figure.
pub(super) const NONE: &str = "–";

/// A score or rate with three decimals.
pub(super) fn score(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |v| format!("{v:.3}"))
}

/// A figure beside the bound it is held against: whole, or with three to four decimals, and as many more
/// as it takes to see on which side of the bound it stands.
pub(super) fn against(value: f64, bound: f64) -> String {
    let mut decimals = 4;
    let mut text = format!("{value:.decimals$}");
    // Closer than this a gate takes the two for equal, and they differ by rounding alone.
    let differs = (value - bound).abs() > 1e-9;
    while decimals < 17 && differs && text.parse() == Ok(bound) {
        decimals += 1;
        text = format!("{value:.decimals$}");
    }
    let text = text.replace('-', "−");
    let short = text.trim_end_matches('0');
    match short.split_once('.') {
        Some((whole, "")) => whole.to_owned(),
        Some((_, decimals)) if decimals.len() < 3 => short.to_owned() + &"0".repeat(3 - decimals.len()),
        _ => short.to_owned(),
    }
}

/// `0.780–0.904`, `−0.021 to 0.043`.
pub(super) fn interval(interval: Interval) -> String {
    let Interval { low, high } = interval;
    // Between a dash and a minus sign nobody sees which is which.
    let to = if low < 0.0 || high < 0.0 { " to " } else { "–" };
    format!("{low:.3}{to}{high:.3}").replace('-', "−")
}

/// `0.842 (0.780–0.904)`.
pub(super) fn with_interval(value: Option<f64>, spread: Option<Interval>) -> String {
    match spread {
        Some(spread) if value.is_some() => format!("{} ({})", score(value), interval(spread)),
        _ => score(value),
    }
}

/// A difference with its sign, three decimals, and as many more as it takes to tell it from none: `−0.119`.
pub(super) fn signed(value: f64) -> String {
    let mut decimals = 3;
    let mut text = format!("{:.decimals$}", value.abs());
    while decimals < 9 && value != 0.0 && text.parse() == Ok(0.0) {
        decimals += 1;
        text = format!("{:.decimals$}", value.abs());
    }
    match text.parse() {
        Ok(0.0) => text,
        _ if value < 0.0 => format!("\u{2212}{text}"),
        _ => format!("+{text}"),
    }
}

/// `−0.171 to −0.067`.
pub(super) fn signed_interval(low: f64, high: f64) -> String {
    format!("{} to {}", signed(low), signed(high))
}

/// With a comma between thousands.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Milliseconds as a person reads them: `350 ms`, `1.2 s`, `2 min 5 s`, `1 h 3 min`.
pub(super) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        // Up to where one decimal would round up to a full minute.
        1_000..59_950 => format!(
            "{:.1} s",
            f64::from(u32::try_from(ms).unwrap_or(u32::MAX)) / 1000.0
        ),
        _ => {
            let seconds = ms.saturating_add(500) / 1000;
            let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            if hours > 0 {
                format!("{hours} h {minutes} min")
            } else {
                format!("{minutes} min {seconds} s")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_never_looks_like_the_bound_it_misses() {
        assert_eq!(against(0.731, 0.7), "0.731");
        assert_eq!(against(0.699_999_9, 0.7), "0.6999999");
        assert_eq!(against(0.7, 0.7), "0.700");
        assert_eq!(against(12.0, 10.0), "12");
        assert_eq!(against(0.0, 0.0), "0");
        assert_eq!(against(-0.5364, 0.05), "−0.5364");
        assert_eq!(against(0.1 + 0.2, 0.3), "0.300");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(score(Some(0.8416)), "0.842");
        assert_eq!(score(None), "–");
        let below = Interval {
            low: -0.704,
            high: 0.02,
        };
        assert_eq!(interval(below), "−0.704 to 0.020");
        assert_eq!(
            with_interval(
                Some(0.5),
                Some(Interval {
                    low: 0.25,
                    high: 0.75
                })
            ),
            "0.500 (0.250–0.750)"
        );
        assert_eq!(
            with_interval(
                None,
                Some(Interval {
                    low: 0.25,
                    high: 0.75
                })
            ),
            "–"
        );
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count).join(" "),
            "0 999 1,000 1,234,567"
        );
    }

    #[test]
    fn differences_have_a_sign_unless_there_is_none() {
        let shown = [-0.1194, 0.0312, 0.0, -0.0, 0.000_04, -1e-12, 1.0].map(signed);
        assert_eq!(
            shown,
            [
                "−0.119",
                "+0.031",
                "0.000",
                "0.000",
                "+0.00004",
                "0.000000000",
                "+1.000"
            ]
        );
        assert_eq!(signed_interval(-0.171, 0.067), "−0.171 to +0.067");
    }

    #[test]
    fn durations_read_well() {
        let shown: Vec<String> = [
            0, 999, 1_000, 1_250, 59_949, 59_950, 125_000, 3_599_600, 3_780_000,
        ]
        .map(duration)
        .into();
        assert_eq!(
            shown,
            [
                "0 ms",
                "999 ms",
                "1.0 s",
                "1.2 s",
                "59.9 s",
                "1 min 0 s",
                "2 min 5 s",
                "1 h 0 min",
                "1 h 3 min"
            ]
        );
    }
}
