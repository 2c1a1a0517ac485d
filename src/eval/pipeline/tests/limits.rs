//! A limit ends a run in order, and is not exceeded.

use super::*;

async fn limited(suite: &Suite, concurrency: usize, limits: Limits) -> Ran {
    let cancel = CancellationToken::new();
    let way = Way {
        limits,
        ..Way::new(concurrency, &cancel)
    };
    ran_in(suite, way, fake(steady)).await
}

pub(super) fn calls(calls: u64) -> Limits {
    Limits {
        calls: Some(calls),
        ..Limits::default()
    }
}

fn tokens(tokens: u64) -> Limits {
    Limits {
        tokens: Some(tokens),
        ..Limits::default()
    }
}

fn until(seconds: f64) -> Limits {
    Limits {
        until: Some(Instant::now() + Duration::from_secs_f64(seconds)),
        ..Limits::default()
    }
}

impl Ran {
    pub(super) fn scored(&self) -> usize {
        self.scores().iter().flatten().count()
    }

    fn message(&self) -> &str {
        self.stopped
            .as_ref()
            .map_or("", |stopped| stopped.message.as_str())
    }
}

#[tokio::test(start_paused = true)]
async fn calls_are_never_exceeded_and_none_is_wasted_on_an_answer_without_its_judgements() {
    for votes in [1, 2, 3] {
        for concurrency in [1, 3, 8] {
            for budget in [0, 1, 2, 3, 7, 20, 59, 60, 61, 79, 80, 81, 200] {
                let mut suite = numbered(20);
                suite.judge.votes = votes;
                let ran = limited(&suite, concurrency, calls(budget)).await;
                let whole = 1 + 20 * (1 + u64::from(votes));
                let told = format!("{votes} votes, {concurrency} at once, {budget}: {}", ran.sent);
                assert!(ran.sent <= budget, "{told}");
                if budget >= whole {
                    assert_eq!((ran.stopped.as_ref(), ran.sent), (None, whole), "{told}");
                    continue;
                }
                assert_eq!(ran.stop_kind(), Some(StopKind::Budget), "{told}");
                // One look at the model; of the rest as much as makes whole answers.
                let of_answers = budget.saturating_sub(1) / (1 + u64::from(votes));
                assert_eq!(ran.scored() as u64, of_answers, "{told}");
                assert_eq!(ran.answers() as u64, of_answers, "{told}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_cycle_needs_of_the_calls_is_left_over() {
    for concurrency in [1, 3, 8] {
        for budget in [10, 40, 42, 45, 60, 79, 110, 119, 120, 121] {
            let limits = Limits {
                calls_per_answer: 2,
                calls_reserved: 39,
                ..calls(budget)
            };
            let ran = limited(&numbered(20), concurrency, limits).await;
            let after = ran.sent + 39 + 2 * ran.scored() as u64;
            assert!(after <= budget.max(39), "{budget}: {after}");
            // A look, and four calls an answer: an answer, a judgement, a trace, an addition.
            let scored = (budget.saturating_sub(40) / 4).min(20);
            assert_eq!(ran.scored() as u64, scored, "{budget}");
            assert_eq!(ran.stopped.is_none(), budget >= 120, "{budget}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_by_a_budget_says_what_was_used_and_what_is_left() {
    let mut suite = numbered(20);
    suite.cases[3].checks = vec![Check::Contains("no such text".to_owned())].into();
    let limits = Limits {
        calls_per_answer: 2,
        calls_reserved: 10,
        ..calls(31)
    };
    let ran = limited(&suite, 1, limits).await;
    // A look, two calls for each of three answers, one for the one that failed its check; two a trace.
    assert_eq!((ran.sent, ran.answers()), (10, 5));
    assert_eq!(
        ran.message(),
        "the budget of 31 calls holds no more (10 sent, 20 left for the cycle), so the evaluation is incomplete: 15 of 20 answers and \
         15 judgements were not asked; the same command goes on from here"
    );
    let ran = limited(&suite, 1, calls(2)).await;
    assert_eq!(
        ran.message(),
        "the budget of 2 calls holds no more (1 sent), so the evaluation is incomplete: 20 of 20 answers and 20 judgements were not asked; \
         give it more to go on"
    );
    let ran = limited(&suite, 1, tokens(100)).await;
    assert!(
        ran.message().starts_with(
            "the budget of 100 tokens holds no more (72 used), so the evaluation is incomplete: 18 of 20 answers"
        ),
        "{}",
        ran.message()
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_failed_its_check_leaves_its_judgements_to_others() {
    let mut suite = numbered(20);
    for case in &mut suite.cases[..10] {
        case.checks = vec![Check::Contains("no such text".to_owned())].into();
    }
    let ran = limited(&suite, 4, calls(1 + 10 + 10 * 2)).await;
    assert_eq!((ran.stopped.as_ref(), ran.sent), (None, 31));
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_its_checks_has_its_judgement_still_to_come() {
    for budget in [9, 10, 15, 20, 31] {
        let mut suite = numbered(20);
        for (at, case) in suite.cases.iter_mut().enumerate() {
            let text = if at % 4 == 0 { "no such text" } else { "42" };
            case.checks = vec![Check::Contains(text.to_owned())].into();
        }
        for concurrency in [4, 8] {
            let ran = limited(&suite, concurrency, calls(budget)).await;
            let judged = ran.calls.len() - ran.answers();
            let open = ran.cases.iter().flat_map(|case| &case.samples);
            let open = open.flat_map(|sample| &sample.votes);
            let open = open.filter(|vote| vote.outcome == VoteOutcome::NotAsked).count();
            assert_eq!(
                (open, judged),
                (0, ran.scored()),
                "{budget} with {concurrency} at once"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_of_even_calls_are_never_exceeded() {
    for concurrency in [1, 3, 8] {
        for budget in [0, 17, 18, 36, 100, 359, 719, 720, 721] {
            // Every call takes 18.
            let ran = limited(&numbered(20), concurrency, tokens(budget)).await;
            let told = format!("{concurrency} at once, {budget}: {}", ran.evaluation.tokens);
            assert_eq!(ran.evaluation.tokens, 18 * ran.calls.len() as u64, "{told}");
            match budget {
                720.. => assert_eq!((ran.stopped.as_ref(), ran.scored()), (None, 20), "{told}"),
                36.. => {
                    assert!(ran.evaluation.tokens <= budget, "{told}");
                    assert_eq!(ran.scored() as u64, budget / 36, "{told}");
                    assert_eq!(ran.stop_kind(), Some(StopKind::Budget), "{told}");
                }
                // What a call takes is not known before the first one.
                1.. => assert_eq!(ran.calls.len(), 1, "{told}"),
                0 => assert_eq!(ran.calls.len(), 0, "{told}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn uneven_tokens_exceed_a_budget_by_little() {
    let heavy = |purpose: Purpose, at: usize| async move {
        let mut came = steady(purpose, at).await?;
        came.value.prompt_tokens = Some(100 + 37 * (at as u64 % 11));
        came.value.completion_tokens = Some(if purpose == Purpose::Judge { 900 } else { 50 });
        Ok(came)
    };
    let cancel = CancellationToken::new();
    let way = Way {
        limits: tokens(50_000),
        ..Way::new(8, &cancel)
    };
    let ran = ran_in(&numbered(100), way, fake(heavy)).await;
    let used = ran.evaluation.tokens;
    assert!((47_000..=51_000).contains(&used), "{used}");
    assert_eq!(ran.answers(), ran.scored());
}

#[tokio::test(start_paused = true)]
async fn a_service_where_every_call_fails_is_asked_as_fast_with_a_budget_of_tokens() {
    let cancel = CancellationToken::new();
    let way = Way {
        limits: tokens(1_000),
        ..Way::new(8, &cancel)
    };
    let failing = |_, _| async {
        sleep(Duration::from_secs(1)).await;
        Err(failure(FailureKind::Server, Some(500), "no"))
    };
    let ran = ran_in(&numbered(81), way, fake(failing)).await;
    assert_eq!((ran.stopped, ran.took), (None, Duration::from_secs(11)));
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_nothing_is_begun_and_what_is_in_flight_arrives() {
    // Answers take 200 ms, judgements 400: at 1.2 s two rounds are over, and the third's answers come at 1.4 s.
    let ran = limited(&numbered(20), 4, until(1.3)).await;
    assert_eq!(ran.stop_kind(), Some(StopKind::Deadline));
    assert_eq!((ran.took, ran.scored()), (Duration::from_millis(1_400), 8));
    assert_eq!(
        ran.message(),
        "the deadline for asking is reached, after 1 s, so the evaluation is incomplete: 8 of 20 answers and 12 judgements were not asked; \
         the same command goes on from here"
    );
    // Enough time is no limit.
    let ran = limited(&numbered(20), 4, until(3.0)).await;
    assert_eq!((ran.stopped.as_ref(), ran.scored()), (None, 20));
    // Nor is a deadline that is over when everything is known.
    let all = ran;
    let cancel = CancellationToken::new();
    let known = all
        .cases
        .iter()
        .map(|case| ((case.id.clone(), 0), case.samples[0].clone()));
    let way = Way {
        limits: until(0.0),
        known: Known {
            samples: known.collect(),
            ..Known::default()
        },
        ..Way::new(4, &cancel)
    };
    let again = ran_in(&numbered(20), way, fake(steady)).await;
    assert_eq!((again.stopped, again.sent, again.cases), (None, 0, all.cases));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_for_ever_is_not_waited_for_beyond_the_grace() {
    let cancel = CancellationToken::new();
    let way = Way {
        limits: until(1.0),
        ..Way::new(2, &cancel)
    };
    let slow = |purpose: Purpose, at: usize| async move {
        if at == 1 {
            std::future::pending::<()>().await;
        }
        steady(purpose, at).await
    };
    let ran = ran_in(&numbered(20), way, fake(slow)).await;
    assert_eq!(ran.stop_kind(), Some(StopKind::Deadline));
    assert_eq!(ran.took, Duration::from_secs(1) + GRACE);
    assert_eq!(ran.scored(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_cancels_at_the_deadline_has_not_interrupted_it() {
    for (after, kind) in [(900, StopKind::Interrupted), (1_000, StopKind::Deadline)] {
        let (suite, cancel) = (numbered(20), CancellationToken::new());
        let way = Way {
            limits: until(1.0),
            ..Way::new(2, &cancel)
        };
        let (ran, ()) = tokio::join!(ran_in(&suite, way, fake(slow_judge)), async {
            sleep(Duration::from_millis(after)).await;
            cancel.cancel();
        });
        assert_eq!(
            (ran.stop_kind(), ran.took),
            (Some(kind), Duration::from_millis(after))
        );
    }
}

async fn slow_judge(purpose: Purpose, at: usize) -> Answer {
    if purpose == Purpose::Judge {
        sleep(Duration::from_secs(60)).await;
    }
    steady(purpose, at).await
}

#[tokio::test(start_paused = true)]
async fn a_model_that_does_not_load_is_waited_for_until_the_limit() {
    for (limits, kind) in [(until(12.0), StopKind::Deadline), (calls(5), StopKind::Budget)] {
        let cancel = CancellationToken::new();
        let way = Way {
            limits,
            ..Way::new(2, &cancel)
        };
        let service = fake(steady);
        *service.running.lock().unwrap() = [Ok(false)].into();
        let ran = ran_in(&numbered(20), way, service).await;
        assert_eq!((ran.stop_kind(), ran.calls.len()), (Some(kind), 0));
        assert!(
            ran.sent <= 5 && ran.took <= Duration::from_secs(15),
            "{} {:?}",
            ran.sent,
            ran.took
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_judge_that_would_have_to_be_asked_again_is_not_where_the_limit_forbids_it() {
    let unreadable = |purpose: Purpose, at: usize| async move {
        match purpose {
            Purpose::Answer => steady(purpose, at).await,
            Purpose::Judge => Ok(reply("well, well")),
        }
    };
    let cancel = CancellationToken::new();
    let way = Way {
        limits: calls(3),
        ..Way::new(1, &cancel)
    };
    let ran = ran_in(&numbered(1), way, fake(unreadable)).await;
    assert_eq!((ran.stop_kind(), ran.sent), (Some(StopKind::Budget), 3));
    let vote = &ran.cases[0].samples[0].votes[0];
    // It is neither unreadable nor kept: the next attempt asks for it.
    assert_eq!((vote.outcome, vote.calls.len()), (VoteOutcome::NotAsked, 1));
    assert_eq!(ran.kept.len(), 1);
    assert!(
        ran.message().contains(": 1 judgement was not asked; "),
        "{}",
        ran.message()
    );
    let way = Way {
        limits: calls(4),
        ..Way::new(1, &cancel)
    };
    let ran = ran_in(&numbered(1), way, fake(unreadable)).await;
    assert_eq!((ran.stopped.as_ref(), ran.sent), (None, 4));
    assert_eq!(ran.cases[0].samples[0].votes[0].outcome, VoteOutcome::Unparseable);
}

#[tokio::test(start_paused = true)]
async fn lists_are_not_read_beyond_the_budget() {
    let cancel = CancellationToken::new();
    let way = Way {
        limits: calls(3),
        ..Way::new(1, &cancel)
    };
    let rejected = |_, _| async { Err(failure(FailureKind::Rejected, Some(404), "model not found")) };
    let ran = ran_in(&numbered(9), way, fake(rejected)).await;
    assert!(ran.sent <= 3, "{}", ran.sent);
}
