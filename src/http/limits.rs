//! Whether a refusal is a limit that passes, and how long that takes: a status, headers and a text come in.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap};

use super::pause;

/// A limit without a word of when it ends: what GitHub's guide to its limits asks for.
const UNTOLD: Duration = Duration::from_secs(60);

/// Which replies say that there were too many calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// 429 alone.
    Status,
    /// As GitHub does it: 429, and a 403 that has `Retry-After` or `x-ratelimit-remaining: 0`, or that speaks of a
    /// rate limit. `x-ratelimit-reset` (seconds since 1970) tells when it ends.
    Headers,
}

impl Limits {
    /// The pause that a limit asks for where the reply is one; what the text says comes behind the headers.
    pub(super) fn pause(self, status: StatusCode, headers: &HeaderMap, text: &str) -> Option<Duration> {
        if self == Limits::Status || !matches!(status, StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS)
        {
            return None;
        }
        if let Some(asked) = pause::retry_after(headers) {
            return Some(asked);
        }
        if number(headers, "x-ratelimit-remaining") == Some(0) {
            return Some(until_reset(headers).unwrap_or(UNTOLD));
        }
        let told = text.to_ascii_lowercase().contains("rate limit");
        (told || status == StatusCode::TOO_MANY_REQUESTS).then_some(UNTOLD)
    }
}

/// Counted from the reply's own `Date`, so that a wrong clock on this side does no harm.
fn until_reset(headers: &HeaderMap) -> Option<Duration> {
    let reset = Timestamp::from_second(number(headers, "x-ratelimit-reset")?).ok()?;
    let now = headers
        .get(DATE)
        .and_then(|date| pause::http_date(date.to_str().ok()?.trim()))
        .unwrap_or_else(Timestamp::now);
    // A second more: the reset is told in whole ones.
    let left = reset.duration_since(now) + jiff::SignedDuration::from_secs(1);
    Some(Duration::try_from(left).unwrap_or(Duration::ZERO))
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn asked(limits: Limits, status: u16, pairs: &[(&'static str, &'static str)], text: &str) -> Option<u64> {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value)))
            .collect();
        let status = StatusCode::from_u16(status).expect("a status");
        limits.pause(status, &headers, text).map(|pause| pause.as_secs())
    }

    #[test]
    fn a_403_is_a_limit_where_its_headers_or_its_text_say_so() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let none = ("x-ratelimit-remaining", "0");
        for (status, pairs, text, seconds) in [
            (403, &[("retry-after", "7")][..], "", Some(7)),
            (429, &[("retry-after", "7")], "", Some(7)),
            (
                403,
                &[none, ("x-ratelimit-reset", "784111787"), date],
                "",
                Some(11),
            ),
            (
                403,
                &[none, ("x-ratelimit-reset", "784111000"), date],
                "",
                Some(0),
            ),
            (403, &[none, ("x-ratelimit-reset", "soon"), date], "", Some(60)),
            (403, &[none], "", Some(60)),
            (403, &[], "You have exceeded a secondary rate limit", Some(60)),
            (429, &[], "", Some(60)),
            (
                403,
                &[("x-ratelimit-remaining", "4999")],
                "Resource not accessible",
                None,
            ),
            (404, &[none], "rate limit", None),
            (500, &[("retry-after", "7")], "", None),
        ] {
            assert_eq!(
                asked(Limits::Headers, status, pairs, text),
                seconds,
                "{status} {pairs:?} {text}"
            );
            assert_eq!(asked(Limits::Status, status, pairs, text), None);
        }
    }
}
