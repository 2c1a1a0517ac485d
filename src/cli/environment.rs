//! Everything the program learns from its environment besides the options' own variables: the key and the token, the
//! runner's files and its event, whether a person or a log reads along. Nothing else reads the environment.

use std::io::IsTerminal;
use std::path::PathBuf;

use secrecy::SecretString;

use crate::github::{Event, PullRequest};

/// The variables that may hold the key, the SDK's name first.
const KEYS: [&str; 2] = ["PREMAI_API_KEY", "API_KEY"];

/// The variables that may hold GitHub's token, the one of the action's input first.
const TOKENS: [&str; 2] = ["TUNEGATE_GITHUB_TOKEN", "GITHUB_TOKEN"];

/// What the environment says.
#[derive(Debug)]
pub(crate) struct Environment {
    /// The service's key.
    pub(crate) key: Option<SecretString>,
    /// GitHub's runner, when this is one.
    pub(crate) github: Option<GitHub>,
    /// Some CI's log reads along.
    pub(crate) ci: bool,
    /// `NO_COLOR` is set.
    pub(crate) no_color: bool,
    /// In debug builds: the journal's line at which the process is to end, for tests.
    #[cfg(debug_assertions)]
    pub(crate) die_at: Option<String>,
    /// A person sees standard error.
    pub(crate) stderr_is_terminal: bool,
    /// A person sees standard output.
    pub(crate) stdout_is_terminal: bool,
    /// Columns of the terminal, where it says.
    pub(crate) columns: Option<usize>,
    /// The commit that is evaluated, where the CI says: of a pull request its head, not the merge that GitHub makes.
    pub(crate) commit: Option<String>,
}

/// What GitHub's runner gives a step.
#[derive(Debug, Clone, Default)]
pub(crate) struct GitHub {
    pub(crate) output: Option<PathBuf>,
    pub(crate) step_summary: Option<PathBuf>,
    pub(crate) event_name: Option<String>,
    /// The event, where GitHub names one, or why it can't be read.
    pub(crate) event: Option<Result<Event, String>>,
    /// The workflow's run and the step in it, the same in every attempt.
    pub(crate) run: Option<String>,
    /// For the REST API; shown nowhere.
    pub(crate) token: Option<SecretString>,
    /// Where the REST API is.
    pub(crate) api_url: Option<String>,
    /// Where a person looks at things.
    pub(crate) server_url: Option<String>,
    /// `owner/name`.
    pub(crate) repository: Option<String>,
    /// The workflow run's id, the same in every attempt.
    pub(crate) run_id: Option<u64>,
    /// `owner/name/.github/workflows/file.yml@ref`.
    pub(crate) workflow_ref: Option<String>,
    /// The branch or tag that the workflow runs on; of a pull request `17/merge`.
    pub(crate) ref_name: Option<String>,
    /// The commit that the workflow runs on; of a pull request a merge of it.
    pub(crate) sha: Option<String>,
    /// The repository's folder, as this process sees it.
    pub(crate) workspace: Option<PathBuf>,
}

impl GitHub {
    fn read() -> Self {
        let event_name = given("GITHUB_EVENT_NAME");
        let event_path = given("GITHUB_EVENT_PATH").map(PathBuf::from);
        GitHub {
            output: given("GITHUB_OUTPUT").map(PathBuf::from),
            step_summary: given("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            event: event_name.as_deref().and_then(|name| event(name, event_path)),
            event_name,
            run: workflow_run(),
            token: TOKENS.iter().find_map(|name| given(name)).map(SecretString::from),
            api_url: given("GITHUB_API_URL"),
            server_url: given("GITHUB_SERVER_URL"),
            repository: given("GITHUB_REPOSITORY"),
            run_id: given("GITHUB_RUN_ID").and_then(|id| id.parse().ok()),
            workflow_ref: given("GITHUB_WORKFLOW_REF"),
            ref_name: given("GITHUB_REF_NAME"),
            sha: given("GITHUB_SHA"),
            workspace: given("GITHUB_WORKSPACE").map(PathBuf::from),
        }
    }

    /// The pull request whose event this is.
    pub(crate) fn pull_request(&self) -> Option<&PullRequest> {
        let event = self.event.as_ref()?.as_ref().ok()?;
        event.pull_request.as_ref().filter(|_| event.is_pull_request())
    }

    /// The commit that is evaluated. `pull_request_target` has the base branch checked out unless its workflow says
    /// otherwise, and `GITHUB_SHA` is that branch's.
    fn commit(&self) -> Option<String> {
        let target = self.event_name.as_deref() == Some("pull_request_target");
        match self.pull_request().filter(|_| !target) {
            Some(pull_request) => Some(pull_request.head_sha.clone()),
            None => self.sha.clone(),
        }
    }
    /// The runner's files.
    pub(crate) fn runner(&self) -> crate::github::Runner {
        crate::github::Runner::new(self.output.clone(), self.step_summary.clone())
    }
}

/// Events that bring the secrets to what may be a stranger's checkout.
const TRUSTING: [&str; 2] = ["pull_request_target", "workflow_run"];

/// The event of a name; none where the runner does not say what is in it. One that decides about trust and says nothing
/// is an empty one, which nobody trusts.
fn event(name: &str, path: Option<PathBuf>) -> Option<Result<Event, String>> {
    let Some(path) = path else {
        let empty = || Event::read(name, &b"{}"[..]).map_err(|error| error.to_string());
        return TRUSTING.contains(&name).then(empty);
    };
    let file =
        std::fs::File::open(&path).map_err(|error| format!("the event at {}: {error}", path.display()));
    Some(file.and_then(|file| Event::read(name, file).map_err(|error| error.to_string())))
}

impl Environment {
    /// Reads the environment once.
    pub(crate) fn read() -> Self {
        let github = (given("GITHUB_ACTIONS").as_deref() == Some("true")).then(GitHub::read);
        Environment {
            key: KEYS.iter().find_map(|name| given(name)).map(SecretString::from),
            ci: github.is_some() || given("CI").is_some_and(|ci| ci != "false" && ci != "0"),
            no_color: given("NO_COLOR").is_some(),
            #[cfg(debug_assertions)]
            die_at: given("TUNEGATE_TEST_DIE_AT"),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            columns: given("COLUMNS").and_then(|c| c.parse().ok()),
            commit: match &github {
                Some(github) => github.commit(),
                None => given("GITHUB_SHA"),
            },
            github,
        }
    }
}

/// True for a variable that is set to nothing.
pub(crate) fn is_empty(name: &std::ffi::OsStr) -> bool {
    #[expect(
        clippy::disallowed_methods,
        reason = "this file is the one place that reads the environment"
    )]
    let value = std::env::var_os(name);
    value.is_some_and(|value| value.to_str().is_some_and(|value| value.trim().is_empty()))
}

/// A variable that is set and not empty: an input of an action that nobody gave arrives as an empty string.
pub(crate) fn given(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this file is the one place that reads the environment"
    )]
    let value = std::env::var(name).ok();
    value.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
}

/// What names this step of this workflow run; an attempt after the first one has the same name.
fn workflow_run() -> Option<String> {
    let parts = [
        "GITHUB_REPOSITORY",
        "GITHUB_RUN_ID",
        "GITHUB_JOB",
        "GITHUB_ACTION",
    ];
    given("GITHUB_RUN_ID")?;
    Some(parts.map(|part| given(part).unwrap_or_default()).join("\n"))
}
