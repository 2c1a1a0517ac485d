//! Traces: the forms they are written in, their limits, their pages, and how they become rows.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tunegate::emulator::{AdditionForm, Options, TraceForm};

use super::peer::{Peer, project, quick, text, told};

const TRACES: &str = "/api/v1/traces";

fn snake() -> Value {
    json!({"project_id": project(), "model_id": "extractor", "input": "q", "output": "a", "score": 0.5, "feedback": "f"})
}

fn camel() -> Value {
    json!({
        "projectId": project(), "modelId": "extractor", "input": "q", "output": "a", "score": 0.5, "feedback": "f",
        "conversationId": "c",
    })
}

#[tokio::test]
async fn each_form_is_spoken_alone_and_answered_in_its_own_way() {
    let bodies = [snake(), camel(), json!([camel(), camel()])];
    for (form, spoken) in [
        (TraceForm::Walkthrough, [true, false, false]),
        (TraceForm::Object, [false, true, false]),
        (TraceForm::Array, [false, false, true]),
        (TraceForm::Results, [false, false, true]),
        (TraceForm::Any, [true, true, true]),
    ] {
        let peer = Peer::start(Options {
            trace_form: form,
            ..quick()
        })
        .await;
        for (body, spoken) in bodies.iter().zip(spoken) {
            let (status, answer) = peer.post(TRACES, body).await;
            assert_eq!(status, if spoken { 200 } else { 400 }, "{form:?}: {answer}");
            match (spoken, body.is_array(), form) {
                (false, ..) => assert!(answer["error"].is_string()),
                (true, false, _) => assert!(answer["id"].is_string()),
                (true, true, TraceForm::Array) => assert!(answer[1]["id"].is_string()),
                (true, true, _) => {
                    assert_eq!(answer["results"].as_array().unwrap().len(), 2);
                    assert_eq!(answer["results"][1]["success"], true);
                    assert!(answer["results"][1]["traceId"].is_string());
                }
            }
        }
        let counters = peer.counters().await;
        let refused = spoken.iter().filter(|spoken| !**spoken).count();
        assert_eq!(
            (&counters["other_form"], &counters["malformed"]),
            (&json!(refused), &json!(0)),
            "{form:?}"
        );
    }
}

#[tokio::test]
async fn a_trace_keeps_to_its_limits() {
    let peer = Peer::start(quick()).await;
    for (name, value, status) in [
        ("score", json!(1.01), 400),
        ("score", json!(-0.1), 400),
        ("score", json!("0.5"), 400),
        ("score", json!(1), 200),
        ("score", json!(null), 200),
        ("input", json!(""), 400),
        ("output", json!(""), 400),
        ("output", json!(null), 400),
        ("model_id", json!(""), 400),
        ("model_id", json!("nobody"), 404),
        ("model_id", json!("gpt-5"), 200),
        ("project_id", json!("nowhere"), 404),
        ("feedback", json!("é".repeat(2_048)), 200),
        ("feedback", json!("é".repeat(2_049)), 400),
        ("mood", json!("good"), 400),
    ] {
        let mut body = snake();
        body[name] = value;
        let (got, answer) = peer.post(TRACES, &body).await;
        assert_eq!(got, status, "{name}: {answer}");
        if status == 400 {
            assert!(text(&answer["error"]).contains(name), "{answer}");
        }
    }
    assert_eq!(peer.counters().await["malformed"], 11);
}

#[tokio::test]
async fn one_bad_entry_refuses_an_array_whole() {
    let peer = Peer::start(Options {
        trace_form: TraceForm::Results,
        ..quick()
    })
    .await;
    let mut bad = camel();
    bad["score"] = json!(7);
    let (status, answer) = peer.post(TRACES, &json!([camel(), bad])).await;
    assert_eq!(status, 400);
    assert!(text(&answer["error"]).contains("[1].score"), "{answer}");
    assert_eq!(peer.post(TRACES, &json!([])).await.0, 400);
    assert_eq!(peer.read(TRACES).await["total"], 0);
}

