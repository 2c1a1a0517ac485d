//! What can go wrong with a call, by class: the class decides about repeating, the text is for a person.

use std::fmt;
use std::time::Duration;

/// A call that ended without a usable reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The call's name, for example `create snapshot`.
    pub call: &'static str,
    /// The class.
    pub kind: FailureKind,
    /// The status of the last reply, where one came.
    pub status: Option<u16>,
    /// Requests sent.
    pub attempts: u32,
    /// What came back, shortened and without control characters; never holds the key.
    pub message: String,
    /// How long the last reply asks to be left alone, at most the client's cap.
    pub retry_after: Option<Duration>,
}

/// The class of a failure: of the last attempt, when there were several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// No connection: nothing was sent.
    Connect,
    /// No complete reply within the attempt's time.
    Timeout,
    /// The connection broke after sending, or the body was cut.
    Broken,
    /// 401 or 403.
    Unauthorized,
    /// 429: refused before anything was done.
    Limited,
    /// Any other 4xx.
    Rejected,
    /// 5xx.
    Server,
    /// A reply with a success status that can't be read: not JSON, too large, or of another shape.
    Unreadable,
    /// The run was cancelled.
    Cancelled,
}

impl FailureKind {
    /// The word in reports and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            FailureKind::Connect => "no connection",
            FailureKind::Timeout => "time-out",
            FailureKind::Broken => "connection broken",
            FailureKind::Unauthorized => "not authorized",
            FailureKind::Limited => "rate limited",
            FailureKind::Rejected => "rejected",
            FailureKind::Server => "server error",
            FailureKind::Unreadable => "unreadable reply",
            FailureKind::Cancelled => "cancelled",
        }
    }
}

/// What is known of a write after it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The service has surely not done it.
    NotDone,
    /// The service answered with a server error: it has finished with the request, and asking it tells
    /// whether the effect is there.
    Askable,
    /// It was sent and no readable answer came: it may have been done, or be done yet.
    Unknown,
}

impl Failure {
    /// What this failure says about a write's effect.
    pub fn effect(&self) -> Effect {
        match self.kind {
            FailureKind::Connect
            | FailureKind::Unauthorized
            | FailureKind::Limited
            | FailureKind::Rejected => Effect::NotDone,
            FailureKind::Cancelled if self.attempts == 0 => Effect::NotDone,
            // A gateway that gave up waiting says nothing about what goes on behind it.
            FailureKind::Server if self.status == Some(504) => Effect::Unknown,
            FailureKind::Server => Effect::Askable,
            FailureKind::Timeout | FailureKind::Broken | FailureKind::Unreadable | FailureKind::Cancelled => {
                Effect::Unknown
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.kind.as_str())?;
        if let Some(status) = self.status {
            write!(f, " ({status})")?;
        }
        match self.attempts {
            0 => {}
            1 => write!(f, " after 1 attempt")?,
            n => write!(f, " after {n} attempts")?,
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
