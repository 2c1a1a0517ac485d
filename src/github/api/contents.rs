//! A path on a branch in, its bytes out; and a change of them written back, again where somebody else was faster.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{Download, Effect, Failure, FailureKind, Writes};

use super::client::Deed;
use super::{Api, ApiError, names};

/// The file itself in the place of JSON about it.
const RAW: &str = "application/vnd.github.raw+json";
/// JSON about a file of more than 1 MB, without what is in it.
const OBJECT: &str = "application/vnd.github.object+json";
/// JSON about a file holds at most 1 MB of it, in base64.
const ABOUT_LIMIT: usize = 4 * 1024 * 1024;
/// What is written: GitHub takes more, and nothing that is kept by one commit a run should be larger.
const WRITE_LIMIT: usize = 10 * 1000 * 1000;
/// Times that a change is tried.
const ROUNDS: u32 = 6;
/// The longest pause behind the first of them; it doubles.
const PAUSE: Duration = Duration::from_millis(400);

const READ: Deed = Deed {
    call: "read a file of the repository",
    permission: "contents: read",
};
const WRITE: Deed = Deed {
    call: "write a file to the repository",
    permission: "contents: write",
};

/// A file as it is on a branch.
struct Kept {
    /// Of the blob: a write names it, and is refused when it is not that any more.
    sha: String,
    bytes: Vec<u8>,
}

/// What became of one try.
enum Tried {
    Done,
    /// Somebody else was faster, or nobody knows: for a person.
    Again(ApiError),
}

#[derive(Deserialize)]
struct About {
    #[serde(rename = "type")]
    kind: String,
    sha: String,
    size: u64,
    encoding: Option<String>,
    content: Option<String>,
}

#[derive(Deserialize)]
struct Made {
    sha: String,
}

impl Api {
    /// A file at a branch, tag or commit, at most `limit` bytes of it; none where there is no such file.
    ///
    /// # Errors
    /// See [`ApiError`]. A repository that the token may not see has no such file.
    pub async fn file(&self, path: &str, at: &str, limit: usize) -> Result<Option<Vec<u8>>, ApiError> {
        there(&READ, self.contents(&READ, path, at, RAW, limit).await?)
    }

    /// Changes a file on a branch, which is made (without a parent commit) where it is not there. `change` is given the
    /// file's bytes, none where there is no such file, and is asked again where another commit came first. Where it
    /// changes nothing, nothing is written.
    ///
    /// # Errors
    /// See [`ApiError`]. Of a file that is larger than `limit` nothing is changed, and nothing larger than 10 MB is written.
    pub async fn change_file(
        &self,
        branch: &str,
        path: &str,
        message: &str,
        limit: usize,
        change: &(dyn Fn(Option<Vec<u8>>) -> Vec<u8> + Send + Sync),
    ) -> Result<(), ApiError> {
        names::reference(branch).map_err(|why| WRITE.told(why))?;
        let mut pause = PAUSE;
        let mut last = WRITE.told("not tried");
        let mut sent: Option<Vec<u8>> = None;
        for round in 0..ROUNDS {
            if round > 0 {
                self.pause(&WRITE, pause).await?;
                pause *= 2;
            }
            let kept = self.kept(branch, path, limit).await?;
            let (sha, before) = kept.map_or((None, None), |kept| (Some(kept.sha), Some(kept.bytes)));
            if sent.is_some() && before == sent {
                // The answer was lost, not the write.
                return Ok(());
            }
            let after = change(before.clone());
            if before.as_deref() == Some(&after[..]) {
                return Ok(());
            }
            if after.len() > WRITE_LIMIT {
                let (mb, most) = (after.len() / 1_000_000, WRITE_LIMIT / 1_000_000);
                return Err(WRITE.told(format!(
                    "not sent: {path} would have {mb} MB, and {most} MB is the most"
                )));
            }
            let tried = if sha.is_some() || self.has_branch(branch).await? {
                self.put(branch, path, message, sha.as_deref(), &after).await?
            } else {
                self.plant(branch, path, message, &after).await?
            };
            match tried {
                Tried::Done => return Ok(()),
                Tried::Again(why) => last = why,
            }
            sent = Some(after);
        }
        Err(last)
    }

    /// One answer about a file; `Ok(Err(_))`: what GitHub says in its place.
    async fn contents(
        &self,
        deed: &Deed,
        path: &str,
        at: &str,
        accept: &'static str,
        limit: usize,
    ) -> Result<Result<Vec<u8>, Failure>, ApiError> {
        names::reference(at).map_err(|why| deed.told(why))?;
        let below = format!("/contents/{}", names::path(path).map_err(|why| deed.told(why))?);
        let call = self.get(deed, &below, vec![("ref", at.to_owned())]);
        let how = Download {
            accept: Some(accept),
            limit,
            away: false,
            timeout: None,
        };
        Ok(self.http().download(&call, &how).await.map(|reply| reply.value))
    }

