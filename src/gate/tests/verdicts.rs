//! The verdict: floor, vetoes, missing figures, precedence and the line that says it.

use std::collections::BTreeSet;

use super::{gates, otherwise};
use crate::gate::{Decision, GateVerdict, Outcome, Verdict, decide};
use crate::results::CaseResult;
use crate::score::figures;
use crate::score::fixtures::{case, lost, results};
use crate::suite::{Gate, Otherwise};

fn verdict(gates: &[Gate], cases: Vec<CaseResult>) -> Verdict {
    decide(gates, &figures(&results(cases)), None).unwrap()
}

fn cases(scores: &[f64]) -> Vec<CaseResult> {
    scores
        .iter()
        .enumerate()
        .map(|(i, score)| case(&format!("c{i}"), &[*score]))
        .collect()
}

/// Ten cases of which so many have the score 0.8 and the others none.
fn covered(scored: usize) -> Vec<CaseResult> {
    let lost = (scored..10).map(|i| lost(&format!("lost-{i}")));
    cases(&vec![0.8; scored]).into_iter().chain(lost).collect()
}

fn critical(id: &str, scores: &[f64]) -> CaseResult {
    CaseResult {
        critical: true,
        ..case(id, scores)
    }
}

fn outcomes(verdict: &Verdict) -> Vec<Outcome> {
    verdict.gates.iter().map(|gate| gate.outcome).collect()
}

#[test]
fn a_suite_without_gates_asks_for_coverage_alone() {
    let verdict = verdict(&[], cases(&[0.1, 0.2]));
    assert_eq!((verdict.decision, verdict.defaulted), (Decision::Pass, true));
    let [only] = verdict.gates.as_slice() else {
        panic!("{:?}", verdict.gates)
    };
    let expected = GateVerdict {
        test: None,
        require: "coverage >= 0.95".to_owned(),
        otherwise: Otherwise::Fail,
        outcome: Outcome::Pass,
        applicable: true,
        implied: true,
        figure: Some(1.0),
        op: ">=".to_owned(),
        bound: 0.95,
        interval: None,
        reason: "coverage 1.00 is at or above the floor 0.95".to_owned(),
    };
    assert_eq!(*only, expected);
    assert_eq!(
        verdict.reason,
        "coverage 1.00 is at or above the floor 0.95; the suite asks for nothing else"
    );
}

#[test]
fn gates_pass_and_fail_with_figure_bound_and_reason() {
    let verdict = verdict(
        &gates(&["mean >= 0.70", "pass_rate >= 0.9"]),
        cases(&[0.6, 0.7, 0.8]),
    );
    assert_eq!(outcomes(&verdict), [Outcome::Pass, Outcome::Pass, Outcome::Fail]);
    assert!(verdict.gates[0].implied && !verdict.gates[1].implied);
    assert_eq!(verdict.gates[1].reason, "mean 0.70 is at or above 0.70");
    assert!(verdict.gates[1].interval.is_some() && verdict.gates[2].interval.is_some());
    assert_eq!(verdict.gates[2].figure, Some(2.0 / 3.0));
    assert_eq!((verdict.decision, verdict.defaulted), (Decision::Fail, false));
    assert_eq!(verdict.reason, "pass_rate 0.6667 is below 0.90");
}

#[test]
fn the_floor_is_the_largest_the_suite_asks_for_or_implied() {
    let floors = |requires: &[&str], scored: usize| outcomes(&verdict(&gates(requires), covered(scored)));
    use Outcome::{Fail, Inconclusive, Pass};
    assert_eq!(floors(&["mean >= 0.5"], 9), [Inconclusive, Inconclusive]);
    assert_eq!(floors(&["mean >= 0.5"], 10), [Pass, Pass]);
    assert_eq!(floors(&["coverage >= 0.8", "mean >= 0.5"], 8), [Pass, Pass]);
    assert_eq!(
        floors(&["coverage > 0.8", "mean >= 0.5"], 8),
        [Inconclusive, Inconclusive]
    );
    assert_eq!(
        floors(&["coverage >= 0.5", "coverage >= 0.9"], 8),
        [Inconclusive, Inconclusive]
    );
    assert_eq!(
        floors(&["coverage >= 0.8", "coverage > 0.8"], 8),
        [Inconclusive, Inconclusive]
    );
    // Neither a selection's coverage nor an upper bound is a floor.
    assert_eq!(
        floors(&["coverage(case: c0) >= 0.5"], 9),
        [Inconclusive, Inconclusive]
    );
    assert_eq!(floors(&["coverage <= 0.5"], 10), [Pass, Fail]);
}

