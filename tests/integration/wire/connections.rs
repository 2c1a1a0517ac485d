//! How many connections many calls take, in which protocol, and what a repeat of a call copies.

use std::num::NonZeroU32;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tunegate::emulator::{self, Capacity, Emulator, Faults, Latency, Options, Rate, RetryAfter};

use super::front::{Front, Seen};
use super::*;
use crate::harness::{self, EASY, House};

const CASES: usize = 40;

/// What evaluating [`CASES`] cases asks for: an answer and a judgement each, and whether the model runs.
const CALLS: usize = 2 * CASES + 1;

/// A call that begins in the moment in which another one gives its connection back may open one more, and the pool then
/// has both.
fn most(concurrency: usize) -> usize {
    2 * concurrency
}

async fn emulator_with(latency_ms: u64) -> Emulator {
    let latency = Duration::from_millis(latency_ms);
    emulator::start(Options {
        latency: Latency {
            answer: latency,
            judge: latency,
            other: Duration::ZERO,
        },
        ..harness::options()
    })
    .await
    .unwrap()
}

/// Evaluates the suite behind an address that a certificate speaks for; how many cases were scored.
async fn evaluate(url: &str, house: House, concurrency: usize) -> usize {
    house.write("s.yaml", &harness::suite("s", CASES, EASY));
    let mut command = house.command();
    command
        .args(["eval", "s.yaml", "--output-dir", "out", "--base-url", url])
        .args(["--concurrency", &concurrency.to_string()])
        .env("PREMAI_API_KEY", "secret-key")
        .env("SSL_CERT_FILE", house.path("certificate.pem"));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let scored = &house.json("out/s/results.json")["figures"]["overall"]["scored"];
    scored.as_u64().unwrap().try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_evaluation_opens_about_as_many_connections_as_calls_are_in_flight() {
    for concurrency in [1, 6] {
        let emulator = emulator_with(5).await;
        assert_eq!(
            evaluate(emulator.base_url(), House::new(), concurrency).await,
            CASES
        );
        let opened = usize::try_from(emulator.connections_accepted()).unwrap();
        assert!(
            (1..=most(concurrency)).contains(&opened),
            "{opened} of {concurrency}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_an_evaluation_speaks_http2_on_one_connection_and_reads_what_is_compressed() {
    let emulator = emulator_with(5).await;
    let house = House::new();
    let certificate = house.path("certificate.pem");
    let front = Front::start(emulator.base_url(), &["h2", "http/1.1"], &certificate).await;
    assert_eq!(evaluate(&front.url, house, 16).await, CASES);
    assert_eq!(front.seen.versions(), ["HTTP/2.0"]);
    assert_eq!(Seen::count(&front.seen.connections), 1);
    assert_eq!(Seen::count(&front.seen.requests), CALLS);
    assert_eq!(Seen::count(&front.seen.compressed), CALLS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_without_http2_connections_are_kept_as_well() {
    let emulator = emulator_with(5).await;
    let house = House::new();
    let certificate = house.path("certificate.pem");
    let front = Front::start(emulator.base_url(), &["http/1.1"], &certificate).await;
    assert_eq!(evaluate(&front.url, house, 4).await, CASES);
    assert_eq!(front.seen.versions(), ["HTTP/1.1"]);
    let opened = Seen::count(&front.seen.connections);
    assert!((1..=most(4)).contains(&opened), "{opened}");
}

#[tokio::test]
async fn a_call_that_is_turned_away_costs_no_connection() {
    let often = Capacity {
        rate: Some(Rate {
            per_second: NonZeroU32::new(1_000).unwrap(),
            burst: NonZeroU32::MIN,
            retry_after: RetryAfter::None,
        }),
        ..Capacity::default()
    };
    for (capacity, rate_5xx) in [(often, 0.0), (Capacity::default(), 0.4)] {
        let faults = Faults {
            rate_5xx,
            ..Faults::default()
        };
        let emulator = emulator::start(Options {
            capacity,
            faults,
            ..harness::options()
        })
        .await
        .unwrap();
        let settings = Settings {
            backoff: Duration::from_millis(4),
            backoff_cap: Duration::from_millis(8),
            max_attempts: 1_000,
            ..settings(emulator.base_url())
        };
        let client = Client::new(settings, CancellationToken::new()).unwrap();
        let body = json!({"project_id": harness::PROJECT, "model": "invoice-extractor",
            "messages": [{"role": "user", "content": "What is the total? It is 5.00 EUR."}]});
        let ask = Call {
            path: "/api/v1/chat/completions".to_owned(),
            body: Some(body.to_string().into()),
            ..call(Writes::No)
        };
        let replies: Vec<_> = stream::iter(0..60)
            .map(|_| client.send::<Value>(&ask))
            .buffer_unordered(6)
            .collect()
            .await;
        assert!(replies.iter().all(Result::is_ok), "{replies:?}");
        assert!(
            client.tally()["test call"].attempts > 60,
            "nothing was turned away"
        );
        let opened = emulator.connections_accepted();
        assert!(opened <= 12, "{opened}");
    }
}

/// A body of which the system takes only a part at once.
const LARGE: usize = 24 << 20;

#[tokio::test]
async fn a_repeat_sends_the_same_bytes_and_copies_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut call = call(Writes::No);
    call.body = Some(Bytes::from(vec![b' '; LARGE]));
    let client = Client::new(
        Settings {
            backoff: Duration::from_millis(1),
            ..settings(&url)
        },
        CancellationToken::new(),
    )
    .unwrap();
    let sending = client.send::<Value>(&call);
    let serving = async {
        for attempt in 1..=3 {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut begin = [0; 512];
            socket.read_exact(&mut begin).await.unwrap();
            // The rest waits for the reader; where it is a copy, the call holds its bytes alone.
            assert!(!call.body.as_ref().unwrap().is_unique(), "attempt {attempt}");
            if attempt < 3 {
                socket.set_zero_linger().unwrap();
                continue;
            }
            let mut left = vec![0; 1 << 20];
            let mut read = begin.len();
            while read < LARGE {
                read += socket.read(&mut left).await.unwrap();
            }
            let reply = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
            socket.write_all(reply).await.unwrap();
            socket.flush().await.unwrap();
            // The end of what was sent comes before the end of the connection.
            while socket.read(&mut left).await.unwrap_or(0) > 0 {}
        }
    };
    let (reply, ()) = tokio::join!(sending, serving);
    assert_eq!(reply.unwrap().attempts, 3);
    assert!(call.body.as_ref().unwrap().is_unique());
}
