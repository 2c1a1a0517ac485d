//! How often the verdicts are wrong when the truth is known: seeded simulations of pairs of runs.
//!
//! A case has a true score of its own; each of its three samples scatters around it, rounded to 0.05 as judges do. `cargo
//! test simulation -- --nocapture` prints the rates that `docs/statistics.md` tells. The bands are those in which a
//! binomial count of a true 5 % lies with 99.9 %, two-sided: a wrong standard error or quantile leaves them.

use super::*;
use crate::score::interval::{Observation, standard_error};
use crate::score::random::Random;
use crate::score::{Difference, Method};

const SAMPLES: usize = 3;

/// How pairs of runs come about.
struct World {
    cases: usize,
    /// Cases in a group; 1 for none.
    in_group: usize,
    /// By how much this run is truly worse.
    drop: f64,
}

impl World {
    /// A sample's score: symmetric noise of standard deviation 0.115 around the truth.
    fn sample(truth: f64, random: &mut Random) -> f64 {
        let noise = (random.unit() + random.unit() - 1.0) * 0.28;
        ((truth + noise) * 20.0).round() / 20.0
    }

    fn pair(&self, random: &mut Random) -> Results {
        let (mut now, mut before) = (Vec::new(), Vec::new());
        let mut shared = 0.0;
        for i in 0..self.cases {
            if i % self.in_group == 0 {
                // What the cases of a group have in common in one run, and not in the other.
                shared = if self.in_group > 1 {
                    (random.unit() - 0.5) * 0.15
                } else {
                    0.0
                };
            }
            let truth = 0.55 + 0.1 * random.unit();
            let mut run = |truth: f64| {
                let scores: Vec<f64> = (0..SAMPLES).map(|_| World::sample(truth, random)).collect();
                CaseResult {
                    group: (self.in_group > 1).then(|| format!("g{}", i / self.in_group)),
                    ..case(&format!("{i:04}"), &scores)
                }
            };
            before.push(run(truth));
            now.push(run(truth - self.drop + shared));
        }
        two(now, before)
    }

    fn differences(&self, seed: &str, rounds: usize, resamples: usize) -> Vec<Difference> {
        let mut random = Random::seeded("simulation", seed);
        (0..rounds)
            .map(|round| {
                let mut results = self.pair(&mut random);
                results.suite.fingerprint = format!("{seed} {round}");
                with_pairs(&results, |pairs| {
                    pairs.resamples = resamples;
                    pairs
                        .test(DropMetric::Mean, &Selector::All, 0.0)
                        .unwrap()
                        .difference
                })
            })
            .collect()
    }
}

fn count(what: &str, differences: &[Difference], of: impl Fn(&Difference) -> bool) -> usize {
    let found = differences.iter().filter(|difference| of(difference)).count();
    println!("{what}: {found} of {}", differences.len());
    found
}

const ROUNDS: usize = 1_000;

/// 50 ± 3.29·√(1000·0.05·0.95)
const BAND: std::ops::RangeInclusive<usize> = 28..=72;

#[test]
fn identical_models_raise_a_false_alarm_in_one_of_twenty() {
    let world = World {
        cases: 30,
        in_group: 1,
        drop: 0.0,
    };
    let differences = world.differences("identical, n = 30", ROUNDS, 0);
    assert!(differences.iter().all(|d| d.method == Method::T));
    // At margin 0 "worse" is U < 0 and "no worse" is L > 0, and both are wrong for identical models.
    assert!(BAND.contains(&count(
        "identical, n = 30: U < 0",
        &differences,
        |d| d.high.unwrap() < 0.0
    )));
    assert!(BAND.contains(&count(
        "identical, n = 30: L > 0",
        &differences,
        |d| d.low.unwrap() > 0.0
    )));
    // At any margin above 0 a false alarm is rarer.
    assert!(
        count("identical, n = 30: U < -0.03", &differences, |d| d.high.unwrap()
            < -0.03)
            <= 10
    );
}

#[test]
fn a_drop_as_large_as_the_margin_passes_in_one_of_twenty() {
    let world = World {
        cases: 30,
        in_group: 1,
        drop: 0.1,
    };
    let differences = world.differences("as large as the margin", ROUNDS, 0);
    assert!(BAND.contains(&count("drop 0.1: L > -0.1", &differences, |d| d.low.unwrap() > -0.1)));
    assert!(BAND.contains(&count("drop 0.1: U < -0.1", &differences, |d| d.high.unwrap() < -0.1)));
}

#[test]
fn twice_the_detectable_drop_is_found() {
    let same = World {
        cases: 30,
        in_group: 1,
        drop: 0.0,
    };
    let detectable = same
        .differences("detectable", 100, 0)
        .iter()
        .filter_map(|d| d.detectable)
        .sum::<f64>()
        / 100.0;
    let once = World {
        drop: detectable,
        ..same
    };
    // By its definition 80 % at the detectable drop itself (t and not z: a little less at n = 30).
    let found = count(
        "once the detectable drop: U < 0",
        &once.differences("once the detectable", 500, 0),
        |d| d.high.unwrap() < 0.0,
    );
    assert!((365..=435).contains(&found), "{found}");
    let twice = World {
        drop: 2.0 * detectable,
        ..once
    };
    let found = count(
        "twice the detectable drop: U < 0",
        &twice.differences("twice the detectable", ROUNDS, 0),
        |d| d.high.unwrap() < 0.0,
    );
    assert!(found > 950, "{found}");
}

#[test]
fn the_bootstrap_keeps_its_level_too() {
    let rounds = 400;
    let world = World {
        cases: 60,
        in_group: 1,
        drop: 0.0,
    };
    let differences = world.differences("identical, n = 60", rounds, 999);
    assert!(differences.iter().all(|d| d.method == Method::Bootstrap));
    // 20 ± 3.29·√(400·0.05·0.95)
    assert!((6..=34).contains(&count(
        "identical, n = 60: U < 0",
        &differences,
        |d| d.high.unwrap() < 0.0
    )));
    assert!((6..=34).contains(&count(
        "identical, n = 60: L > 0",
        &differences,
        |d| d.low.unwrap() > 0.0
    )));
}

#[test]
fn groups_keep_the_level_that_their_cases_alone_would_not() {
    let world = World {
        cases: 60,
        in_group: 4,
        drop: 0.0,
    };
    let differences = world.differences("groups", 3 * ROUNDS, 0);
    // 150 ± 3.29·√(3000·0.05·0.95)
    let band = 111..=189;
    assert!(
        differences
            .iter()
            .all(|d| d.clusters == 15 && d.method == Method::T)
    );
    assert!(band.contains(&count("15 groups of 4: U < 0", &differences, |d| d.high.unwrap() < 0.0)));
    assert!(band.contains(&count("15 groups of 4: L > 0", &differences, |d| d.low.unwrap() > 0.0)));

    let mut random = Random::seeded("simulation", "groups, ignored");
    let alarms = (0..ROUNDS).filter(|_| {
        let results = world.pair(&mut random);
        let moves: Vec<f64> = comparison(&results)
            .cases
            .iter()
            .filter_map(|case| case.difference)
            .collect();
        let mean = moves.iter().sum::<f64>() / 60.0;
        let alone = |value: &f64| Observation {
            value: *value,
            weight: 1.0,
            group: None,
        };
        let alone: Vec<Observation<'_>> = moves.iter().map(alone).collect();
        mean < -1.67 * standard_error(&alone, mean).unwrap().error
    });
    let alarms = alarms.count();
    println!("{alarms} of {ROUNDS} where groups are ignored");
    assert!(alarms > *BAND.end(), "{alarms}");
}
