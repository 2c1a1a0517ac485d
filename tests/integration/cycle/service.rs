//! A service that keeps books and fails on demand, and what the tests of the cycle put to it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tunegate::cycle::journal::{self, Begun, History, Journal};
use tunegate::cycle::{self, Answer, Record, Settings};
use tunegate::gate::{Decision, Verdict};
use tunegate::http;
use tunegate::results::CycleSettings;
use tunegate::studio::Studio;

use crate::stub::{Act, Request, Stub};

/// What the service holds.
#[derive(Default)]
pub(super) struct Books {
    pub(super) traces: Vec<Value>,
    pub(super) snapshots: Vec<Value>,
    pub(super) jobs: Vec<Value>,
    pub(super) datasets: Vec<&'static str>,
    /// Traces that were still being corrected when a snapshot was taken.
    pub(super) processing_at_snapshot: usize,
    /// Looks at a trace until its correction is through.
    pub(super) corrections: usize,
    /// Faults to come: a part of the path of a POST (or of a GET, with the word before it), whether the effect is
    /// applied first, and the answer.
    pub(super) faults: VecDeque<(&'static str, bool, Act)>,
    pub(super) recommendations: Option<Value>,
    /// What is corrected is answered as added, and is a row from the start.
    pub(super) row_at_once: bool,
    /// Looks at an added trace that show nothing of it yet.
    pub(super) lag: u64,
    /// Once the first of these was called the second is refused.
    pub(super) refuse_after: Option<(&'static str, &'static str)>,
    pub(super) refuses: bool,
    /// Somebody else takes a snapshot while the first trace is added.
    pub(super) somebody_else: bool,
}

pub(super) struct Service {
    pub(super) stub: Stub,
    pub(super) books: Arc<Mutex<Books>>,
}

impl Service {
    pub(super) async fn start(books: Books) -> Service {
        let books = Arc::new(Mutex::new(books));
        let shared = Arc::clone(&books);
        let stub = Stub::serve(move |request| answer(&mut shared.lock().unwrap(), request)).await;
        Service { stub, books }
    }

    pub(super) fn studio(&self, cancel: CancellationToken) -> Studio {
        let mut settings = http::Settings::new(self.stub.url.clone(), SecretString::from("secret-key"));
        settings.backoff = Duration::from_millis(1);
        settings.backoff_cap = Duration::from_millis(2);
        Studio::new(http::Client::new(settings, cancel).unwrap())
    }

    pub(super) async fn run(&self, answers: Vec<Answer>, decision: Decision) -> Record {
        self.run_with(answers, decision, &settings(), None).await
    }

    pub(super) async fn run_with(
        &self,
        answers: Vec<Answer>,
        decision: Decision,
        settings: &Settings,
        earlier: Option<Record>,
    ) -> Record {
        let folder = tempfile::tempdir().unwrap();
        let journal = begun(folder.path());
        let mut history = History::default();
        for fact in earlier
            .iter()
            .flat_map(|record| journal::facts_of(record).unwrap())
        {
            journal.note(&fact).unwrap();
            history.hear(fact);
        }
        self.go_on(answers, decision, settings, &journal, history).await
    }

    /// One process of a run, on the journal that it has.
    pub(super) async fn go_on(
        &self,
        answers: Vec<Answer>,
        decision: Decision,
        settings: &Settings,
        journal: &Journal,
        history: History,
    ) -> Record {
        let (events, _unheard) = tokio::sync::mpsc::unbounded_channel();
        let studio = self.studio(CancellationToken::new());
        let verdict = verdict(decision);
        cycle::run(answers, &verdict, &studio, settings, journal, history, &events).await
    }

