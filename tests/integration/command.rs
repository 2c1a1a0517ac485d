//! The commands as a person or a workflow runs them: exit codes, streams, files.

use serde_json::Value;
use tunegate::emulator;

use crate::harness::{EASY, House, options, suite};

async fn emulator() -> emulator::Emulator {
    emulator::start(options()).await.unwrap()
}

#[test]
fn the_quickstart_launches_and_its_second_run_scores_higher() {
    let house = House::new();
    let quickstart = crate::harness::repository().join("prompts/quickstart.yaml");
    let quickstart = quickstart.to_str().unwrap();
    let first = house.run(&["run", quickstart, "--emulator"]);
    assert_eq!(first.code, 0, "{first:?}");
    let one = house.json(".tunegate/invoice-extraction/results.json");
    assert_eq!(one["cycle"]["outcome"], "launched", "{first:?}");
    let second = house.run(&["run", quickstart, "--emulator"]);
    assert_eq!(second.code, 0, "{second:?}");
    let two = house.json(".tunegate/invoice-extraction/results.json");
    let mean = |r: &Value| r["figures"]["overall"]["mean"].as_f64().unwrap();
    assert!(
        (0.3..0.9).contains(&mean(&one)),
        "the first cycle scores in the middle: {}",
        mean(&one)
    );
    assert!(
        mean(&two) > mean(&one) + 0.1,
        "{} after {}",
        mean(&two),
        mean(&one)
    );
    assert!(first.stdout.contains("emulator") && second.stdout.contains("emulator"));
}

