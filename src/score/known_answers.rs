//! The figures against `tests/figures/known_answers.json`, which a Python script computed from the same
//! cases by other means (see `tests/figures/known_answers.py`).

use serde_json::Value;

use super::figures;
use super::fixtures::{case, failed_check, near, results, sample, vote};
use crate::results::{CaseResult, Sample, VoteOutcome};

fn built(spec: &Value, index: usize) -> CaseResult {
    let samples = spec["samples"].as_array().unwrap().iter().map(|s| {
        let votes = s["votes"].as_array().unwrap().iter();
        let votes = votes.map(|v| {
            v.as_f64().map_or_else(
                || vote(VoteOutcome::Failed, None),
                |s| vote(VoteOutcome::Scored, Some(s)),
            )
        });
        let checks = if s["checks_ok"] == Value::Bool(false) {
            vec![failed_check()]
        } else {
            Vec::new()
        };
        Sample {
            checks,
            ..sample(votes.collect())
        }
    });
    CaseResult {
        samples: samples.collect(),
        weight: spec["weight"].as_f64().unwrap_or(1.0),
        group: spec["group"].as_str().map(str::to_owned),
        pass_score: spec["pass_score"].as_f64().unwrap_or(0.7),
        ..case(&format!("case-{index}"), &[])
    }
}

#[test]
fn figures_are_those_of_an_independent_computation() {
    let known: Value = serde_json::from_str(include_str!("../../tests/figures/known_answers.json")).unwrap();
    let known = known.as_array().unwrap();
    assert!(known.len() >= 15);
    for scenario in known {
        let name = scenario["name"].as_str().unwrap();
        let cases = scenario["cases"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .map(|(i, c)| built(c, i));
        let group = figures(&results(cases.collect())).overall;
        let expected = &scenario["figures"];
        near(name, "cases", Some(f64::from(group.cases)), &expected["cases"]);
        near(name, "scored", Some(f64::from(group.scored)), &expected["scored"]);
        near(name, "passed", Some(f64::from(group.passed)), &expected["passed"]);
        near(name, "coverage", group.coverage, &expected["coverage"]);
        near(name, "mean", group.mean, &expected["mean"]);
        near(name, "median", group.median, &expected["median"]);
        near(name, "min", group.min, &expected["min"]);
        near(name, "p10", group.p10, &expected["p10"]);
        near(name, "stddev", group.stddev, &expected["stddev"]);
        near(name, "pass_rate", group.pass_rate, &expected["pass_rate"]);
        for (what, got) in [
            ("mean_interval", group.mean_interval),
            ("pass_rate_interval", group.pass_rate_interval),
        ] {
            near(
                name,
                &format!("{what}.low"),
                got.map(|i| i.low),
                &expected[what][0],
            );
            near(
                name,
                &format!("{what}.high"),
                got.map(|i| i.high),
                &expected[what][1],
            );
        }
    }
}
