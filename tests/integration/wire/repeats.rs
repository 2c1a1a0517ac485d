//! What is repeated, what is not, and when.

use tunegate::http::{Effect, FailureKind};

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
        assert_eq!((failure.kind, failure.attempts), (FailureKind::Connect, 5));
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
    // At most 0.5 + 1 + 2 + 4 s of pauses.
    assert!(
        began.elapsed() <= Duration::from_millis(7_600),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(
        failure.to_string(),
        "test call: server error (503) after 5 attempts: overloaded (support id S-7)"
    );
    let tally = client.tally()["test call"];
    assert_eq!((tally.calls, tally.attempts, tally.failed), (1, 5, 1));
    assert_eq!(stub.requests().len(), 5);
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
