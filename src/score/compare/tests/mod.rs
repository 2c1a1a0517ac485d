//! Builders of two runs, and what is tested of their comparison.

use crate::results::{Baseline, BaselineAnchor, BaselineSource, CaseResult, Found, Results};
use crate::score::fixtures::{case, results};
use crate::score::{Comparison, DropMetric, DropTest, Figures, Selector, figures};

use super::{Pairs, baseline};

mod edges;
mod known_answers;
mod properties;
mod simulation;

/// A run with another one as its baseline.
pub(super) fn two(now: Vec<CaseResult>, before: Vec<CaseResult>) -> Results {
    Results {
        baseline: Some(base(&results(before))),
        ..results(now)
    }
}

pub(super) fn base(results: &Results) -> Baseline {
    let source = BaselineSource {
        found: Found::Given,
        path: None,
        branch: None,
        workflow_run: None,
        url: None,
    };
    baseline(results, source)
}

/// Cases `0`, `1`, … with one score each.
pub(super) fn cases(scores: &[f64]) -> Vec<CaseResult> {
    let named = scores.iter().enumerate();
    named
        .map(|(i, score)| case(&format!("{i:04}"), &[*score]))
        .collect()
}

pub(super) fn anchor_before(fingerprint: &str, score: f64) -> BaselineAnchor {
    BaselineAnchor {
        fingerprint: fingerprint.to_owned(),
        score,
    }
}

pub(super) fn with_pairs<T>(results: &Results, then: impl FnOnce(&mut Pairs<'_>) -> T) -> T {
    let figures: Figures = figures(results);
    then(&mut Pairs::new(results, &figures).unwrap())
}

pub(super) fn comparison(results: &Results) -> Comparison {
    with_pairs(results, |pairs| pairs.comparison())
}

pub(super) fn test(results: &Results, metric: DropMetric, margin: f64) -> Result<DropTest, String> {
    with_pairs(results, |pairs| pairs.test(metric, &Selector::All, margin))
}
