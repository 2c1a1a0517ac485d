//! Results and verdict → traces, rows, snapshot, job.
//!
//! The scored answers and what the gates decided come in; a [`Record`] of everything that was written goes
//! out, whatever happens on the way. Nothing is written twice: a write whose answer never came readable
//! counts as unknown and holds the launch.

mod dataset;
mod events;
mod leak;
mod plan;
mod record;
mod rows;
mod run;
mod traces;
mod training;
mod write;

pub use dataset::check_dataset;
pub use events::Event;
pub use plan::Answer;
pub use record::{
    Dataset, FailedWrite, Leak, Outcome, PlannedWrite, Record, Step, StepState, TraceRecord, TraceState,
    Traces,
};
pub use run::{Settings, run};
