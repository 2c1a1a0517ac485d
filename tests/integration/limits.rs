//! Deadline and budgets as a person or a workflow gives them: what is asked, how it ends, and that the same command
//! goes on from there.

use std::time::{Duration, Instant};

use serde_json::Value;
use tunegate::emulator::{self, Emulator, Latency};

use crate::harness::{EASY, Ended, House, options, suite};

const CHAT: &str = "POST /api/v1/chat/completions";

async fn emulator() -> Emulator {
    emulator::start(options()).await.unwrap()
}

/// Requests that the emulator has had, to a route or in all.
async fn requests(emulator: &Emulator, route: Option<&str>) -> u64 {
    let counters = &emulator.state().await["counters"];
    match route {
        Some(route) => counters["routes"][route]["calls"].as_u64().unwrap_or(0),
        None => counters["calls"].as_u64().unwrap(),
    }
}

/// Ended in order by a limit of this kind.
fn assert_incomplete(house: &House, ended: &Ended, kind: &str) -> Value {
    assert_eq!(ended.code, 11, "{ended:?}");
    let results = house.json(".tunegate/s/results.json");
    let stopped = &results["run"]["stopped"];
    assert_eq!(stopped["kind"], kind, "{stopped}");
    assert_eq!(results["verdict"]["decision"], "inconclusive");
    let left = &results["figures"]["left"];
    let told = format!(
        "incomplete: {} of {} answers and {} judgements were not asked",
        left["answers"], left["of_answers"], left["judgements"]
    );
    let message = stopped["message"].as_str().unwrap();
    assert!(message.contains(&told), "{message} and {told}");
    // In words, wherever a person looks.
    let summary = house.read(".tunegate/s/summary.md");
    let flat = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in [&summary, &flat] {
        assert!(text.contains(&told), "{text}");
        assert!(text.contains("the same command goes on from here"), "{text}");
    }
    results
}

#[tokio::test]
async fn a_budget_of_calls_is_kept_to_and_the_same_command_goes_on_until_all_is_asked() {
    let (house, emulator) = (House::new(), emulator().await);
    house.write("s.yaml", &suite("s", 20, EASY));
    let eval = ["eval", "s.yaml", "--max-calls", "15"];
    let mut before = 0;
    for attempt in 0..3 {
        if attempt < 2 {
            let ended = house.against(&emulator, &eval).await;
            let results = assert_incomplete(&house, &ended, "budget");
            assert_eq!(results["run"]["resumed"], attempt);
        } else {
            let ended = house.against(&emulator, &eval).await;
            assert_eq!(ended.code, 0, "{ended:?}");
            let results = house.json(".tunegate/s/results.json");
            assert_eq!(results["run"]["kept"]["answers"], 14);
            assert_eq!(results["run"]["kept"]["judgements"], 14);
            assert_eq!(results["figures"]["overall"]["scored"], 20);
            let flat = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
            let told = "Taken up again twice: 14 answers and 14 judgements kept";
            assert!(flat.contains(told), "{flat}");
        }
        let now = requests(&emulator, None).await;
        assert!(now - before <= 15, "{} requests", now - before);
        before = now;
    }
    assert_eq!(
        requests(&emulator, Some(CHAT)).await,
        40,
        "no answer is paid for twice"
    );
}

#[tokio::test]
async fn a_budget_of_tokens_ends_the_evaluation() {
    let (house, emulator) = (House::new(), emulator().await);
    house.write("s.yaml", &suite("s", 20, EASY));
    let all = house.against(&emulator, &["eval", "s.yaml"]).await;
    assert_eq!(all.code, 0, "{all:?}");
    let tokens = |results: &Value| -> u64 {
        let of = |call: &Value| {
            call["prompt_tokens"].as_u64().unwrap_or(0) + call["completion_tokens"].as_u64().unwrap_or(0)
        };
        let samples = results["cases"].as_array().unwrap().iter();
        samples
            .map(|case| &case["samples"][0])
            .map(|sample| {
                of(&sample["call"])
                    + sample["votes"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|v| of(&v["calls"][0]))
                        .sum::<u64>()
            })
            .sum()
    };
    let whole = tokens(&house.json(".tunegate/s/results.json"));
    let half = whole / 2;
    let ended = house
        .against(&emulator, &["eval", "s.yaml", "--max-tokens", &half.to_string()])
        .await;
    let results = assert_incomplete(&house, &ended, "budget");
    let used = tokens(&results);
    assert!(used <= half + whole / 40 && used > half / 2, "{used} of {half}");
}

