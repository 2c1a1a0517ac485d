//! Replies of earlier runs: what nothing has changed about is not asked again, and is told as of another day.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tunegate::emulator;

use crate::harness::{EASY, House, options, suite};

fn results(house: &House) -> Value {
    house.json(".tunegate/s/results.json")
}

/// Replies in a folder.
fn replies(folder: &Path) -> usize {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let segments = files.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    segments
        .map(|path| fs::read_to_string(path).unwrap().lines().count())
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_again_makes_no_call_and_says_so() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 5, EASY));
    let emulator = emulator::start(options()).await.unwrap();
    let eval = ["eval", "s.yaml", "--cache", "replies"];
    let first = house.against(&emulator, &eval).await;
    assert_eq!(first.code, 0, "{first:?}");
    let before = results(&house);
    assert_eq!(before["run"].get("cached"), None);
    assert_eq!(replies(&house.path("replies")), 10);
    let second = house.against(&emulator, &eval).await;
    assert_eq!(second.code, 0, "{second:?}");
    let after = results(&house);
    assert_eq!(after["calls"], json!({}), "not even whether the model is running");
    let cached = &after["run"]["cached"];
    assert_eq!(
        (&cached["answers"], &cached["of_answers"]),
        (&json!(5), &json!(5))
    );
    assert_eq!(
        (&cached["judgements"], &cached["of_judgements"]),
        (&json!(5), &json!(5))
    );
    assert_eq!(after["figures"], before["figures"]);
    let told = "5 of 5 answers and 5 of 5 judgements are from the cache, the oldest of ";
    assert!(second.stdout.contains(told), "{}", second.stdout);
    assert!(house.read(".tunegate/s/summary.md").contains(told));
    // Two cases are touched: two answers.
    let touched = suite("s", 5, EASY)
        .replace("number 1\n", "no. 1\n")
        .replace("number 3\n", "no. 3\n");
    house.write("s.yaml", &touched);
    house.against(&emulator, &eval).await;
    let calls = &results(&house)["calls"];
    assert_eq!(
        (&calls["chat: answer"]["calls"], &calls["chat: judge"]["calls"]),
        (&json!(2), &json!(2))
    );
    // And without it everything is asked for.
    house.against(&emulator, &["eval", "s.yaml"]).await;
    let plain = results(&house);
    assert_eq!(
        (
            plain["calls"]["chat: answer"]["calls"].as_u64(),
            plain["run"].get("cached")
        ),
        (Some(5), None)
    );
    emulator.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_path_of_one_host_is_another_service() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 2, EASY));
    let emulator = emulator::start(options()).await.unwrap();
    let eval = ["eval", "s.yaml", "--cache", "replies"];
    assert_eq!(house.against(&emulator, &eval).await.code, 0);
    let elsewhere = format!("{}/elsewhere", emulator.base_url());
    let ended = tokio::task::spawn_blocking(move || {
        let arguments = [&eval[..], &["--fresh", "--base-url", &elsewhere]].concat();
        let ended = house.run_with(&arguments, &[("PREMAI_API_KEY", "secret-key")]);
        (ended, results(&house))
    });
    let (ended, results) = ended.await.unwrap();
    assert_eq!(ended.code, 4, "nobody answers there: {ended:?}");
    assert_eq!(results["run"].get("cached"), None);
    emulator.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_several_samples_has_its_own_judgement() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 3, EASY));
    let emulator = emulator::start(options()).await.unwrap();
    let eval = ["eval", "s.yaml", "--cache", "replies"];
    house.against(&emulator, &eval).await;
    // The emulator answers one question always alike.
    let more = suite("s", 3, &format!("defaults:\n  samples: 3\n{EASY}"));
    house.write("s.yaml", &more);
    for asked in [Some(6), None] {
        let ended = house.against(&emulator, &eval).await;
        assert_eq!(ended.code, 0, "{ended:?}");
        let calls = &results(&house)["calls"];
        for chat in ["chat: answer", "chat: judge"] {
            assert_eq!(calls[chat]["calls"].as_u64(), asked, "{calls}");
        }
    }
    emulator.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_processes_share_a_folder() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 20, EASY));
    let emulator = emulator::start(options()).await.unwrap();
    let outs: Vec<String> = (0..4).map(|n| format!("out-{n}")).collect();
    let runs = outs.iter().map(|out| {
        let (house, emulator) = (&house, &emulator);
        async move {
            let eval = [
                "eval",
                "s.yaml",
                "--cache",
                "replies",
                "--output-dir",
                out.as_str(),
            ];
            house.against(emulator, &eval).await
        }
    });
    for ended in futures_util::future::join_all(runs).await {
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(!ended.stderr.contains("cache"), "{ended:?}");
    }
    house
        .against(&emulator, &["eval", "s.yaml", "--cache", "replies"])
        .await;
    assert_eq!(results(&house)["calls"], json!({}));
    emulator.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_day_is_never_traced() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 4, EASY));
    let emulator = emulator::start(options()).await.unwrap();
    house
        .against(&emulator, &["eval", "s.yaml", "--cache", "replies"])
        .await;
    house.write("s.yaml", &suite("s", 6, EASY));
    let run = house
        .against(&emulator, &["run", "s.yaml", "--cache", "replies"])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    let cycle = &results(&house)["cycle"];
    assert_eq!(
        (&cycle["traces"]["cached"], &cycle["traces"]["written"]),
        (&json!(4), &json!(2))
    );
    let told = house.read(".tunegate/s/summary.md");
    assert!(told.contains("4 left out as another day's answers"), "{told}");
    // Where all of them are, that is why nothing is trained on.
    let run = house
        .against(&emulator, &["run", "s.yaml", "--cache", "replies", "--fresh"])
        .await;
    let cycle = &results(&house)["cycle"];
    assert_eq!(cycle["job_id"], Value::Null, "{run:?}");
    let reason = cycle["reason"].as_str().unwrap();
    assert!(
        reason.contains("answers from the cache are another day's"),
        "{reason}"
    );
    emulator.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_asks_for_everything_and_is_found_by_others() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 2, EASY));
    let emulator = emulator::start(options()).await.unwrap();
    let eval = ["eval", "s.yaml", "--cache", "replies"];
    let refresh = [&eval[..], &["--cache-refresh"]].concat();
    for _ in 0..2 {
        house.against(&emulator, &refresh).await;
        assert_eq!(results(&house)["calls"]["chat: answer"]["calls"], 2);
    }
    house.against(&emulator, &eval).await;
    assert_eq!(results(&house)["calls"], json!({}));
    emulator.stop().await.unwrap();
}

