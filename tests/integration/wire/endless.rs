//! Replies that never end, at each part of a reply: every one of them is let go, in time and in memory.

use tunegate::http::{FailureKind, TIMEOUT};

use super::*;

/// One attempt, against this act.
async fn once(act: Act) -> (Result<Reply<Value>, Failure>, Duration) {
    let stub = Stub::serve(move |_| act.clone()).await;
    let settings = Settings {
        max_attempts: 1,
        ..settings(&stub.url)
    };
    let client = Client::new(settings, CancellationToken::new()).expect("valid");
    let began = tokio::time::Instant::now();
    let outcome = send(&client, Writes::No).await;
    (outcome, began.elapsed())
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const ERROR: &str = "HTTP/1.1 400 No\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn what_trickles_for_ever_ends_with_the_time_out() {
    let a_second = seconds(1);
    for (what, first, again) in [
        ("no byte but the first", "H", ""),
        ("a status line", "HTTP/1.1 200 ", "O"),
        ("header lines", HEAD, "x: y\r\n"),
        ("one header", "HTTP/1.1 200 OK\r\nx: ", "y"),
        ("interim replies", "", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("a body of spaces", "HTTP/1.1 200 OK\r\n\r\n", " "),
        ("chunks", CHUNKED, "1\r\n \r\n"),
        ("a chunk's extension", &format!("{CHUNKED}1;x="), "y"),
        ("trailers", &format!("{CHUNKED}0\r\n"), "x: y\r\n"),
    ] {
        let (outcome, took) = once(Act::Forever(first.into(), again.into(), a_second)).await;
        let failure = outcome.expect_err(what);
        // Whoever counts lines may end it sooner.
        assert!(
            failure.kind == FailureKind::Timeout || (failure.kind == FailureKind::Broken && took < TIMEOUT),
            "{what}: {failure}"
        );
        assert!(took <= TIMEOUT + a_second, "{what}: {took:?}");
    }
    // The class of an error is known before its body.
    let (outcome, took) = once(Act::Forever(ERROR.into(), "1\r\nx\r\n".into(), a_second)).await;
    let failure = outcome.expect_err("rejected");
    assert_eq!((failure.kind, failure.status), (FailureKind::Rejected, Some(400)));
    assert!(took <= seconds(11), "{took:?}");
}

#[tokio::test]
async fn what_floods_is_cut_off() {
    for (what, first, again) in [
        ("header lines", HEAD.to_owned(), "x: y\r\n".repeat(500)),
        ("one header", format!("{HEAD}x: "), "y".repeat(10_000)),
        ("a status line", "HTTP/1.1 200 ".to_owned(), "O".repeat(10_000)),
        (
            "chunk extensions",
            CHUNKED.to_owned(),
            format!("1;{}\r\n \r\n", "x".repeat(10_000)),
        ),
        ("trailers", format!("{CHUNKED}0\r\n"), "x: y\r\n".repeat(500)),
        (
            "chunks",
            CHUNKED.to_owned(),
            format!("10000\r\n{}\r\n", " ".repeat(0x10000)),
        ),
        (
            "a body",
            "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
            " ".repeat(0x10000),
        ),
    ] {
        let (outcome, took) = once(Act::Forever(first.into(), again.into(), Duration::ZERO)).await;
        let failure = outcome.expect_err(what);
        assert!(
            [FailureKind::Broken, FailureKind::Unreadable].contains(&failure.kind),
            "{what}: {failure}"
        );
        assert!(took < seconds(30), "{what}: {took:?}");
    }
}

#[tokio::test]
async fn interim_replies_are_read_over() {
    for count in [1, 100] {
        let interim =
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(count);
        let reply = format!("{interim}HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{{\"fine\": true}}");
        let (outcome, _) = once(Act::Raw(reply.into_bytes())).await;
        assert_eq!(outcome.expect("the last one counts").value, json!({"fine": true}));
    }
    // Not one of them is a change of protocol that this side has asked for.
    let upgrade = "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n";
    let (outcome, _) = once(Act::Raw(upgrade.into())).await;
    assert_ne!(outcome.expect_err("no reply").kind, FailureKind::Timeout);
}

#[tokio::test]
async fn an_encoding_that_was_not_asked_for_is_not_decoded() {
    for encoding in ["br", "deflate", "zstd", "compress", "gzip, gzip"] {
        let answer = Answer::new(200, vec![0x8b; 2_000]).header("content-encoding", encoding);
        let (outcome, _) = once(Act::Reply(answer)).await;
        let failure = outcome.expect_err(encoding);
        assert!(
            [FailureKind::Unreadable, FailureKind::Broken].contains(&failure.kind),
            "{encoding}: {failure}"
        );
        assert!(failure.message.chars().count() < 400, "{failure}");
    }
}

#[tokio::test]
async fn what_is_announced_is_not_believed() {
    for (what, head) in [
        ("two lengths", "content-length: 14\r\ncontent-length: 15\r\n"),
        ("no number", "content-length: many\r\n"),
        ("a negative number", "content-length: -1\r\n"),
        (
            "more than a number holds",
            "content-length: 99999999999999999999\r\n",
        ),
        ("32 MiB, and the end", "content-length: 33554432\r\n"),
        (
            "a chunk of all memory",
            "transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        ),
    ] {
        let reply = format!("HTTP/1.1 200 OK\r\n{head}\r\n{{\"fine\": true}}");
        let (outcome, _) = once(Act::Raw(reply.into_bytes())).await;
        let failure = outcome.expect_err(what);
        assert!(
            [FailureKind::Unreadable, FailureKind::Broken].contains(&failure.kind),
            "{what}: {failure}"
        );
    }
}
