//! The journal of one run: what happened comes in, a line each; after a crash the same facts go out again.
//!
//! `journal.jsonl` in the suite's folder. An answer or a judgement is in the file as soon as it is there. Before a
//! call that writes to the service goes out, the intention is on the disk; so whatever happens, the next run
//! knows what may have been done and asks the service for it before it sends anything again.
//!
//! It holds the answers and judgements in full, as `results.json` does, and may be read by the same people: in a workflow
//! the steps behind a container, which are another user's, bring both to a cache. No secret
//! comes near it: the service stands in it as an origin without credentials.

mod begun;
mod fact;
mod fault;
mod file;
#[cfg(test)]
mod fixtures;
mod history;
mod import;
#[cfg(debug_assertions)]
mod kill;
mod lock;
mod place;
#[cfg(any(test, fuzzing))]
pub(crate) mod promises;
mod read;

pub use begun::{Begun, LISTED_CASES, VERSION};
pub use fact::{Before, Fact, Line, Write};
pub use fault::Fault;
pub use file::Journal;
pub use history::{Doubt, History, Standing, TraceHistory};
pub use import::facts_of;
pub use lock::Lock;
pub use read::{read, skim};
