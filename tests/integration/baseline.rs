//! A run against an earlier one that is given as a file: what is compared, what is refused before anything is asked,
//! what the drop gates say, and that a run that goes on keeps it.

use serde_json::{Value, json};
use tunegate::emulator::{self, Emulator};

use crate::harness::{EASY, Ended, House, options, suite};

/// A gate against the baseline beside one that anything passes.
const DROP: &str = "gates:\n  - require: cases >= 1\n  - require: drop(mean) <= 0.03\ncycle:\n  poll: 20ms\n";

/// An emulator and a house with a suite of `n` cases that was run once; the run's results stand in `first/`.
async fn once(n: usize, more: &str) -> (House, Emulator) {
    let (house, emulator) = (House::new(), emulator::start(options()).await.unwrap());
    house.write("s.yaml", &suite("s", n, more));
    let ended = house.against(&emulator, &["eval", "s.yaml"]).await;
    assert_eq!(
        ended.code, 0,
        "a drop gate without a baseline fails nothing: {ended:?}"
    );
    house.write("first/results.json", &house.read(".tunegate/s/results.json"));
    (house, emulator)
}

async fn requests(emulator: &Emulator) -> u64 {
    emulator.state().await["counters"]["calls"].as_u64().unwrap()
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn compared(house: &House, emulator: &Emulator, more: &[&str]) -> (Ended, Value) {
    let arguments = [&["eval", "s.yaml", "--baseline", "first/results.json"][..], more].concat();
    let ended = house.against(emulator, &arguments).await;
    (ended, house.json(".tunegate/s/results.json"))
}

/// Every judgement of the results has this score, by the case's place.
fn scored(results: &mut Value, score: impl Fn(usize) -> f64) {
    for (at, case) in results["cases"].as_array_mut().unwrap().iter_mut().enumerate() {
        for sample in case["samples"].as_array_mut().unwrap() {
            for vote in sample["votes"].as_array_mut().unwrap() {
                vote["score"] = json!(score(at));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_names_what_it_compares_with() {
    let (house, emulator) = once(12, DROP).await;
    let first = house.json("first/results.json");
    assert!(first.get("baseline").is_none() && first.get("without_baseline").is_none());
    for folder in ["first/results.json", "first"] {
        let arguments = ["eval", "s.yaml", "--baseline", folder];
        let ended = house.against(&emulator, &arguments).await;
        assert_eq!(ended.code, 0, "the same model twice is no drop: {ended:?}");
        let results = house.json(".tunegate/s/results.json");
        let baseline = &results["baseline"];
        assert_eq!(baseline["source"]["found"], "given");
        assert_eq!(baseline["source"]["path"], "first/results.json");
        assert_eq!(baseline["run"]["id"], first["run"]["id"]);
        assert_eq!(baseline["rejudged"], false);
        let comparison = &results["comparison"];
        assert_eq!(comparison["counts"]["compared"], 12, "{comparison:#}");
        assert_eq!(comparison["judge"], "same");
        let gates = results["verdict"]["gates"].as_array().unwrap();
        let drop = gates
            .iter()
            .find(|g| g["applicable"] == true && g["test"].is_object());
        assert_eq!(drop.unwrap()["bound"], 0.03, "{gates:#?}");
        for text in [&house.read(".tunegate/s/summary.md"), &flat(&ended.stdout)] {
            assert!(text.contains("first/results.json"), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drop_gate_says_what_the_cases_can_carry() {
    // Too few cases for any test.
    let (house, emulator) = once(4, DROP).await;
    let (ended, results) = compared(&house, &emulator, &[]).await;
    assert_eq!(ended.code, 11, "{ended:?}");
    assert_eq!(results["verdict"]["decision"], "inconclusive");

    // A baseline that was far better, with some spread: a drop that no noise explains.
    let (house, emulator) = once(12, DROP).await;
    let mut results = house.json("first/results.json");
    scored(&mut results, |at| [1.0, 0.98, 0.99][at % 3]);
    house.write("first/results.json", &results.to_string());
    let mut worse = house.json(".tunegate/s/results.json");
    scored(&mut worse, |at| [0.3, 0.35, 0.25, 0.4][at % 4]);
    house.write("worse/results.json", &worse.to_string());
    let ended = house.run(&["diff", "first", "worse", "--gate"]);
    assert_eq!(ended.code, 10, "{ended:?}");
    // Compared with nothing, the same gate decides nothing.
    let ended = house
        .against(&emulator, &["eval", "s.yaml", "--baseline", "none"])
        .await;
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_be_no_baseline_is_refused_before_anything_is_asked() {
    let (house, emulator) = once(2, EASY).await;
    let renamed = |name: &str, to: &str| {
        let mut results = house.json("first/results.json");
        results["suite"]["name"] = json!(name);
        house.write(to, &results.to_string());
    };
    renamed("other", "other.json");
    let mut real = house.json("first/results.json");
    real["run"]["emulator"] = json!(true);
    house
        .write("emulated.json", &real.to_string())
        .write("broken.json", "{\"version\": 1")
        .write("foreign.json", "[]")
        .write("empty/file", "");
    let before = requests(&emulator).await;
    for (path, told) in [
        ("other.json", "of the suite `other`, not of `s`"),
        ("nowhere.json", "nowhere.json"),
        ("broken.json", "not complete JSON"),
        ("foreign.json", "not a results.json"),
        ("empty", "no results.json in it"),
        ("emulated.json", "emulator gave these answers"),
    ] {
        let ended = house
            .against(&emulator, &["eval", "s.yaml", "--baseline", path])
            .await;
        assert_eq!(ended.code, 2, "{path}: {ended:?}");
        assert!(
            ended.stderr.contains(told) && ended.stderr.contains("--baseline"),
            "{path}: {ended:?}"
        );
    }
    // Everything at once, however many suites there are.
    house
        .write("t.yaml", &suite("t", 2, EASY))
        .write("two/s/results.json", "{");
    house.write("two/t/results.json", "nothing");
    let ended = house
        .against(&emulator, &["eval", "s.yaml", "t.yaml", "--baseline", "two"])
        .await;
    assert_eq!(ended.code, 2, "{ended:?}");
    for place in ["two/s/results.json", "two/t/results.json"] {
        assert!(ended.stderr.contains(place), "{ended:?}");
    }
    assert_eq!(requests(&emulator).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_suites_those_without_a_baseline_say_so() {
    let (house, emulator) = once(2, EASY).await;
    house.write("t.yaml", &suite("t", 2, EASY));
    house.write("chain/s/results.json", &house.read("first/results.json"));
    for path in ["first/results.json", "chain"] {
        let arguments = ["eval", "s.yaml", "t.yaml", "--baseline", path];
        let ended = house.against(&emulator, &arguments).await;
        assert_eq!(ended.code, 0, "{ended:?}");
        let (s, t) = (
            house.json(".tunegate/s/results.json"),
            house.json(".tunegate/t/results.json"),
        );
        assert!(s["baseline"].is_object() && t.get("baseline").is_none(), "{path}");
        let why = t["without_baseline"].as_str().unwrap();
        assert!(ended.stderr.contains(why), "{why}: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_goes_on_keeps_its_baseline_and_is_never_its_own() {
    let (house, emulator) = once(12, EASY).await;
    let (ended, results) = compared(&house, &emulator, &["--max-calls", "15"]).await;
    assert_eq!(ended.code, 11, "{ended:?}");
    let run = results["run"]["id"].clone();
    // The report of the first attempt lies where this one looks.
    let own = ["eval", "s.yaml", "--baseline", ".tunegate", "--max-calls", "3"];
    house.against(&emulator, &own).await;
    let results = house.json(".tunegate/s/results.json");
    assert_eq!(results["run"]["id"], run);
    assert!(results.get("without_baseline").is_none(), "{results:#}");
    assert_eq!(results["baseline"]["source"]["path"], "first/results.json");
    let (ended, results) = compared(&house, &emulator, &[]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(
        (&results["run"]["id"], &results["run"]["resumed"]),
        (&run, &json!(2))
    );
    assert_eq!(results["comparison"]["counts"]["compared"], 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_baseline_that_the_first_attempt_wrote_over_still_holds_the_launch() {
    let (house, emulator) = once(12, DROP).await;
    let mut better = house.json("first/results.json");
    scored(&mut better, |at| [1.0, 0.98, 0.99][at % 3]);
    let better_run = better["run"]["id"].clone();
    house.write(".tunegate/s/results.json", &better.to_string());
    let first = ["run", "s.yaml", "--baseline", ".tunegate", "--max-calls", "80"];
    let ended = house.against(&emulator, &first).await;
    assert_eq!(ended.code, 11, "{ended:?}");
    let again = ["run", "s.yaml", "--baseline", ".tunegate"];
    let ended = house.against(&emulator, &again).await;
    assert_eq!(ended.code, 10, "{ended:?}");
    let results = house.json(".tunegate/s/results.json");
    assert_eq!(results["run"]["resumed"], 1);
    assert_eq!(results["baseline"]["run"]["id"], better_run);
    assert!(results["cycle"].get("job_id").is_none(), "{results:#}");
    // A run that was compared with nothing has nothing to hand on.
    let nothing = ["eval", "s.yaml", "--max-calls", "5", "--fresh"];
    house.against(&emulator, &nothing).await;
    let ended = house
        .against(&emulator, &["eval", "s.yaml", "--baseline", ".tunegate"])
        .await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let why = house.json(".tunegate/s/results.json")["without_baseline"].clone();
    assert!(why.as_str().unwrap().contains("this run itself"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anchors_that_a_budget_left_unjudged_do_not_vouch_for_the_judge() {
    let anchors: String = (1..=4)
        .map(|n| {
            format!(
                "    - {{question: What is 1+{n}?, answer: '{0}', expected: 0.9, reference: '{0}'}}\n",
                n + 1
            )
        })
        .collect();
    let (house, emulator) = once(12, &format!("judge:\n  anchors:\n{anchors}{DROP}")).await;
    let first = house.json("first/results.json");
    let mut drifted = first.clone();
    for anchor in drifted["anchors"].as_array_mut().unwrap() {
        anchor["votes"][0]["score"] = json!(0.1);
    }
    house.write("drifted/results.json", &drifted.to_string());
    let all = first["calls"].as_object().unwrap().values();
    let all: u64 = all.map(|tally| tally["attempts"].as_u64().unwrap()).sum();
    let eval = |base: &'static str, fresh: bool, calls: u64| {
        let mut arguments = vec![
            "eval".to_owned(),
            "s.yaml".to_owned(),
            format!("--baseline={base}"),
        ];
        arguments.extend(fresh.then(|| "--fresh".to_owned()));
        arguments.push(format!("--max-calls={calls}"));
        arguments
    };
    for (base, left, told) in [
        ("drifted", 4, "4 of 4 anchors have no score"),
        ("first", 4, "4 of 4 anchors have no score"),
        ("first", 3, "3 of 4 anchors have no score"),
        ("drifted", 0, "the judge has drifted"),
    ] {
        let arguments = eval(base, true, all - left);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ended = house.against(&emulator, &arguments).await;
        assert_eq!(ended.code, 11, "{base} {left}: {ended:?}");
        assert!(flat(&ended.stdout).contains(told), "{base} {left}: {ended:?}");
        let results = house.json(".tunegate/s/results.json");
        assert!(results["run"].get("stopped").is_none(), "{base} {left}");
        assert!(
            results["comparison"]["mean"].get("difference").is_none(),
            "{base} {left}"
        );
    }
    // The same command asks for what is missing, and then it can be said.
    for (fresh, calls, code) in [(true, all - 4, 11), (false, all, 0)] {
        let arguments = eval("first", fresh, calls);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ended = house.against(&emulator, &arguments).await;
        assert_eq!(ended.code, code, "{ended:?}");
    }
    assert_eq!(house.json(".tunegate/s/results.json")["run"]["resumed"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_judge_compares_with_nothing_until_it_has_judged_the_baseline_too() {
    let (house, emulator) = once(12, DROP).await;
    let rubric = format!("judge:\n  rubric: Amounts must match to the cent.\n{DROP}");
    house.write("s.yaml", &suite("s", 12, &rubric));
    let (ended, results) = compared(&house, &emulator, &[]).await;
    assert_eq!(ended.code, 11, "{ended:?}");
    assert_eq!(results["comparison"]["judge"], "changed");
    assert!(results["comparison"]["incomparable"].is_string());
    assert!(results["comparison"]["mean"].get("difference").is_none());
    assert!(
        flat(&ended.stdout).contains("--rejudge-baseline"),
        "{}",
        ended.stdout
    );
    let (ended, results) = compared(&house, &emulator, &["--rejudge-baseline"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(results["baseline"]["rejudged"], true);
    assert_eq!(results["baseline"]["judge"], results["suite"]["judge"]);
    assert_eq!(results["comparison"]["judge"], "rejudged");
    assert_eq!(results["comparison"]["counts"]["compared"], 12);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn saved_results_say_the_same_of_their_baseline_again() {
    let (house, emulator) = once(12, DROP).await;
    let (_, results) = compared(&house, &emulator, &[]).await;
    // What is derived is derived again: a hand that mends it mends nothing.
    let mut mended = results.clone();
    mended["verdict"]["decision"] = json!("fail");
    mended["comparison"]["mean"]["difference"] = json!(0.5);
    house.write("mended.json", &mended.to_string());
    let ended = house.run(&["report", "mended.json", "--format", "json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(serde_json::from_str::<Value>(&ended.stdout).unwrap(), results);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_gates_decide_where_they_are_asked_to() {
    let (house, emulator) = once(2, EASY).await;
    // A tag that this suite lacks can't be said to pass, and no gate of another suite refuses this one.
    let strict = "gates:\n  - require: cases >= 3\n    else: hold\n";
    house
        .write("strict.yaml", &suite("policy", 1, strict))
        .write(
            "tags.yaml",
            &suite("policy", 1, "gates:\n  - require: mean(tag: elsewhere) >= 0.1\n")
                .replace("[totals]", "[elsewhere]"),
        )
        .write(
            "grammar.yaml",
            &suite("policy", 1, "gates:\n  - require: meen >= 0.1\n"),
        )
        .write("none.yaml", "- 1\n");
    let eval = |file: &'static str| ["eval", "s.yaml", "--policy-from", file];
    let ended = house.against(&emulator, &eval("strict.yaml")).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let results = house.json(".tunegate/s/results.json");
    assert_eq!(results["verdict"]["decision"], "hold");
    let policy = &results["suite"]["policy"];
    assert_eq!(
        (&policy["from"], &policy["differs"]),
        (&json!("strict.yaml"), &json!(true))
    );
    assert_eq!(policy["own"][0]["require"], "cases >= 1");
    assert_eq!(results["suite"]["gates"][0]["require"], "cases >= 3");
    let ended = house.against(&emulator, &eval("s.yaml")).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(
        house.json(".tunegate/s/results.json")["suite"]["policy"]["differs"],
        false
    );
    let ended = house.against(&emulator, &eval("tags.yaml")).await;
    assert_eq!(ended.code, 11, "{ended:?}");
    let before = requests(&emulator).await;
    for file in ["grammar.yaml", "none.yaml", "nowhere.yaml", "base"] {
        let ended = house.against(&emulator, &eval(file)).await;
        assert_eq!(ended.code, 2, "{file}: {ended:?}");
        assert!(ended.stderr.contains("--policy-from"), "{file}: {ended:?}");
    }
    assert_eq!(requests(&emulator).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_run_adds_a_line_to_the_suite_s_history() {
    let (house, emulator) = once(2, EASY).await;
    let lines = || -> Vec<Value> {
        let text = house.read(".tunegate/s/history.jsonl");
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    assert_eq!(lines().len(), 1);
    let ended = house.against(&emulator, &["run", "s.yaml", "--no-launch"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let results = house.json(".tunegate/s/results.json");
    assert_eq!(lines().len(), 2);
    assert_eq!(lines()[1]["run"], results["run"]["id"]);
    // What became of the run later takes the place of what was known of it.
    let ended = house
        .against(&emulator, &["cycle", ".tunegate/s/results.json"])
        .await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(lines().len(), 2);
    assert_eq!(lines()[1]["outcome"], "launched");
    let off = house
        .against(&emulator, &["eval", "s.yaml", "--history", "off"])
        .await;
    assert_eq!(off.code, 0, "{off:?}");
    assert_eq!(lines().len(), 2);
    // A history that can't be read costs the trend and no run.
    house.write(".tunegate/s/history.jsonl", "nothing\n");
    let ended = house.against(&emulator, &["eval", "s.yaml"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("history"), "{ended:?}");
    assert_eq!(lines().len(), 1);
}