#[tokio::test]
async fn entries_of_an_array_can_be_refused_one_by_one() {
    let peer = Peer::start(Options {
        trace_form: TraceForm::Results,
        refused_traces: 0.5,
        ..quick()
    })
    .await;
    let answer = peer.done(TRACES, &json!(vec![camel(); 40])).await;
    let results = answer["results"].as_array().unwrap();
    let (kept, refused): (Vec<_>, Vec<_>) = results.iter().partition(|result| result["success"] == true);
    assert!(kept.len() > 5 && refused.len() > 5);
    assert!(kept.iter().all(|result| result["traceId"].is_string()));
    assert!(refused.iter().all(|result| result["traceId"].is_null()));
    assert_eq!(peer.read(TRACES).await["total"], kept.len());
}

#[tokio::test]
async fn traces_are_listed_by_page() {
    let peer = Peer::start(quick()).await;
    for number in 0..45_u32 {
        peer.trace(&format!("q{number}"), "a", f64::from(number % 10) / 10.0, "f")
            .await;
    }
    let page = |query: &str| format!("{TRACES}?projectId={}{query}", project());
    let inputs = |answer: &Value| -> Vec<String> {
        answer["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|trace| text(&trace["input"]))
            .collect()
    };
    let newest = peer.read(&page("")).await;
    assert_eq!(newest["total"], 45);
    assert_eq!((inputs(&newest).len(), inputs(&newest)[0].as_str()), (20, "q44"));
    assert_eq!(inputs(&peer.read(&page("&page=3")).await).len(), 5);
    assert!(inputs(&peer.read(&page("&page=4")).await).is_empty());
    let oldest = peer
        .read(&page("&sortBy=createdAt&sortOrder=asc&modelIds=other,extractor"))
        .await;
    assert_eq!(
        (inputs(&oldest)[0].as_str(), &oldest["total"]),
        ("q0", &json!(45))
    );
    assert_eq!(peer.read(&page("&modelIds=other")).await["total"], 0);
    let best = peer.read(&page("&sortBy=score")).await;
    assert_eq!(best["results"][0]["score"], 0.9);
    for query in [
        "&page=0",
        "&page=x",
        "&sortBy=mood",
        "&sortOrder=up",
        "&limit=5",
        "&page=1&page=2",
    ] {
        assert_eq!(peer.get(&page(query)).await.0, 400, "{query}");
    }
    assert_eq!(peer.get(&format!("{TRACES}?projectId=nowhere")).await.0, 404);
}

#[tokio::test]
async fn a_trace_is_shown_and_changed() {
    let peer = Peer::start(quick()).await;
    let id = peer.trace("q", "a", 0.2, "f").await;
    let path = format!("{TRACES}/{id}");
    let shown = peer.read(&path).await;
    assert_eq!(
        (&shown["addedToDataset"], &shown["processingStatus"]),
        (&json!(false), &json!("none"))
    );
    assert_eq!(
        (&shown["modelId"], &shown["projectId"]),
        (&json!("extractor"), &json!(project()))
    );
    let put = |body: Value| told(peer.request(Method::PUT, &path).json(&body));
    let (status, changed) = put(json!({"score": 0.9, "projectId": project()})).await;
    assert_eq!(
        (status, &changed["score"], &changed["feedback"]),
        (200, &json!(0.9), &json!("f"))
    );
    assert_eq!(put(json!({"score": 2})).await.0, 400);
    assert_eq!(put(json!({})).await.0, 400);
    assert_eq!(put(json!({"score": 1, "projectId": "other"})).await.0, 400);
    assert_eq!(peer.get(&format!("{TRACES}/nowhere")).await.0, 404);
}

#[tokio::test]
async fn good_traces_are_rows_at_once_and_weak_ones_after_their_correction() {
    let peer = Peer::start(quick()).await;
    let good = peer.trace("q1", "right", 0.7, "fine").await;
    let (status, answer) = peer.add(&good).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&answer["status"], &answer["success"]),
        (&json!("added"), &json!(true))
    );
    assert!(answer["datapointId"].is_string());

    let weak = peer
        .trace(
            "q2",
            "wrong",
            0.69,
            "No. The answer should be: right\n\nReasoning: x",
        )
        .await;
    let (_, answer) = peer.add(&weak).await;
    assert_eq!(
        (&answer["status"], &answer["datapointId"]),
        (&json!("queued"), &Value::Null)
    );
    let path = format!("{TRACES}/{weak}");
    let settled = peer
        .until(&path, |trace| trace["processingStatus"] == "none")
        .await;
    assert_eq!(settled["addedToDataset"], true);

    for id in [&good, &weak] {
        let (status, answer) = peer.add(id).await;
        assert_eq!(status, 400);
        assert!(text(&answer["error"]).contains("already added"));
    }
    assert_eq!(peer.add("nowhere").await.0, 404);
    let state = peer.emulator.state().await;
    let rows = state["datasets"][0]["rows"].as_array().unwrap();
    let learnt = |row: &Value| {
        (
            text(&row["messages"][0]["content"]),
            text(&row["messages"][1]["content"]),
        )
    };
    let added: Vec<_> = rows[rows.len() - 2..].iter().map(learnt).collect();
    assert_eq!(
        added,
        [("q1".into(), "right".into()), ("q2".into(), "right".into())]
    );
    assert_eq!(state["counters"]["repeated_additions"], 2);
    assert!(
        state["traces"]
            .as_array()
            .unwrap()
            .iter()
            .all(|trace| trace["additions"] == 1)
    );
}

