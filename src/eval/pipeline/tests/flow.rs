//! What is asked, in which order, and how long it takes.

use super::*;

/// A time that looks random and is the same in every run.
fn scattered(at: usize, mean: u64) -> Duration {
    let spread = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    Duration::from_millis(mean / 2 + spread % mean)
}

#[tokio::test(start_paused = true)]
async fn two_hundred_cases_take_hardly_more_than_the_bound() {
    let (n, c) = (200, 20);
    let bound = Duration::from_millis(n * (200 + 400) / c);
    let ran = ran(&numbered(200), 20, steady).await;
    assert_eq!(ran.scores(), vec![Some(0.5); 200]);
    assert_eq!((ran.calls.len(), ran.most_in_flight), (400, 20));
    assert!(ran.took <= bound.mul_f64(1.01), "{:?} of {bound:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn the_last_round_need_not_be_full() {
    // 1,000 cases are 15.6 rounds of 64, and 200 are 3.1.
    for (n, most) in [(1_000, 1.01), (200, 1.2)] {
        let bound = Duration::from_millis(n * (200 + 400) / 64);
        let ran = ran(
            &numbered(usize::try_from(n).unwrap()),
            64,
            |purpose, at| async move {
                let latency = Duration::from_millis(if purpose == Purpose::Answer { 200 } else { 400 });
                steady(purpose, at).await.map(|reply| Reply { latency, ..reply })
            },
        )
        .await;
        assert!(ran.took <= bound.mul_f64(most), "{:?} of {bound:?}", ran.took);
        assert_eq!(ran.most_in_flight, 64);
    }
}

#[tokio::test(start_paused = true)]
async fn scattered_times_stay_near_the_bound() {
    let total: Duration = (0..200).map(|at| scattered(at, 200) + scattered(at, 400)).sum();
    let ran = ran(&numbered(200), 20, |purpose, at| async move {
        match purpose {
            Purpose::Answer => {
                sleep(scattered(at, 200)).await;
                Ok(reply("42"))
            }
            Purpose::Judge => {
                sleep(scattered(at, 400)).await;
                Ok(verdict(0.5))
            }
        }
    })
    .await;
    assert!(
        ran.took <= (total / 20).mul_f64(1.10),
        "{:?} of {:?}",
        ran.took,
        total / 20
    );
    assert_eq!(ran.most_in_flight, 20);
}

#[tokio::test(start_paused = true)]
async fn a_judgement_goes_ahead_of_the_next_answer() {
    let mut suite = numbered(3);
    suite.judge.votes = 2;
    let one = ran(&suite, 1, steady).await;
    let order = [
        "answer c0",
        "judge c0",
        "judge c0",
        "answer c1",
        "judge c1",
        "judge c1",
    ];
    assert_eq!(one.calls[..6], order);
    assert_eq!(one.most_in_flight, 1);
    let many = ran(&numbered(3), 2, steady).await;
    assert_eq!(
        many.calls,
        [
            "answer c0",
            "answer c1",
            "judge c0",
            "judge c1",
            "answer c2",
            "judge c2"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn results_stand_in_the_suites_order_whatever_comes_first() {
    let mut suite = numbered(20);
    for case in &mut suite.cases {
        case.samples = 3;
    }
    suite.judge.votes = 2;
    let ran = ran(&suite, 7, |purpose, at| async move {
        sleep(Duration::from_millis(1000 - 40 * at as u64)).await;
        Ok(if purpose == Purpose::Answer {
            reply(&format!("c{at}"))
        } else {
            verdict(0.25)
        })
    })
    .await;
    assert_eq!(ran.most_in_flight, 7);
    for (case, result) in suite.cases.iter().zip(&ran.cases) {
        assert_eq!(
            (&result.id, &result.fingerprint, &result.messages),
            (&case.id, &case.fingerprint, &case.texts.read().messages)
        );
        assert_eq!(
            result
                .samples
                .iter()
                .map(|sample| sample.index)
                .collect::<Vec<_>>(),
            [0, 1, 2]
        );
        for sample in &result.samples {
            assert_eq!(sample.answer.as_ref(), Some(&case.id));
            assert_eq!(
                sample.votes.iter().map(|vote| vote.index).collect::<Vec<_>>(),
                [0, 1]
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn many_cases_are_begun_a_few_at_a_time() {
    let ran = ran(&numbered(5_000), 8, steady).await;
    assert_eq!((ran.most_in_flight, ran.calls.len()), (8, 10_000));
    // Never more answers ahead of their judgements than calls in flight.
    let mut ahead = 0_i32;
    for call in &ran.calls {
        ahead += if call.starts_with("answer") { 1 } else { -1 };
        assert!(ahead <= 8, "{call}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_check_costs_no_judge_call() {
    let mut strict = case("c1");
    strict.checks = vec![Check::Contains("43".to_owned()), Check::Contains("42".to_owned())].into();
    let suite = suite(vec![case("c0"), strict]);
    let ran = ran(&suite, 1, steady).await;
    assert_eq!(ran.calls, ["answer c0", "judge c0", "answer c1"]);
    let sample = &ran.cases[1].samples[0];
    assert!(sample.failed_a_check() && sample.votes.is_empty());
    assert_eq!(sample.outcome, AnswerOutcome::Answered);
    let judged = Event::Judged {
        case: "c1".to_owned(),
        sample: 0,
        vote: None,
        outcome: VoteOutcome::Scored,
        score: Some(0.0),
    };
    assert_eq!(ran.events.last(), Some(&judged));
}

#[tokio::test(start_paused = true)]
async fn events_tell_what_happens_in_its_order() {
    let mut suite = numbered(1);
    suite.cases[0].samples = 2;
    let ran = ran(&suite, 1, steady).await;
    let latency = Duration::from_millis(120);
    let (id, outcome) = (|| "c0".to_owned(), AnswerOutcome::Answered);
    let judged = |sample| Event::Judged {
        case: id(),
        sample,
        vote: Some(0),
        outcome: VoteOutcome::Scored,
        score: Some(0.5),
    };
    assert_eq!(
        ran.events,
        [
            Event::Started {
                cases: 1,
                answers: 2,
                judgements: 2,
                beside: 0,
                kept: crate::results::Kept::default(),
                kept_beside: 0,
            },
            Event::Answered {
                case: id(),
                sample: 0,
                outcome,
                latency
            },
            judged(0),
            Event::Answered {
                case: id(),
                sample: 1,
                outcome,
                latency
            },
            judged(1),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn unusable_answers_are_not_judged() {
    let ran = ran(&numbered(3), 3, |purpose, at| async move {
        assert!(purpose == Purpose::Answer || at == 0);
        match (purpose, at) {
            (Purpose::Answer, 1) => Ok(reply(" ")),
            (Purpose::Answer, 2) => {
                let mut cut = reply("4");
                cut.value.finish_reason = Some("length".to_owned());
                Ok(cut)
            }
            _ => steady(purpose, at).await,
        }
    })
    .await;
    let outcomes = [
        AnswerOutcome::Answered,
        AnswerOutcome::Empty,
        AnswerOutcome::Truncated,
    ];
    assert_eq!(ran.outcomes(), outcomes);
    assert_eq!(ran.scores(), [Some(0.5), None, None]);
}

#[test]
fn an_evaluation_can_run_on_any_thread() {
    fn movable<T: Send>(_: &T) {}
    let _ = |suite: &Suite,
             studio: &crate::studio::Studio,
             settings: &Settings,
             keep: &Keep<'_>,
             to: &UnboundedSender<Event>| {
        let known = Known::default();
        movable(&crate::eval::run(suite, None, studio, settings, known, keep, to));
    };
}
