//! A write in doubt is asked for: what counts as ours, how long, and what when nobody can tell.

use serde_json::json;
use tunegate::cycle::{Outcome, TraceState};
use tunegate::gate::Decision;

use super::service::{Books, Service, answers, books, settings};
use crate::stub::Act;

#[tokio::test]
async fn what_stood_there_before_is_not_taken_for_ours() {
    for route in ["/traces", "/snapshots/create", "/finetuning/create"] {
        for act in [Act::text(502, "bad gateway"), Act::ResetAfterReading] {
            let service = Service::start(books()).await;
            {
                let mut books = service.books.lock().unwrap();
                // Another model's: the same question, the same answer.
                books.traces.push(
                    json!({ "id": "old", "model_id": "another", "input": "question 0", "output": "answer 0",
                    "score": 0.2, "addedToDataset": true, "processingStatus": "none", "looks": 0 }),
                );
                books.snapshots.push(json!({ "id": "old" }));
                // Last night's.
                books
                    .jobs
                    .push(json!({ "id": "old", "snapshot_id": "old", "status": "completed",
                    "name": "Continuous Fine-tuning - 2026-01-02 [99999999]" }));
                books.faults.push_back((route, false, act));
            }
            let record = service.run(answers(1), Decision::Pass).await;
            assert_eq!(record.outcome, Outcome::Launched, "{route}: {record:#?}");
            let ours = (
                record.written[0].trace_id.as_deref(),
                record.snapshot_id.as_deref(),
                record.job_id.as_deref(),
            );
            assert_eq!(
                ours,
                (Some("trace-1"), Some("snapshot-1"), Some("job-1")),
                "{route}"
            );
        }
    }
}

#[tokio::test]
async fn a_write_that_nobody_can_tell_of_is_not_sent_again_until_a_person_has_looked() {
    for (write, look) in [
        ("/addToDataset", "GET /traces/trace-0"),
        ("/snapshots/create", "GET /projects/p"),
    ] {
        let service = Service::start(books()).await;
        let lost = (write, true, Act::ResetAfterReading);
        service.books.lock().unwrap().faults.push_back(lost);
        service.books.lock().unwrap().refuse_after = Some((write, look));
        let record = service.run(answers(1), Decision::Pass).await;
        assert_eq!(record.outcome, Outcome::Stopped, "{write}: {record:#?}");
        assert_eq!(record.unknown.len(), 1, "{write}: {record:#?}");
        assert!(record.reason.contains("not known"), "{write}: {}", record.reason);
        assert!(
            record.reason.contains("--assume-not-done"),
            "{write}: {}",
            record.reason
        );
        assert_eq!(service.count(write, "POST"), 1, "{write} is sent once");
    }
}

#[tokio::test]
async fn an_effect_that_shows_late_is_waited_for() {
    let service = Service::start(Books {
        lag: 2,
        faults: [("/addToDataset", true, Act::ResetAfterReading)].into(),
        ..books()
    })
    .await;
    let record = service.run(answers(1), Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    assert_eq!(service.count("/addToDataset", "POST"), 1);
}

#[tokio::test]
async fn what_the_dataset_has_is_not_written_again() {
    let service = Service::start(books()).await;
    let first = service.run(answers(6), Decision::Pass).await;
    assert_eq!(first.outcome, Outcome::Launched, "{first:#?}");
    service.books.lock().unwrap().jobs[0]["status"] = json!("completed");
    service.books.lock().unwrap().jobs[0]["name"] = json!("another run's");
    // The same answers again, and one that is new.
    let second = service.run(answers(7), Decision::Pass).await;
    assert_eq!(second.outcome, Outcome::Launched, "{second:#?}");
    let counts = second.traces;
    assert_eq!(
        (counts.planned, counts.already, counts.written, counts.rows),
        (7, 6, 1, 1)
    );
    assert_eq!(second.written[0].state, TraceState::Known);
    assert_eq!(service.books.lock().unwrap().traces.len(), 7);
}

#[tokio::test]
async fn nothing_new_is_no_reason_for_a_job() {
    let service = Service::start(books()).await;
    service.run(answers(3), Decision::Pass).await;
    service.books.lock().unwrap().jobs[0]["status"] = json!("completed");
    service.books.lock().unwrap().jobs[0]["name"] = json!("another run's");
    let again = service.run(answers(3), Decision::Pass).await;
    assert_eq!(again.outcome, Outcome::Held, "{again:#?}");
    assert!(again.reason.contains("nothing new"), "{}", again.reason);
    assert_eq!(service.books.lock().unwrap().jobs.len(), 1);
}

#[tokio::test]
async fn a_trace_that_somebody_left_unadded_is_added_and_not_written_again() {
    let service = Service::start(books()).await;
    service.books.lock().unwrap().traces.push(json!({ "id": "trace-0", "model_id": "m", "input": "question 0",
        "output": "answer 0", "score": 0.2, "addedToDataset": false, "processingStatus": "none", "looks": 0 }));
    let record = service.run(answers(1), Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    assert_eq!(service.count("/traces", "POST"), 1, "the addition alone");
    assert_eq!(record.traces.rows, 1);
}

#[tokio::test]
async fn a_job_of_this_run_is_known_by_its_name_even_without_a_journal() {
    let service = Service::start(books()).await;
    let first = service.run(answers(2), Decision::Pass).await;
    let second = service.run(answers(2), Decision::Pass).await;
    assert_eq!(second.outcome, Outcome::Launched, "{second:#?}");
    assert!(second.reason.contains("earlier attempt"), "{}", second.reason);
    assert_eq!(
        (first.job_id, first.snapshot_id),
        (second.job_id, second.snapshot_id)
    );
    assert_eq!(service.books.lock().unwrap().jobs.len(), 1);
}

#[tokio::test]
async fn a_person_who_has_looked_may_say_that_it_was_not_done() {
    let service = Service::start(books()).await;
    let lost = ("/snapshots/create", false, Act::ResetAfterReading);
    service.books.lock().unwrap().faults.push_back(lost);
    service.books.lock().unwrap().refuse_after = Some(("/snapshots/create", "GET /projects/p"));
    let folder = tempfile::tempdir().unwrap();
    let journal = super::service::begun(folder.path());
    let stopped = service
        .go_on(
            answers(1),
            Decision::Pass,
            &settings(),
            &journal,
            Default::default(),
        )
        .await;
    assert_eq!(stopped.outcome, Outcome::Stopped, "{stopped:#?}");
    service.books.lock().unwrap().refuse_after = None;
    let mut settings = settings();
    settings.assume_not_done = true;
    settings.doubt_timeout = std::time::Duration::from_secs(3600);
    let history = tunegate::cycle::journal::read(folder.path()).unwrap().unwrap();
    assert_eq!(history.doubts(), 1);
    let record = service
        .go_on(answers(1), Decision::Pass, &settings, &journal, history)
        .await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    assert_eq!(service.books.lock().unwrap().snapshots.len(), 1);
}
