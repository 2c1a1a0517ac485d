//! What is to be compared with in, the workflow run whose artifact holds it out, or why there is none.

use serde::Deserialize;

use super::artifacts::{self, Wanted};
use super::client::Deed;
use super::runs::{Listing, RUNS, Run, Which};
use super::{Api, ApiError, names};

/// Runs whose artifacts are looked for.
const RUNS_TRIED: usize = 10;

const MERGE_BASE: Deed = Deed {
    call: "find the commit that the pull request branched off from",
    permission: "contents: read",
};

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineQuery {
    /// The suite's name: the artifact is called `tunegate-<suite>`.
    pub suite: String,
    /// The workflow's file (`nightly.yml`) whose runs are looked at.
    pub workflow: String,
    /// Whose runs.
    pub search: Search,
    /// The workflow run that asks; it is never its own baseline.
    pub this_run: Option<u64>,
}

/// Whose runs are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// A pull request's: the run of the commit that it branched off from, else the newest on its base branch.
    PullRequest {
        /// The branch that it goes to.
        base_branch: String,
        /// The commit at that branch's head.
        base: String,
        /// The commit at its own head.
        head: String,
    },
    /// The newest before this one on the same branch.
    Previous {
        /// The branch.
        branch: String,
    },
}

/// How a run was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunKind {
    /// It is of the commit that the pull request branched off from.
    MergeBase,
    /// It is the newest on the pull request's base branch.
    BaseBranch,
    /// It is the newest before the one that asks.
    Previous,
}

/// A workflow run, and what its artifact holds of the suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRun {
    /// How it was found.
    pub kind: RunKind,
    /// The workflow run's id.
    pub run: u64,
    /// Its branch.
    pub branch: Option<String>,
    /// Where it can be looked at; on the server that the API belongs to, or nothing.
    pub url: Option<String>,
    /// The suite's `results.json`, as it is.
    pub results: Vec<u8>,
}

/// Looks for the baseline: a successful run, of the repository itself (never of a fork, never of a pull request), whose
/// artifact is called for the suite and has not expired. `Ok(Err(why))`: there is none, for a person.
///
/// # Errors
/// See [`ApiError`].
pub async fn find_baseline(api: &Api, query: &BaselineQuery) -> Result<Result<FoundRun, String>, ApiError> {
    let looking = |branch, kind| Looking {
        api,
        query,
        branch,
        kind,
        wanted: Wanted::Results,
    };
    match &query.search {
        Search::Previous { branch } => looking(branch, RunKind::Previous).newest(None).await,
        Search::PullRequest {
            base_branch,
            base,
            head,
        } => {
            if let Some(commit) = merge_base(api, base, head).await? {
                let found = looking(base_branch, RunKind::MergeBase)
                    .newest(Some(&commit))
                    .await?;
                if found.is_ok() {
                    return Ok(found);
                }
            }
            looking(base_branch, RunKind::BaseBranch).newest(None).await
        }
    }
}

/// Looks for the `history.jsonl` of the newest completed run, successful or not, on the branch; of a pull request on
/// the branch that it goes to.
///
/// # Errors
/// See [`ApiError`].
pub async fn find_history(api: &Api, query: &BaselineQuery) -> Result<Option<Vec<u8>>, ApiError> {
    let branch = match &query.search {
        Search::Previous { branch } => branch,
        Search::PullRequest { base_branch, .. } => base_branch,
    };
    let looking = Looking {
        api,
        query,
        branch,
        kind: RunKind::Previous,
        wanted: Wanted::History,
    };
    Ok(looking.newest(None).await?.ok().map(|found| found.results))
}

/// The commit that both have in their past; none where GitHub does not tell it.
async fn merge_base(api: &Api, base: &str, head: &str) -> Result<Option<String>, ApiError> {
    #[derive(Deserialize)]
    struct Compared {
        merge_base_commit: Commit,
    }
    #[derive(Deserialize)]
    struct Commit {
        sha: String,
    }
    for commit in [base, head] {
        names::commit(commit).map_err(|why| MERGE_BASE.told(why))?;
    }
    let call = api.get(&MERGE_BASE, &format!("/compare/{base}...{head}"), Vec::new());
    match api.http().send::<Compared>(&call).await {
        Ok(reply) => {
            let sha = reply.value.merge_base_commit.sha;
            Ok(names::commit(&sha).is_ok().then_some(sha))
        }
        // No common past, a commit that was lost, no permission for it: the branch's newest run will do, and says so.
        Err(failure) if failure.status.is_some_and(|status| (400..429).contains(&status)) => {
            match MERGE_BASE.failed(&failure) {
                limited @ ApiError::Limited { .. } => Err(limited),
                _ => Ok(None),
            }
        }
        Err(failure) => Err(MERGE_BASE.failed(&failure)),
    }
}

