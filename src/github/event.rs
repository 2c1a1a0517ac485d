//! The event's JSON (`GITHUB_EVENT_PATH`) and its name → what a run must know of it: is it a pull
//! request, whose, and may what is checked out be trusted with the key.

use std::io::{self, Read};

use serde::Deserialize;
use thiserror::Error;

/// Larger events are refused: 32 MiB. GitHub caps a payload at 25 MB.
pub const MAX_EVENT_BYTES: u64 = 32 * 1024 * 1024;

/// Why an event could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EventError {
    /// The file could not be read.
    #[error("can't read the event that GITHUB_EVENT_PATH names: {0}")]
    Io(#[from] io::Error),
    /// The file is larger than [`MAX_EVENT_BYTES`].
    #[error("the event that GITHUB_EVENT_PATH names is larger than {} MiB", MAX_EVENT_BYTES / (1024 * 1024))]
    TooLarge,
    /// The file is not the JSON of an event.
    #[error("the event that GITHUB_EVENT_PATH names is not the JSON that GitHub writes: {0}")]
    Shape(#[source] serde_json::Error),
}

/// The event that started a workflow run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// As `GITHUB_EVENT_NAME` has it: `pull_request`, `push`, `schedule`, …
    pub name: String,
    /// `owner/name` of the repository that the workflow runs in.
    pub repository: Option<String>,
    /// The pull request, where the event is about one.
    pub pull_request: Option<PullRequest>,
    /// The login of who caused it.
    pub sender: Option<String>,
    /// For `workflow_run`: `owner/name` of where the run before it had its commit from.
    head_repository: Option<String>,
    /// A comment under a pull request, or a run behind a pull request's run.
    behind_pull_request: bool,
}

/// What matters of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// True when its commits are in another repository than the one it goes to, or in one that was deleted.
    pub fork: bool,
    /// The branch it goes to.
    pub base_ref: String,
    /// The commit at the head of that branch when the event came up.
    pub base_sha: String,
    /// The branch that it comes from, in whatever repository: a stranger may have called it anything.
    pub head_ref: String,
    /// The commit at its head.
    pub head_sha: String,
}

impl Event {
    /// Reads an event of the given name, at most [`MAX_EVENT_BYTES`] of it.
    ///
    /// # Errors
    /// See [`EventError`].
    pub fn read(name: &str, from: impl Read) -> Result<Event, EventError> {
        let mut bytes = Vec::new();
        from.take(MAX_EVENT_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_EVENT_BYTES {
            return Err(EventError::TooLarge);
        }
        let payload: Payload = serde_json::from_slice(&bytes).map_err(EventError::Shape)?;
        let commented = payload.issue.is_some_and(|issue| issue.pull_request.is_some());
        let run = payload.workflow_run.unwrap_or_default();
        let ran = run.event.is_some_and(|event| is_pull_requests(&event));
        Ok(Event {
            name: name.to_owned(),
            repository: payload.repository.map(|repository| repository.full_name),
            pull_request: payload.pull_request.map(PullRequest::from),
            sender: payload.sender.map(|sender| sender.login),
            head_repository: run.head_repository.map(|repository| repository.full_name),
            behind_pull_request: commented || ran,
        })
    }

    /// True for the events that run a workflow because of a pull request.
    pub fn is_pull_request(&self) -> bool {
        is_pull_requests(&self.name)
    }

    /// True where what is checked out may be what somebody proposes, and no branch's own: a pull request, a merge queue,
    /// a comment under a pull request, a run behind a pull request's run.
    pub fn is_about_a_proposal(&self) -> bool {
        self.is_pull_request() || self.name == "merge_group" || self.behind_pull_request
    }

    /// True when GitHub gives this run no secrets because its pull request comes from a fork: that the
    /// key is missing is no mistake of anybody's then.
    pub fn fork_without_secrets(&self) -> bool {
        self.is_pull_request() && self.name != "pull_request_target" && self.is_from_fork()
    }

    /// True when Dependabot caused the run: it sees only the secrets that are set for Dependabot, so the
    /// key may be missing as it is for a fork.
    pub fn by_dependabot(&self) -> bool {
        self.sender.as_deref() == Some("dependabot[bot]")
    }

    /// True when the run has the repository's secrets while what is checked out may be a stranger's: a
    /// suite is then written by whoever opened the pull request.
    ///
    /// That is `pull_request_target` of a fork, and `workflow_run` behind a run on a fork's commit. Of
    /// other events (`issue_comment`, say) the payload does not tell what a workflow checks out.
    pub fn untrusted_checkout(&self) -> bool {
        match self.name.as_str() {
            "pull_request_target" => self.is_from_fork(),
            "workflow_run" => !same(self.head_repository.as_deref(), self.repository.as_deref()),
            _ => false,
        }
    }

    fn is_from_fork(&self) -> bool {
        // A pull request's event without a pull request is none that we know: nothing to trust in it.
        self.pull_request.as_ref().is_none_or(|pr| pr.fork)
    }
}

fn is_pull_requests(event: &str) -> bool {
    event.starts_with("pull_request")
}

/// Names of repositories do not tell upper from lower case.
fn same(a: Option<&str>, b: Option<&str>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a.eq_ignore_ascii_case(b))
}

