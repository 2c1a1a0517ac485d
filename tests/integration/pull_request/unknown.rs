//! What must be known before something is decided, and isn't: the gates of the base branch, and whether there is a
//! baseline at all.

use super::hub::{Hub, Mood};
use super::{Step, annotations};
use crate::harness::suite;

const BASE_DECIDES: (&str, &str) = ("TUNEGATE_POLICY_FROM", "base");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bar_that_can_not_be_had_stops_before_anything_is_asked() {
    // A page in the file's place is no suite: that is told as a fault of the file.
    for (mood, end) in [(Mood::Forbidding, (4, "stopped")), (Mood::Broken, (2, "invalid"))] {
        let hub = Hub::new(mood);
        let stub = hub.serve().await;
        let step = Step::new(&stub);
        let ended = step.command("pull_request", &[BASE_DECIDES]).await;
        assert_eq!(
            (ended.code, step.output("result")),
            (end.0, end.1.to_owned()),
            "{ended:?}"
        );
        assert!(ended.stderr.contains("prompts/s.yaml"), "{ended:?}");
        assert!(ended.stderr.contains("--policy-from head"), "{ended:?}");
        assert!(!step.house.path(".tunegate/s/results.json").exists());
        assert!(hub.comments().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_launched_while_nobody_knows_whether_there_is_a_baseline() {
    let run = ("TUNEGATE_MODE", "auto");
    let drop = "gates:\n  - require: drop(mean) <= 0.5\ncycle:\n  poll: 20ms\n";
    let told = "gates:\n  - {require: drop(mean) <= 0.5, else: warn}\ncycle:\n  poll: 20ms\n";
    for (mood, gates, result) in [
        (Mood::Broken, drop, "held"),
        (Mood::Broken, told, "launched"),
        // That is an answer, and the same one tomorrow: there is none for this token.
        (Mood::Forbidding, drop, "launched"),
    ] {
        let hub = Hub::new(mood);
        let stub = hub.serve().await;
        let step = Step::new(&stub);
        step.house.write("prompts/s.yaml", &suite("s", 12, gates));
        let ended = step.run("push", &[run]).await;
        assert_eq!(
            (ended.code, step.output("result")),
            (0, result.to_owned()),
            "{ended:?}"
        );
        assert_eq!(annotations(&ended, "error"), [""; 0]);
        let results = step.results();
        assert_eq!(
            results["baseline_unknown"].as_bool(),
            (mood == Mood::Broken).then_some(true)
        );
        assert!(results["without_baseline"].is_string());
        if result == "held" {
            assert_eq!(results["verdict"]["decision"], "hold");
            assert!(results["cycle"].get("job_id").is_none(), "{results}");
            // The rest of the cycle from these results holds as well.
            let mut command = step.house.command();
            command.args(["cycle", ".tunegate/s/results.json", "--emulator"]);
            let ended = tokio::task::spawn_blocking(move || command.output().unwrap())
                .await
                .unwrap();
            assert_eq!(ended.status.code(), Some(0), "{ended:?}");
            assert!(step.results()["cycle"].get("job_id").is_none());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suite_whose_file_was_moved_keeps_its_bar() {
    let hub = Hub::new(Mood::Kind);
    let stub = hub.serve().await;
    let step = Step::new(&stub);
    let gates = |least: u32| format!("gates:\n  - require: cases >= {least}\ncycle:\n  poll: 20ms\n");
    step.house.write("prompts/s.yaml", &suite("s", 12, &gates(12)));
    let ended = step.run("push", &[]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    hub.keep(&step.house.read(".tunegate/s/results.json"), "");
    // Of the base branch's file the pull request has made another one, which asks for less.
    hub.commit("prompts/before.yaml", "");
    step.house.write("prompts/s.yaml", &suite("s", 11, &gates(11)));
    let ended = step.run("pull_request", &[BASE_DECIDES]).await;
    assert_eq!(ended.code, 10, "{ended:?}");
    let policy = step.results()["suite"]["policy"].clone();
    assert_eq!(policy["differs"], true);
    assert!(
        policy["from"].as_str().unwrap().contains("the baseline's run 41"),
        "{policy}"
    );
}
