//! What is repeated, what is not, and when.

use std::collections::BTreeMap;

use tunegate::http::{Effect, FailureKind, MAX_ATTEMPTS, SHAPE_REPEATS, TIMEOUT, TIMEOUT_ATTEMPTS};

use super::*;

fn html(status: u16) -> Act {
    Act::text(status, "<html><head><title>Bad Gateway</title></head></html>")
}

#[tokio::test(start_paused = true)]
async fn a_read_is_repeated_wherever_that_can_mend_it() {
    let mendable = [
        html(502),
        Act::json(500, json!({"error": "oops"})),
        Act::text(503, ""),
        Act::text(504, "upstream"),
        Act::text(429, ""),
        Act::text(408, ""),
        Act::ResetBeforeReading,
        Act::ResetAfterReading,
        Act::Silence,
        Act::Trickle(Answer::new(200, vec![b' '; 200]), seconds(1)),
        cut(),
        broken_off(),
        html(200),
        Act::Cut(Answer::new(503, "some text"), 3),
    ];
    for act in mendable {
        let stub = Stub::script([act.clone(), fine()]).await;
        let reply = send(&client(&stub), Writes::No).await;
        let reply = reply.unwrap_or_else(|failure| panic!("{act:?}: {failure}"));
        assert_eq!(
            (reply.value, reply.attempts),
            (json!({"fine": true}), 2),
            "{act:?}"
        );
        assert_eq!(stub.connections(), 2, "{act:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_repeating_can_not_mend_is_sent_once() {
    for (act, kind) in [
        (Act::json(400, json!({"error": "no"})), FailureKind::Rejected),
        (Act::text(401, ""), FailureKind::Unauthorized),
        (Act::text(403, ""), FailureKind::Unauthorized),
        (Act::text(404, ""), FailureKind::Rejected),
        (Act::text(409, ""), FailureKind::Rejected),
        (Act::text(413, ""), FailureKind::Rejected),
        (Act::text(422, ""), FailureKind::Rejected),
        (Act::text(301, ""), FailureKind::Rejected),
        (Act::text(303, ""), FailureKind::Unreadable),
    ] {
        for writes in [Writes::No, Writes::Yes] {
            let stub = Stub::script([act.clone(), fine()]).await;
            let failure = send(&client(&stub), writes).await.expect_err("not repeated");
            assert_eq!((failure.kind, failure.attempts), (kind, 1), "{act:?}: {failure}");
            assert_eq!(stub.requests().len(), 1, "{act:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_is_repeated_only_where_it_was_surely_not_done() {
    for act in [Act::text(429, ""), Act::text(408, "")] {
        let stub = Stub::script([act, fine()]).await;
        let reply = send(&client(&stub), Writes::Yes).await.expect("repeated");
        assert_eq!((reply.attempts, stub.requests().len()), (2, 2));
    }
    for (act, kind, effect) in [
        (Act::text(500, ""), FailureKind::Server, Effect::Askable),
        (html(502), FailureKind::Server, Effect::Askable),
        (Act::text(503, ""), FailureKind::Server, Effect::Askable),
        (Act::text(504, ""), FailureKind::Server, Effect::Unknown),
        (Act::ResetBeforeReading, FailureKind::Broken, Effect::Unknown),
        (Act::ResetAfterReading, FailureKind::Broken, Effect::Unknown),
        (Act::Silence, FailureKind::Timeout, Effect::Unknown),
        (cut(), FailureKind::Broken, Effect::Unknown),
        (broken_off(), FailureKind::Unreadable, Effect::Unknown),
        (html(200), FailureKind::Unreadable, Effect::Unknown),
    ] {
        let stub = Stub::script([act.clone(), fine()]).await;
        let failure = send(&client(&stub), Writes::Yes).await.expect_err("not repeated");
        assert_eq!(
            (failure.kind, failure.effect(), failure.attempts),
            (kind, effect, 1),
            "{act:?}"
        );
        assert_eq!(stub.connections(), 1, "{act:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_refused_and_then_lost_is_not_sent_a_third_time() {
    let stub = Stub::script([Act::text(429, ""), Act::ResetAfterReading, fine()]).await;
    let failure = send(&client(&stub), Writes::Yes).await.expect_err("lost");
    assert_eq!((failure.kind, failure.attempts), (FailureKind::Broken, 2));
    assert_eq!(stub.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_connection_is_tried_again_by_reads_and_writes() {
    // A port that was free a moment ago, and that nothing listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a port")
        .port();
    for writes in [Writes::No, Writes::Yes] {
        let settings = settings(&format!("http://127.0.0.1:{port}"));
        let client = Client::new(settings, CancellationToken::new()).expect("valid");
        let failure = send(&client, writes).await.expect_err("nobody listens");
        assert_eq!(
            (failure.kind, failure.attempts),
            (FailureKind::Connect, MAX_ATTEMPTS)
        );
        assert_eq!(failure.effect(), Effect::NotDone);
        assert!(failure.message.contains("refused"), "{failure}");
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_end_and_everything_is_counted() {
    let stub = Stub::serve(|_| Act::json(503, json!({"error": "overloaded", "support_id": "S-7"}))).await;
    let client = client(&stub);
    let began = tokio::time::Instant::now();
    let failure = send(&client, Writes::No).await.expect_err("it never mends");
    // At most 0.5 + 1 + 2 + 4 + 8 + 16 s of pauses.
    assert!(
        began.elapsed() <= Duration::from_millis(31_600),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(
        failure.to_string(),
        "test call: server error (503) after 7 attempts: overloaded (support id S-7)"
    );
    let tally = client.tally()["test call"];
    assert_eq!((tally.calls, tally.attempts, tally.failed), (1, 7, 1));
    assert_eq!(stub.requests().len(), 7);
}

/// Another shape than [`shaped`] asks for.
fn misshapen() -> Act {
    Act::ok(json!({"fine": "text"}))
}

async fn shaped(client: &Client, writes: Writes) -> Result<Reply<BTreeMap<String, bool>>, Failure> {
    client.send(&call(writes)).await
}

#[tokio::test(start_paused = true)]
async fn another_shape_is_asked_for_again_twice_and_no_more() {
    for before in 0..=2 {
        let acts = (0..before).map(|_| misshapen()).chain([fine()]);
        let stub = Stub::script(acts).await;
        let reply = shaped(&client(&stub), Writes::No).await.expect("it mends");
        assert_eq!(reply.attempts, before + 1);
    }
    let stub = Stub::serve(|_| misshapen()).await;
    let failure = shaped(&client(&stub), Writes::No)
        .await
        .expect_err("it never mends");
    assert_eq!(
        (failure.kind, failure.attempts),
        (FailureKind::Unreadable, 1 + SHAPE_REPEATS)
    );
    assert!(
        failure
            .to_string()
            .contains("after 3 attempts: JSON of another shape"),
        "{failure}"
    );
    let failure = shaped(&client(&stub), Writes::Yes)
        .await
        .expect_err("a write is sent once");
    assert_eq!((failure.effect(), failure.attempts), (Effect::Unknown, 1));
    // Other faults in between are counted apart.
    let stub = Stub::script([
        misshapen(),
        html(502),
        misshapen(),
        html(200),
        Act::text(429, ""),
        html(503),
        fine(),
    ])
    .await;
    let reply = shaped(&client(&stub), Writes::No)
        .await
        .expect("in the seventh attempt");
    assert_eq!(reply.attempts, MAX_ATTEMPTS);
    let stub = Stub::script([misshapen(), html(502), misshapen(), misshapen(), fine()]).await;
    let failure = shaped(&client(&stub), Writes::No)
        .await
        .expect_err("three of another shape");
    assert_eq!((failure.kind, failure.attempts), (FailureKind::Unreadable, 4));
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_three_time_outs_and_no_more() {
    let stub = Stub::script([Act::Silence, Act::Silence, fine()]).await;
    let reply = send(&client(&stub), Writes::No).await.expect("it mends");
    assert_eq!(reply.attempts, TIMEOUT_ATTEMPTS);
    for act in [
        Act::Silence,
        Act::Trickle(Answer::new(200, vec![b' '; 500]), seconds(1)),
    ] {
        let stub = Stub::serve(move |_| act.clone()).await;
        let began = tokio::time::Instant::now();
        let failure = send(&client(&stub), Writes::No)
            .await
            .expect_err("it never mends");
        assert_eq!(
            (failure.kind, failure.attempts),
            (FailureKind::Timeout, TIMEOUT_ATTEMPTS)
        );
        assert!(
            began.elapsed() < TIMEOUT * TIMEOUT_ATTEMPTS + seconds(5),
            "{:?}",
            began.elapsed()
        );
    }
    let stub = Stub::script([Act::Silence, html(502), Act::Silence, html(502), fine()]).await;
    let reply = send(&client(&stub), Writes::No)
        .await
        .expect("other faults in between are counted apart");
    assert_eq!(reply.attempts, 5);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_for_in_both_forms() {
    let date = "Sun, 06 Nov 1994 08:49:07 GMT";
    let asking = |status, after: &str| {
        Act::Reply(
            Answer::new(status, "")
                .header("retry-after", after)
                .header("date", date),
        )
    };
    for (act, least, most) in [
        (asking(429, "40"), 40, 41),
        (asking(503, "40"), 40, 41),
        (asking(429, "Sun, 06 Nov 1994 08:49:37 GMT"), 30, 31),
        // A longer one waits the cap, and not a moment more.
        (asking(429, "86400"), 120, 120),
        (asking(503, "Mon, 07 Nov 1994 08:49:37 GMT"), 120, 120),
        (asking(429, "whenever"), 0, 1),
    ] {
        let stub = Stub::script([act.clone(), fine()]).await;
        send(&client(&stub), Writes::No).await.expect("repeated");
        let requests = stub.requests();
        let waited = requests[1].at - requests[0].at;
        assert!(
            waited >= seconds(least) && waited <= seconds(most) + Duration::from_millis(20),
            "{act:?}: {waited:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn latency_is_the_last_attempts_alone() {
    let stub = Stub::script([Act::text(500, "").after(seconds(20)), fine().after(seconds(2))]).await;
    let client = client(&stub);
    let reply = send(&client, Writes::No).await.expect("repeated");
    assert!(
        reply.latency >= seconds(2) && reply.latency < seconds(3),
        "{:?}",
        reply.latency
    );
    let total = client.tally()["test call"].total;
    assert!(total >= seconds(22) && total < seconds(23), "{total:?}");
}
