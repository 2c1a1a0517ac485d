//! Workflow runs, their artifacts, and the host that these lie on.

use std::io::{Cursor, Write};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::rules::{Answer, Call, refusal, reply};
use super::{Asked, GitHub, REPOSITORY, Shared};

/// What opens an artifact to anybody for a while.
const SIGNATURE: &str = "sig=c2lnbmF0dXJl";

/// A workflow run; a successful scheduled one of `nightly.yml` on `main`, where nothing else is said.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    id: u64,
    workflow: String,
    branch: String,
    sha: String,
    event: String,
    conclusion: Option<String>,
    head_repository: Value,
    created_at: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    id: u64,
    run: u64,
    name: String,
    expired: bool,
    zip: Vec<u8>,
}

impl Run {
    /// Run 17 began on the 17th.
    pub(crate) fn new(id: u64) -> Run {
        Run {
            id,
            workflow: "nightly.yml".to_owned(),
            branch: "main".to_owned(),
            sha: format!("{id:040x}"),
            event: "schedule".to_owned(),
            conclusion: Some("success".to_owned()),
            head_repository: json!({"full_name": REPOSITORY}),
            created_at: format!("2026-{:02}-{:02}T02:00:00Z", 1 + id / 28 % 12, 1 + id % 28),
        }
    }

    pub(crate) fn branch(self, branch: &str) -> Run {
        Run {
            branch: branch.to_owned(),
            ..self
        }
    }

    pub(crate) fn sha(self, sha: &str) -> Run {
        Run {
            sha: sha.to_owned(),
            ..self
        }
    }

    pub(crate) fn event(self, event: &str) -> Run {
        Run {
            event: event.to_owned(),
            ..self
        }
    }

    pub(crate) fn workflow(self, workflow: &str) -> Run {
        Run {
            workflow: workflow.to_owned(),
            ..self
        }
    }

    /// `None`: it is running yet.
    pub(crate) fn concluded(self, conclusion: Option<&str>) -> Run {
        Run {
            conclusion: conclusion.map(str::to_owned),
            ..self
        }
    }

    /// Its commit is of another repository; `null` where that was deleted.
    pub(crate) fn of(self, head_repository: Value) -> Run {
        Run {
            head_repository,
            ..self
        }
    }

    pub(crate) fn at(self, created_at: &str) -> Run {
        Run {
            created_at: created_at.to_owned(),
            ..self
        }
    }

    fn status(&self) -> &'static str {
        if self.conclusion.is_some() {
            "completed"
        } else {
            "in_progress"
        }
    }

    fn json(&self, url: &str) -> Value {
        json!({"id": self.id, "name": "Nightly", "head_branch": self.branch, "head_sha": self.sha, "event": self.event,
            "status": self.status(), "conclusion": self.conclusion, "created_at": self.created_at, "run_attempt": 1,
            "path": format!(".github/workflows/{}", self.workflow), "pull_requests": [],
            "html_url": format!("{url}/{REPOSITORY}/actions/runs/{}", self.id),
            "repository": {"full_name": REPOSITORY}, "head_repository": self.head_repository})
    }
}

/// A `results.json` as far as it is looked into.
pub(crate) fn results(suite: &str, note: &str) -> Vec<u8> {
    json!({"version": 1, "cases": [], "suite": {"name": suite}, "note": note})
        .to_string()
        .into_bytes()
}

