//! The command line as a newcomer meets it: the help, the variables, the first suite.

use serde_json::Value;

use crate::harness::House;

#[test]
fn the_help_names_the_variable_of_every_option_whether_set_or_not() {
    let house = House::new();
    for variables in [&[][..], &[("TUNEGATE_CONCURRENCY", "")]] {
        let help = house.run_with(&["run", "--help"], variables);
        assert_eq!(help.code, 0);
        for name in [
            "PROJECT",
            "BASE_URL",
            "CONCURRENCY",
            "EMULATOR",
            "OUTPUT_DIR",
            "COLOR",
        ] {
            assert!(
                help.stdout.contains(&format!("[env: TUNEGATE_{name}]")),
                "{name}: {}",
                help.stdout
            );
        }
    }
}

#[test]
fn a_variable_that_is_neither_yes_nor_no_is_refused() {
    let house = House::new();
    let run = |value| house.run_with(&["check", "none.yaml"], &[("TUNEGATE_QUIET", value)]);
    let refused = run("perhaps");
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("--quiet"), "{refused:?}");
    for taken in ["true", "Yes", "1", "false", "No", "0", ""] {
        assert_eq!(run(taken).code, 3, "{taken}");
    }
}

#[test]
fn the_suite_that_init_writes_launches_and_scores_higher_when_run_again() {
    let house = House::new();
    assert_eq!(house.run(&["init"]).code, 0);
    let mean = || {
        let ended = house.run(&["run", "prompts/first.yaml", "--emulator"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let results: Value = house.json(".tunegate/first/results.json");
        assert_eq!(results["cycle"]["outcome"], "launched");
        results["figures"]["overall"]["mean"].as_f64().unwrap()
    };
    let (first, second) = (mean(), mean());
    assert!(first < 0.9 && second > first + 0.1, "{second} after {first}");
}

#[test]
fn an_empty_name_is_refused_before_anything_is_asked() {
    let house = House::new();
    for flag in ["--project", "--model", "--dataset", "--judge-model"] {
        let ended = house.run(&["eval", "s.yaml", "--emulator", flag, " "]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains(flag), "{ended:?}");
    }
}

#[test]
fn on_github_json_has_standard_output_to_itself() {
    let house = House::new();
    let warned =
        "version: 1\nname: w\ncases:\n  - {id: a, prompt: x, tags: [T]}\n  - {id: b, prompt: x, tags: [t]}\n";
    house.write("w.yaml", warned);
    let github = [("GITHUB_ACTIONS", "true")];
    let arguments = [
        "eval",
        "w.yaml",
        "--emulator",
        "--format",
        "json",
        "--project",
        "p",
        "--model",
        "m",
    ];
    let ended = house.run_with(&arguments, &github);
    assert!(
        serde_json::from_str::<Value>(&ended.stdout).is_ok(),
        "{}",
        ended.stdout
    );
    assert!(ended.stderr.contains("::warning file=w.yaml,line=5"), "{ended:?}");
    let text = house.run_with(&["check", "w.yaml"], &github);
    assert!(text.stdout.contains("::warning file=w.yaml,line=5"), "{text:?}");
}
