//! GitHub's REST API on loopback, strict: whatever a request has that the API does not know, or lacks that it asks for, is
//! answered with 400 and told when the service is dropped. A second listener is the host that artifacts lie on.
//!
//! `GitHub::new()` is the state to be filled, [`GitHub::start`] puts it on the wire.

#![expect(
    clippy::result_large_err,
    reason = "a refusal is a reply, and this is no hot path"
)]

mod artifacts;
mod contents;
mod faults;
mod issues;
mod rules;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) use artifacts::{Run, results, zipped};
pub(crate) use faults::{Fault, Then};

pub(crate) const REPOSITORY: &str = "acme/invoices";
/// Of the installation token that a job has.
pub(crate) const TOKEN: &str = "ghs_0123456789abcdefABCDEF";

/// The state of one repository, and how the service behaves.
#[derive(Default)]
pub(crate) struct GitHub {
    /// In front of every path: `/api/v3` of an Enterprise Server.
    pub(crate) prefix: String,
    /// Permissions that the token lacks, as a workflow writes them.
    pub(crate) denied: Vec<&'static str>,
    pub(crate) runs: Vec<Run>,
    pub(crate) artifacts: Vec<artifacts::Artifact>,
    /// By `base...head`.
    pub(crate) merge_bases: BTreeMap<String, String>,
    /// By the number of the issue or pull request.
    pub(crate) comments: BTreeMap<u64, Vec<issues::Comment>>,
    /// Open pull requests by number, and the commit at their head.
    pub(crate) pulls: BTreeMap<u64, String>,
    /// By branch, tag or commit: by path, the bytes.
    pub(crate) branches: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    /// Commits on branches, in the order they were made: the branch and the message.
    pub(crate) commits: Vec<(String, String)>,
    /// What was made and no branch shows yet.
    objects: BTreeMap<String, contents::Object>,
    pub(crate) faults: Vec<Fault>,
    /// Where an artifact's redirect leads in the place of the blob host.
    pub(crate) location: Option<String>,
    /// Where the `Link` of a list leads in the place of this service.
    pub(crate) link_to: Option<String>,
    /// An old name of the repository, which redirects.
    pub(crate) renamed_from: Option<String>,
    requests: Vec<Asked>,
    violations: Vec<String>,
    last_id: u64,
    url: String,
    blobs: String,
}

/// A request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Below the prefix, still encoded.
    pub(crate) path: String,
    /// As it was sent.
    pub(crate) query: String,
    pub(crate) body: Value,
    /// Whether it reached the blob host.
    pub(crate) away: bool,
}

/// The running service; it ends, and tells what was against its rules, when dropped.
pub(crate) struct Running {
    /// As `GITHUB_API_URL` has it.
    pub(crate) url: String,
    state: Arc<Mutex<GitHub>>,
    tasks: [JoinHandle<()>; 2],
}

impl GitHub {
    pub(crate) fn new() -> GitHub {
        GitHub {
            last_id: 1_000,
            ..GitHub::default()
        }
    }

    /// With the path that an Enterprise Server has its API at.
    pub(crate) fn enterprise() -> GitHub {
        GitHub {
            prefix: "/api/v3".to_owned(),
            ..GitHub::new()
        }
    }

    pub(crate) fn denying(mut self, permission: &'static str) -> GitHub {
        self.denied.push(permission);
        self
    }

    pub(crate) fn with_fault(mut self, fault: Fault) -> GitHub {
        self.faults.push(fault);
        self
    }

    pub(crate) fn with_file(mut self, at: &str, path: &str, bytes: impl Into<Vec<u8>>) -> GitHub {
        let files = self.branches.entry(at.to_owned()).or_default();
        files.insert(path.to_owned(), bytes.into());
        self
    }

    /// Puts it on the wire.
    pub(crate) async fn start(mut self) -> Running {
        let (api, blobs) = (bound().await, bound().await);
        self.url = format!("http://{}", api.local_addr().unwrap());
        self.blobs = format!("http://{}", blobs.local_addr().unwrap());
        let url = format!("{}{}", self.url, self.prefix);
        let state = Arc::new(Mutex::new(self));
        let serve = |listener, router: Router| {
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
        };
        let tasks = [
            serve(api, Router::new().fallback(answer).with_state(Arc::clone(&state))),
            serve(
                blobs,
                Router::new()
                    .fallback(artifacts::blob)
                    .with_state(Arc::clone(&state)),
            ),
        ];
        Running { url, state, tasks }
    }

    fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

async fn bound() -> TcpListener {
    TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback has a free port")
}

type Shared = Arc<Mutex<GitHub>>;

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let call = rules::read(request).await;
    let mut hub = shared.lock().unwrap();
    let asked = call.asked(&hub.prefix);
    hub.requests.push(asked);
    let (before, after) = hub.fault(&call);
    if let Some(reply) = before {
        return reply;
    }
    let reply = hub.answer(&call).unwrap_or_else(|refusal| refusal);
    after.unwrap_or(reply)
}

impl Running {
    /// What is there now; don't hold it over an await.
    pub(crate) fn now(&self) -> MutexGuard<'_, GitHub> {
        self.state.lock().unwrap()
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.now().requests.clone()
    }

    /// So many requests so far had the method and this in their path.
    pub(crate) fn count(&self, method: &str, part: &str) -> usize {
        let requests = self.requests();
        requests
            .iter()
            .filter(|r| r.method == method && r.path.contains(part))
            .count()
    }

    /// The texts of the comments on a pull request.
    pub(crate) fn comments(&self, number: u64) -> Vec<String> {
        let hub = self.now();
        hub.comments
            .get(&number)
            .into_iter()
            .flatten()
            .map(|c| c.body.clone())
            .collect()
    }

    /// A file on a branch.
    pub(crate) fn file(&self, branch: &str, path: &str) -> Option<Vec<u8>> {
        self.now().branches.get(branch)?.get(path).cloned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        if !std::thread::panicking() {
            let violations = std::mem::take(&mut self.now().violations);
            assert!(violations.is_empty(), "against GitHub's rules: {violations:#?}");
        }
    }
}
