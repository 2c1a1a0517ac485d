//! What goes wrong on purpose: which call meets it, how often, and what happens.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;

use super::GitHub;
use super::rules::{Call, refusal};

/// Meets the next calls of a kind.
#[derive(Clone)]
pub(crate) struct Fault {
    method: &'static str,
    part: String,
    times: u32,
    then: Then,
}

/// What happens.
#[derive(Clone)]
pub(crate) enum Then {
    /// The hour's limit is used up; it ends in so many seconds.
    Primary(i64),
    /// The secondary limit, over in so many seconds.
    Secondary(u64),
    /// Nothing is done.
    Refused(u16, &'static str),
    /// All is done, and the answer says that it was not.
    Denied(u16),
    /// All is done, and the answer is cut.
    Lost,
    /// Somebody else does this first.
    After(Arc<dyn Fn(&mut GitHub) + Send + Sync>),
}

impl Fault {
    /// The next call with this method and this in its path.
    pub(crate) fn on(method: &'static str, part: &str, then: Then) -> Fault {
        Fault {
            method,
            part: part.to_owned(),
            times: 1,
            then,
        }
    }

    pub(crate) fn times(self, times: u32) -> Fault {
        Fault { times, ..self }
    }
}

impl GitHub {
    /// The reply in the place of doing anything, and the one in the place of telling what was done.
    pub(super) fn fault(&mut self, call: &Call) -> (Option<Response>, Option<Response>) {
        let meets = |f: &Fault| f.times > 0 && f.method == call.method && call.path.contains(&f.part);
        let Some(fault) = self.faults.iter_mut().find(|fault| meets(fault)) else {
            return (None, None);
        };
        fault.times -= 1;
        match fault.then.clone() {
            Then::Primary(seconds) => {
                let mut answer = refusal(403, "API rate limit exceeded for installation ID 1.");
                let now = jiff::Timestamp::now();
                let headers = answer.headers_mut();
                headers.insert("x-ratelimit-limit", "1000".parse().unwrap());
                headers.insert("x-ratelimit-remaining", "0".parse().unwrap());
                headers.insert("x-ratelimit-reset", (now.as_second() + seconds).into());
                (Some(answer), None)
            }
            Then::Secondary(seconds) => {
                let text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
                let mut answer = refusal(403, text);
                answer.headers_mut().insert("retry-after", seconds.into());
                answer
                    .headers_mut()
                    .insert("x-ratelimit-remaining", "4711".parse().unwrap());
                (Some(answer), None)
            }
            Then::Refused(status, text) => (Some(refusal(status, text)), None),
            Then::Denied(status) => (None, Some(refusal(status, "Server Error"))),
            Then::Lost => {
                let cut = futures_util::stream::once(async { Err::<&str, _>(io::Error::other("cut")) });
                (None, Some(Response::new(Body::from_stream(cut))))
            }
            Then::After(meddle) => {
                meddle(self);
                (None, None)
            }
        }
    }
}
