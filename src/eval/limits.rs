//! What an evaluation may take at the most.

use std::time::Duration;

use tokio::time::Instant;

/// What is in flight at [`Limits::until`] may still arrive for this long.
pub const GRACE: Duration = Duration::from_secs(5);

/// What an evaluation may take at the most. Reaching a limit ends it in order: nothing is begun that the limit
/// does not hold, what is in flight is waited for, and the rest was not asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// From then on nothing is begun; what is in flight may take [`GRACE`] longer.
    pub until: Option<Instant>,
    /// Requests that the client may have sent when the evaluation ends, those before it included. Each call
    /// counts as one when it is begun; what the client repeats of the calls in flight may exceed it by that.
    pub calls: Option<u64>,
    /// Tokens of this evaluation's chat calls, prompt and completion, as the service counts them.
    pub tokens: Option<u64>,
    /// Of `calls`, what is left over for each answer that has a score: what the cycle sends for it.
    pub calls_per_answer: u64,
    /// Of `calls`, what is left over in any case.
    pub calls_reserved: u64,
}
