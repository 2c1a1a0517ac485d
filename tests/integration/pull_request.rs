//! The action on a pull request, with a stub in GitHub's place: the comment, the annotations, the baseline and the gates
//! of the base branch; and that nothing of GitHub's decides how the step ends.

mod events;
mod hub;
mod unknown;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{EASY, Ended, House, suite};
use crate::stub::Stub;
use hub::{BASE, HEAD, Hub, Mood, TOKEN};

const MERGE: &str = "3333333333333333333333333333333333333333";

/// The action's step on a pull request of the repository's own.
struct Step {
    house: House,
    api_url: String,
}

impl Step {
    fn new(stub: &Stub) -> Step {
        let house = House::new();
        house
            .write("prompts/s.yaml", &suite("s", 12, EASY))
            .write("out", "")
            .write("summary", "");
        Step {
            house,
            api_url: stub.url.clone(),
        }
    }

    async fn run(&self, event: &str, inputs: &[(&str, &str)]) -> Ended {
        let ended = self.command(event, inputs).await;
        self.holds_no_token(&ended);
        ended
    }

    /// A run that may leave no report.
    async fn command(&self, event: &str, inputs: &[(&str, &str)]) -> Ended {
        let repository = json!({"full_name": "acme/invoices"});
        let payload = match event {
            "pull_request" => {
                json!({"repository": repository, "sender": {"login": "octocat"}, "pull_request": {
                    "number": 17,
                    "head": {"ref": "x", "sha": HEAD, "repo": repository},
                    "base": {"ref": "main", "sha": BASE, "repo": repository},
                }})
            }
            "issue_comment" => json!({"repository": repository, "issue": {"number": 17, "pull_request": {}}}),
            _ => json!({"repository": repository}),
        };
        self.house.write("event.json", &payload.to_string());
        let path = |below: &str| self.house.path(below).to_str().unwrap().to_owned();
        let mut command = self.house.command();
        command.args(["action"]).envs([
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_EVENT_NAME", event.to_owned()),
            ("GITHUB_EVENT_PATH", path("event.json")),
            ("GITHUB_OUTPUT", path("out")),
            ("GITHUB_STEP_SUMMARY", path("summary")),
            ("GITHUB_WORKSPACE", path("")),
            ("GITHUB_API_URL", self.api_url.clone()),
            ("GITHUB_SERVER_URL", "https://hub.example".to_owned()),
            ("GITHUB_REPOSITORY", "acme/invoices".to_owned()),
            ("GITHUB_RUN_ID", "42".to_owned()),
            (
                "GITHUB_WORKFLOW_REF",
                "acme/invoices/.github/workflows/gate.yml@refs/heads/main".to_owned(),
            ),
            ("GITHUB_SHA", MERGE.to_owned()),
            (
                "GITHUB_REF_NAME",
                if event == "pull_request" {
                    "17/merge"
                } else {
                    "main"
                }
                .to_owned(),
            ),
            ("TUNEGATE_GITHUB_TOKEN", TOKEN.to_owned()),
            ("TUNEGATE_SUITES", "prompts/s.yaml".to_owned()),
            ("TUNEGATE_MODE", "eval".to_owned()),
            ("TUNEGATE_EMULATOR", "true".to_owned()),
            ("TUNEGATE_VERBOSE", "true".to_owned()),
        ]);
        command.envs(inputs.iter().copied());
        let ended: Ended = tokio::task::spawn_blocking(move || command.output().unwrap().into())
            .await
            .unwrap();
        assert_ne!(ended.code, 1, "a bug: {ended:?}");
        ended
    }

    fn holds_no_token(&self, ended: &Ended) {
        assert!(!format!("{ended:?}").contains(TOKEN), "{ended:?}");
        for file in [
            "out",
            "summary",
            ".tunegate/s/results.json",
            ".tunegate/s/summary.md",
        ] {
            assert!(!self.house.read(file).contains(TOKEN), "{file}");
        }
    }

    fn results(&self) -> Value {
        self.house.json(".tunegate/s/results.json")
    }

    /// The value of an output; the last one counts, as for the runner.
    fn output(&self, name: &str) -> String {
        let text = self.house.read("out");
        let (_, rest) = text.rsplit_once(&format!("{name}<<")).unwrap();
        let (delimiter, rest) = rest.split_once('\n').unwrap();
        rest.split_once(&format!("\n{delimiter}")).unwrap().0.to_owned()
    }
}

