//! Writes in doubt where the service can't be asked, a person who has looked, and a patience that is theirs.

use std::time::{Duration, Instant};

use tunegate::emulator::{Calls, Fault, PlacedFault};

use super::story::{SUITE, Story, TRACES};
use crate::harness::options;

/// The line of an undisturbed run's journal before whose effect it says that the job is sent.
const JOB: i64 = 23;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_cannot_be_asked_stays_unknown_and_the_next_run_asks() {
    let fault = |route: &str, calls, fault| PlacedFault {
        route: route.to_owned(),
        calls,
        fault,
    };
    for (write, call, asked, first) in [
        ("POST /api/v1/traces", "create trace", "GET /api/v1/traces", 2),
        (
            "POST /api/v1/public/snapshots/create",
            "snapshot",
            "GET /api/v1/public/projects/{id}",
            4,
        ),
    ] {
        let mut options = options();
        options.placed_faults = vec![
            fault(write, Calls::nth(1), Fault::ResetAfter),
            fault(asked, Calls::range(first, first + 16), Fault::WrongShape),
        ];
        let story = Story::of(SUITE, options).await;
        let mut codes = Vec::new();
        for _ in 0..12 {
            let run = story.run(&["--concurrency", "1"]).await;
            codes.push(run.code);
            story.once().await.unwrap();
            if run.code == Some(0) {
                break;
            }
            assert_eq!(run.code, Some(4), "{}", run.told);
            if codes.len() == 1 {
                let told = run.told.replace('\u{a0}', " ");
                for word in ["not known whether", call, "--assume-not-done"] {
                    assert!(told.contains(word), "{word}: {told}");
                }
                let unknown = story.night.results()["cycle"]["unknown"].clone();
                assert_eq!(unknown.as_array().map(Vec::len), Some(1), "{unknown}");
            }
        }
        assert_eq!(
            (codes[0], codes.last().unwrap()),
            (Some(4), &Some(0)),
            "{write}: {codes:?}"
        );
        story.whole(TRACES).await.unwrap();
    }
}

/// Ends with the job sent, or about to be, and not noted as done.
async fn in_doubt(done: bool) -> Story {
    let story = Story::new().await;
    let line = if done { -(JOB + 1) } else { JOB };
    let died = story.die_at(line, &["--concurrency", "1"]).await;
    assert_eq!(died.code, None, "{}", died.told);
    let jobs = story.emulator.state().await["jobs"].as_array().unwrap().len();
    assert_eq!(jobs, usize::from(done));
    story
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_looked_need_not_wait() {
    for done in [false, true] {
        let story = in_doubt(done).await;
        // Without the word of a person a no would count after two hours.
        let run = story.run(&["--doubt-timeout", "1h", "--assume-not-done"]).await;
        assert_eq!(run.code, Some(0), "{}", run.told);
        // What is there all the same is found: a person may have looked too early.
        story.whole(TRACES).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_counts_after_the_patience_that_was_asked_for() {
    let story = in_doubt(false).await;
    let at = Instant::now();
    let run = story.run(&["--doubt-timeout", "3s"]).await;
    assert_eq!(run.code, Some(0), "{}", run.told);
    assert!(at.elapsed() > Duration::from_secs(3), "{:?}", at.elapsed());
    story.whole(TRACES).await.unwrap();
}
