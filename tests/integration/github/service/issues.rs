//! Comments and pull requests.

use serde_json::{Value, json};

use super::rules::{Answer, Call, refusal, reply};
use super::{GitHub, REPOSITORY};

/// A comment on an issue or pull request.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) id: u64,
    pub(crate) body: String,
    /// `Bot` or `User`.
    pub(crate) kind: &'static str,
    pub(crate) association: &'static str,
}

impl Comment {
    fn json(&self) -> Value {
        json!({"id": self.id, "body": self.body, "author_association": self.association,
            "user": {"login": "somebody", "id": 7, "type": self.kind}, "created_at": "2026-11-01T00:00:00Z",
            "performed_via_github_app": null})
    }
}

impl GitHub {
    /// A comment of somebody: with their association, or the workflow's own (`Bot`).
    pub(crate) fn with_comment(mut self, number: u64, association: &'static str, body: &str) -> GitHub {
        let id = self.new_id();
        let comment = Comment {
            id,
            body: body.to_owned(),
            kind: if association == "Bot" { "Bot" } else { "User" },
            association: if association == "Bot" { "NONE" } else { association },
        };
        self.comments.entry(number).or_default().push(comment);
        self
    }

    pub(super) fn list_comments(&mut self, call: &Call, number: &str) -> Answer {
        self.only(call, &["per_page", "page"], &[])?;
        self.needs("pull-requests: read")?;
        let number: u64 = number.parse().unwrap();
        let items = self
            .comments
            .get(&number)
            .into_iter()
            .flatten()
            .map(Comment::json)
            .collect();
        self.paged(call, items, &Value::Array)
    }

    pub(super) fn create_comment(&mut self, call: &Call, number: &str) -> Answer {
        self.only(call, &[], &["body"])?;
        self.needs("pull-requests: write")?;
        let Some(body) = call.text("body").filter(|body| body.chars().count() <= 65_536) else {
            return Err(refusal(
                422,
                "Validation Failed: body is too long (maximum is 65536 characters)",
            ));
        };
        let comment = Comment {
            id: self.new_id(),
            body,
            kind: "Bot",
            association: "NONE",
        };
        let shown = comment.json();
        self.comments
            .entry(number.parse().unwrap())
            .or_default()
            .push(comment);
        Ok(reply(201, shown))
    }

    pub(super) fn edit_comment(&mut self, call: &Call, id: &str) -> Answer {
        self.only(call, &[], &["body"])?;
        self.needs("pull-requests: write")?;
        let id: u64 = id.parse().unwrap();
        let Some(comment) = self
            .comments
            .values_mut()
            .flatten()
            .find(|comment| comment.id == id)
        else {
            return Err(refusal(404, "Not Found"));
        };
        comment.body = call.text("body").unwrap_or_default();
        Ok(reply(200, comment.json()))
    }

    pub(super) fn list_pulls(&mut self, call: &Call, sha: &str) -> Answer {
        self.only(call, &["per_page", "page"], &[])?;
        self.needs("pull-requests: read")?;
        // GitHub lists whatever pull requests the commit is in, closed ones too.
        let side = |sha: &str| json!({"ref": "x", "sha": sha, "repo": {"full_name": REPOSITORY}});
        let pull = |number: &u64, state: &str, head: &str| json!({"number": number, "state": state, "head": side(head), "base": side("b")});
        let mut items = vec![pull(&1, "closed", sha), pull(&2, "open", "0123456789")];
        items.extend(
            self.pulls
                .iter()
                .filter(|(_, head)| *head == sha)
                .map(|(number, head)| pull(number, "open", head)),
        );
        self.paged(call, items, &Value::Array)
    }
}