    pub(super) fn count(&self, part: &str, method: &str) -> usize {
        self.stub
            .requests()
            .iter()
            .filter(|r| r.method == method && r.path.contains(part))
            .count()
    }
}

pub(super) fn answer(books: &mut Books, request: &Request) -> Act {
    if let Some((after, look)) = books.refuse_after {
        books.refuses |= request.method == "POST" && request.path.contains(after);
        let look = look.trim_start_matches("GET ");
        if books.refuses && request.method == "GET" && request.path.contains(look) {
            return Act::json(400, json!({ "error": "not now" }));
        }
    }
    let fault = books.faults.iter().position(|(part, ..)| {
        let (method, part) = part.split_once(' ').unwrap_or(("POST", part));
        request.path.contains(part) && request.method == method
    });
    let Some((_, applied, act)) = fault.and_then(|at| books.faults.remove(at)) else {
        return effect(books, request);
    };
    if applied {
        effect(books, request);
    }
    act
}

pub(super) fn effect(books: &mut Books, request: &Request) -> Act {
    let path: Vec<&str> = request.path.trim_start_matches("/api/v1/").split('/').collect();
    match (request.method.as_str(), path.as_slice()) {
        ("GET", ["public", "projects", _]) => Act::ok(tree(books)),
        ("GET", ["traces"]) => {
            let page: usize = request
                .query
                .iter()
                .find(|(k, _)| k == "page")
                .unwrap()
                .1
                .parse()
                .unwrap();
            let newest: Vec<Value> = books
                .traces
                .iter()
                .rev()
                .skip((page - 1) * 5)
                .take(5)
                .cloned()
                .collect();
            Act::ok(json!({ "results": newest, "total": books.traces.len() }))
        }
        ("POST", ["traces"]) => {
            let id = format!("trace-{}", books.traces.len());
            let mut trace = request.json();
            trace["id"] = json!(id);
            trace["addedToDataset"] = json!(false);
            trace["processingStatus"] = json!("none");
            trace["looks"] = json!(0);
            books.traces.push(trace);
            Act::json(201, json!({ "id": id }))
        }
        ("POST", ["traces", id, "addToDataset"]) => add(books, id),
        ("GET", ["traces", id]) => look(books, id),
        ("POST", ["public", "snapshots", "create"]) => {
            books.processing_at_snapshot += books
                .traces
                .iter()
                .filter(|t| t["processingStatus"] == "processing")
                .count();
            let id = format!("snapshot-{}", books.snapshots.len());
            books.snapshots.push(json!({ "id": id }));
            Act::ok(json!({ "snapshot_id": id }))
        }
        ("POST", ["public", "recommendations", "generate"]) => {
            Act::ok(json!({ "snapshot_id": request.json()["snapshot_id"] }))
        }
        ("GET", ["public", "recommendations", snapshot]) => Act::ok(
            books
                .recommendations
                .clone()
                .unwrap_or_else(|| recommendations(snapshot)),
        ),
        ("POST", ["public", "finetuning", "create"]) => {
            let id = format!("job-{}", books.jobs.len());
            let mut job = request.json();
            job["id"] = json!(id);
            books.jobs.push(job);
            Act::ok(json!({ "job_id": id }))
        }
        _ => Act::json(
            404,
            json!({ "error": format!("no route {} {}", request.method, request.path) }),
        ),
    }
}

pub(super) fn trace<'b>(books: &'b mut Books, id: &str) -> &'b mut Value {
    books.traces.iter_mut().find(|t| t["id"] == id).unwrap()
}

pub(super) fn add(books: &mut Books, id: &str) -> Act {
    if std::mem::take(&mut books.somebody_else) {
        books.snapshots.push(json!({ "id": "somebody-elses" }));
    }
    let (row_at_once, lag) = (books.row_at_once, books.lag);
    if books.traces.iter().all(|t| t["id"] != id) {
        return gone(id);
    }
    let trace = trace(books, id);
    if trace["addedToDataset"] == true || trace["processingStatus"] == "processing" {
        assert!(lag > 0, "{id} is added twice");
        return Act::json(409, json!({ "error": "already added" }));
    }
    let weak = trace["score"].as_f64().unwrap() < 0.7;
    trace["addedToDataset"] = json!(row_at_once || !weak);
    trace["processingStatus"] = json!(if weak { "processing" } else { "none" });
    let status = if weak && !row_at_once { "queued" } else { "added" };
    Act::ok(json!({ "traceId": id, "status": status, "success": true, "datapointId": null }))
}

