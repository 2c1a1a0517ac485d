//! Hostile replies: too large, too deep, without end, redirecting, and what a request looks like.

use tunegate::http::{FailureKind, MAX_ERROR_BYTES, MAX_REPLY_BYTES, MAX_REPLY_VALUES};

use super::*;

#[tokio::test]
async fn a_request_says_who_asks_and_carries_the_key() {
    let stub = Stub::script([fine(), fine()]).await;
    let base = format!("{}/prefix/", stub.url);
    let client = Client::new(settings(&base), CancellationToken::new()).expect("valid");
    send(&client, Writes::No).await.expect("fine");
    let bare = Call {
        body: None,
        query: vec![("q", "a b&c".to_owned())],
        ..call(Writes::No)
    };
    client.send::<Value>(&bare).await.expect("fine");
    let requests = stub.requests();
    let first = &requests[0];
    assert_eq!(
        (first.method.as_str(), first.path.as_str()),
        ("POST", "/prefix/api/v1/thing")
    );
    assert_eq!(
        first.header("authorization"),
        Some(format!("Bearer {KEY}").as_str())
    );
    assert_eq!(
        first.header("user-agent"),
        Some(concat!("tunegate/", env!("CARGO_PKG_VERSION")))
    );
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.header("accept-encoding"), Some("gzip"));
    assert_eq!(first.json(), json!({"a": 1}));
    let second = &requests[1];
    assert_eq!(second.query, [("q".to_owned(), "a b&c".to_owned())]);
    assert_eq!(
        (second.header("content-length"), second.json()),
        (Some("0"), Value::Null)
    );
}

#[tokio::test]
async fn a_body_without_end_is_let_go() {
    let stub = Stub::script([Act::Endless(Answer::new(200, "")), fine()]).await;
    let failure = send(&client(&stub), Writes::No).await.expect_err("too large");
    assert_eq!((failure.kind, failure.attempts), (FailureKind::Unreadable, 1));
    assert!(failure.message.contains("32 MiB"), "{failure}");

    let announced = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
        MAX_REPLY_BYTES + 1
    );
    let stub = Stub::script([Act::Raw(announced.into_bytes())]).await;
    let failure = send(&client(&stub), Writes::No).await.expect_err("too large");
    assert_eq!((failure.kind, failure.attempts), (FailureKind::Unreadable, 1));
}

#[tokio::test(start_paused = true)]
async fn an_error_without_end_keeps_its_class() {
    let stub = Stub::script([Act::Endless(Answer::new(400, "no way. "))]).await;
    let failure = send(&client(&stub), Writes::No).await.expect_err("rejected");
    assert_eq!((failure.kind, failure.status), (FailureKind::Rejected, Some(400)));
    assert!(failure.message.starts_with("no way. no way."), "{failure}");
    assert!(failure.message.len() < MAX_ERROR_BYTES / 100);

    let trickle = Act::Trickle(Answer::new(429, vec![b'x'; 1_000]), seconds(1));
    let stub = Stub::script([trickle, fine()]).await;
    let reply = send(&client(&stub), Writes::Yes)
        .await
        .expect("429 is repeated, whatever its body does");
    assert_eq!(reply.attempts, 2);
}

#[tokio::test]
async fn a_compressed_reply_is_read_and_counted_after_decompression() {
    let gzip = |body: Vec<u8>| Act::Reply(Answer::new(200, body).header("content-encoding", "gzip"));
    // `{"fine": true}` as gzip writes it.
    let small = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 255, 171, 86, 74, 203, 204, 75, 85, 178, 82, 40, 41, 42, 77, 173, 5, 0,
        109, 18, 110, 139, 14, 0, 0, 0,
    ];
    let stub = Stub::script([gzip(small.to_vec()), gzip(bomb()), fine()]).await;
    let client = client(&stub);
    assert_eq!(
        send(&client, Writes::No).await.expect("fine").value,
        json!({"fine": true})
    );
    let failure = send(&client, Writes::No).await.expect_err("too large");
    assert_eq!(failure.kind, FailureKind::Unreadable);
    assert!(failure.message.contains("32 MiB"), "{failure}");
}

