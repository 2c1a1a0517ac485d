//! GitHub as a run meets it: the event, the repository, the REST API where there is a token. What is asked of it has a
//! time of its own, so that a GitHub that does not answer costs a run seconds and no verdict.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::environment::{Environment, GitHub};
use crate::github::{Api, ApiError, ApiSettings, BaselineQuery, Event, PullRequest, Search};

/// One attempt of a call may take so long; a report's artifact has a few megabytes.
const ATTEMPT: Duration = Duration::from_secs(30);
/// All calls before the evaluation together, and all behind it. A rate limit is waited for up to a minute.
const PATIENCE: Duration = Duration::from_secs(90);
/// What is left of that when a call has failed: the next one may be luckier, and hardly is.
const AFTER_A_FAILURE: Duration = Duration::from_secs(10);
/// Where the API is unless the runner says otherwise.
const API_URL: &str = "https://api.github.com";
const SERVER_URL: &str = "https://github.com";
/// What a merge queue calls its branches: then come the branch that they go to, `/pr-`, a number, `-` and the commit
/// at that branch's head.
const QUEUE: &str = "gh-readonly-queue/";

/// GitHub, for one run.
#[derive(Debug)]
pub(crate) struct Hub {
    github: GitHub,
    api: Result<Api, String>,
    patience: Duration,
    share: Duration,
    cancel: CancellationToken,
}

/// Where the change under evaluation goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The branch.
    pub(crate) branch: String,
    /// The commit at its head.
    pub(crate) base: String,
    /// The commit at the change's own head.
    pub(crate) head: String,
}

/// Why GitHub did not say what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unanswered {
    /// For a person.
    pub(crate) why: String,
    /// It did answer: the token may not ask this, today or tomorrow.
    pub(crate) refused: bool,
}

impl From<Unanswered> for String {
    fn from(unanswered: Unanswered) -> String {
        unanswered.why
    }
}

impl Hub {
    /// None where this is no runner of GitHub's. `whole`: what the run may take, where it is bounded.
    pub(crate) fn open(
        environment: &Environment,
        whole: Option<Duration>,
        cancel: &CancellationToken,
    ) -> Option<Hub> {
        let github = environment.github.clone()?;
        let share = whole.map_or(PATIENCE, |whole| (whole / 5).min(PATIENCE));
        Some(Hub {
            api: api(&github, cancel.clone()),
            github,
            patience: share,
            share,
            cancel: cancel.clone(),
        })
    }

    /// The API, or what there has to be for it.
    pub(crate) fn api(&self) -> Result<Api, String> {
        self.api.clone()
    }

    /// The evaluation is through: what comes behind it has its own time, and a client that has not waited yet.
    pub(crate) fn rested(&mut self) {
        self.patience = self.share;
        self.api = api(&self.github, self.cancel.clone());
    }

    /// Waits for a call as long as there is time.
    pub(crate) async fn ask<T>(
        &mut self,
        call: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, Unanswered> {
        let unanswered = |why: &str| Unanswered {
            why: why.to_owned(),
            refused: false,
        };
        if self.patience.is_zero() {
            return Err(unanswered(
                "not asked: GitHub took all the time that there was for it",
            ));
        }
        let started = Instant::now();
        let answered = tokio::select! {
            answered = timeout(self.patience, call) => answered,
            () = self.cancel.cancelled() => return Err(unanswered("the run ended before GitHub had answered")),
        };
        self.patience = self.patience.saturating_sub(started.elapsed());
        match answered {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                // A refusal is an answer; the next call may be allowed.
                let refused = matches!(error, ApiError::Forbidden { .. });
                if !refused {
                    self.patience = self.patience.min(AFTER_A_FAILURE.min(self.share));
                }
                let why = error.to_string();
                Err(Unanswered { why, refused })
            }
            Err(_) => Err(unanswered("GitHub did not answer in time")),
        }
    }

    /// The pull request whose event this is.
    pub(crate) fn pull_request(&self) -> Option<&PullRequest> {
        self.github.pull_request()
    }

    /// True for a push and for a run that a person starts: their commit may head a pull request.
    pub(crate) fn may_head_a_pull_request(&self) -> bool {
        matches!(
            self.github.event_name.as_deref(),
            Some("push" | "workflow_dispatch")
        )
    }

    /// The commit that the workflow runs on.
    pub(crate) fn sha(&self) -> Option<&str> {
        self.github.sha.as_deref()
    }

    /// Where the change goes to that is evaluated; none where it is there already.
    pub(crate) fn target(&self) -> Option<Target> {
        if let Some(pull_request) = self.pull_request() {
            return Some(Target {
                branch: pull_request.base_ref.clone(),
                base: pull_request.base_sha.clone(),
                head: pull_request.head_sha.clone(),
            });
        }
        let (branch, base) = queued(self.github.ref_name.as_deref()?)?;
        Some(Target {
            branch,
            base,
            head: self.github.sha.clone()?,
        })
    }

    /// Whether what is evaluated may be what somebody proposes, and no branch's own.
    pub(crate) fn proposes(&self) -> bool {
        let event = self.github.event.as_ref().and_then(|event| event.as_ref().ok());
        self.target().is_some() || event.is_some_and(Event::is_about_a_proposal)
    }

