//! An evaluation over real sockets: the client, the pipeline and a small service that plays a part.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use tunegate::eval::{self, Evaluation, Event};
use tunegate::http;
use tunegate::results::{AnswerOutcome, Results, StopKind, VoteOutcome};
use tunegate::studio::Studio;
use tunegate::suite::{Case, Check, CycleSettings, Judge, Message, Place, Role, Suite, Texts, Wording};

mod beside;

type Chat = dyn Fn(&Value) -> (u16, Value) + Send + Sync;

/// What the service plays, and what it saw.
struct Part {
    /// Answers a chat call.
    chat: Box<Chat>,
    models: Vec<&'static str>,
    /// Looks at the model that find it not running.
    asleep: AtomicUsize,
    /// Paths called, in order.
    calls: Mutex<Vec<String>>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

impl Part {
    fn new(chat: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static) -> Part {
        Part {
            chat: Box::new(chat),
            models: vec!["the-model", "the-judge"],
            asleep: AtomicUsize::new(0),
            calls: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
        }
    }

    fn saw(&self, path: &str) {
        self.calls.lock().unwrap().push(path.to_owned());
    }

    fn count(&self, path: &str) -> usize {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .filter(|call| *call == path)
            .count()
    }
}

async fn serve(part: Arc<Part>) -> String {
    async fn chat(State(part): State<Arc<Part>>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
        part.saw("chat");
        let flying = part.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        part.most_in_flight.fetch_max(flying, Ordering::SeqCst);
        // Long enough for calls to overlap.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let (status, reply) = (part.chat)(&body);
        part.in_flight.fetch_sub(1, Ordering::SeqCst);
        (StatusCode::from_u16(status).unwrap(), Json(reply))
    }
    async fn running(
        State(part): State<Arc<Part>>,
        Query(query): Query<BTreeMap<String, String>>,
    ) -> Json<Value> {
        assert_eq!(query["model"], "the-model");
        part.saw("running");
        let asleep = part.asleep.load(Ordering::SeqCst);
        part.asleep.store(asleep.saturating_sub(1), Ordering::SeqCst);
        Json(json!({"status": asleep == 0}))
    }
    async fn up(State(part): State<Arc<Part>>, Json(body): Json<Value>) -> Json<Value> {
        assert_eq!(body, json!({"model": "the-model"}));
        part.saw("up");
        Json(json!({"message": "ok"}))
    }
    async fn models(State(part): State<Arc<Part>>) -> Json<Value> {
        part.saw("models");
        let list: Vec<Value> = part
            .models
            .iter()
            .map(|id| json!({"id": id, "object": "model"}))
            .collect();
        Json(json!({"object": "list", "data": list}))
    }
    let routes = Router::new()
        .route("/api/v1/chat/completions", post(chat))
        .route("/api/v1/models/running", get(running))
        .route("/api/v1/models/up", post(up))
        .route("/api/v1/models", get(models))
        .with_state(part);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}")
}

fn completion(content: &str) -> (u16, Value) {
    let choice =
        json!({"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}});
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8});
    (
        200,
        json!({"id": "x", "object": "chat.completion", "model": "m-1", "choices": [choice], "usage": usage}),
    )
}

fn is_judge(body: &Value) -> bool {
    body["model"] == "the-judge"
}

/// What the judge is shown between the markers of this name.
fn shown<'b>(body: &'b Value, name: &str) -> Option<&'b str> {
    let prompt = body["messages"][0]["content"].as_str().unwrap();
    let (_, rest) = prompt.split_once(&format!("<{name}-"))?;
    let (nonce, rest) = rest.split_once(">\n")?;
    assert!(
        nonce.len() >= 16 && nonce.chars().all(|c| c.is_ascii_alphanumeric()),
        "{nonce}"
    );
    Some(rest.split_once(&format!("\n</{name}-{nonce}>"))?.0)
}

fn suite(cases: usize) -> Suite {
    let case = |at: usize| Case {
        id: format!("c{at}"),
        texts: Texts::from(Wording {
            messages: vec![Message {
                role: Role::User,
                content: format!("say {at}").into(),
            }],
            reference: Some(format!("{at}")),
        }),
        tags: Arc::default(),
        group: None,
        weight: 1.0,
        critical: false,
        holdout: false,
        samples: 1,
        pass_score: 0.7,
        parameters: Arc::default(),
        checks: Arc::default(),
        fingerprint: String::new(),
        place: Place {
            file: "s.yaml".into(),
            line: 1,
            column: 1,
        },
    };
    Suite {
        path: "s.yaml".to_owned(),
        name: "s".to_owned(),
        project: None,
        model: None,
        dataset: None,
        judge: Judge {
            anchors: Vec::new(),
            model: "the-judge".to_owned(),
            temperature: 0.1,
            votes: 1,
            rubric: Some("Only the number counts.".to_owned()),
            prompt: None,
            max_completion_tokens: None,
            seed: None,
            fingerprint: String::new(),
        },
        cases: (0..cases).map(case).collect(),
        gates: Vec::new(),
        cycle: CycleSettings::default(),
        fingerprint: String::new(),
    }
}

