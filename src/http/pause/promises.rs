//! Any bytes come in, as the headers `Retry-After` and `Date`; what is promised of the pause is held against what is
//! read. For the tests and for fuzzing: nothing goes out, a broken promise panics.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

use super::{Pauses, http_date, retry_after};
use crate::http::Settings;

/// The last second of the year 9999, beyond which no date of HTTP goes.
const LAST: i64 = 253_402_300_799;
/// The last second of 2068: the years that two digits can name are 1969 to 2068.
const LAST_OF_TWO_DIGITS: i64 = 3_124_223_999;

/// The first line is `Retry-After`, the second one `Date`. Digits are seconds, exactly; a date is counted from the
/// other; and no pause is longer than its cap or, up to there, shorter than what was asked for.
pub(crate) fn of_headers(data: &[u8]) {
    let (asked, date) = match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], Some(&data[at + 1..])),
        None => (data, None),
    };
    let Ok(asked) = HeaderValue::from_bytes(asked) else {
        return;
    };
    let date = date.and_then(|date| HeaderValue::from_bytes(date).ok());
    let told = read(&asked, date.as_ref());
    if let Ok(text) = asked.to_str() {
        let text = text.trim();
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits {
            let seconds = text.parse().unwrap_or(u64::MAX);
            assert_eq!(told, Some(Duration::from_secs(seconds)), "{text}");
        }
        // Of the rest only a number or a date says anything, and both hold a digit.
        if !text.contains(|c: char| c.is_ascii_digit()) {
            assert_eq!(told, None, "{text}");
        }
        if text.starts_with('-') {
            assert!(told.is_none_or(|told| told.is_zero()), "{text}");
        }
        if told.is_some() && !digits && text.parse::<f64>().is_err() {
            // A date: against itself there is nothing left to wait for.
            assert_eq!(read(&asked, Some(&asked)), Some(Duration::ZERO), "{text}");
        }
    }
    let now = date.as_ref().and_then(|date| date.to_str().ok());
    if now.is_some_and(|now| http_date(now.trim()).is_some()) {
        assert_eq!(told, read(&asked, date.as_ref()));
    }
    is_kept_to(told);
    if let Some((seconds, _)) = data.split_first_chunk::<16>() {
        let (until, now) = seconds.split_at(8);
        let instant = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte))
        };
        let within = |instant: u64| i64::try_from(instant % LAST.unsigned_abs()).unwrap_or_default();
        of_dates(within(instant(until)), within(instant(now)));
    }
}

/// What lies between two dates, in whichever of the three forms of RFC 9110, 5.6.7, they are written.
fn of_dates(until: i64, now: i64) {
    let wanted = Duration::from_secs(u64::try_from(until - now).unwrap_or_default());
    for until in forms(until) {
        for now in forms(now) {
            assert_eq!(read(&until, Some(&now)), Some(wanted), "{until:?} from {now:?}");
        }
    }
}

fn forms(seconds: i64) -> Vec<HeaderValue> {
    let Ok(instant) = Timestamp::from_second(seconds) else {
        return Vec::new();
    };
    let mut texts = vec![instant.strftime("%a %b %e %H:%M:%S %Y").to_string()];
    texts.extend(DateTimePrinter::new().timestamp_to_rfc9110_string(&instant));
    if seconds <= LAST_OF_TWO_DIGITS {
        texts.push(instant.strftime("%A, %d-%b-%y %H:%M:%S GMT").to_string());
    }
    let values: Vec<HeaderValue> = texts
        .iter()
        .filter_map(|text| HeaderValue::from_str(text).ok())
        .collect();
    assert!(values.len() >= 2, "{texts:?}");
    values
}

fn read(asked: &HeaderValue, date: Option<&HeaderValue>) -> Option<Duration> {
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, asked.clone());
    if let Some(date) = date {
        headers.insert(DATE, date.clone());
    }
    retry_after(&headers)
}

fn is_kept_to(asked: Option<Duration>) {
    let settings = Settings::new("https://example.com", "".into());
    let Some(pause) = Pauses::new(&settings).next(asked) else {
        return;
    };
    let most = settings.retry_after_cap.max(settings.backoff_cap);
    assert!(pause <= most, "{pause:?} for {asked:?}");
    assert!(
        pause >= asked.unwrap_or_default().min(settings.retry_after_cap),
        "{pause:?} for {asked:?}"
    );
}
