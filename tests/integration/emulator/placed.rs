//! One fault at one place: what its caller gets, and what the service has done.

use std::time::{Duration, Instant};

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tunegate::emulator::{Calls, Fault, Options, PlacedFault, RetryAfter, TraceForm, start};

use super::peer::{Peer, project, quick, text};

const TRACES: &str = "POST /api/v1/traces";

/// A fault on the second call of a route.
fn second(route: &str, fault: Fault) -> Options {
    placed(route, Calls::nth(2), fault)
}

fn placed(route: &str, calls: Calls, fault: Fault) -> Options {
    let placed = PlacedFault {
        route: route.to_owned(),
        calls,
        fault,
    };
    Options {
        placed_faults: vec![placed],
        ..quick()
    }
}

/// What the second of two trace writes got, and how many traces there are then; a sound third follows.
async fn second_write(fault: Fault) -> (Result<Response, reqwest::Error>, usize) {
    let peer = Peer::start(second(TRACES, fault)).await;
    peer.trace("first", "a", 0.9, "f").await;
    let body = json!({"project_id": project(), "model_id": "extractor", "input": "second", "output": "a", "score": 0.9});
    let got = peer
        .request(Method::POST, "/api/v1/traces")
        .json(&body)
        .send()
        .await;
    let kept = kept(&peer).await;
    peer.trace("third", "a", 0.9, "f").await;
    (got, kept)
}

