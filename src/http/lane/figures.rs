//! What the lanes have seen and learned goes out, for a log and a report.

use std::time::Duration;

/// What a lane came to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LaneFigures {
    /// Calls at once that it allows; none where the number was given.
    pub limit: Option<usize>,
    /// The most that it allowed.
    pub highest: Option<usize>,
    /// The most that were on their way at once; 0 where none ever was.
    pub most_at_once: usize,
    /// Attempts that were refused for too much traffic.
    pub refused: u64,
    /// For how long in all nothing went out, because refusals asked for it or had come.
    pub closed: Duration,
    /// The pace of all models together, where refusals taught one.
    pub calls_a_second: Option<f64>,
}
