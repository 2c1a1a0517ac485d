//! Writing traces: each form is found once, remembered, and never guessed after an unknown effect.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tunegate::http::{Effect, FailureKind};
use tunegate::studio::{NewTrace, TraceForm};

use super::*;
use crate::stub::Request;

fn trace(input: &str) -> NewTrace {
    NewTrace {
        input: input.to_owned(),
        output: format!("answer to {input}"),
        score: 0.5,
        feedback: "could be better".to_owned(),
    }
}

fn traces(count: usize) -> Vec<NewTrace> {
    (0..count).map(|i| trace(&format!("q{i}"))).collect()
}

/// A service that speaks one form, makes `id of <input>` of each trace, and refuses inputs with `bad`.
fn speaking(form: TraceForm) -> impl Fn(&Request) -> Act + Send + Sync + 'static {
    move |request| {
        let body = request.json();
        let many = body.as_array().cloned();
        let spoken = match form {
            TraceForm::Walkthrough => body.get("project_id").is_some(),
            TraceForm::Object => body.get("projectId").is_some(),
            TraceForm::Array | TraceForm::Results => many.is_some(),
        };
        if !spoken || body.to_string().contains("bad") {
            return Act::json(400, json!({"error": "validation failed"}));
        }
        let id = |trace: &Value| format!("id of {}", trace["input"].as_str().expect("an input"));
        match (form, many) {
            (TraceForm::Array, Some(all)) => Act::json(
                201,
                all.iter().map(|t| json!({"id": id(t), "modelId": "m"})).collect(),
            ),
            (TraceForm::Results, Some(all)) => {
                let results: Value = all
                    .iter()
                    .map(|t| json!({"traceId": id(t), "success": true}))
                    .collect();
                Act::ok(json!({"results": results}))
            }
            _ => Act::ok(json!({"id": id(&body)})),
        }
    }
}

fn ids(count: usize) -> Vec<Result<String, Failure>> {
    (0..count).map(|i| Ok(format!("id of q{i}"))).collect()
}

#[tokio::test]
async fn each_form_is_found_and_kept() {
    for (form, probes, writes) in [
        (TraceForm::Walkthrough, 1, 120),
        (TraceForm::Object, 2, 121),
        // One trace finds the form; 119 more fit into three writes.
        (TraceForm::Array, 3, 6),
        (TraceForm::Results, 3, 6),
    ] {
        let stub = Stub::serve(speaking(form)).await;
        let studio = studio(&stub);
        assert_eq!(studio.trace_form(), None);
        assert_eq!(
            studio.create_traces("p", "m", &traces(120)).await,
            ids(120),
            "{form:?}"
        );
        assert_eq!(studio.trace_form(), Some(form));
        assert_eq!(stub.requests().len(), writes, "{form:?}");
        // A clone knows it too.
        assert_eq!(studio.clone().create_traces("p", "m", &traces(1)).await, ids(1));
        assert_eq!(stub.requests().len(), writes + 1);
        let first_bodies: Vec<Value> = stub.requests().iter().take(probes).map(Request::json).collect();
        assert_eq!(first_bodies[0]["model_id"], "m");
        for later in &first_bodies[1..] {
            let one = later.get(0).unwrap_or(later);
            assert_eq!((&one["modelId"], &one["input"]), (&json!("m"), &json!("q0")));
        }
    }
}

#[tokio::test]
async fn many_callers_look_for_the_form_one_at_a_time() {
    let stub = Stub::serve(speaking(TraceForm::Results)).await;
    let studio = studio(&stub);
    let all = traces(10);
    let calls = all
        .iter()
        .map(|one| studio.create_traces("p", "m", std::slice::from_ref(one)));
    let outcomes: Vec<_> = futures_util::future::join_all(calls).await.concat();
    assert_eq!(outcomes, ids(10));
    // Three to find the form, nine for the others.
    assert_eq!(stub.requests().len(), 12);
}