#[tokio::test]
async fn a_deadline_ends_the_evaluation_in_time() {
    let house = House::new();
    let slow = emulator::Options {
        latency: Latency {
            answer: Duration::from_millis(150),
            judge: Duration::from_millis(150),
            other: Duration::ZERO,
        },
        ..options()
    };
    let emulator = emulator::start(slow).await.unwrap();
    house.write("s.yaml", &suite("s", 60, EASY));
    let begun = Instant::now();
    let eval = ["eval", "s.yaml", "--deadline", "2s", "--concurrency", "1"];
    let ended = house.against(&emulator, &eval).await;
    let results = assert_incomplete(&house, &ended, "deadline");
    // One after the other they take 18 s.
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    assert!(results["figures"]["left"]["answers"].as_u64().unwrap() > 30);
    assert!(results["figures"]["overall"]["scored"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_run_leaves_its_cycle_what_it_needs_of_the_calls() {
    let (house, emulator) = (House::new(), emulator().await);
    house.write("s.yaml", &suite("s", 20, EASY));
    let ended = house
        .against(&emulator, &["run", "s.yaml", "--max-calls", "80"])
        .await;
    let results = assert_incomplete(&house, &ended, "budget");
    let scored = results["figures"]["overall"]["scored"].as_u64().unwrap();
    // Two looks, two chat calls an answer, and for the cycle 40 and two an answer.
    assert_eq!(scored, (80 - 2 - 40) / 4);
    assert_eq!(requests(&emulator, Some(CHAT)).await, 2 * scored);
    let state = emulator.state().await;
    assert_eq!(
        state["jobs"].as_array().unwrap().len(),
        0,
        "nothing is launched on a part"
    );
    // Three times more, and every answer was asked for once.
    let mut code = 11;
    for _ in 0..6 {
        code = house
            .against(&emulator, &["run", "s.yaml", "--max-calls", "80"])
            .await
            .code;
        if code != 11 {
            break;
        }
    }
    assert_eq!(code, 0);
    assert_eq!(requests(&emulator, Some(CHAT)).await, 40);
    let state = emulator.state().await;
    for (kind, n) in [("traces", 20), ("snapshots", 1), ("jobs", 1)] {
        assert_eq!(state[kind].as_array().unwrap().len(), n, "{kind}");
    }
}

#[tokio::test]
async fn a_cycle_that_the_deadline_meets_stops_with_4() {
    let house = House::new();
    let stuck = emulator::Options {
        correction_delay: Duration::from_secs(3_600),
        ..options()
    };
    let emulator = emulator::start(stuck).await.unwrap();
    // Answers with a low score are corrected, which takes an hour here.
    let more = "defaults: {pass_score: 0.9}\ngates:\n  - require: cases >= 1\ncycle:\n  poll: 20ms\n";
    let wrong = suite("s", 3, more).replace("reference: \"", "reference: \"not ");
    house.write("s.yaml", &wrong);
    let begun = Instant::now();
    let ended = house
        .against(&emulator, &["run", "s.yaml", "--deadline", "6s"])
        .await;
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    let results = house.json(".tunegate/s/results.json");
    assert_eq!(
        results["cycle"]["outcome"], "stopped",
        "{}",
        results["cycle"]["reason"]
    );
    assert_eq!(results["run"].get("stopped"), None);
}

#[tokio::test]
async fn the_suites_of_a_run_share_one_budget() {
    let (house, emulator) = (House::new(), emulator().await);
    house
        .write("a.yaml", &suite("a", 5, EASY))
        .write("b.yaml", &suite("b", 5, EASY));
    let ended = house
        .against(&emulator, &["eval", "a.yaml", "b.yaml", "--max-calls", "16"])
        .await;
    assert_eq!(ended.code, 11, "{ended:?}");
    let scored = |name: &str| {
        let results = house.json(&format!(".tunegate/{name}/results.json"));
        results["figures"]["overall"]["scored"].as_u64().unwrap()
    };
    // A look at the model each: 11 of the 16 are for the first one, 5 for the second.
    assert_eq!((scored("a"), scored("b")), (5, 2));
    assert!(requests(&emulator, None).await <= 16);
}

#[test]
fn limits_come_from_variables_too_and_none_is_zero() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 5, EASY));
    let eval = ["eval", "s.yaml", "--emulator"];
    let ended = house.run_with(&eval, &[("TUNEGATE_MAX_CALLS", "6")]);
    assert_incomplete(&house, &ended, "budget");
    for (name, value) in [
        ("TUNEGATE_MAX_CALLS", "0"),
        ("TUNEGATE_MAX_TOKENS", "0"),
        ("TUNEGATE_MAX_TOKENS", "many"),
        ("TUNEGATE_DEADLINE", "0"),
        ("TUNEGATE_DEADLINE", "25h"),
        ("TUNEGATE_DEADLINE", "soon"),
    ] {
        let ended = house.run_with(&eval, &[(name, value)]);
        assert_eq!(ended.code, 2, "{name}={value}: {ended:?}");
        let option = name
            .trim_start_matches("TUNEGATE")
            .replace('_', "-")
            .to_lowercase();
        assert!(ended.stderr.contains(&format!("-{option}")), "{}", ended.stderr);
    }
    // An input of the action that nobody gave.
    let unset = [
        ("TUNEGATE_MAX_CALLS", ""),
        ("TUNEGATE_DEADLINE", ""),
        ("GITHUB_ACTIONS", "true"),
    ];
    let ended = house.run_with(&eval, &unset);
    assert_eq!(ended.code, 0, "{ended:?}");
    let told = "3 answers to ask for; 2 of 5 answers and 2 judgements kept from before";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
}

#[test]
fn a_budget_that_holds_nothing_says_so() {
    let house = House::new();
    house.write("s.yaml", &suite("s", 5, EASY));
    let ended = house.run(&["run", "s.yaml", "--emulator", "--max-calls", "30"]);
    assert_eq!(ended.code, 11, "{ended:?}");
    let flat = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("The budget of 30 calls holds no more"), "{flat}");
    assert!(flat.contains("40 left for the cycle"), "{flat}");
    assert!(flat.contains("give it more to go on"), "{flat}");
}
