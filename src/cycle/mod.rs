//! Results and verdict → traces, rows, snapshot, job.
//!
//! The scored answers and what the gates decided come in; a [`Record`] of everything that was written goes
//! out, whatever happens on the way. Nothing is written twice: before a call that writes goes out its intention is in
//! the journal, and a write whose answer was lost is asked for before anything is sent again.

mod busy;
mod corrections;
mod dataset;
mod events;
mod halt;
pub mod journal;
mod launch;
mod plan;
mod ready;
mod record;
mod rows;
mod run;
mod survey;
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
