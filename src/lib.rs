//! Evaluates a fine-tuned model on Prem Studio, gates it, and launches the next fine-tuning job when the gates allow it.
//!
//! Every module here is a room: something comes in, something goes out, and `docs/architecture.md` says which room may
//! use which others (a test holds the sources to it). Data flows one way, and the rooms stand in its order:
//!
//! - [`suite`]: YAML text becomes a validated [`suite::Suite`], or every fault with its place.
//! - [`eval`]: a suite becomes answers and judgements, recorded as [`results`].
//! - [`shards`]: a suite becomes parts for several processes, and their results become one. Pure.
//! - [`score`]: results become figures. Pure.
//! - [`gate`]: the suite's requirements and the figures become a verdict. Pure.
//! - [`cycle`]: results and verdict become traces, dataset rows, a snapshot and a fine-tuning job.
//! - [`history`]: a run's record becomes one line of its suite's history. Pure.
//! - [`report`]: all of that becomes texts for people and scripts.
//!
//! At the edges: [`http`] is the one client that everything on the wire goes through and [`studio`] speaks Prem Studio's
//! API over it; [`github`] knows the Actions runner; [`emulator`] is a Prem Studio on loopback that shares no code with the
//! client; [`cli`] reads arguments and environment, wires the rooms, and is the only one that prints.

pub mod cli;
pub mod cycle;
pub mod emulator;
pub mod eval;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod gate;
pub mod github;
pub mod history;
pub mod http;
pub mod report;
pub mod results;
pub mod score;
pub mod shards;
pub mod studio;
pub mod suite;
