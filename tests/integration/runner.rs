//! The action as GitHub's runner starts it: the environment of `runs.env`, an event, the runner's files.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tunegate::emulator;

use crate::harness::{EASY, Ended, House, PROJECT, options, suite};

/// A house with a suite, and what the runner gives a step.
struct Step {
    house: House,
}

impl Step {
    fn new() -> Self {
        let house = House::new();
        house
            .write("prompts/s.yaml", &suite("s", 2, EASY))
            .write("prompts/broken.yaml", "version: 1\nname: broken\ncaes: []\n")
            .write("out", "")
            .write("summary", "");
        Step { house }
    }

    fn command(&self, event: &str, payload: &Value, inputs: &[(&str, &str)]) -> Command {
        self.house.write("event.json", &payload.to_string());
        let path = |below: &str| self.house.path(below).to_str().unwrap().to_owned();
        let mut command = self.house.command();
        command.arg("action").envs([
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_EVENT_NAME", event.to_owned()),
            ("GITHUB_EVENT_PATH", path("event.json")),
            ("GITHUB_OUTPUT", path("out")),
            ("GITHUB_STEP_SUMMARY", path("summary")),
            ("TUNEGATE_SUITES", "prompts/s.yaml".to_owned()),
            // Refused when it comes to asking anything, and not before.
            ("TUNEGATE_BASE_URL", "http://example.com".to_owned()),
        ]);
        command.envs(inputs.iter().copied());
        command
    }

    fn run(&self, event: &str, payload: &Value, inputs: &[(&str, &str)]) -> Ended {
        self.command(event, payload, inputs).output().unwrap().into()
    }

    /// The value of an output; the last one counts, as for the runner.
    fn output(&self, name: &str) -> Option<String> {
        let text = self.house.read("out");
        let (_, rest) = text.rsplit_once(&format!("{name}<<"))?;
        let (delimiter, rest) = rest.split_once('\n')?;
        Some(rest.split_once(&format!("\n{delimiter}"))?.0.to_owned())
    }
}

fn pull_request(from: &str) -> Value {
    let repository = json!({"full_name": "acme/invoices"});
    json!({"repository": repository, "sender": {"login": "octocat"}, "pull_request": {
        "number": 17,
        "head": {"ref": "x", "sha": "9f", "repo": {"full_name": from}},
        "base": {"ref": "main", "sha": "11", "repo": repository},
    }})
}

#[test]
fn a_strangers_suite_is_not_run_with_the_key() {
    let (fork, ours) = (pull_request("stranger/invoices"), pull_request("acme/invoices"));
    let key = ("PREMAI_API_KEY", "k");
    for (event, payload, inputs, result) in [
        ("pull_request_target", &fork, vec![key], "skipped"),
        // Whatever the option takes for a no is a no here as well.
        (
            "pull_request_target",
            &fork,
            vec![key, ("TUNEGATE_EMULATOR", "off")],
            "skipped",
        ),
        (
            "pull_request_target",
            &fork,
            vec![key, ("TUNEGATE_EMULATOR", "true")],
            "passed",
        ),
        (
            "pull_request_target",
            &fork,
            vec![key, ("TUNEGATE_ALLOW_UNTRUSTED", "true")],
            "invalid",
        ),
        ("pull_request_target", &ours, vec![key], "invalid"),
        ("pull_request", &fork, vec![], "skipped"),
        ("pull_request", &ours, vec![], "invalid"),
    ] {
        let step = Step::new();
        let ended = step.run(event, payload, &inputs);
        let told = step.output("result");
        assert_eq!(told.as_deref(), Some(result), "{event} {inputs:?}: {ended:?}");
        assert_eq!(
            ended.code == 0,
            ["skipped", "passed"].contains(&result),
            "{ended:?}"
        );
    }
}

#[test]
fn the_names_of_suites_are_never_options() {
    let step = Step::new();
    for option in ["--base-url=elsewhere", "--emulator", "-h"] {
        let inputs = [("PREMAI_API_KEY", "k"), ("TUNEGATE_SUITES", option)];
        let ended = step.run("push", &json!({}), &inputs);
        assert_eq!(ended.code, 3, "{option}: {ended:?}");
        assert!(
            ended.stderr.contains(&format!("--> {option}:1:1")),
            "it is a file's name: {}",
            ended.stderr
        );
    }
}

