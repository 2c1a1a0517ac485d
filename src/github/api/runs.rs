//! A workflow and a branch in, the runs of it that count out, newest first: of the repository itself, never of a fork,
//! never of what is proposed, whatever its branch is called.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::http::{Failure, FailureKind, NextPage};

use super::client::Deed;
use super::{Api, ApiError, artifacts};

/// Pages of a hundred runs that are looked through.
const PAGES: usize = 10;

pub(super) const RUNS: Deed = Deed {
    call: "find an earlier run",
    permission: "actions: read",
};

/// Which runs of a workflow.
#[derive(Debug, Clone)]
pub(super) struct Which<'a> {
    /// The workflow's file.
    pub(super) workflow: &'a str,
    pub(super) branch: &'a str,
    /// Of this commit alone.
    pub(super) commit: Option<&'a str>,
    /// Successful ones alone; else completed ones.
    pub(super) successful: bool,
    /// Not this one.
    pub(super) except: Option<u64>,
}

/// A workflow run.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Run {
    pub(super) id: u64,
    pub(super) head_branch: Option<String>,
    pub(super) html_url: Option<String>,
    head_sha: Option<String>,
    event: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
    created_at: Option<Timestamp>,
    repository: Option<Repository>,
    /// Null when the fork was deleted.
    #[serde(default, deserialize_with = "given")]
    head_repository: Option<Option<Repository>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Repository {
    full_name: String,
}

fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Repository>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl Run {
    fn counts(&self, api: &Api, which: &Which<'_>) -> bool {
        let is = |told: &Option<String>, wanted: &str| told.as_deref().is_none_or(|told| told == wanted);
        let own = |repository: &Repository| {
            // A repository that was renamed has another name here than in the settings.
            let renamed = self
                .repository
                .as_ref()
                .is_some_and(|own| own.full_name == repository.full_name);
            renamed || api.is_own(&repository.full_name)
        };
        let from_here = match &self.head_repository {
            None => true,
            Some(None) => false,
            Some(Some(repository)) => own(repository),
        };
        from_here
            && Some(self.id) != which.except
            && !self.event.as_deref().is_some_and(may_be_a_proposal)
            && is(&self.head_branch, which.branch)
            && which.commit.is_none_or(|commit| is(&self.head_sha, commit))
            && is(&self.status, "completed")
            && (!which.successful || is(&self.conclusion, "success"))
    }
}

/// Events that run on a branch and may have something else checked out. Runs behind another run and runs for a comment
/// count as the default branch's, and the list does not tell what they evaluated.
fn may_be_a_proposal(event: &str) -> bool {
    event.starts_with("pull_request") || matches!(event, "issue_comment" | "workflow_run" | "merge_group")
}

/// The runs of a list that count, a page at a time.
pub(super) struct Listing<'a> {
    api: &'a Api,
    which: Which<'a>,
    next: Option<NextPage>,
    read: usize,
}

impl<'a> Listing<'a> {
    pub(super) fn new(api: &'a Api, which: Which<'a>) -> Listing<'a> {
        Listing {
            api,
            which,
            next: None,
            read: 0,
        }
    }

    /// The next page's, the newest first; `None` behind the last page.
    pub(super) async fn page(&mut self) -> Result<Option<Vec<Run>>, ApiError> {
        #[derive(Deserialize)]
        struct Runs {
            workflow_runs: Vec<Run>,
        }
        if self.read == PAGES || (self.read > 0 && self.next.is_none()) {
            return Ok(None);
        }
        let Which {
            workflow,
            branch,
            commit,
            successful,
            ..
        } = self.which;
        let status = if successful { "success" } else { "completed" };
        let mut query = vec![
            ("branch", branch.to_owned()),
            ("status", status.to_owned()),
            ("per_page", "100".to_owned()),
        ];
        query.extend(commit.map(|commit| ("head_sha", commit.to_owned())));
        let below = format!("/actions/workflows/{}/runs", super::names::segment(workflow));
        let call = self.api.get(&RUNS, &below, query);
        let page = self.api.http().page::<Runs>(&call, self.next.as_ref()).await;
        let page = page.map_err(|failure| RUNS.failed(&failure))?.value;
        (self.next, self.read) = (page.next, self.read + 1);
        let mut runs = page.value.workflow_runs;
        runs.retain(|run| run.counts(self.api, &self.which));
        runs.sort_by_key(|run| std::cmp::Reverse(run.created_at));
        Ok(Some(runs))
    }
}

/// An artifact of a run.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Artifact {
    pub(super) id: u64,
    pub(super) name: String,
    #[serde(default)]
    pub(super) expired: bool,
    size_in_bytes: Option<u64>,
}

impl Api {
    /// The artifacts of a run that have the name, the newest first.
    pub(super) async fn artifacts(&self, run: u64, name: &str) -> Result<Vec<Artifact>, ApiError> {
        #[derive(Deserialize)]
        struct Artifacts {
            artifacts: Vec<Artifact>,
        }
        let query = vec![("name", name.to_owned()), ("per_page", "100".to_owned())];
        let call = self.get(&RUNS, &format!("/actions/runs/{run}/artifacts"), query);
        // One page: every attempt of a run may have left one.
        let reply = self.http().send::<Artifacts>(&call).await;
        let mut found = match reply {
            Ok(reply) => reply.value.artifacts,
            // Deleted since it was listed.
            Err(failure) if failure.status == Some(404) => Vec::new(),
            Err(failure) => return Err(RUNS.failed(&failure)),
        };
        found.retain(|artifact| artifact.name == name);
        found.sort_by_key(|artifact| std::cmp::Reverse(artifact.id));
        Ok(found)
    }

    /// The zip of an artifact; `Ok(Err(why))`: it can't be had, and another run's may.
    pub(super) async fn zip(&self, artifact: &Artifact) -> Result<Result<Vec<u8>, String>, ApiError> {
        let large = || format!("more than {} MiB", artifacts::ZIP_LIMIT / (1024 * 1024));
        if artifact
            .size_in_bytes
            .is_some_and(|size| size > artifacts::ZIP_LIMIT as u64)
        {
            return Ok(Err(large()));
        }
        let call = self.get(
            &RUNS,
            &format!("/actions/artifacts/{}/zip", artifact.id),
            Vec::new(),
        );
        match self.http().download(&call, &artifacts::DOWNLOAD).await {
            Ok(reply) => Ok(Ok(reply.value)),
            Err(failure) => unfetched(&failure).map(Err),
        }
    }
}

/// A failure of this one artifact is a text; whatever would meet the next one as well is an error.
fn unfetched(failure: &Failure) -> Result<String, ApiError> {
    match failure.kind {
        FailureKind::Rejected | FailureKind::Unreadable if failure.attempts > 0 => {
            Ok(failure.message.clone())
        }
        _ => Err(RUNS.failed(failure)),
    }
}
