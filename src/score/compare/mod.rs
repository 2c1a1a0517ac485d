//! Results with a baseline in them come in, paired differences go out: what may be compared, how far it moved, and
//! whether that is more than noise. Pure; the number of observations is the number of cases, or of their groups.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod base;
mod bootstrap;
mod changes;
mod difference;
mod drift;
mod everything;
mod mcnemar;
mod order_statistic;
mod pairs;

#[cfg(test)]
mod tests;

pub use base::baseline;
pub use pairs::Pairs;

/// What changed against a baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Why no difference is claimed at all, for a person: the judge is another one, or has drifted. Every
    /// [`Difference`] is without figures then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomparable: Option<String>,
    /// Whether the judge is the same.
    pub judge: JudgeChange,
    /// What the anchors say of the judge; absent where the two runs share none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// How many cases are compared, and why the others are not.
    pub counts: PairCounts,
    /// Of the mean score, over all compared cases.
    pub mean: Difference,
    /// Of the pass rate, over all compared cases; both runs are held to this run's pass scores.
    pub pass_rate: Difference,
    /// Of the mean score, per tag of this run.
    pub tags: BTreeMap<String, Difference>,
    /// Of the mean score over the holdout cases, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout: Option<Difference>,
    /// Of the mean score over the critical cases, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<Difference>,
    /// Which compared cases pass in one run and fail in the other.
    pub flips: Flips,
    /// Every case of either run: this run's in its order, then the removed ones in the baseline's.
    pub cases: Vec<CaseChange>,
    /// What a reader must know of this comparison.
    pub notes: Vec<String>,
}

/// Whether two runs have the same judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JudgeChange {
    /// Model, prompt, rubric and parameters are the same.
    Same,
    /// They are not: scores do not compare.
    Changed,
    /// The baseline's answers were scored again by this run's judge.
    Rejudged,
}

/// What the anchors that two runs share say of the judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// Anchors with a score in both runs.
    pub anchors: u32,
    /// The mean change of their scores, this run's minus the baseline's.
    pub change: f64,
    /// The 90 % interval of that mean, t; absent below two anchors and without spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<super::Interval>,
    /// How far the judge may move: the mean of the anchors' tolerances.
    pub tolerance: f64,
    /// True when the interval, or the change where there is none, leaves ±`tolerance`.
    pub drifted: bool,
}

/// How many cases of two runs are compared, and why the others are not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PairCounts {
    /// The same in both runs, and scored in both.
    pub compared: u32,
    /// The same in both runs, and without a score in one of them.
    pub unscored: u32,
    /// In both runs, and asked or checked otherwise.
    pub changed: u32,
    /// In this run alone.
    pub added: u32,
    /// In the baseline alone.
    pub removed: u32,
}

/// The difference of a figure between two runs, over the cases that are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// Compared cases.
    pub n: u32,
    /// Independent ones among them: each group counts once.
    pub clusters: u32,
    /// This run's figure over them; absent where none is compared, like every figure below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<f64>,
    /// The baseline's figure over them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
    /// now − before, −1..1: below 0 is worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// The standard error of the difference; absent below two independent cases and without spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<f64>,
    /// Degrees of freedom of that error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freedom: Option<f64>,
    /// The lower one-sided 95 % bound of the difference. With `high` it is the 90 % interval. Not cut to −1..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The upper one-sided 95 % bound of the difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// How the bounds were found.
    pub method: Method,
    /// The smallest drop that would have been found with 80 % power: `(z(0.95) + z(0.80))·error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detectable: Option<f64>,
    /// What a reader must know of these figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// How the bounds of a difference were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// There are none.
    None,
    /// Student's t.
    T,
    /// A studentised paired bootstrap, 10,000 resamples of whole cases or groups.
    Bootstrap,
    /// A percentile bootstrap of a quantile's difference, 10,000 resamples of whole cases or groups; fewer, which is
    /// told, beyond 4,000 cases.
    Percentile,
}

/// Compared cases that pass in one run and fail in the other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Flips {
    /// Ids of those that passed and fail now, in the suite's order.
    pub newly_failing: Vec<String>,
    /// Ids of those that failed and pass now, in the suite's order.
    pub newly_fixed: Vec<String>,
    /// McNemar's mid-p, two-sided; absent where no case flips.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
}

/// One case in two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseChange {
    /// The case's id.
    pub id: String,
    /// Whether the two are the same case.
    pub pairing: Pairing,
    /// What of it was changed; empty unless `pairing` is `changed`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// The baseline's score, 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<f64>,
    /// This run's score, 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<f64>,
    /// after − before; only where the two compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// Whether the baseline's score reaches this run's pass score (a removed case: its own).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_before: Option<bool>,
    /// Whether this run's score reaches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_after: Option<bool>,
    /// How this run's bar differs from the baseline's, for a person: `pass score 0.70 → 0.50`, `no longer critical`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bar: Vec<String>,
}

/// Whether a case of two runs is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pairing {
    /// Asked, checked and judged the same way: the two scores compare.
    Unchanged,
    /// Asked or checked otherwise.
    Changed,
    /// In this run alone.
    Added,
    /// In the baseline alone.
    Removed,
}

/// A part of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The messages.
    Prompt,
    /// Sampling parameters or the number of samples.
    Parameters,
    /// What the judge compares with.
    Reference,
    /// Checks; told where nothing else was changed.
    Checks,
}

/// A figure whose fall can be tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropMetric {
    /// The mean score.
    Mean,
    /// The share of cases that pass.
    PassRate,
    /// The middle score.
    Median,
    /// The 10th percentile.
    P10,
}

/// A difference held against a margin: non-inferiority, one-sided at 5 %.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DropTest {
    /// The difference.
    pub difference: Difference,
    /// P-value of "the figure fell by more than the margin" (H0: it fell by no more); small means a regression. Absent
    /// where there is no test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_worse: Option<f64>,
    /// P-value of "the figure fell by less than the margin" (H0: it fell by at least that); small means that there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_no_worse: Option<f64>,
    /// `p_worse` adjusted by Holm's method over the tests of one run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_worse_holm: Option<f64>,
}
