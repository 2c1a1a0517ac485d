//! What ends a run, and what does not.

use super::*;

#[tokio::test(start_paused = true)]
async fn failures_of_some_cases_end_nothing() {
    let kinds = [
        FailureKind::Connect,
        FailureKind::Timeout,
        FailureKind::Limited,
        FailureKind::Server,
    ];
    let ran = ran(&numbered(40), 4, |purpose, at| async move {
        match purpose {
            Purpose::Answer if at.is_multiple_of(3) => Err(failure(kinds[at % 4], None, "no")),
            Purpose::Judge if at % 3 == 1 => Err(failure(kinds[at % 4], None, "no")),
            _ => steady(purpose, at).await,
        }
    })
    .await;
    assert_eq!(ran.stopped, None);
    for (at, case) in ran.cases.iter().enumerate() {
        let sample = &case.samples[0];
        match at % 3 {
            0 => assert_eq!((sample.outcome, sample.votes.len()), (AnswerOutcome::Failed, 0)),
            1 => assert_eq!(sample.votes[0].outcome, VoteOutcome::Failed),
            _ => assert_eq!(sample.votes[0].score, Some(0.5)),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_stops_everything_at_once() {
    for status in [401, 403] {
        for purpose in [Purpose::Answer, Purpose::Judge] {
            let ran = ran(&numbered(100), 4, |asked, at| async move {
                if asked == purpose && at == 8 {
                    return Err(failure(FailureKind::Unauthorized, Some(status), "no"));
                }
                steady(asked, at).await
            })
            .await;
            let stopped = ran.stopped.clone().unwrap();
            assert_eq!(stopped.kind, StopKind::Unauthorized);
            assert!(stopped.message.contains("PREMAI_API_KEY"), "{}", stopped.message);
            assert!(ran.answers() <= 12 && ran.calls.len() <= 24, "{:?}", ran.calls);
            assert_eq!(ran.cases.len(), 100);
            assert_eq!(ran.scores()[..4], [Some(0.5); 4]);
            assert!(
                ran.outcomes()[12..]
                    .iter()
                    .all(|outcome| *outcome == AnswerOutcome::NotAsked)
            );
            let last = &ran.cases[8].samples[0];
            let votes: Vec<VoteOutcome> = last.votes.iter().map(|vote| vote.outcome).collect();
            match purpose {
                Purpose::Answer => assert_eq!((last.outcome, votes), (AnswerOutcome::NotAsked, vec![])),
                Purpose::Judge => assert_eq!(votes, [VoteOutcome::NotAsked]),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_interruption_stops_everything_at_once() {
    let cancel = CancellationToken::new();
    let suite = numbered(100);
    let (ran, ()) = tokio::join!(ran_with(&suite, 4, &cancel, fake(steady)), async {
        sleep(Duration::from_millis(1_300)).await;
        cancel.cancel();
    });
    assert_eq!(ran.stop_kind(), Some(StopKind::Interrupted));
    assert_eq!(ran.took, Duration::from_millis(1_300));
    assert_eq!(ran.scores().iter().flatten().count(), 8);
    assert_eq!(ran.cases[99].samples[0].outcome, AnswerOutcome::NotAsked);
    // A call that the client itself calls cancelled means the same.
    let ran = super::ran(&suite, 1, |_, _| async move {
        Err(failure(FailureKind::Cancelled, None, ""))
    })
    .await;
    assert_eq!(
        (ran.stop_kind(), ran.calls.len()),
        (Some(StopKind::Interrupted), 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_costs_one_case() {
    let ran = ran(&numbered(9), 3, |purpose, at| async move {
        match (purpose, at) {
            (Purpose::Answer, 2) => panic!("answer\n::error::"),
            (Purpose::Judge, 5) => panic!("judge c{at}"),
            _ => {}
        }
        steady(purpose, at).await
    })
    .await;
    assert_eq!(ran.stopped, None);
    assert_eq!(ran.scores().iter().flatten().count(), 7);
    let lost = &ran.cases[2].samples[0];
    assert_eq!((lost.outcome, lost.index), (AnswerOutcome::Failed, 0));
    assert_eq!(
        lost.detail.as_deref(),
        Some("a bug in tunegate, please report it: answer ::error::")
    );
    let vote = &ran.cases[5].samples[0].votes[0];
    assert_eq!(vote.outcome, VoteOutcome::Failed);
    assert!(vote.detail.as_deref().unwrap().ends_with("judge c5"));
}

#[tokio::test(start_paused = true)]
async fn a_missing_model_stops_the_run_after_the_first_calls() {
    for purpose in [Purpose::Answer, Purpose::Judge] {
        let suite = numbered(1_000);
        let mut service = fake(|asked, at| async move {
            if asked == purpose {
                sleep(Duration::from_millis(50)).await;
                return Err(failure(FailureKind::Rejected, Some(404), "model not found"));
            }
            steady(asked, at).await
        });
        service.models = Ok(vec!["another".to_owned()]);
        let ran = ran_with(&suite, 4, &CancellationToken::new(), service).await;
        let stopped = ran.stopped.clone().unwrap();
        assert_eq!((stopped.kind, ran.lists), (StopKind::Unavailable, 1));
        let name = if purpose == Purpose::Answer {
            "model `the-model`"
        } else {
            "judge model `the-judge`"
        };
        assert!(stopped.message.starts_with(name), "{}", stopped.message);
        assert!(stopped.message.contains("another"), "{}", stopped.message);
        assert!(ran.calls.len() <= 9, "{:?}", ran.calls);
        assert_eq!(ran.outcomes()[999], AnswerOutcome::NotAsked);
    }
}

async fn rejected() -> Answer {
    Err(failure(
        FailureKind::Rejected,
        Some(400),
        "model alias not found in prompt",
    ))
}

#[tokio::test(start_paused = true)]
async fn a_rejection_that_no_list_confirms_ends_nothing() {
    let service = fake(|_, _| rejected());
    let ran = ran_with(&numbered(20), 4, &CancellationToken::new(), service).await;
    assert_eq!((ran.stopped.clone(), ran.lists, ran.calls.len()), (None, 1, 20));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_case_is_no_missing_model_where_another_answer_came() {
    let mut service = fake(|purpose, at| async move {
        match at {
            0 => rejected().await,
            _ => steady(purpose, at).await,
        }
    });
    // An alias works and is in no list.
    service.models = Ok(Vec::new());
    let ran = ran_with(&numbered(20), 4, &CancellationToken::new(), service).await;
    assert_eq!((ran.stopped.clone(), ran.lists), (None, 1));
    assert_eq!(ran.scores().iter().flatten().count(), 19);
}
