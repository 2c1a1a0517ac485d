//! The word for a difference, the order of what moved, and the answers that are picked.

use super::*;
use crate::gate::Outcome;
use crate::report::fixtures;

fn standing(change: impl FnOnce(&mut Comparison, &mut Vec<GateVerdict>)) -> Standing {
    let record = fixtures::worse().record;
    let mut comparison = record.comparison.unwrap();
    let mut gates = vec![record.verdict.gates[2].clone()];
    change(&mut comparison, &mut gates);
    Standing::new(&comparison, &gates.iter().collect::<Vec<_>>())
}

fn bounds(comparison: &mut Comparison, low: f64, high: f64) {
    (comparison.mean.low, comparison.mean.high) = (Some(low), Some(high));
}

#[test]
fn the_word_follows_the_gates_and_the_interval() {
    assert_eq!(standing(|_, _| {}), Standing::Worse);
    assert_eq!(standing(|_, gates| gates.clear()), Standing::Worse);
    assert_eq!(
        standing(|_, gates| gates[0].outcome = Outcome::Pass),
        Standing::WorseWithin
    );
    let noise = |gates: Outcome| {
        standing(|comparison, all| {
            bounds(comparison, -0.02, 0.03);
            all[0].outcome = gates;
        })
    };
    assert_eq!(noise(Outcome::Pass), Standing::Noise);
    assert!(matches!(noise(Outcome::Inconclusive), Standing::Untold(_)));
    // A gate that failed is not talked away by the interval of another figure.
    assert_eq!(noise(Outcome::Fail), Standing::Worse);
    let better = standing(|comparison, gates| {
        bounds(comparison, 0.01, 0.03);
        gates[0].outcome = Outcome::Pass;
    });
    assert_eq!(better, Standing::Better);
}

#[test]
fn what_cannot_be_told_is_not_told() {
    let few = standing(|comparison, gates| {
        comparison.mean.n = 12;
        comparison.mean.clusters = 4;
        bounds(comparison, 0.1, 0.2);
        gates.clear();
    });
    assert_eq!(
        few.why(),
        Some("4 cases that compare are too few: 10 carry a verdict")
    );
    let other = standing(|comparison, _| comparison.incomparable = Some("another judge".to_owned()));
    assert_eq!(other.why(), Some("another judge"));
    let none = standing(|comparison, gates| {
        comparison.mean.difference = None;
        gates.clear();
    });
    assert_eq!(none.why(), Some("no case compares"));
    // Nothing could be tested, whatever the interval.
    let untested = standing(|comparison, gates| {
        bounds(comparison, 0.1, 0.2);
        gates[0].outcome = Outcome::Inconclusive;
        gates[0].test = None;
        gates[0].reason = "the baseline is incomplete".to_owned();
    });
    assert_eq!(untested.why(), Some("the baseline is incomplete"));
}

#[test]
fn without_spread_there_is_no_noise() {
    let flat = |difference: f64, gated: bool| {
        standing(|comparison, gates| {
            let mean = &mut comparison.mean;
            (mean.low, mean.high, mean.error) = (None, None, None);
            mean.difference = Some(difference);
            gates[0].outcome = Outcome::Pass;
            if !gated {
                gates.clear();
            }
        })
    };
    assert_eq!(flat(0.0, true), Standing::Same);
    assert_eq!(flat(0.1, true), Standing::Better);
    assert_eq!(flat(-0.01, true), Standing::WorseWithin);
    assert_eq!(flat(-0.01, false), Standing::Worse);
}

#[test]
fn only_what_moved_is_listed_and_the_largest_fall_comes_first() {
    let mut compared = fixtures::worse();
    let comparison = compared.record.comparison.as_mut().unwrap();
    comparison.cases[0].difference = Some(1e-12);
    // As large a fall as another one's, of a case that is not critical.
    comparison.cases[1].difference = Some(-0.55);
    comparison.cases[7].difference = Some(-0.55);
    let around = compared.around();
    let against = Against::new(&compared.record, &around);
    let ids: Vec<&str> = against
        .run()
        .unwrap()
        .moved
        .iter()
        .map(|row| row.change.id.as_str())
        .collect();
    assert_eq!(
        ids,
        [
            "currency",
            "total-discount",
            "vendor-name",
            "line-items",
            "credit-note",
            "vat-rate",
            "po-number",
            "ship-to",
            "due-date"
        ]
    );
}

#[test]
fn the_pair_of_answers_that_moved_most_is_shown() {
    let compared = fixtures::worse();
    let around = compared.around();
    let against = Against::new(&compared.record, &around);
    let diff = against.run().unwrap();
    let row = diff
        .moved
        .iter()
        .find(|row| row.change.id == "line-items")
        .unwrap();
    let both = row.both().unwrap();
    let (before, now) = row.samples(&both.0, &both.1).unwrap();
    assert_eq!((before.index, now.index), (1, 1));
    // Without scores: the first pair whose answers differ.
    let mut compared = fixtures::worse();
    compared.record.results.cases.edit(|cases| {
        for case in cases.iter_mut().filter(|case| case.id == "line-items") {
            case.samples.iter_mut().for_each(|sample| sample.votes.clear());
        }
    });
    let around = compared.around();
    let against = Against::new(&compared.record, &around);
    let diff = against.run().unwrap();
    let row = diff
        .moved
        .iter()
        .find(|row| row.change.id == "line-items")
        .unwrap();
    let both = row.both().unwrap();
    assert_eq!(row.samples(&both.0, &both.1).unwrap().1.index, 1);
}
