//! Files on branches, and the blobs, trees and commits that a branch is made of.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::GitHub;
use super::rules::{Answer, Call, OBJECT, RAW, refusal, reply};

const MB: usize = 1024 * 1024;

/// What has a hash.
#[derive(Debug, Clone)]
pub(super) enum Object {
    Blob(Vec<u8>),
    Tree(BTreeMap<String, Vec<u8>>),
    Commit(BTreeMap<String, Vec<u8>>, String),
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .take(20)
        .map(|b| format!("{b:02x}"))
        .collect()
}

impl GitHub {
    pub(super) fn get_contents(&mut self, call: &Call, path: &str) -> Answer {
        self.only(call, &["ref"], &[])?;
        self.needs("contents: read")?;
        let at = call.get("ref").unwrap_or("main");
        let Some(files) = self.branches.get(at) else {
            return Err(refusal(404, &format!("No commit found for the ref {at}")));
        };
        let accept = call.header("accept");
        let Some(bytes) = files.get(path) else {
            if files.keys().any(|file| file.starts_with(&format!("{path}/"))) {
                return Ok(reply(200, json!([{"type": "file", "path": "x"}])));
            }
            return Err(refusal(404, "Not Found"));
        };
        if accept == RAW {
            return Ok((StatusCode::OK, [("content-type", RAW)], bytes.clone()).into_response());
        }
        let large = bytes.len() > MB;
        if large && accept != OBJECT {
            let text = "This API returns blobs up to 1 MB in size. The requested blob is too large to fetch via the API";
            return Err(refusal(403, text));
        }
        let lines: Vec<String> = STANDARD
            .encode(bytes)
            .as_bytes()
            .chunks(60)
            .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
            .collect();
        let (encoding, content) = if large {
            ("none", String::new())
        } else {
            ("base64", lines.concat())
        };
        Ok(reply(
            200,
            json!({"type": "file", "encoding": encoding, "size": bytes.len(), "name": path, "path": path,
                "content": content, "sha": hash(bytes), "url": "x", "git_url": "x", "html_url": "x"}),
        ))
    }

    pub(super) fn put_contents(&mut self, call: &Call, path: &str) -> Answer {
        self.only(call, &[], &["message", "content", "branch", "sha"])?;
        self.needs("contents: write")?;
        let (Some(message), Some(content)) = (call.text("message"), call.text("content")) else {
            return Err(refusal(422, "Invalid request."));
        };
        let Ok(bytes) = STANDARD.decode(content) else {
            return Err(refusal(422, "content is not valid Base64"));
        };
        let branch = call.text("branch").unwrap_or_else(|| "main".to_owned());
        let Some(files) = self.branches.get_mut(&branch) else {
            return Err(refusal(404, &format!("Branch {branch} not found")));
        };
        let there = files.get(path).map(|bytes| hash(bytes));
        match (there, call.text("sha")) {
            (Some(_), None) => return Err(refusal(422, "Invalid request.\n\n\"sha\" wasn't supplied.")),
            (there, Some(sha)) if there.as_ref() != Some(&sha) => {
                return Err(refusal(409, &format!("{path} does not match {sha}")));
            }
            _ => {}
        }
        files.insert(path.to_owned(), bytes);
        self.commits.push((branch, message));
        Ok(reply(
            200,
            json!({"content": {"path": path}, "commit": {"sha": "c"}}),
        ))
    }

    pub(super) fn get_ref(&mut self, call: &Call, branch: &str) -> Answer {
        self.only(call, &[], &[])?;
        self.needs("contents: read")?;
        if !self.branches.contains_key(branch) {
            return Err(refusal(404, "Not Found"));
        }
        Ok(reply(
            200,
            json!({"ref": format!("refs/heads/{branch}"), "object": {"type": "commit", "sha": "c"}}),
        ))
    }

    pub(super) fn get_blob(&mut self, call: &Call, sha: &str) -> Answer {
        self.only(call, &[], &[])?;
        self.needs("contents: read")?;
        let mut files = self.branches.values().flat_map(BTreeMap::values);
        match files.find(|bytes| hash(bytes) == sha) {
            Some(bytes) if call.header("accept") == RAW => {
                Ok((StatusCode::OK, bytes.clone()).into_response())
            }
            Some(_) => self.violation("a blob that is not asked for raw".to_owned()),
            None => Err(refusal(404, "Not Found")),
        }
    }

    pub(super) fn make_object(&mut self, call: &Call, kind: &str) -> Answer {
        self.needs("contents: write")?;
        let invalid = || refusal(422, "Invalid request.");
        let object = match kind {
            "blobs" => {
                self.only(call, &[], &["content", "encoding"])?;
                let bytes = STANDARD.decode(call.text("content").ok_or_else(invalid)?);
                Object::Blob(bytes.map_err(|_| invalid())?)
            }
            "trees" => {
                self.only(call, &[], &["tree"])?;
                let entries = call.body["tree"].as_array().ok_or_else(invalid)?;
                let file = |entry: &Value| {
                    let path = entry["path"].as_str()?.to_owned();
                    let right = entry["mode"] == "100644" && entry["type"] == "blob";
                    let bytes = match (entry["content"].as_str(), entry["sha"].as_str()) {
                        (Some(text), None) => text.as_bytes().to_vec(),
                        (None, Some(sha)) => match self.objects.get(sha)? {
                            Object::Blob(bytes) => bytes.clone(),
                            _ => return None,
                        },
                        _ => return None,
                    };
                    right.then_some((path, bytes))
                };
                Object::Tree(
                    entries
                        .iter()
                        .map(file)
                        .collect::<Option<_>>()
                        .ok_or_else(invalid)?,
                )
            }
            _ => {
                self.only(call, &[], &["message", "tree", "parents"])?;
                let tree = self.objects.get(&call.text("tree").unwrap_or_default());
                match (tree, &call.body["parents"], call.text("message")) {
                    (Some(Object::Tree(files)), Value::Array(parents), Some(message))
                        if parents.is_empty() =>
                    {
                        Object::Commit(files.clone(), message)
                    }
                    _ => return Err(invalid()),
                }
            }
        };
        let sha = hash(format!("{object:?}").as_bytes());
        self.objects.insert(sha.clone(), object);
        Ok(reply(201, json!({"sha": sha})))
    }

    pub(super) fn make_ref(&mut self, call: &Call) -> Answer {
        self.only(call, &[], &["ref", "sha"])?;
        self.needs("contents: write")?;
        let name = call.text("ref").unwrap_or_default();
        let Some(branch) = name.strip_prefix("refs/heads/") else {
            return Err(refusal(422, "Reference name must begin with 'refs/heads/'"));
        };
        if self.branches.contains_key(branch) {
            return Err(refusal(422, "Reference already exists"));
        }
        let Some(Object::Commit(files, message)) =
            self.objects.get(&call.text("sha").unwrap_or_default()).cloned()
        else {
            return Err(refusal(422, "Object does not exist"));
        };
        self.branches.insert(branch.to_owned(), files);
        self.commits.push((branch.to_owned(), message));
        Ok(reply(201, json!({"ref": name})))
    }
}
