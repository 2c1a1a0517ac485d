//! `tunegate history`: which files it finds, what it makes of them, and what it says where there is nothing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{House, repository};

fn line(n: usize, mean: f64, due_date: &str) -> String {
    let line = json!({
        "version": 1, "run": format!("run-{n}"), "at": format!("2026-11-{:02}T03:17:00Z", n + 1),
        "commit": "9fceb02d0ae598e95dc970b74767f19372d61af8", "model": "invoice-extractor", "judge": "77aa",
        "suite": "a41f", "cases": 14, "scored": 14, "mean": mean, "decision": "pass",
        "verdicts": {"due-date": due_date, "total": "+00aa11bb"},
    });
    format!("{line}\n")
}

/// Nights of one suite; `due-date` passes and fails in turn.
fn nights(n: usize) -> String {
    let verdict = |n: usize| ["+00aa11bb", "-00aa11bb"][n % 2];
    (0..n)
        .map(|n| line(n, 0.5 + n as f64 / 100.0, verdict(n)))
        .collect()
}

#[test]
fn a_file_a_suite_s_folder_and_the_output_folder_are_found() {
    let house = House::new();
    house.write(".tunegate/invoices/history.jsonl", &nights(4));
    house.write(".tunegate/safety/history.jsonl", &nights(2));
    house.write(".tunegate/other/results.json", "{}");
    let named = |arguments: &[&str]| -> Vec<String> {
        let ended = house.run(&[&["history", "--format", "json"], arguments].concat());
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
        let list: Value = serde_json::from_str(&ended.stdout).unwrap();
        let list = list.as_array().unwrap().clone();
        list.iter()
            .map(|one| {
                format!(
                    "{} {}",
                    one["suite"].as_str().unwrap(),
                    one["runs"].as_array().unwrap().len()
                )
            })
            .collect()
    };
    assert_eq!(named(&[]), ["invoices 4", "safety 2"]);
    assert_eq!(named(&[".tunegate/safety"]), ["safety 2"]);
    assert_eq!(named(&[".tunegate/invoices/history.jsonl"]), ["invoices 4"]);
    assert_eq!(
        named(&[".tunegate/safety", ".tunegate"]),
        ["safety 2", "invoices 4"]
    );
    assert_eq!(named(&["--last", "3", ".tunegate/invoices"]), ["invoices 3"]);
    let elsewhere = house.run_with(&["history"], &[("TUNEGATE_OUTPUT_DIR", ".tunegate/safety")]);
    assert!(elsewhere.stdout.starts_with("safety\n"), "{elsewhere:?}");
}

#[test]
fn each_form_tells_the_trend_and_the_flaky_cases() {
    let house = House::new();
    house.write(".tunegate/invoices/history.jsonl", &nights(4));
    let text = house.run(&["history"]).stdout;
    assert!(
        text.starts_with("invoices\n  Mean 0.500 → 0.530 over 4 runs.\n"),
        "{text}"
    );
    assert!(text.contains("due-date  3 flips  passed 2 of 4"), "{text}");
    let markdown = house.run(&["history", "--format", "markdown"]).stdout;
    assert!(
        markdown.starts_with("## `invoices`\n\nMean 0.500 → 0.530 over 4 runs.\n"),
        "{markdown}"
    );
    let json: Value = serde_json::from_str(&house.run(&["history", "--format", "json"]).stdout).unwrap();
    let flaky = json!([{"case": "due-date", "runs": 4, "flips": 3, "passed": 2}]);
    assert_eq!(json[0]["flaky"], flaky);
    assert_eq!(json[0]["runs"][3]["mean"], 0.53);
}

#[test]
fn what_can_t_be_read_is_told_and_passed_over() {
    let house = House::new();
    let text = format!(
        "{}{{\"version\": 2}}\n##[add-mask]x\n{}",
        nights(1),
        line(1, 0.75, "+00aa11bb")
    );
    house.write("x/history.jsonl", &text);
    let ended = house.run(&["history", "x"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stderr.contains("history.jsonl: 2 lines passed over"),
        "{ended:?}"
    );
    assert!(
        ended.stdout.contains("Mean 0.500 → 0.750 over 2 runs."),
        "{ended:?}"
    );

    house.write("empty/history.jsonl", "");
    assert!(house.run(&["history", "empty"]).stdout.contains("No run so far."));
}

#[test]
fn on_github_no_name_in_a_history_is_a_command() {
    let house = House::new();
    let evil = nights(2)
        .replace("due-date", "##[error]due")
        .replace("invoice-extractor", "::error::x");
    house.write("x/history.jsonl", &evil);
    let github = [("GITHUB_ACTIONS", "true")];
    for form in ["text", "markdown", "json"] {
        let shown = house.run_with(&["history", "x", "--format", form], &github);
        assert_eq!(shown.code, 0, "{shown:?}");
        assert!(shown.stdout.contains("due"), "{shown:?}");
        assert!(!shown.stdout.contains("##["), "{shown:?}");
        let commands = shown
            .stdout
            .lines()
            .filter(|line| line.trim_start().starts_with("::error"));
        assert_eq!(commands.count(), 0, "{shown:?}");
    }
}

#[test]
fn where_there_is_nothing_it_says_what_to_give() {
    let house = House::new();
    let said = |arguments: &[&str]| {
        let ended = house.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
        ended.stderr
    };
    assert!(said(&["history"]).contains("can't read .tunegate"));
    house.write(".tunegate/a/results.json", "{}");
    assert!(said(&["history"]).contains("no history.jsonl in .tunegate or in a folder of it"));
    assert!(said(&["history", "--last", "0"]).contains("--last"));
    assert!(said(&["history", "--last", "401"]).contains("--last"));
    assert!(said(&["history", "--format", "html"]).contains("--format"));
    std::fs::create_dir_all(house.path("b/history.jsonl")).unwrap();
    assert!(said(&["history", "b/history.jsonl"]).contains("no history.jsonl in"));
}

#[test]
fn the_format_s_page_has_every_field_and_its_line_is_one() {
    let page = std::fs::read_to_string(repository().join("docs/results.md")).unwrap();
    let section = page.split_once("\n## `history.jsonl`").unwrap().1;
    let section = section.split("\n## ").next().unwrap();
    let line = section
        .split_once("```jsonl\n")
        .unwrap()
        .1
        .split_once("```")
        .unwrap()
        .0;
    let (entries, passed_over) = tunegate::history::read(line.as_bytes());
    assert_eq!((entries.len(), passed_over), (1, 0));
    assert_eq!(tunegate::history::write(&entries), line);

    // Every field is told to have a value here, so that none can be left out of the line above or the table.
    let tunegate::history::Entry {
        commit: Some(_),
        mean: Some(_),
        interval: Some(_),
        pass_rate: Some(_),
        difference: Some(_),
        outcome: Some(_),
        job: Some(_),
        ..
    } = &entries[0]
    else {
        panic!("{line}");
    };
    let fields: Value = serde_json::from_str(line).unwrap();
    let told: Vec<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(told.len(), 18, "{told:?}");
    let keys: BTreeSet<&str> = fields.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), keys);
}
