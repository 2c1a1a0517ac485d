//! What was called, how it was answered and what was wrong with it: calls come in, the numbers that
//! `GET /__emulator/state` shows go out. Kept per start, not in the state file; bounded whatever is called.

use std::collections::{BTreeMap, VecDeque};

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::faults::Fault;
use super::refusal::Note;

/// How many refusals are kept with their text.
const REFUSALS_KEPT: usize = 50;

/// Everything counted since the start.
#[derive(Debug, Default)]
pub(super) struct Counters {
    routes: BTreeMap<String, Route>,
    refusals: VecDeque<(String, u16, String)>,
    /// Calls of a kind within a route, for faults that are placed on one; not shown.
    parts: BTreeMap<String, u64>,
    /// The most traces that were `processing` in a project while a snapshot of it was taken.
    pub(super) max_processing_at_snapshot: usize,
    /// Snapshots that missed corrections still being written.
    pub(super) snapshots_while_processing: u64,
    /// addToDataset on a trace that was added already.
    pub(super) repeated_additions: u64,
}

#[derive(Debug, Default)]
struct Route {
    calls: u64,
    statuses: BTreeMap<u16, u64>,
    faults: BTreeMap<&'static str, u64>,
    malformed: u64,
    other_form: u64,
    keyless: u64,
}

impl Counters {
    /// A call came in; its number on its route (from 0).
    pub(super) fn called(&mut self, route: &str, keyless: bool) -> u64 {
        let entry = self.entry(route);
        entry.keyless += u64::from(keyless);
        entry.calls += 1;
        entry.calls - 1
    }

    /// A call of a kind within its route came in; its number among those (from 1).
    pub(super) fn part(&mut self, part: &str) -> u64 {
        let count = self.parts.entry(part.to_owned()).or_default();
        *count += 1;
        *count
    }

    /// A call met a fault.
    pub(super) fn faulted(&mut self, route: &str, fault: Fault) {
        *self.entry(route).faults.entry(fault.name()).or_default() += 1;
    }

    /// The service itself answered (whatever became of the answer on its way).
    pub(super) fn answered(&mut self, route: &str, status: StatusCode, note: Option<&Note>) {
        let entry = self.entry(route);
        *entry.statuses.entry(status.as_u16()).or_default() += 1;
        let other_form = note.is_some_and(|note| note.other_form);
        if other_form {
            entry.other_form += 1;
        } else if is_malformed(status) {
            entry.malformed += 1;
        }
        if let Some(note) = note {
            if self.refusals.len() == REFUSALS_KEPT {
                self.refusals.pop_front();
            }
            let text = note.error.chars().take(500).collect();
            self.refusals.push_back((route.to_owned(), status.as_u16(), text));
        }
    }

    fn entry(&mut self, route: &str) -> &mut Route {
        if !self.routes.contains_key(route) {
            self.routes.insert(route.to_owned(), Route::default());
        }
        self.routes.entry(route.to_owned()).or_default()
    }

    /// As `GET /__emulator/state` shows them.
    pub(super) fn show(&self) -> Value {
        let sum = |of: fn(&Route) -> u64| self.routes.values().map(of).sum::<u64>();
        let routes: BTreeMap<&str, Value> = self
            .routes
            .iter()
            .map(|(name, route)| (name.as_str(), route.show()))
            .collect();
        let refusals: Vec<Value> = self
            .refusals
            .iter()
            .map(|(route, status, error)| json!({"route": route, "status": status, "error": error}))
            .collect();
        json!({
            "calls": sum(|route| route.calls),
            "malformed": sum(|route| route.malformed),
            "other_form": sum(|route| route.other_form),
            "keyless": sum(|route| route.keyless),
            "faults": sum(|route| route.faults.values().sum()),
            "max_processing_at_snapshot": self.max_processing_at_snapshot,
            "snapshots_while_processing": self.snapshots_while_processing,
            "repeated_additions": self.repeated_additions,
            "routes": routes,
            "refusals": refusals,
        })
    }
}

impl Route {
    fn show(&self) -> Value {
        let statuses: BTreeMap<String, u64> = self
            .statuses
            .iter()
            .map(|(status, count)| (status.to_string(), *count))
            .collect();
        json!({
            "calls": self.calls,
            "statuses": statuses,
            "malformed": self.malformed,
            "other_form": self.other_form,
            "keyless": self.keyless,
            "faults": self.faults,
        })
    }
}

/// Refused for the call's own sake: not for its key, not for there being many, and not for the state a thing happens to
/// be in.
fn is_malformed(status: StatusCode) -> bool {
    status.is_client_error()
        && !matches!(
            status,
            StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::CONFLICT
                | StatusCode::TOO_MANY_REQUESTS
        )
}
