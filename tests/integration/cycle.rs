//! The cycle against a service that keeps books and fails on demand: what is written, how often, and what
//! ends it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tunegate::cycle::{self, Answer, Outcome, Record, Settings};
use tunegate::gate::{Decision, Verdict};
use tunegate::http;
use tunegate::results::{CycleSettings, Harvest};
use tunegate::studio::Studio;

use crate::stub::{Act, Request, Stub};

/// What the service holds.
#[derive(Default)]
struct Books {
    traces: Vec<Value>,
    snapshots: Vec<Value>,
    jobs: Vec<Value>,
    datasets: Vec<&'static str>,
    /// Traces that were still being corrected when a snapshot was taken.
    processing_at_snapshot: usize,
    /// Looks at a trace until its correction is through.
    corrections: usize,
    /// Faults to come: a part of the path, whether the effect is applied first, and the answer.
    faults: VecDeque<(&'static str, bool, Act)>,
    recommendations: Option<Value>,
}

struct Service {
    stub: Stub,
    books: Arc<Mutex<Books>>,
}

impl Service {
    async fn start(books: Books) -> Service {
        let books = Arc::new(Mutex::new(books));
        let shared = Arc::clone(&books);
        let stub = Stub::serve(move |request| answer(&mut shared.lock().unwrap(), request)).await;
        Service { stub, books }
    }

    fn studio(&self, cancel: CancellationToken) -> Studio {
        let mut settings = http::Settings::new(self.stub.url.clone(), SecretString::from("secret-key"));
        settings.backoff = Duration::from_millis(1);
        settings.backoff_cap = Duration::from_millis(2);
        Studio::new(http::Client::new(settings, cancel).unwrap())
    }

    async fn run(&self, answers: Vec<Answer>, decision: Decision) -> Record {
        self.run_with(answers, decision, &settings(), None).await
    }

    async fn run_with(
        &self,
        answers: Vec<Answer>,
        decision: Decision,
        settings: &Settings,
        earlier: Option<Record>,
    ) -> Record {
        let (events, _unheard) = tokio::sync::mpsc::unbounded_channel();
        let studio = self.studio(CancellationToken::new());
        cycle::run(answers, &verdict(decision), &studio, settings, earlier, &events).await
    }

    fn count(&self, part: &str, method: &str) -> usize {
        self.stub
            .requests()
            .iter()
            .filter(|r| r.method == method && r.path.contains(part))
            .count()
    }
}

fn answer(books: &mut Books, request: &Request) -> Act {
    let fault = books
        .faults
        .iter()
        .position(|(part, ..)| request.path.contains(part) && request.method == "POST");
    let Some((_, applied, act)) = fault.and_then(|at| books.faults.remove(at)) else {
        return effect(books, request);
    };
    if applied {
        effect(books, request);
    }
    act
}

fn effect(books: &mut Books, request: &Request) -> Act {
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

fn trace<'b>(books: &'b mut Books, id: &str) -> &'b mut Value {
    books.traces.iter_mut().find(|t| t["id"] == id).unwrap()
}

fn add(books: &mut Books, id: &str) -> Act {
    let trace = trace(books, id);
    assert_eq!(trace["addedToDataset"], false, "{id} is added twice");
    let weak = trace["score"].as_f64().unwrap() < 0.7;
    trace["addedToDataset"] = json!(!weak);
    trace["processingStatus"] = json!(if weak { "processing" } else { "none" });
    let status = if weak { "queued" } else { "added" };
    Act::ok(json!({ "traceId": id, "status": status, "success": true, "datapointId": null }))
}

fn look(books: &mut Books, id: &str) -> Act {
    let corrections = books.corrections;
    let trace = trace(books, id);
    let looks = trace["looks"].as_u64().unwrap() + 1;
    trace["looks"] = json!(looks);
    if trace["processingStatus"] == "processing" && looks as usize > corrections {
        let failed = trace["input"].as_str().unwrap().contains("hopeless");
        trace["processingStatus"] = json!(if failed { "failed" } else { "none" });
        trace["addedToDataset"] = json!(!failed);
    }
    Act::ok(trace.clone())
}

