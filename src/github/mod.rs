//! GitHub's runner: its files, its commands on standard output, and the event that started the run. Text
//! comes in, checked or escaped text goes out; only [`Runner`] writes, and only to the files it was
//! given. Nothing here reads the environment.

mod api;
mod command;
mod event;
mod files;
#[cfg(any(test, fuzzing))]
pub(crate) mod promises;

pub use api::{
    Api, ApiError, ApiSettings, BaselineQuery, Commented, FoundRun, RunKind, Search, find_baseline,
    find_history, marker,
};
pub use command::{
    ANNOTATIONS_A_KIND, Annotation, AnnotationKind, Annotations, add_mask, fenced, group, group_end,
    inert_line,
};
pub use event::{Event, EventError, MAX_EVENT_BYTES, PullRequest};
pub use files::{Appended, FileError, OUTPUT_LIMIT_BYTES, Runner, SUMMARY_LIMIT_BYTES};
