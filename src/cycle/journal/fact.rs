//! The lines of the journal, as plain data.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Begun;
use crate::cycle::record::TraceState;
use crate::results::{Sample, Vote};

/// One line: what happened, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// When it happened, by this machine's clock, UTC.
    pub at: Timestamp,
    /// What happened.
    pub fact: Fact,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// The first line: a run began.
    Begun(Box<Begun>),
    /// Another process took the run up again.
    Resumed {
        /// The version of the program.
        tool: String,
    },
    /// An answer came, usable or not; its checks are made. Without votes. Never one whose call failed.
    Answered {
        /// The case's id.
        case: String,
        /// The answer.
        sample: Box<Sample>,
    },
    /// A judgement came, usable or not. Never one whose call failed.
    Judged {
        /// The case's id.
        case: String,
        /// The sample's index.
        sample: u32,
        /// The judgement.
        vote: Vote,
    },
    /// A judgement of an anchor, or of an earlier run's answer, came, usable or not. Never one whose call failed.
    JudgedBeside {
        /// What was judged, by its content: `anchor:` or `earlier:` and a hash, so that another baseline, or an anchor
        /// that was changed, is not given it.
        key: String,
        /// The judgement.
        vote: Vote,
    },
    /// The evaluation went through.
    Evaluated,
    /// What stood at the service before the run's first write.
    Before(Before),
    /// The service had the answer before this run wrote it.
    Known {
        /// The case's id.
        case: String,
        /// The sample's index.
        sample: u32,
        /// The trace that holds it.
        trace: String,
        /// Whether that trace is a row, or is being made one; if not, this run adds it.
        row: bool,
    },
    /// A write is about to be sent. On disk before it is.
    Sending {
        /// The write.
        write: Write,
    },
    /// The write was done.
    Done {
        /// The write.
        write: Write,
        /// The id of what it made; of a row whether it is one already (`row`) or is corrected first (`queued`).
        made: String,
    },
    /// The write was surely not done: the service said so, or was asked and does not have it.
    NotDone {
        /// The write.
        write: Write,
        /// Why.
        cause: String,
    },
    /// The write was sent, and it is not known whether it was done.
    InDoubt {
        /// The write.
        write: Write,
        /// What came back.
        cause: String,
        /// What came back speaks of a service that may be at it yet (a time-out, 504).
        late: bool,
    },
    /// Where a trace stands since.
    Stands {
        /// The case's id.
        case: String,
        /// The sample's index.
        sample: u32,
        /// Where.
        state: TraceState,
    },
    /// The run is through: a later one begins anew.
    Ended {
        /// How, in a word of `result` or of the cycle's outcome.
        outcome: String,
    },
}

/// A call that writes, by what makes it the one it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// The trace of an answer.
    Trace {
        /// The case's id.
        case: String,
        /// The sample's index.
        sample: u32,
    },
    /// That trace added to the dataset.
    Row {
        /// The case's id.
        case: String,
        /// The sample's index.
        sample: u32,
    },
    /// The snapshot.
    Snapshot {
        /// The ids of the dataset's snapshots just before.
        before: Vec<String>,
    },
    /// The request for recommendations.
    Recommendations {
        /// The snapshot's id.
        snapshot: String,
    },
    /// The fine-tuning job.
    Job {
        /// The snapshot's id.
        snapshot: String,
        /// Its name.
        name: String,
    },
}

/// What stood at the service before the run's first write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// The ids of the dataset's snapshots.
    pub snapshots: Vec<String>,
    /// The ids of traces that hold an answer's words and are another model's.
    pub traces: Vec<String>,
    /// The ids on the newest page of the project's traces, where the list comes newest first: what this run wrote
    /// stands before them.
    #[serde(default)]
    pub newest: Vec<String>,
}