#[test]
fn below_the_floor_every_gate_says_why_and_keeps_its_figure() {
    let verdict = verdict(
        &gates(&["coverage >= 0.95", "mean >= 0.99", "drop(mean) <= 0.1"]),
        covered(9),
    );
    assert_eq!(verdict.decision, Decision::Inconclusive);
    let because =
        "coverage 0.90 is below the floor 0.95: 1 of 10 cases unscored, 1 of them because a call failed";
    assert_eq!(verdict.reason, because);
    assert_eq!(verdict.gates[0].reason, because);
    assert_eq!(verdict.gates[1].reason, format!("not decided: {because}"));
    assert_eq!(verdict.gates[1].figure, Some(0.8));
    assert_eq!(verdict.gates[2].reason, "no baseline: not applicable on this run");
}

#[test]
fn a_run_without_a_score_never_passes() {
    for requires in [
        vec![],
        vec!["coverage >= 0"],
        vec!["cases >= 1"],
        vec!["error_rate <= 1"],
    ] {
        for scored in [covered(0), Vec::new()] {
            for else_ in [Otherwise::Fail, Otherwise::Hold, Otherwise::Warn] {
                let gates: Vec<Gate> = requires.iter().map(|require| otherwise(require, else_)).collect();
                let verdict = verdict(&gates, scored.clone());
                assert_eq!(verdict.decision, Decision::Inconclusive, "{requires:?} {else_:?}");
                assert!(
                    verdict
                        .gates
                        .iter()
                        .all(|gate| gate.outcome == Outcome::Inconclusive)
                );
                assert!(verdict.reason.contains("no case"), "{}", verdict.reason);
            }
        }
    }
}

#[test]
fn a_drop_has_no_baseline_and_no_say() {
    for else_ in [Otherwise::Fail, Otherwise::Hold, Otherwise::Warn] {
        let verdict = verdict(&[otherwise("drop(mean) <= 0.03", else_)], cases(&[0.8, 0.9]));
        assert_eq!((verdict.decision, verdict.defaulted), (Decision::Pass, false));
        let gate = &verdict.gates[1];
        assert_eq!(
            (gate.outcome, gate.applicable, gate.figure),
            (Outcome::Inconclusive, false, None)
        );
        assert_eq!(gate.reason, "no baseline: not applicable on this run");
        assert_eq!(
            verdict.reason,
            "the one gate that decides is met; 1 gate without a baseline not applied"
        );
    }
}

#[test]
fn a_figure_that_does_not_exist_decides_nothing() {
    let mut all = covered(10);
    let mut tagged = lost("lost");
    tagged.tags = BTreeSet::from(["x".to_owned()]);
    all.extend(cases(&[0.9; 10]));
    all.push(tagged);
    for (require, outcome, reason) in [
        (
            "mean(tag: x) >= 0.5",
            Outcome::Inconclusive,
            "mean(tag: x) does not exist: no case of it has a score",
        ),
        (
            "mean(tag: y) >= 0.5",
            Outcome::Inconclusive,
            "mean(tag: y) does not exist: no case is tagged `y`",
        ),
        (
            "min(holdout) >= 0.5",
            Outcome::Inconclusive,
            "min(holdout) does not exist: no case is a holdout",
        ),
        (
            "p10(case: z) >= 0.5",
            Outcome::Inconclusive,
            "p10(case: z) does not exist: no case is called `z`",
        ),
        (
            "unscored(tag: x) <= 0",
            Outcome::Fail,
            "unscored(tag: x) 1 is above 0",
        ),
        ("cases(tag: y) >= 1", Outcome::Fail, "cases(tag: y) 0 is below 1"),
        (
            "error_rate(tag: x) < 1",
            Outcome::Fail,
            "error_rate(tag: x) 1.00 is not below 1.00",
        ),
    ] {
        let verdict = verdict(&gates(&[require]), all.clone());
        assert_eq!(
            (verdict.gates[1].outcome, verdict.gates[1].reason.as_str()),
            (outcome, reason)
        );
        assert_eq!(verdict.reason, reason);
    }
    let single = verdict(&gates(&["stddev < 0.5"]), cases(&[0.5]));
    assert_eq!(
        single.gates[1].reason,
        "stddev does not exist: it needs two scored cases"
    );
}

#[test]
fn a_critical_case_vetoes_by_majority() {
    for (scores, vetoes) in [
        (vec![0.2], true),
        (vec![0.7], false),
        (vec![0.2, 0.9], false),
        (vec![0.2, 0.3, 1.0], true),
        (vec![0.2, 0.9, 1.0], false),
        (vec![0.2, 0.2, 1.0, 1.0], false),
        // The mean passes, the majority does not.
        (vec![0.69, 0.69, 1.0], true),
        // The majority passes, the mean does not.
        (vec![0.0, 0.7, 0.7], false),
    ] {
        let mut all = cases(&[1.0; 30]);
        all.push(critical("heart", &scores));
        let verdict = verdict(&gates(&["mean >= 0.5"]), all);
        let expected = if vetoes { Decision::Fail } else { Decision::Pass };
        assert_eq!(
            (verdict.decision, verdict.vetoes.len()),
            (expected, usize::from(vetoes)),
            "{scores:?}"
        );
    }
}

