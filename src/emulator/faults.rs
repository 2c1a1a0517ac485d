//! What goes wrong: a route and how often it was called come in, the fault that this call meets goes out,
//! and the replies that faults consist of.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;

use super::draw;
use super::options::{Faults, RetryAfter};

/// A fault that one call meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// 429, no effect.
    TooMany,
    /// A 5xx, no effect.
    Broken(u16),
    /// Reset, no effect.
    Reset,
    /// Effect, half of the reply.
    CutBody,
    /// Effect, reset.
    LostAnswer,
    /// Effect, 504.
    Late,
}

impl Fault {
    /// The name in the counters.
    pub(super) fn name(self) -> &'static str {
        match self {
            Fault::TooMany => "429",
            Fault::Broken(_) => "5xx",
            Fault::Reset => "reset",
            Fault::CutBody => "cut_body",
            Fault::LostAnswer => "lost_answer",
            Fault::Late => "late_5xx",
        }
    }
}

/// The fault that the `count`th call of a route meets, if any.
pub(super) fn draw(faults: &Faults, seed: u64, route: &str, count: u64) -> Option<Fault> {
    if faults
        .route
        .as_deref()
        .is_some_and(|filter| !route.contains(filter))
    {
        return None;
    }
    let count = count.to_string();
    let drawn = draw::share(seed, &["fault", route, &count]);
    let status = [500, 502, 503, 504][(draw::number(seed, &["status", route, &count]) % 4) as usize];
    let mut upper = 0.0;
    [
        (faults.rate_429, Fault::TooMany),
        (faults.rate_5xx, Fault::Broken(status)),
        (faults.reset, Fault::Reset),
        (faults.cut_body, Fault::CutBody),
        (faults.lost_answer, Fault::LostAnswer),
        (faults.late_5xx, Fault::Late),
    ]
    .into_iter()
    .find_map(|(share, fault)| {
        upper += share;
        (drawn < upper).then_some(fault)
    })
}

/// The reply of a fault that has no effect. `None`: the connection is reset instead.
pub(super) fn early_reply(fault: Fault, faults: &Faults) -> Option<Response> {
    match fault {
        Fault::TooMany => Some(too_many(faults.retry_after)),
        Fault::Broken(status) => Some(broken(status)),
        _ => None,
    }
}

fn too_many(retry_after: RetryAfter) -> Response {
    let body = json!({"error": "too many requests", "status": 429}).to_string();
    let mut response = (
        StatusCode::TOO_MANY_REQUESTS,
        [(header::CONTENT_TYPE, "application/json")],
        body,
    )
        .into_response();
    let value = match retry_after {
        RetryAfter::None => None,
        RetryAfter::Seconds(seconds) => Some(seconds.to_string()),
        RetryAfter::HttpDate(seconds) => {
            let ahead = jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
            jiff::Timestamp::now()
                .checked_add(ahead)
                .ok()
                .map(|at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        }
    };
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

/// A 5xx as services and the proxies before them send it: JSON, HTML or nothing at all.
pub(super) fn broken(status: u16) -> Response {
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match status {
        500 => {
            let body =
                json!({"error": "internal error", "status": 500, "support_id": "sup-0000000000000500"});
            (
                code,
                [(header::CONTENT_TYPE, "application/json")],
                body.to_string(),
            )
                .into_response()
        }
        504 => code.into_response(),
        _ => {
            let body =
                format!("<html><head><title>{code}</title></head><body><h1>{code}</h1></body></html>\n");
            (code, [(header::CONTENT_TYPE, "text/html")], body).into_response()
        }
    }
}

/// The reply with its full length announced and half of its body sent.
pub(super) async fn cut(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return broken(502);
    };
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let half = bytes.slice(..bytes.len() / 2);
    let pieces = stream::unfold(0_u8, move |step| {
        let half = half.clone();
        async move {
            if step == 0 {
                return Some((Ok::<Bytes, std::io::Error>(half), 1));
            }
            // The half must have left before the error tears the connection down.
            tokio::time::sleep(Duration::from_millis(5)).await;
            Some((Err(std::io::ErrorKind::ConnectionAborted.into()), 2))
        }
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_at_their_rate_and_again_for_the_same_seed() {
        let faults = Faults {
            rate_429: 0.2,
            lost_answer: 0.1,
            ..Faults::default()
        };
        let run = |seed| -> Vec<Option<Fault>> {
            (0..2_000)
                .map(|count| draw(&faults, seed, "GET /x", count))
                .collect()
        };
        let drawn = run(5);
        let of = |fault| drawn.iter().filter(|drawn| **drawn == Some(fault)).count();
        assert!((340..460).contains(&of(Fault::TooMany)), "{}", of(Fault::TooMany));
        assert!(
            (140..260).contains(&of(Fault::LostAnswer)),
            "{}",
            of(Fault::LostAnswer)
        );
        assert_eq!(drawn, run(5));
        assert_ne!(drawn, run(6));
    }

    #[test]
    fn a_filter_spares_other_routes() {
        let faults = Faults {
            reset: 1.0,
            route: Some("addToDataset".to_owned()),
            ..Faults::default()
        };
        assert_eq!(
            draw(&faults, 1, "POST /api/v1/traces/{id}/addToDataset", 0),
            Some(Fault::Reset)
        );
        assert_eq!(draw(&faults, 1, "POST /api/v1/traces", 0), None);
    }
}