#[test]
fn however_it_ends_the_outputs_and_the_summary_say_so() {
    for (inputs, code, result) in [
        (&[("TUNEGATE_MODE", "check")][..], 0, "passed"),
        (
            &[
                ("TUNEGATE_MODE", "check"),
                ("TUNEGATE_SUITES", "prompts/broken.yaml"),
            ],
            3,
            "invalid",
        ),
        (&[("TUNEGATE_SUITES", "prompts/broken.yaml")], 3, "invalid"),
        (&[("TUNEGATE_SUITES", "nowhere/*.yaml")], 3, "invalid"),
        (&[("TUNEGATE_MODE", "runn")], 2, "invalid"),
        (&[("TUNEGATE_CONCURRENCY", "many")], 2, "invalid"),
        (&[("GITHUB_EVENT_PATH", "nowhere.json")], 2, "invalid"),
        (&[("TUNEGATE_MODE", "run")], 2, "invalid"),
    ] {
        let step = Step::new();
        let ended = step.run("push", &json!({}), inputs);
        assert_eq!(ended.code, code, "{inputs:?}: {ended:?}");
        assert_eq!(
            step.output("result").as_deref(),
            Some(result),
            "{inputs:?}: {ended:?}"
        );
        assert_eq!(step.output("launched").as_deref(), Some("false"), "{inputs:?}");
        let summary = step.house.read("summary");
        assert!(
            !summary.contains("--help"),
            "nobody can ask a workflow: {summary}"
        );
        assert!(
            summary.starts_with(&format!("### tunegate: {result}\n\n")),
            "{inputs:?}: {summary}"
        );
    }
}

#[test]
fn an_error_in_the_summary_is_text() {
    let step = Step::new();
    let ended = step.run(
        "push",
        &json!({}),
        &[("TUNEGATE_MODE", "x`\n# @everyone\r![](https://example.com/a.png)")],
    );
    assert_eq!(ended.code, 2, "{ended:?}");
    for line in step.house.read("summary").split(['\n', '\r']).skip(2) {
        assert!(line.is_empty() || line.starts_with("    "), "{line:?}");
    }
}

#[test]
fn every_line_of_the_log_says_something() {
    let step = Step::new();
    let ended = step.run(
        "schedule",
        &json!({}),
        &[("TUNEGATE_EMULATOR", "true"), ("TUNEGATE_BASE_URL", "")],
    );
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(step.output("result").as_deref(), Some("launched"), "{ended:?}");
    let bare: Vec<&str> = ended
        .stderr
        .lines()
        .filter(|line| !line.contains(' ') && !line.starts_with("::"))
        .collect();
    assert!(bare.is_empty(), "{bare:?} in {}", ended.stderr);
}

#[test]
fn a_report_that_would_stay_in_the_container_is_refused() {
    for elsewhere in ["/home/runner/work/invoices/invoices/out", "../out", "a/../../out"] {
        let step = Step::new();
        let ended = step.run(
            "push",
            &json!({}),
            &[("TUNEGATE_EMULATOR", "true"), ("TUNEGATE_OUTPUT_DIR", elsewhere)],
        );
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains("workspace"), "{}", ended.stderr);
    }
}

#[test]
fn files_of_the_runner_that_are_not_there_fail_nothing() {
    for (event, payload, inputs) in [
        ("pull_request", pull_request("stranger/invoices"), vec![]),
        ("push", json!({}), vec![("TUNEGATE_EMULATOR", "true")]),
    ] {
        let step = Step::new();
        let gone = [
            ("GITHUB_OUTPUT", "gone/out"),
            ("GITHUB_STEP_SUMMARY", "gone/summary"),
        ];
        let ended = step.run(event, &payload, &[&inputs[..], &gone].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stderr.contains("warning"), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_cancelled_step_ends_in_order_with_its_report() {
    let slow = emulator::Options {
        latency: emulator::Latency {
            answer: std::time::Duration::from_secs(600),
            ..emulator::Latency::default()
        },
        ..options()
    };
    let emulator = emulator::start(slow).await.unwrap();
    for signal in ["-INT", "-TERM"] {
        let step = Step::new();
        let inputs = [
            ("PREMAI_API_KEY", "k"),
            ("TUNEGATE_TIMEOUT", "10m"),
            ("TUNEGATE_PROJECT", PROJECT),
            ("TUNEGATE_BASE_URL", emulator.base_url()),
        ];
        let mut command = step.command("schedule", &json!({}), &inputs);
        let status = tokio::task::spawn_blocking(move || {
            let mut child = command
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
            let asking = lines
                .by_ref()
                .any(|line| line.unwrap().contains("answers to ask for"));
            assert!(asking, "it never began");
            let sent = Command::new("kill")
                .args([signal, &child.id().to_string()])
                .status();
            assert!(sent.unwrap().success());
            lines.for_each(drop);
            child.wait().unwrap()
        })
        .await
        .unwrap();
        assert_eq!(status.code(), Some(130), "{signal}");
        assert_eq!(step.output("result").as_deref(), Some("interrupted"));
        assert!(step.house.path(".tunegate/s/results.json").exists());
    }
}