#[tokio::test]
async fn each_answer_becomes_one_trace_one_row_and_the_cycle_one_snapshot_and_one_job() {
    let (house, emulator) = (House::new(), emulator().await);
    house.write("s.yaml", &suite("s", 50, EASY));
    let ended = house.against(&emulator, &["run", "s.yaml"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let state = emulator.state().await;
    assert_eq!(count(&state, "traces"), 50, "{state:#}");
    assert_eq!(count(&state, "snapshots"), 1);
    assert_eq!(count(&state, "jobs"), 1);
    let results = house.json(".tunegate/s/results.json");
    assert_eq!(results["cycle"]["traces"]["rows"], 50, "{}", results["cycle"]);
}

/// How many of a kind the emulator holds.
fn count(state: &Value, kind: &str) -> usize {
    state[kind].as_array().unwrap().len()
}

#[tokio::test]
async fn a_dry_run_and_an_evaluation_write_nothing() {
    let (house, emulator) = (House::new(), emulator().await);
    house.write("s.yaml", &suite("s", 3, EASY));
    let dry = house.against(&emulator, &["run", "s.yaml", "--dry-run"]).await;
    assert_eq!(dry.code, 0, "{dry:?}");
    let results = house.json(".tunegate/s/results.json");
    assert_eq!(results["cycle"]["outcome"], "dry_run");
    let planned = results["cycle"]["planned"].as_array().unwrap();
    assert_eq!(planned.iter().filter(|w| w["call"] == "create trace").count(), 3);
    assert_eq!(planned.iter().filter(|w| w["call"] == "create job").count(), 1);
    let eval = house.against(&emulator, &["eval", "s.yaml"]).await;
    assert_eq!(eval.code, 0, "{eval:?}");
    let state = emulator.state().await;
    assert_eq!(
        (
            count(&state, "traces"),
            count(&state, "snapshots"),
            count(&state, "jobs")
        ),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn without_a_launch_the_snapshot_is_taken_and_a_later_cycle_launches_from_it_once() {
    let (house, emulator) = (House::new(), emulator().await);
    house.write("s.yaml", &suite("s", 4, EASY));
    let ended = house.against(&emulator, &["run", "s.yaml", "--no-launch"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(count(&emulator.state().await, "jobs"), 0);
    let later = house
        .against(&emulator, &["cycle", ".tunegate/s/results.json"])
        .await;
    assert_eq!(later.code, 0, "{later:?}");
    let again = house
        .against(&emulator, &["cycle", ".tunegate/s/results.json"])
        .await;
    assert_eq!(again.code, 2, "a second launch is refused: {again:?}");
    let state = emulator.state().await;
    assert_eq!(
        (
            count(&state, "traces"),
            count(&state, "snapshots"),
            count(&state, "jobs")
        ),
        (4, 1, 1)
    );
}

#[tokio::test]
async fn a_cycle_that_died_while_it_took_over_saved_results_takes_no_second_snapshot() {
    let (house, emulator) = (House::new(), emulator().await);
    house.write("s.yaml", &suite("s", 4, EASY));
    let ended = house.against(&emulator, &["run", "s.yaml", "--no-launch"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    // Another folder, where a process ended behind the first thing that the results told it.
    let journal = house.read(".tunegate/s/journal.jsonl");
    let first = |word: &str| journal.lines().find(|line| line.contains(word)).unwrap();
    let half = format!(
        "{}\n{}\n",
        first("\"begun\""),
        first("\"done\":{\"write\":{\"trace\"")
    );
    house.write("elsewhere/s/journal.jsonl", &half);
    let cycle = ["cycle", ".tunegate/s/results.json", "--output-dir", "elsewhere"];
    let later = house.against(&emulator, &cycle).await;
    assert_eq!(later.code, 0, "{later:?}");
    let state = emulator.state().await;
    assert_eq!(
        (
            count(&state, "traces"),
            count(&state, "snapshots"),
            count(&state, "jobs")
        ),
        (4, 1, 1)
    );
}

#[tokio::test]
async fn one_service_s_answers_are_never_written_to_the_other() {
    let (house, emulator) = (House::new(), emulator().await);
    house.write("s.yaml", &suite("s", 2, EASY));
    assert_eq!(house.run(&["eval", "s.yaml", "--emulator"]).code, 0);
    let ended = house
        .against(&emulator, &["cycle", ".tunegate/s/results.json"])
        .await;
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("--emulator"), "{}", ended.stderr);
    assert_eq!(count(&emulator.state().await, "traces"), 0);
    assert_eq!(
        house
            .run(&["cycle", ".tunegate/s/results.json", "--emulator"])
            .code,
        0
    );
}

#[test]
fn a_results_file_can_t_choose_the_folder_that_is_written_to() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 1, EASY));
    assert_eq!(house.run(&["eval", "s.yaml", "--emulator"]).code, 0);
    let forged = house
        .read(".tunegate/s/results.json")
        .replace("\"name\": \"s\"", "\"name\": \"../../s\"");
    house.write("forged.json", &forged);
    let ended = house.run(&["cycle", "forged.json", "--emulator"]);
    assert_eq!(ended.code, 2, "{ended:?}");
}

#[tokio::test]
async fn a_cycle_believes_the_answers_and_the_gates_and_no_verdict_in_the_file() {
    let (house, emulator) = (House::new(), emulator().await);
    let gates = "gates: [{require: mean > 0.999}]\ncycle: {poll: 20ms}\n";
    house.write("s.yaml", &suite("s", 2, gates));
    assert_eq!(house.against(&emulator, &["eval", "s.yaml"]).await.code, 10);
    let mut results = house.json(".tunegate/s/results.json");
    results["verdict"]["decision"] = "pass".into();
    results["figures"]["overall"]["mean"] = 1.0.into();
    house.write("edited.json", &results.to_string());
    let ended = house.against(&emulator, &["cycle", "edited.json"]).await;
    assert_eq!(ended.code, 10, "{ended:?}");
    assert_eq!(count(&emulator.state().await, "jobs"), 0);
}

#[tokio::test]
async fn gates_decide_the_exit_code_and_nothing_is_snapshot_when_they_say_no() {
    let emulator = emulator().await;
    for (gates, code, snapshots) in [
        ("gates: [{require: mean > 0.999}]\ncycle: {poll: 20ms}\n", 10, 0),
        (
            "gates: [{require: mean > 0.999, else: hold}]\ncycle: {poll: 20ms}\n",
            0,
            0,
        ),
        (
            "gates: [{require: mean > 0.999, else: warn}]\ncycle: {poll: 20ms}\n",
            0,
            1,
        ),
    ] {
        let house = House::new();
        house.write("s.yaml", &suite("s", 3, gates));
        let before = count(&emulator.state().await, "snapshots");
        let ended = house.against(&emulator, &["run", "s.yaml"]).await;
        assert_eq!(ended.code, code, "{gates}: {ended:?}");
        assert_eq!(
            count(&emulator.state().await, "snapshots") - before,
            snapshots,
            "{gates}"
        );
        assert!(
            house.path(".tunegate/s/results.json").exists(),
            "the report is written before any exit"
        );
    }
}

#[tokio::test]
async fn a_broken_suite_stops_everything_before_the_first_call() {
    let (house, emulator) = (House::new(), emulator().await);
    house.write("good.yaml", &suite("good", 1, EASY));
    house.write(
        "bad.yaml",
        "version: 1\nname: bad\ncaes: []\ngates: [{require: meen > 2}]\n",
    );
    let ended = house.against(&emulator, &["run", "good.yaml", "bad.yaml"]).await;
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(
        ended.stderr.contains("bad.yaml:3:1") && ended.stderr.contains("cases"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("mean"),
        "the gate's fault is told in the same go: {}",
        ended.stderr
    );
    assert_eq!(count(&emulator.state().await, "traces"), 0);
    assert!(!house.path(".tunegate").exists());
}

#[tokio::test]
async fn a_dataset_that_is_not_there_is_told_before_an_answer_is_paid_for() {
    let (house, emulator) = (House::new(), emulator().await);
    house.write("s.yaml", &suite("s", 3, EASY));
    let ended = house
        .against(&emulator, &["run", "s.yaml", "--dataset", "invoises"])
        .await;
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(
        ended.stdout.contains("invoices"),
        "the list of what is there: {ended:?}"
    );
    let results = house.json(".tunegate/s/results.json");
    assert!(
        results["calls"].get("chat: answer").is_none(),
        "{}",
        results["calls"]
    );
    assert_eq!(results["cases"][0]["samples"][0]["outcome"], "not_asked");
}

#[test]
fn no_key_and_no_project_are_told_with_what_to_set() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 1, EASY));
    let ended = house.run(&["run", "s.yaml"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("PREMAI_API_KEY"), "{}", ended.stderr);
    house.write(
        "bare.yaml",
        "version: 1\nname: bare\ncases: [{id: a, prompt: b}]\n",
    );
    let ended = house.run(&["eval", "bare.yaml"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.contains("TUNEGATE_PROJECT") && ended.stderr.contains("TUNEGATE_MODEL"),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn a_refused_key_stops_the_run_with_what_to_set_and_a_report() {
    let house = House::new();
    let emulator = emulator::start(emulator::Options {
        key: Some("another".into()),
        ..options()
    })
    .await
    .unwrap();
    house.write("s.yaml", &suite("s", 30, EASY));
    let ended = house.against(&emulator, &["run", "s.yaml"]).await;
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(
        format!("{}{}", ended.stdout, ended.stderr).contains("PREMAI_API_KEY"),
        "{ended:?}"
    );
    assert!(house.path(".tunegate/s/summary.md").exists());
}

#[test]
fn a_service_that_is_not_there_ends_an_evaluation_with_4() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 1, EASY));
    // Nobody listens on a port that was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}");
    let ended = house.run_with(
        &["eval", "s.yaml", "--base-url", &url],
        &[("PREMAI_API_KEY", "secret-key")],
    );
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(house.path(".tunegate/s/summary.md").exists());
}

#[test]
fn several_suites_have_a_report_each_and_one_total() {
    let house = House::new();
    house
        .write("suites/a.yaml", &suite("a", 2, EASY))
        .write("suites/b.yaml", &suite("b", 2, EASY));
    let ended = house.run(&["eval", "suites/*.yaml", "--emulator", "--format", "json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let all: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(all.len(), 2);
    for name in ["a", "b"] {
        assert!(house.path(&format!(".tunegate/{name}/summary.md")).exists());
    }
}

#[test]
fn github_gets_outputs_a_summary_and_no_command_from_foreign_text() {
    let house = House::new();
    let prompt = "::error::injected\n##[group]x\n@everyone ::set-output name=a::b";
    let text = suite("s", 2, EASY).replace("Invoice number 0", &prompt.replace('\n', "\n      "));
    house.write("s.yaml", &text);
    let out = house.path("out");
    let summary = house.path("summary");
    let ended = house.run_with(
        &["action"],
        &[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_OUTPUT", out.to_str().unwrap()),
            ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
            ("GITHUB_EVENT_NAME", "schedule"),
            ("TUNEGATE_SUITES", "s.yaml"),
            ("TUNEGATE_EMULATOR", "true"),
            ("TUNEGATE_PROJECT", ""),
            ("TUNEGATE_CONCURRENCY", ""),
        ],
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    let outputs = house.read("out");
    for name in [
        "result",
        "launched",
        "job-id",
        "snapshot-id",
        "mean",
        "pass-rate",
        "coverage",
        "traces",
        "report-dir",
        "results-path",
    ] {
        assert!(outputs.contains(&format!("{name}<<")), "{name} in {outputs}");
    }
    assert!(house.read("summary").contains("invoice-extractor"));
    let mut stopped: Option<String> = None;
    for line in ended.stdout.lines().chain(ended.stderr.lines()) {
        let line = line.trim_start();
        match &stopped {
            Some(token) if line == format!("::{token}::") => stopped = None,
            Some(_) => {}
            None if line.starts_with("::stop-commands::") => {
                stopped = line.strip_prefix("::stop-commands::").map(str::to_owned);
            }
            None => assert!(
                !line.contains("injected") || !line.starts_with("::"),
                "a command came through: {line}"
            ),
        }
    }
}
