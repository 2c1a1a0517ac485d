//! The gates that limit a drop and the tests against a baseline in, what each of them says out.

use crate::score::{DropMetric, DropTest, Figures, Interval, Pairs, Selector, TOLERANCE, holm};

use super::Outcome;
use super::floor::Floor;
use super::measure::no_case;
use super::rule::{Metric, Rule, Subject};
use super::wording::{self, amount, counted, signed};

/// The level of the tests: a regression that is none is told in at most one run of twenty.
const LEVEL: f64 = 0.05;

/// Independent cases below which a drop is not tested: of a mean or a rate, and of a median or percentile.
pub(super) fn least(metric: Metric) -> u32 {
    match metric {
        Metric::Median | Metric::P10 => 50,
        _ => 10,
    }
}

/// A run beside its baseline.
pub(super) trait Against {
    /// See [`Pairs::test`].
    fn test(&self, metric: DropMetric, selector: &Selector, margin: f64) -> Result<DropTest, String>;

    /// Of the cases that are the same in both runs, how many have a score in both and how many have not.
    fn compared(&self) -> (u32, u32);
}

impl Against for Pairs<'_> {
    fn test(&self, metric: DropMetric, selector: &Selector, margin: f64) -> Result<DropTest, String> {
        Pairs::test(self, metric, selector, margin)
    }

    fn compared(&self) -> (u32, u32) {
        let counts = self.counts();
        (counts.compared, counts.unscored)
    }
}

/// What a gate on a drop says.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) outcome: Outcome,
    pub(super) reason: String,
    /// Before minus now.
    pub(super) figure: Option<f64>,
    /// The drop's 90 % interval: its ends are the two one-sided 95 % bounds.
    pub(super) interval: Option<Interval>,
    pub(super) test: Option<DropTest>,
}

/// What each rule says that limits a drop; none for the others.
///
/// Holm's method runs over all tests of the run, those of gates that only warn included: each of them could raise a
/// false alarm. PASS needs none, for the run passes only when all of them do (Berger 1982).
pub(super) fn said(
    rules: &[Rule],
    figures: &Figures,
    floor: &Floor,
    against: &dyn Against,
) -> Vec<Option<Said>> {
    let tested = |rule: &Rule| rule.subject.drop.then(|| test(rule, figures, against));
    let mut tests: Vec<_> = rules.iter().map(tested).collect();
    let family = adjust(tests.iter_mut().flatten().flatten());
    let thin = match tests.iter().flatten().any(Result::is_ok) {
        true => floor.thin(against.compared()),
        false => None,
    };
    let told = rules.iter().zip(tests);
    told.map(|(rule, test)| Some(of_a_test(rule, test?, family, thin.as_deref())))
        .collect()
}

fn test(rule: &Rule, figures: &Figures, against: &dyn Against) -> Result<DropTest, String> {
    let Subject { metric, selector, .. } = &rule.subject;
    let metric = match metric {
        Metric::Mean => DropMetric::Mean,
        Metric::PassRate => DropMetric::PassRate,
        Metric::Median => DropMetric::Median,
        Metric::P10 => DropMetric::P10,
        _ => {
            return Err(format!(
                "no test can be held to its level; write `{} >= …`",
                metric.word()
            ));
        }
    };
    if let Selector::Case(_) = selector {
        return Err("one case can't carry a test; mark it `critical: true`".to_owned());
    }
    if figures.select(selector).is_none() {
        return Err(no_case(selector));
    }
    against.test(metric, selector, rule.bound)
}

/// Adjusts the p-values for their number, which is given back.
fn adjust<'t>(tests: impl Iterator<Item = &'t mut DropTest>) -> usize {
    let mut with_p: Vec<(&mut DropTest, f64)> =
        tests.filter_map(|test| test.p_worse.map(|p| (test, p))).collect();
    let adjusted = holm(&with_p.iter().map(|(_, p)| *p).collect::<Vec<_>>());
    for ((test, _), p) in with_p.iter_mut().zip(adjusted) {
        test.p_worse_holm = Some(p);
    }
    with_p.len()
}

fn of_a_test(rule: &Rule, test: Result<DropTest, String>, family: usize, thin: Option<&str>) -> Said {
    let open = |reason| Said {
        outcome: Outcome::Inconclusive,
        reason,
        figure: None,
        interval: None,
        test: None,
    };
    let test = match test {
        Ok(test) => test,
        Err(why) => return open(format!("{} can't be tested: {why}", rule.subject)),
    };
    let Some(drop) = test
        .difference
        .difference
        .filter(|d| d.is_finite())
        .map(|d| 0.0 - d)
    else {
        return Said {
            test: Some(test),
            ..open(format!("{} does not exist: no case compares", rule.subject))
        };
    };
    let interval = bounds(&test);
    let (outcome, reason) = match (thin, too_few(rule, &test)) {
        (Some(why), _) => (Outcome::Inconclusive, format!("not decided: {why}")),
        (None, Some(why)) => (
            Outcome::Inconclusive,
            format!("{} can't be tested: {why}", rule.subject),
        ),
        (None, None) => match interval {
            Some(interval) => by_bounds(rule, &test, drop, interval, family),
            None => without_spread(rule, &test, drop),
        },
    };
    Said {
        outcome,
        reason,
        figure: Some(drop),
        interval,
        test: Some(test),
    }
}