fn tree(books: &Books) -> Value {
    let jobs: Vec<Value> = books
        .jobs
        .iter()
        .map(|j| json!({ "id": j["id"], "label": j["name"], "type": "finetuning-job", "status": "processing" }))
        .collect();
    let snapshots: Vec<Value> = books
        .snapshots
        .iter()
        .map(|s| json!({ "id": s["id"], "label": "v", "type": "snapshot", "children": jobs }))
        .collect();
    let datasets: Vec<Value> = books
        .datasets
        .iter()
        .map(|d| json!({ "id": d, "label": format!("label of {d}"), "type": "dataset", "children": snapshots }))
        .collect();
    json!({ "project": { "id": "p", "name": "P", "type": "project", "children": datasets } })
}

fn recommendations(snapshot: &str) -> Value {
    json!({ "snapshot_id": snapshot, "status": "completed", "recommended_models": null, "recommended_experiments": [
        { "base_model_id": "m1", "batch_size": 4, "learning_rate_multiplier": 1e-5, "lora": true, "n_epochs": 3,
          "novel": { "kept": [1.0, null] }, "recommended": true, "reason_for_recommendation": "good" },
        { "base_model_id": "m2", "batch_size": 8, "learning_rate_multiplier": 0.5, "lora": false, "n_epochs": 1,
          "recommended": false, "reason_for_recommendation": null },
    ] })
}

fn books() -> Books {
    Books {
        datasets: vec!["d"],
        corrections: 2,
        ..Books::default()
    }
}

fn settings() -> Settings {
    Settings {
        project: "p".into(),
        model: "m".into(),
        dataset: None,
        cycle: CycleSettings {
            poll: Duration::from_millis(1),
            ..CycleSettings::default()
        },
        job_name: "Continuous Fine-tuning - 2026-01-02".into(),
        concurrency: 4,
        no_launch: false,
        dry_run: false,
        holdouts: Vec::new(),
    }
}

fn verdict(decision: Decision) -> Verdict {
    Verdict {
        decision,
        reason: "as the test says".into(),
        gates: Vec::new(),
        vetoes: Vec::new(),
        undecided_critical: Vec::new(),
        defaulted: false,
    }
}

fn answers(n: usize) -> Vec<Answer> {
    (0..n)
        .map(|i| Answer {
            case: format!("case-{i}"),
            sample: 0,
            holdout: false,
            input: format!("question {i}"),
            output: Some(format!("answer {i}")),
            score: Some(if i % 2 == 0 { 0.2 } else { 0.9 }),
            feedback: "feedback".into(),
            reasoning: "reasoning".into(),
        })
        .collect()
}

