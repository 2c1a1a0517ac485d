//! The exit codes, and which one a run of several suites ends with.

use std::process::ExitCode;

/// How a command ends. The order is the one of urgency: of several suites the last one here wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// 0: done — launched, or held as the suite says.
    Done,
    /// 11: it can't be said whether the gates pass.
    Inconclusive,
    /// 10: a gate failed.
    GateFailed,
    /// 4: the service or the network.
    Service,
    /// 3: the suite.
    Suite,
    /// 2: usage.
    Usage,
    /// 130: interrupted.
    Interrupted,
}

impl Exit {
    /// The code that the process ends with.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Usage => 2,
            Exit::Suite => 3,
            Exit::Service => 4,
            Exit::GateFailed => 10,
            Exit::Inconclusive => 11,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// An error whose cause is in the user's hands: a wrong option, an unreadable file, a suite at fault.
/// Everything else that reaches the top is a bug and ends with 1.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

/// What was asked for can't be done as it was asked for.
pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    Refusal {
        exit: Exit::Usage,
        message: message.into(),
    }
    .into()
}

/// A service did not give what nothing can be decided without.
pub(crate) fn service(message: impl Into<String>) -> anyhow::Error {
    Refusal {
        exit: Exit::Service,
        message: message.into(),
    }
    .into()
}

/// The suites are at fault; their diagnostics were shown already, or stand in the message.
pub(crate) fn suite(message: impl Into<String>) -> anyhow::Error {
    Refusal {
        exit: Exit::Suite,
        message: message.into(),
    }
    .into()
}