struct Ran {
    evaluation: Evaluation,
    events: Vec<Event>,
    tally: BTreeMap<String, http::Tally>,
}

async fn evaluated(suite: &Suite, part: &Arc<Part>, cancel: CancellationToken) -> Ran {
    let (limits, known) = (eval::Limits::default(), eval::Known::default());
    evaluated_in(suite, None, part, limits, known, &|_| Ok(()), cancel).await
}

async fn evaluated_in(
    suite: &Suite,
    rejudge: Option<&Results>,
    part: &Arc<Part>,
    limits: eval::Limits,
    known: eval::Known,
    keep: &eval::Keep<'_>,
    cancel: CancellationToken,
) -> Ran {
    let settings = http::Settings {
        timeout: Duration::from_secs(30),
        max_attempts: 3,
        backoff: Duration::from_millis(1),
        backoff_cap: Duration::from_millis(5),
        retry_after_cap: Duration::from_millis(5),
        ..http::Settings::new(serve(Arc::clone(part)).await, "test-key".into())
    };
    let studio = Studio::new(http::Client::new(settings, cancel).unwrap());
    let settings = eval::Settings {
        project: "p-1".to_owned(),
        model: "the-model".to_owned(),
        concurrency: 4,
        load_timeout: Duration::from_secs(30),
        load_poll: Duration::from_millis(2),
        limits,
        cache: None,
    };
    let (events, mut told) = unbounded_channel();
    let evaluation = eval::run(suite, rejudge, &studio, &settings, known, keep, &events).await;
    drop(events);
    let events = std::iter::from_fn(|| told.try_recv().ok()).collect();
    Ran {
        evaluation,
        events,
        tally: studio.http().tally(),
    }
}

#[tokio::test]
async fn every_case_is_answered_and_judged() {
    let part = Arc::new(Part::new(|body| {
        assert_eq!(body["project_id"], "p-1");
        if !is_judge(body) {
            let asked = body["messages"][0]["content"].as_str().unwrap();
            return completion(&asked.replace("say ", "it is "));
        }
        let (answer, reference) = (shown(body, "answer").unwrap(), shown(body, "reference").unwrap());
        assert_eq!(answer, format!("it is {reference}"));
        assert_eq!(shown(body, "question").unwrap(), format!("say {reference}"));
        assert_eq!(shown(body, "rubric"), Some("Only the number counts."));
        let score = reference.parse::<f64>().unwrap() / 100.0;
        let verdict = json!({"feedback": format!("say {reference}"), "reasoning": "because", "score": score});
        completion(&format!("My verdict:\n```json\n{verdict}\n```"))
    }));
    let mut suite = suite(40);
    suite.cases[7].checks = vec![Check::Contains("8".to_owned())].into();
    let Ran {
        evaluation,
        events,
        tally,
    } = evaluated(&suite, &part, CancellationToken::new()).await;
    assert_eq!(evaluation.stopped, None);
    for (at, case) in evaluation.cases.iter().enumerate() {
        let sample = &case.samples[0];
        assert_eq!(sample.outcome, AnswerOutcome::Answered);
        let call = sample.call.as_ref().unwrap();
        assert_eq!(
            (call.attempts, call.prompt_tokens, call.completion_tokens),
            (1, Some(5), Some(3))
        );
        if at == 7 {
            assert!(sample.failed_a_check() && sample.votes.is_empty());
            let (feedback, _) = eval::sample_feedback(&case, sample);
            assert!(
                feedback.starts_with("Failed check contains: \"8\": "),
                "{feedback}"
            );
        } else {
            assert_eq!(sample.votes[0].score, Some(at as f64 / 100.0));
            assert_eq!(sample.votes[0].feedback, Some(format!("say {at}")));
        }
    }
    assert_eq!(part.most_in_flight.load(Ordering::SeqCst), 4);
    assert_eq!(
        (tally["chat: answer"].calls, tally["chat: judge"].calls),
        (40, 39)
    );
    assert_eq!(events.len(), 1 + 40 + 40);
    assert_eq!(part.count("up"), 0);
}

