//! What goes on at the same time: other people's snapshots, equal traces, corrections of rows, late effects.

use serde_json::json;
use tunegate::cycle::Outcome;
use tunegate::gate::Decision;

use super::service::{Books, Service, answers, books};
use crate::stub::Act;

#[tokio::test]
async fn a_row_that_is_still_being_corrected_is_waited_for_whatever_was_answered() {
    let service = Service::start(Books {
        row_at_once: true,
        ..books()
    })
    .await;
    let record = service.run(answers(6), Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    assert_eq!((record.traces.rows, record.traces.corrected), (6, 3));
    assert_eq!(service.books.lock().unwrap().processing_at_snapshot, 0);
}

#[tokio::test]
async fn the_trace_of_an_equal_answer_is_not_taken_for_the_one_that_met_a_server_error() {
    let service = Service::start(books()).await;
    let mut answers = answers(4);
    for answer in &mut answers {
        answer.input = "the same question".into();
        answer.output = Some("the same answer".into());
    }
    {
        let books = &mut service.books.lock().unwrap();
        let first = Act::json(201, json!({ "id": "trace-0" }));
        books.faults.push_back(("/traces", true, first));
        for applied in [false, true] {
            let fault = ("/traces", applied, Act::text(502, "bad gateway"));
            books.faults.push_back(fault);
        }
    }
    let record = service.run(answers, Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    let mut ids: Vec<_> = record.written.iter().map(|t| t.trace_id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), service.books.lock().unwrap().traces.len()), (4, 4));
}

#[tokio::test]
async fn a_snapshot_that_somebody_else_took_meanwhile_is_not_taken_for_ours() {
    let service = Service::start(Books {
        somebody_else: true,
        faults: [("/snapshots/create", false, Act::text(502, "bad gateway"))].into(),
        ..books()
    })
    .await;
    let record = service.run(answers(2), Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    assert_eq!(record.snapshot_id.as_deref(), Some("snapshot-1"));
}

#[tokio::test]
async fn a_repeat_that_is_refused_because_the_first_one_took_effect_is_no_failure() {
    let service = Service::start(Books {
        lag: 1,
        faults: [("/addToDataset", true, Act::text(502, "bad gateway"))].into(),
        ..books()
    })
    .await;
    let record = service.run(answers(1), Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    assert_eq!((record.traces.failed, record.traces.rows), (0, 1));
    assert_eq!(service.count("/addToDataset", "POST"), 2);
}