#[derive(Deserialize)]
struct Payload {
    repository: Option<Repository>,
    pull_request: Option<RawPullRequest>,
    sender: Option<Sender>,
    workflow_run: Option<WorkflowRun>,
    issue: Option<Issue>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

#[derive(Deserialize)]
struct Sender {
    login: String,
}

#[derive(Default, Deserialize)]
struct WorkflowRun {
    event: Option<String>,
    head_repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Issue {
    /// Only a pull request's issue has it.
    pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct RawPullRequest {
    number: u64,
    head: Side,
    base: Side,
}

#[derive(Deserialize)]
struct Side {
    #[serde(rename = "ref")]
    name: String,
    sha: String,
    /// Null when the fork was deleted.
    repo: Option<Repository>,
}

impl From<RawPullRequest> for PullRequest {
    fn from(raw: RawPullRequest) -> PullRequest {
        let repository = |side: &Side| side.repo.as_ref().map(|repo| repo.full_name.clone());
        let fork = !same(repository(&raw.head).as_deref(), repository(&raw.base).as_deref());
        PullRequest {
            number: raw.number,
            fork,
            base_ref: raw.base.name,
            base_sha: raw.base.sha,
            head_ref: raw.head.name,
            head_sha: raw.head.sha,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn event(name: &str, payload: &Value) -> Event {
        Event::read(name, payload.to_string().as_bytes()).unwrap()
    }

    fn pull_request(head: &Value) -> Value {
        let repository = json!({"full_name": "acme/invoices", "fork": false});
        json!({"action": "opened", "number": 17, "repository": repository, "sender": {"login": "octocat"},
            "pull_request": {"number": 17, "title": "::error::x",
                "head": {"ref": "main", "sha": "9fceb02d", "repo": head},
                "base": {"ref": "release/2", "sha": "1111111", "repo": repository}}})
    }

    #[test]
    fn a_pull_request_is_read() {
        let event = event(
            "pull_request",
            &pull_request(&json!({"full_name": "Acme/Invoices"})),
        );
        let want = PullRequest {
            number: 17,
            fork: false,
            base_ref: "release/2".into(),
            base_sha: "1111111".into(),
            head_ref: "main".into(),
            head_sha: "9fceb02d".into(),
        };
        assert_eq!(event.pull_request, Some(want));
        assert!(event.is_pull_request() && !event.fork_without_secrets() && !event.untrusted_checkout());
    }

    #[test]
    fn forks_are_told_by_where_the_commits_are() {
        for head in [json!({"full_name": "stranger/invoices"}), json!(null)] {
            let payload = pull_request(&head);
            let plain = event("pull_request", &payload);
            assert!(
                plain.fork_without_secrets() && !plain.untrusted_checkout(),
                "{head}"
            );
            let target = event("pull_request_target", &payload);
            assert!(
                !target.fork_without_secrets() && target.untrusted_checkout(),
                "{head}"
            );
        }
        let bare = event("pull_request_target", &json!({}));
        assert!(
            bare.untrusted_checkout(),
            "an event that says nothing is not trusted"
        );
    }

    #[test]
    fn a_run_behind_a_forks_run_is_not_trusted() {
        let run = |head: Value| {
            let payload = json!({"repository": {"full_name": "acme/invoices"}, "workflow_run": {"head_repository": head}});
            event("workflow_run", &payload).untrusted_checkout()
        };
        assert!(run(json!({"full_name": "stranger/invoices"})));
        assert!(run(json!(null)));
        assert!(!run(json!({"full_name": "acme/invoices"})));
        assert!(
            event("workflow_run", &json!({})).untrusted_checkout(),
            "it says nothing"
        );
    }

    #[test]
    fn what_somebody_proposes_is_told_from_what_a_branch_has() {
        let proposes = |name: &str, payload: Value| event(name, &payload).is_about_a_proposal();
        assert!(proposes("pull_request", pull_request(&json!(null))));
        assert!(proposes("pull_request_review", json!({})));
        assert!(proposes("merge_group", json!({})));
        assert!(proposes(
            "issue_comment",
            json!({"issue": {"number": 1, "pull_request": {"url": "x"}}})
        ));
        assert!(proposes(
            "workflow_run",
            json!({"workflow_run": {"event": "pull_request"}})
        ));
        assert!(!proposes("issue_comment", json!({"issue": {"number": 1}})));
        assert!(!proposes(
            "workflow_run",
            json!({"workflow_run": {"event": "push"}})
        ));
        for name in ["push", "schedule", "workflow_dispatch", "repository_dispatch"] {
            assert!(!proposes(name, json!({})), "{name}");
        }
    }

    #[test]
    fn other_events_are_neither() {
        for name in ["push", "schedule", "workflow_dispatch", "merge_group"] {
            let event = event(
                name,
                &json!({"repository": {"full_name": "acme/invoices"}, "ref": "refs/heads/main"}),
            );
            assert!(!event.is_pull_request() && !event.fork_without_secrets() && !event.untrusted_checkout());
        }
        assert!(event("push", &json!({"sender": {"login": "dependabot[bot]"}})).by_dependabot());
    }

    #[test]
    fn broken_and_endless_events_are_refused() {
        for text in ["", "[", "[]", "\"x\"", r#"{"pull_request": {"number": "x"}}"#] {
            assert!(
                matches!(Event::read("push", text.as_bytes()), Err(EventError::Shape(_))),
                "{text}"
            );
        }
        assert!(matches!(
            Event::read("push", io::repeat(b' ')),
            Err(EventError::TooLarge)
        ));
    }
}
