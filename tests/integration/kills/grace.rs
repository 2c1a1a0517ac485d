//! A signal while a write is in flight: it is given its time, a second signal takes that away, and either way the next
//! run finishes what is left.

use std::time::{Duration, Instant};

use tunegate::emulator::{Calls, Fault, PlacedFault};

use super::story::{SUITE, Story, TRACES};
use crate::harness::options;
use crate::matrix::night::Process;

/// A story whose first trace is on its way to a service that takes it and says nothing, and its process.
async fn in_flight() -> (Story, Process) {
    let mut options = options();
    options.placed_faults.push(PlacedFault {
        route: "POST /api/v1/traces".to_owned(),
        calls: Calls::nth(1),
        fault: Fault::SilenceAfter(Duration::from_secs(60)),
    });
    let story = Story::of(SUITE, options).await;
    let mut process = story.start(&["--timeout", "60s", "--concurrency", "1"], &[]);
    while story.emulator.state().await["counters"]["faults"] != 1 {
        assert!(!process.has_ended());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (story, process)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_in_flight_has_its_time_and_is_told_as_unknown() {
    for signal in ["-INT", "-TERM"] {
        let (story, process) = in_flight().await;
        let at = Instant::now();
        process.signal(signal);
        let run = process.end().await;
        let took = at.elapsed();
        assert_eq!(run.code, Some(130), "{}", run.told);
        assert!((4..8).contains(&took.as_secs()), "{took:?}");
        for word in ["goes on from here", "1 writes to be asked for"] {
            assert!(
                run.told.replace('\u{a0}', " ").contains(word),
                "{word}: {}",
                run.told
            );
        }
        let next = story.run(&[]).await;
        assert_eq!(next.code, Some(0), "{}", next.told);
        story.whole(TRACES).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let (story, mut process) = in_flight().await;
    let at = Instant::now();
    // Two that come together are one to the process: they are repeated until it is gone.
    while !process.has_ended() {
        process.signal("-INT");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let took = at.elapsed();
    let run = process.end().await;
    assert_eq!(run.code, Some(130), "{}", run.told);
    assert!(took < Duration::from_secs(3), "{took:?}");
    let next = story.run(&[]).await;
    assert_eq!(next.code, Some(0), "{}", next.told);
    story.whole(TRACES).await.unwrap();
}