/// More than 32 MiB of zeros in about 210 KiB: one literal and back references (deflate, fixed codes).
fn bomb() -> Vec<u8> {
    let mut bytes = vec![31, 139, 8, 0, 0, 0, 0, 0, 2, 255];
    let (mut word, mut filled) = (0_u32, 0);
    let mut put = |bits: &str| {
        for bit in bits.bytes() {
            word |= u32::from(bit == b'1') << filled;
            filled += 1;
            if filled == 8 {
                bytes.push(word as u8);
                (word, filled) = (0, 0);
            }
        }
    };
    // Not the last block, fixed codes, the literal 0.
    put("0");
    put("10");
    put("00110000");
    for _ in 0..MAX_REPLY_BYTES / 258 + 1_000 {
        // Length 258, distance 1.
        put("11000101");
        put("00000");
    }
    bytes
}

#[tokio::test]
async fn memory_is_bounded() {
    // A few megabytes that would take some hundred.
    for body in [
        format!("[{}0]", "0,".repeat(MAX_REPLY_VALUES)),
        format!("[{}0]", "[],".repeat(MAX_REPLY_VALUES)),
        format!("[{}0]", r#"{"":0},"#.repeat(MAX_REPLY_VALUES / 2)),
    ] {
        let stub = Stub::serve(move |_| Act::text(200, &body)).await;
        let failure = send(&client(&stub), Writes::No).await.expect_err("too many");
        assert_eq!((failure.kind, failure.attempts), (FailureKind::Unreadable, 1));
        assert!(failure.message.contains("500000 values"), "{failure}");
    }
    let text = format!(r#"["{}", 1]"#, ",".repeat(3 * MAX_REPLY_VALUES));
    let stub = Stub::serve(move |_| Act::text(200, &text)).await;
    let reply = send(&client(&stub), Writes::No).await.expect("two values");
    assert_eq!(reply.value[1], 1);
}

#[tokio::test]
async fn depth_is_bounded() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let stub = Stub::serve(move |_| Act::text(200, &deep)).await;
    let settings = Settings {
        max_attempts: 1,
        ..settings(&stub.url)
    };
    let client = Client::new(settings, CancellationToken::new()).expect("valid");
    let failure = send(&client, Writes::No).await.expect_err("too deep");
    assert_eq!(failure.kind, FailureKind::Unreadable);
    assert!(failure.message.contains("recursion limit"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn another_shape_is_told() {
    let stub = Stub::serve(|_| Act::text(200, r#"["text"]"#)).await;
    let failure = client(&stub)
        .send::<Vec<u64>>(&call(Writes::No))
        .await
        .expect_err("no numbers");
    assert_eq!((failure.kind, failure.attempts), (FailureKind::Unreadable, 3));
    assert!(
        failure.message.contains("another shape") && failure.message.contains("text"),
        "{failure}"
    );

    let stub = Stub::script([
        Act::text(200, ""),
        Act::text(200, " \n"),
        Act::text(200, "[1]"),
        Act::text(200, ""),
    ])
    .await;
    let client = client(&stub);
    let reply = client
        .send::<Vec<u64>>(&call(Writes::No))
        .await
        .expect("an empty body is no JSON, and may mend");
    assert_eq!((reply.value, reply.attempts), (vec![1], 3));
    client
        .send::<Option<u64>>(&call(Writes::Yes))
        .await
        .expect("who can do without a body, does");
}

#[tokio::test]
async fn json_is_read_whatever_the_content_type_says() {
    let answer = Answer::new(200, "\u{feff}{\"fine\": true}").header("content-type", "text/html");
    let stub = Stub::script([Act::Reply(answer)]).await;
    assert_eq!(
        send(&client(&stub), Writes::No).await.expect("fine").value,
        json!({"fine": true})
    );
}

#[tokio::test]
async fn garbage_instead_of_http_is_a_broken_connection() {
    for garbage in [
        &b"SSH-2.0-OpenSSH_9.9\r\n"[..],
        b"\x16\x03\x01\x00",
        b"HTTP/1.1 999999 x\r\n\r\n",
        b"",
    ] {
        let stub = Stub::script([Act::Raw(garbage.to_vec())]).await;
        let failure = send(&client(&stub), Writes::Yes).await.expect_err("no HTTP");
        assert_eq!(failure.kind, FailureKind::Broken, "{failure}");
    }
}
