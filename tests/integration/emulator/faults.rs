//! What goes wrong on demand, and whether the effect took place all the same.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use tunegate::emulator::{Faults, Latency, Options, RetryAfter};

use super::peer::{Peer, project, quick};

/// Faults on trace writes alone.
async fn peer_with(faults: Faults) -> Peer {
    let faults = Faults {
        route: Some("POST /api/v1/traces".to_owned()),
        ..faults
    };
    Peer::start(Options { faults, ..quick() }).await
}

fn write(peer: &Peer) -> reqwest::RequestBuilder {
    peer.request(Method::POST, "/api/v1/traces").json(&json!({
        "project_id": project(), "model_id": "extractor", "input": "q", "output": "a", "score": 0.9, "feedback": "f",
    }))
}

async fn kept(peer: &Peer) -> usize {
    peer.emulator.state().await["traces"].as_array().unwrap().len()
}

#[tokio::test]
async fn too_many_requests_have_no_effect_and_say_when_to_come_back() {
    let seconds = RetryAfter::Seconds(7);
    let date = RetryAfter::HttpDate(7);
    for (retry_after, expected) in [
        (RetryAfter::None, None),
        (seconds, Some("7")),
        (date, Some("GMT")),
    ] {
        let peer = peer_with(Faults {
            rate_429: 1.0,
            retry_after,
            ..Faults::default()
        })
        .await;
        let response = write(&peer).send().await.unwrap();
        assert_eq!(response.status(), 429);
        let header = response
            .headers()
            .get("retry-after")
            .map(|value| value.to_str().unwrap());
        assert_eq!(header.is_some(), expected.is_some());
        assert!(
            header.unwrap_or_default().ends_with(expected.unwrap_or_default()),
            "{header:?}"
        );
        assert_eq!(kept(&peer).await, 0);
        assert_eq!(peer.counters().await["malformed"], 0);
    }
}

#[tokio::test]
async fn broken_gateways_come_in_several_kinds_and_have_no_effect() {
    let peer = peer_with(Faults {
        rate_5xx: 1.0,
        ..Faults::default()
    })
    .await;
    let mut bodies = BTreeMap::new();
    for _ in 0..40 {
        let response = write(&peer).send().await.unwrap();
        let status = response.status().as_u16();
        bodies.insert(status, response.text().await.unwrap());
    }
    assert_eq!(bodies.keys().copied().collect::<Vec<_>>(), [500, 502, 503, 504]);
    assert!(bodies[&500].starts_with('{') && bodies[&502].starts_with("<html>") && bodies[&504].is_empty());
    assert_eq!(kept(&peer).await, 0);
}

#[tokio::test]
async fn a_reset_has_no_effect_and_a_lost_answer_has() {
    let peer = peer_with(Faults {
        reset: 1.0,
        ..Faults::default()
    })
    .await;
    let error = write(&peer).send().await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
    assert_eq!(kept(&peer).await, 0);

    let peer = peer_with(Faults {
        lost_answer: 1.0,
        ..Faults::default()
    })
    .await;
    assert!(write(&peer).send().await.is_err());
    assert_eq!(kept(&peer).await, 1);
    let counters = peer.counters().await;
    assert_eq!(
        counters["routes"]["POST /api/v1/traces"]["faults"],
        json!({"lost_answer": 1})
    );
    // Other calls over new connections are well.
    peer.read("/api/v1/traces").await;
}

#[tokio::test]
async fn a_reset_is_a_real_one() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let peer = Peer::start(Options {
        faults: Faults {
            reset: 1.0,
            ..Faults::default()
        },
        ..quick()
    })
    .await;
    let mut socket = tokio::net::TcpStream::connect(peer.emulator.address())
        .await
        .unwrap();
    socket
        .write_all(b"GET /api/v1/models HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\n\r\n")
        .await
        .unwrap();
    let mut bytes = Vec::new();
    let error = socket.read_to_end(&mut bytes).await.unwrap_err();
    assert_eq!(
        (error.kind(), bytes.len()),
        (std::io::ErrorKind::ConnectionReset, 0)
    );
}

#[tokio::test]
async fn a_cut_body_and_a_late_504_come_after_the_effect() {
    let peer = peer_with(Faults {
        cut_body: 1.0,
        ..Faults::default()
    })
    .await;
    let response = write(&peer).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.content_length().unwrap() > 10);
    assert!(response.bytes().await.is_err());
    assert_eq!(kept(&peer).await, 1);

    let peer = peer_with(Faults {
        late_5xx: 1.0,
        ..Faults::default()
    })
    .await;
    assert_eq!(write(&peer).send().await.unwrap().status(), 504);
    assert_eq!(kept(&peer).await, 1);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults() {
    let run = async |seed: u64| {
        let faults = Faults {
            rate_429: 0.3,
            lost_answer: 0.2,
            reset: 0.1,
            ..Faults::default()
        };
        let peer = Peer::start(Options {
            seed,
            faults,
            ..quick()
        })
        .await;
        let mut seen = Vec::new();
        for _ in 0..40 {
            let outcome = peer.request(Method::GET, "/api/v1/models").send().await;
            seen.push(outcome.map(|response| response.status().as_u16()).unwrap_or(0));
        }
        seen
    };
    let seen = run(3).await;
    assert_eq!(seen, run(3).await);
    assert_ne!(seen, run(4).await);
    assert!([0, 200, 429].iter().all(|kind| seen.contains(kind)), "{seen:?}");
}

#[tokio::test]
async fn replies_take_the_time_they_are_told_to() {
    let latency = Latency {
        answer: Duration::from_millis(60),
        judge: Duration::from_millis(120),
        other: Duration::from_millis(30),
    };
    let peer = Peer::start(Options { latency, ..quick() }).await;
    let timed = async |model: &str, prompt: &str| {
        let started = Instant::now();
        peer.chat(model, prompt).await;
        started.elapsed()
    };
    assert!(timed("extractor", "What?").await >= latency.answer);
    assert!(timed("gpt-5", "Reply with \"score\" and \"feedback\".").await >= latency.judge);
    let started = Instant::now();
    peer.read("/api/v1/models").await;
    assert!(started.elapsed() >= latency.other);
}