#[tokio::test]
async fn a_snapshot_taken_too_early_misses_the_correction_and_is_counted() {
    let peer = Peer::start(Options {
        correction_delay: Duration::from_secs(3_600),
        ..quick()
    })
    .await;
    let weak = peer.trace("q", "wrong", 0.1, "The answer should be: right").await;
    peer.add(&weak).await;
    assert_eq!(
        peer.read(&format!("{TRACES}/{weak}")).await["processingStatus"],
        "processing"
    );
    assert_eq!(peer.add(&weak).await.0, 400, "it is being corrected");
    peer.snapshot().await;
    let state = peer.emulator.state().await;
    assert_eq!(state["snapshots"][0]["rows"], 3, "the rows of the start alone");
    assert_eq!(state["counters"]["max_processing_at_snapshot"], 1);
    assert_eq!(state["counters"]["snapshots_while_processing"], 1);
}

#[tokio::test]
async fn a_correction_can_fail_and_be_asked_for_again() {
    let peer = Peer::start(Options {
        failed_corrections: 1.0,
        ..quick()
    })
    .await;
    let weak = peer.trace("q", "wrong", 0.1, "The answer should be: right").await;
    peer.add(&weak).await;
    let path = format!("{TRACES}/{weak}");
    let failed = peer
        .until(&path, |trace| trace["processingStatus"] == "failed")
        .await;
    assert_eq!(failed["addedToDataset"], false);
    assert_eq!(peer.add(&weak).await.1["status"], "queued");
}

#[tokio::test]
async fn the_older_answer_says_next_to_nothing() {
    let peer = Peer::start(Options {
        addition_form: AdditionForm::Older,
        ..quick()
    })
    .await;
    let trace = peer.trace("q", "right", 0.9, "f").await;
    let (status, answer) = peer.add(&trace).await;
    assert_eq!(
        (status, answer.get("status"), answer.get("success")),
        (200, None, None)
    );
    assert_eq!(
        peer.read(&format!("{TRACES}/{trace}")).await["addedToDataset"],
        true
    );
}
