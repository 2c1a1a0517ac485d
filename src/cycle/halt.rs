//! What ends the cycle before its last step, and in which word.

use super::journal::Fault;
use super::record::Outcome;
use crate::studio::{Failure, FailureKind};

/// Why the cycle ends before its last step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Halt {
    pub(super) outcome: Outcome,
    pub(super) reason: String,
}

impl Halt {
    pub(super) fn stopped(reason: impl Into<String>) -> Self {
        Halt {
            outcome: Outcome::Stopped,
            reason: reason.into(),
        }
    }

    /// Ends the cycle where going on makes no sense: the key is refused, or the run was cancelled.
    pub(super) fn of(failure: &Failure) -> Option<Self> {
        match failure.kind {
            FailureKind::Unauthorized => Some(Halt::stopped(format!(
                "the service refuses the key ({failure}): set PREMAI_API_KEY to a key that may write to this project"
            ))),
            FailureKind::Cancelled => Some(Halt::interrupted()),
            _ => None,
        }
    }

    /// The run was told to end.
    pub(super) fn interrupted() -> Self {
        Halt::stopped("interrupted")
    }

    pub(super) fn held(reason: impl Into<String>) -> Self {
        Halt {
            outcome: Outcome::Held,
            reason: reason.into(),
        }
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Halt::stopped(failure.to_string())
    }
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Halt::stopped(format!(
            "{fault}; nothing is written to the service that the journal does not have"
        ))
    }
}
