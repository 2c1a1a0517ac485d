//! What is asked of GitHub's API, against a strict stand-in for it on loopback.

mod baseline;
mod comments;
mod contents;
mod limits;
mod places;
pub(crate) mod service;

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tunegate::github::{Api, ApiError, ApiSettings, BaselineQuery, FoundRun, Search, find_baseline};

use service::{REPOSITORY, Running, TOKEN};

fn api(hub: &Running) -> Api {
    api_of(hub, REPOSITORY)
}

fn api_of(hub: &Running, repository: &str) -> Api {
    let settings = ApiSettings {
        api_url: hub.url.clone(),
        repository: repository.to_owned(),
        token: TOKEN.into(),
        timeout: Duration::from_secs(20),
    };
    Api::new(settings, CancellationToken::new()).expect("loopback is allowed")
}

/// Of a night's run, number 100.
fn nightly() -> BaselineQuery {
    BaselineQuery {
        suite: "invoices".to_owned(),
        workflow: "nightly.yml".to_owned(),
        search: Search::Previous {
            branch: "main".to_owned(),
        },
        this_run: Some(100),
    }
}

/// Of a pull request into `main`.
fn of_pull_request() -> BaselineQuery {
    BaselineQuery {
        search: Search::PullRequest {
            base_branch: "main".to_owned(),
            base: "b".repeat(40),
            head: "a".repeat(40),
        },
        ..nightly()
    }
}

async fn found(hub: &Running, query: &BaselineQuery) -> FoundRun {
    let found = find_baseline(&api(hub), query).await.expect("GitHub answers");
    found.expect("there is a baseline")
}

async fn nothing(hub: &Running, query: &BaselineQuery) -> String {
    let found = find_baseline(&api(hub), query).await.expect("GitHub answers");
    found.map(|found| found.run).expect_err("there is none")
}

/// The token is in no error, whichever way it is shown.
fn without_token(error: &ApiError) -> String {
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("0123456789") && !shown.contains("c2lnbmF0dXJl"),
        "{shown}"
    );
    error.to_string()
}
