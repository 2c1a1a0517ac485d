//! A fault in a suite: what is wrong, where, and what to write instead.

use serde::Serialize;

use super::Place;

/// One fault. A suite with any error is refused before the first network call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Whether the suite is refused for it.
    pub severity: Severity,
    /// What is wrong, for a person: lower case, no full stop.
    pub message: String,
    /// Where it begins; a fault of a whole file stands at 1:1.
    pub place: Place,
    /// How many characters the caret underlines, at least 1.
    pub length: u32,
    /// What to do instead, where something helpful can be said.
    pub help: Option<String>,
}

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The suite is refused.
    Error,
    /// The suite runs; something in it looks unintended.
    Warning,
}
