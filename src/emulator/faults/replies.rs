//! The replies that faults consist of: a fault, and where the effect took place its true reply, come in; what
//! the caller gets goes out.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};

use super::{Fault, RetryAfter};
use crate::emulator::line::Line;

/// Fields that hold an id.
const IDS: [&str; 9] = [
    "id",
    "traceId",
    "trace_id",
    "datapointId",
    "datapoint_id",
    "project_id",
    "dataset_id",
    "snapshot_id",
    "job_id",
];

/// Fields that hold the word for how far something is, and the word that nobody knows.
const STATUSES: [&str; 2] = ["status", "processingStatus"];
const UNKNOWN_STATUS: &str = "paused";

/// What a call gets that has no effect now.
pub(in crate::emulator) async fn early_reply(fault: Fault, line: &Line) -> Response {
    match fault {
        Fault::TooMany(retry_after) => too_many(retry_after),
        Fault::Status(status) => broken(status),
        Fault::LateEffect(_) => broken(504),
        Fault::Silence(duration) => silence(duration, line).await,
        _ => reset(line),
    }
}

/// What a call gets whose effect has taken place and whose true reply is `response`.
pub(in crate::emulator) async fn spoil(fault: Fault, response: Response, line: &Line) -> Response {
    match fault {
        Fault::StatusAfter(status) => broken(status),
        Fault::CutBody => cut(response).await,
        Fault::SilenceAfter(duration) => silence(duration, line).await,
        Fault::WrongType => {
            let mut response = response;
            let html = HeaderValue::from_static("text/html; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, html);
            response
        }
        Fault::WrongShape => {
            changed(response, |value| {
                *value = json!({"ok": true, "result": {"items": [1, 2]}})
            })
            .await
        }
        Fault::MissingId => changed(response, remove_ids).await,
        Fault::UnknownStatus => changed(response, pause).await,
        Fault::Trickle(duration) => trickle(response, duration).await,
        Fault::DoubledBody => doubled(response).await,
        _ => reset(line),
    }
}

/// A reply that never leaves: the connection breaks at its first byte.
fn reset(line: &Line) -> Response {
    line.cut();
    StatusCode::NO_CONTENT.into_response()
}

async fn silence(duration: Duration, line: &Line) -> Response {
    tokio::time::sleep(duration).await;
    reset(line)
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
fn broken(status: u16) -> Response {
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
async fn cut(response: Response) -> Response {
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

/// A success's JSON after a change; everything else as it is.
async fn changed(response: Response, change: impl FnOnce(&mut Value)) -> Response {
    if !response.status().is_success() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return broken(502);
    };
    let Ok(mut value) = serde_json::from_slice(&bytes) else {
        // A stream of events is not JSON.
        return Response::from_parts(parts, Body::from(bytes));
    };
    change(&mut value);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(value.to_string()))
}

/// Takes the ids out, however deep they stand.
fn remove_ids(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|name, _| !IDS.contains(&name.as_str()));
            map.values_mut().for_each(remove_ids);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_ids),
        _ => {}
    }
}

/// Writes the unknown word over every status, however deep it stands.
fn pause(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if STATUSES.contains(&name.as_str()) && value.is_string() {
                    *value = json!(UNKNOWN_STATUS);
                } else {
                    pause(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(pause),
        _ => {}
    }
}

async fn doubled(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return broken(502);
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from([&bytes[..], &bytes].concat()))
}

/// The whole reply, a byte at a time. A timer knows milliseconds: of a body with more bytes than the duration has
/// of those, several go out between two pauses.
async fn trickle(response: Response, over: Duration) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return broken(502);
    };
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let started = tokio::time::Instant::now();
    let whole = u32::try_from(bytes.len().max(1)).unwrap_or(u32::MAX);
    let pieces = stream::unfold(0_u32, move |sent| {
        let at = usize::try_from(sent).unwrap_or(usize::MAX);
        let byte = (at < bytes.len()).then(|| bytes.slice(at..=at));
        async move {
            let byte = byte?;
            tokio::time::sleep_until(started + over / whole * sent).await;
            Some((Ok::<Bytes, std::io::Error>(byte), sent + 1))
        }
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_statuses_are_found_at_any_depth() {
        let tree = json!({"project": {"id": "p", "name": "n", "children": [
            {"id": "d", "status": "completed", "metadata": {"id": "d", "datapoints_count": 3}}]}});
        let mut bare = tree.clone();
        remove_ids(&mut bare);
        assert_eq!(
            bare,
            json!({"project": {"name": "n", "children": [{"status": "completed", "metadata": {"datapoints_count": 3}}]}})
        );
        let mut paused = tree;
        pause(&mut paused);
        assert_eq!(paused["project"]["children"][0]["status"], "paused");
        let mut odd = json!({"status": 500, "processingStatus": "none"});
        pause(&mut odd);
        assert_eq!(odd, json!({"status": 500, "processingStatus": "paused"}));
    }
}
