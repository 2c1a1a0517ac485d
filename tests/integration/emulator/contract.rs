//! The contract, call by call: sound calls are answered in the documented shape, others are refused with a
//! status and a text that names the field.

use reqwest::Method;
use serde_json::{Value, json};
use tunegate::emulator::Options;

use super::peer::{Peer, project, quick, refuses, text, told};

#[tokio::test]
async fn a_key_is_asked_for() {
    let peer = Peer::start(Options {
        key: Some("right".to_owned()),
        ..quick()
    })
    .await;
    let url = format!("{}/api/v1/models", peer.emulator.base_url());
    let (status, answer) = told(peer.client.get(&url)).await;
    assert_eq!(status, 401);
    assert!(text(&answer["error"]).contains("authorization"));
    assert_eq!(told(peer.client.get(&url).bearer_auth("wrong")).await.0, 403);
    assert_eq!(
        told(peer.client.get(&url).basic_auth("right", Some(""))).await.0,
        401
    );
    assert_eq!(told(peer.client.get(&url).bearer_auth("right")).await.0, 200);
    // Scripts may forget their key only where none is set.
    let script = peer
        .client
        .post(&url)
        .header("user-agent", "node")
        .json(&json!({}));
    assert_eq!(told(script).await.0, 401);
    let own = format!("{}/__emulator/state", peer.emulator.base_url());
    assert_eq!(told(peer.client.get(own)).await.0, 200);
}

#[tokio::test]
async fn without_a_set_key_any_bearer_will_do_and_scripts_may_forget_it_on_writes() {
    let peer = Peer::start(quick()).await;
    let models = format!("{}/api/v1/models", peer.emulator.base_url());
    assert_eq!(told(peer.client.get(&models)).await.0, 401);
    assert_eq!(
        told(peer.client.get(&models).header("user-agent", "node"))
            .await
            .0,
        401
    );
    assert_eq!(
        told(peer.client.get(&models).bearer_auth("anything")).await.0,
        200
    );
    let write = || {
        peer.client
            .post(format!("{models}/up"))
            .json(&json!({"model": "extractor"}))
    };
    assert_eq!(told(write()).await.0, 401);
    assert_eq!(told(write().header("user-agent", "node")).await.0, 200);
    assert_eq!(peer.counters().await["keyless"], 4);
}

#[tokio::test]
async fn unknown_calls_and_methods_are_told_apart() {
    let peer = Peer::start(quick()).await;
    let (status, answer) = peer.get("/api/v1/nothing").await;
    assert_eq!((status, answer["error"].is_string()), (404, true));
    let (status, answer) = told(peer.request(Method::DELETE, "/api/v1/traces")).await;
    assert_eq!((status, answer["error"].is_string()), (405, true));
    let synthetic = peer.request(Method::POST, "/api/v1/public/datasets/create-synthetic");
    let (status, answer) = told(synthetic).await;
    assert_eq!(status, 501);
    assert!(text(&answer["error"]).contains("create-from-jsonl"), "{answer}");
    let bare = peer.request(Method::POST, "/api/v1/traces").body("{}");
    assert_eq!(told(bare).await.0, 400);
    let broken = peer
        .request(Method::POST, "/api/v1/traces")
        .header("content-type", "application/json");
    let (status, answer) = told(broken.body("{\"a\":")).await;
    assert_eq!(status, 400);
    assert!(text(&answer["error"]).contains("not valid JSON"));
    assert_eq!(peer.counters().await["malformed"], 4);
    let made_up = Method::from_bytes(b"MADEUP").unwrap();
    assert_eq!(told(peer.request(made_up, "/api/v1/traces")).await.0, 405);
    assert_eq!(
        peer.counters().await["routes"]["unknown"]["calls"],
        2,
        "whatever is called, counters stay few"
    );
}