#[tokio::test]
async fn another_form_is_never_tried_after_an_unknown_effect() {
    for act in [
        Act::text(500, ""),
        Act::ResetAfterReading,
        Act::Cut(Answer::new(200, r#"{"id": "x"}"#), 3),
        Act::ok(json!({"ok": true})),
        Act::text(404, ""),
    ] {
        let stub = Stub::script([act.clone(), Act::ok(json!({"id": "second"}))]).await;
        let studio = studio(&stub);
        let outcomes = studio.create_traces("p", "m", &traces(1)).await;
        assert!(matches!(outcomes.as_slice(), [Err(_)]), "{act:?}: {outcomes:?}");
        assert_eq!((stub.requests().len(), studio.trace_form()), (1, None), "{act:?}");
        // The next trace looks again.
        assert_eq!(
            studio.create_traces("p", "m", &traces(1)).await,
            [Ok("second".to_owned())]
        );
        assert_eq!(studio.trace_form(), Some(TraceForm::Walkthrough));
    }
}

#[tokio::test]
async fn a_refused_trace_is_its_own_failure_once_the_form_is_known() {
    let stub = Stub::serve(speaking(TraceForm::Walkthrough)).await;
    let studio = studio(&stub);
    let outcomes = studio
        .create_traces("p", "m", &[trace("q0"), trace("bad"), trace("q1")])
        .await;
    let [Ok(_), Err(failure), Ok(_)] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert_eq!(
        (failure.kind, failure.status, failure.attempts),
        (FailureKind::Rejected, Some(400), 1)
    );
    assert_eq!(stub.requests().len(), 3);
}

#[tokio::test]
async fn a_bad_first_trace_does_not_hide_the_form() {
    let stub = Stub::serve(speaking(TraceForm::Object)).await;
    let studio = studio(&stub);
    let outcomes = studio.create_traces("p", "m", &[trace("bad"), trace("q0")]).await;
    let [Err(failure), Ok(_)] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert_eq!((failure.kind, failure.attempts), (FailureKind::Rejected, 3));
    assert!(
        failure.message.contains("validation failed") && failure.message.contains("every form"),
        "{failure}"
    );
    assert_eq!(studio.trace_form(), Some(TraceForm::Object));
}

#[tokio::test]
async fn a_service_that_takes_nothing_is_not_asked_for_ever() {
    let stub = Stub::serve(|_| Act::json(422, json!({"error": "never"}))).await;
    let outcomes = studio(&stub).create_traces("p", "m", &traces(500)).await;
    assert_eq!(outcomes.len(), 500);
    for outcome in outcomes {
        assert_eq!(outcome.expect_err("refused").effect(), Effect::NotDone);
    }
    assert_eq!(stub.requests().len(), 30);
}

#[tokio::test]
async fn one_bad_trace_does_not_take_its_write_with_it() {
    for form in [TraceForm::Array, TraceForm::Results] {
        let stub = Stub::serve(speaking(form)).await;
        let mut all = traces(51);
        all[17] = trace("bad");
        let outcomes = studio(&stub).create_traces("p", "m", &all).await;
        for (i, outcome) in outcomes.iter().enumerate() {
            match outcome {
                Ok(id) => assert_eq!(*id, format!("id of q{i}")),
                Err(failure) => assert_eq!((i, failure.kind), (17, FailureKind::Rejected)),
            }
        }
        assert!(outcomes[17].is_err());
        // Three to find the form, then 50 halved down to one: no write was answered with ids twice.
        assert!(stub.requests().len() <= 3 + 13, "{}", stub.requests().len());
    }
}

#[tokio::test]
async fn entries_speak_for_their_own_trace() {
    let stub = Stub::serve(|request| {
        let sent = request.json().as_array().map_or(0, Vec::len);
        match sent {
            0 => Act::text(400, ""),
            1 => Act::ok(json!({"results": [{"traceId": "first", "success": true}]})),
            _ => Act::ok(json!({"results": [
                {"traceId": "second", "success": true},
                {"traceId": null, "success": false, "error": "too long"},
                {"success": true},
            ]})),
        }
    })
    .await;
    let studio = studio(&stub);
    let outcomes = studio.create_traces("p", "m", &traces(4)).await;
    let [Ok(first), Ok(second), Err(refused), Err(missing)] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert_eq!((first.as_str(), second.as_str()), ("first", "second"));
    assert_eq!(
        (refused.kind, refused.effect()),
        (FailureKind::Rejected, Effect::NotDone)
    );
    assert!(refused.message.contains("too long"), "{refused}");
    assert_eq!(
        (missing.kind, missing.effect()),
        (FailureKind::Unreadable, Effect::Unknown)
    );
    // Three entries for two traces: nothing can be told of either.
    for outcome in studio.create_traces("p", "m", &traces(2)).await {
        assert_eq!(outcome.expect_err("no telling").effect(), Effect::Unknown);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_makes_its_whole_write_unknown_and_nothing_else() {
    let writes = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&writes);
    let speak = speaking(TraceForm::Results);
    let stub = Stub::serve(move |request| {
        let many = request.json().as_array().is_some_and(|all| all.len() > 1);
        if many && seen.fetch_add(1, Ordering::SeqCst) == 0 {
            Act::Silence
        } else {
            speak(request)
        }
    })
    .await;
    let outcomes = studio(&stub).create_traces("p", "m", &traces(101)).await;
    let unknown: Vec<bool> = outcomes
        .iter()
        .map(|o| o.as_ref().is_err_and(|f| f.effect() == Effect::Unknown))
        .collect();
    assert_eq!(
        unknown,
        [vec![false; 1], vec![true; 50], vec![false; 50]].concat()
    );
    assert_eq!(writes.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_refused_key_and_a_cancelled_run_end_it() {
    let stub = Stub::script([Act::ok(json!({"id": "a"})), Act::text(401, "")]).await;
    let outcomes = studio(&stub).create_traces("p", "m", &traces(5)).await;
    assert_eq!(outcomes[0], Ok("a".to_owned()));
    for (i, outcome) in outcomes.iter().enumerate().skip(1) {
        let failure = outcome.as_ref().expect_err("refused");
        assert_eq!(
            (failure.kind, failure.attempts),
            (FailureKind::Unauthorized, u32::from(i == 1))
        );
    }
    assert_eq!(stub.requests().len(), 2);

    let stub = Stub::script([]).await;
    let studio = studio(&stub);
    studio.http().cancel().cancel();
    for outcome in studio.create_traces("p", "m", &traces(3)).await {
        let failure = outcome.expect_err("cancelled");
        assert_eq!(
            (failure.kind, failure.effect()),
            (FailureKind::Cancelled, Effect::NotDone)
        );
    }
    assert_eq!(stub.connections(), 0);
}

#[tokio::test]
async fn traces_beyond_the_limits_are_not_sent() {
    let stub = Stub::serve(speaking(TraceForm::Walkthrough)).await;
    let all = [
        NewTrace {
            score: 1.5,
            ..trace("a")
        },
        NewTrace {
            feedback: "x".repeat(2_049),
            ..trace("b")
        },
        NewTrace {
            output: String::new(),
            ..trace("c")
        },
        trace("q0"),
    ];
    let outcomes = studio(&stub).create_traces("p", "m", &all).await;
    for outcome in &outcomes[..3] {
        let failure = outcome.as_ref().expect_err("beyond the limits");
        assert_eq!((failure.kind, failure.attempts), (FailureKind::Rejected, 0));
    }
    assert_eq!(outcomes[3], Ok("id of q0".to_owned()));
    assert_eq!(stub.requests().len(), 1);
}
