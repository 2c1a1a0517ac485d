//! What GitHub asks of every request, and where each goes.

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{Asked, GitHub, REPOSITORY, TOKEN};

pub(super) const JSON: &str = "application/vnd.github+json";
pub(super) const RAW: &str = "application/vnd.github.raw+json";
pub(super) const OBJECT: &str = "application/vnd.github.object+json";

/// A request, read to its end.
pub(super) struct Call {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) raw_query: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

pub(super) async fn read(request: Request) -> Call {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, 64 * 1024 * 1024).await.expect("a body");
    let url = reqwest::Url::parse(&format!("http://hub{}", parts.uri)).expect("a target");
    Call {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        raw_query: parts.uri.query().unwrap_or_default().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers: parts.headers,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    }
}

/// A reply, whether it is one or says why not.
pub(super) type Answer = Result<Response, Response>;

pub(super) fn reply(status: u16, body: Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

/// As GitHub words it.
pub(super) fn refusal(status: u16, message: &str) -> Response {
    let status_text = status.to_string();
    reply(
        status,
        json!({"message": message, "documentation_url": "https://docs.github.com/rest", "status": status_text}),
    )
}

/// One part of a path, as it reads.
pub(super) fn decoded(part: &str) -> String {
    let url = reqwest::Url::parse(&format!("http://hub/?x={}", part.replace('+', "%2B"))).unwrap();
    url.query_pairs().next().unwrap().1.into_owned()
}

impl Call {
    pub(super) fn asked(&self, prefix: &str) -> Asked {
        Asked {
            method: self.method.clone(),
            path: self.path.strip_prefix(prefix).unwrap_or(&self.path).to_owned(),
            query: self.raw_query.clone(),
            body: self.body.clone(),
            away: false,
        }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// A text of the body.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.body.get(name)?.as_str().map(str::to_owned)
    }
}

impl GitHub {
    pub(super) fn answer(&mut self, call: &Call) -> Answer {
        if call.header("authorization") != format!("Bearer {TOKEN}") {
            return Err(refusal(401, "Bad credentials"));
        }
        let Some(below) = call.path.strip_prefix(self.prefix.as_str()) else {
            return self.violation(format!("{} is not below {}", call.path, self.prefix));
        };
        self.held_to_the_rules(call)?;
        if let Some(old) = &self.renamed_from
            && let Some(rest) = below.strip_prefix(&format!("/repos/{old}"))
        {
            let query = if call.raw_query.is_empty() {
                String::new()
            } else {
                format!("?{}", call.raw_query)
            };
            let to = format!("{}{}/repositories/1{rest}{query}", self.url, self.prefix);
            return Ok((StatusCode::MOVED_PERMANENTLY, [("location", to)]).into_response());
        }
        let own = format!("/repos/{REPOSITORY}");
        let rest = below
            .strip_prefix(&own)
            .or_else(|| below.strip_prefix("/repositories/1"));
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix('/')) else {
            return Err(refusal(404, "Not Found"));
        };
        let parts: Vec<String> = rest.split('/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match (call.method.as_str(), &parts[..]) {
            ("GET", ["actions", "workflows", file, "runs"]) => self.list_runs(call, file),
            ("GET", ["actions", "runs", id, "artifacts"]) => self.list_artifacts(call, id),
            ("GET", ["actions", "artifacts", id, "zip"]) => self.artifact_zip(call, id),
            ("GET", ["compare", pair]) => self.compare(call, pair),
            ("GET", ["issues", number, "comments"]) => self.list_comments(call, number),
            ("POST", ["issues", number, "comments"]) => self.create_comment(call, number),
            ("PATCH", ["issues", "comments", id]) => self.edit_comment(call, id),
            ("GET", ["commits", sha, "pulls"]) => self.list_pulls(call, sha),
            ("GET", ["contents", path @ ..]) => self.get_contents(call, &path.join("/")),
            ("PUT", ["contents", path @ ..]) => self.put_contents(call, &path.join("/")),
            ("GET", ["git", "ref", "heads", branch @ ..]) => self.get_ref(call, &branch.join("/")),
            ("GET", ["git", "blobs", sha]) => self.get_blob(call, sha),
            ("POST", ["git", kind @ ("blobs" | "trees" | "commits")]) => self.make_object(call, kind),
            ("POST", ["git", "refs"]) => self.make_ref(call),
            _ => self.violation(format!("{} {} is no call that is known", call.method, call.path)),
        }
    }

    fn held_to_the_rules(&mut self, call: &Call) -> Result<(), Response> {
        let file = call.path.contains("/contents/") || call.path.contains("/git/blobs/");
        let accept = call.header("accept");
        let mut wrong = Vec::new();
        if !call.header("user-agent").starts_with("tunegate/") {
            wrong.push("no user agent that says who asks".to_owned());
        }
        if call.header("x-github-api-version") != "2022-11-28" {
            wrong.push(format!("API version {:?}", call.header("x-github-api-version")));
        }
        if accept != JSON && !(file && call.method == "GET" && [RAW, OBJECT].contains(&accept)) {
            wrong.push(format!("accepts {accept:?}"));
        }
        if !call.header("cookie").is_empty() {
            wrong.push("a cookie".to_owned());
        }
        let with_body = call.method != "GET";
        if with_body != call.body.is_object()
            || (with_body && call.header("content-type") != "application/json")
        {
            wrong.push(format!("a {} with the body {}", call.method, call.body));
        }
        if wrong.is_empty() {
            return Ok(());
        }
        self.violation(format!("{} {}: {}", call.method, call.path, wrong.join(", ")))
            .map(|_| ())
    }

    pub(super) fn violation(&mut self, what: String) -> Answer {
        let answer = refusal(400, &what);
        self.violations.push(what);
        Err(answer)
    }

    /// The permission that a call needs.
    pub(super) fn needs(&self, permission: &str) -> Result<(), Response> {
        if self.denied.contains(&permission) {
            return Err(refusal(403, "Resource not accessible by integration"));
        }
        Ok(())
    }

    /// That there is nothing in the query or the body beyond these names.
    pub(super) fn only(&mut self, call: &Call, query: &[&str], body: &[&str]) -> Result<(), Response> {
        let unknown: Vec<String> = call
            .query
            .iter()
            .map(|(name, _)| name.clone())
            .filter(|name| !query.contains(&name.as_str()))
            .chain(
                call.body
                    .as_object()
                    .into_iter()
                    .flat_map(|fields| fields.keys().cloned())
                    .filter(|name| !body.contains(&name.as_str())),
            )
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        self.violation(format!("{} {}: unknown {unknown:?}", call.method, call.path))
            .map(|_| ())
    }

    /// A page of a list, a hundred at a time, with the `Link` to the next.
    pub(super) fn paged(
        &mut self,
        call: &Call,
        items: Vec<Value>,
        around: &dyn Fn(Vec<Value>) -> Value,
    ) -> Answer {
        if call.get("per_page") != Some("100") {
            return self.violation(format!(
                "{} asks for {:?} a page",
                call.path,
                call.get("per_page")
            ));
        }
        let page: usize = call.get("page").map_or(1, |page| page.parse().unwrap());
        let from = (page - 1) * 100;
        let more = items.len() > from + 100;
        let mut answer = reply(200, around(items.into_iter().skip(from).take(100).collect()));
        if more {
            let kept: Vec<String> = call
                .raw_query
                .split('&')
                .filter(|pair| !pair.starts_with("page="))
                .map(str::to_owned)
                .collect();
            let below = call
                .path
                .replace(&format!("/repos/{REPOSITORY}"), "/repositories/1");
            let host = self.link_to.clone().unwrap_or_else(|| self.url.clone());
            let url = format!("{host}{below}?{}&page=", kept.join("&"));
            let link = format!(
                r#"<{url}1>; rel="first", <{url}{}>; rel="next", <{url}9>; rel="last""#,
                page + 1
            );
            answer.headers_mut().insert("link", link.parse().unwrap());
        }
        Ok(answer)
    }
}