#[tokio::test]
async fn chat_answers_in_openais_shape_and_refuses_the_rest() {
    let peer = Peer::start(quick()).await;
    let path = "/api/v1/chat/completions";
    let prompt = "Invoice 17. Total 12.00 EUR. What is the total?";
    let said = [json!({"role": "user", "content": prompt})];
    let ask = |more: Value| {
        let mut body = json!({"project_id": project(), "model": "extractor", "messages": said});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    let answer = peer
        .done(
            path,
            &ask(json!({"temperature": 0, "seed": 1, "top_p": 1, "stop": ["#"]})),
        )
        .await;
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["choices"][0]["message"]["content"], "Total 12.00 EUR.");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["usage"]["prompt_tokens"], 12);
    let cut = peer.done(path, &ask(json!({"max_completion_tokens": 2}))).await;
    assert_eq!(cut["choices"][0]["message"]["content"], "Total 12");
    assert_eq!(cut["choices"][0]["finish_reason"], "length");
    let user = json!({"role": "user", "content": "x"});
    let system = json!({"role": "system", "content": "x"});
    refuses(
        &peer,
        path,
        &[
            (json!([]), 400, "body"),
            (json!({"messages": said}), 400, "`model`"),
            (ask(json!({"model": ""})), 400, "`model`"),
            (ask(json!({"model": "nobody"})), 404, "nobody"),
            (ask(json!({"project_id": "nowhere"})), 404, "nowhere"),
            (ask(json!({"messages": []})), 400, "`messages`"),
            (
                ask(json!({"messages": [{"role": "boss", "content": "x"}]})),
                400,
                "messages[0].role",
            ),
            (
                ask(json!({"messages": [{"role": "user", "content": null}]})),
                400,
                "messages[0].content",
            ),
            (
                ask(json!({"messages": [{"role": "user", "content": [1]}]})),
                400,
                "messages[0].content",
            ),
            (ask(json!({"messages": [user, system]})), 400, "messages[1].role"),
            (ask(json!({"temperature": 2.1})), 400, "temperature"),
            (ask(json!({"temperature": "hot"})), 400, "temperature"),
            (ask(json!({"top_p": 1.5})), 400, "top_p"),
            (ask(json!({"presence_penalty": -3})), 400, "presence_penalty"),
            (
                ask(json!({"max_completion_tokens": 0})),
                400,
                "max_completion_tokens",
            ),
            (ask(json!({"seed": 1.5})), 400, "seed"),
            (ask(json!({"stop": 7})), 400, "stop"),
            (
                ask(json!({"response_format": {"type": "xml"}})),
                400,
                "response_format.type",
            ),
            (ask(json!({"max_tokens": 7})), 400, "max_tokens"),
        ],
    )
    .await;
}

