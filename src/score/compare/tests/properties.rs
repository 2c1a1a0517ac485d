//! What holds of a comparison whatever the two runs.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::score::Difference;
use crate::score::fixtures::lost;

/// A case in two runs: its scores, and what both runs say of it.
type Twin = (Option<f64>, Option<f64>, f64, Option<&'static str>);

fn twin() -> impl Strategy<Value = Twin> {
    let score = || {
        prop::option::weighted(
            0.95,
            prop_oneof![4 => 0.0..=1.0_f64, 1 => Just(1.0), 1 => Just(0.5)],
        )
    };
    let weight = prop_oneof![6 => Just(1.0), 1 => 0.1..10.0_f64, 1 => any::<f64>()];
    let group = prop::option::weighted(0.3, prop::sample::select(vec!["a", "b", "c", "d"]));
    (score(), score(), weight, group)
}

fn twins() -> impl Strategy<Value = Vec<Twin>> {
    prop_oneof![
        3 => prop::collection::vec(twin(), 0..40),
        1 => prop::collection::vec(twin(), 50..70),
        1 => (prop::collection::vec(0.0..=0.9_f64, 10..20), 0.0..0.1_f64).prop_map(|(scores, shift)| {
            scores.into_iter().map(|score| (Some(score), Some(score + shift), 1.0, None)).collect()
        }),
    ]
}

fn run(twins: &[Twin], of: fn(&Twin) -> Option<f64>) -> Vec<CaseResult> {
    let named = twins.iter().enumerate();
    named
        .map(|(i, twin)| {
            let id = format!("{i:04}");
            CaseResult {
                weight: twin.2,
                group: twin.3.map(str::to_owned),
                ..of(twin).map_or_else(|| lost(&id), |score| case(&id, &[score]))
            }
        })
        .collect()
}

fn runs(twins: &[Twin]) -> (Vec<CaseResult>, Vec<CaseResult>) {
    (run(twins, |t| t.0), run(twins, |t| t.1))
}

/// Fewer resamples than in a run: what holds of one number of them holds of another.
fn said(results: &Results) -> Comparison {
    with_pairs(results, |pairs| {
        pairs.resamples = 400;
        pairs.comparison()
    })
}

fn every(comparison: &Comparison) -> Vec<&Difference> {
    let mut every = vec![&comparison.mean, &comparison.pass_rate];
    every.extend(
        comparison
            .tags
            .values()
            .chain(&comparison.critical)
            .chain(&comparison.holdout),
    );
    every
}

/// A number that is not finite is written as `null`.
fn no_null(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Null => false,
        serde_json::Value::Array(items) => items.iter().all(no_null),
        serde_json::Value::Object(keys) => keys.values().all(no_null),
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn figures_are_finite_and_bounds_hold_the_difference_between_them(twins in twins(), marks in any::<Index>()) {
        let (mut now, before) = runs(&twins);
        for (i, case) in now.iter_mut().enumerate() {
            case.critical = marks.index(3) == i % 3;
            case.tags.insert((i % 4).to_string());
        }
        let results = two(now, before);
        let comparison = said(&results);
        prop_assert!(no_null(&serde_json::to_value(&comparison).unwrap()));
        for one in every(&comparison) {
            prop_assert_eq!(one.low.is_some(), one.high.is_some());
            if let (Some(low), Some(high)) = (one.low, one.high) {
                let difference = one.difference.unwrap();
                prop_assert!(low < difference && difference < high, "{:?}", one);
                prop_assert!(one.error.unwrap() > 0.0 && one.n > 1);
            }
            if let (Some(now), Some(before), Some(difference)) = (one.now, one.before, one.difference) {
                prop_assert!((now - before - difference).abs() < 1e-9 && (-1.0..=1.0).contains(&difference));
            }
        }
        with_pairs(&results, |pairs| {
            pairs.resamples = 400;
            for metric in [DropMetric::Mean, DropMetric::PassRate, DropMetric::Median, DropMetric::P10] {
                let Ok(test) = pairs.test(metric, &Selector::All, 0.05) else { continue };
                let difference = &test.difference;
                prop_assert!(no_null(&serde_json::to_value(&test).unwrap()));
                prop_assert!(difference.low.zip(difference.high).is_none_or(|(low, high)| low < high));
                prop_assert_eq!(test.p_worse.is_some(), difference.low.is_some());
                for p in test.p_worse.into_iter().chain(test.p_no_worse) {
                    prop_assert!((0.0..=1.0).contains(&p));
                }
                if matches!(metric, DropMetric::Mean | DropMetric::PassRate) && let Some(high) = difference.high {
                    // The two ways to say "worse", and the two to say "no worse", never contradict each other.
                    let away = |bound: f64| (bound + 0.05).abs() > 1e-9;
                    if away(high) {
                        prop_assert_eq!(high < -0.05, test.p_worse.unwrap() < 0.05);
                    }
                    let low = difference.low.unwrap();
                    if away(low) {
                        prop_assert_eq!(low > -0.05, test.p_no_worse.unwrap() < 0.05);
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn two_runs_that_change_places_turn_the_difference_around(twins in twins()) {
        let (now, before) = runs(&twins);
        let here = said(&two(now.clone(), before.clone()));
        let there = said(&two(before, now));
        prop_assert_eq!(&here.flips.newly_failing, &there.flips.newly_fixed);
        prop_assert_eq!(here.flips.p, there.flips.p);
        let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-9,
            (a, b) => a == b,
        };
        for (a, b) in every(&here).into_iter().zip(every(&there)) {
            prop_assert!(near(a.difference, b.difference.map(|d| -d)), "{:?} {:?}", a, b);
            prop_assert!(near(a.low, b.high.map(|d| -d)) && near(a.high, b.low.map(|d| -d)), "{:?} {:?}", a, b);
            prop_assert!(near(a.error, b.error) && a.method == b.method);
        }
    }

    #[test]
    fn the_order_of_cases_changes_no_figure(twins in twins(), by in any::<Index>()) {
        let (mut now, mut before) = runs(&twins);
        let here = said(&two(now.clone(), before.clone()));
        if !now.is_empty() {
            let turn = by.index(now.len());
            now.rotate_left(turn);
            before.reverse();
        }
        let there = said(&two(now, before));
        prop_assert_eq!((&here.mean, &here.pass_rate, here.flips.p), (&there.mean, &there.pass_rate, there.flips.p));
    }

    #[test]
    fn a_case_that_does_not_compare_changes_no_difference(twins in twins(), score in 0.0..=1.0_f64) {
        let (mut now, mut before) = runs(&twins);
        let here = said(&two(now.clone(), before.clone()));
        now.insert(0, case("added", &[score]));
        before.push(case("removed", &[score]));
        now.push(CaseResult { fingerprint: "other".to_owned(), ..case("changed", &[score]) });
        before.push(case("changed", &[1.0 - score]));
        let there = said(&two(now, before));
        prop_assert_eq!((&here.mean, &here.pass_rate), (&there.mean, &there.pass_rate));
        prop_assert_eq!((there.counts.added, there.counts.removed, there.counts.changed), (1, 1, 1));
    }
}