pub(crate) fn zipped(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

impl GitHub {
    pub(crate) fn with_run(mut self, run: Run) -> GitHub {
        self.runs.push(run);
        self
    }

    pub(crate) fn with_zip(mut self, run: u64, name: &str, zip: Vec<u8>) -> GitHub {
        let id = self.new_id();
        self.artifacts.push(Artifact {
            id,
            run,
            name: name.to_owned(),
            expired: false,
            zip,
        });
        self
    }

    pub(crate) fn with_expired(self, run: u64, name: &str) -> GitHub {
        let mut hub = self.with_zip(run, name, Vec::new());
        hub.artifacts.last_mut().unwrap().expired = true;
        hub
    }

    /// A run and an artifact with one file in it.
    pub(crate) fn with_results(self, run: Run, artifact: &str, path: &str, bytes: Vec<u8>) -> GitHub {
        let id = run.id;
        self.with_run(run)
            .with_zip(id, artifact, zipped(&[(path, bytes)]))
    }

    pub(super) fn list_runs(&mut self, call: &Call, workflow: &str) -> Answer {
        self.only(
            call,
            &["branch", "status", "head_sha", "event", "per_page", "page"],
            &[],
        )?;
        self.needs("actions: read")?;
        if !self.runs.iter().any(|run| run.workflow == workflow) {
            return Err(refusal(404, "Not Found"));
        }
        let asked = |name: &str, told: &str| call.get(name).is_none_or(|wanted| wanted == told);
        let state = |run: &Run| {
            call.get("status")
                .is_none_or(|status| status == run.status() || Some(status) == run.conclusion.as_deref())
        };
        let mut runs: Vec<&Run> = self
            .runs
            .iter()
            .filter(|run| run.workflow == workflow && state(run))
            .filter(|run| {
                asked("branch", &run.branch) && asked("head_sha", &run.sha) && asked("event", &run.event)
            })
            .collect();
        runs.sort_by_key(|run| std::cmp::Reverse(run.id));
        let items: Vec<Value> = runs.iter().map(|run| run.json(&self.url)).collect();
        let total = items.len();
        self.paged(
            call,
            items,
            &|page| json!({"total_count": total, "workflow_runs": page}),
        )
    }

    pub(super) fn list_artifacts(&mut self, call: &Call, run: &str) -> Answer {
        self.only(call, &["name", "per_page", "page"], &[])?;
        self.needs("actions: read")?;
        let named = |a: &&Artifact| call.get("name").is_none_or(|name| name == a.name);
        let items: Vec<Value> = self
            .artifacts
            .iter()
            .filter(|artifact| artifact.run.to_string() == run)
            .filter(named)
            .map(|a| {
                json!({"id": a.id, "name": a.name, "expired": a.expired, "size_in_bytes": a.zip.len(),
                    "archive_download_url": "https://evil.example/zip", "workflow_run": {"id": a.run}})
            })
            .collect();
        let total = items.len();
        self.paged(
            call,
            items,
            &|page| json!({"total_count": total, "artifacts": page}),
        )
    }

    pub(super) fn artifact_zip(&mut self, call: &Call, id: &str) -> Answer {
        self.only(call, &[], &[])?;
        self.needs("actions: read")?;
        match self
            .artifacts
            .iter()
            .find(|artifact| artifact.id.to_string() == id)
        {
            Some(artifact) if artifact.expired => Err(refusal(410, "Artifact has expired")),
            Some(artifact) => {
                let here = format!("{}/container/{}?{SIGNATURE}", self.blobs, artifact.id);
                let location = self.location.clone().unwrap_or(here);
                Ok((StatusCode::FOUND, [("location", location)]).into_response())
            }
            None => Err(refusal(404, "Not Found")),
        }
    }

    pub(super) fn compare(&mut self, call: &Call, pair: &str) -> Answer {
        self.only(call, &[], &[])?;
        self.needs("contents: read")?;
        match self.merge_bases.get(pair) {
            Some(sha) => Ok(reply(
                200,
                json!({"status": "diverged", "merge_base_commit": {"sha": sha}, "commits": [], "files": []}),
            )),
            None => Err(refusal(404, "No common ancestor between these commits")),
        }
    }
}

/// The host that artifacts lie on: it knows no tokens, and who brings one has given it away.
pub(super) async fn blob(State(shared): State<Shared>, request: Request) -> Response {
    let mut hub = shared.lock().unwrap();
    let (path, query) = (
        request.uri().path().to_owned(),
        request.uri().query().unwrap_or_default().to_owned(),
    );
    if request.headers().contains_key("authorization") {
        hub.violations.push(format!("the token was sent to {path}"));
    }
    hub.requests.push(Asked {
        method: request.method().to_string(),
        path: path.clone(),
        query: query.clone(),
        body: Value::Null,
        away: true,
    });
    let id = path.rsplit('/').next().unwrap_or_default();
    match hub
        .artifacts
        .iter()
        .find(|artifact| artifact.id.to_string() == id)
    {
        _ if query != SIGNATURE => (StatusCode::FORBIDDEN, format!("no: {query}")).into_response(),
        Some(artifact) => ([("content-type", "application/zip")], artifact.zip.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
