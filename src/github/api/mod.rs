//! GitHub's REST API, as far as a report needs it: earlier runs and their artifacts, a comment, a file on a branch.
//! A repository and a token come in; every call is bounded in time, size and pages, and nothing of it is needed for a
//! verdict. Shapes: <https://docs.github.com/rest>, API version 2022-11-28.

mod artifacts;
mod baseline;
mod client;
mod comments;
mod contents;
mod names;
mod runs;

pub use baseline::{BaselineQuery, FoundRun, RunKind, Search, find_baseline, find_history};
pub use client::{Api, ApiError, ApiSettings};
pub use comments::{Commented, marker};
