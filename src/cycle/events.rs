//! What happens during a cycle, for whoever shows it.

use std::time::Duration;

use super::record::{Step, TraceState};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step began.
    Began {
        /// The step's name.
        step: &'static str,
        /// How many things it is about, where it counts.
        total: Option<usize>,
    },
    /// One of the things that a step is about got on.
    Advanced {
        /// The step's name.
        step: &'static str,
        /// Where the trace stands now.
        state: TraceState,
    },
    /// The service is working and is looked at again later.
    Waiting {
        /// The step's name.
        step: &'static str,
        /// How many things are waited for.
        left: usize,
        /// How long it has been.
        waited: Duration,
    },
    /// A step ended.
    Ended(Step),
}
