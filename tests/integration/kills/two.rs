//! Two processes at once: on one folder, and on two folders of one project.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::story::{SUITE, Story, ensure, with};
use crate::harness::options;
use crate::matrix::night::Night;
use crate::matrix::together;

/// Other questions than [`SUITE`] has, so that nothing of one is the other's.
pub(super) const OTHERS: &str = "\
cases:
  - {id: net, prompt: The net amount is 40.00 EUR. What is the net amount?, reference: The net amount is 40.00 EUR.}
  - {id: buyer, prompt: The buyer is Kern AG. Who is the buyer?, reference: The buyer is Kern AG.}
gates:
  - require: cases >= 1
cycle:
  poll: 20ms
  settle_timeout: 15s
  recommendations_timeout: 15s
";

/// Waits until a run's journal has so many lines, or the run has ended.
async fn until(story: &Story, process: &mut crate::matrix::night::Process, lines: usize) {
    while !process.has_ended() && story.journal().len() < lines {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_on_a_folder_is_refused_at_once() {
    let mut options = options();
    options.latency.answer = Duration::from_secs(20);
    let story = Story::of(SUITE, options).await;
    let mut first = story.start(&[], &[]);
    until(&story, &mut first, 1).await;
    let journal = std::fs::read(story.night.path("journal.jsonl")).unwrap();
    for arguments in [
        &["run", "s.yaml"][..],
        &["eval", "s.yaml"],
        &["run", "s.yaml", "--fresh"],
    ] {
        let at = Instant::now();
        let second = story.night.start(&story.emulator, arguments, &[]).end().await;
        assert!(at.elapsed() < Duration::from_secs(10), "{:?}", at.elapsed());
        assert_eq!(second.code, Some(2), "{}", second.told);
        for word in ["another tunegate works in .tunegate/s", "pid", "--output-dir"] {
            assert!(second.told.contains(word), "{word}: {}", second.told);
        }
    }
    assert!(!first.has_ended(), "the first one goes on");
    assert_eq!(std::fs::read(story.night.path("journal.jsonl")).unwrap(), journal);
    // Its end, however it comes, is the end of its hold on the folder.
    first.kill();
    assert_eq!(first.end().await.code, None);
    let mut next = story.start(&[], &[]);
    until(&story, &mut next, 2).await;
    assert!(!next.has_ended());
}

/// How long before it says so in its journal a cycle may have looked for the last time: a trip to a busy disk.
const LOOKED: SignedDuration = SignedDuration::from_millis(250);

/// Whether neither of two launches was there when the other one looked.
fn blind(nights: [&Night; 2]) -> bool {
    let [one, two] = nights.map(|night| {
        let text = std::fs::read_to_string(night.path("journal.jsonl")).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let at = |what: &str| -> Timestamp {
            let line = lines
                .iter()
                .find(|line| line["fact"][what]["write"]["job"].is_object());
            line.unwrap()["at"].as_str().unwrap().parse().unwrap()
        };
        (at("sending"), at("done"))
    });
    one.0.duration_since(two.1) < LOOKED && two.0.duration_since(one.1) < LOOKED
}

/// Two folders, the second of which begins when the first one's journal has so many lines.
async fn race(lines: usize) -> Result<(), String> {
    let named = |why: String| format!("the second begins at line {lines}: {why}");
    let mut options = options();
    options.training_delay = Duration::from_secs(3_600);
    let story = Story::of(SUITE, options).await;
    let other = Night::of(OTHERS);
    let mut first = story.start(&[], &[]);
    until(&story, &mut first, lines).await;
    let second = other.start(&story.emulator, &["run", "s.yaml"], &[]);
    let (first, second) = tokio::join!(first.end(), second.end());
    let with = |why| named(with(&second)(with(&first)(why)));
    ensure((first.code, second.code) == (Some(0), Some(0)), || {
        with("both end well".into())
    })?;
    let ends = [story.night.results(), other.results()];
    let outcomes = ends
        .each_ref()
        .map(|end| end["cycle"]["outcome"].as_str().unwrap_or_default());
    let jobs = story.emulator.state().await["jobs"]
        .as_array()
        .map_or(0, Vec::len);
    // The service has no lock: two that have both looked before either launched both launch, and docs/reliability.md says
    // so. Whoever looks when the other's job is there does not.
    if jobs == 2 && blind([&story.night, &other]) {
        return Ok(());
    }
    ensure(jobs == 1, || with(format!("{jobs} jobs, {outcomes:?}")))?;
    ensure(
        matches!(outcomes, ["launched", "held"] | ["held", "launched"]),
        || with(format!("{outcomes:?}")),
    )?;
    let held = ends
        .iter()
        .find(|end| end["cycle"]["outcome"] == "held")
        .map(|end| end["cycle"]["reason"].to_string());
    let held = held.unwrap_or_default();
    let told = held.contains("is under way in this project") || held.contains("taken by somebody else");
    ensure(told, || with(held))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_in_a_project_one_launches_and_the_other_holds() {
    together((0..=24).step_by(2).map(race)).await;
}

/// Somebody else is through while a run is dead that was about to take its snapshot, or had just sent for it.
async fn overtaken(line: i64) -> Result<(), String> {
    let story = Story::new().await;
    let other = Night::of(OTHERS);
    let die = line.to_string();
    let died = other.start(
        &story.emulator,
        &["run", "s.yaml"],
        &[("TUNEGATE_TEST_DIE_AT", &die)],
    );
    let died = died.end().await;
    ensure(died.code.is_none(), || with(&died)("it did not die".into()))?;
    let first = story.run(&[]).await;
    ensure(first.code == Some(0), || with(&first)("the first".into()))?;
    // The snapshot that stands there now is not its own.
    let held = other.run(&story.emulator).await;
    let end = other.results();
    ensure(end["cycle"]["outcome"] == "held", || {
        with(&held)(end["cycle"]["outcome"].to_string())
    })?;
    // The word that it was told by goes for any time after.
    let arguments = ["cycle", ".tunegate/s/results.json"];
    let later = other.start(&story.emulator, &arguments, &[]).end().await;
    let with = |why| with(&later)(format!("died at {line}: {why}"));
    ensure(later.code == Some(0), || {
        with(format!("ended with {:?}", later.code))
    })?;
    let end = other.results();
    ensure(end["cycle"]["outcome"] == "launched", || {
        with(end["cycle"]["reason"].to_string())
    })?;
    let state = story.emulator.state().await;
    let counts = ["jobs", "snapshots"].map(|kind| state[kind].as_array().map_or(0, Vec::len));
    ensure(counts == [2, 2], || with(format!("{counts:?}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_held_launches_later() {
    // The line says that the snapshot is sent.
    together([-16, 16].into_iter().map(overtaken)).await;
}
