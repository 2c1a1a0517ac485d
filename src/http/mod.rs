//! One client for everything that goes over the wire: time-outs, classes of error, repeats, bounds.
//!
//! A call comes in with its name and whether it writes; a typed reply or a [`Failure`] goes out.

mod address;
mod attempt;
mod call;
mod client;
mod failure;
mod lane;
mod limits;
mod message;
mod page;
mod pause;
mod redact;
mod redirect;
mod settings;
mod transport;

pub use call::{Call, Reply, Tally, Writes};
pub use client::{Client, WRITE_GRACE};
pub use failure::{Effect, Failure, FailureKind};
#[cfg(test)]
pub(crate) use lane::End;
pub use lane::{Concurrency, Lane, LaneFigures, Lanes, Traffic, Turn, Urgency};
pub use limits::Limits;
pub use page::{Download, NextPage, Page};
pub use pause::jitter;
#[cfg(any(test, fuzzing))]
pub(crate) use pause::promises as pause_promises;
pub use settings::{
    BACKOFF, BACKOFF_CAP, MAX_ATTEMPTS, MAX_ERROR_BYTES, MAX_REPLY_BYTES, MAX_REPLY_VALUES, RETRY_AFTER_CAP,
    SHAPE_REPEATS, Settings, TIMEOUT, TIMEOUT_ATTEMPTS,
};

/// Scheme, host and port of a base URL that a key may be sent to.
///
/// # Errors
/// Why it is none.
pub fn origin(base_url: &str) -> Result<String, String> {
    Ok(address::Address::parse(base_url)?.origin().to_owned())
}

/// A base URL that a key may be sent to, without a `/` at its end.
///
/// # Errors
/// Why it is none.
pub fn base(base_url: &str) -> Result<String, String> {
    Ok(address::Address::parse(base_url)?.base().to_owned())
}
