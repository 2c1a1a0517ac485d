//! `check`: everything that is wrong with the suites, all at once, each fault in its place.

use serde_json::Value;

use crate::harness::House;

/// Writes the files, checks the suites, and gives `file:line:column message` for each fault, in their order.
fn faults(files: &[(&str, &str)], suites: &[&str]) -> Vec<String> {
    let house = House::new();
    for (name, text) in files {
        house.write(name, text);
    }
    let ended = house.run(&[&["check", "--format", "json"], suites].concat());
    assert_eq!(ended.code, 3, "{ended:?}");
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    let suites = told["suites"].as_array().unwrap();
    suites
        .iter()
        .flat_map(|suite| suite["diagnostics"].as_array().unwrap())
        .map(|d| {
            let place = &d["place"];
            format!(
                "{}:{}:{} {}",
                place["file"].as_str().unwrap(),
                place["line"],
                place["column"],
                d["message"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn the_gates_faults_are_told_beside_those_of_the_cases() {
    let suite = "version: 1\nname: s\ncases:\n  - include: more.yaml\n  - prompt: no id\n    tags: [totals]\n  \
                 - id: one\n    promt: x\ngates:\n  - require: mean(tag: total) > 0.5\n  \
                 - require: mean(case: two) > 0.5\n  - require: mean(holdout) > 0.5\n  \
                 - require: min(critical) > 0.5\n";
    let more = "- id: three\n  prompt: ''\n  critcal: true\n";
    assert_eq!(
        faults(&[("s.yaml", suite), ("more.yaml", more)], &["s.yaml"]),
        [
            "s.yaml:5:5 the case has no `id`",
            "s.yaml:8:5 unknown key `promt` in the case",
            "s.yaml:10:24 no case is tagged `total`",
            "s.yaml:12:19 no case is `holdout: true`",
            "more.yaml:2:11 `prompt` is empty",
            "more.yaml:3:3 unknown key `critcal` in the case",
        ],
        "the case without an id may be `two`, and the slip of `critical` may be one"
    );
}

#[test]
fn a_gate_is_not_blamed_for_a_slip_in_the_cases() {
    let suite = "version: 1\nname: s\ncases:\n  - id: one\n    prompt: x\n    tagz: [totals]\n    holdot: true\n\
                 gates:\n  - require: mean(tag: totals) > 0.5\n  - require: mean(holdout) > 0.5\n";
    assert_eq!(
        faults(&[("s.yaml", suite)], &["s.yaml"]),
        [
            "s.yaml:6:5 unknown key `tagz` in the case",
            "s.yaml:7:5 unknown key `holdot` in the case",
        ]
    );
}

#[test]
fn the_count_of_faults_that_are_not_shown_stands_last() {
    let cases: String = (0..300)
        .map(|n| format!("  - id: c{n}\n    promt: x\n"))
        .collect();
    let suite = format!("version: 1\nname: s\ngates:\n  - require: maen > 0.5\ncases:\n{cases}");
    let told = faults(&[("s.yaml", &suite)], &["s.yaml"]);
    assert_eq!(told[0], "s.yaml:4:14 unknown metric `maen`");
    assert_eq!(told.last().unwrap(), "s.yaml:1:1 and 101 more faults, not shown");
}

#[test]
fn two_suites_of_one_name_are_told_at_the_second_ones_name() {
    let one = "version: 1\nname: Same\ncases:\n  - {id: a, prompt: x}\n";
    let two = "# second\nversion: 1\nname: 'same'\ncases:\n  - {id: a, prompt: x}\n";
    assert_eq!(
        faults(&[("1.yaml", one), ("2.yaml", two)], &["*.yaml"]),
        ["2.yaml:3:8 two suites are named `same`: this one and 1.yaml"]
    );
}

#[test]
fn an_alias_of_a_whole_case_is_told_as_one() {
    let suite = "version: 1\nname: s\ncases:\n  - &a {id: a, prompt: x}\n  - *a\n";
    let house = House::new();
    house.write("s.yaml", suite);
    let ended = house.run(&["check", "s.yaml"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended.stderr.contains("an alias repeats the whole case"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stdout, "s.yaml: refused, 1 fault\n");
}

#[test]
fn a_schema_that_is_no_json_is_told_by_characters_and_a_folder_by_its_name() {
    let suite = "version: 1\nname: s\ncases:\n  - id: a\n    prompt: x\n    checks: [json_schema: s.json]\n";
    assert_eq!(
        faults(
            &[("s.yaml", suite), ("s.json", "{\n  \"title\": \"ééé\" 1}")],
            &["s.yaml"]
        ),
        ["s.json:2:18 not JSON: expected `,` or `}`"]
    );
    assert_eq!(faults(&[], &["."]), [".:1:1 `.` is a folder, not a suite"]);
}

#[test]
fn drops_that_can_not_be_tested_are_refused_and_those_of_few_cases_a_warning() {
    let suite = "version: 1\nname: s\ncases:\n  - {id: one, prompt: x, tags: [t]}\ngates:\n  \
                 - require: drop(min) <= 0.1\n  - require: 'drop(mean(case: one)) <= 0.1'\n  \
                 - require: 'drop(mean(tag: t)) <= 0.1'\n  - require: drop(mean) >= 0.1\n";
    let always = "with a baseline this gate is always inconclusive: it takes 10 cases and has 1 case";
    assert_eq!(
        faults(&[("s.yaml", suite)], &["s.yaml"]),
        [
            "s.yaml:6:19 the drop of a lowest score can't be tested: one case decides it".to_owned(),
            "s.yaml:7:31 the drop of one case can't be tested".to_owned(),
            format!("s.yaml:8:15 {always}"),
            "s.yaml:9:25 a drop is limited from above, and `>=` does not do that".to_owned(),
        ]
    );
    let house = House::new();
    let sound =
        |gate: &str| format!("version: 1\nname: s\ncases:\n  - {{id: one, prompt: x}}\ngates:\n{gate}");
    house.write("s.yaml", &sound("  - require: drop(mean) <= 0.1\n"));
    let ended = house.run(&["check", "s.yaml"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains(always), "{ended:?}");
    house.write(
        "s.yaml",
        &sound("  - require: drop(mean) <= 0.1\n    else: warn\n"),
    );
    assert_eq!(house.run(&["check", "s.yaml"]).stderr, "");
}
