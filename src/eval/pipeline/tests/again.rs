//! A budget ends a run again and again; the runs together do the whole.

use super::limits::calls;
use super::*;

#[tokio::test(start_paused = true)]
async fn from_one_budget_to_the_next_the_whole_is_done() {
    let suite = numbered(20);
    let cancel = CancellationToken::new();
    let mut known = Known::default();
    let mut paid = 0;
    for attempt in 0..7 {
        let way = Way {
            limits: calls(8),
            known: known.clone(),
            ..Way::new(3, &cancel)
        };
        let ran = ran_in(&suite, way, fake(steady)).await;
        paid += ran.calls.len();
        if attempt < 6 {
            assert_eq!(ran.stop_kind(), Some(StopKind::Budget), "{attempt}");
        } else {
            assert_eq!(ran.stopped, None);
            assert_eq!(ran.scored(), 20);
        }
        let there = ran
            .cases
            .into_iter()
            .map(|case| ((case.id, 0), case.samples[0].clone()));
        known.samples = there.collect();
    }
    assert_eq!(paid, 40);
}

#[tokio::test(start_paused = true)]
async fn what_the_cycle_has_written_needs_no_calls_any_more() {
    let suite = numbered(20);
    let cancel = CancellationToken::new();
    let mut known = Known::default();
    let mut scored = Vec::new();
    // A look, two calls an answer, and two for its trace: five answers an attempt, whatever was done before.
    for _ in 0..4 {
        let way = Way {
            limits: Limits {
                calls_per_answer: 2,
                ..calls(21)
            },
            known: known.clone(),
            ..Way::new(3, &cancel)
        };
        let ran = ran_in(&suite, way, fake(steady)).await;
        scored.push(ran.scored());
        let there = ran
            .cases
            .into_iter()
            .map(|case| ((case.id, 0), case.samples[0].clone()));
        known.samples = there.collect();
        known.written = known.samples.keys().cloned().collect();
    }
    assert_eq!(scored, [5, 10, 15, 20]);
    known.written.clear();
    known.samples.remove(&("c3".to_owned(), 0));
    let way = Way {
        limits: Limits {
            calls_per_answer: 2,
            ..calls(21)
        },
        known,
        ..Way::new(3, &cancel)
    };
    let ran = ran_in(&suite, way, fake(steady)).await;
    assert_eq!((ran.calls.len(), ran.stop_kind()), (0, Some(StopKind::Budget)));
}
