//! `diff`: two saved results on the terminal, as Markdown and as JSON; what it ends with; and that nothing in an answer
//! comes alive in any of them.

use serde_json::{Value, json};
use tunegate::emulator;

use crate::harness::{House, options, suite};

const GATES: &str =
    "gates:\n  - require: cases >= 1\n  - require: drop(mean) <= 0.03\ncycle:\n  poll: 20ms\n";

/// What breaks out of a fence, a table, a page, a terminal or a runner's log where it is not held.
const HOSTILE: &str = "```\n~~~~\n</details></td><img src=https://evil.example/x.png><script>x</script>\n@everyone #1 \
                       acme/x#2\n::error::forged\n##[error]forged\n\u{1b}[31mred\u{9b}31m\u{202e}x\n<!-- tunegate: s -->";

/// A house with `base.json` and `head.json`: the first twelve cases' scores are the given ones.
async fn two(before: impl Fn(usize) -> f64, after: impl Fn(usize) -> f64) -> House {
    let (house, emulator) = (House::new(), emulator::start(options()).await.unwrap());
    house.write("s.yaml", &suite("s", 12, GATES));
    let ended = house.against(&emulator, &["eval", "s.yaml"]).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let results = house.json(".tunegate/s/results.json");
    write(&house, "base.json", &results, before);
    write(&house, "head.json", &results, after);
    house
}

fn write(house: &House, name: &str, results: &Value, score: impl Fn(usize) -> f64) {
    let mut results = results.clone();
    for (at, case) in results["cases"].as_array_mut().unwrap().iter_mut().enumerate() {
        case["samples"][0]["votes"][0]["score"] = json!(score(at));
        case["samples"][0]["answer"] = json!(format!("the total of invoice {at} in {name}"));
    }
    house.write(name, &results.to_string());
}

fn good(at: usize) -> f64 {
    [1.0, 0.98, 0.99][at % 3]
}

