//! Results of one run come in, its figures go out: scores per case, and means, rates and intervals per
//! set of cases. Pure. The number of observations is always the number of cases: samples and votes of a
//! case are averaged first. Formulas and their sources stand at the functions that compute them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::results::Left;

mod agreement;
mod anchors;
mod case;
mod compare;
mod group;
mod holm;
mod interval;
mod random;
mod run;
mod student;
mod summation;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod known_answers;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use agreement::Agreement;
pub use case::sample_score;
pub use compare::{
    CaseChange, Comparison, Difference, Drift, DropMetric, DropTest, Flips, JudgeChange, Method, PairCounts,
    Pairing, Pairs, Part, baseline,
};
pub use holm::holm;
pub use run::figures;

/// Two scores, or a figure and its bound, that differ by no more than this are the same: a mean of floats
/// that is 0.7 on paper meets `>= 0.70`.
pub(crate) const TOLERANCE: f64 = 1e-9;

/// The figures of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// Over all cases.
    pub overall: Group,
    /// Per tag.
    pub tags: BTreeMap<String, Group>,
    /// Over the holdout cases, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holdout: Option<Group>,
    /// Over the critical cases, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub critical: Option<Group>,
    /// Per case, in the suite's order.
    pub cases: Vec<CaseFigure>,
    /// Scored cases by score, in ten bins of 0.1; the last one holds 1.0 too.
    pub distribution: [u32; 10],
    /// True when a case has a weight other than 1: means and rates are weighted then.
    pub weighted: bool,
    /// What was not asked because the evaluation ended early; absent when everything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
    /// How far the judge agrees with itself; absent where no answer has two votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
    /// What the judge made of the anchors; absent where the suite has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchors: Option<AnchorFigures>,
}

/// The judge on its anchors in one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AnchorFigures {
    /// Anchors of the suite.
    pub anchors: u32,
    /// Those with a score.
    pub scored: u32,
    /// Those whose score is further from the expected one than their tolerance.
    pub off: u32,
    /// The mean of score minus expected score; above 0 the judge is too kind. Absent where none is scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<f64>,
    /// The largest distance between a score and the expected one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worst: Option<f64>,
}

/// The figures of a set of cases.
///
/// The mean, the pass rate and their intervals count every case by its weight. Median, minimum, 10th
/// percentile and standard deviation describe the scores as they are and know no weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// Cases in the set.
    pub cases: u32,
    /// Cases with a score: the n of every interval.
    pub scored: u32,
    /// Cases without one.
    pub unscored: u32,
    /// Unscored cases with at least one failed call (answer or judge). The rest were answered or judged
    /// unusably, or never asked.
    pub errors: u32,
    /// scored / cases, 0..1; absent for an empty set.
    pub coverage: Option<f64>,
    /// errors / cases, 0..1; absent for an empty set.
    pub error_rate: Option<f64>,
    /// Scored cases at or above their pass score.
    pub passed: u32,
    /// Σ w·x / Σ w over the scored cases, 0..1. Absent where nothing was scored, like every figure below.
    pub mean: Option<f64>,
    /// 95 %, t, cut to 0..1; absent below two scored cases or groups, and without spread.
    pub mean_interval: Option<Interval>,
    /// The middle score, or the mean of the two in the middle; unweighted.
    pub median: Option<f64>,
    /// The lowest score.
    pub min: Option<f64>,
    /// The 10th percentile, interpolated linearly between order statistics (type 7); unweighted.
    pub p10: Option<f64>,
    /// Of the sample (n − 1), unweighted; absent below two scored cases.
    pub stddev: Option<f64>,
    /// The share of scored cases at or above their pass score, by weight, 0..1.
    pub pass_rate: Option<f64>,
    /// 95 %, Wilson.
    pub pass_rate_interval: Option<Interval>,
    /// What a reader must know of these figures (no spread, small n, rule of three, weights, groups).
    pub notes: Vec<String>,
}

/// A two-sided 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// One case's figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseFigure {
    /// The case's id.
    pub id: String,
    /// Mean over samples of the mean over votes, 0..1; a failed check makes its sample 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Whether the score is at or above the case's pass score; absent without a score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passed: Option<bool>,
    /// Whether the case vetoes when it fails.
    pub critical: bool,
    /// Samples with a score.
    pub samples_scored: u32,
    /// Of the scored samples, those below the pass score.
    pub samples_failed: u32,
    /// Largest minus smallest vote of any sample; absent with fewer than two votes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vote_spread: Option<f64>,
    /// Why the case has no score, by kind; absent when it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unscored: Option<Unscored>,
}

/// Why a case has no score.
///
/// A case with several samples or votes may have several reasons; the first of this order that occurs is
/// told: `AnswerFailed`, `JudgeFailed`, `JudgeUnparseable`, `FilteredAnswer`, `TruncatedAnswer`,
/// `NullAnswer`, `EmptyAnswer`, `NotAsked`. Failed calls come first because they are what can be mended
/// by running again; a call that was never made tells least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unscored {
    /// The answer is empty or white space.
    EmptyAnswer,
    /// The answer hit its length limit.
    TruncatedAnswer,
    /// There was no text at all.
    NullAnswer,
    /// The service withheld the answer.
    FilteredAnswer,
    /// The call for the answer failed.
    AnswerFailed,
    /// No reply of the judge held a verdict, or its score was outside 0..1.
    JudgeUnparseable,
    /// The call to the judge failed.
    JudgeFailed,
    /// The run ended before the question was put, to the model or to the judge.
    NotAsked,
}

impl Unscored {
    /// The word in the file and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Unscored::EmptyAnswer => "empty_answer",
            Unscored::TruncatedAnswer => "truncated_answer",
            Unscored::NullAnswer => "null_answer",
            Unscored::FilteredAnswer => "filtered_answer",
            Unscored::AnswerFailed => "answer_failed",
            Unscored::JudgeUnparseable => "judge_unparseable",
            Unscored::JudgeFailed => "judge_failed",
            Unscored::NotAsked => "not_asked",
        }
    }

    /// True when a call failed: the case counts among the errors.
    pub fn is_error(self) -> bool {
        matches!(self, Unscored::AnswerFailed | Unscored::JudgeFailed)
    }
}

/// Which cases a figure is over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// Every case.
    All,
    /// The cases with this tag.
    Tag(String),
    /// The cases that are never traced.
    Holdout,
    /// The cases that veto.
    Critical,
    /// The case with this id.
    Case(String),
}
