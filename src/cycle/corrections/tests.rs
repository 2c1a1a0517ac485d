use super::*;

fn watched(queued: bool) -> Watched {
    Watched {
        place: 0,
        id: "t".into(),
        queued,
        begun: false,
        idle: 0,
    }
}

/// What is made of a trace that is seen so, look by look, long after it was added.
fn looks(queued: bool, seen: &[(Processing, bool)]) -> Vec<TraceState> {
    let mut watched = watched(queued);
    let look =
        |(p, added): &(Processing, bool)| progress((p, *added), &mut watched, IDLE_PATIENCE, CALM_PATIENCE);
    seen.iter().map(look).collect()
}

use Processing::{None as Idle, Processing as Busy};
use TraceState::{Corrected, CorrectionFailed, Processing as Open, Row};

#[test]
fn a_trace_is_settled_only_when_it_is_a_row_or_has_failed() {
    let word = || Processing::Unknown("later".into());
    assert_eq!(looks(true, &[(Busy, true), (Idle, true)]), [Open, Corrected]);
    assert_eq!(looks(true, &[(Idle, false), (Idle, true)]), [Open, Corrected]);
    assert_eq!(looks(true, &[(word(), true); 1]), [Open]);
    assert_eq!(looks(true, &[(Processing::Failed, false)]), [CorrectionFailed]);
}

#[test]
fn a_trace_that_was_answered_as_added_is_waited_for_while_it_is_corrected() {
    assert_eq!(looks(false, &[(Idle, true)]), [Row]);
    assert_eq!(looks(false, &[(Busy, true), (Idle, true)]), [Open, Corrected]);
}

#[test]
fn a_queued_trace_that_is_a_row_from_the_start_may_not_have_begun() {
    let seen = [(Idle, true), (Busy, true), (Idle, true)];
    assert_eq!(looks(true, &seen), [Open, Open, Corrected]);
    assert_eq!(looks(true, &[(Idle, true), (Idle, true)]), [Open, Corrected]);
    let mut early = watched(true);
    for _ in 0..9 {
        assert_eq!(
            progress((&Idle, true), &mut early, Duration::ZERO, CALM_PATIENCE),
            Open
        );
    }
}

#[test]
fn an_idle_trace_is_looked_at_again_before_it_counts_as_not_corrected() {
    let seen = [(Idle, false), (Idle, false), (Idle, false)];
    assert_eq!(looks(true, &seen), [Open, Open, CorrectionFailed]);
    let mut early = watched(true);
    for _ in 0..9 {
        assert_eq!(
            progress((&Idle, false), &mut early, Duration::ZERO, CALM_PATIENCE),
            Open
        );
    }
}
