//! A limit costs what is judged beside before it costs a case.

use super::super::limits::calls;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_budget_costs_exhibits_before_it_costs_cases() {
    for votes in [1, 2] {
        let mut suite = with_anchors(6, 4);
        suite.judge.votes = votes;
        let results = earlier_of(&suite).await;
        let votes = u64::from(votes);
        let of_cases = 1 + 6 * (1 + votes);
        for concurrency in [1, 3, 20] {
            for budget in 0..=of_cases + 10 * votes + 1 {
                let cancel = CancellationToken::new();
                let way = Way {
                    limits: calls(budget),
                    rejudge: Some(&results),
                    ..Way::new(concurrency, &cancel)
                };
                let ran = ran_in(&suite, way, fake(telling)).await;
                let told = format!("{votes} votes, {concurrency} at once, {budget}: {}", ran.sent);
                assert!(ran.sent <= budget, "{told}");
                let beside = budget.saturating_sub(of_cases).min(10 * votes);
                assert_eq!(ran.beside_scored() as u64, beside, "{told}");
                assert_eq!(ran.evaluation.unjudged_beside(), 10 * votes - beside, "{told}");
                if budget < of_cases {
                    assert_eq!(ran.stop_kind(), Some(StopKind::Budget), "{told}");
                } else {
                    // The suite's own evaluation is whole.
                    assert_eq!((&ran.stopped, ran.scored()), (&None, 6), "{told}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_exhibit_that_is_asked_for_twice_takes_no_call_from_an_answer() {
    // What the judge says of anchors can't be read, and comes at once: while the last answers are under way.
    let chat = |purpose: Purpose, at: usize| async move {
        match purpose {
            Purpose::Judge if at >= FIRST => Ok(reply("well, well")),
            Purpose::Answer => {
                sleep(Duration::from_millis(100 * (at as u64 + 1))).await;
                Ok(reply("42"))
            }
            Purpose::Judge => steady(purpose, at).await,
        }
    };
    let suite = with_anchors(4, 5);
    for concurrency in [2, 5, 20] {
        for budget in 9..=20 {
            for per_answer in [0, 3] {
                let cancel = CancellationToken::new();
                let way = Way {
                    limits: Limits {
                        calls_per_answer: per_answer,
                        ..calls(budget + 4 * per_answer)
                    },
                    ..Way::new(concurrency, &cancel)
                };
                let ran = ran_in(&suite, way, fake(chat)).await;
                let told = format!("{concurrency} at once, {budget}, {per_answer}");
                assert_eq!((&ran.stopped, ran.scored()), (&None, 4), "{told}");
                assert!(ran.sent <= budget, "{told}: {}", ran.sent);
                let unreadable = |vote: &&Vote| vote.outcome == VoteOutcome::Unparseable;
                let twice = ran.beside().iter().filter(unreadable).count();
                assert!(twice <= (budget as usize - 9) / 2, "{told}: {twice}");
                if budget >= 19 {
                    assert_eq!(twice, 5, "{told}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_and_time_cost_exhibits_before_they_cost_cases_too() {
    let suite = with_anchors(4, 4);
    // Every call takes 18.
    for (budget, scored, beside) in [(72, 2, 0), (144, 4, 0), (180, 4, 2), (216, 4, 4), (215, 4, 3)] {
        let limits = Limits {
            tokens: Some(budget),
            ..Limits::default()
        };
        let cancel = CancellationToken::new();
        let way = Way {
            limits,
            ..Way::new(3, &cancel)
        };
        let ran = ran_in(&suite, way, fake(telling)).await;
        assert_eq!((ran.scored(), ran.beside_scored()), (scored, beside), "{budget}");
        assert_eq!(ran.evaluation.tokens, 18 * ran.calls.len() as u64);
        assert_eq!(ran.stopped.is_none(), scored == 4, "{budget}");
    }
    // One at a time: the cases take 2.4 s.
    let cancel = CancellationToken::new();
    let slow = |purpose: Purpose, at: usize| async move {
        if at == 1_002 {
            std::future::pending::<()>().await;
        }
        telling(purpose, at).await
    };
    let way = Way {
        limits: Limits {
            until: Some(Instant::now() + Duration::from_millis(3_500)),
            ..Limits::default()
        },
        ..Way::new(1, &cancel)
    };
    let ran = ran_in(&suite, way, fake(slow)).await;
    assert_eq!((&ran.stopped, ran.scored(), ran.beside_scored()), (&None, 4, 2));
    assert_eq!(ran.took, Duration::from_millis(3_500) + GRACE);
}