/// One way to look.
struct Looking<'a> {
    api: &'a Api,
    query: &'a BaselineQuery,
    branch: &'a str,
    kind: RunKind,
    wanted: Wanted,
}

/// What was seen on the way to nothing.
#[derive(Default)]
struct Seen {
    runs: usize,
    expired: bool,
    /// What is wrong with the newest artifact that could have been it.
    trouble: Option<String>,
}

impl Looking<'_> {
    async fn newest(&self, commit: Option<&str>) -> Result<Result<FoundRun, String>, ApiError> {
        names::reference(self.branch).map_err(|why| RUNS.told(why))?;
        let workflow = names::workflow(&self.query.workflow).map_err(|why| RUNS.told(why))?;
        let which = Which {
            workflow,
            branch: self.branch,
            commit,
            successful: self.wanted == Wanted::Results,
            except: self.query.this_run,
        };
        let mut listing = Listing::new(self.api, which);
        let mut seen = Seen::default();
        while let Some(runs) = listing.page().await? {
            for run in runs {
                if seen.runs == RUNS_TRIED {
                    return Ok(Err(self.nothing(workflow, &seen)));
                }
                seen.runs += 1;
                if let Some(file) = self.file_of(&run, &mut seen).await? {
                    return Ok(Ok(FoundRun {
                        kind: self.kind,
                        run: run.id,
                        url: run.html_url.as_deref().and_then(|url| self.api.page_of(url)),
                        branch: run.head_branch,
                        results: file,
                    }));
                }
            }
        }
        Ok(Err(self.nothing(workflow, &seen)))
    }

    /// The suite's file of a run.
    async fn file_of(&self, run: &Run, seen: &mut Seen) -> Result<Option<Vec<u8>>, ApiError> {
        let suite = &self.query.suite;
        let [own, shared] = artifacts::names(suite);
        for name in [&own, &shared] {
            for artifact in self.api.artifacts(run.id, name).await? {
                if artifact.expired {
                    seen.expired = true;
                    continue;
                }
                let unpacked = match self.api.zip(&artifact).await? {
                    Ok(zip) => self.unpacked(zip, *name == own).await?,
                    Err(why) => Err(why),
                };
                let why = match unpacked {
                    Ok(Some(file)) => return Ok(Some(self.api.http().bytes_without_key(file))),
                    Ok(None) => format!("no results of {suite} are in it"),
                    Err(why) => why,
                };
                let trouble = || format!("artifact {name} of run {}: {why}", run.id);
                seen.trouble.get_or_insert_with(trouble);
                // An older one of the same name is of an earlier attempt of the run.
                break;
            }
        }
        Ok(None)
    }

    /// Unpacking takes seconds at worst, and no other task waits for it.
    async fn unpacked(&self, zip: Vec<u8>, own: bool) -> Result<Result<Option<Vec<u8>>, String>, ApiError> {
        let (suite, wanted) = (self.query.suite.clone(), self.wanted);
        tokio::task::spawn_blocking(move || artifacts::unpack(&zip, &suite, own, wanted))
            .await
            .map_err(|e| RUNS.told(format!("unpacking an artifact was given up: {e}")))
    }

    /// Why there is none.
    fn nothing(&self, workflow: &str, seen: &Seen) -> String {
        let which = match self.wanted {
            Wanted::Results => "successful",
            Wanted::History => "completed",
        };
        let (branch, [artifact, _]) = (self.branch, artifacts::names(&self.query.suite));
        let mut why = format!("no {which} run of {workflow} on {branch} has an artifact {artifact}");
        if seen.runs == RUNS_TRIED {
            why.push_str(&format!(" (the newest {RUNS_TRIED} were looked at)"));
        }
        match &seen.trouble {
            Some(trouble) => why.push_str(&format!(" that can be used: {trouble}")),
            None if seen.expired => why.push_str(" that has not expired"),
            None => {}
        }
        why
    }
}
