//! A run's results, figures, verdict and cycle come in, one line of the suite's history goes out; lines come in, the
//! trend and the flaky cases go out. Pure: where the lines are kept is decided elsewhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cycle;
use crate::gate::Decision;

mod entry;
mod flaky;
mod lines;
mod read;
#[cfg(test)]
mod tests;
mod trend;

pub use entry::entry;
pub use flaky::flaky;
pub use lines::{append, write};
pub use read::read;
pub use trend::Trend;

/// The version of the lines that this build writes and reads.
pub const VERSION: u32 = 1;
/// Runs that a trend shows.
pub const SHOWN: usize = 30;
/// Runs that are kept; the oldest go first.
pub const KEPT: usize = 400;
/// Of a larger file the end is read, where the newest runs are: 32 MiB.
pub const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// What is written is no larger: GitHub's contents API gives a file whole up to 1 MB, and a data branch keeps each night's.
const WRITTEN_BYTES: usize = 1_000_000;
/// Of more lines the last ones are read.
const LINES: usize = 10_000;
/// A longer line is nobody's: the verdicts of a suite of [`CASES`] cases fit well within.
const LINE_BYTES: usize = 2 * 1024 * 1024;
/// Runs whose verdicts are kept, the newest ones: what flipped before them is told no more.
const WITH_VERDICTS: usize = 30;
/// Of a suite with more cases no verdicts are kept: thirty lines of them would be too much to fetch each night.
const CASES: usize = 5_000;

/// One run: a line of `history.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// 1.
    pub version: u32,
    /// The run's UUID; a later line of the same run takes the place of an earlier one.
    pub run: String,
    /// When it began, RFC 3339, UTC.
    pub at: String,
    /// The commit that was checked out, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The model that was evaluated.
    pub model: String,
    /// The fingerprint of the judge: means compare only where it is the same.
    pub judge: String,
    /// The fingerprint of the suite.
    pub suite: String,
    /// True when the built-in emulator answered.
    #[serde(default)]
    pub emulator: bool,
    /// Cases of the suite.
    pub cases: u32,
    /// Those with a score.
    pub scored: u32,
    /// 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    /// 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_rate: Option<f64>,
    /// Of the mean against the run's baseline, −1..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// What the gates said.
    pub decision: Decision,
    /// What became of the cycle; absent where none was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<cycle::Outcome>,
    /// The fine-tuning job that was launched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// By the id of each scored case: `+` or `-` for passed or failed, and what must be the same for a flip of that to be
    /// nobody's doing. Only newer lines have it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub verdicts: BTreeMap<String, String>,
}

/// A case whose verdict flips without any change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flaky {
    /// The case's id.
    pub case: String,
    /// Runs that had the same case, judge, pass score and model as the newest one.
    pub runs: u32,
    /// Times that the verdict was another than in the run before.
    pub flips: u32,
    /// Runs in which it passed.
    pub passed: u32,
}