#[tokio::test]
async fn every_answer_is_traced_and_added_once_and_the_snapshot_waits_for_the_corrections() {
    let service = Service::start(books()).await;
    let record = service.run(answers(12), Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    assert_eq!(
        (record.traces.written, record.traces.rows, record.traces.corrected),
        (12, 12, 6)
    );
    let books = service.books.lock().unwrap();
    assert_eq!(
        (books.traces.len(), books.snapshots.len(), books.jobs.len()),
        (12, 1, 1)
    );
    assert_eq!(books.processing_at_snapshot, 0);
    let sent = &books.jobs[0]["experiments"];
    assert_eq!(
        *sent,
        json!([{ "base_model_id": "m1", "batch_size": 4, "learning_rate_multiplier": 1e-5, "lora": true,
                 "n_epochs": 3, "novel": { "kept": [1.0, null] } }])
    );
    assert_eq!(books.jobs[0]["name"], "Continuous Fine-tuning - 2026-01-02");
}

#[tokio::test]
async fn after_a_server_error_the_service_is_asked_and_nothing_is_written_twice() {
    for applied in [true, false] {
        for route in [
            "/traces",
            "/addToDataset",
            "/snapshots/create",
            "/finetuning/create",
            "/recommendations/generate",
        ] {
            let service = Service::start(books()).await;
            let fault = (route, applied, Act::text(502, "<html>bad gateway</html>"));
            service.books.lock().unwrap().faults.push_back(fault);
            let record = service.run(answers(3), Decision::Pass).await;
            assert_eq!(
                record.outcome,
                Outcome::Launched,
                "{route} applied {applied}: {record:#?}"
            );
            let books = service.books.lock().unwrap();
            assert_eq!(
                (books.traces.len(), books.snapshots.len(), books.jobs.len()),
                (3, 1, 1),
                "{route} applied {applied}"
            );
        }
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_not_repeated_and_holds_the_launch() {
    for route in [
        "/traces",
        "/addToDataset",
        "/snapshots/create",
        "/finetuning/create",
        "/recommendations/generate",
    ] {
        let service = Service::start(books()).await;
        service
            .books
            .lock()
            .unwrap()
            .faults
            .push_back((route, true, Act::ResetAfterReading));
        let record = service.run(answers(1), Decision::Pass).await;
        assert_eq!(record.outcome, Outcome::Stopped, "{route}: {record:#?}");
        assert_eq!(record.unknown.len(), 1, "{route}: {record:#?}");
        assert!(record.reason.contains("not known"), "{route}: {}", record.reason);
        assert_eq!(record.job_id, None);
        assert_eq!(service.count(route, "POST"), 1, "{route} is sent once");
        let before = service.stub.requests().len();
        let again = service
            .run_with(answers(1), Decision::Pass, &settings(), Some(record))
            .await;
        assert_eq!(
            again.outcome,
            Outcome::Stopped,
            "{route}: what is not known stays so: {again:#?}"
        );
        let posts = service.stub.requests()[before..]
            .iter()
            .filter(|r| r.method == "POST")
            .count();
        assert_eq!(posts, 0, "{route}: nothing is sent again");
    }
}

#[tokio::test]
async fn the_gates_decide_before_the_snapshot_and_the_suite_about_the_traces() {
    for (harvest, traces) in [(Harvest::Always, 2), (Harvest::WhenGatesPass, 0)] {
        for decision in [Decision::Fail, Decision::Hold, Decision::Inconclusive] {
            let service = Service::start(books()).await;
            let mut settings = settings();
            settings.cycle.harvest = harvest;
            let record = service.run_with(answers(2), decision, &settings, None).await;
            assert_eq!(record.outcome, Outcome::Held, "{record:#?}");
            let books = service.books.lock().unwrap();
            assert_eq!(
                (books.traces.len(), books.snapshots.len(), books.jobs.len()),
                (traces, 0, 0)
            );
        }
    }
}

#[tokio::test]
async fn a_failed_correction_is_counted_and_blocks_nothing() {
    let service = Service::start(books()).await;
    let mut answers = answers(4);
    answers[0].input = "hopeless".into();
    let record = service.run(answers, Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    assert_eq!((record.traces.correction_failed, record.traces.rows), (1, 3));
}

#[tokio::test]
async fn corrections_that_take_too_long_hold_the_launch() {
    let service = Service::start(Books {
        corrections: usize::MAX,
        ..books()
    })
    .await;
    let mut settings = settings();
    settings.cycle.settle_timeout = Duration::from_millis(20);
    let record = service
        .run_with(answers(2), Decision::Pass, &settings, None)
        .await;
    assert_eq!(record.outcome, Outcome::Stopped);
    assert_eq!(record.traces.unsettled, 1);
    assert!(record.reason.contains("settle_timeout"), "{}", record.reason);
    assert_eq!(service.books.lock().unwrap().snapshots.len(), 0);
    service.books.lock().unwrap().corrections = 0;
    let later = service
        .run_with(answers(2), Decision::Pass, &settings, Some(record))
        .await;
    assert_eq!(later.outcome, Outcome::Launched, "{later:#?}");
    assert_eq!(
        service.books.lock().unwrap().traces.len(),
        2,
        "a later part writes no trace again"
    );
}

#[tokio::test]
async fn holdout_prompts_are_never_traced_and_found_where_they_leaked() {
    let service = Service::start(books()).await;
    for i in 0..12 {
        let leaked = json!({ "id": format!("old-{i}"), "input": format!("old {i}"), "output": "o",
            "addedToDataset": true, "processingStatus": "none" });
        service.books.lock().unwrap().traces.push(leaked);
    }
    let mut settings = settings();
    settings.holdouts = vec![
        ("held".into(), " old 1\n".into()),
        ("clean".into(), "nowhere".into()),
    ];
    let mut answers = answers(2);
    answers[1].holdout = true;
    let record = service.run_with(answers, Decision::Pass, &settings, None).await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    assert_eq!((record.traces.holdout, record.traces.written), (1, 1));
    assert_eq!(record.leaks.len(), 1, "{:?}", record.leaks);
    assert_eq!(
        (record.leaks[0].case.as_str(), record.leaks[0].trace_id.as_str()),
        ("held", "old-1")
    );
}

#[tokio::test]
async fn the_dataset_is_found_or_told_with_the_list_of_what_is_there() {
    for (datasets, named, found) in [
        (vec!["d"], None, true),
        (vec!["d", "e"], None, false),
        (vec!["d", "e"], Some("e"), true),
        (vec!["d", "e"], Some("label of e"), true),
        (vec!["d", "e"], Some("f"), false),
        (vec![], None, false),
    ] {
        let service = Service::start(Books {
            datasets: datasets.clone(),
            ..books()
        })
        .await;
        let mut settings = settings();
        settings.dataset = named.map(Into::into);
        let record = service
            .run_with(answers(1), Decision::Pass, &settings, None)
            .await;
        assert_eq!(
            record.outcome == Outcome::Launched,
            found,
            "{datasets:?} {named:?}: {record:#?}"
        );
        if !found {
            assert!(
                datasets
                    .iter()
                    .all(|d| record.reason.contains(&format!("label of {d} ({d})"))),
                "{}",
                record.reason
            );
            assert_eq!(
                service.count("/traces", "POST"),
                0,
                "nothing is written before the dataset is known"
            );
        }
    }
}

#[tokio::test]
async fn recommendations_that_fail_or_recommend_nothing_end_the_cycle_without_a_job() {
    for (answer, word) in [
        (
            json!({ "snapshot_id": "s", "status": "failed" }),
            "failed at the recommendations",
        ),
        (
            json!({ "snapshot_id": "s", "status": "completed", "recommended_experiments": null }),
            "recommends no",
        ),
        (
            json!({ "snapshot_id": "s", "status": "processing" }),
            "recommendations_timeout",
        ),
        (json!({ "snapshot_id": "s", "status": "dreaming" }), "dreaming"),
    ] {
        let service = Service::start(Books {
            recommendations: Some(answer),
            ..books()
        })
        .await;
        let mut settings = settings();
        settings.cycle.recommendations_timeout = Duration::from_millis(20);
        let record = service
            .run_with(answers(1), Decision::Pass, &settings, None)
            .await;
        assert_eq!(record.outcome, Outcome::Stopped);
        assert!(record.reason.contains(word), "{word}: {}", record.reason);
        assert_eq!(service.books.lock().unwrap().jobs.len(), 0);
        assert!(
            record.snapshot_id.is_some(),
            "a later part goes on with the snapshot"
        );
    }
}

#[tokio::test]
async fn nothing_to_train_on_is_no_reason_for_a_snapshot() {
    let service = Service::start(books()).await;
    let mut answers = answers(2);
    answers[0].holdout = true;
    answers[1].score = None;
    let record = service.run(answers, Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Held, "{record:#?}");
    assert_eq!(service.books.lock().unwrap().snapshots.len(), 0);
}

#[tokio::test]
async fn one_refused_trace_ends_nothing_and_is_named() {
    let service = Service::start(books()).await;
    service.books.lock().unwrap().faults.push_back((
        "/traces",
        false,
        Act::json(413, json!({ "error": "too much" })),
    ));
    let record = service.run(answers(4), Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    assert_eq!((record.traces.failed, record.traces.rows), (1, 3));
    assert!(record.failed[0].cause.contains("too much"), "{:?}", record.failed);
}
