//! An evaluation that ended early is inconclusive, however much of it is there.

use super::{gates, otherwise};
use crate::gate::{Decision, Outcome, Verdict, decide};
use crate::results::{AnswerOutcome, CaseResult, VoteOutcome};
use crate::score::figures;
use crate::score::fixtures::{case, results, sample, unanswered, vote};
use crate::suite::{Gate, Otherwise};

fn verdict(gates: &[Gate], cases: Vec<CaseResult>) -> Verdict {
    decide(gates, &figures(&results(cases)), None).unwrap()
}

/// So many scored cases, and behind them these.
fn cases(scored: usize, more: Vec<CaseResult>) -> Vec<CaseResult> {
    let mut cases: Vec<CaseResult> = (0..scored).map(|i| case(&format!("c{i}"), &[0.8])).collect();
    cases.extend(more);
    cases
}

fn not_asked(id: &str) -> CaseResult {
    CaseResult {
        samples: vec![unanswered(AnswerOutcome::NotAsked)],
        ..case(id, &[])
    }
}

fn not_judged(id: &str) -> CaseResult {
    CaseResult {
        samples: vec![sample(vec![vote(VoteOutcome::NotAsked, None)])],
        ..case(id, &[])
    }
}

#[test]
fn coverage_above_the_floor_does_not_save_it() {
    for asked in [
        gates(&["coverage >= 0.5", "mean >= 0.5"]),
        gates(&["mean >= 0.9"]),
        Vec::new(),
        vec![otherwise("mean <= 0.7", Otherwise::Hold)],
        vec![otherwise("coverage >= 0.1", Otherwise::Warn)],
    ] {
        let part = verdict(&asked, cases(99, vec![not_asked("late")]));
        assert_eq!(part.decision, Decision::Inconclusive, "{asked:?}");
        assert_eq!(
            part.reason,
            "the evaluation is incomplete: 1 of 100 answers and 1 judgement were not asked"
        );
        let open = |gate: &crate::gate::GateVerdict| gate.outcome == Outcome::Inconclusive;
        assert!(part.gates.iter().all(open), "{:?}", part.gates);
        assert!(part.gates[0].figure.is_some());
    }
}

#[test]
fn a_judgement_that_is_missing_is_enough() {
    let part = verdict(&gates(&["coverage >= 0.5"]), cases(99, vec![not_judged("late")]));
    assert_eq!(part.decision, Decision::Inconclusive);
    assert_eq!(
        part.reason,
        "the evaluation is incomplete: 1 judgement was not asked"
    );
    // One of two votes is a score, and the other one may change it.
    let half = CaseResult {
        samples: vec![sample(vec![
            vote(VoteOutcome::Scored, Some(0.8)),
            vote(VoteOutcome::NotAsked, None),
        ])],
        ..case("late", &[])
    };
    let part = verdict(&[], cases(99, vec![half]));
    assert_eq!(part.decision, Decision::Inconclusive);
}

#[test]
fn a_critical_case_that_failed_vetoes_all_the_same() {
    let failed = CaseResult {
        critical: true,
        ..case("c", &[0.1])
    };
    let part = verdict(&[], cases(99, vec![failed, not_asked("late")]));
    assert_eq!(part.decision, Decision::Fail);
    assert!(
        part.reason.starts_with("critical case `c` failed"),
        "{}",
        part.reason
    );
    assert!(
        part.reason.contains("the evaluation is incomplete"),
        "{}",
        part.reason
    );
}

#[test]
fn a_critical_case_that_was_not_asked_is_among_what_is_left() {
    let open = CaseResult {
        critical: true,
        ..not_asked("late")
    };
    let part = verdict(&[], cases(99, vec![open]));
    assert_eq!(part.decision, Decision::Inconclusive);
    assert_eq!(part.undecided_critical, ["late"]);
    assert!(part.reason.ends_with("were not asked"), "{}", part.reason);
}

#[test]
fn failed_calls_alone_leave_nothing() {
    let lost = crate::score::fixtures::lost("lost");
    let figures = figures(&results(cases(99, vec![lost])));
    assert_eq!(figures.left, None);
    assert_eq!(decide(&[], &figures, None).unwrap().decision, Decision::Pass);
}
