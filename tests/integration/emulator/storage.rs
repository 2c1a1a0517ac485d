//! What outlives the emulator: the state file, written after changes and at the end, read at the start.

use std::time::Duration;

use serde_json::{Value, json};
use tunegate::emulator::{Home, Options, start};

use super::peer::{Peer, project, quick, text};

fn kept_in(folder: &tempfile::TempDir) -> Options {
    Options {
        state_file: Some(folder.path().join("deep/emulator.json")),
        ..quick()
    }
}

/// Everything held, without what is counted per start.
async fn held(peer: &Peer) -> Value {
    let mut state = peer.emulator.state().await;
    state.as_object_mut().unwrap().remove("counters");
    state
}

#[tokio::test]
async fn everything_is_there_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let peer = Peer::start(kept_in(&folder)).await;
    let prompt = "How long may an invoice of Otto's wait?";
    let trace = peer.trace(prompt, "a week", 0.9, "f").await;
    peer.add(&trace).await;
    peer.train().await;
    let before = held(&peer).await;
    peer.emulator.stop().await.unwrap();

    let peer = Peer::start(kept_in(&folder)).await;
    assert_eq!(held(&peer).await, before);
    assert_eq!(peer.chat("extractor", prompt).await, "a week");
    assert_eq!(peer.add(&trace).await.0, 400, "added before the restart");
    let page = peer
        .read(&format!("/api/v1/traces?projectId={}", project()))
        .await;
    assert_eq!(page["total"], 1);
    // New ids don't meet old ones.
    let other = peer.trace("q", "a", 0.9, "f").await;
    assert_ne!(other, trace);
}

#[tokio::test]
async fn what_was_under_way_is_done_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let hour = Duration::from_secs(3_600);
    let slow = Options {
        correction_delay: hour,
        training_delay: hour,
        ..kept_in(&folder)
    };
    let peer = Peer::start(slow.clone()).await;
    let trace = peer.trace("q", "wrong", 0.1, "The answer should be: right").await;
    peer.add(&trace).await;
    let snapshot = peer.snapshot().await;
    let experiment = json!({
        "base_model_id": "Qwen/Qwen2.5-0.5B-Instruct", "training_type": "lora", "batch_size": 1, "n_epochs": 1,
        "learning_rate_multiplier": 0.1,
    });
    let body = json!({"snapshot_id": snapshot, "name": "n", "experiments": [experiment]});
    let job = text(&peer.done("/api/v1/public/finetuning/create", &body).await["job_id"]);
    assert_eq!(
        peer.read(&format!("/api/v1/public/finetuning/{job}")).await["status"],
        "processing"
    );
    peer.emulator.stop().await.unwrap();

    let peer = Peer::start(slow).await;
    assert_eq!(
        peer.read(&format!("/api/v1/public/finetuning/{job}")).await["status"],
        "completed"
    );
    let settled = peer.read(&format!("/api/v1/traces/{trace}")).await;
    assert_eq!(
        (&settled["processingStatus"], &settled["addedToDataset"]),
        (&json!("none"), &json!(true))
    );
    let again = peer.trace("q2", "wrong", 0.1, "f").await;
    assert_eq!(peer.add(&again).await.1["status"], "queued");
    peer.snapshot().await;
    assert_eq!(peer.counters().await["max_processing_at_snapshot"], 1);
}

#[tokio::test]
async fn a_broken_state_is_told_clearly() {
    let folder = tempfile::tempdir().unwrap();
    let options = kept_in(&folder);
    let path = options.state_file.clone().unwrap();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    for (text, says) in [("{\"version\": 1", "can't be read"), ("[]", "can't be read")] {
        std::fs::write(&path, text).unwrap();
        let error = start(options.clone()).await.unwrap_err().to_string();
        assert!(
            error.contains(says) && error.contains("emulator.json") && error.contains("delete"),
            "{error}"
        );
    }
    std::fs::remove_file(&path).unwrap();
    start(options.clone()).await.unwrap().stop().await.unwrap();
    let newer = std::fs::read_to_string(&path)
        .unwrap()
        .replacen("\"version\":1", "\"version\":9", 1);
    std::fs::write(&path, newer).unwrap();
    let error = start(options).await.unwrap_err().to_string();
    assert!(error.contains("version 9"), "{error}");
}

#[tokio::test]
async fn a_second_home_joins_the_first() {
    let folder = tempfile::tempdir().unwrap();
    Peer::start(kept_in(&folder)).await.emulator.stop().await.unwrap();
    let guard = Home {
        project_id: "guard-project".to_owned(),
        model_alias: "guard".to_owned(),
        dataset_label: "conversations".to_owned(),
        ..Home::default()
    };
    let peer = Peer::start(Options {
        more_homes: vec![guard],
        ..kept_in(&folder)
    })
    .await;
    let listed = peer.read("/api/v1/public/projects").await;
    assert_eq!(listed["projects"].as_array().unwrap().len(), 2);
    let tree = peer.read("/api/v1/public/projects/guard-project").await;
    assert_eq!(tree["project"]["children"][0]["label"], "conversations");
    let body = json!({
        "project_id": "guard-project", "model": "extractor", "messages": [{"role": "user", "content": "x"}],
    });
    assert_eq!(
        peer.post("/api/v1/chat/completions", &body).await.0,
        404,
        "another project's model"
    );
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let first = start(quick()).await.unwrap();
    let port = first.address().port();
    let error = start(Options { port, ..quick() }).await.unwrap_err().to_string();
    assert!(error.contains(&port.to_string()), "{error}");
}