#[test]
fn a_cache_that_can_not_be_used_is_a_warning() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 2, EASY)).write("file", "");
    let ended = house.run(&["eval", "s.yaml", "--emulator", "--cache", "file"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stderr.contains("can't read the replies' cache in file"),
        "{ended:?}"
    );
    house.write("below/file", "");
    let ended = house.run(&["eval", "s.yaml", "--emulator", "--cache", "below/file/replies"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stderr.contains("the replies' cache in below/file/replies"),
        "{ended:?}"
    );
}

#[test]
fn somebody_else_s_cache_is_no_fault() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 2, EASY));
    let eval = ["eval", "s.yaml", "--emulator", "--cache", "replies"];
    assert_eq!(house.run(&eval).code, 0);
    let good = fs::read_dir(house.path("replies"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let text = fs::read_to_string(&good).unwrap();
    let named = |n: usize| format!("replies/{n:013}-{n:032x}.jsonl");
    house.write(&named(1), &text.replace("0.", "7."));
    fs::write(house.path(&named(2)), [0xfe; 100_000]).unwrap();
    fs::remove_file(good).unwrap();
    // Sparse: it takes no room here, and would take long to read.
    let huge = fs::File::create(house.path(&named(3))).unwrap();
    huge.set_len(8 << 30).unwrap();
    let ended = house.run(&eval);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("more than the 1000 MB that are read of it: 1 of its files left out"),
        "{ended:?}"
    );
    let cached = results(&house)["run"]["cached"]["judgements"]
        .as_u64()
        .unwrap_or(0);
    let untouched = text
        .lines()
        .filter(|line| line.contains("score") && !line.contains("0."))
        .count();
    assert_eq!(cached, untouched as u64, "a changed line is none");
}

