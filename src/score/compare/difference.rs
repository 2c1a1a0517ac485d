//! Pairs of values of the compared cases in, their mean difference with its error and bounds out.

use crate::score::TOLERANCE;
use crate::score::case::{count, extremes};
use crate::score::group::usable;
use crate::score::interval::{self, NoInterval, Observation};
use crate::score::random::Random;
use crate::score::student::{Z_800, Z_950, t_950, t_at_or_below};
use crate::score::summation::sum;

use super::bootstrap::{shares, studentised, tails};
use super::{Difference, Method};

/// Fewer independent cases than this carry no verdict.
pub(super) const SMALL: usize = 10;

/// From so many independent cases on the bounds are the bootstrap's.
pub(super) const LARGE: usize = 50;

/// A larger share of resamples without spread leaves the bounds to Student's t.
pub(super) const DEGENERATE: f64 = 0.01;

/// A compared case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'a> {
    /// This run's value: a score, or 1 for a case that passes and 0 for one that fails.
    pub(super) now: f64,
    /// The baseline's.
    pub(super) before: f64,
    /// This run's weight, as recorded.
    pub(super) weight: f64,
    /// This run's group.
    pub(super) group: Option<&'a str>,
}

/// The random numbers for one set of cases; none where too many cases are resampled already.
#[derive(Debug)]
pub(super) struct Resampling {
    /// A stream of the set's own.
    pub(super) random: Random,
    /// Resamples to take.
    pub(super) resamples: usize,
}

/// A difference, and what a p-value is read from.
#[derive(Debug, Clone)]
pub(super) struct Analysis {
    pub(super) difference: Difference,
    pub(super) distribution: Distribution,
    /// Why there is no error, except for want of spread.
    pub(super) missing: Option<NoInterval>,
}

/// What a p-value is read from.
#[derive(Debug, Clone)]
pub(super) enum Distribution {
    /// There is no test.
    None,
    /// Student's t with the difference's degrees of freedom.
    T,
    /// Studentised statistics of resamples, ascending.
    Studentised(Vec<f64>),
    /// Differences of resamples, ascending.
    Differences(Vec<f64>),
}

impl Analysis {
    /// The p-values of "worse than the margin allows" and of "no worse than it allows" (see [`super::DropTest`]).
    pub(super) fn p(&self, margin: f64) -> Option<(f64, f64)> {
        let mean = self.difference.difference?;
        let error = self.difference.error?;
        let statistic = (mean + margin) / error;
        match &self.distribution {
            Distribution::None => None,
            Distribution::T => {
                let freedom = self.difference.freedom?;
                Some((
                    t_at_or_below(statistic, freedom),
                    t_at_or_below(-statistic, freedom),
                ))
            }
            Distribution::Studentised(statistics) => Some(shares(statistics, statistic)),
            Distribution::Differences(differences) => {
                let (no_worse, worse) = shares(differences, -margin);
                Some((worse, no_worse))
            }
        }
    }
}

/// A difference without any figure.
pub(super) fn nothing() -> Difference {
    Difference {
        n: 0,
        clusters: 0,
        now: None,
        before: None,
        difference: None,
        error: None,
        freedom: None,
        low: None,
        high: None,
        method: Method::None,
        detectable: None,
        notes: Vec::new(),
    }
}

