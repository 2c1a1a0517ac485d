//! A pull request and a text in, one comment out: found again by its marker and edited in place.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::{Effect, FailureKind, NextPage, Writes};

use super::client::Deed;
use super::{Api, ApiError, names};

/// Characters of a comment, as GitHub counts them.
const LONGEST: usize = 65_536;
/// Pages of comments; a conversation is locked long before.
const PAGES: usize = 100;
/// A comment that may or may not have been made is looked for and made again so many times.
const SENDS: u32 = 3;
/// Before it is looked for: what was sent may yet arrive.
const SETTLING: Duration = Duration::from_secs(3);
/// Who may have commented without having anything to do with the repository.
const STRANGERS: [&str; 5] = [
    "NONE",
    "FIRST_TIMER",
    "FIRST_TIME_CONTRIBUTOR",
    "CONTRIBUTOR",
    "MANNEQUIN",
];

const COMMENT: Deed = Deed {
    call: "comment on the pull request",
    permission: "pull-requests: write",
};
const OPEN: Deed = Deed {
    call: "find the commit's pull requests",
    permission: "pull-requests: read",
};

/// What became of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commented {
    /// There was none.
    Created,
    /// The one that was there has the new text.
    Edited,
    /// The one that was there had this text already.
    Unchanged,
}

/// The hidden first line of a suite's comment.
pub fn marker(suite: &str) -> String {
    format!("<!-- tunegate: {suite} -->\n")
}

#[derive(Deserialize)]
struct Comment {
    id: u64,
    body: Option<String>,
    author_association: Option<String>,
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Comment {
    /// Whether it is the suite's own. Anybody can write a marker: of those who may, one may have it by a token of theirs.
    fn is_own(&self, marker: &str) -> bool {
        let bot = self
            .user
            .as_ref()
            .is_some_and(|user| user.kind.as_deref() == Some("Bot"));
        let stranger = self
            .author_association
            .as_deref()
            .is_some_and(|a| STRANGERS.contains(&a));
        let first = self.body.as_deref().and_then(|body| body.lines().next());
        (bot || !stranger) && first.map(str::trim_end) == Some(marker.trim_end())
    }

    fn says(&self, text: &str) -> bool {
        let kept = self.body.as_deref().unwrap_or_default().replace("\r\n", "\n");
        kept.trim_end() == text.trim_end()
    }
}

impl Api {
    /// Puts the text, which begins with [`marker`], into the suite's comment on a pull request or issue. Where several
    /// have the marker, into the oldest.
    ///
    /// # Errors
    /// See [`ApiError`]. Nothing is sent where the text is longer than GitHub takes.
    pub async fn comment(&self, number: u64, marker: &str, text: &str) -> Result<Commented, ApiError> {
        if !text.starts_with(marker) || marker.trim().is_empty() {
            return Err(COMMENT.told("not sent: the text does not begin with the marker that finds it again"));
        }
        let long = text.chars().count();
        if long > LONGEST {
            return Err(COMMENT.told(format!(
                "not sent: {long} characters, of which GitHub takes {LONGEST}"
            )));
        }
        let (mut sent, mut gone) = (0, 0);
        loop {
            if let Some(own) = self.own_comment(number, marker).await? {
                if own.says(text) {
                    return Ok(if sent == 0 {
                        Commented::Unchanged
                    } else {
                        Commented::Created
                    });
                }
                if self.edit(own.id, text).await? {
                    return Ok(Commented::Edited);
                }
                gone += 1;
                if gone == SENDS {
                    return Err(COMMENT.told("the comment is listed, and gone when it is edited"));
                }
                continue;
            }
            let below = format!("/issues/{number}/comments");
            let call = self.write(
                &COMMENT,
                Method::POST,
                &below,
                &json!({"body": text}),
                Writes::Yes,
            )?;
            sent += 1;
            let failure = match self.http().send::<Value>(&call).await {
                Ok(_) => return Ok(Commented::Created),
                Err(failure) => failure,
            };
            // Whether it is there is what the next round sees.
            if failure.effect() == Effect::NotDone || failure.kind == FailureKind::Cancelled || sent == SENDS
            {
                return Err(COMMENT.failed(&failure));
            }
            self.pause(&COMMENT, SETTLING).await?;
        }
    }

    /// The oldest comment with the marker; GitHub lists the oldest first.
    async fn own_comment(&self, number: u64, marker: &str) -> Result<Option<Comment>, ApiError> {
        let below = format!("/issues/{number}/comments");
        let call = self.get(&COMMENT, &below, vec![("per_page", "100".to_owned())]);
        let mut next: Option<NextPage> = None;
        for _ in 0..PAGES {
            let page = self.http().page::<Vec<Comment>>(&call, next.as_ref()).await;
            let page = page.map_err(|failure| COMMENT.failed(&failure))?.value;
            let own = page.value.into_iter().filter(|comment| comment.is_own(marker));
            if let Some(oldest) = own.min_by_key(|comment| comment.id) {
                return Ok(Some(oldest));
            }
            next = page.next;
            if next.is_none() {
                return Ok(None);
            }
        }
        Err(COMMENT.told(format!("no comment of ours on {PAGES} pages, and there are more")))
    }

    /// False: it is not there any more.
    async fn edit(&self, id: u64, text: &str) -> Result<bool, ApiError> {
        let below = format!("/issues/comments/{id}");
        // The same text twice is the same comment.
        let call = self.write(
            &COMMENT,
            Method::PATCH,
            &below,
            &json!({"body": text}),
            Writes::No,
        )?;
        match self.http().send::<Value>(&call).await {
            Ok(_) => Ok(true),
            Err(failure) if matches!(failure.status, Some(404 | 410)) => Ok(false),
            Err(failure) => Err(COMMENT.failed(&failure)),
        }
    }

    /// The open pull requests of this repository whose head is the commit.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn pull_requests_of(&self, commit: &str) -> Result<Vec<u64>, ApiError> {
        #[derive(Deserialize)]
        struct Pull {
            number: u64,
            state: Option<String>,
            head: Option<Side>,
            base: Option<Side>,
        }
        #[derive(Deserialize)]
        struct Side {
            sha: Option<String>,
            repo: Option<Repository>,
        }
        #[derive(Deserialize)]
        struct Repository {
            full_name: String,
        }
        names::commit(commit).map_err(|why| OPEN.told(why))?;
        let below = format!("/commits/{commit}/pulls");
        let call = self.get(&OPEN, &below, vec![("per_page", "100".to_owned())]);
        // One page: a commit heads one pull request, or a few.
        let reply = self.http().send::<Vec<Pull>>(&call).await;
        let pulls = reply.map_err(|failure| OPEN.failed(&failure))?.value;
        let heads = |pull: &Pull| {
            let sha = pull.head.as_ref().and_then(|head| head.sha.as_deref());
            let into = pull.base.as_ref().and_then(|base| base.repo.as_ref());
            pull.state.as_deref() == Some("open")
                && sha.is_some_and(|sha| sha.eq_ignore_ascii_case(commit))
                && into.is_none_or(|repository| self.is_own(&repository.full_name))
        };
        let mut numbers: Vec<u64> = pulls
            .iter()
            .filter(|pull| heads(pull))
            .map(|pull| pull.number)
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }
}
