//! Prem Studio: a typed method a call. Ids, texts and numbers come in; what the service said goes out.
//! Wire shapes and their variants stay in here: liberal in what is read, strict in what is sent.

mod batches;
mod chat;
mod completion;
mod feedback;
mod fields;
mod forms;
mod models;
mod project;
mod traces;
mod training;
mod write_traces;

use std::sync::Arc;

use reqwest::Method;
use serde::Serialize;

use crate::http::{Call, Client, Writes};

pub use crate::http::{Effect, Failure, FailureKind, Reply};

pub use batches::TRACES_PER_WRITE;
pub(crate) use chat::tokens;
pub use chat::{ChatMessage, ChatReply, ChatRequest, Purpose};
pub use feedback::{FEEDBACK_LIMIT, fit_feedback};
pub use forms::{NewTrace, TraceForm};
pub use project::{Dataset, Experiment, Job, Project, Snapshot};
pub use traces::{Added, Processing, Trace, TracePage};
pub use training::{RecommendationStatus, Recommendations, recommended};

use fields::{FromWire, Wire};
use write_traces::FormMemory;

/// Prem Studio over one HTTP client; cheap to clone, clones share what they learn of the service.
#[derive(Debug, Clone)]
pub struct Studio {
    http: Client,
    form: Arc<FormMemory>,
}

impl Studio {
    /// Knows nothing of the service yet; sends nothing.
    pub fn new(http: Client) -> Studio {
        Studio {
            http,
            form: Arc::default(),
        }
    }

    /// The client underneath: its tally and its cancellation.
    pub fn http(&self) -> &Client {
        &self.http
    }

    /// The trace form found so far.
    pub fn trace_form(&self) -> Option<TraceForm> {
        self.form.known()
    }

    async fn ask<T: FromWire>(&self, call: &Call) -> Result<Reply<T>, Failure> {
        Ok(self.http.send::<Wire<T>>(call).await?.map(|wire| wire.0))
    }

    async fn ask_value<T: FromWire>(&self, call: &Call) -> Result<T, Failure> {
        Ok(self.ask(call).await?.value)
    }
}

/// A GET.
fn get(name: &'static str, path: String, query: Vec<(&'static str, String)>) -> Call {
    Call {
        name,
        method: Method::GET,
        path,
        query,
        body: None,
        writes: Writes::No,
    }
}

/// A POST with JSON.
fn post(name: &'static str, path: &str, body: &impl Serialize, writes: Writes) -> Result<Call, Failure> {
    let body = serde_json::to_vec(body).map_err(|e| not_sent(name, &e.to_string()))?;
    let body = Some(body.into());
    Ok(Call {
        name,
        method: Method::POST,
        path: path.to_owned(),
        query: Vec::new(),
        body,
        writes,
    })
}

/// A call that this side refuses to make: a rejection without an attempt.
fn not_sent(call: &'static str, why: &str) -> Failure {
    Failure {
        call,
        kind: FailureKind::Rejected,
        status: None,
        attempts: 0,
        message: format!("not sent: {why}"),
        retry_after: None,
    }
}

/// An id as one part of a path. Refuses what would make another path of it.
fn segment(call: &'static str, id: &str) -> Result<String, Failure> {
    use std::fmt::Write;

    fields::check_id(id).map_err(|why| not_sent(call, &why))?;
    let mut part = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                part.push(char::from(byte))
            }
            _ => {
                // Writing to a string can't fail.
                let _ = write!(part, "%{byte:02X}");
            }
        }
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_one_part_of_a_path() {
        assert_eq!(segment("x", "3c90c3cc-0d44").as_deref(), Ok("3c90c3cc-0d44"));
        assert_eq!(
            segment("x", "a/b?c#d é%").as_deref(),
            Ok("a%2Fb%3Fc%23d%20%C3%A9%25")
        );
        for id in ["", " ", ".", "..", "a\nb", "\u{0}"] {
            let failure = segment("x", id).expect_err(id);
            assert_eq!((failure.kind, failure.attempts), (FailureKind::Rejected, 0));
        }
    }
}
