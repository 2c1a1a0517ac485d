//! One attempt: a prepared request comes in; the body of a success, or a classed fault, goes out.

use std::mem;
use std::time::Duration;

use reqwest::header::{HeaderMap, LOCATION};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::pause;
use super::redact::Redactor;
use super::{FailureKind, Limits, MAX_ERROR_BYTES, MAX_REPLY_VALUES, Writes, message};

/// The class of an error is known from its status; its text is not waited for longer than this.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Memory for a body before any of it is there.
const FIRST_BYTES: usize = 64 * 1024;
/// Characters of a JSON reader's complaint.
const COMPLAINT_CHARS: usize = 300;
const MIB: usize = 1024 * 1024;

/// Why an attempt brought no usable reply.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) kind: FailureKind,
    pub(super) status: Option<u16>,
    pub(super) message: String,
    pub(super) retry_after: Option<Duration>,
    /// How often the same request may be worth sending again.
    pub(super) mends: Mends,
}

/// How much can be hoped for from sending a request again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mends {
    Never,
    /// The service may have garbled one reply; or it speaks another language now, and will not change its mind.
    Seldom,
    /// It costs the whole time-out to learn that it did not help.
    Slowly,
    Often,
}

impl Fault {
    pub(super) fn new(kind: FailureKind, status: Option<StatusCode>, message: String) -> Fault {
        let mends = match kind {
            FailureKind::Timeout => Mends::Slowly,
            FailureKind::Connect | FailureKind::Broken | FailureKind::Limited | FailureKind::Server => {
                Mends::Often
            }
            FailureKind::Rejected if status == Some(StatusCode::REQUEST_TIMEOUT) => Mends::Often,
            FailureKind::Rejected
            | FailureKind::Unauthorized
            | FailureKind::Unreadable
            | FailureKind::Cancelled => Mends::Never,
        };
        Fault {
            kind,
            status: status.map(|s| s.as_u16()),
            message,
            retry_after: None,
            mends,
        }
    }

    /// Whether the call may be repeated: a read wherever that can mend it, a write only where the
    /// service has surely not done it.
    pub(super) fn may_repeat(&self, writes: Writes) -> bool {
        self.mends != Mends::Never
            && match writes {
                Writes::No => true,
                Writes::Yes => {
                    matches!(
                        self.kind,
                        FailureKind::Connect | FailureKind::Limited | FailureKind::Rejected
                    )
                }
            }
    }
}

/// A success's reply.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Where it came from.
    pub(super) url: Url,
    pub(super) bytes: Vec<u8>,
}

/// Sends the request. Not bounded in time, here and below: the caller's time-out covers it.
pub(super) async fn send(request: RequestBuilder, redactor: &Redactor) -> Result<Response, Fault> {
    let sent = request.send().await;
    // An address may open to anybody what lies behind it.
    sent.map_err(|e| of_transport(&e.without_url(), None, redactor))
}

/// Reads a reply to its end, at most `limit` bytes of it; whatever is no success is a fault.
pub(super) async fn receive(
    mut response: Response,
    limit: usize,
    limits: Limits,
    redactor: &Redactor,
) -> Result<Body, Fault> {
    if !response.status().is_success() {
        return Err(of_status(response, limits, redactor).await);
    }
    let (status, url) = (response.status(), response.url().clone());
    let headers = mem::take(response.headers_mut());
    // Nothing behind this line sees what the service sent otherwise.
    let bytes = redactor.mask(read(response, limit, redactor).await?);
    Ok(Body {
        status,
        headers,
        url,
        bytes,
    })
}

async fn read(mut response: Response, limit: usize, redactor: &Redactor) -> Result<Vec<u8>, Fault> {
    let status = response.status();
    let too_large = || {
        let message = match limit / MIB {
            0 => format!("a reply of more than {limit} bytes"),
            whole => format!("a reply of more than {whole} MiB"),
        };
        Fault::new(FailureKind::Unreadable, Some(status), message)
    };
    let announced = response.content_length().and_then(|n| usize::try_from(n).ok());
    if announced.is_some_and(|n| n > limit) {
        return Err(too_large());
    }
    // What is announced need not come: memory is taken as it does.
    let mut body = Vec::with_capacity(announced.unwrap_or(0).min(FIRST_BYTES));
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|e| of_transport(&e.without_url(), Some(status), redactor))?
    {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A success's body as JSON, whatever its content type says. An empty body reads as `null`.
pub(super) fn parse<T: DeserializeOwned>(body: &Body, redactor: &Redactor) -> Result<T, Fault> {
    let Body {
        status, bytes: body, ..
    } = body;
    let json = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let empty = json.iter().all(u8::is_ascii_whitespace);
    if has_more_values(json, MAX_REPLY_VALUES) {
        let message = format!("a reply of more than {MAX_REPLY_VALUES} values");
        return Err(Fault::new(FailureKind::Unreadable, Some(*status), message));
    }
    serde_json::from_slice(if empty { b"null" } else { json }).map_err(|e| {
        // A reply that is not JSON was cut, or something else answered in the service's place; one of
        // another shape is likely to have it again.
        let shape = e.is_data() && !empty;
        let message = if empty {
            "an empty body where JSON was expected".to_owned()
        } else if shape {
            let complaint = message::line(&e.to_string(), COMPLAINT_CHARS, redactor);
            format!("JSON of another shape than expected: {complaint}")
        } else if e.is_eof() {
            format!("JSON that breaks off after {} bytes", body.len())
        } else {
            let complaint = message::line(&e.to_string(), COMPLAINT_CHARS, redactor);
            format!("not JSON ({complaint}): {}", message::of_body(body, redactor))
        };
        Fault {
            mends: if shape { Mends::Seldom } else { Mends::Often },
            ..Fault::new(FailureKind::Unreadable, Some(*status), message)
        }
    })
}

/// Whether a JSON text holds more values than that. Each but the first stands behind a comma or is the first in
/// a list or an object; what is no JSON is counted in some way, and refused later.
fn has_more_values(json: &[u8], most: usize) -> bool {
    // Two bytes a value at the least.
    if json.len() < 2 * most {
        return false;
    }
    let (mut values, mut in_text, mut escaped) = (1, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => values += 1,
            _ => {}
        }
    }
    values > most
}

