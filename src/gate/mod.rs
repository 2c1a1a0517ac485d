//! Gate text comes in, a rule goes out; rules and figures come in, the verdict of a run goes out. Pure.
//!
//! The grammar, white space being free between its words:
//!
//! ```text
//! requirement = subject op number
//! subject     = metric [ "(" selector ")" ] | "drop" "(" metric [ "(" selector ")" ] ")"
//! metric      = "coverage" | "mean" | "median" | "min" | "p10" | "stddev" | "pass_rate"
//!             | "error_rate" | "unscored" | "cases"
//! selector    = "tag" ":" name | "case" ":" name | "holdout" | "critical"
//! name        = a word | a text in ' or ", in which the doubled quote stands for one
//! op          = ">=" | ">" | "<=" | "<" | "=="
//! number      = a plain decimal number: whole for unscored and cases, 0..1 for all others
//! ```
//!
//! `drop` takes `<=` and `<` only, and is of `mean`, `median`, `p10` and `pass_rate`, not over a single case. `drop(min)`
//! and `drop(…(case: id))` are read, for results files may hold them, and refused in a suite.
//!
//! Comparisons forgive rounding in favour of equality: a figure within 1e-9 of its bound is equal to it.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::score::{DropTest, Interval};
use crate::suite::{Case, Otherwise};

mod bound;
mod check;
mod decide;
mod drops;
mod floor;
mod measure;
mod parse;
#[cfg(any(test, fuzzing))]
pub(crate) mod promises;
mod reader;
mod rule;
mod sizes;
mod wording;

#[cfg(test)]
mod tests;

pub use check::check;
pub use decide::{decide, open, without_knowing};

/// The coverage that a suite asks for when it names no floor of its own.
pub const DEFAULT_COVERAGE: f64 = 0.95;

/// What the gates say of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// What follows for the launch and the exit code.
    pub decision: Decision,
    /// One line a person can act on, without the model's or suite's free text beyond names and ids.
    pub reason: String,
    /// In the suite's order; the coverage floor that the suite did not ask for comes first, marked `implied`.
    pub gates: Vec<GateVerdict>,
    /// Critical cases that failed in a majority of their samples, in the suite's order.
    pub vetoes: Vec<Veto>,
    /// Critical cases without a score: whether they veto can't be said. In the suite's order.
    #[serde(default)]
    pub undecided_critical: Vec<String>,
    /// True when the suite says nothing about gates: only coverage was asked.
    pub defaulted: bool,
}

/// What follows from the gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The gates let a job be launched.
    Pass,
    /// A gate with `else: hold` is not met: no launch, exit 0.
    Hold,
    /// A gate failed or a critical case vetoes: no launch, exit 10.
    Fail,
    /// It can't be said: no launch, exit 11.
    Inconclusive,
}

/// What one gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// The requirement is met.
    Pass,
    /// The requirement is not met.
    Fail,
    /// It can't be said: too little was scored, or the figure does not exist.
    Inconclusive,
}

/// One gate and what it says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateVerdict {
    /// The requirement as the suite writes it.
    pub require: String,
    /// What follows when it is not met.
    #[serde(rename = "else")]
    pub otherwise: Otherwise,
    /// What the gate says.
    pub outcome: Outcome,
    /// False for `drop(...)` without a baseline: told, and in no decision.
    pub applicable: bool,
    /// The coverage floor that the suite did not write.
    pub implied: bool,
    /// The figure that was compared: 0..1, or a number of cases; of `drop(…)` before minus now, −1..1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figure: Option<f64>,
    /// `>=`, `>`, `<=`, `<` or `==`.
    pub op: String,
    /// What the figure was compared with: 0..1, or a number of cases.
    pub bound: f64,
    /// The figure's 95 % interval, where it has one. The gate compares the figure, not the interval; but of `drop(…)` it
    /// is the 90 % interval, whose ends are the two one-sided 95 % bounds, and the gate decides by them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Of `drop(…)` with a baseline: the test against it. The gate decides by it; `figure` is the drop, before minus now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<DropTest>,
    /// Why, for a person: `mean 0.731 is at or above 0.70`, `coverage 0.90 is below the floor 0.95`, …
    pub reason: String,
}

/// A critical case that fails the run, whatever its mean.
///
/// A sample fails when its score is below the case's pass score, and the case when more than half of its
/// scored samples do: one of one, two of three; one of two is no majority.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Veto {
    /// The case's id.
    pub case: String,
    /// The case's score, 0..1.
    pub score: Option<f64>,
    /// Scored samples below the pass score.
    pub samples_failed: u32,
    /// Samples with a score.
    pub samples_scored: u32,
}

/// What is known of the suite's cases while its gates are checked.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Every tag that a case has.
    pub tags: &'a BTreeSet<String>,
    /// Every case's id.
    pub ids: &'a BTreeSet<String>,
    /// False when the tags of some cases could not be read: nothing is said of unknown ones then.
    pub all_tags: bool,
    /// False when the ids of some cases could not be read: nothing is said of unknown ones then.
    pub all_ids: bool,
    /// Whether a case is `holdout: true`, or may be.
    pub holdout: bool,
    /// Whether a case is `critical: true`, or may be.
    pub critical: bool,
    /// The cases themselves; none when some could not be read: nothing is said of how many there are then.
    pub cases: Option<&'a [Case]>,
}

impl Known<'static> {
    /// Nothing: only what is wrong with the gates themselves is told.
    pub fn nothing() -> Known<'static> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        Known {
            tags: &NONE,
            ids: &NONE,
            all_tags: false,
            all_ids: false,
            holdout: true,
            critical: true,
            cases: None,
        }
    }
}