async fn kept(peer: &Peer) -> usize {
    peer.emulator.state().await["traces"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_server_error_comes_before_or_after_the_effect() {
    for status in [500, 502, 503, 504] {
        for (fault, expected) in [(Fault::Status(status), 1), (Fault::StatusAfter(status), 2)] {
            let (got, kept) = second_write(fault).await;
            let got = got.unwrap();
            assert_eq!((got.status().as_u16(), kept), (status, expected), "{fault:?}");
            let html = got
                .headers()
                .get("content-type")
                .is_some_and(|kind| kind == "text/html");
            assert_eq!(html, matches!(status, 502 | 503), "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_429_says_when_to_come_back_in_three_ways() {
    for (retry_after, form) in [
        (RetryAfter::None, None),
        (RetryAfter::Seconds(3), Some(false)),
        (RetryAfter::HttpDate(3), Some(true)),
    ] {
        let (got, kept) = second_write(Fault::TooMany(retry_after)).await;
        let got = got.unwrap();
        assert_eq!((got.status().as_u16(), kept), (429, 1));
        let is_date = |header: &reqwest::header::HeaderValue| header.to_str().unwrap().ends_with(" GMT");
        assert_eq!(got.headers().get("retry-after").map(is_date), form);
    }
}

#[tokio::test]
async fn connections_break_or_stay_silent_before_or_after_the_effect() {
    let moment = Duration::from_millis(80);
    for (fault, expected, waits) in [
        (Fault::Reset, 1, false),
        (Fault::ResetAfter, 2, false),
        (Fault::Silence(moment), 1, true),
        (Fault::SilenceAfter(moment), 2, true),
    ] {
        let started = Instant::now();
        let (got, kept) = second_write(fault).await;
        assert!(got.is_err(), "{fault:?}: {got:?}");
        assert_eq!(kept, expected, "{fault:?}");
        assert!(!waits || started.elapsed() >= moment, "{fault:?}");
    }
}

#[tokio::test]
async fn replies_are_spoilt_after_the_effect() {
    let cut = second_write(Fault::CutBody).await;
    assert!(cut.0.unwrap().bytes().await.is_err());
    assert_eq!(cut.1, 2);
    for fault in [
        Fault::WrongType,
        Fault::WrongShape,
        Fault::MissingId,
        Fault::DoubledBody,
        Fault::Trickle(Duration::from_millis(30)),
    ] {
        let (got, kept) = second_write(fault).await;
        let got = got.unwrap();
        assert_eq!((got.status().as_u16(), kept), (200, 2), "{fault:?}");
        let html = got.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html");
        assert_eq!(html, fault == Fault::WrongType);
        let body = got.bytes().await.unwrap();
        let json: Option<Value> = serde_json::from_slice(&body).ok();
        match fault {
            Fault::WrongType | Fault::Trickle(_) => assert!(json.unwrap()["id"].is_string(), "{fault:?}"),
            Fault::WrongShape => assert_eq!(json.unwrap()["ok"], true),
            Fault::MissingId => assert_eq!(json.unwrap(), json!({})),
            _ => {
                assert!(json.is_none());
                let (one, other) = body.split_at(body.len() / 2);
                assert_eq!(one, other);
            }
        }
    }
}

#[tokio::test]
async fn a_trickled_body_takes_its_time_and_arrives_in_many_pieces() {
    let options = placed(
        "GET /api/v1/models",
        Calls::ALL,
        Fault::Trickle(Duration::from_millis(200)),
    );
    let peer = Peer::start(options).await;
    let started = Instant::now();
    let mut response = peer.request(Method::GET, "/api/v1/models").send().await.unwrap();
    let (mut pieces, mut body) = (0, Vec::new());
    while let Some(piece) = response.chunk().await.unwrap() {
        pieces += 1;
        body.extend_from_slice(&piece);
    }
    assert!(
        started.elapsed() >= Duration::from_millis(180),
        "{:?}",
        started.elapsed()
    );
    assert!(pieces > 20, "{pieces} pieces");
    let models: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(models["object"], "list");
}

#[tokio::test]
async fn ids_go_missing_and_statuses_are_unknown_in_every_form() {
    for (form, expected) in [
        (TraceForm::Array, json!([{}])),
        (TraceForm::Results, json!({"results": [{"success": true}]})),
    ] {
        let options = Options {
            trace_form: form,
            ..placed(TRACES, Calls::ALL, Fault::MissingId)
        };
        let peer = Peer::start(options).await;
        let body = json!([{"projectId": project(), "modelId": "extractor", "input": "i", "output": "o"}]);
        assert_eq!(peer.done("/api/v1/traces", &body).await, expected);
        assert_eq!(kept(&peer).await, 1);
    }
    let route = "POST /api/v1/traces/{id}/addToDataset";
    let peer = Peer::start(placed(route, Calls::ALL, Fault::UnknownStatus)).await;
    let trace = peer.trace("q", "a", 0.9, "f").await;
    let (status, answer) = peer.add(&trace).await;
    assert_eq!(
        (status, &answer["status"], &answer["success"]),
        (200, &json!("paused"), &json!(true))
    );
    let peer = Peer::start(placed(
        "GET /api/v1/traces/{id}",
        Calls::ALL,
        Fault::UnknownStatus,
    ))
    .await;
    let trace = peer.trace("q", "a", 0.9, "f").await;
    assert_eq!(
        peer.read(&format!("/api/v1/traces/{trace}")).await["processingStatus"],
        "paused"
    );
}

#[tokio::test]
async fn a_late_effect_comes_after_its_504() {
    let peer = Peer::start(placed(
        TRACES,
        Calls::nth(1),
        Fault::LateEffect(Duration::from_millis(150)),
    ))
    .await;
    let body = json!({"project_id": project(), "model_id": "extractor", "input": "i", "output": "o"});
    let (status, _) = peer.post("/api/v1/traces", &body).await;
    assert_eq!((status, kept(&peer).await), (504, 0));
    peer.until("/api/v1/traces", |page| page["total"] == 1).await;
}

#[tokio::test]
async fn answers_and_judgements_are_counted_apart() {
    let route = "POST /api/v1/chat/completions judge";
    let peer = Peer::start(second(route, Fault::Status(503))).await;
    let ask = async |model: &str, prompt: &str| {
        let body = json!({"project_id": project(), "model": model, "messages": [{"role": "user", "content": prompt}]});
        peer.post("/api/v1/chat/completions", &body).await.0
    };
    let judge = "Reply with \"score\" and \"feedback\".";
    assert_eq!(ask("extractor", "What?").await, 200);
    assert_eq!(ask("gpt-5", judge).await, 200);
    assert_eq!(ask("extractor", "What?").await, 200);
    assert_eq!(ask("gpt-5", judge).await, 503);
    assert_eq!(ask("extractor", "What?").await, 200);
    assert_eq!(ask("gpt-5", judge).await, 200);
    assert_eq!(
        peer.counters().await["routes"]["POST /api/v1/chat/completions"]["calls"],
        6
    );
}

#[tokio::test]
async fn a_fault_on_a_call_that_does_not_exist_is_refused() {
    let error = start(second("POST /traces", Fault::Reset))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`POST /traces`") && error.contains("POST /api/v1/traces,"),
        "{error}"
    );
}

#[tokio::test]
async fn a_listing_shows_an_effect_later() {
    let lag = Duration::from_millis(800);
    let peer = Peer::start(Options {
        listing_lag: lag,
        ..quick()
    })
    .await;
    let started = Instant::now();
    let trace = peer.trace("q", "a", 0.9, "f").await;
    let path = format!("/api/v1/traces/{trace}");
    assert_eq!(peer.read("/api/v1/traces").await["total"], 0);
    assert_eq!(peer.get(&path).await.0, 404);
    peer.until("/api/v1/traces", |page| page["total"] == 1).await;
    assert!(started.elapsed() >= lag);

    let added = Instant::now();
    assert_eq!(peer.add(&trace).await.1["status"], "added");
    assert_eq!(peer.read(&path).await["addedToDataset"], false);
    peer.until(&path, |trace| trace["addedToDataset"] == true).await;
    assert!(added.elapsed() >= lag);

    let taken = Instant::now();
    let snapshot = peer.snapshot().await;
    let tree = format!("/api/v1/public/projects/{}", project());
    let dataset = |tree: &Value| tree["project"]["children"][0].clone();
    assert_eq!(dataset(&peer.read(&tree).await)["children"], json!([]));
    let shown = peer
        .until(&tree, |tree| dataset(tree)["children"] != json!([]))
        .await;
    assert!(taken.elapsed() >= lag);
    assert_eq!(text(&dataset(&shown)["children"][0]["id"]), snapshot);
    assert_eq!(dataset(&shown)["metadata"]["datapoints_count"], 4);
}
