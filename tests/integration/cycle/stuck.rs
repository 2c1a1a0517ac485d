//! What is neither a yes nor a no is not taken for one, and what nobody will ever find stops no run for ever.

use serde_json::{Value, json};
use tunegate::cycle::journal::{Before, Doubt, Fact, History, Standing, Write};
use tunegate::cycle::{Outcome, TraceState};
use tunegate::gate::Decision;

use super::service::{Books, Service, answers, begun, books, settings};
use crate::stub::Act;

fn listed(id: &str, n: usize, status: &str) -> Value {
    json!({ "id": id, "model_id": "m", "input": format!("question {n}"), "output": format!("answer {n}"),
        "score": 0.9, "addedToDataset": false, "processingStatus": status, "looks": 0 })
}

/// An earlier process wrote the traces of these cases.
fn wrote(traces: &[(&str, &str)]) -> History {
    let mut history = History::default();
    history.hear(Fact::Before(Before::default()));
    for (case, made) in traces {
        history.hear(Fact::Done {
            write: Write::Trace {
                case: (*case).into(),
                sample: 0,
            },
            made: (*made).into(),
        });
    }
    history
}

#[tokio::test]
async fn a_write_of_unknown_effect_is_told_whatever_the_gates_say() {
    for decision in [Decision::Fail, Decision::Hold, Decision::Inconclusive] {
        let service = Service::start(books()).await;
        let lost = ("/addToDataset", true, Act::ResetAfterReading);
        service.books.lock().unwrap().faults.push_back(lost);
        service.books.lock().unwrap().refuse_after = Some(("/addToDataset", "GET /traces/trace-0"));
        let record = service.run(answers(1), decision).await;
        assert_eq!(record.unknown.len(), 1, "{record:#?}");
        assert_eq!(record.outcome, Outcome::Stopped, "{record:#?}");
        assert!(record.reason.contains("not known"), "{}", record.reason);
    }
}

#[tokio::test]
async fn a_trace_that_somebody_deleted_stops_no_run_for_ever() {
    let service = Service::start(books()).await;
    let folder = tempfile::tempdir().unwrap();
    let journal = begun(folder.path());
    let history = wrote(&[("case-0", "gone")]);
    let record = service
        .go_on(answers(3), Decision::Pass, &settings(), &journal, history)
        .await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    assert_eq!((record.traces.failed, record.traces.rows), (1, 2));
    assert_eq!(record.written[0].state, TraceState::Failed);
}

#[tokio::test]
async fn a_listed_word_that_nobody_knows_makes_no_row_of_a_trace() {
    let service = Service::start(books()).await;
    service
        .books
        .lock()
        .unwrap()
        .traces
        .push(listed("trace-0", 0, "paused"));
    let record = service.run(answers(2), Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Stopped, "{record:#?}");
    assert_eq!(record.traces.already, 0, "{record:#?}");
    assert!(record.unknown[0].cause.contains("paused"), "{record:#?}");
    assert_eq!(service.books.lock().unwrap().snapshots.len(), 0);
}

#[tokio::test]
async fn an_addition_that_is_refused_in_so_many_words_may_have_been_done() {
    let already = json!({ "status": "failed", "success": false, "error": "already in the dataset" });
    let service = Service::start(Books {
        faults: [("/addToDataset", true, Act::ok(already))].into(),
        ..books()
    })
    .await;
    let record = service.run(answers(2), Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    assert_eq!((record.traces.failed, record.traces.rows), (0, 2), "{record:#?}");
}

#[tokio::test]
async fn a_long_list_is_not_read_to_its_end_for_what_an_earlier_process_left_in_doubt() {
    let service = Service::start(books()).await;
    let id = |n: usize| format!("old-{n}");
    service.books.lock().unwrap().traces = (0..30)
        .map(|n| {
            let mut trace = listed(&id(n), 100 + n, "none");
            trace["createdAt"] = json!(format!("2026-11-22T03:04:{n:02}Z"));
            trace
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let journal = begun(folder.path());
    let mut history = History::default();
    history.hear(Fact::Before(Before {
        newest: (25..30).map(id).collect(),
        ..Before::default()
    }));
    history.hear(Fact::Sending {
        write: Write::Trace {
            case: "case-0".into(),
            sample: 0,
        },
    });
    let doubted = &history.traces[&("case-0".to_owned(), 0)].trace;
    assert!(matches!(doubted, Standing::InDoubt(Doubt { .. })));
    let record = service
        .go_on(answers(1), Decision::Pass, &settings(), &journal, history)
        .await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    let second = |r: &crate::stub::Request| r.query.iter().any(|(k, v)| k == "page" && v == "2");
    let requests = service.stub.requests();
    let pages = requests.iter().filter(|r| r.method == "GET" && second(r)).count();
    assert_eq!(pages, 1, "once, by the survey");
}
