//! What ends a run among its anchors, and what does not.

use super::super::resuming::known;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_lost_judgement_of_an_anchor_ends_nothing() {
    let suite = with_anchors(2, 4);
    let ran = ran(&suite, 2, |purpose, at| async move {
        match at {
            1_000 => Err(failure(FailureKind::Server, Some(500), "no")),
            1_001 => panic!("judge"),
            1_002 => Ok(reply("well, well")),
            _ => telling(purpose, at).await,
        }
    })
    .await;
    assert_eq!((&ran.stopped, ran.scored()), (&None, 2));
    let outcomes: Vec<VoteOutcome> = ran.beside().iter().map(|vote| vote.outcome).collect();
    use VoteOutcome::{Failed, Scored, Unparseable};
    assert_eq!(outcomes, [Failed, Failed, Unparseable, Scored]);
    assert_eq!(ran.evaluation.unjudged_beside(), 2);
    // What failed is asked for again by the next attempt, and so not kept.
    let kept = ran.kept.iter().filter(|entry| matches!(entry, Entry::Beside(..)));
    assert_eq!(kept.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_at_an_anchor_ends_the_run_as_anywhere() {
    let suite = with_anchors(2, 9);
    let ran = ran(&suite, 2, |purpose, at| async move {
        match at {
            1_001.. => Err(failure(FailureKind::Unauthorized, Some(401), "no")),
            _ => telling(purpose, at).await,
        }
    })
    .await;
    assert_eq!((ran.stop_kind(), ran.scored()), (Some(StopKind::Unauthorized), 2));
    assert!(ran.calls.len() <= 4 + 3, "{:?}", ran.calls);
    assert_eq!((ran.evaluation.anchors.len(), ran.beside().len()), (9, 9));
    let message = ran.stopped.unwrap().message;
    assert!(!message.contains("incomplete"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn an_interruption_among_the_anchors_is_one_and_goes_on_from_there() {
    let suite = with_anchors(2, 4);
    for (after, left) in [(1_300, Some(3)), (2_500, Some(1)), (2_900, None)] {
        let cancel = CancellationToken::new();
        // The cases take 1.2 s, every anchor 0.4.
        let (ran, ()) = tokio::join!(ran_in(&suite, Way::new(1, &cancel), fake(telling)), async {
            sleep(Duration::from_millis(after)).await;
            cancel.cancel();
        });
        let Some(left) = left else {
            assert_eq!((&ran.stopped, ran.beside_scored()), (&None, 4));
            continue;
        };
        let left = if after == 1_300 { left + 1 } else { left };
        let what = match left {
            1 => "1 judgement of an anchor or of the baseline was not asked".to_owned(),
            n => format!("{n} judgements of anchors or of the baseline were not asked"),
        };
        let message = format!("the run was interrupted, so {what}; the same command goes on from here");
        let stopped = ran.stopped.clone().unwrap();
        assert_eq!((stopped.kind, stopped.message), (StopKind::Interrupted, message));
        let cancel = CancellationToken::new();
        let again = Way {
            known: known(&ran.kept),
            ..Way::new(1, &cancel)
        };
        let service = fake(|purpose, at| async move {
            assert!(at >= FIRST);
            telling(purpose, at).await
        });
        let again = ran_in(&suite, again, service).await;
        assert_eq!((again.calls.len(), again.stopped), (left, None));
        assert_eq!(again.evaluation.anchors.len(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn a_judgement_of_an_anchor_that_cannot_be_kept_ends_the_run() {
    let keeps = |at: usize| match at {
        5 => Err("no space left on device".to_owned()),
        _ => Ok(()),
    };
    let cancel = CancellationToken::new();
    let way = Way {
        keeps: &keeps,
        ..Way::new(1, &cancel)
    };
    let ran = ran_in(&with_anchors(2, 4), way, fake(telling)).await;
    assert_eq!(ran.stop_kind(), Some(StopKind::Unrecorded));
    assert_eq!((ran.kept.len(), ran.beside_scored()), (5, 2));
}

#[test]
fn where_nothing_may_be_asked_what_is_known_is_there() {
    let suite = with_anchors(1, 2);
    let key = Exhibits::new(&suite, None).key(1).to_owned();
    let vote = Vote {
        index: 0,
        outcome: VoteOutcome::Scored,
        score: Some(0.4),
        feedback: None,
        reasoning: None,
        detail: None,
        calls: Vec::new(),
        cached: None,
    };
    let known = Known {
        beside: [(key, vec![vote])].into(),
        ..Known::default()
    };
    let stopped = Stopped {
        kind: StopKind::Unavailable,
        message: "no such dataset".to_owned(),
    };
    let results = earlier(&suite, Vec::new());
    let evaluation = crate::eval::not_begun(&suite, Some(&results), known, stopped.clone());
    assert_eq!(evaluation.stopped, Some(stopped));
    let scores: Vec<_> = evaluation
        .anchors
        .iter()
        .map(|anchor| anchor.votes[0].score)
        .collect();
    assert_eq!(scores, [None, Some(0.4)]);
    assert_eq!(evaluation.unjudged_beside(), 1);
    assert!(evaluation.rejudged.is_some());
}
