//! The end of the process at every line of the journal, just before and just after it.

use serde_json::Value;

use super::story::{PAID, Story, TRACES, ensure, lasting, with};
use crate::matrix::night::Run;
use crate::matrix::together;

/// Runs that a death may be followed by until one has ended by itself.
const RUNS: usize = 4;

/// What an undisturbed run leaves: the lines of its journal, and its results.
async fn undisturbed() -> (i64, Value) {
    let story = Story::new().await;
    let run = story.run(&["--concurrency", "1"]).await;
    assert_eq!(run.code, Some(0), "{}", run.told);
    story.whole(TRACES).await.unwrap();
    assert_eq!((story.kept(), story.paid().await), (PAID, PAID));
    let lines = i64::try_from(story.journal().len()).unwrap();
    assert!(lines > 20, "{lines}");
    (lines, lasting(&story.night.results()))
}

/// Dies at each of `deaths` in a process of its own, then runs until it is done.
async fn die(deaths: &[i64], concurrency: u64, as_ever: &Value) -> Result<(), String> {
    let story = Story::new().await;
    let told = concurrency.to_string();
    // Nothing here is silent: a call that is only slow is no reason to send it, and pay for it, again.
    let options = ["--concurrency", told.as_str(), "--timeout", "30s"];
    let named = |why: String| format!("died at {deaths:?}, {concurrency} at once: {why}");
    let mut allowed = PAID;
    for &death in deaths {
        if story.is_through() {
            break;
        }
        let (kept, paid) = (story.kept(), story.paid().await);
        let run = story.die_at(death, &options).await;
        story.quiet().await;
        let with = |why| named(with(&run)(why));
        if run.code == Some(0) {
            // Taken up again it had fewer lines to write than that.
            ensure(death != deaths[0], || with("it did not die".into()))?;
            return ended(&story, allowed, as_ever).await.map_err(with);
        }
        ensure(run.code.is_none(), || with(format!("ended with {:?}", run.code)))?;
        // Nothing is asked for that was kept; what was in flight is lost.
        let (kept, paid) = (story.kept() - kept, story.paid().await - paid);
        let lost = paid
            .checked_sub(kept)
            .ok_or_else(|| with("kept what was not paid for".into()))?;
        ensure(lost <= concurrency, || {
            with(format!("{lost} calls were in flight"))
        })?;
        allowed += lost;
        story.once().await.map_err(with)?;
    }
    if story.is_through() {
        // It died after its last word: nothing is left to do.
        return ended(&story, allowed, as_ever).await.map_err(named);
    }
    let mut last: Option<Run> = None;
    for _ in 0..RUNS {
        let run = story.run(&options).await;
        if run.code == Some(0) {
            return ended(&story, allowed, as_ever)
                .await
                .map_err(|why| named(with(&run)(why)));
        }
        last = Some(run);
    }
    let run = last.ok_or("no run")?;
    Err(named(with(&run)("it never ended well".into())))
}

async fn ended(story: &Story, allowed: u64, as_ever: &Value) -> Result<(), String> {
    story.whole(TRACES).await?;
    let paid = story.paid().await;
    ensure(paid == allowed, || {
        format!("{paid} answers and judgements were paid for, and {allowed} needed")
    })?;
    let results = story.night.results();
    ensure(results["cycle"]["outcome"] == "launched", || {
        results["cycle"]["reason"].to_string()
    })?;
    let now = lasting(&results);
    ensure(now == *as_ever, || format!("the results are others: {now}"))
}

fn both(lines: i64) -> impl Iterator<Item = i64> {
    (1..=lines).flat_map(|line| [line, -line])
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_at_a_time() {
    let (lines, results) = undisturbed().await;
    together(both(lines).map(|line| {
        let results = &results;
        async move { die(&[line], 1, results).await }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_calls_at_a_time() {
    let (lines, results) = undisturbed().await;
    together(both(lines).map(|line| {
        let results = &results;
        async move { die(&[line], 4, results).await }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn and_once_more_in_the_process_that_takes_it_up() {
    let (lines, results) = undisturbed().await;
    // Every line once, and with it a second death at a line that follows another one each time.
    let pairs = both(lines).enumerate().map(|(at, first)| {
        let second = i64::try_from(at).unwrap() * 7 % 11 + 1;
        [first, if at % 3 == 0 { -second } else { second }]
    });
    together(pairs.map(|deaths| {
        let results = &results;
        async move { die(&deaths, 1, results).await }
    }))
    .await;
}
