//! The contract from rows to a model: snapshots, recommendations, jobs, and the models that come of them.

use serde_json::{Value, json};
use tunegate::emulator::{Options, Recommending};

use super::peer::{Peer, chosen, quick, refuses, text};

#[tokio::test]
async fn models_are_listed_loaded_and_unloaded() {
    let peer = Peer::start(Options {
        cold_models: true,
        ..quick()
    })
    .await;
    let listed = peer.read("/api/v1/models").await;
    let ids: Vec<&str> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["id"].as_str().unwrap())
        .collect();
    assert!(
        ids.contains(&"extractor") && ids.contains(&"claude-4.5-sonnet"),
        "{ids:?}"
    );
    let running = "/api/v1/models/running?model=extractor";
    assert_eq!(peer.read(running).await["status"], false);
    let body = json!({"model": "extractor", "messages": [{"role": "user", "content": "x"}]});
    let (status, answer) = peer.post("/api/v1/chat/completions", &body).await;
    assert_eq!(status, 409, "{answer}");
    assert!(
        peer.done("/api/v1/models/up", &json!({"model": "extractor"}))
            .await["message"]
            .is_string()
    );
    peer.until(running, |answer| answer["status"] == true).await;
    peer.done("/api/v1/chat/completions", &body).await;
    peer.done("/api/v1/models/down", &json!({"model": "extractor"}))
        .await;
    assert_eq!(peer.read(running).await["status"], false);
    assert_eq!(
        peer.read("/api/v1/models/running?model=gpt-5").await["status"],
        true
    );
    assert_eq!(peer.get("/api/v1/models/running?model=nobody").await.0, 404);
    assert_eq!(peer.get("/api/v1/models/running").await.0, 400);
    refuses(
        &peer,
        "/api/v1/models/up",
        &[
            (json!({}), 400, "model"),
            (json!({"model": "nobody"}), 404, "nobody"),
        ],
    )
    .await;
}

#[tokio::test]
async fn snapshots_recommendations_and_jobs_follow_each_other() {
    let peer = Peer::start(quick()).await;
    let dataset = peer.dataset().await;
    let path = "/api/v1/public/snapshots/create";
    let split = |percentage: Value| json!({"dataset_id": dataset, "split_percentage": percentage});
    refuses(
        &peer,
        path,
        &[
            (split(json!(0)), 400, "split_percentage"),
            (split(json!(100)), 400, "split_percentage"),
            (split(json!(79.5)), 400, "split_percentage"),
            (json!({"split_percentage": 80}), 400, "dataset_id"),
            (json!({"dataset_id": "nowhere"}), 404, "nowhere"),
        ],
    )
    .await;
    let snapshot = peer.snapshot().await;
    let generate = "/api/v1/public/recommendations/generate";
    let path = format!("/api/v1/public/recommendations/{snapshot}");
    assert_eq!(peer.get(&path).await.0, 404, "not generated yet");
    refuses(
        &peer,
        generate,
        &[(json!({"snapshot_id": "nowhere"}), 404, "nowhere")],
    )
    .await;
    let body = json!({"snapshot_id": snapshot});
    assert_eq!(peer.done(generate, &body).await, body);
    let ready = peer.until(&path, |answer| answer["status"] == "completed").await;
    let all = ready["recommended_experiments"].as_array().unwrap();
    let chosen = chosen(&ready);
    assert!(!chosen.is_empty() && chosen.len() < all.len());
    assert!(
        all.iter()
            .all(|one| one["lora"].is_boolean() && one["training_type"].is_string())
    );

    let path = "/api/v1/public/finetuning/create";
    let job = |experiments: Value| json!({"snapshot_id": snapshot, "name": "n", "experiments": experiments});
    let with = |name: &str, value: Value| {
        let mut experiment = chosen[0].clone();
        experiment[name] = value;
        job(json!([experiment]))
    };
    let without = |name: &str| {
        let mut experiment = chosen[0].clone();
        experiment.as_object_mut().unwrap().remove(name);
        job(json!([experiment]))
    };
    let mut neither = chosen[0].clone();
    neither
        .as_object_mut()
        .unwrap()
        .retain(|name, _| name != "lora" && name != "training_type");
    refuses(
        &peer,
        path,
        &[
            (job(json!([])), 400, "experiments"),
            (job(json!([7])), 400, "experiments[0]"),
            (without("base_model_id"), 400, "base_model_id"),
            (without("batch_size"), 400, "batch_size"),
            (
                without("learning_rate_multiplier"),
                400,
                "learning_rate_multiplier",
            ),
            (without("n_epochs"), 400, "n_epochs"),
            (job(json!([neither])), 400, "training_type"),
            (with("lora", json!("yes")), 400, "lora"),
            (with("training_type", json!("some")), 400, "training_type"),
            (with("training_type", json!("full")), 400, "disagree"),
            (with("base_model_id", json!("nobody")), 400, "base_model_id"),
            (with("recommended", json!(true)), 400, "recommended"),
            (
                with("reason_for_recommendation", json!(null)),
                400,
                "reason_for_recommendation",
            ),
            (
                json!({"snapshot_id": "nowhere", "name": "n", "experiments": chosen}),
                404,
                "nowhere",
            ),
        ],
    )
    .await;
    let id = text(&peer.done(path, &job(json!(chosen))).await["job_id"]);
    let shown = peer.read(&format!("/api/v1/public/finetuning/{id}")).await;
    assert_eq!(
        shown["experiments"][0]["scheduler"], chosen[0]["scheduler"],
        "unknown fields travel along"
    );
    assert_ne!(
        text(&peer.done(path, &job(json!(chosen))).await["job_id"]),
        id,
        "names may repeat"
    );
    assert_eq!(peer.get("/api/v1/public/finetuning/nowhere").await.0, 404);
}

#[tokio::test]
async fn recommendations_can_fail_or_be_empty() {
    for (recommending, status, lists) in [
        (Recommending::Fails, "failed", false),
        (Recommending::NullLists, "completed", false),
        (Recommending::NoneRecommended, "completed", true),
    ] {
        let peer = Peer::start(Options {
            recommending,
            ..quick()
        })
        .await;
        let snapshot = peer.snapshot().await;
        peer.done(
            "/api/v1/public/recommendations/generate",
            &json!({"snapshot_id": snapshot}),
        )
        .await;
        let path = format!("/api/v1/public/recommendations/{snapshot}");
        let ready = peer.until(&path, |answer| answer["status"] != "processing").await;
        assert_eq!(ready["status"], status);
        assert_eq!(ready["recommended_experiments"].is_array(), lists);
        if lists {
            assert!(chosen(&ready).is_empty());
        }
    }
}
