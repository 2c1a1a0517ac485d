//! How long to wait before the next attempt: settings and what the service asked for come in, a pause
//! goes out. Exponential with full jitter, so that callers that failed together don't return together.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use uuid::Uuid;

use super::Settings;

/// The pauses of one call; ends when its attempts are used up.
pub(super) struct Pauses {
    upper_bounds: ExponentialBackoff,
    first: Duration,
    retry_after_cap: Duration,
}

impl Pauses {
    pub(super) fn new(settings: &Settings) -> Pauses {
        let upper_bounds = ExponentialBuilder::new()
            .with_min_delay(settings.backoff)
            .with_max_delay(settings.backoff_cap.max(settings.backoff))
            .with_factor(2.0)
            .with_max_times(settings.max_attempts.saturating_sub(1) as usize)
            .build();
        Pauses {
            upper_bounds,
            first: settings.backoff,
            retry_after_cap: settings.retry_after_cap,
        }
    }

    /// The next pause, or `None` when there is no attempt left.
    pub(super) fn next(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        let upper = self.upper_bounds.next()?;
        Some(match retry_after.filter(|d| !d.is_zero()) {
            // Spread over one step: whoever was told the same second doesn't come back in the same instant.
            Some(asked) => asked.saturating_add(jitter(self.first)).min(self.retry_after_cap),
            None => jitter(upper),
        })
    }
}

/// A pause drawn evenly from `0..=upper`, so that callers that failed together don't return together.
pub fn jitter(upper: Duration) -> Duration {
    const BITS: u32 = 53;
    let random = Uuid::new_v4().as_u128() & ((1 << BITS) - 1);
    // 53 random bits are exactly a fraction of an f64.
    upper.mul_f64(random as f64 / (1_u64 << BITS) as f64)
}

/// `Retry-After` (RFC 9110, 10.2.3): seconds, or a date in one of the three forms of 5.6.7. A date is
/// compared with the reply's own `Date`, so that a wrong clock on this side does no harm.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    // Not allowed, and sent all the same.
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = http_date(text)?;
    let now = headers
        .get(DATE)
        .and_then(|d| d.to_str().ok())
        .and_then(|date| http_date(date.trim()))
        .unwrap_or_else(Timestamp::now);
    Some(Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO))
}

pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    static RFC_5322: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
    if let Ok(at) = RFC_5322.parse_timestamp(text) {
        return Some(at);
    }
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|form| {
            let civil = jiff::fmt::strtime::parse(form, text).ok()?.to_datetime().ok()?;
            Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
        })
}

#[cfg(any(test, fuzzing))]
pub(crate) mod promises;

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn asked(retry_after_text: &str, date: Option<&'static str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(
            RETRY_AFTER,
            HeaderValue::from_str(retry_after_text).expect("a header"),
        );
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        retry_after(&headers)
    }

    #[test]
    fn retry_after_in_every_form() {
        let now = Some("Sun, 06 Nov 1994 08:49:07 GMT");
        for (text, seconds) in [
            ("0", 0),
            ("7", 7),
            (" 120 ", 120),
            ("99999999999999999999999999", u64::MAX),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 30),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 30),
            ("Sun Nov  6 08:49:37 1994", 30),
            ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ] {
            assert_eq!(asked(text, now), Some(Duration::from_secs(seconds)), "{text}");
        }
        let blank = Some(" Sun, 06 Nov 1994 08:49:07 GMT ");
        assert_eq!(
            asked("Sun Nov  6 08:49:37 1994", blank),
            Some(Duration::from_secs(30))
        );
        assert_eq!(asked("1.5", None), Some(Duration::from_millis(1500)));
        for text in [
            "",
            "soon",
            "-1",
            "NaN",
            "inf",
            "1e999",
            "Sun, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(asked(text, now), None, "{text}");
        }
    }

    #[test]
    fn a_date_without_a_date_header_counts_from_this_machines_clock() {
        let later = Timestamp::now() + jiff::SignedDuration::from_secs(90);
        let text = jiff::fmt::rfc2822::DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&later)
            .expect("a date");
        let asked = asked(&text, None).expect("a date");
        assert!((80..=90).contains(&asked.as_secs()), "{asked:?}");
    }

    fn settings() -> Settings {
        Settings {
            max_attempts: 5,
            ..Settings::new("https://example.com", "k".into())
        }
    }

    #[test]
    fn pauses_double_up_to_the_cap_and_end_with_the_attempts() {
        let settings = Settings {
            max_attempts: 9,
            backoff_cap: Duration::from_secs(4),
            ..settings()
        };
        let mut widest = vec![Duration::ZERO; 8];
        for _ in 0..400 {
            let mut pauses = Pauses::new(&settings);
            for widest in &mut widest {
                *widest = (*widest).max(pauses.next(None).expect("an attempt is left"));
            }
            assert_eq!(pauses.next(None), None);
            assert_eq!(pauses.next(Some(Duration::from_secs(1))), None);
        }
        for (widest, upper) in widest.iter().zip([0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0]) {
            let upper = Duration::from_secs_f64(upper);
            // Full jitter: of 400 draws the widest is near the upper bound and never beyond.
            assert!(
                *widest <= upper && *widest > upper.mul_f64(0.9),
                "{widest:?} of {upper:?}"
            );
        }
    }

    #[test]
    fn retry_after_is_a_floor_up_to_its_cap() {
        let mut pauses = Pauses::new(&settings());
        let pause = pauses
            .next(Some(Duration::from_secs(40)))
            .expect("an attempt is left");
        assert!(
            pause >= Duration::from_secs(40) && pause <= Duration::from_millis(40_500),
            "{pause:?}"
        );
        assert_eq!(pauses.next(Some(Duration::MAX)), Some(Duration::from_secs(120)));
        let pause = pauses.next(Some(Duration::ZERO)).expect("an attempt is left");
        assert!(pause <= Duration::from_secs(2), "{pause:?}");
    }

    #[test]
    fn one_attempt_has_no_pause() {
        for max_attempts in [0, 1] {
            assert_eq!(
                Pauses::new(&Settings {
                    max_attempts,
                    ..settings()
                })
                .next(None),
                None
            );
        }
    }
}
