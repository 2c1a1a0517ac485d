//! A rejected chat call comes in; that its model or project is not there, and what is, goes out.
//!
//! The lists alone say nothing: an alias works without being in one. The rejection alone says little: a
//! single case may be refused for what it says. Both together mean that every other call fails as well.

use super::excerpt::excerpt;
use super::service::Service;
use crate::results::{StopKind, Stopped};
use crate::studio::{Failure, FailureKind, Purpose};

/// Names that a message lists.
const MAX_LISTED: usize = 20;

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Whether the model answers or judges.
    pub(super) purpose: Purpose,
    /// The model that the call named.
    pub(super) model: &'a str,
    /// The project that the call named.
    pub(super) project: &'a str,
}

/// Whether a rejection may be about the model or the project rather than about one case: a 404, or a 400
/// or 422 that says so.
pub(super) fn may_be_missing(failure: &Failure) -> bool {
    const WORDS: [&str; 10] = [
        "not found",
        "not exist",
        "n't exist",
        "unknown",
        "no such",
        "invalid model",
        "invalid project",
        "not available",
        "unavailable",
        "not supported",
    ];
    if failure.kind != FailureKind::Rejected {
        return false;
    }
    match failure.status {
        Some(404) => true,
        Some(400 | 422) => {
            let message = failure.message.to_lowercase();
            (message.contains("model") || message.contains("project"))
                && WORDS.iter().any(|word| message.contains(word))
        }
        _ => false,
    }
}

/// Why the run can't go on, where the lists confirm what the rejection says. A list that can't be read
/// confirms nothing.
pub(super) async fn explain<S: Service>(
    asked: &Asked<'_>,
    failure: &Failure,
    service: &S,
) -> Option<Stopped> {
    let message = failure.message.to_lowercase();
    let (about_model, about_project) = (message.contains("model"), message.contains("project"));
    // The project first: its list has no aliases to be missed.
    if (about_project || !about_model)
        && let Ok(there) = service.projects().await
        && !there
            .iter()
            .any(|(id, name)| id == asked.project || name == asked.project)
    {
        return Some(missing_project(asked, failure, &there));
    }
    if (about_model || !about_project)
        && let Ok(there) = service.models().await
        && !there.iter().any(|id| id == asked.model)
    {
        return Some(missing_model(asked, failure, &there));
    }
    None
}

fn missing_model(asked: &Asked<'_>, failure: &Failure, there: &[String]) -> Stopped {
    let (what, set) = match asked.purpose {
        Purpose::Answer => ("model", "set `model` in the suite or TUNEGATE_MODEL"),
        Purpose::Judge => ("judge model", "set `judge.model` in the suite"),
    };
    let listed = listed(there.iter().map(String::as_str));
    let nearest = nearest(asked.model, there.iter().map(String::as_str));
    unavailable(
        what,
        asked.model,
        failure,
        &format!("{nearest}this key sees {listed}: {set}"),
    )
}

fn missing_project(asked: &Asked<'_>, failure: &Failure, there: &[(String, String)]) -> Stopped {
    let named: Vec<String> = there.iter().map(|(id, name)| format!("{id} ({name})")).collect();
    let listed = listed(named.iter().map(String::as_str));
    let nearest = nearest(asked.project, there.iter().map(|(id, _)| id.as_str()));
    let set = "set `project` in the suite or TUNEGATE_PROJECT";
    unavailable(
        "project",
        asked.project,
        failure,
        &format!("{nearest}this key sees {listed}: {set}"),
    )
}

fn unavailable(what: &str, name: &str, failure: &Failure, rest: &str) -> Stopped {
    Stopped {
        kind: StopKind::Unavailable,
        message: format!(
            "{what} `{}` is not there ({}); {rest}",
            plain(name),
            excerpt(&failure.to_string(), 300)
        ),
    }
}

fn listed<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    let count = names.len();
    let shown: Vec<String> = names.take(MAX_LISTED).map(plain).collect();
    match count.saturating_sub(MAX_LISTED) {
        _ if count == 0 => "none".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> String {
    names
        .take(1_000)
        .filter(|other| other.len() < 200)
        .map(|other| {
            (
                strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase()),
                other,
            )
        })
        .filter(|(alike, _)| *alike >= 0.85)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, other)| format!("did you mean `{}`? ", plain(other)))
        .unwrap_or_default()
}

/// A name on one line, not endless.
fn plain(name: &str) -> String {
    excerpt(&name.replace(char::is_control, " "), 100)
}

#[cfg(test)]
mod tests;