fn of_transport(error: &reqwest::Error, status: Option<StatusCode>, redactor: &Redactor) -> Fault {
    let cause = message::of_error(error, redactor);
    let (kind, message) = if error.is_connect() {
        (FailureKind::Connect, cause)
    } else if error.is_builder() {
        (FailureKind::Rejected, format!("not sent: {cause}"))
    } else if error.is_timeout() {
        (FailureKind::Timeout, cause)
    } else if error.is_decode() && status.is_some() {
        (
            FailureKind::Broken,
            format!("the reply was cut or garbled: {cause}"),
        )
    } else if status.is_some() {
        (FailureKind::Broken, format!("the reply was cut: {cause}"))
    } else {
        (FailureKind::Broken, format!("no reply came: {cause}"))
    };
    Fault::new(kind, status, message)
}

async fn of_status(response: Response, limits: Limits, redactor: &Redactor) -> Fault {
    let status = response.status();
    let kind = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => FailureKind::Unauthorized,
        StatusCode::TOO_MANY_REQUESTS => FailureKind::Limited,
        // The answer to what was asked lies elsewhere, and is not read: a write may have been done.
        StatusCode::SEE_OTHER => FailureKind::Unreadable,
        s if s.is_redirection() || s.is_client_error() => FailureKind::Rejected,
        s if s.is_server_error() => FailureKind::Server,
        _ => FailureKind::Unreadable,
    };
    let retry_after = pause::retry_after(response.headers());
    let headers = response.headers().clone();
    let message = if status.is_redirection() {
        redirection(&response, redactor)
    } else {
        message::of_body(&redactor.mask(error_body(response).await), redactor)
    };
    match limits.pause(status, &headers, &message) {
        Some(asked) => Fault {
            retry_after: Some(asked),
            ..Fault::new(FailureKind::Limited, Some(status), message)
        },
        None => Fault {
            retry_after,
            ..Fault::new(kind, Some(status), message)
        },
    }
}

/// Never the whole location: a path or a query may hold what nobody should read in a log. And nothing of one
/// that holds the key: a host is written in small letters, where the key is not found any more.
fn redirection(response: &Response, redactor: &Redactor) -> String {
    let origin = response
        .headers()
        .get(LOCATION)
        .filter(|location| !redactor.knows(location.as_bytes()))
        .and_then(|location| location.to_str().ok())
        .and_then(|location| response.url().join(location).ok())
        .map(|url: Url| url.origin().ascii_serialization());
    let to = origin.map_or(String::new(), |origin| format!(" to {origin}"));
    format!(
        "a redirect{to}, which is not followed because the key goes to the base URL alone; set the base URL to where the service is"
    )
}

/// As much of an error's body as comes in time and within bounds.
async fn error_body(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = MAX_ERROR_BYTES - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if body.len() == MAX_ERROR_BYTES {
                break;
            }
        }
    };
    // What came until then is enough.
    let _ = tokio::time::timeout(ERROR_BODY_TIMEOUT, reading).await;
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_outside_of_texts() {
        let list = format!("[{}0]", "0,".repeat(99));
        assert!(!has_more_values(list.as_bytes(), 101) && has_more_values(list.as_bytes(), 100));
        let nested = "[{\"a\":1,\"b\":[]},".repeat(10);
        assert!(has_more_values(nested.as_bytes(), 50) && !has_more_values(nested.as_bytes(), 51));
        let text = format!("[\"{}\\\",,\"]", ",[{\\\\".repeat(1_000));
        assert!(!has_more_values(text.as_bytes(), 2) && has_more_values(text.as_bytes(), 1));
    }
}
