//! A suite over several processes: their results, merged, are those of one run; one that was killed goes on; what does
//! not fit is refused; and the cycle begins from the merged results, once.

use std::path::Path;

use serde_json::Value;
use tunegate::emulator::{self, Emulator};

use crate::harness::{EASY, Ended, House, PROJECT, options, suite};

const CASES: usize = 60;

async fn emulator() -> Emulator {
    emulator::start(options()).await.unwrap()
}

/// A house with a suite of 60 cases, anchors and a case of several samples.
fn house() -> House {
    let house = House::new();
    let anchors = "judge:\n  anchors:\n    - question: What is the total due?\n      answer: 5 EUR\n      expected: 0.5\n";
    let sampled =
        "  - id: thrice\n    prompt: \"Total due: 7 EUR. What is the total due?\"\n    samples: 3\n";
    house.write("s.yaml", &suite("s", CASES, &format!("{sampled}{anchors}{EASY}")));
    house
}

async fn shard(house: &House, emulator: &Emulator, shard: &str, more: &[&str]) -> Ended {
    let arguments = ["eval", "s.yaml", "--shard", shard, "--output-dir", "out"];
    let arguments: Vec<&str> = arguments.iter().chain(more).copied().collect();
    house.against(emulator, &arguments).await
}

/// Results without what differs by nature: the run's id, times, the number of looks at the model.
fn plain(mut results: Value) -> Value {
    fn still(value: &mut Value) {
        match value {
            Value::Object(keys) => {
                for (key, value) in keys {
                    match key.as_str() {
                        "latency_ms" | "total_ms" | "duration_ms" => *value = 0.into(),
                        _ => still(value),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(still),
            _ => {}
        }
    }
    still(&mut results);
    results["run"]["id"] = "".into();
    results["run"]["started_at"] = "".into();
    results["calls"].as_object_mut().unwrap().remove("model running");
    results
}

fn calls(results: &Value, name: &str) -> u64 {
    results["calls"][name]["calls"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_shards_at_once_merged_are_one_run() {
    let emulator = emulator().await;
    let house = house();
    let one = house
        .against(&emulator, &["eval", "s.yaml", "--output-dir", "one"])
        .await;
    assert_eq!(one.code, 0, "{one:?}");

    let names: Vec<String> = (1..=10).map(|i| format!("{i}/10")).collect();
    let all = names.iter().map(|name| shard(&house, &emulator, name, &[]));
    for ended in futures_util::future::join_all(all).await {
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stdout.contains("evaluated, to be merged"), "{ended:?}");
    }
    let first = house.json("out/s/shards/1-of-10/results.json");
    assert_eq!(first["run"]["shard"]["of"], 10);
    assert_eq!(
        first["verdict"]["decision"], "inconclusive",
        "it launches nothing by itself"
    );
    assert_eq!(first["anchors"].as_array().unwrap().len(), 1);
    assert_eq!(
        house.json("out/s/shards/2-of-10/results.json").get("anchors"),
        None
    );

    let merged = house.run(&["merge", "out", "--output-dir", "merged"]);
    assert_eq!(merged.code, 0, "{merged:?}");
    let (one, merged) = (
        house.json("one/s/results.json"),
        house.json("merged/s/results.json"),
    );
    for call in ["chat: answer", "chat: judge"] {
        assert_eq!(calls(&one, call), calls(&merged, call), "{call}");
    }
    assert_eq!(merged["run"].get("shard"), None);
    let text = |value| serde_json::to_string_pretty(&plain(value)).unwrap();
    assert_eq!(text(one), text(merged), "byte for byte");
    assert!(house.path("merged/s/summary.md").is_file());
    assert_eq!(house.read("merged/s/history.jsonl").lines().count(), 1);

    // Merged results lie beside their shards: a second merge of the folder finds the shards alone.
    for _ in 0..2 {
        assert_eq!(house.run(&["merge", "out", "--output-dir", "out"]).code, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_was_killed_goes_on_and_asks_nothing_twice() {
    let emulator = emulator().await;
    let house = house();
    let mut killed = house.command();
    killed
        .args([
            "eval",
            "s.yaml",
            "--shard",
            "2/2",
            "--output-dir",
            "out",
            "--concurrency",
            "2",
        ])
        .args(["--base-url", emulator.base_url()])
        .envs([("PREMAI_API_KEY", "secret-key"), ("TUNEGATE_TEST_DIE_AT", "20")]);
    let killed = tokio::task::spawn_blocking(move || killed.output().unwrap())
        .await
        .unwrap();
    assert!(!killed.status.success(), "{killed:?}");
    assert!(!house.path("out/s/shards/2-of-2/results.json").exists());

    assert_eq!(shard(&house, &emulator, "1/2", &[]).await.code, 0);
    let early = house.run(&["merge", "out", "--output-dir", "merged"]);
    assert_eq!(early.code, 2, "{early:?}");
    assert!(early.stderr.contains("shard 2 of 2 is missing"), "{early:?}");

    let ended = shard(&house, &emulator, "2/2", &[]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let second = house.json("out/s/shards/2-of-2/results.json");
    assert_eq!(second["run"]["resumed"], 1);
    let kept = second["run"]["kept"]["answers"].as_u64().unwrap();
    assert!(kept > 0);
    let answers: usize = second["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["samples"].as_array().unwrap().len())
        .sum();
    assert_eq!(calls(&second, "chat: answer") + kept, answers as u64);
    assert_eq!(house.run(&["merge", "out", "--output-dir", "merged"]).code, 0);
    let merged = house.json("merged/s/results.json");
    assert_eq!(merged["run"]["kept"]["answers"], kept);
    assert_eq!(merged["cases"].as_array().unwrap().len(), CASES + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cycle_goes_on_from_the_merged_results_and_launches_once() {
    let emulator = emulator().await;
    let house = house();
    for name in ["1/2", "2/2"] {
        assert_eq!(shard(&house, &emulator, name, &[]).await.code, 0);
    }
    assert_eq!(house.run(&["merge", "out", "--output-dir", "merged"]).code, 0);
    let of_a_shard = house
        .against(&emulator, &["cycle", "out/s/shards/1-of-2/results.json"])
        .await;
    assert_eq!(of_a_shard.code, 2, "{of_a_shard:?}");
    assert!(of_a_shard.stderr.contains("tunegate merge"), "{of_a_shard:?}");

    let compared = house.run(&["diff", "merged/s", "out/s/shards/1-of-2"]);
    assert_eq!(compared.code, 2, "{compared:?}");
    assert!(compared.stderr.contains("is shard 1 of 2"), "{compared:?}");

    let cycle = ["cycle", "merged/s/results.json", "--output-dir", "merged"];
    let ended = house.against(&emulator, &cycle).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let results = house.json("merged/s/results.json");
    assert_eq!(results["cycle"]["outcome"], "launched");
    let written = results["cycle"]["traces"]["written"].as_u64().unwrap();
    assert!(written > CASES as u64 / 2, "{written}");
    let again = house.against(&emulator, &cycle).await;
    assert_eq!(again.code, 2, "{again:?}");
    assert!(again.stderr.contains("launched job"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baseline_is_judged_again_in_parts_and_put_together() {
    let emulator = emulator().await;
    let house = house();
    let before = house
        .against(&emulator, &["eval", "s.yaml", "--output-dir", "before"])
        .await;
    assert_eq!(before.code, 0, "{before:?}");
    let strict = house
        .read("s.yaml")
        .replace("judge:\n", "judge:\n  rubric: Be strict.\n");
    // One case is gone, and another one is new: of these nothing is judged again.
    let strict = strict.replace("  - id: case-7\n", "  - id: case-new\n");
    house.write("s.yaml", &strict);
    let compared = ["--baseline", "before", "--rejudge-baseline"];

    let mut one = vec!["eval", "s.yaml", "--output-dir", "one"];
    one.extend(compared);
    let one = house.against(&emulator, &one).await;
    assert_eq!(one.code, 0, "{one:?}");
    for name in ["1/3", "2/3", "3/3"] {
        let ended = shard(&house, &emulator, name, &compared).await;
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    assert_eq!(house.run(&["merge", "out", "--output-dir", "merged"]).code, 0);
    let (one, merged) = (
        house.json("one/s/results.json"),
        house.json("merged/s/results.json"),
    );
    assert_eq!(merged["baseline"]["rejudged"], true);
    assert_eq!(plain(one), plain(merged));

    // Whoever says none gets none, and is told that there was one.
    let none = ["merge", "out", "--output-dir", "alone", "--baseline", "none"];
    let alone = house.run(&none);
    assert_eq!(alone.code, 0, "{alone:?}");
    assert!(alone.stderr.contains("as --baseline none asks"), "{alone:?}");
    let results = house.json("alone/s/results.json");
    for field in ["baseline", "comparison", "without_baseline", "baseline_unknown"] {
        assert_eq!(results.get(field), None, "{field}");
    }
    assert_eq!(results["figures"], house.json("merged/s/results.json")["figures"]);

    // A baseline that nobody judges again is compared with by the merge itself.
    let refused = house.run(&[
        "merge",
        "out",
        "--output-dir",
        "x",
        "--baseline",
        "out/s/shards/1-of-3",
    ]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("results of shard 1 of 3"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_compares_by_itself_and_its_gates_decide() {
    let emulator = emulator().await;
    let house = house();
    let before = house
        .against(&emulator, &["eval", "s.yaml", "--output-dir", "before"])
        .await;
    assert_eq!(before.code, 0, "{before:?}");
    house.write(
        "gates.yaml",
        &suite("s", 1, "gates:\n  - require: mean >= 0.999\n"),
    );
    for name in ["1/2", "2/2"] {
        assert_eq!(shard(&house, &emulator, name, &[]).await.code, 0);
    }
    let merged = house.run(&[
        "merge",
        "out",
        "--output-dir",
        "merged",
        "--baseline",
        "before",
        "--policy-from",
        "gates.yaml",
    ]);
    assert_eq!(merged.code, 10, "{merged:?}");
    let results = house.json("merged/s/results.json");
    assert_eq!(results["verdict"]["decision"], "fail");
    assert_eq!(results["suite"]["policy"]["from"], "gates.yaml");
    let compared = results["comparison"]["mean"]["n"].as_u64().unwrap();
    assert_eq!(compared, CASES as u64 + 1);
    let rejudging = house.run(&["merge", "out", "--output-dir", "x", "--rejudge-baseline"]);
    assert_eq!(rejudging.code, 2, "{rejudging:?}");
    assert!(
        rejudging.stderr.contains("each `tunegate eval --shard`"),
        "{rejudging:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn more_shards_than_cases_leave_some_empty() {
    let emulator = emulator().await;
    let house = House::new();
    house.write("s.yaml", &suite("s", 2, EASY));
    for name in ["1/4", "2/4", "3/4", "4/4"] {
        let ended = shard(&house, &emulator, name, &[]).await;
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let empty = (1..=4).filter(|i| {
        let results = house.json(&format!("out/s/shards/{i}-of-4/results.json"));
        let reason = results["verdict"]["reason"].as_str().unwrap();
        assert_eq!(
            results["cases"].as_array().unwrap().is_empty(),
            reason.contains("with no case")
        );
        results["cases"].as_array().unwrap().is_empty()
    });
    assert_eq!(empty.count(), 2);
    assert_eq!(house.run(&["merge", "out", "--output-dir", "merged"]).code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_of_another_day_is_told() {
    let emulator = emulator().await;
    let house = House::new();
    house.write("s.yaml", &suite("s", 4, EASY));
    for name in ["1/2", "2/2"] {
        assert_eq!(shard(&house, &emulator, name, &[]).await.code, 0);
    }
    let merge = ["merge", "out", "--output-dir", "merged"];
    let merged = house.run(&merge);
    assert!(!merged.stderr.contains("apart"), "{merged:?}");
    let path = "out/s/shards/2-of-2/results.json";
    let mut left = house.json(path);
    left["run"]["started_at"] = "2020-01-01T00:00:00Z".into();
    house.write(path, &left.to_string());
    let merged = house.run(&merge);
    assert_eq!(merged.code, 0, "{merged:?}");
    assert!(
        merged.stderr.contains("hours apart, the first at 2020-01-01"),
        "{merged:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_that_was_cut_short_is_incomplete_and_so_is_the_whole() {
    let emulator = emulator().await;
    let house = house();
    let cut = shard(
        &house,
        &emulator,
        "1/2",
        &["--max-calls", "10", "--concurrency", "1"],
    )
    .await;
    assert_eq!(cut.code, 11, "{cut:?}");
    assert_eq!(shard(&house, &emulator, "2/2", &[]).await.code, 0);
    let merged = house.run(&["merge", "out", "--output-dir", "merged"]);
    assert_eq!(merged.code, 11, "{merged:?}");
    let results = house.json("merged/s/results.json");
    assert_eq!(results["run"]["stopped"]["kind"], "budget");
    let told = results["run"]["stopped"]["message"].as_str().unwrap();
    assert!(told.starts_with("shard 1 of 2: "), "{told}");
}

#[test]
fn what_can_t_be_is_refused_before_anything_is_asked() {
    let house = house();
    let run = house.run(&["run", "s.yaml", "--emulator", "--shard", "1/2"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("`tunegate merge`"), "{run:?}");
    let odd = house.run(&["eval", "s.yaml", "--emulator", "--shard", "3/2"]);
    assert_eq!(odd.code, 2, "{odd:?}");
    assert!(odd.stderr.contains("the last one 2/2"), "{odd:?}");
    let nothing = house.run(&["merge", "."]);
    assert_eq!(nothing.code, 2, "{nothing:?}");
    assert!(
        nothing.stderr.contains("no results.json of a shard"),
        "{nothing:?}"
    );
    assert!(!Path::new(&house.path(".tunegate")).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_github_a_matrix_is_merged_and_gone_on_with() {
    let emulator = emulator().await;
    let house = house();
    house.write("event.json", "{}");
    let step = |inputs: &[(&str, &str)], files: &str| {
        house
            .write(&format!("{files}.out"), "")
            .write(&format!("{files}.md"), "");
        let path = |below: String| house.path(&below).to_str().unwrap().to_owned();
        let mut command = house.command();
        command
            .arg("action")
            .envs([
                ("CI", "true".to_owned()),
                ("GITHUB_ACTIONS", "true".to_owned()),
                ("GITHUB_EVENT_NAME", "schedule".to_owned()),
                ("GITHUB_EVENT_PATH", path("event.json".to_owned())),
                ("GITHUB_REPOSITORY", "acme/x".to_owned()),
                ("GITHUB_RUN_ID", "77".to_owned()),
                ("GITHUB_JOB", files.split('-').next().unwrap().to_owned()),
                ("GITHUB_OUTPUT", path(format!("{files}.out"))),
                ("GITHUB_STEP_SUMMARY", path(format!("{files}.md"))),
                ("TUNEGATE_SUITES", "s.yaml".to_owned()),
                ("TUNEGATE_BASE_URL", emulator.base_url().to_owned()),
                ("TUNEGATE_SHARD", String::new()),
                ("PREMAI_API_KEY", "secret-key".to_owned()),
            ])
            .envs(inputs.iter().copied());
        tokio::task::spawn_blocking(move || Ended::from(command.output().unwrap()))
    };
    let output = |files: &str, name: &str| {
        let text = house.read(&format!("{files}.out"));
        let (_, rest) = text.rsplit_once(&format!("{name}<<")).unwrap();
        let (delimiter, rest) = rest.split_once('\n').unwrap();
        rest.split_once(&format!("\n{delimiter}")).unwrap().0.to_owned()
    };
    for index in ["1", "2"] {
        let (shard, files) = (format!("{index}/2"), format!("evaluate-{index}"));
        let inputs = [
            ("TUNEGATE_MODE", "eval"),
            ("TUNEGATE_SHARD", &shard),
            ("TUNEGATE_OUTPUT_DIR", "a"),
        ];
        let ended = step(&inputs, &files).await.unwrap();
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(output(&files, "result"), "shard");
        assert_eq!(output(&files, "report-dir"), format!("a/s/shards/{index}-of-2"));
        assert!(
            !ended.stdout.contains("::error"),
            "the merged run annotates: {ended:?}"
        );
    }
    let merge = [("TUNEGATE_MODE", "merge"), ("TUNEGATE_RESULTS", "a")];
    let ended = step(&merge, "decide-merge").await.unwrap();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(output("decide-merge", "result"), "passed");
    let path = output("decide-merge", "results-path");
    assert_eq!(path, ".tunegate/s/results.json");
    assert!(house.read("decide-merge.md").contains("passed"));
    let shards = house.json("a/s/shards/2-of-2/results.json");
    assert_eq!(shards["run"]["shard"]["workflow_run"], 77);
    assert_eq!(
        house.json(&path)["run"]["id"],
        shards["run"]["id"],
        "one run, one id"
    );

    let cycle = [("TUNEGATE_MODE", "cycle"), ("TUNEGATE_RESULTS", path.as_str())];
    let ended = step(&cycle, "decide-cycle").await.unwrap();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(output("decide-cycle", "result"), "launched");

    // A path a line, and a blank within one is the path's.
    for part in ["1", "2"] {
        house.write(
            &format!("shards of today/{part}/results.json"),
            &house.read(&format!("a/s/shards/{part}-of-2/results.json")),
        );
    }
    let blanks = [
        ("TUNEGATE_MODE", "merge"),
        (
            "TUNEGATE_RESULTS",
            "\n  shards of today/1 \r\n\n shards of today/2\n",
        ),
        ("TUNEGATE_OUTPUT_DIR", "of today"),
    ];
    let ended = step(&blanks, "decide-blanks").await.unwrap();
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(output("decide-blanks", "results-path"), "of today/s/results.json");
    let nothing = step(&[("TUNEGATE_MODE", "merge")], "decide-none").await.unwrap();
    assert_eq!(nothing.code, 2, "{nothing:?}");
    assert!(
        nothing.stderr.contains("needs the input `results`"),
        "{nothing:?}"
    );
    assert_eq!(house.json(&path)["suite"]["project"], PROJECT);
}

#[test]
fn where_the_shards_were_skipped_so_is_the_merge() {
    let house = House::new();
    let payload = |from: &str| {
        let repository = serde_json::json!({"full_name": "acme/x"});
        serde_json::json!({
            "repository": repository.clone(),
            "pull_request": {
                "number": 1,
                "base": {"ref": "main", "sha": "a".repeat(40), "repo": repository},
                "head": {"ref": "b", "sha": "b".repeat(40), "repo": {"full_name": from, "fork": from != "acme/x"}},
            },
        })
    };
    for (from, code) in [("stranger/x", 0), ("acme/x", 2)] {
        house
            .write("event.json", &payload(from).to_string())
            .write("out", "");
        let variables = [
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_EVENT_PATH", "event.json"),
            ("GITHUB_OUTPUT", "out"),
            ("TUNEGATE_MODE", "merge"),
            ("TUNEGATE_RESULTS", "shards"),
        ];
        let ended = house.run_with(&["action"], &variables);
        assert_eq!(ended.code, code, "{from}: {ended:?}");
        let result = if code == 0 { "skipped" } else { "invalid" };
        assert!(house.read("out").contains(&format!("\n{result}\n")), "{ended:?}");
    }
}
