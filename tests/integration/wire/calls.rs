//! What each typed method sends, and what it makes of an answer.

use serde_json::Map;
use tunegate::http::{Effect, FailureKind};
use tunegate::studio::{Added, ChatMessage, ChatRequest, Purpose, RecommendationStatus, recommended};

use super::*;

const QUESTION: [ChatMessage<'static>; 1] = [ChatMessage {
    role: "user",
    content: "what is the total?",
}];

fn question(purpose: Purpose) -> ChatRequest<'static> {
    ChatRequest {
        purpose,
        project: "p",
        model: "m",
        messages: &QUESTION,
        temperature: None,
        top_p: None,
        seed: None,
        max_completion_tokens: None,
        stop: &[],
    }
}

/// `METHOD path` and body of each request so far.
fn sent(stub: &Stub) -> Vec<(String, Value)> {
    stub.requests()
        .iter()
        .map(|r| (format!("{} {}", r.method, r.path), r.json()))
        .collect()
}

#[tokio::test]
async fn the_calls_of_the_cycle() {
    let experiment = json!({"base_model_id": "b", "n_epochs": 1.0, "recommended": true, "new_field": [1]});
    let stub = Stub::script([
        Act::ok(json!({"project": {"id": "p", "name": "P", "children": [{"type": "dataset", "id": "d"}]}})),
        Act::ok(json!({"choices": [{"message": {"content": "42"}, "finish_reason": "stop"}]})),
        Act::ok(json!({"traceId": "t", "status": "queued", "success": true, "datapointId": null})),
        Act::ok(json!({"id": "t", "processingStatus": "processing"})),
        Act::ok(json!({"snapshot_id": "s/1"})),
        Act::json(201, json!({"snapshot_id": "s/1"})),
        Act::ok(
            json!({"snapshot_id": "s/1", "status": "completed", "recommended_experiments": [experiment]}),
        ),
        Act::ok(json!({"job_id": "j"})),
    ])
    .await;
    let studio = studio(&stub);
    assert_eq!(studio.project("p").await.expect("a project").datasets[0].id, "d");
    let reply = studio.chat(&question(Purpose::Answer)).await.expect("a reply");
    assert_eq!((reply.value.content.as_deref(), reply.attempts), (Some("42"), 1));
    assert_eq!(studio.add_to_dataset("t").await, Ok(Added::Queued));
    assert_eq!(studio.trace("t").await.expect("a trace").id, "t");
    let snapshot = studio.create_snapshot("d", 80).await.expect("a snapshot");
    studio.generate_recommendations(&snapshot).await.expect("started");
    let recommendations = studio.recommendations(&snapshot).await.expect("there");
    assert_eq!(recommendations.status, RecommendationStatus::Completed);
    let experiments = recommended(&recommendations.experiments);
    assert_eq!(
        studio.create_job(&snapshot, "Nightly", &experiments).await,
        Ok("j".to_owned())
    );
    let expected = [
        ("GET /api/v1/public/projects/p", Value::Null),
        (
            "POST /api/v1/chat/completions",
            json!({"project_id": "p", "model": "m",
                "messages": [{"role": "user", "content": "what is the total?"}]}),
        ),
        ("POST /api/v1/traces/t/addToDataset", Value::Null),
        ("GET /api/v1/traces/t", Value::Null),
        (
            "POST /api/v1/public/snapshots/create",
            json!({"dataset_id": "d", "split_percentage": 80}),
        ),
        (
            "POST /api/v1/public/recommendations/generate",
            json!({"snapshot_id": "s/1"}),
        ),
        ("GET /api/v1/public/recommendations/s%2F1", Value::Null),
        (
            "POST /api/v1/public/finetuning/create",
            json!({"snapshot_id": "s/1", "name": "Nightly",
                "experiments": [{"base_model_id": "b", "n_epochs": 1.0, "new_field": [1]}]}),
        ),
    ];
    assert_eq!(sent(&stub), expected.map(|(line, body)| (line.to_owned(), body)));
}

