//! A fact comes in, owned or borrowed; the bytes of its line go out.

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::Journal;
use crate::cycle::journal::Fault;
use crate::results::{Sample, Vote};

/// A [`Line`](crate::cycle::journal::Line) to be, of a fact that is another's.
#[derive(Serialize)]
struct Noted<'a, F> {
    at: Timestamp,
    fact: &'a F,
}

/// The large ones among the facts, as somebody else holds them.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Borrowed<'a> {
    Answered {
        case: &'a str,
        sample: &'a Sample,
    },
    Judged {
        case: &'a str,
        sample: u32,
        vote: &'a Vote,
    },
    JudgedBeside {
        key: &'a str,
        vote: &'a Vote,
    },
}

pub(super) fn line_of(fact: &impl Serialize, path: &Path) -> Result<Vec<u8>, Fault> {
    let now = Timestamp::now();
    let line = Noted {
        // Cut, not rounded: what is told of a thing can't be later than the thing.
        at: Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now),
        fact,
    };
    let mut bytes = serde_json::to_vec(&line)
        .map_err(|error| Fault::new(format!("can't write to the journal {}: {error}", path.display())))?;
    bytes.push(b'\n');
    if bytes.len() > Journal::MAX_LINE_BYTES {
        return Err(Fault::new(format!(
            "can't write to the journal {}: the line would have {} bytes, and {} is the most",
            path.display(),
            bytes.len(),
            Journal::MAX_LINE_BYTES
        )));
    }
    Ok(bytes)
}