pub(super) fn look(books: &mut Books, id: &str) -> Act {
    let (corrections, lag) = (books.corrections, books.lag);
    if books.traces.iter().all(|t| t["id"] != id) {
        return gone(id);
    }
    let trace = trace(books, id);
    let looks = trace["looks"].as_u64().unwrap() + 1;
    trace["looks"] = json!(looks);
    if looks <= lag {
        let mut old = trace.clone();
        old["addedToDataset"] = json!(false);
        old["processingStatus"] = json!("none");
        return Act::ok(old);
    }
    if trace["processingStatus"] == "processing" && looks as usize > corrections {
        let failed = trace["input"].as_str().unwrap().contains("hopeless");
        trace["processingStatus"] = json!(if failed { "failed" } else { "none" });
        trace["addedToDataset"] = json!(!failed);
    }
    Act::ok(trace.clone())
}

fn gone(id: &str) -> Act {
    Act::json(404, json!({ "error": format!("no trace {id}") }))
}

pub(super) fn tree(books: &Books) -> Value {
    let jobs_of = |snapshot: &Value| -> Vec<Value> {
        let jobs = books.jobs.iter().filter(|j| j["snapshot_id"] == *snapshot);
        jobs.map(|j| {
            let status = j.get("status").cloned().unwrap_or(json!("processing"));
            json!({ "id": j["id"], "label": j["name"], "type": "finetuning-job", "status": status })
        })
        .collect()
    };
    let snapshots: Vec<Value> = books
        .snapshots
        .iter()
        .map(|s| json!({ "id": s["id"], "label": "v", "type": "snapshot", "children": jobs_of(&s["id"]) }))
        .collect();
    let datasets: Vec<Value> = books
        .datasets
        .iter()
        .map(|d| json!({ "id": d, "label": format!("label of {d}"), "type": "dataset", "children": snapshots }))
        .collect();
    json!({ "project": { "id": "p", "name": "P", "type": "project", "children": datasets } })
}

pub(super) fn recommendations(snapshot: &str) -> Value {
    json!({ "snapshot_id": snapshot, "status": "completed", "recommended_models": null, "recommended_experiments": [
        { "base_model_id": "m1", "batch_size": 4, "learning_rate_multiplier": 1e-5, "lora": true, "n_epochs": 3,
          "novel": { "kept": [1.0, null] }, "recommended": true, "reason_for_recommendation": "good" },
        { "base_model_id": "m2", "batch_size": 8, "learning_rate_multiplier": 0.5, "lora": false, "n_epochs": 1,
          "recommended": false, "reason_for_recommendation": null },
    ] })
}

pub(super) fn books() -> Books {
    Books {
        datasets: vec!["d"],
        corrections: 2,
        ..Books::default()
    }
}

pub(super) fn settings() -> Settings {
    Settings {
        project: "p".into(),
        model: "m".into(),
        dataset: None,
        cycle: CycleSettings {
            poll: Duration::from_millis(1),
            ..CycleSettings::default()
        },
        job_name: "Continuous Fine-tuning - 2026-01-02 [1a2b3c4d]".into(),
        run: "1a2b3c4d".into(),
        doubt_timeout: Duration::from_millis(300),
        assume_not_done: false,
        concurrency: 4,
        no_launch: false,
        dry_run: false,
        holdouts: Vec::new(),
    }
}

/// A journal that has just begun.
pub(super) fn begun(folder: &std::path::Path) -> Journal {
    let begun = Begun {
        version: journal::VERSION,
        run: "1a2b3c4d-0000-4000-8000-000000000000".into(),
        ..Begun::default()
    };
    Journal::begin(folder, begun).unwrap()
}

pub(super) fn verdict(decision: Decision) -> Verdict {
    Verdict {
        decision,
        reason: "as the test says".into(),
        gates: Vec::new(),
        vetoes: Vec::new(),
        undecided_critical: Vec::new(),
        defaulted: false,
    }
}

pub(super) fn answers(n: usize) -> Vec<Answer> {
    (0..n)
        .map(|i| Answer {
            case: format!("case-{i}"),
            sample: 0,
            holdout: false,
            cached: false,
            input: format!("question {i}"),
            output: Some(format!("answer {i}")),
            score: Some(if i % 2 == 0 { 0.2 } else { 0.9 }),
            feedback: "feedback".into(),
            reasoning: "reasoning".into(),
        })
        .collect()
}