/// The weighted mean of `now − before` with the error and degrees of freedom of [`interval::standard_error`]. One-sided
/// 95 % bounds: `D̄ ∓ t(0.95, df)·SE` for fewer than [`LARGE`] independent cases, `D̄ − q·SE` with the 0.95 and 0.05
/// quantiles of the studentised bootstrap from there on.
pub(super) fn mean_difference(pairs: &[Pair<'_>], resampling: Option<Resampling>) -> Analysis {
    let mut analysis = Analysis {
        difference: nothing(),
        distribution: Distribution::None,
        missing: None,
    };
    let difference = &mut analysis.difference;
    if pairs.is_empty() {
        difference.notes.push("no case compares".to_owned());
        return analysis;
    }
    let values = |of: fn(&Pair<'_>) -> f64| observations(pairs, of);
    let moves = values(|pair| pair.now - pair.before);
    let clusters = interval::clusters(&moves);
    difference.n = count(pairs.len());
    difference.clusters = count(clusters);
    difference.now = Some(weighted_mean(&values(|pair| pair.now)));
    difference.before = Some(weighted_mean(&values(|pair| pair.before)));
    let mean = weighted_mean(&moves);
    difference.difference = Some(mean);
    note_structure(difference, &moves);

    let (low, high) = range(&moves);
    if pairs.len() > 1 && high - low <= TOLERANCE {
        difference.notes.push(format!(
            "all {} differences are {mean:+.4}: no spread, so there is no error and no interval",
            pairs.len()
        ));
        return analysis;
    }
    let found = match interval::standard_error(&moves, mean) {
        Ok(found) => found,
        Err(missing) => {
            difference.notes.push(why_no_error(missing).to_owned());
            analysis.missing = Some(missing);
            return analysis;
        }
    };
    difference.error = Some(found.error);
    difference.freedom = Some(found.freedom);
    difference.detectable = Some((Z_950 + Z_800) * found.error);
    let half = t_950(found.freedom) * found.error;
    (difference.low, difference.high) = (Some(mean - half), Some(mean + half));
    difference.method = Method::T;
    analysis.distribution = Distribution::T;
    if clusters < LARGE {
        return analysis;
    }
    match resampled(&moves, mean, resampling) {
        Ok((statistics, (below, above))) => {
            difference.low = Some(mean - above * found.error);
            difference.high = Some(mean - below * found.error);
            difference.method = Method::Bootstrap;
            analysis.distribution = Distribution::Studentised(statistics);
        }
        Err(why) => difference
            .notes
            .push(format!("{why}: the bounds are Student's t")),
    }
    analysis
}

/// The studentised statistics and their tails, or why Student's t must do.
fn resampled(
    moves: &[Observation<'_>],
    mean: f64,
    resampling: Option<Resampling>,
) -> Result<(Vec<f64>, (f64, f64)), String> {
    let Some(Resampling {
        mut random,
        resamples,
    }) = resampling
    else {
        return Err("too many cases to resample all of them in one run".to_owned());
    };
    let parts = interval::parts(moves, mean);
    let (statistics, degenerate) = studentised(&parts, &mut random, resamples);
    let share = degenerate as f64 / resamples as f64;
    if share > DEGENERATE {
        return Err(format!(
            "few cases moved, so that {:.0} % of the resamples have no spread",
            share * 100.0
        ));
    }
    let ends = tails(&statistics, 0.05).filter(|(below, above)| {
        // Bounds must hold the difference between them; a set dominated by one weight may give others.
        below.is_finite() && above.is_finite() && *below < 0.0 && *above > 0.0
    });
    ends.map(|ends| (statistics, ends))
        .ok_or_else(|| "the resamples lie to one side of the difference".to_owned())
}

/// Weights on a scale where the largest is 1, as the figures of one run have them.
fn observations<'a>(pairs: &[Pair<'a>], value: fn(&Pair<'_>) -> f64) -> Vec<Observation<'a>> {
    let weight = |pair: &Pair<'_>| if usable(pair.weight) { pair.weight } else { 1.0 };
    let largest = pairs.iter().map(weight).fold(0.0, f64::max);
    let of = |pair: &Pair<'a>| Observation {
        value: value(pair),
        weight: weight(pair) / largest,
        group: pair.group,
    };
    pairs.iter().map(of).collect()
}

fn range(observations: &[Observation<'_>]) -> (f64, f64) {
    let values: Vec<f64> = observations.iter().map(|o| o.value).collect();
    extremes(&values)
}

/// `Σ w·x / Σ w`; rounding does not carry it out of the range of its values.
fn weighted_mean(observations: &[Observation<'_>]) -> f64 {
    let (low, high) = range(observations);
    let total = sum(observations.iter().map(|o| o.weight));
    (sum(observations.iter().map(|o| o.weight * o.value)) / total).clamp(low, high)
}

fn note_structure(difference: &mut Difference, moves: &[Observation<'_>]) {
    let (n, clusters) = (difference.n, difference.clusters as usize);
    if clusters < SMALL {
        let what = match (clusters == moves.len(), clusters) {
            (true, 1) => "1 compared case".to_owned(),
            (true, _) => format!("{n} compared cases"),
            (false, 1) => "1 independent group".to_owned(),
            (false, _) => format!("{clusters} independent groups"),
        };
        difference
            .notes
            .push(format!("only {what}: no verdict below {SMALL}"));
    }
    if clusters < moves.len() {
        difference.notes.push(format!(
            "{n} compared cases in {clusters} independent groups: error and bounds take that into account"
        ));
    }
    if moves.iter().any(|o| o.weight != 1.0) {
        let worth = interval::effective_number(moves);
        difference
            .notes
            .push(format!("weighted: worth {worth:.1} equal cases"));
    }
}

/// Why a mean difference has no error, for a person.
pub(super) fn why_no_error(missing: NoInterval) -> &'static str {
    match missing {
        NoInterval::OneObservation => "one compared case: the difference has no error",
        NoInterval::OneGroup => "all compared cases are of one group: the difference has no error",
        NoInterval::Lopsided => "a few cases carry nearly all the weight: the difference has no error",
        NoInterval::Cancelled => {
            "the differences cancel out within their groups, and the groups do not differ: the difference has no error"
        }
    }
}