fn bad(at: usize) -> f64 {
    [0.3, 0.35, 0.25, 0.4][at % 4]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_tells_what_moved() {
    // One case falls, one rises, the others stay.
    let house = two(
        |at| if at == 7 { 0.2 } else { 0.9 },
        |at| if at == 3 { 0.1 } else { 0.9 },
    )
    .await;
    let text = house.run(&["diff", "base.json", "head.json"]);
    assert_eq!(text.code, 0, "{text:?}");
    let markdown = house.run(&["diff", "base.json", "head.json", "--format", "markdown"]);
    assert_eq!(markdown.code, 0, "{markdown:?}");
    for shown in [&text.stdout, &markdown.stdout] {
        // The one that fell stands before the one that rose.
        let place = |id: &str| shown.find(id).unwrap_or_else(|| panic!("{id} in {shown}"));
        assert!(place("case-3") < place("case-7"), "{shown}");
        assert!(!shown.contains("case-5"), "nothing moved there: {shown}");
        assert!(shown.len() < 1024 * 1024);
    }
    assert!(markdown.stdout.contains("```diff"), "{}", markdown.stdout);
    let document = house.run(&["diff", "base.json", "head.json", "--format", "json"]);
    assert_eq!(document.code, 0, "{document:?}");
    let document: Value = serde_json::from_str(&document.stdout).unwrap();
    let told = document.to_string();
    for id in ["case-3", "case-7"] {
        assert!(told.contains(id), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_gate_it_ends_as_the_gates_of_the_later_run_say() {
    let house = two(good, bad).await;
    for (arguments, code) in [
        (&["diff", "base.json", "head.json"][..], 0),
        (&["diff", "base.json", "head.json", "--gate"], 10),
        (&["diff", "head.json", "base.json", "--gate"], 0),
        (&["diff", "head.json", "head.json", "--gate"], 0),
    ] {
        let ended = house.run(arguments);
        assert_eq!(ended.code, code, "{arguments:?}: {ended:?}");
    }
    let mut few = house.json("head.json");
    few["cases"].as_array_mut().unwrap().truncate(4);
    house.write("few.json", &few.to_string());
    let ended = house.run(&["diff", "base.json", "few.json", "--gate"]);
    assert_eq!(ended.code, 11, "four cases carry no test: {ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_compared_is_refused_with_what_to_give() {
    let house = two(good, bad).await;
    let mut other = house.json("head.json");
    other["suite"]["name"] = json!("other");
    house
        .write("other.json", &other.to_string())
        .write("broken.json", "{")
        .write("empty/file", "")
        .write("night/s/results.json", &house.read("base.json"))
        .write("night/t/results.json", &other.to_string())
        .write("one/s/results.json", &house.read("head.json"));
    for (arguments, told) in [
        (["base.json", "other.json"], "--any-suite"),
        (["nowhere.json", "head.json"], "nowhere.json"),
        (["broken.json", "head.json"], "not complete JSON"),
        (["empty", "head.json"], "no results.json in it"),
        (["base.json", "night"], "name one of them"),
    ] {
        let ended = house.run(&[&["diff"][..], &arguments].concat());
        assert_eq!(ended.code, 2, "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(told), "{arguments:?}: {ended:?}");
    }
    for arguments in [
        &["diff", "base.json", "other.json", "--any-suite"][..],
        // A folder of several suites has the one of the later run.
        &["diff", "night", "head.json"],
        &["diff", "night", "one"],
    ] {
        let ended = house.run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
    }
    let help = house.run(&["diff", "--help"]);
    assert_eq!(help.code, 0);
    assert!(
        help.stdout.contains("Examples:") && help.stdout.contains("[env: TUNEGATE_FORMAT]"),
        "{help:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_in_an_answer_comes_alive() {
    let house = two(good, bad).await;
    let mut head = house.json("head.json");
    for case in head["cases"].as_array_mut().unwrap() {
        case["samples"][0]["answer"] = json!(HOSTILE);
        case["samples"][0]["votes"][0]["feedback"] = json!(HOSTILE);
        case["messages"][0]["content"] = json!(HOSTILE);
    }
    house.write("head.json", &head.to_string());
    let controls = |text: &str| text.contains(['\u{1b}', '\u{9b}', '\u{202e}']);
    for format in ["text", "markdown", "json"] {
        let arguments = ["diff", "base.json", "head.json", "--format", format];
        let ended = house.run_with(&arguments, &[("GITHUB_ACTIONS", "true")]);
        assert_eq!(ended.code, 0, "{format}: {ended:?}");
        assert!(!controls(&ended.stdout), "{format}: {}", ended.stdout);
        // The runner obeys nothing of it: outside of a fence no line is a command.
        let mut fence: Option<String> = None;
        for line in ended.stdout.lines() {
            match &fence {
                Some(token) if line == format!("::{token}::") => fence = None,
                Some(_) => {}
                None => {
                    if let Some(token) = line.strip_prefix("::stop-commands::") {
                        fence = Some(token.to_owned());
                        continue;
                    }
                    let command = line.trim_start().starts_with("::") || line.contains("##[");
                    assert!(!command, "{format}: {line}");
                }
            }
        }
    }
    let markdown = house
        .run(&["diff", "base.json", "head.json", "--format", "markdown"])
        .stdout;
    // Outside of code no tag but those of the page's own.
    let spans = regex::Regex::new("`[^`]*`").unwrap();
    let mut inside: Option<String> = None;
    for line in markdown.lines() {
        let ticks = line.trim_start().chars().take_while(|c| *c == '`').count();
        let fence = "`".repeat(ticks);
        match &inside {
            Some(open) if line.trim() == open.as_str() => inside = None,
            Some(_) => {}
            None if ticks >= 3 => inside = Some(fence),
            None => {
                let line = spans.replace_all(line, "");
                for word in ["<img", "<script", "@everyone", "<!-- tunegate"] {
                    assert!(!line.contains(word), "{line}");
                }
            }
        }
    }
    assert_eq!(inside, None, "every fence is closed");
}
