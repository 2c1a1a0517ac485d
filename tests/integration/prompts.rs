//! The suites that people begin with: on the emulator each launches on the first run and scores clearly higher on the
//! second, and each names its schema.

use serde_json::Value;

use crate::harness::{House, repository};

/// The results of a suite's first and second run on the emulator.
fn twice(house: &House, suite: &str, name: &str) -> [Value; 2] {
    [1, 2].map(|run| {
        let ended = house.run(&["run", suite, "--emulator"]);
        assert_eq!(ended.code, 0, "run {run} of {suite}: {ended:?}");
        let results = house.json(&format!(".tunegate/{name}/results.json"));
        assert_eq!(results["cycle"]["outcome"], "launched", "run {run} of {suite}");
        results
    })
}

fn mean(results: &Value) -> f64 {
    results["figures"]["overall"]["mean"].as_f64().unwrap()
}

fn rises(results: &[Value; 2]) {
    let [first, second] = [mean(&results[0]), mean(&results[1])];
    assert!((0.3..0.7).contains(&first), "the first run scores {first}");
    assert!(second > first + 0.3, "{second} after {first}");
    let held = &results[1]["figures"]["holdout"]["mean"];
    assert_eq!(
        held, &results[0]["figures"]["holdout"]["mean"],
        "holdouts are not learnt"
    );
}

#[test]
fn the_guard_s_suite_launches_and_rises() {
    let house = House::new();
    let suite = repository().join("prompts/safety.yaml");
    rises(&twice(&house, suite.to_str().unwrap(), "message-guard"));
}

#[test]
fn what_init_writes_launches_and_rises_at_once() {
    let house = House::new();
    assert_eq!(house.run(&["init"]).code, 0);
    rises(&twice(&house, "prompts/first.yaml", "first"));
    let again = house.run(&["init"]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("already there"), "{again:?}");
}

#[test]
fn each_names_its_schema_for_editors() {
    for (suite, schema) in [
        ("prompts/quickstart.yaml", "../schema/suite.v1.json"),
        ("prompts/safety.yaml", "../schema/suite.v1.json"),
        ("src/cli/init/suite.yaml", "/schema/suite.v1.json"),
    ] {
        let text = std::fs::read_to_string(repository().join(suite)).unwrap();
        let first = text.lines().next().unwrap();
        let named = first.strip_prefix("# yaml-language-server: $schema=").unwrap();
        assert!(named.ends_with(schema), "{suite}: {first}");
    }
    assert!(repository().join("schema/suite.v1.json").exists());
}
