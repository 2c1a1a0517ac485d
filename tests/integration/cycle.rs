//! The cycle against a service that keeps books and fails on demand: what is written, how often, and what
//! ends it.

mod asking;
mod races;
mod service;
mod stuck;

use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;
use tunegate::cycle::journal::{self, History};
use tunegate::cycle::{self, Outcome, TraceState};
use tunegate::gate::Decision;
use tunegate::results::Harvest;

use crate::stub::Act;
use service::{Books, Service, answers, begun, books, settings, verdict};

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
    assert_eq!(
        books.jobs[0]["name"],
        "Continuous Fine-tuning - 2026-01-02 [1a2b3c4d]"
    );
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
async fn a_write_whose_answer_is_lost_is_asked_for_and_sent_again_only_where_it_was_not_done() {
    for applied in [true, false] {
        for route in [
            "/traces",
            "/addToDataset",
            "/snapshots/create",
            "/finetuning/create",
            "/recommendations/generate",
        ] {
            let service = Service::start(books()).await;
            let fault = (route, applied, Act::ResetAfterReading);
            service.books.lock().unwrap().faults.push_back(fault);
            let record = service.run(answers(1), Decision::Pass).await;
            let case = format!("{route} applied {applied}");
            assert_eq!(record.outcome, Outcome::Launched, "{case}: {record:#?}");
            assert!(record.unknown.is_empty(), "{case}: {record:#?}");
            // Asking for recommendations has no effect that one could see before they are there.
            let sent = if applied || route.contains("recommendations") {
                1
            } else {
                2
            };
            let requests = service.stub.requests();
            let posts = requests
                .iter()
                .filter(|r| r.method == "POST" && r.path.ends_with(route));
            assert_eq!(posts.count(), sent, "{case}");
            let books = service.books.lock().unwrap();
            assert_eq!(
                (books.traces.len(), books.snapshots.len(), books.jobs.len()),
                (1, 1, 1),
                "{case}"
            );
        }
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
async fn a_refused_key_ends_the_cycle_and_what_was_in_flight_is_known_all_the_same() {
    let service = Service::start(books()).await;
    for _ in 0..3 {
        let refusal = Act::json(401, json!({ "error": "key expired" }));
        service
            .books
            .lock()
            .unwrap()
            .faults
            .push_back(("/addToDataset", false, refusal));
    }
    let record = service.run(answers(40), Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Stopped, "{record:#?}");
    assert!(record.reason.contains("PREMAI_API_KEY"), "{}", record.reason);
    let later = service
        .run_with(answers(40), Decision::Pass, &settings(), Some(record))
        .await;
    assert_eq!(later.outcome, Outcome::Launched, "{later:#?}");
    let books = service.books.lock().unwrap();
    // `add` above refuses to add a trace twice.
    assert_eq!((books.traces.len(), books.jobs.len()), (40, 1));
}

#[tokio::test]
async fn a_cancelled_cycle_waits_for_the_writes_in_flight_and_goes_on_later_without_writing_twice() {
    for route in ["/traces", "/addToDataset"] {
        let service = Service::start(books()).await;
        for _ in 0..4 {
            let slow = Act::json(500, json!({ "error": "slow" })).after(Duration::from_millis(1));
            service
                .books
                .lock()
                .unwrap()
                .faults
                .push_back((route, true, slow));
        }
        let cancel = CancellationToken::new();
        let (events, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let (studio, settings, verdict) = (
            service.studio(cancel.clone()),
            settings(),
            verdict(Decision::Pass),
        );
        let folder = tempfile::tempdir().unwrap();
        let journal = begun(folder.path());
        let cycle = cycle::run(
            answers(30),
            &verdict,
            &studio,
            &settings,
            &journal,
            History::default(),
            &events,
        );
        let cancelling = async {
            let mut advanced = 0;
            while let Some(event) = heard.recv().await {
                advanced += usize::from(matches!(event, cycle::Event::Advanced { .. }));
                if advanced == 5 {
                    cancel.cancel();
                    break;
                }
            }
        };
        let (record, ()) = tokio::join!(cycle, cancelling);
        assert_eq!(record.outcome, Outcome::Stopped, "{record:#?}");
        let known = record
            .written
            .iter()
            .filter(|t| t.trace_id.is_some() || t.state == TraceState::Unknown)
            .count();
        let traces = service.books.lock().unwrap().traces.len();
        assert!(
            known >= traces,
            "{route}: {traces} traces are written and {known} are known of"
        );
        assert!(record.reason.contains("left: "), "{}", record.reason);
        // From the journal, and from the results alone where the journal is not at hand.
        let later = if route == "/traces" {
            let history = journal::read(folder.path()).unwrap().unwrap();
            service
                .go_on(answers(30), Decision::Pass, &settings, &journal, history)
                .await
        } else {
            service
                .run_with(answers(30), Decision::Pass, &settings, Some(record.clone()))
                .await
        };
        assert_eq!(later.outcome, Outcome::Launched, "{route}: {later:#?}");
        let books = service.books.lock().unwrap();
        assert_eq!((books.traces.len(), books.jobs.len()), (30, 1), "{route}");
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