#[test]
fn a_veto_stands_whatever_the_mean_the_coverage_and_the_gates() {
    let mut all = covered(5);
    all.push(critical("heart", &[0.1, 0.2, 0.9]));
    let told = verdict(&[otherwise("mean >= 0.5", Otherwise::Warn)], all);
    assert_eq!(told.decision, Decision::Fail);
    assert_eq!(
        told.reason,
        "critical case `heart` failed in 2 of 3 samples; coverage 0.5455 is below the floor 0.95: \
         5 of 11 cases unscored, 5 of them because a call failed"
    );
    let many = (0..5).map(|i| critical(&format!("k{i}"), &[0.0])).collect();
    assert_eq!(
        verdict(&[], many).reason,
        "critical cases `k0`, `k1`, `k2` and 2 more failed"
    );
}

#[test]
fn a_critical_case_without_a_score_leaves_it_open() {
    let mut all = cases(&[0.9; 30]);
    all.push(CaseResult {
        critical: true,
        ..lost("heart")
    });
    let hold = otherwise("mean <= 0.5", Otherwise::Hold);
    let verdict = verdict(&[hold], all);
    assert_eq!(verdict.decision, Decision::Inconclusive);
    assert_eq!(verdict.undecided_critical, ["heart"]);
    assert_eq!(verdict.reason, "critical case `heart` has no score");
    assert!(verdict.vetoes.is_empty());
}

#[test]
fn the_decision_takes_the_first_of_fail_inconclusive_hold_pass() {
    // One gate per outcome on a run of mean 0.8 whose tag `x` has no score.
    let mut all = cases(&[0.8; 39]);
    let mut tagged = lost("lost");
    tagged.tags = BTreeSet::from(["x".to_owned()]);
    all.push(tagged);
    let (met, missed, open) = ("mean >= 0.5", "mean >= 0.9", "mean(tag: x) >= 0.5");
    use Otherwise::{Fail, Hold, Warn};
    for (gates, decision) in [
        (vec![(met, Fail)], Decision::Pass),
        (vec![(met, Fail), (met, Hold), (met, Warn)], Decision::Pass),
        (vec![(missed, Warn), (open, Warn)], Decision::Pass),
        (vec![(missed, Hold)], Decision::Hold),
        (vec![(open, Hold)], Decision::Hold),
        (vec![(open, Fail)], Decision::Inconclusive),
        (vec![(open, Fail), (missed, Hold)], Decision::Inconclusive),
        (vec![(missed, Fail)], Decision::Fail),
        (vec![(missed, Fail), (open, Fail), (missed, Hold)], Decision::Fail),
        (vec![(missed, Hold), (missed, Warn), (met, Fail)], Decision::Hold),
    ] {
        let written: Vec<Gate> = gates
            .iter()
            .map(|(require, else_)| otherwise(require, *else_))
            .collect();
        let verdict = verdict(&written, all.clone());
        assert_eq!(verdict.decision, decision, "{gates:?}");
        assert!(!verdict.reason.is_empty() && !verdict.reason.contains('\n'));
    }
}

#[test]
fn the_reason_names_what_decided() {
    let run = |gates: &[Gate]| verdict(gates, cases(&[0.8; 20])).reason;
    assert_eq!(run(&gates(&["mean >= 0.5", "min >= 0.5"])), "all 3 gates are met");
    let held = [
        otherwise("mean <= 0.7", Otherwise::Hold),
        otherwise("min > 0.9", Otherwise::Warn),
    ];
    assert_eq!(
        run(&held),
        "held: mean 0.80 is above 0.70; warning: min 0.80 is not above 0.90"
    );
    let four = gates(&["mean > 0.81", "min > 0.82", "p10 > 0.83", "median > 0.84"]);
    assert_eq!(
        run(&four),
        "mean 0.80 is not above 0.81; min 0.80 is not above 0.82; p10 0.80 is not above 0.83 and 1 more"
    );
    let warned = [otherwise("coverage >= 0.5", Otherwise::Warn)];
    assert_eq!(run(&warned), "no gate decides here: all of them only warn");
}

#[test]
fn a_gate_that_cannot_be_read_is_named() {
    let error = decide(
        &gates(&["mean >= 0.5", "meen >= 0.5"]),
        &figures(&results(Vec::new())),
        None,
    )
    .unwrap_err();
    assert_eq!(
        error,
        "can't read the gate `meen >= 0.5`: unknown metric `meen`; mend it and run again"
    );
}
