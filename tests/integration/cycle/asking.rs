//! After a server error the service is asked: what counts as ours, and what when nobody can tell.

use serde_json::json;
use tunegate::cycle::Outcome;
use tunegate::gate::Decision;

use super::service::{Service, answers, books, settings};
use crate::stub::Act;

#[tokio::test]
async fn what_stood_there_before_is_not_taken_for_ours() {
    for route in ["/traces", "/snapshots/create", "/finetuning/create"] {
        let service = Service::start(books()).await;
        {
            let mut books = service.books.lock().unwrap();
            // Last night's: the same question, the same answer, the same name.
            books
                .traces
                .push(json!({ "id": "old", "input": "question 0", "output": "answer 0",
                "score": 0.2, "addedToDataset": true, "processingStatus": "none", "looks": 0 }));
            books.snapshots.push(json!({ "id": "old" }));
            books
                .jobs
                .push(json!({ "id": "old", "name": settings().job_name }));
            let fault = (route, false, Act::text(502, "bad gateway"));
            books.faults.push_back(fault);
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

#[tokio::test]
async fn a_write_that_nobody_can_tell_of_after_a_server_error_is_not_sent_again() {
    for (write, look) in [
        ("/addToDataset", "GET /traces/trace-0"),
        ("/traces", "GET /traces"),
    ] {
        let service = Service::start(books()).await;
        {
            let mut books = service.books.lock().unwrap();
            books
                .faults
                .push_back((write, true, Act::text(502, "bad gateway")));
            let refusal = Act::json(400, json!({ "error": "not now" }));
            books.faults.push_back((look, false, refusal));
        }
        let record = service.run(answers(1), Decision::Pass).await;
        assert_eq!(record.outcome, Outcome::Stopped, "{write}: {record:#?}");
        assert_eq!(record.unknown.len(), 1, "{write}: {record:#?}");
        assert_eq!(service.count(write, "POST"), 1, "{write} is sent once");
    }
}
