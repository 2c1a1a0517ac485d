//! What the stub can do with a request.

use std::time::Duration;

use serde_json::Value;

/// A whole reply.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Before the first byte.
    pub(crate) delay: Duration,
}

/// What happens to one request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Reply(Answer),
    /// The connection is reset as soon as it is accepted. In a script only.
    ResetBeforeReading,
    /// The request is read, then the connection is reset.
    ResetAfterReading,
    /// The request is read, and nothing is ever sent.
    Silence,
    /// The whole length is announced, so many bytes of the body are sent, then the connection is closed.
    Cut(Answer, usize),
    /// The head, then chunks without end.
    Endless(Answer),
    /// The body in pieces of one byte, with a pause before each.
    Trickle(Answer, Duration),
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// The first bytes, then the others again and again, with a pause before each time.
    Forever(Vec<u8>, Vec<u8>, Duration),
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer {
            status,
            headers: Vec::new(),
            body: body.into(),
            delay: Duration::ZERO,
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Answer {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl Act {
    /// 200 with JSON.
    pub(crate) fn ok(body: Value) -> Act {
        Act::json(200, body)
    }

    pub(crate) fn json(status: u16, body: Value) -> Act {
        Act::Reply(Answer::new(status, body.to_string()).header("content-type", "application/json"))
    }

    pub(crate) fn text(status: u16, body: &str) -> Act {
        Act::Reply(Answer::new(status, body))
    }

    /// The same after a wait; only a plain reply can wait.
    pub(crate) fn after(self, delay: Duration) -> Act {
        match self {
            Act::Reply(answer) => Act::Reply(Answer { delay, ..answer }),
            other => panic!("{other:?} can't wait"),
        }
    }
}
