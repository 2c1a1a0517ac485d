//! The cases of a set in, the set's figures out, with notes on what they can and can't carry.

use super::case::{count, extremes};
use super::interval::{self, NoInterval, Observation};
use super::summation::{quantile, sample_deviation, sum};
use super::{Group, TOLERANCE};

/// Fewer scored cases than this carry no verdict on a difference, and only a rough interval.
const SMALL: usize = 10;

/// A case as a set sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    /// 0..1.
    pub(super) score: Option<f64>,
    /// At or above the pass score.
    pub(super) passed: bool,
    /// Without a score because a call failed.
    pub(super) error: bool,
    /// As recorded; see [`usable`].
    pub(super) weight: f64,
    /// The group that the case shares with others.
    pub(super) group: Option<&'a str>,
}

/// A weight that can be used: finite and above 0. Others (a results file edited by hand) count as 1.
pub(super) fn usable(weight: f64) -> bool {
    weight.is_finite() && weight > 0.0
}

impl Group {
    /// The figures of a set of cases, in O(n log n).
    pub(super) fn of(members: &[Member<'_>]) -> Group {
        let scored: Vec<&Member<'_>> = members.iter().filter(|m| m.score.is_some()).collect();
        let errors = members.iter().filter(|m| m.error).count();
        let share = |n: usize| (!members.is_empty()).then(|| n as f64 / members.len() as f64);
        let mut group = Group {
            cases: count(members.len()),
            scored: count(scored.len()),
            unscored: count(members.len() - scored.len()),
            errors: count(errors),
            coverage: share(scored.len()),
            error_rate: share(errors),
            passed: count(scored.iter().filter(|m| m.passed).count()),
            mean: None,
            mean_interval: None,
            median: None,
            min: None,
            p10: None,
            stddev: None,
            pass_rate: None,
            pass_rate_interval: None,
            notes: Vec::new(),
        };
        if scored.is_empty() {
            group
                .notes
                .push("no case has a score: there is no mean and no rate".to_owned());
        } else {
            group.describe(&scored);
        }
        let odd = members.iter().filter(|m| !usable(m.weight)).count();
        if odd > 0 {
            group.notes.push(format!(
                "{}: counted with weight 1",
                cases_with(odd, "a weight that is no number above 0")
            ));
        }
        group
    }

    /// Fills in everything that needs at least one scored case.
    fn describe(&mut self, scored: &[&Member<'_>]) {
        let observations = observations(scored);
        let mut ascending: Vec<f64> = observations.iter().map(|o| o.value).collect();
        ascending.sort_unstable_by(f64::total_cmp);
        let (low, high) = extremes(&ascending);
        let spread = high - low > TOLERANCE;

        let total = sum(observations.iter().map(|o| o.weight));
        // Rounding must not carry a mean out of the range of its scores.
        let mean = (sum(observations.iter().map(|o| o.weight * o.value)) / total).clamp(low, high);
        let passing = scored
            .iter()
            .zip(&observations)
            .filter(|(m, _)| m.passed)
            .map(|(_, o)| o.weight);
        let rate = if scored.iter().all(|m| m.passed) {
            1.0
        } else {
            (sum(passing) / total).clamp(0.0, 1.0)
        };
        let effective = interval::effective_number(&observations);

        self.mean = Some(mean);
        self.median = quantile(&ascending, 0.5);
        self.min = Some(low);
        self.p10 = quantile(&ascending, 0.1);
        self.stddev = if spread || ascending.len() < 2 {
            sample_deviation(&ascending)
        } else {
            Some(0.0)
        };
        self.pass_rate = Some(rate);
        self.pass_rate_interval = Some(interval::of_rate(rate, effective));

        let mean_interval = interval::of_mean(&observations, mean);
        self.mean_interval = mean_interval.ok().filter(|_| spread);
        self.note_size(ascending.len(), spread, mean, mean_interval.err());
        self.note_structure(&observations, effective);
        self.note_no_failure(effective);
    }

    fn note_size(&mut self, n: usize, spread: bool, mean: f64, missing: Option<NoInterval>) {
        if n == 1 {
            self.notes
                .push("one scored case: the mean has no interval".to_owned());
            return;
        }
        if n < SMALL {
            self.notes
                .push(format!("only {n} scored cases: the intervals are rough"));
        }
        let why = match missing {
            _ if !spread => format!("all {n} scores are {mean:.4}: no spread, so the mean has no interval"),
            None => return,
            Some(NoInterval::OneObservation) => return,
            Some(NoInterval::OneGroup) => {
                "all scored cases are of one group: the mean has no interval".to_owned()
            }
            Some(NoInterval::Lopsided) => {
                "a few cases carry nearly all the weight: the mean has no interval".to_owned()
            }
            Some(NoInterval::Cancelled) => {
                "the scores differ within groups and not between them: the mean has no interval".to_owned()
            }
        };
        self.notes.push(why);
    }

    fn note_structure(&mut self, observations: &[Observation<'_>], effective: f64) {
        if observations.iter().any(|o| o.weight != 1.0) {
            self.notes.push(format!(
                "mean and pass rate are weighted (worth {effective:.1} equal cases); \
                 median, min, p10 and stddev are not"
            ));
        }
        let clusters = interval::clusters(observations);
        if clusters < observations.len() {
            self.notes.push(format!(
                "{} scored cases in {clusters} independent groups: the mean's interval takes that into \
                 account, the pass rate's does not and may be too narrow",
                observations.len()
            ));
        }
    }

    /// The rule of three: zero failures in n leave room for a true rate of about 3/n, the approximation of
    /// the one-sided exact bound `1 − 0.05^(1/n)` (Hanley and Lippman-Hand, 1983).
    fn note_no_failure(&mut self, effective: f64) {
        if self.passed != self.scored {
            return;
        }
        let n = self.scored;
        let said = if effective < 4.0 {
            format!("no failure in {n}: too few to say anything of the true failure rate")
        } else {
            format!(
                "no failure in {n}: the true failure rate may be up to about {:.4} (3/n)",
                3.0 / effective
            )
        };
        self.notes.push(said);
    }
}

fn cases_with(n: usize, what: &str) -> String {
    if n == 1 {
        format!("1 case has {what}")
    } else {
        format!("{n} cases have {what}")
    }
}

/// Scores with their weights on a scale where the largest is 1, so that no sum overflows and so that
/// equal weights are exactly 1 each.
fn observations<'a>(scored: &[&Member<'a>]) -> Vec<Observation<'a>> {
    let weight = |m: &Member<'_>| if usable(m.weight) { m.weight } else { 1.0 };
    let largest = scored.iter().map(|m| weight(m)).fold(0.0, f64::max);
    scored
        .iter()
        .filter_map(|m| {
            let score = m.score?;
            Some(Observation {
                value: score,
                weight: weight(m) / largest,
                group: m.group,
            })
        })
        .collect()
}
