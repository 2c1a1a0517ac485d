//! What goes on at the same time: other people's snapshots, equal traces, corrections of rows, late effects.

use serde_json::json;
use tunegate::cycle::Outcome;
use tunegate::gate::Decision;
use tunegate::results::WhenBusy;

use super::service::{Books, Service, answers, books, settings};
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
async fn equal_answers_to_one_question_are_one_trace() {
    let service = Service::start(books()).await;
    let mut answers = answers(4);
    for answer in &mut answers {
        answer.input = "the same question".into();
        answer.output = Some("the same answer".into());
    }
    let record = service.run(answers, Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    assert_eq!((record.traces.planned, record.traces.repeated), (1, 3));
    assert_eq!(service.books.lock().unwrap().traces.len(), 1);
}

#[tokio::test]
async fn a_snapshot_that_somebody_else_took_meanwhile_holds_unless_the_suite_says_otherwise() {
    for (when_busy, outcome) in [
        (WhenBusy::Hold, Outcome::Held),
        (WhenBusy::Ignore, Outcome::Launched),
    ] {
        let service = Service::start(Books {
            somebody_else: true,
            faults: [("/snapshots/create", false, Act::text(502, "bad gateway"))].into(),
            ..books()
        })
        .await;
        let mut settings = settings();
        settings.cycle.when_busy = when_busy;
        let record = service
            .run_with(answers(2), Decision::Pass, &settings, None)
            .await;
        assert_eq!(record.outcome, outcome, "{record:#?}");
        if outcome == Outcome::Launched {
            assert_eq!(record.snapshot_id.as_deref(), Some("snapshot-1"));
        } else {
            assert!(record.reason.contains("somebody-elses"), "{}", record.reason);
            assert_eq!(service.count("/snapshots/create", "POST"), 0);
        }
    }
}

#[tokio::test]
async fn a_job_under_way_is_waited_for_where_the_suite_says_so() {
    for (through, outcome) in [(true, Outcome::Launched), (false, Outcome::Held)] {
        let service = Service::start(books()).await;
        service
            .books
            .lock()
            .unwrap()
            .snapshots
            .push(json!({ "id": "old" }));
        let job =
            json!({ "id": "old", "snapshot_id": "old", "name": "last night's", "status": "processing" });
        service.books.lock().unwrap().jobs.push(job);
        let mut settings = settings();
        settings.cycle.when_busy = WhenBusy::Wait;
        settings.cycle.busy_timeout = std::time::Duration::from_millis(if through { 60_000 } else { 50 });
        let run = service.run_with(answers(1), Decision::Pass, &settings, None);
        let end = async {
            // The first looks see it; it is through while it is waited for.
            while through && service.count("/public/projects/p", "GET") < 5 {
                tokio::task::yield_now().await;
            }
            if through {
                service.books.lock().unwrap().jobs[0]["status"] = json!("completed");
            }
        };
        let (record, ()) = tokio::join!(run, end);
        assert_eq!(record.outcome, outcome, "{record:#?}");
        let jobs = service.books.lock().unwrap().jobs.len();
        assert_eq!(jobs, 1 + usize::from(through));
    }
}

#[tokio::test]
async fn a_repeat_that_is_refused_because_the_first_one_took_effect_is_no_failure() {
    let service = Service::start(Books {
        lag: 3,
        faults: [("/addToDataset", true, Act::text(502, "bad gateway"))].into(),
        ..books()
    })
    .await;
    let record = service.run(answers(1), Decision::Pass).await;
    assert_eq!(record.outcome, Outcome::Launched, "{record:#?}");
    assert_eq!((record.traces.failed, record.traces.rows), (0, 1));
    assert_eq!(service.count("/addToDataset", "POST"), 2);
}
