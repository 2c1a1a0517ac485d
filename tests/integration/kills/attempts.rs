//! A workflow's run that is attempted again on another machine, without the journal of the first attempt.

use std::time::Duration;

use super::story::{SUITE, Story, ensure, with};
use crate::harness::options;
use crate::matrix::night::Night;
use crate::matrix::together;

/// What every attempt of a step has in its environment.
const STEP: [(&str, &str); 5] = [
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_REPOSITORY", "team/prompts"),
    ("GITHUB_RUN_ID", "4711"),
    ("GITHUB_JOB", "nightly"),
    ("GITHUB_ACTION", "tunegate"),
];

/// A first attempt that ends at a line, and a second one elsewhere.
async fn again(line: Option<i64>) -> Result<(), String> {
    let named = |why: String| format!("died at {line:?}: {why}");
    let mut options = options();
    options.training_delay = Duration::from_secs(3_600);
    let story = Story::of(SUITE, options).await;
    let die = line.map(|line| line.to_string());
    let mut variables = STEP.to_vec();
    variables.extend([("GITHUB_RUN_ATTEMPT", "1")]);
    variables.extend(die.iter().map(|line| ("TUNEGATE_TEST_DIE_AT", line.as_str())));
    let first = story.start(&["--concurrency", "1"], &variables).end().await;
    ensure(first.code.is_some() == line.is_none(), || {
        named(with(&first)("another end".into()))
    })?;
    let launched = story.emulator.state().await["jobs"]
        .as_array()
        .map_or(0, Vec::len);
    let elsewhere = Night::of(SUITE);
    let mut variables = STEP.to_vec();
    variables.extend([("GITHUB_RUN_ATTEMPT", "2")]);
    let second = elsewhere
        .start(&story.emulator, &["run", "s.yaml"], &variables)
        .end()
        .await;
    let with = |why| named(with(&second)(why));
    ensure(second.code == Some(0), || {
        with(format!("ended with {:?}", second.code))
    })?;
    story.once().await.map_err(with)?;
    let cycle = elsewhere.results()["cycle"].clone();
    let expected = launched == 0
        || cycle["outcome"] == "launched" && cycle["reason"].to_string().contains("by an earlier attempt");
    ensure(expected, || with(cycle["reason"].to_string()))?;
    if let Some(job) = story.emulator.state().await["jobs"]
        .get(0)
        .filter(|_| launched == 1)
    {
        ensure(job["id"] == cycle["job_id"], || with("another job".into()))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_attempt_without_the_journal_launches_no_second_job() {
    let lines = [1, 8, 10, 11, 13, 15, 17, 19, 20, 22, 23, -24, 24, 25];
    together([None].into_iter().chain(lines.map(Some)).map(again)).await;
}
