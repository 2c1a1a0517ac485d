//! Everything that crosses a process or a socket, and the rules of the house: a file a feature.
//!
//! `cfg(test)` tells clippy that the functions beside the tests are test code as well.

#[cfg(test)]
mod action;
#[cfg(test)]
mod baseline;
#[cfg(test)]
mod cache;
#[cfg(test)]
mod check;
#[cfg(test)]
mod command;
#[cfg(test)]
mod cycle;
#[cfg(test)]
mod diff;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod emulator;
#[cfg(test)]
mod eval;
#[cfg(test)]
mod github;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod history;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod house;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod prompts;
#[cfg(test)]
mod pull_request;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod report;
#[cfg(test)]
mod runner;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod shards;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod wire;
