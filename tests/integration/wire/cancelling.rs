//! Cancelling: reads end at once, writes in flight may finish, nothing new is sent.

use tunegate::http::{Effect, FailureKind, WRITE_GRACE};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_read_in_flight_ends_at_once() {
    let stub = Stub::script([Act::Silence]).await;
    let client = client(&stub);
    let cancel = async {
        stub.arrived(1).await;
        client.cancel().cancel();
    };
    let began = tokio::time::Instant::now();
    let (outcome, ()) = tokio::join!(send(&client, Writes::No), cancel);
    let failure = outcome.expect_err("cancelled");
    assert_eq!((failure.kind, failure.attempts), (FailureKind::Cancelled, 1));
    assert!(began.elapsed() < seconds(1));
}

#[tokio::test(start_paused = true)]
async fn a_write_in_flight_may_finish() {
    let stub = Stub::script([fine().after(WRITE_GRACE - seconds(1))]).await;
    let client = client(&stub);
    let cancel = async {
        stub.arrived(1).await;
        client.cancel().cancel();
    };
    let (outcome, ()) = tokio::join!(send(&client, Writes::Yes), cancel);
    assert_eq!(outcome.expect("it finished in time").value, json!({"fine": true}));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_does_not_finish_is_of_unknown_effect() {
    let stub = Stub::script([Act::Silence]).await;
    let client = client(&stub);
    let cancel = async {
        stub.arrived(1).await;
        client.cancel().cancel();
        tokio::time::Instant::now()
    };
    let (outcome, cancelled) = tokio::join!(send(&client, Writes::Yes), cancel);
    let failure = outcome.expect_err("cancelled");
    assert_eq!(
        (failure.kind, failure.effect()),
        (FailureKind::Cancelled, Effect::Unknown)
    );
    assert!(cancelled.elapsed() >= WRITE_GRACE && cancelled.elapsed() < WRITE_GRACE + seconds(1));
}

#[tokio::test(start_paused = true)]
async fn a_pause_ends_and_nothing_more_is_sent() {
    let limited = || Act::Reply(Answer::new(429, "").header("retry-after", "100"));
    for (writes, kind) in [
        (Writes::No, FailureKind::Cancelled),
        (Writes::Yes, FailureKind::Limited),
    ] {
        let stub = Stub::script([limited(), fine()]).await;
        let client = client(&stub);
        let cancel = async {
            tokio::time::sleep(seconds(10)).await;
            client.cancel().cancel();
            tokio::time::Instant::now()
        };
        let (outcome, cancelled) = tokio::join!(send(&client, writes), cancel);
        let failure = outcome.expect_err("cancelled");
        assert_eq!((failure.kind, failure.attempts), (kind, 1));
        assert!(cancelled.elapsed() < seconds(1));
        assert_eq!(stub.requests().len(), 1);
    }
}

#[tokio::test]
async fn after_cancelling_nothing_is_sent() {
    let stub = Stub::script([fine()]).await;
    let client = client(&stub);
    client.cancel().cancel();
    let failure = send(&client, Writes::Yes).await.expect_err("cancelled");
    assert_eq!((failure.kind, failure.attempts), (FailureKind::Cancelled, 0));
    assert_eq!(failure.effect(), Effect::NotDone);
    assert_eq!(stub.connections(), 0);
}
