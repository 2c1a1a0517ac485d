//! A plain HTTP caller for these tests: what to call goes in, status and JSON come out.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tunegate::emulator::{Emulator, Home, Options, start};

/// An emulator and a caller with a key.
pub(super) struct Peer {
    pub(super) emulator: Emulator,
    pub(super) client: reqwest::Client,
}

/// Short delays, and a home with names of its own.
pub(super) fn quick() -> Options {
    let moment = Duration::from_millis(10);
    Options {
        correction_delay: moment,
        recommendation_delay: moment,
        training_delay: moment,
        load_delay: moment,
        upload_delay: moment,
        home: Home {
            model_alias: "extractor".to_owned(),
            ..Home::default()
        },
        ..Options::default()
    }
}

/// The home's project.
pub(super) fn project() -> String {
    Home::default().project_id
}

impl Peer {
    pub(super) async fn start(options: Options) -> Peer {
        // The second test of this process finds it installed.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Peer {
            emulator: start(options).await.unwrap(),
            client,
        }
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.emulator.base_url()))
            .bearer_auth("k")
    }

    pub(super) async fn get(&self, path: &str) -> (u16, Value) {
        told(self.request(Method::GET, path)).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        told(self.request(Method::POST, path).json(body)).await
    }

    /// A POST that must succeed.
    pub(super) async fn done(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.post(path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// A GET that must succeed.
    pub(super) async fn read(&self, path: &str) -> Value {
        let (status, answer) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub(super) async fn chat(&self, model: &str, prompt: &str) -> String {
        let body = json!({
            "project_id": project(),
            "model": model,
            "messages": [{"role": "user", "content": prompt}],
        });
        let answer = self.done("/api/v1/chat/completions", &body).await;
        answer["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Writes a trace in the walkthrough's form; its id.
    pub(super) async fn trace(&self, input: &str, output: &str, score: f64, feedback: &str) -> String {
        let body = json!({
            "project_id": project(),
            "model_id": "extractor",
            "input": input,
            "output": output,
            "score": score,
            "feedback": feedback,
        });
        text(&self.done("/api/v1/traces", &body).await["id"])
    }

    pub(super) async fn add(&self, trace: &str) -> (u16, Value) {
        told(self.request(Method::POST, &format!("/api/v1/traces/{trace}/addToDataset"))).await
    }

    /// The id of the home's dataset.
    pub(super) async fn dataset(&self) -> String {
        let tree = self.read(&format!("/api/v1/public/projects/{}", project())).await;
        text(&tree["project"]["children"][0]["id"])
    }

    pub(super) async fn snapshot(&self) -> String {
        let body = json!({"dataset_id": self.dataset().await, "split_percentage": 80});
        text(&self.done("/api/v1/public/snapshots/create", &body).await["snapshot_id"])
    }

    /// Asks for a path until its answer fits, for ten seconds at most.
    pub(super) async fn until(&self, path: &str, fits: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..2_000 {
            let answer = self.read(path).await;
            if fits(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{path} never got there");
    }

    /// Snapshot, recommendations, job, and the wait for its end; the finished job.
    pub(super) async fn train(&self) -> Value {
        let snapshot = self.snapshot().await;
        self.done(
            "/api/v1/public/recommendations/generate",
            &json!({"snapshot_id": snapshot}),
        )
        .await;
        let path = format!("/api/v1/public/recommendations/{snapshot}");
        let ready = self.until(&path, |answer| answer["status"] != "processing").await;
        let job = json!({"snapshot_id": snapshot, "name": "nightly", "experiments": chosen(&ready)});
        let id = text(&self.done("/api/v1/public/finetuning/create", &job).await["job_id"]);
        let path = format!("/api/v1/public/finetuning/{id}");
        self.until(&path, |answer| answer["status"] == "completed").await
    }

    pub(super) async fn counters(&self) -> Value {
        self.emulator.state().await["counters"].clone()
    }
}

/// The recommended experiments as a job takes them.
pub(super) fn chosen(recommendations: &Value) -> Vec<Value> {
    let mut chosen: Vec<Value> = recommendations["recommended_experiments"]
        .as_array()
        .unwrap()
        .clone();
    chosen.retain(|experiment| experiment["recommended"] == true);
    for experiment in &mut chosen {
        experiment
            .as_object_mut()
            .unwrap()
            .retain(|name, _| !name.contains("recommend"));
    }
    chosen
}

pub(super) async fn told(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

pub(super) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// Refusals: path, body, what the error must name.
pub(super) async fn refuses(peer: &Peer, path: &str, cases: &[(Value, u16, &str)]) {
    for (body, status, names) in cases {
        let (got, answer) = peer.post(path, body).await;
        assert_eq!(got, *status, "{path} {body}: {answer}");
        let error = text(&answer["error"]);
        assert!(
            error.contains(names),
            "{path} {body}: `{error}` does not name {names}"
        );
        assert_eq!(answer["status"], *status);
        assert!(answer["support_id"].is_string());
    }
}