    /// The file and the name of its blob.
    async fn kept(&self, branch: &str, path: &str, limit: usize) -> Result<Option<Kept>, ApiError> {
        let json = "application/vnd.github+json";
        let mut reply = self.contents(&WRITE, path, branch, json, ABOUT_LIMIT).await?;
        if let Err(failure) = &reply
            && failure.status == Some(403)
            && failure.message.contains("too large")
        {
            reply = self.contents(&WRITE, path, branch, OBJECT, ABOUT_LIMIT).await?;
        }
        let Some(reply) = there(&WRITE, reply)? else {
            return Ok(None);
        };
        let about: About = serde_json::from_slice(&reply).map_err(|e| {
            WRITE.told(format!(
                "what GitHub says about {path} is not what it says of a file: {e}"
            ))
        })?;
        if about.kind != "file" {
            return Err(WRITE.told(format!("{path} on {branch} is a {}, no file", about.kind)));
        }
        if about.size > limit as u64 {
            return Err(WRITE.told(format!(
                "{path} on {branch} has {} bytes, more than {limit}",
                about.size
            )));
        }
        let bytes = match (about.encoding.as_deref(), about.content) {
            (Some("base64"), Some(content)) if about.size == 0 || !content.is_empty() => {
                let joined: Vec<u8> = content.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
                let decoded = STANDARD.decode(joined);
                decoded.map_err(|e| WRITE.told(format!("{path} on {branch} is not in base64: {e}")))?
            }
            _ => self.blob(&about.sha, limit).await?,
        };
        Ok(Some(Kept {
            sha: about.sha,
            bytes,
        }))
    }

    /// What has a name of its own can't have become something else meanwhile.
    async fn blob(&self, sha: &str, limit: usize) -> Result<Vec<u8>, ApiError> {
        names::commit(sha).map_err(|why| WRITE.told(why))?;
        let call = self.get(&WRITE, &format!("/git/blobs/{sha}"), Vec::new());
        let how = Download {
            accept: Some(RAW),
            limit,
            away: false,
            timeout: None,
        };
        let reply = self.http().download(&call, &how).await;
        reply
            .map(|reply| reply.value)
            .map_err(|failure| WRITE.failed(&failure))
    }

    async fn has_branch(&self, branch: &str) -> Result<bool, ApiError> {
        let below = format!("/git/ref/heads/{}", names::parts(branch));
        let reply = self
            .http()
            .send::<Value>(&self.get(&WRITE, &below, Vec::new()))
            .await;
        Ok(there(&WRITE, reply)?.is_some())
    }

    /// A commit on top of the branch.
    async fn put(
        &self,
        branch: &str,
        path: &str,
        message: &str,
        sha: Option<&str>,
        bytes: &[u8],
    ) -> Result<Tried, ApiError> {
        let below = format!("/contents/{}", names::path(path).map_err(|why| WRITE.told(why))?);
        let mut body = json!({"message": message, "content": STANDARD.encode(bytes), "branch": branch});
        if let Some(sha) = sha {
            body["sha"] = sha.into();
        }
        let call = self.write(&WRITE, Method::PUT, &below, &body, Writes::Yes)?;
        match self.http().send::<Value>(&call).await {
            Ok(_) => Ok(Tried::Done),
            Err(failure) => again(&failure),
        }
    }

    /// The branch's first commit, which has the file alone and no parent.
    async fn plant(&self, branch: &str, path: &str, message: &str, bytes: &[u8]) -> Result<Tried, ApiError> {
        names::path(path).map_err(|why| WRITE.told(why))?;
        let mut entry = json!({"path": path, "mode": "100644", "type": "blob"});
        match std::str::from_utf8(bytes) {
            Ok(text) => entry["content"] = text.into(),
            Err(_) => {
                let blob = json!({"content": STANDARD.encode(bytes), "encoding": "base64"});
                entry["sha"] = self.make("/git/blobs", &blob).await?.into();
            }
        }
        let tree = self.make("/git/trees", &json!({"tree": [entry]})).await?;
        let commit = json!({"message": message, "tree": tree, "parents": []});
        let commit = self.make("/git/commits", &commit).await?;
        let branch = json!({"ref": format!("refs/heads/{branch}"), "sha": commit});
        // Made already, by another run or by an answer that was lost: either way it is there now.
        let call = self.write(&WRITE, Method::POST, "/git/refs", &branch, Writes::Yes)?;
        match self.http().send::<Value>(&call).await {
            Ok(_) => Ok(Tried::Done),
            Err(failure) => again(&failure),
        }
    }

    /// A blob, tree or commit: made twice it is the same, and nothing shows it before a branch does.
    async fn make(&self, below: &str, body: &Value) -> Result<String, ApiError> {
        let call = self.write(&WRITE, Method::POST, below, body, Writes::No)?;
        let made = self.http().send::<Made>(&call).await;
        made.map(|reply| reply.value.sha)
            .map_err(|failure| WRITE.failed(&failure))
    }
}

/// Whether to look again after a write that failed.
fn again(failure: &Failure) -> Result<Tried, ApiError> {
    let why = WRITE.failed(failure);
    let overtaken = matches!(failure.status, Some(409 | 422));
    let unknown = failure.effect() != Effect::NotDone && failure.kind != FailureKind::Cancelled;
    if overtaken || unknown {
        Ok(Tried::Again(why))
    } else {
        Err(why)
    }
}

/// What is there: a 404 is an answer.
fn there<T>(deed: &Deed, reply: Result<T, Failure>) -> Result<Option<T>, ApiError> {
    match reply {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.status == Some(404) => Ok(None),
        Err(failure) => Err(deed.failed(&failure)),
    }
}
