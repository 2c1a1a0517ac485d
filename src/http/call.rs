//! What goes into the client and what comes out: a call, its reply, and the account of all calls.

use std::time::Duration;

use bytes::Bytes;

/// Whether a call changes something at the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// It may be repeated after any failure that repeating can mend, as often as that is likely to.
    No,
    /// It is repeated only where the service has surely not done it (no connection, 408, 429).
    Yes,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its name in reports, for example `create snapshot`.
    pub name: &'static str,
    /// GET, POST, …
    pub method: reqwest::Method,
    /// Below the base URL, beginning with `/`, its parts already percent-encoded.
    pub path: String,
    /// Query pairs, not yet encoded.
    pub query: Vec<(&'static str, String)>,
    /// A JSON body. Cloning it for another attempt copies nothing.
    pub body: Option<Bytes>,
    /// Whether it writes.
    pub writes: Writes,
}

/// A reply and what it cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply<T> {
    /// The body.
    pub value: T,
    /// Requests sent.
    pub attempts: u32,
    /// The last attempt, from sending to the last byte.
    pub latency: Duration,
}

impl<T> Reply<T> {
    /// The same reply with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reply<U> {
        Reply {
            value: change(self.value),
            attempts: self.attempts,
            latency: self.latency,
        }
    }
}

/// All calls of one name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls made.
    pub calls: u64,
    /// Requests sent: calls and their repeats.
    pub attempts: u64,
    /// Calls that ended without a usable reply.
    pub failed: u64,
    /// Time spent in attempts, added up.
    pub total: Duration,
}
