//! Everything the program learns from its environment besides the options' own variables: the key, the
//! runner's files, whether a person or a log reads along. Nothing else reads the environment.

use std::io::IsTerminal;
use std::path::PathBuf;

use secrecy::SecretString;

/// The variables that may hold the key, the SDK's name first.
const KEYS: [&str; 2] = ["PREMAI_API_KEY", "API_KEY"];

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
    /// The commit that is checked out, where the CI says.
    pub(crate) commit: Option<String>,
}

/// What GitHub's runner gives a step.
#[derive(Debug, Clone, Default)]
pub(crate) struct GitHub {
    pub(crate) output: Option<PathBuf>,
    pub(crate) step_summary: Option<PathBuf>,
    pub(crate) event_name: Option<String>,
    pub(crate) event_path: Option<PathBuf>,
    /// The workflow's run and the step in it, the same in every attempt.
    pub(crate) run: Option<String>,
}

impl GitHub {
    /// The runner's files.
    pub(crate) fn runner(&self) -> crate::github::Runner {
        crate::github::Runner::new(self.output.clone(), self.step_summary.clone())
    }
}

impl Environment {
    /// Reads the environment once.
    pub(crate) fn read() -> Self {
        let github = (given("GITHUB_ACTIONS").as_deref() == Some("true")).then(|| GitHub {
            output: given("GITHUB_OUTPUT").map(PathBuf::from),
            step_summary: given("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            event_name: given("GITHUB_EVENT_NAME"),
            event_path: given("GITHUB_EVENT_PATH").map(PathBuf::from),
            run: workflow_run(),
        });
        Environment {
            key: KEYS.iter().find_map(|name| given(name)).map(SecretString::from),
            ci: github.is_some() || given("CI").is_some_and(|ci| ci != "false" && ci != "0"),
            no_color: given("NO_COLOR").is_some(),
            #[cfg(debug_assertions)]
            die_at: given("TUNEGATE_TEST_DIE_AT"),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            columns: given("COLUMNS").and_then(|c| c.parse().ok()),
            commit: given("GITHUB_SHA"),
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