#[tokio::test]
async fn chat_streams_chunks_when_asked_to() {
    let peer = Peer::start(quick()).await;
    let prompt = "Invoice 17 of a company. The total of it is 12.00 EUR. What is the total?";
    let body =
        json!({"model": "extractor", "stream": true, "messages": [{"role": "user", "content": prompt}]});
    let response = peer
        .request(Method::POST, "/api/v1/chat/completions")
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let events = response.text().await.unwrap();
    let data: Vec<&str> = events
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .collect();
    assert_eq!(data.last(), Some(&"[DONE]"));
    let chunks: Vec<Value> = data[..data.len() - 1]
        .iter()
        .map(|chunk| serde_json::from_str(chunk).unwrap())
        .collect();
    let whole: String = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(whole, "The total of it is 12.00 EUR.");
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn projects_are_listed_made_and_shown_as_a_tree() {
    let peer = Peer::start(quick()).await;
    let path = "/api/v1/public/projects/create";
    let made = text(
        &peer
            .done(path, &json!({"name": "Guard", "goal": "classify"}))
            .await["project_id"],
    );
    let listed = peer.read("/api/v1/public/projects").await;
    let ids: Vec<&Value> = listed["projects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    assert_eq!(ids, [&json!(project()), &json!(made)]);
    let empty = peer.read(&format!("/api/v1/public/projects/{made}")).await;
    assert_eq!(
        empty["project"],
        json!({"id": made, "name": "Guard", "type": "project", "children": []})
    );
    assert_eq!(peer.get("/api/v1/public/projects/nowhere").await.0, 404);
    refuses(
        &peer,
        path,
        &[
            (json!({"name": "x"}), 400, "`goal`"),
            (json!({"goal": "x"}), 400, "`name`"),
        ],
    )
    .await;

    let job = peer.train().await;
    let tree = peer.read(&format!("/api/v1/public/projects/{}", project())).await;
    let dataset = &tree["project"]["children"][0];
    assert_eq!(
        (&dataset["type"], &dataset["label"]),
        (&json!("dataset"), &json!("invoices"))
    );
    assert_eq!(
        (&dataset["status"], &dataset["metadata"]["datapoints_count"]),
        (&json!("completed"), &json!(3))
    );
    let snapshot = &dataset["children"][0];
    assert_eq!(snapshot["type"], "snapshot");
    assert_eq!(snapshot["metadata"]["training_count"], 3);
    assert_eq!(snapshot["metadata"]["validation_count"], 0);
    let node = &snapshot["children"][0];
    assert_eq!((&node["id"], &node["label"]), (&job["id"], &json!("nightly")));
    assert_eq!(
        (&node["status"], &node["type"]),
        (&json!("completed"), &json!("finetuning-job"))
    );
    let experiment = &node["children"][0];
    assert_eq!(experiment["status"], "succeeded");
    assert_eq!(
        experiment["metadata"]["model_id"],
        job["experiments"][0]["model_id"]
    );
}

#[tokio::test]
async fn datasets_come_from_json_lines_and_grow_by_datapoints() {
    let peer = Peer::start(quick()).await;
    let line = |prompt: &str| json!({"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": "a"}]});
    let form = |file: &str, name: &str| {
        let part = |field: &str, more: &str, text: &str| {
            format!("--edge\r\ncontent-disposition: form-data; name=\"{field}\"{more}\r\n\r\n{text}\r\n")
        };
        let file = part("file", "; filename=\"rows.jsonl\"", file);
        let body = format!(
            "{}{}{file}--edge--\r\n",
            part("project_id", "", &project()),
            part("name", "", name)
        );
        peer.request(Method::POST, "/api/v1/public/datasets/create-from-jsonl")
            .header("content-type", "multipart/form-data; boundary=edge")
            .body(body)
    };
    let (status, answer) = told(form(&format!("{}\n{}\n", line("p"), line("q")), "uploaded")).await;
    assert_eq!(status, 200, "{answer}");
    let id = text(&answer["dataset_id"]);
    let path = format!("/api/v1/public/datasets/{id}");
    let shown = peer.until(&path, |answer| answer["status"] == "completed").await;
    assert_eq!(
        (&shown["name"], &shown["datapoints_count"]),
        (&json!("uploaded"), &json!(2))
    );
    assert_eq!(shown["project_id"], project());

    for (file, names) in [
        ("", "`file`"),
        ("{", "line 1"),
        ("{\"messages\": []}", "line 1"),
        ("\n[]", "line 2"),
    ] {
        let (status, answer) = told(form(file, "x")).await;
        assert_eq!(status, 400, "{file}");
        assert!(text(&answer["error"]).contains(names), "{answer}");
    }
    let path = "/api/v1/public/datasets/create-from-jsonl";
    assert_eq!(peer.post(path, &json!({})).await.0, 400);

    let path = format!("/api/v1/datasets/{id}/addDatapoint");
    let mut row = line("r");
    row["bucket"] = json!("training");
    assert!(peer.done(&path, &row).await["id"].is_string());
    row["bucket"] = json!("bin");
    refuses(
        &peer,
        &path,
        &[(row, 400, "bucket"), (json!({"messages": "r"}), 400, "messages")],
    )
    .await;
    assert_eq!(
        peer.post("/api/v1/datasets/nowhere/addDatapoint", &line("r"))
            .await
            .0,
        404
    );
    assert_eq!(peer.get("/api/v1/public/datasets/nowhere").await.0, 404);
}