#[tokio::test]
async fn a_sleeping_model_is_loaded_first() {
    let part = Part::new(|_| completion(r#"{"feedback": "", "reasoning": "", "score": 1}"#));
    part.asleep.store(3, Ordering::SeqCst);
    let part = Arc::new(part);
    let ran = evaluated(&suite(1), &part, CancellationToken::new()).await;
    assert_eq!(ran.evaluation.stopped, None);
    assert_eq!(
        ran.events[0],
        Event::Loading {
            model: "the-model".to_owned()
        }
    );
    let calls = part.calls.lock().unwrap();
    assert_eq!(calls[..5], ["running", "up", "running", "running", "running"]);
    assert_eq!(calls[5], "chat");
}

#[tokio::test]
async fn a_refused_key_is_told_and_nothing_more_is_asked() {
    let part = Arc::new(Part::new(|_| (401, json!({"error": "invalid api key"}))));
    let ran = evaluated(&suite(100), &part, CancellationToken::new()).await;
    let stopped = ran.evaluation.stopped.unwrap();
    assert_eq!(stopped.kind, StopKind::Unauthorized);
    assert!(stopped.message.contains("PREMAI_API_KEY"), "{}", stopped.message);
    assert!(part.count("chat") <= 4, "{}", part.count("chat"));
    assert_eq!(ran.evaluation.cases.len(), 100);
    assert!(
        ran.evaluation
            .cases
            .iter()
            .all(|case| case.samples[0].outcome == AnswerOutcome::NotAsked)
    );
}

#[tokio::test]
async fn a_missing_model_is_told_with_what_is_there() {
    let mut part = Part::new(|_| (404, json!({"error": "Model not found"})));
    part.models = vec!["the-modell", "another"];
    let part = Arc::new(part);
    let ran = evaluated(&suite(100), &part, CancellationToken::new()).await;
    let stopped = ran.evaluation.stopped.unwrap();
    assert_eq!(stopped.kind, StopKind::Unavailable);
    for told in [
        "`the-model` is not there",
        "did you mean `the-modell`?",
        "another",
    ] {
        assert!(stopped.message.contains(told), "{told} in {}", stopped.message);
    }
    assert!(part.count("chat") <= 4 && part.count("models") == 1);
}

#[tokio::test]
async fn one_bad_case_and_one_bad_judgement_end_nothing() {
    let part = Arc::new(Part::new(|body| {
        let text = body["messages"][0]["content"].as_str().unwrap();
        match is_judge(body) {
            false if text == "say 3" => (400, json!({"error": "the prompt is too long"})),
            false => completion(text),
            true if shown(body, "answer") == Some("say 5") => completion("8 out of 10"),
            true => completion(r#"{"feedback": "f", "reasoning": "r", "score": 0.5}"#),
        }
    }));
    let ran = evaluated(&suite(10), &part, CancellationToken::new()).await;
    assert_eq!(ran.evaluation.stopped, None);
    for (at, case) in ran.evaluation.cases.iter().enumerate() {
        let sample = &case.samples[0];
        match at {
            3 => assert_eq!((sample.outcome, sample.votes.len()), (AnswerOutcome::Failed, 0)),
            5 => {
                assert_eq!(sample.votes[0].outcome, VoteOutcome::Unparseable);
                assert_eq!(sample.votes[0].calls.len(), 2);
            }
            _ => assert_eq!(sample.votes[0].score, Some(0.5)),
        }
    }
}

#[tokio::test]
async fn an_interruption_keeps_what_is_there() {
    let cancel = CancellationToken::new();
    let (stop, seen) = (cancel.clone(), AtomicUsize::new(0));
    let part = Arc::new(Part::new(move |body| {
        if seen.fetch_add(1, Ordering::SeqCst) == 30 {
            stop.cancel();
        }
        if is_judge(body) {
            completion(r#"{"feedback": "f", "reasoning": "r", "score": 1}"#)
        } else {
            completion("1")
        }
    }));
    let ran = evaluated(&suite(1_000), &part, cancel).await;
    assert_eq!(ran.evaluation.stopped.unwrap().kind, StopKind::Interrupted);
    let cases: Vec<_> = ran.evaluation.cases.iter().collect();
    assert_eq!(cases.len(), 1_000);
    assert_eq!(cases[0].samples[0].votes[0].score, Some(1.0));
    assert_eq!(cases[999].samples[0].outcome, AnswerOutcome::NotAsked);
}