#[tokio::test]
async fn models_are_listed_looked_at_and_loaded() {
    let stub = Stub::script([
        Act::ok(json!({"object": "list", "data": [{"id": "a"}, {"id": "b"}]})),
        Act::ok(json!({"status": false})),
        Act::ok(json!({"message": "loading"})),
        Act::ok(json!({"projects": [{"id": "p", "name": "P"}]})),
    ])
    .await;
    let studio = studio(&stub);
    assert_eq!(studio.models().await, Ok(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(studio.model_running("a&b").await, Ok(false));
    assert_eq!(studio.load_model("a").await, Ok(()));
    assert_eq!(
        studio.projects().await,
        Ok(vec![("p".to_owned(), "P".to_owned())])
    );
    let requests = stub.requests();
    assert_eq!(requests[1].path, "/api/v1/models/running");
    assert_eq!(requests[1].query, [("model".to_owned(), "a&b".to_owned())]);
    assert_eq!(
        (requests[2].path.as_str(), requests[2].json()),
        ("/api/v1/models/up", json!({"model": "a"}))
    );
}

#[tokio::test]
async fn traces_are_listed_by_page() {
    let stub = Stub::serve(|_| Act::ok(json!({"results": [{"id": "t"}], "total": 1}))).await;
    let studio = studio(&stub);
    let page = studio.traces("p", Some("m"), 2).await.expect("a page");
    assert_eq!((page.traces.len(), page.total), (1, Some(1)));
    studio.traces("p", None, 1).await.expect("a page");
    let query = |i: usize| {
        let pairs = stub.requests()[i].query.clone();
        pairs
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect::<Vec<_>>()
            .join("&")
    };
    assert_eq!(
        query(0),
        "page=2&projectId=p&modelIds=m&sortBy=createdAt&sortOrder=desc"
    );
    assert_eq!(query(1), "page=1&projectId=p&sortBy=createdAt&sortOrder=desc");
}

#[tokio::test(start_paused = true)]
async fn reads_are_repeated_and_writes_are_not() {
    let stub = Stub::serve(|_| Act::text(500, "")).await;
    let studio = studio(&stub);
    let experiment = Map::from_iter([("base_model_id".to_owned(), json!("b"))]);
    let reads = [
        studio.project("p").await.map(drop),
        studio.projects().await.map(drop),
        studio.chat(&question(Purpose::Judge)).await.map(drop),
        studio.models().await.map(drop),
        studio.model_running("m").await.map(drop),
        studio.load_model("m").await,
        studio.trace("t").await.map(drop),
        studio.traces("p", None, 1).await.map(drop),
        studio.recommendations("s").await.map(drop),
    ];
    for outcome in reads {
        let failure = outcome.expect_err("it never mends");
        assert_eq!(
            (failure.kind, failure.attempts),
            (FailureKind::Server, 7),
            "{failure}"
        );
    }
    let writes = [
        studio.add_to_dataset("t").await.map(drop),
        studio.create_snapshot("d", 80).await.map(drop),
        studio.generate_recommendations("s").await,
        studio.create_job("s", "n", &[experiment]).await.map(drop),
    ];
    for outcome in writes {
        let failure = outcome.expect_err("not repeated");
        assert_eq!(
            (failure.attempts, failure.effect()),
            (1, Effect::Askable),
            "{failure}"
        );
    }
    let tally = studio.http().tally();
    assert_eq!(
        (tally["chat: judge"].calls, tally["chat: judge"].attempts),
        (1, 7)
    );
    assert_eq!((tally["create job"].attempts, tally["create job"].failed), (1, 1));
}

#[tokio::test]
async fn a_write_whose_answer_has_no_id_is_of_unknown_effect() {
    let stub = Stub::serve(|_| Act::ok(json!({"job_id": null}))).await;
    let studio = studio(&stub);
    let experiment = Map::from_iter([("base_model_id".to_owned(), json!("b"))]);
    for outcome in [
        studio.create_job("s", "n", &[experiment]).await,
        studio.create_snapshot("d", 80).await,
    ] {
        let failure = outcome.expect_err("no id");
        assert_eq!(
            (failure.kind, failure.effect()),
            (FailureKind::Unreadable, Effect::Unknown)
        );
        assert!(failure.message.contains("_id"), "{failure}");
    }
    assert_eq!(studio.http().tally()["create job"].failed, 1);
}

#[tokio::test]
async fn what_the_service_would_refuse_is_not_sent() {
    let stub = Stub::script([]).await;
    let studio = studio(&stub);
    let refused = [
        studio.project("..").await.map(drop),
        studio.trace("").await.map(drop),
        studio.add_to_dataset("a\nb").await.map(drop),
        studio.create_snapshot("d", 0).await.map(drop),
        studio.create_snapshot("d", 100).await.map(drop),
        studio.create_job("s", "n", &[]).await.map(drop),
        studio.create_job("s", " ", &[Map::new()]).await.map(drop),
        studio
            .chat(&ChatRequest {
                temperature: Some(f64::NAN),
                ..question(Purpose::Answer)
            })
            .await
            .map(drop),
    ];
    for outcome in refused {
        let failure = outcome.expect_err("refused");
        assert_eq!(
            (failure.kind, failure.attempts),
            (FailureKind::Rejected, 0),
            "{failure}"
        );
        assert_eq!(failure.effect(), Effect::NotDone);
    }
    assert_eq!(stub.connections(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_run_side_by_side_in_tasks_of_their_own() {
    let reply = json!({"choices": [{"message": {"content": "42"}}]});
    let stub = Stub::serve(move |_| Act::ok(reply.clone()).after(Duration::from_millis(20))).await;
    let studio = studio(&stub);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let studio = studio.clone();
            tokio::spawn(async move { studio.chat(&question(Purpose::Answer)).await })
        })
        .collect();
    for task in tasks {
        assert!(task.await.expect("no panic").is_ok());
    }
    assert_eq!(studio.http().tally()["chat: answer"].calls, 20);
}