/// The drop's bounds; none where they are one, which is no interval.
fn bounds(test: &DropTest) -> Option<Interval> {
    let (low, high) = (test.difference.low?, test.difference.high?);
    (low.is_finite() && high.is_finite() && high - low > TOLERANCE).then_some(Interval {
        low: 0.0 - high,
        high: 0.0 - low,
    })
}

fn too_few(rule: &Rule, test: &DropTest) -> Option<String> {
    let least = least(rule.subject.metric);
    let (cases, independent) = (test.difference.n, test.difference.clusters);
    let compared = counted(cases as usize, "case compares", "cases compare");
    if cases < least {
        Some(format!("{compared}, and it takes {least}"))
    } else if independent < least {
        Some(format!(
            "{compared}, of which {independent} are independent of each other, and it takes {least}"
        ))
    } else {
        None
    }
}

fn by_bounds(
    rule: &Rule,
    test: &DropTest,
    drop: f64,
    interval: Interval,
    family: usize,
) -> (Outcome, String) {
    let (moved, margin) = (moved(rule, drop), wording::bound(rule));
    let [least, most] = [interval.low, interval.high].map(|bound| amount(bound, rule));
    if interval.high < rule.bound {
        let reason = if drop > TOLERANCE {
            format!("{moved} (at most {most} with 95 % confidence), within {margin}")
        } else if interval.high > 0.0 {
            format!("{moved} (a drop of at most {most} with 95 % confidence), within {margin}")
        } else {
            format!("{moved} (at least {most} with 95 % confidence), which is no drop")
        };
        return (Outcome::Pass, reason);
    }
    if interval.low > rule.bound {
        let p = test.p_worse_holm.filter(|p| *p > LEVEL || p.is_nan());
        let Some(p) = p else {
            let reason = format!("{moved} (at least {least} with 95 % confidence), more than {margin}");
            return (Outcome::Fail, reason);
        };
        let reason = format!(
            "can't be told from chance among {family} tested drops: {moved} (at least {least} with 95 % confidence \
             if it were the only one), more than {margin}, but p is {} after Holm's correction",
            wording::p_value(p)
        );
        return (Outcome::Inconclusive, reason);
    }
    let found = test.difference.detectable.filter(|d| d.is_finite());
    let found = found.map_or(String::new(), |detectable| {
        format!(
            "; a drop of {} would have been found 4 times in 5",
            amount(detectable, rule)
        )
    });
    let [from, to] = [interval.low, interval.high].map(|bound| signed(bound, rule));
    let reason = format!(
        "can't be told from noise: {moved}, 90 % interval of the drop {from} to {to}, allowed {margin}{found}"
    );
    (Outcome::Inconclusive, reason)
}

/// Every compared case moved alike, or nearly every resample gives one quantile's difference, so there is no error to
/// reckon with: the drop itself is compared.
fn without_spread(rule: &Rule, test: &DropTest, drop: f64) -> (Outcome, String) {
    if test.difference.error.is_some() {
        let reason = format!("{} can't be tested: its bounds can't be computed", rule.subject);
        return (Outcome::Inconclusive, reason);
    }
    let holds = drop <= rule.bound + TOLERANCE;
    let relation = if holds { "within" } else { "more than" };
    let spread = match rule.subject.metric {
        Metric::Median | Metric::P10 => "the same in at least 90 % of the resamples of",
        _ => "without any spread over",
    };
    let reason = format!(
        "{} ({spread} {}), {relation} {}",
        moved(rule, drop),
        counted(test.difference.n as usize, "case", "cases"),
        wording::bound(rule)
    );
    (if holds { Outcome::Pass } else { Outcome::Fail }, reason)
}

/// `mean fell by 0.02`, `pass_rate(tag: x) rose by 0.10`.
fn moved(rule: &Rule, drop: f64) -> String {
    let subject = Subject {
        drop: false,
        ..rule.subject.clone()
    };
    if drop.abs() <= TOLERANCE {
        return format!("{subject} is unchanged");
    }
    let direction = if drop > 0.0 { "fell" } else { "rose" };
    format!("{subject} {direction} by {}", amount(drop, rule))
}