/// The annotations of a kind, from wherever the runner reads.
fn annotations<'e>(ended: &'e Ended, kind: &str) -> Vec<&'e str> {
    let lines = ended.stdout.lines().chain(ended.stderr.lines());
    lines
        .filter(|line| line.starts_with(&format!("::{kind} ")))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suite_has_one_comment_however_often_it_is_run() {
    let hub = Hub::new(Mood::Kind);
    let stub = hub.serve().await;
    let step = Step::new(&stub);
    let first = step.run("pull_request", &[]).await;
    assert_eq!(first.code, 0, "{first:?}");
    let comments = hub.comments();
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert!(
        comments[0].1.starts_with("<!-- tunegate: s -->\n"),
        "{comments:?}"
    );
    assert!(
        comments[0]
            .1
            .contains("https://hub.example/acme/invoices/actions/runs/42"),
        "{comments:?}"
    );
    // What is evaluated is the pull request's head, not the merge that GitHub made of it.
    assert_eq!(step.results()["run"]["commit"], HEAD);

    step.house.write("prompts/s.yaml", &suite("s", 11, EASY));
    let second = step.run("pull_request", &[]).await;
    assert_eq!(second.code, 0, "{second:?}");
    let edited = hub.comments();
    assert_eq!(edited.len(), 1, "{edited:?}");
    assert_eq!(edited[0].0, comments[0].0);
    assert_ne!(edited[0].1, comments[0].1);
    assert_eq!((hub.count("POST"), hub.count("PATCH")), (1, 1));
    for request in stub.requests() {
        assert_eq!(
            request.header("authorization"),
            Some(format!("Bearer {TOKEN}").as_str())
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comment_is_made_where_it_is_asked_for() {
    for (event, comment, made) in [
        ("pull_request", "never", 0),
        ("push", "auto", 0),
        ("push", "never", 0),
        ("push", "always", 1),
        ("schedule", "always", 0),
        ("pull_request", "always", 1),
    ] {
        let hub = Hub::new(Mood::Kind);
        let stub = hub.serve().await;
        let step = Step::new(&stub);
        let ended = step.run(event, &[("TUNEGATE_COMMENT", comment)]).await;
        assert_eq!(ended.code, 0, "{event} {comment}: {ended:?}");
        assert_eq!(hub.comments().len(), made, "{event} {comment}: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_permission_is_a_notice_that_names_it() {
    for (comment, kind) in [("auto", "notice"), ("always", "warning")] {
        let hub = Hub::new(Mood::Forbidding);
        let stub = hub.serve().await;
        let step = Step::new(&stub);
        let ended = step.run("pull_request", &[("TUNEGATE_COMMENT", comment)]).await;
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(step.output("result"), "passed");
        let told = annotations(&ended, kind);
        assert!(
            told.iter().any(|line| line.contains("pull-requests: write")),
            "{told:?}"
        );
        // The log has them where a script reads the results, too.
        let json = step.run("pull_request", &[("TUNEGATE_FORMAT", "json")]).await;
        assert!(
            serde_json::from_str::<Value>(&json.stdout).is_ok(),
            "{}",
            json.stdout
        );
        // That there is no baseline is told by the report, with the reason.
        assert!(
            step.results()["without_baseline"]
                .as_str()
                .unwrap()
                .contains("actions: read")
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_github_that_is_not_there_changes_nothing() {
    let gone = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let hub = Hub::new(Mood::Broken);
    let stub = hub.serve().await;
    for url in [&gone, &stub.url] {
        let step = Step::new(&stub);
        let began = Instant::now();
        let ended = step.run("pull_request", &[("GITHUB_API_URL", url)]).await;
        assert!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(step.output("result"), "passed");
        assert_eq!(annotations(&ended, "notice").len(), 1, "{ended:?}");
        assert!(step.results()["without_baseline"].is_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_nobody_is_asked() {
    let hub = Hub::new(Mood::Kind);
    let stub = hub.serve().await;
    let step = Step::new(&stub);
    let ended = step.run("pull_request", &[("TUNEGATE_GITHUB_TOKEN", "")]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(stub.connections(), 0);
    let told = annotations(&ended, "notice");
    assert!(told.iter().any(|line| line.contains("github-token")), "{ended:?}");
    // The one that the runner's own scripts use does as well.
    let ended = step
        .run(
            "pull_request",
            &[("TUNEGATE_GITHUB_TOKEN", ""), ("GITHUB_TOKEN", TOKEN)],
        )
        .await;
    assert_eq!((ended.code, hub.comments().len()), (0, 1), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_baseline_is_the_run_that_the_pull_request_branched_off_from() {
    let hub = Hub::new(Mood::Kind);
    let stub = hub.serve().await;
    let gates = "gates:\n  - require: cases >= 1\n  - require: drop(mean) <= 0.03\ncycle:\n  poll: 20ms\n";
    let step = Step::new(&stub);
    step.house.write("prompts/s.yaml", &suite("s", 12, gates));
    let ended = step.run("push", &[("GITHUB_RUN_ID", "41")]).await;
    assert_eq!(ended.code, 0, "there is no earlier run: {ended:?}");
    assert!(step.results()["without_baseline"].is_string());
    assert_eq!(
        (step.output("baseline"), step.output("difference")),
        (String::new(), String::new())
    );

    hub.keep(
        &step.house.read(".tunegate/s/results.json"),
        &step.house.read(".tunegate/s/history.jsonl"),
    );
    let ended = step.run("pull_request", &[]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let results = step.results();
    let source = &results["baseline"]["source"];
    assert_eq!(source["found"], "merge_base", "{}", results["without_baseline"]);
    assert_eq!(source["workflow_run"], 41);
    assert_eq!(results["comparison"]["counts"]["compared"], 12);
    assert_eq!(
        (step.output("baseline"), step.output("difference")),
        (MERGE.to_owned(), "0.0000".to_owned())
    );
    let lines = step.house.read(".tunegate/s/history.jsonl");
    assert_eq!(
        lines.lines().count(),
        2,
        "the base branch's run, then this one: {lines}"
    );

    // Another suite's results in the artifact, or none that can be read, are none.
    for broken in [
        step.house
            .read(".tunegate/s/results.json")
            .replace("\"name\": \"s\"", "\"name\": \"t\""),
        "{".to_owned(),
    ] {
        hub.keep(&broken, "");
        let ended = step.run("pull_request", &[]).await;
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(step.results()["without_baseline"].is_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_request_can_not_lower_its_own_bar() {
    let hub = Hub::new(Mood::Kind);
    let stub = hub.serve().await;
    let step = Step::new(&stub);
    let base = ("TUNEGATE_POLICY_FROM", "base");
    // The base branch asks for more than this suite has.
    hub.commit(
        "prompts/s.yaml",
        &suite("s", 12, "gates:\n  - require: cases >= 13\n"),
    );
    let ended = step.run("pull_request", &[base]).await;
    assert_eq!(ended.code, 10, "{ended:?}");
    let policy = step.results()["suite"]["policy"].clone();
    assert_eq!(policy["differs"], true);
    assert_eq!(policy["from"], format!("prompts/s.yaml on main ({})", &BASE[..7]));
    let failed = annotations(&ended, "error");
    assert!(
        failed
            .iter()
            .any(|line| line.contains("file=prompts/s.yaml,line=")),
        "{ended:?}"
    );
    let ended = step.run("pull_request", &[]).await;
    assert_eq!(ended.code, 0, "its own gates let it pass: {ended:?}");

    // A bar that is there and can't be read is no bar that is left out.
    hub.commit("prompts/s.yaml", "gates: [");
    step.house.write(".tunegate/s/results.json", "{}");
    let ended = step.run("pull_request", &[base]).await;
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(step.output("result"), "invalid");
    assert!(ended.stderr.contains("prompts/s.yaml on main"), "{ended:?}");

    // One that is not there yet can't decide, and the report says so.
    hub.commit("prompts/other.yaml", "");
    let ended = step.run("pull_request", &[base]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let policy = step.results()["suite"]["policy"].clone();
    assert!(
        policy["from"].as_str().unwrap().contains("main has no such file"),
        "{policy}"
    );
    // A suite that was renamed is such a one: its reviewers see it, whoever looks where.
    assert_eq!(policy["own_for_want"], true);
    let warned = annotations(&ended, "warning");
    assert!(
        warned.iter().any(|line| line.contains("main has no such file")),
        "{ended:?}"
    );
    let comments = hub.comments();
    assert!(
        comments[0].1.contains("> [!WARNING]\n> The gates that decide"),
        "{comments:?}"
    );
    // On the branch itself its own gates are the branch's.
    let ended = step.run("push", &[base]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(step.results()["suite"].get("policy").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_data_branch_is_written_by_runs_of_a_branch_alone() {
    let hub = Hub::new(Mood::Forbidding);
    let stub = hub.serve().await;
    let step = Step::new(&stub);
    let branch = ("TUNEGATE_HISTORY", "branch");
    let ended = step.run("pull_request", &[branch]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(!hub.wrote_content(), "a pull request has no line in the history");
    let ended = step.run("push", &[branch]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let told = annotations(&ended, "warning");
    assert!(told.iter().any(|line| line.contains("contents: ")), "{ended:?}");
}