/// The action on an event, with its workspace in the house.
fn action(house: &House, event: &str, inputs: &[(&str, &str)]) -> crate::harness::Ended {
    let payload = json!({"repository": {"full_name": "acme/invoices"}, "sender": {"login": "octocat"}, "pull_request": {
        "number": 17,
        "head": {"ref": "x", "sha": "9f", "repo": {"full_name": "acme/invoices"}},
        "base": {"ref": "main", "sha": "11", "repo": {"full_name": "acme/invoices"}},
    }});
    house
        .write("event.json", &payload.to_string())
        .write("out", "")
        .write("summary", "");
    let path = |below: &str| house.path(below).to_str().unwrap().to_owned();
    let mut command = house.command();
    command.arg("action").envs([
        ("CI", "true".to_owned()),
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_EVENT_NAME", event.to_owned()),
        ("GITHUB_EVENT_PATH", path("event.json")),
        ("GITHUB_OUTPUT", path("out")),
        ("GITHUB_STEP_SUMMARY", path("summary")),
        ("GITHUB_WORKSPACE", path("")),
        ("TUNEGATE_SUITES", "s.yaml".to_owned()),
        ("TUNEGATE_MODE", "eval".to_owned()),
        ("TUNEGATE_EMULATOR", "true".to_owned()),
        // As the runner passes an input that nobody gave.
        ("TUNEGATE_CACHE", String::new()),
    ]);
    command.envs(inputs.iter().copied()).output().unwrap().into()
}

#[test]
fn the_action_uses_it_where_a_pull_request_is_evaluated_and_nowhere_else() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 2, EASY));
    for event in ["push", "schedule", "pull_request_target"] {
        assert_eq!(action(&house, event, &[]).code, 0);
        assert!(!house.path(".tunegate-cache").exists(), "{event}");
        assert!(!house.read("out").contains("cache-dir"), "{event}");
    }
    assert_eq!(
        action(&house, "pull_request", &[("TUNEGATE_CACHE", "off")]).code,
        0
    );
    assert!(!house.path(".tunegate-cache").exists());
    let first = action(&house, "pull_request", &[]);
    assert_eq!(first.code, 0, "{first:?}");
    assert_eq!(replies(&house.path(".tunegate-cache")), 4);
    let out = house.read("out");
    assert!(
        out.contains("cache-dir<<") && out.contains("\n.tunegate-cache\n"),
        "{out}"
    );
    let second = action(&house, "pull_request", &[]);
    assert_eq!(second.code, 0, "{second:?}");
    assert_eq!(results(&house)["run"]["cached"]["answers"], 2);
    assert!(
        !house.read("out").contains("cache-dir"),
        "there is nothing to save"
    );
    assert!(
        house
            .read("summary")
            .contains("2 of 2 answers and 2 of 2 judgements are from the cache")
    );
}

#[test]
fn replies_that_the_repository_brings_along_are_not_used() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 2, EASY));
    assert_eq!(action(&house, "pull_request", &[]).code, 0);
    let mut index = b"DIRC\0\0\0\x02\0\0\0\x01".to_vec();
    index.extend([0; 62]);
    index.extend(b".tunegate-cache/x.jsonl\0");
    fs::create_dir(house.path(".git")).unwrap();
    fs::write(house.path(".git/index"), index).unwrap();
    let ended = action(&house, "pull_request", &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stdout.contains("is not used") || ended.stderr.contains("is not used"),
        "{ended:?}"
    );
    assert_eq!(results(&house)["run"].get("cached"), None);
}

#[test]
fn a_workflow_s_cache_stays_in_its_workspace() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 2, EASY));
    for outside in ["../replies", "/tmp/replies-of-nobody"] {
        let ended = action(&house, "push", &[("TUNEGATE_CACHE", outside)]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains("is not below the workspace"), "{ended:?}");
    }
}

#[test]
fn a_refresh_of_no_cache_is_told() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 1, EASY));
    let eval = ["eval", "s.yaml", "--emulator", "--cache-refresh"];
    let told = house.run(&eval);
    assert_eq!(told.code, 0, "{told:?}");
    assert!(told.stderr.contains("give --cache DIR"), "{told:?}");
    let kept = house.run(&[&eval[..], &["--cache", "replies"]].concat());
    assert!(!kept.stderr.contains("no cache"), "{kept:?}");
}

#[test]
fn its_bounds_are_checked_before_anything_is_asked() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 1, EASY));
    for wrong in [
        ["--cache-max-age", "7"],
        ["--cache-max-age", "366d"],
        ["--cache-max-size", "500"],
        ["--cache", ""],
    ] {
        let ended = house.run(&[&["eval", "s.yaml", "--emulator"][..], &wrong].concat());
        assert_eq!(ended.code, 2, "{wrong:?}: {ended:?}");
    }
}
