//! Differences, agreement and drift against `tests/figures/comparisons.json`, which a Python script computed from the
//! same scores by other means (see `tests/figures/comparisons.py`).

use serde_json::Value;

use super::{comparison, two, with_pairs};
use crate::results::{BaselineAnchor, CaseResult, Results};
use crate::score::compare::drift::drift;
use crate::score::compare::mcnemar::mid_p;
use crate::score::fixtures::{anchor, case, lost_vote, near, results, sample, vote};
use crate::score::{Difference, DropMetric, Method, Selector, figures, holm};

use crate::results::VoteOutcome;

fn known() -> Value {
    serde_json::from_str(include_str!("../../../../tests/figures/comparisons.json")).unwrap()
}

fn entries<'a>(known: &'a Value, key: &str, least: usize) -> &'a [Value] {
    let entries = known[key].as_array().unwrap();
    assert!(entries.len() >= least, "{} of {key}", entries.len());
    entries
}

#[track_caller]
fn between(name: &str, what: &str, got: Option<f64>, ends: &Value) {
    let (low, high) = (ends[0].as_f64().unwrap(), ends[1].as_f64().unwrap());
    let got = got.unwrap();
    assert!(
        (low..=high).contains(&got),
        "{name}: {what} is {got}, not in {low} to {high}"
    );
}

fn built(spec: &Value, index: usize, run: &str) -> CaseResult {
    CaseResult {
        weight: spec["weight"].as_f64().unwrap_or(1.0),
        group: spec["group"].as_str().map(str::to_owned),
        pass_score: spec["pass_score"].as_f64().unwrap_or(0.7),
        ..case(&format!("{index:04}"), &[spec[run].as_f64().unwrap()])
    }
}

/// The results of a scenario's run, with the other one in them as its baseline.
fn both(scenario: &Value) -> Results {
    let specs = scenario["cases"].as_array().unwrap();
    let run = |run: &str| {
        specs
            .iter()
            .enumerate()
            .map(|(i, spec)| built(spec, i, run))
            .collect()
    };
    two(run("now"), run("before"))
}

fn check_difference(name: &str, got: &Difference, expected: &Value) {
    near(name, "n", Some(f64::from(got.n)), &expected["n"]);
    near(
        name,
        "clusters",
        Some(f64::from(got.clusters)),
        &expected["clusters"],
    );
    near(name, "now", got.now, &expected["now"]);
    near(name, "before", got.before, &expected["before"]);
    near(name, "difference", got.difference, &expected["difference"]);
    near(name, "error", got.error, &expected["error"]);
    near(name, "freedom", got.freedom, &expected["freedom"]);
    near(name, "detectable", got.detectable, &expected["detectable"]);
    match got.method {
        Method::Bootstrap => {
            let expected = &expected["bootstrap"];
            let within = expected["within"].as_f64().unwrap();
            for (what, got) in [("low", got.low), ("high", got.high)] {
                let off = (got.unwrap() - expected[what].as_f64().unwrap()).abs();
                assert!(off < within, "{name}: {what} is off by {off}, more than {within}");
            }
        }
        _ => {
            near(name, "low", got.low, &expected["t"]["low"]);
            near(name, "high", got.high, &expected["t"]["high"]);
        }
    }
}

#[test]
fn differences_are_those_of_an_independent_computation() {
    let known = known();
    let margins: Vec<f64> = known["margins"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m.as_f64().unwrap())
        .collect();
    let (mut bootstrapped, mut tested) = (0, 0);
    for scenario in entries(&known, "comparisons", 20) {
        let name = scenario["name"].as_str().unwrap();
        let results = both(scenario);
        let said = comparison(&results);
        check_difference(name, &said.mean, &scenario["mean"]);
        check_difference(
            &format!("{name}, pass rate"),
            &said.pass_rate,
            &scenario["pass_rate"],
        );
        let flips = &scenario["flips"];
        near(
            name,
            "newly failing",
            Some(said.flips.newly_failing.len() as f64),
            &flips["newly_failing"],
        );
        near(
            name,
            "newly fixed",
            Some(said.flips.newly_fixed.len() as f64),
            &flips["newly_fixed"],
        );
        near(name, "McNemar's p", said.flips.p, &flips["p"]);

        with_pairs(&results, |pairs| {
            for (metric, key) in [(DropMetric::Mean, "mean"), (DropMetric::PassRate, "pass_rate")] {
                for (i, margin) in margins.iter().enumerate() {
                    let Ok(test) = pairs.test(metric, &Selector::All, *margin) else {
                        continue;
                    };
                    let expected = &scenario[key];
                    if test.difference.method == Method::Bootstrap {
                        let off =
                            test.p_worse.unwrap() - expected["bootstrap"]["p_worse"][i].as_f64().unwrap();
                        assert!(
                            off.abs() < expected["bootstrap"]["p_within"].as_f64().unwrap(),
                            "{name}: p {off}"
                        );
                        bootstrapped += 1;
                    } else {
                        near(name, "p_worse", test.p_worse, &expected["t"]["p_worse"][i]);
                        near(
                            name,
                            "p_no_worse",
                            test.p_no_worse,
                            &expected["t"]["p_no_worse"][i],
                        );
                        tested += 1;
                    }
                }
            }
            for (metric, key) in [(DropMetric::Median, "median"), (DropMetric::P10, "p10")] {
                let expected = &scenario[key];
                if expected.is_null() {
                    assert!(pairs.test(metric, &Selector::All, 0.0).is_err());
                    continue;
                }
                let test = pairs.test(metric, &Selector::All, 0.0).unwrap();
                let got = &test.difference;
                near(name, key, got.now, &expected["now"]);
                near(name, key, got.before, &expected["before"]);
                between(name, key, got.low, &expected["low"]);
                between(name, key, got.high, &expected["high"]);
                let error = expected["error"].as_f64().unwrap();
                assert!(
                    (got.error.unwrap() / error - 1.0).abs() < 0.05,
                    "{name}: {:?}, not {error}",
                    got.error
                );
            }
        });
    }
    assert!(bootstrapped >= 20 && tested >= 30, "{bootstrapped}, {tested}");
}

