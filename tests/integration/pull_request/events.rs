//! Events that stand on the default branch while something else may be checked out, and a history that can't be fetched.

use super::hub::{Hub, Mood};
use super::{Step, annotations};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comment_under_a_pull_request_starts_no_cycle_and_has_no_line_in_the_history() {
    let hub = Hub::new(Mood::Kind);
    let stub = hub.serve().await;
    let step = Step::new(&stub);
    let inputs = [("TUNEGATE_MODE", "auto"), ("TUNEGATE_HISTORY", "branch")];
    let ended = step.run("issue_comment", &inputs).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(step.output("result"), "passed");
    assert!(step.results().get("calls").is_some());
    assert!(!hub.wrote_content());
    let ended = step.run("push", &inputs).await;
    assert_eq!(
        (ended.code, step.output("result")),
        (0, "launched".to_owned()),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_decides_about_trust_is_not_trusted_when_it_is_missing() {
    let hub = Hub::new(Mood::Kind);
    let stub = hub.serve().await;
    let step = Step::new(&stub);
    for event in ["pull_request_target", "workflow_run"] {
        let inputs = [
            ("GITHUB_EVENT_PATH", ""),
            ("TUNEGATE_EMULATOR", ""),
            ("PREMAI_API_KEY", "pk-0123456789"),
            ("TUNEGATE_BASE_URL", stub.url.as_str()),
        ];
        let ended = step.command(event, &inputs).await;
        assert_eq!(
            (ended.code, step.output("result")),
            (0, "skipped".to_owned()),
            "{ended:?}"
        );
        assert_eq!(stub.connections(), 0, "{event}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_that_can_not_be_fetched_is_not_begun_anew() {
    let hub = Hub::new(Mood::Forbidding);
    let stub = hub.serve().await;
    let step = Step::new(&stub);
    let ended = step.run("push", &[]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(!step.house.path(".tunegate/s/history.jsonl").exists());
    assert_eq!(annotations(&ended, "error"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inputs_that_nobody_gave_are_those_of_action_yml() {
    let hub = Hub::new(Mood::Kind);
    let stub = hub.serve().await;
    let step = Step::new(&stub);
    let action = std::fs::read_to_string(crate::harness::repository().join("action.yml")).unwrap();
    let names: Vec<&str> = action
        .lines()
        .filter_map(|line| line.trim().split_once(": ${{ inputs."))
        .map(|(name, _)| name)
        .filter(|name| {
            name.starts_with("TUNEGATE_") && !["TUNEGATE_SUITES", "TUNEGATE_EMULATOR"].contains(name)
        })
        .collect();
    assert!(names.len() > 25, "{names:?}");
    let mut inputs: Vec<(&str, &str)> = names.into_iter().map(|name| (name, "")).collect();
    inputs.push(("GITHUB_TOKEN", super::hub::TOKEN));
    let ended = step.run("pull_request", &inputs).await;
    assert_eq!((ended.code, hub.comments().len()), (0, 1), "{ended:?}");
}
