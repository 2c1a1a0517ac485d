//! What the models can take: a rate, slots, and a latency that grows with the load; as options of the library and of
//! the command.

use std::io::{BufRead, BufReader};
use std::num::NonZeroU32;
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tunegate::emulator::{Capacity, Latency, Options, Rate, RetryAfter};

use super::peer::{Peer, project, quick};
use crate::harness::House;

fn number(n: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(n)
}

fn question() -> Value {
    json!({"project_id": project(), "model": "extractor",
        "messages": [{"role": "user", "content": "Total due: 5.00 EUR. What is the total?"}]})
}

async fn peer_with(capacity: Capacity, latency_ms: u64) -> Peer {
    let latency = Latency {
        answer: Duration::from_millis(latency_ms),
        ..Latency::default()
    };
    Peer::start(Options {
        capacity,
        latency,
        ..quick()
    })
    .await
}

/// The statuses of so many answers asked for at once.
async fn at_once(peer: &Peer, calls: usize) -> Vec<u16> {
    let call = async |_| peer.post("/api/v1/chat/completions", &question()).await.0;
    join_all((0..calls).map(call)).await
}

#[tokio::test]
async fn calls_beyond_the_rate_are_turned_away_and_no_fault_of_the_caller() {
    let capacity = Capacity {
        rate: Some(Rate {
            per_second: NonZeroU32::MIN,
            burst: number(3).unwrap(),
            retry_after: RetryAfter::Seconds(7),
        }),
        ..Capacity::default()
    };
    let peer = peer_with(capacity, 0).await;
    let begun = Instant::now();
    let statuses = at_once(&peer, 40).await;
    let refused = statuses.iter().filter(|status| **status == 429).count();
    // On a machine that stands still for a while the bucket gains a call a second.
    let gained = usize::try_from(begun.elapsed().as_secs()).unwrap() + 1;
    assert!((37 - gained..=37).contains(&refused), "{statuses:?}");
    let request = peer.request(Method::POST, "/api/v1/chat/completions");
    let response = request.json(&question()).send().await.unwrap();
    if response.status() == 429 {
        assert_eq!(response.headers()["retry-after"], "7");
        assert!(response.text().await.unwrap().contains("error"));
    }
    // Whatever is no chat call is none of the models' business.
    peer.read("/api/v1/models").await;
    let counters = peer.counters().await;
    assert!(counters["limited"].as_u64().unwrap() >= u64::try_from(refused).unwrap());
    assert_eq!(
        (&counters["malformed"], &counters["faults"]),
        (&json!(0), &json!(0))
    );
    let route = &counters["routes"]["POST /api/v1/chat/completions"];
    assert_eq!(route["calls"], 41);
    assert_eq!(route["statuses"]["429"], counters["limited"]);
}

#[tokio::test]
async fn calls_beyond_the_slots_wait_and_load_slows_replies_down() {
    let slots = Capacity {
        slots: number(2),
        ..Capacity::default()
    };
    let peer = peer_with(slots, 40).await;
    let begun = Instant::now();
    assert_eq!(at_once(&peer, 6).await, [200; 6]);
    assert!(begun.elapsed() >= Duration::from_millis(120));

    let slow_down = Capacity {
        slow_down: number(1),
        ..Capacity::default()
    };
    // So long that all of them are in hand together.
    let peer = peer_with(slow_down, 300).await;
    let begun = Instant::now();
    assert_eq!(at_once(&peer, 3).await, [200; 3]);
    let most = peer.counters().await["most_at_once"].as_u64().unwrap();
    let slowest = Duration::from_millis(300 * most * most);
    assert!(most > 1 && begun.elapsed() >= slowest, "{most}");
}

#[tokio::test]
async fn connections_are_counted_and_kept() {
    let peer = peer_with(Capacity::default(), 0).await;
    for _ in 0..20 {
        peer.read("/api/v1/models").await;
    }
    assert_eq!(peer.emulator.connections_accepted(), 1);
    let strangers: Vec<_> = (0..3)
        .map(|_| reqwest::Client::builder().no_proxy().build().unwrap())
        .collect();
    for stranger in &strangers {
        let url = format!("{}/__emulator/state", peer.emulator.base_url());
        stranger.get(url).send().await.unwrap().bytes().await.unwrap();
    }
    assert_eq!(peer.counters().await["connections"], 4);
}

#[tokio::test]
async fn the_command_has_each_of_them() {
    // The second test of this process finds it installed.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let house = House::new();
    for (options, calls, refused, at_least_ms) in [
        (
            &["--rate", "1", "--burst", "2", "--retry-after", "9"][..],
            9,
            true,
            0,
        ),
        (&["--slots", "1", "--answer-latency", "20ms"], 4, false, 80),
        (&["--slow-down", "1", "--answer-latency", "20ms"], 4, false, 80),
    ] {
        let mut child = house
            .command()
            .args(["emulator", "--port", "0", "--model", "extractor"])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let begun = Instant::now();
        let call = async |_| {
            let url = format!("{}/api/v1/chat/completions", url.trim());
            let request = client.post(url).bearer_auth("k").json(&question());
            let response = request.send().await.unwrap();
            let after = response.headers().get("retry-after").cloned();
            (response.status().as_u16(), after)
        };
        let replies = join_all((0..calls).map(call)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let limited: Vec<_> = replies.iter().filter(|(status, _)| *status == 429).collect();
        assert_eq!(!limited.is_empty(), refused, "{options:?}: {replies:?}");
        assert!(limited.iter().all(|(_, after)| after.as_ref().unwrap() == "9"));
        assert!(
            begun.elapsed() >= Duration::from_millis(at_least_ms),
            "{options:?}"
        );
    }
}
