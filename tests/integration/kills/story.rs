//! What the tests of this folder tell their stories with: a small suite, the journal as it lies there, and what was
//! paid for at the service.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tunegate::emulator::{self, Emulator, Options};

use crate::harness;
use crate::matrix::night::{Night, Process, Run};
use crate::matrix::row::{missing, shown, twice};

/// A good answer, a weak one that is corrected, and a holdout.
pub(super) const SUITE: &str = "\
cases:
  - {id: total, prompt: Net 10.00 EUR. The total is 12.00 EUR. What is the total?, reference: The total is 12.00 EUR.}
  - {id: discount, prompt: Deliver by 12 May. Is a discount granted?, reference: none whatsoever}
  - {id: due, prompt: Sent on 2 May. Payment is due on 9 May. When is payment due?, reference: Payment is due on 9 May., holdout: true}
gates:
  - require: cases >= 1
cycle:
  poll: 20ms
  settle_timeout: 15s
  recommendations_timeout: 15s
";

/// Its cases that are no holdouts.
pub(super) const TRACES: u64 = 2;

/// Its answers and judgements.
pub(super) const PAID: u64 = 6;

/// A night with a service of its own.
pub(super) struct Story {
    pub(super) emulator: Emulator,
    pub(super) night: Night,
}

impl Story {
    pub(super) async fn new() -> Story {
        Story::of(SUITE, harness::options()).await
    }

    pub(super) async fn of(suite: &str, options: Options) -> Story {
        Story {
            emulator: emulator::start(options).await.unwrap(),
            night: Night::of(suite),
        }
    }

    pub(super) fn start(&self, more: &[&str], variables: &[(&str, &str)]) -> Process {
        let arguments: Vec<&str> = ["run", "s.yaml"].iter().chain(more).copied().collect();
        self.night.start(&self.emulator, &arguments, variables)
    }

    pub(super) async fn run(&self, more: &[&str]) -> Run {
        self.start(more, &[]).end().await
    }

    /// One run that dies at a line of the journal.
    pub(super) async fn die_at(&self, line: i64, more: &[&str]) -> Run {
        let line = line.to_string();
        self.start(more, &[("TUNEGATE_TEST_DIE_AT", &line)]).end().await
    }

    /// Waits until all that came from processes that are gone is counted: the last words of one that was killed may yet
    /// lie unread at the service.
    pub(super) async fn quiet(&self) {
        let all = async {
            // Connections are taken in turn: those before this one are open, or were.
            let mut last = TcpStream::connect(self.emulator.address()).await.unwrap();
            let ask = "GET /__emulator/state HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
            last.write_all(ask.as_bytes()).await.unwrap();
            last.read_to_end(&mut Vec::new()).await.unwrap();
            while self.emulator.connections() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), all).await.unwrap();
    }

    /// The journal's whole lines.
    pub(super) fn journal(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.night.path("journal.jsonl")).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Whether the journal has its last word: a process that died after it had nothing left to do, and the next one
    /// is another night's.
    pub(super) fn is_through(&self) -> bool {
        let journal = self.journal();
        journal
            .last()
            .is_some_and(|line| line["fact"]["ended"].is_object())
    }

    /// Answers and judgements that the journal has.
    pub(super) fn kept(&self) -> u64 {
        let journal = self.journal();
        let paid = |line: &&Value| line["fact"]["answered"].is_object() || line["fact"]["judged"].is_object();
        journal.iter().filter(paid).count() as u64
    }

    /// Answers and judgements that were asked for at the service.
    pub(super) async fn paid(&self) -> u64 {
        let state = self.emulator.state().await;
        let calls = &state["counters"]["routes"]["POST /api/v1/chat/completions"]["calls"];
        calls.as_u64().unwrap_or(0)
    }

    /// The service must have nothing twice and nothing less than the suite makes.
    pub(super) async fn whole(&self, traces: u64) -> Result<(), String> {
        let state = self.emulator.state().await;
        let mut wrong = twice(&state);
        wrong.extend(missing(&state, &self.night.results(), traces));
        none(&wrong)
    }

    /// The service must have nothing twice.
    pub(super) async fn once(&self) -> Result<(), String> {
        none(&twice(&self.emulator.state().await))
    }
}

fn none(wrong: &[String]) -> Result<(), String> {
    if wrong.is_empty() {
        return Ok(());
    }
    Err(wrong.join("; "))
}

/// Says of a run what it told, for the reader of a failed row.
pub(super) fn with(run: &Run) -> impl Fn(String) -> String {
    let shown = shown(run);
    move |why| format!("{why}\n{shown}")
}

/// Fails with a sentence where something does not hold.
pub(super) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// What of a run's results does not depend on when it ran or how often it was begun.
pub(super) fn lasting(results: &Value) -> Value {
    let mut lasting = results.clone();
    for gone in ["run", "calls", "cycle"] {
        lasting[gone].take();
    }
    without_times(&mut lasting);
    let counts = results["cycle"]["traces"].clone();
    lasting["rows"] = counts["rows"].as_u64().unwrap_or(0).into();
    lasting
}

fn without_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !name.ends_with("_ms") && name != "prompt_tokens");
            fields.values_mut().for_each(without_times);
        }
        Value::Array(all) => all.iter_mut().for_each(without_times),
        _ => {}
    }
}
