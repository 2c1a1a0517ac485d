//! A service on loopback that does as it is told: a script or a function decides what each request gets,
//! from a plain reply to a reset, a cut, an endless or a trickling body. Every request is recorded.
//!
//! One connection carries one request, so that what happens to it is what the test says. Waits are
//! tokio's: on a paused clock they cost no time.

mod act;
mod connection;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub(crate) use act::{Act, Answer};

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Still percent-encoded, without the query.
    pub(crate) path: String,
    /// Decoded.
    pub(crate) query: Vec<(String, String)>,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// When its last byte was read.
    pub(crate) at: Instant,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` when there is none.
    pub(crate) fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body).expect("the client sends JSON")
    }
}

type Handler = Box<dyn Fn(&Request) -> Act + Send + Sync>;

enum Plan {
    Script(Mutex<VecDeque<Act>>),
    Handler(Handler),
}

struct Shared {
    plan: Plan,
    requests: Mutex<Vec<Request>>,
    connections: watch::Sender<usize>,
    arrived: watch::Sender<usize>,
}

/// The running service; it ends when dropped.
pub(crate) struct Stub {
    /// `http://127.0.0.1:<port>`.
    pub(crate) url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Stub {
    /// Each connection gets the next act; after the last one everything gets 418.
    pub(crate) async fn script(acts: impl IntoIterator<Item = Act>) -> Stub {
        Stub::start(Plan::Script(Mutex::new(acts.into_iter().collect()))).await
    }

    /// Each request gets what the function says of it.
    pub(crate) async fn serve(handler: impl Fn(&Request) -> Act + Send + Sync + 'static) -> Stub {
        Stub::start(Plan::Handler(Box::new(handler))).await
    }

    async fn start(plan: Plan) -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let shared = Arc::new(Shared {
            plan,
            requests: Mutex::default(),
            connections: watch::Sender::new(0),
            arrived: watch::Sender::new(0),
        });
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.send_modify(|n| *n += 1);
                // An error here is the client's going away, which is its right.
                tokio::spawn(connection::serve(stream, Arc::clone(&serving)));
            }
        });
        Stub { url, shared, task }
    }

    /// All requests so far, in the order they were read.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared
            .requests
            .lock()
            .expect("no test panics in here")
            .clone()
    }

    /// Connections accepted so far, also those reset before anything was read.
    pub(crate) fn connections(&self) -> usize {
        *self.shared.connections.borrow()
    }

    /// Waits until so many requests have been read.
    pub(crate) async fn arrived(&self, count: usize) {
        let mut arrived = self.shared.arrived.subscribe();
        tokio::time::timeout(Duration::from_secs(30), arrived.wait_for(|n| *n >= count))
            .await
            .expect("the requests arrive")
            .expect("the stub runs");
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}