    /// Which earlier runs of a suite count, or why none can be looked for.
    pub(crate) fn query(&self, suite: &str, workflow: Option<&str>) -> Result<BaselineQuery, String> {
        let own = || self.github.workflow_ref.as_deref().and_then(file_of);
        let Some(workflow) = workflow.map(str::to_owned).or_else(own) else {
            return Err("the runner does not name the workflow's file: give --baseline-workflow".to_owned());
        };
        let search = match (self.target(), &self.github.ref_name) {
            (Some(target), _) => Search::PullRequest {
                base_branch: target.branch,
                base: target.base,
                head: target.head,
            },
            (None, Some(branch)) => Search::Previous {
                branch: branch.clone(),
            },
            (None, None) => return Err("the runner does not name the branch".to_owned()),
        };
        Ok(BaselineQuery {
            suite: suite.to_owned(),
            workflow,
            search,
            this_run: self.github.run_id,
        })
    }

    /// Where a person looks at this workflow run.
    pub(crate) fn run_url(&self) -> Option<String> {
        let server = self.github.server_url.as_deref().unwrap_or(SERVER_URL);
        let server = server.trim_end_matches('/');
        let (repository, id) = (self.github.repository.as_ref()?, self.github.run_id?);
        Some(format!("{server}/{repository}/actions/runs/{id}"))
    }

    /// A file's path in the repository; none where it lies outside.
    pub(crate) fn in_repository(&self, path: &str) -> Option<String> {
        let here = std::env::current_dir().ok()?;
        let root = self.github.workspace.clone().unwrap_or_else(|| here.clone());
        relative(&here.join(path), &root).or_else(|| relative(&here.join(path), &root.canonicalize().ok()?))
    }
}

fn api(github: &GitHub, cancel: CancellationToken) -> Result<Api, String> {
    let Some(token) = github.token.clone() else {
        return Err(
            "there is no token: give the action's input `github-token`, or set GITHUB_TOKEN".to_owned(),
        );
    };
    let Some(repository) = github.repository.clone() else {
        return Err("the runner does not name the repository".to_owned());
    };
    let settings = ApiSettings {
        api_url: github.api_url.clone().unwrap_or_else(|| API_URL.to_owned()),
        repository,
        token,
        timeout: ATTEMPT,
    };
    Api::new(settings, cancel)
}

/// `owner/name/.github/workflows/nightly.yml@refs/heads/main` → `nightly.yml`.
fn file_of(workflow_ref: &str) -> Option<String> {
    let path = workflow_ref.split('@').next()?;
    let (folder, file) = path.rsplit_once('/')?;
    (folder.ends_with(".github/workflows") && !file.is_empty()).then(|| file.to_owned())
}

/// `gh-readonly-queue/main/pr-104-79f4e5c9` → `main` and `79f4e5c9`.
fn queued(branch: &str) -> Option<(String, String)> {
    let (target, last) = branch.strip_prefix(QUEUE)?.rsplit_once("/pr-")?;
    let (_, base) = last.split_once('-')?;
    let is_commit = !base.is_empty() && base.chars().all(|c| c.is_ascii_hexdigit());
    (is_commit && !target.is_empty()).then(|| (target.to_owned(), base.to_owned()))
}

/// The path below the root with `/` between its parts; `.` and `..` are taken out by their names alone.
fn relative(path: &Path, root: &Path) -> Option<String> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    let below = plain.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    parts.map(|parts| parts.join("/")).filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_s_file_is_the_last_part_of_its_path() {
        let file = |text| file_of(text).unwrap_or_default();
        assert_eq!(
            file("acme/x/.github/workflows/nightly.yml@refs/heads/a@b/c"),
            "nightly.yml"
        );
        for odd in [
            "",
            "@",
            "nightly.yml",
            "acme/x/.github/workflows/@main",
            "a/b/c@d",
        ] {
            assert_eq!(file(odd), "", "{odd}");
        }
    }

    #[test]
    fn a_merge_queue_s_branch_names_its_target() {
        let branch = |text: &str| queued(text).map(|(branch, base)| format!("{branch} {base}"));
        assert_eq!(
            branch("gh-readonly-queue/release/2/pr-104-79f4e5c9").as_deref(),
            Some("release/2 79f4e5c9")
        );
        for odd in [
            "main",
            "gh-readonly-queue/main",
            "gh-readonly-queue/main/pr-1",
            "gh-readonly-queue/m/pr-1-xyz",
        ] {
            assert_eq!(branch(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_path_in_the_repository_is_told_without_its_detours() {
        let path = |text: &str| relative(Path::new(text), Path::new("/w/r"));
        assert_eq!(
            path("/w/r/./prompts/../prompts/a.yaml").as_deref(),
            Some("prompts/a.yaml")
        );
        for outside in ["/w/r", "/w/a.yaml", "/w/r/../a.yaml", "/w/rest/a.yaml"] {
            assert_eq!(path(outside), None, "{outside}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_github_is_waited_for_is_bounded_in_all() {
        let mut hub = Hub {
            github: GitHub::default(),
            api: Err(String::new()),
            patience: Duration::from_secs(40),
            share: Duration::from_secs(40),
            cancel: CancellationToken::new(),
        };
        let failed = |detail: &str| ApiError::Failed {
            call: "look",
            detail: detail.to_owned(),
        };
        assert_eq!(hub.ask(async { Ok(7) }).await, Ok(7));
        let error = failed("refused");
        let told = hub.ask(async { Err::<(), _>(error) }).await.unwrap_err().why;
        assert!(told.contains("refused"), "{told}");
        let began = Instant::now();
        for _ in 0..5 {
            let never = std::future::pending::<Result<(), ApiError>>();
            assert!(hub.ask(never).await.is_err());
        }
        assert_eq!(began.elapsed(), AFTER_A_FAILURE);
        hub.rested();
        assert_eq!(hub.ask(async { Ok(8) }).await, Ok(8));
        hub.cancel.cancel();
        let never = std::future::pending::<Result<(), ApiError>>();
        assert!(hub.ask(never).await.unwrap_err().why.contains("ended"));
    }
}
