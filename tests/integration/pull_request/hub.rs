//! As much of GitHub as one step meets: comments, one earlier run with its artifact, files at the base commit.

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::stub::{Act, Answer, Request, Stub};

pub(super) const TOKEN: &str = "ghs_0123456789abcdefghijklmnopqrstuvwxyz";
pub(super) const BASE: &str = "1111111111111111111111111111111111111111";
pub(super) const HEAD: &str = "2222222222222222222222222222222222222222";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// Does as it is asked.
    Kind,
    /// Refuses everything, and says the token in doing so.
    Forbidding,
    /// Answers with a page of its own.
    Broken,
}

#[derive(Default)]
struct State {
    comments: Vec<(u64, String)>,
    /// The zip of the earlier run, where there is one.
    artifact: Option<Vec<u8>>,
    /// Path and text at the base commit.
    file: Option<(String, String)>,
    seen: Vec<(String, String)>,
}

#[derive(Clone)]
pub(super) struct Hub {
    mood: Mood,
    state: Arc<Mutex<State>>,
}

impl Hub {
    pub(super) fn new(mood: Mood) -> Hub {
        Hub {
            mood,
            state: Arc::default(),
        }
    }

    pub(super) async fn serve(&self) -> Stub {
        // What an artifact is fetched from must never see the token; it has a server of its own.
        let blobs = self.clone();
        let blobs = Stub::serve(move |request| {
            assert_eq!(request.header("authorization"), None);
            let zip = blobs.state.lock().unwrap().artifact.clone().unwrap_or_default();
            Act::Reply(Answer::new(200, zip).header("content-type", "application/zip"))
        })
        .await;
        let hub = self.clone();
        Stub::serve(move |request| {
            // The whole of it moves in here and lives as long as this one.
            let blobs: &Stub = &blobs;
            hub.answer(request, &blobs.url)
        })
        .await
    }

    pub(super) fn comments(&self) -> Vec<(u64, String)> {
        self.state.lock().unwrap().comments.clone()
    }

    /// Requests with this method.
    pub(super) fn count(&self, method: &str) -> usize {
        let state = self.state.lock().unwrap();
        state.seen.iter().filter(|(seen, _)| seen == method).count()
    }

    pub(super) fn wrote_content(&self) -> bool {
        let state = self.state.lock().unwrap();
        let writes = state.seen.iter().filter(|(method, _)| method != "GET");
        writes.into_iter().any(|(_, path)| !path.contains("/comments"))
    }

    /// The earlier run left this.
    pub(super) fn keep(&self, results: &str, history: &str) {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in [("s/results.json", results), ("s/history.jsonl", history)] {
            zip.start_file(name, zip::write::SimpleFileOptions::default())
                .unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        self.state.lock().unwrap().artifact = Some(zip.finish().unwrap().into_inner());
    }

    /// The only file at the base commit.
    pub(super) fn commit(&self, path: &str, text: &str) {
        self.state.lock().unwrap().file = Some((path.to_owned(), text.to_owned()));
    }

    fn answer(&self, request: &Request, blobs: &str) -> Act {
        let mut state = self.state.lock().unwrap();
        state.seen.push((request.method.clone(), request.path.clone()));
        match self.mood {
            Mood::Kind => {}
            Mood::Forbidding => {
                let message = format!("Resource not accessible by integration {TOKEN}");
                return Act::json(403, json!({"message": message}));
            }
            Mood::Broken => return Act::text(200, "<html>Unicorn!</html>"),
        }
        let Some(path) = request.path.strip_prefix("/repos/acme/invoices/") else {
            return not_found();
        };
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["compare", _]) => Act::ok(json!({"merge_base_commit": {"sha": BASE}})),
            ("GET", ["actions", "workflows", "gate.yml", "runs"]) => {
                let runs: Vec<Value> = state.artifact.iter().map(|_| run()).collect();
                Act::ok(json!({"total_count": runs.len(), "workflow_runs": runs}))
            }
            ("GET", ["actions", "runs", "41", "artifacts"]) => {
                let size = state.artifact.as_ref().map_or(0, Vec::len);
                Act::ok(json!({"total_count": 1, "artifacts": [
                    {"id": 7, "name": "tunegate-s", "expired": false, "size_in_bytes": size,
                     "created_at": "2026-11-21T02:00:00Z", "workflow_run": {"id": 41}}]}))
            }
            ("GET", ["actions", "artifacts", "7", "zip"]) => {
                Act::Reply(Answer::new(302, "").header("location", format!("{blobs}/artifact.zip")))
            }
            ("GET", ["contents", rest @ ..]) => match &state.file {
                Some((path, text)) if *path == rest.join("/") => content(request, path, text),
                _ => not_found(),
            },
            ("GET", ["issues", "17", "comments"]) => Act::ok(
                state
                    .comments
                    .iter()
                    .map(|(id, body)| comment(*id, body))
                    .collect(),
            ),
            ("POST", ["issues", "17", "comments"]) => {
                let id = 100 + state.comments.len() as u64;
                let body = request.json()["body"].as_str().unwrap().to_owned();
                state.comments.push((id, body.clone()));
                Act::json(201, comment(id, &body))
            }
            ("PATCH", ["issues", "comments", id]) => {
                let id: u64 = id.parse().unwrap();
                let body = request.json()["body"].as_str().unwrap().to_owned();
                match state.comments.iter_mut().find(|(own, _)| *own == id) {
                    Some(kept) => {
                        kept.1.clone_from(&body);
                        Act::ok(comment(id, &body))
                    }
                    None => not_found(),
                }
            }
            ("GET", ["commits", sha, "pulls"]) => Act::ok(json!([
                {"number": 17, "state": "open", "head": {"sha": sha},
                 "base": {"ref": "main", "repo": {"full_name": "acme/invoices"}}}])),
            _ => not_found(),
        }
    }
}

fn run() -> Value {
    json!({"id": 41, "name": "gate", "event": "push", "status": "completed", "conclusion": "success",
        "head_branch": "main", "head_sha": BASE, "run_number": 3, "path": ".github/workflows/gate.yml",
        "html_url": "https://hub.example/acme/invoices/actions/runs/41", "created_at": "2026-11-21T02:00:00Z",
        "repository": {"full_name": "acme/invoices"}, "head_repository": {"full_name": "acme/invoices"}})
}

fn comment(id: u64, body: &str) -> Value {
    json!({"id": id, "body": body, "author_association": "NONE", "user": {"login": "github-actions[bot]", "type": "Bot"}})
}

/// The file itself, or JSON about it: the request says which.
fn content(request: &Request, path: &str, text: &str) -> Act {
    if request
        .header("accept")
        .is_some_and(|accept| accept.contains("raw"))
    {
        return Act::text(200, text);
    }
    let encoded = base64(text.as_bytes());
    Act::ok(
        json!({"type": "file", "path": path, "sha": "4444444444444444444444444444444444444444",
        "size": text.len(), "encoding": "base64", "content": encoded}),
    )
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let at = |i: usize| u32::from(three.get(i).copied().unwrap_or(0)) << (16 - 8 * i);
        let word = at(0) | at(1) | at(2);
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= three.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

fn not_found() -> Act {
    Act::json(404, json!({"message": "Not Found"}))
}
