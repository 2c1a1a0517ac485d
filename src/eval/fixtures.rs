//! Suites, replies and a scripted service for this room's tests.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::service::Service;
use super::{Limits, Settings};
use crate::results::{CaseResult, JudgeRecord, Results, Run, SuiteRecord, Tool};
use crate::studio::{ChatReply, ChatRequest, Failure, FailureKind, Purpose, Reply};
use crate::suite::{Anchor, Case, CycleSettings, Judge, Message, Place, Role, Suite, Texts, Wording};

pub(super) fn case(id: &str) -> Case {
    Case {
        id: id.to_owned(),
        texts: Texts::from(Wording {
            messages: vec![Message {
                role: Role::User,
                content: format!("question {id}").into(),
            }],
            reference: None,
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
        fingerprint: format!("print {id}"),
        place: Place {
            file: "s.yaml".into(),
            line: 1,
            column: 1,
        },
    }
}

pub(super) fn judge() -> Judge {
    Judge {
        anchors: Vec::new(),
        model: "the-judge".to_owned(),
        temperature: 0.1,
        votes: 1,
        rubric: None,
        prompt: None,
        max_completion_tokens: None,
        seed: None,
        fingerprint: String::new(),
    }
}

pub(super) fn suite(cases: Vec<Case>) -> Suite {
    Suite {
        path: "s.yaml".to_owned(),
        name: "s".to_owned(),
        project: None,
        model: None,
        dataset: None,
        judge: judge(),
        cases,
        gates: Vec::new(),
        cycle: CycleSettings::default(),
        fingerprint: String::new(),
    }
}

/// An anchor whose question carries a number, as those of cases do.
pub(super) fn anchor(number: usize) -> Anchor {
    Anchor {
        question: format!("question c{number}"),
        answer: format!("the anchor's answer {number}"),
        reference: Some(format!("the anchor's reference {number}")),
        expected: 0.5,
        tolerance: 0.1,
        fingerprint: format!("anchor {number}"),
        place: Place {
            file: "s.yaml".into(),
            line: 1,
            column: 1,
        },
    }
}

/// The results of an earlier run of this suite, with these cases.
pub(super) fn earlier(suite: &Suite, cases: Vec<CaseResult>) -> Results {
    Results {
        version: crate::results::VERSION,
        tool: Tool {
            name: "tunegate".to_owned(),
            version: "0".to_owned(),
        },
        run: Run {
            id: "earlier".to_owned(),
            started_at: "2026-01-02T03:04:05Z".to_owned(),
            duration_ms: 1,
            resumed: 0,
            kept: crate::results::Kept::default(),
            cached: None,
            base_url: "https://example.com".to_owned(),
            emulator: false,
            commit: None,
            stopped: None,
            shard: None,
        },
        suite: SuiteRecord {
            name: suite.name.clone(),
            path: suite.path.clone(),
            fingerprint: "another suite".to_owned(),
            project: "the-project".to_owned(),
            model: "the-model".to_owned(),
            dataset: None,
            judge: JudgeRecord {
                model: "another judge".to_owned(),
                temperature: 0.7,
                votes: 3,
                fingerprint: "another judge".to_owned(),
            },
            gates: Vec::new(),
            policy: None,
            cycle: CycleSettings::default(),
        },
        cases: cases.into(),
        anchors: Vec::new(),
        baseline: None,
        without_baseline: None,
        baseline_unknown: false,
        calls: BTreeMap::new(),
    }
}

/// A suite of cases `c0`, `c1`, ….
pub(super) fn numbered(cases: usize) -> Suite {
    suite((0..cases).map(|i| case(&format!("c{i}"))).collect())
}

pub(super) fn settings(concurrency: usize) -> Settings {
    Settings {
        project: "the-project".to_owned(),
        model: "the-model".to_owned(),
        concurrency,
        load_timeout: Duration::from_secs(60),
        load_poll: Duration::from_secs(5),
        limits: Limits::default(),
        cache: None,
    }
}

pub(super) fn reply(content: &str) -> Reply<ChatReply> {
    Reply {
        value: ChatReply {
            content: Some(content.to_owned()),
            finish_reason: Some("stop".to_owned()),
            model: Some("the-model-v2".to_owned()),
            prompt_tokens: Some(11),
            completion_tokens: Some(7),
        },
        attempts: 1,
        latency: Duration::from_millis(120),
    }
}

pub(super) fn verdict(score: f64) -> Reply<ChatReply> {
    reply(&format!(
        r#"{{"feedback": "do {score}", "reasoning": "as {score}", "score": {score}}}"#
    ))
}

pub(super) fn failure(kind: FailureKind, status: Option<u16>, message: &str) -> Failure {
    Failure {
        call: "chat: answer",
        kind,
        status,
        attempts: 1,
        message: message.to_owned(),
        retry_after: None,
    }
}

pub(super) type Answer = Result<Reply<ChatReply>, Failure>;

/// A chat request as a fake service sees it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) purpose: Purpose,
    pub(super) seed: Option<i64>,
    /// Role and content.
    pub(super) messages: Vec<(String, String)>,
    /// The request in Rust's debug form.
    pub(super) whole: String,
}

/// A service whose chat is a function and whose other answers are fixed.
pub(super) struct Fake<C> {
    pub(super) chat: C,
    /// What looks at the model find, the last one again and again.
    pub(super) running: Mutex<VecDeque<Result<bool, Failure>>>,
    pub(super) load: Result<(), Failure>,
    pub(super) models: Result<Vec<String>, Failure>,
    pub(super) projects: Result<Vec<(String, String)>, Failure>,
    pub(super) looks: AtomicUsize,
    pub(super) loads: AtomicUsize,
    /// How often the list of models was read.
    pub(super) lists: AtomicUsize,
    /// Requests that this service got.
    pub(super) sent: AtomicU64,
}

/// A service where everything is there, with this chat.
pub(super) fn fake<C>(chat: C) -> Fake<C> {
    Fake {
        chat,
        running: Mutex::new(VecDeque::from([Ok(true)])),
        load: Ok(()),
        models: Ok(vec!["the-model".to_owned(), "the-judge".to_owned()]),
        projects: Ok(vec![("the-project".to_owned(), "Projects' project".to_owned())]),
        looks: AtomicUsize::new(0),
        loads: AtomicUsize::new(0),
        lists: AtomicUsize::new(0),
        sent: AtomicU64::new(0),
    }
}

/// A service that nobody should chat with.
pub(super) fn silent() -> Fake<impl Fn(Asked) -> std::future::Ready<Answer> + Sync> {
    fake(|asked: Asked| panic!("{}", asked.whole))
}

impl<C, F> Service for Fake<C>
where
    C: Fn(Asked) -> F + Sync,
    F: Future<Output = Answer> + Send,
{
    async fn chat(&self, request: &ChatRequest<'_>) -> Answer {
        self.sent.fetch_add(1, Ordering::Relaxed);
        (self.chat)(Asked {
            purpose: request.purpose,
            seed: request.seed,
            messages: request
                .messages
                .iter()
                .map(|m| (m.role.to_owned(), m.content.to_owned()))
                .collect(),
            whole: format!("{request:?}"),
        })
        .await
    }

    fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    async fn model_running(&self, _: &str) -> Result<bool, Failure> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.looks.fetch_add(1, Ordering::Relaxed);
        let mut running = self.running.lock().unwrap();
        if running.len() > 1 {
            running.pop_front().unwrap()
        } else {
            running[0].clone()
        }
    }

    async fn load_model(&self, _: &str) -> Result<(), Failure> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.load.clone()
    }

    async fn models(&self) -> Result<Vec<String>, Failure> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.lists.fetch_add(1, Ordering::Relaxed);
        self.models.clone()
    }

    async fn projects(&self) -> Result<Vec<(String, String)>, Failure> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.projects.clone()
    }
}