#[test]
fn agreement_is_that_of_an_independent_computation() {
    let known = known();
    let mut intervals = 0;
    for scenario in entries(&known, "alpha", 5) {
        let name = scenario["name"].as_str().unwrap();
        let cases = scenario["cases"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .map(|(i, answers)| {
                let answers = answers.as_array().unwrap().iter().map(|votes| {
                    let votes = votes.as_array().unwrap().iter().map(|v| {
                        v.as_f64()
                            .map_or_else(lost_vote, |score| vote(VoteOutcome::Scored, Some(score)))
                    });
                    sample(votes.collect())
                });
                CaseResult {
                    samples: answers.collect(),
                    ..case(&format!("{i:04}"), &[])
                }
            });
        let got = figures(&results(cases.collect())).agreement.unwrap();
        let expected = &scenario["figures"];
        near(
            name,
            "answers",
            Some(f64::from(got.answers)),
            &expected["answers"],
        );
        near(
            name,
            "mean spread",
            Some(got.mean_spread),
            &expected["mean_spread"],
        );
        near(name, "max spread", Some(got.max_spread), &expected["max_spread"]);
        near(name, "alpha", got.alpha, &expected["alpha"]);
        if !expected["low"].is_null() {
            let interval = got.alpha_interval;
            between(name, "low", interval.map(|i| i.low), &expected["low"]);
            between(name, "high", interval.map(|i| i.high), &expected["high"]);
            intervals += 1;
        }
    }
    assert!(intervals >= 3, "{intervals}");
}

#[test]
fn drift_is_that_of_an_independent_computation() {
    let known = known();
    for scenario in entries(&known, "drift", 4) {
        let name = scenario["name"].as_str().unwrap();
        let (mut now, mut before) = (Vec::new(), Vec::new());
        let pairs = scenario["pairs"].as_array().unwrap();
        for (i, pair) in pairs.iter().enumerate() {
            let tolerance = scenario["tolerances"][i].as_f64().unwrap();
            now.push(anchor(
                &i.to_string(),
                0.5,
                tolerance,
                &[pair[0].as_f64().unwrap()],
            ));
            before.push(BaselineAnchor {
                fingerprint: i.to_string(),
                score: pair[1].as_f64().unwrap(),
            });
        }
        let got = drift(&now, &before).unwrap();
        let expected = &scenario["figures"];
        near(name, "change", Some(got.change), &expected["change"]);
        near(name, "tolerance", Some(got.tolerance), &expected["tolerance"]);
        near(name, "low", got.interval.map(|i| i.low), &expected["low"]);
        near(name, "high", got.interval.map(|i| i.high), &expected["high"]);
        assert_eq!(Some(got.drifted), expected["drifted"].as_bool(), "{name}");
    }
}

#[test]
fn adjusted_p_values_are_those_of_an_independent_computation() {
    let known = known();
    for entry in entries(&known, "holm", 4) {
        let of = |key: &str| -> Vec<f64> {
            entry[key]
                .as_array()
                .unwrap()
                .iter()
                .map(|p| p.as_f64().unwrap())
                .collect()
        };
        for (got, expected) in holm(&of("p")).iter().zip(of("adjusted")) {
            assert!((got - expected).abs() < 1e-12, "{got}, not {expected}");
        }
    }
    for entry in entries(&known, "mcnemar", 25) {
        let of = |key: &str| u32::try_from(entry[key].as_u64().unwrap()).unwrap();
        let (b, c) = (of("b"), of("c"));
        near(&format!("{b}, {c}"), "p", mid_p(b, c), &entry["p"]);
    }
}

/// The figures in the worked example of `docs/statistics.md` are those of this code.
#[test]
fn the_worked_example_is_what_comes_out() {
    let known = known();
    let scenario = entries(&known, "comparisons", 20)
        .iter()
        .find(|scenario| scenario["name"] == "twelve cases of the worked example")
        .unwrap();
    let results = both(scenario);
    let said = comparison(&results);
    let mean = &said.mean;
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/statistics.md")).unwrap();
    let told = |text: String| assert!(docs.contains(&text), "docs/statistics.md lacks `{text}`");
    let places = |value: Option<f64>| format!("{:.4}", value.unwrap()).replace('-', "−");
    told(format!("before {}", places(mean.before)));
    told(format!("now {}", places(mean.now)));
    told(format!("D̄ = {}", places(mean.difference)));
    told(format!("SE = {}", places(mean.error)));
    told(format!("L = {}", places(mean.low)));
    told(format!("U = {}", places(mean.high)));
    told(format!("minimum detectable drop is {}", places(mean.detectable)));
    told(format!("McNemar p = {}", places(said.flips.p)));
    for margin in [0.02, 0.05, 0.10] {
        let test = super::test(&results, DropMetric::Mean, margin).unwrap();
        told(format!(
            "| {margin:.2} | {} | {} |",
            places(test.p_worse),
            places(test.p_no_worse)
        ));
    }
}
