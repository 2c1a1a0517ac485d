//! Gates on a drop, with made-up tests in place of a baseline's: what decides, and the line that says it.

use super::made::{Made, alike, moved};
use super::{gates, otherwise};
use crate::gate::decide::decide_against;
use crate::gate::{Decision, GateVerdict, Outcome, Verdict};
use crate::score::fixtures::{case, lost, results};
use crate::score::{Difference, DropTest, Figures, Interval, figures};
use crate::suite::{Gate, Otherwise};

fn of_independent(n: u32, clusters: u32) -> DropTest {
    let mut test = moved(-0.5, -0.6, -0.4, 0.0);
    (test.difference.n, test.difference.clusters) = (n, clusters);
    test
}

fn twenty() -> Figures {
    let cases = (0..20).map(|i| case(&format!("c{i}"), &[0.8])).collect();
    figures(&results(cases))
}

fn decided(gates: &[Gate], against: &Made) -> Verdict {
    decide_against(gates, &twenty(), Some(against)).unwrap()
}

fn only(require: &str, test: Result<DropTest, String>) -> GateVerdict {
    let mut verdict = decided(&gates(&[require]), &Made::of(vec![test]));
    verdict.gates.remove(1)
}

#[test]
fn the_bounds_decide_and_the_line_has_the_figures() {
    use Outcome::{Fail, Inconclusive, Pass};
    for (test, outcome, reason) in [
        (
            moved(-0.012, -0.028, 0.004, 0.9),
            Pass,
            "mean fell by 0.012 (at most 0.028 with 95 % confidence), within 0.03",
        ),
        (
            moved(0.02, -0.01, 0.05, 0.99),
            Pass,
            "mean rose by 0.02 (a drop of at most 0.01 with 95 % confidence), within 0.03",
        ),
        (
            moved(0.04, 0.01, 0.07, 0.999),
            Pass,
            "mean rose by 0.04 (at least 0.01 with 95 % confidence), which is no drop",
        ),
        (
            moved(0.0, -0.01, 0.01, 0.99),
            Pass,
            "mean is unchanged (a drop of at most 0.01 with 95 % confidence), within 0.03",
        ),
        (
            moved(-0.081, -0.11, -0.052, 0.01),
            Fail,
            "mean fell by 0.081 (at least 0.052 with 95 % confidence), more than 0.03",
        ),
        (
            moved(-0.02, -0.05, 0.01, 0.6),
            Inconclusive,
            "can't be told from noise: mean fell by 0.02, 90 % interval of the drop −0.01 to 0.05, allowed 0.03; \
             a drop of 0.04 would have been found 4 times in 5",
        ),
        // Right on the margin nothing is shown.
        (
            moved(-0.012, -0.03, 0.006, 0.9),
            Inconclusive,
            "can't be told from noise: mean fell by 0.012, 90 % interval of the drop −0.006 to 0.03, allowed 0.03; \
             a drop of 0.04 would have been found 4 times in 5",
        ),
        (
            moved(-0.05, -0.07, -0.03, 0.05),
            Inconclusive,
            "can't be told from noise: mean fell by 0.05, 90 % interval of the drop 0.03 to 0.07, allowed 0.03; \
             a drop of 0.04 would have been found 4 times in 5",
        ),
        // A figure never looks like the margin that it is not.
        (
            moved(-0.012, -0.029_999, 0.004, 0.9),
            Pass,
            "mean fell by 0.012 (at most 0.029999 with 95 % confidence), within 0.03",
        ),
    ] {
        for op in ["<=", "<"] {
            let gate = only(&format!("drop(mean) {op} 0.03"), Ok(test.clone()));
            assert_eq!((gate.outcome, gate.reason.as_str()), (outcome, reason));
            assert!(gate.applicable);
            assert_eq!(gate.figure, Some(0.0 - test.difference.difference.unwrap()));
            let (low, high) = (test.difference.low.unwrap(), test.difference.high.unwrap());
            let interval = Interval {
                low: 0.0 - high,
                high: 0.0 - low,
            };
            assert_eq!(gate.interval, Some(interval));
            let shown = gate.test.unwrap();
            assert_eq!(shown.p_worse_holm, shown.p_worse, "one test needs no correction");
            assert_eq!(shown.difference, test.difference);
        }
    }
}

#[test]
fn without_spread_the_drop_itself_is_compared() {
    use Outcome::{Fail, Pass};
    for (difference, outcome, reason) in [
        (
            0.0,
            Pass,
            "pass_rate is unchanged (without any spread over 20 cases), within 0.03",
        ),
        (
            -0.03 - 1e-12,
            Pass,
            "pass_rate fell by 0.03 (without any spread over 20 cases), within 0.03",
        ),
        (
            -0.04,
            Fail,
            "pass_rate fell by 0.04 (without any spread over 20 cases), more than 0.03",
        ),
        (
            0.1,
            Pass,
            "pass_rate rose by 0.10 (without any spread over 20 cases), within 0.03",
        ),
    ] {
        let gate = only("drop(pass_rate) <= 0.03", Ok(alike(difference)));
        assert_eq!((gate.outcome, gate.reason.as_str()), (outcome, reason));
        assert_eq!((gate.interval, gate.figure), (None, Some(0.0 - difference)));
        // Bounds of no width are none.
        let mut narrow = moved(difference, difference, difference, 0.5);
        narrow.difference.error = None;
        let gate = only("drop(pass_rate) <= 0.03", Ok(narrow));
        assert_eq!((gate.outcome, gate.interval), (outcome, None));
    }
    let same = only("drop(mean) <= 0", Ok(alike(0.0)));
    assert_eq!(same.outcome, Outcome::Pass);
    // The cases of a quantile have spread: it is the resamples that agree.
    let mut quantile = alike(0.0);
    (quantile.difference.n, quantile.difference.clusters) = (60, 60);
    assert_eq!(
        only("drop(p10) <= 0.03", Ok(quantile)).reason,
        "p10 is unchanged (the same in at least 90 % of the resamples of 60 cases), within 0.03"
    );
}

#[test]
fn too_few_independent_cases_decide_nothing_whatever_the_bounds() {
    for (require, n, clusters, why) in [
        ("drop(mean) <= 0.03", 9, 9, "9 cases compare, and it takes 10"),
        ("drop(mean) <= 0.03", 1, 1, "1 case compares, and it takes 10"),
        (
            "drop(mean) <= 0.03",
            30,
            9,
            "30 cases compare, of which 9 are independent of each other, and it takes 10",
        ),
        (
            "drop(median) <= 0.03",
            49,
            49,
            "49 cases compare, and it takes 50",
        ),
        (
            "drop(p10) <= 0.03",
            60,
            49,
            "60 cases compare, of which 49 are independent of each other, and it takes 50",
        ),
    ] {
        let gate = only(require, Ok(of_independent(n, clusters)));
        let subject = require.split(' ').next().unwrap();
        assert_eq!(gate.reason, format!("{subject} can't be tested: {why}"));
        assert_eq!((gate.outcome, gate.figure), (Outcome::Inconclusive, Some(0.5)));
        let gate = only("drop(mean) <= 0.03", Ok(of_independent(10, 10)));
        assert_eq!(gate.outcome, Outcome::Fail);
    }
    let few = DropTest {
        difference: Difference {
            n: 9,
            clusters: 9,
            ..alike(0.0).difference
        },
        ..alike(0.0)
    };
    assert_eq!(only("drop(mean) <= 0.03", Ok(few)).outcome, Outcome::Inconclusive);
}

#[test]
fn what_can_not_be_tested_says_why_and_decides_like_any_other_gate() {
    let why = "the judge changed: rejudge the baseline with `--rejudge-baseline`";
    for (else_, decision) in [
        (Otherwise::Fail, Decision::Inconclusive),
        (Otherwise::Hold, Decision::Hold),
        (Otherwise::Warn, Decision::Pass),
    ] {
        let verdict = decided(
            &[otherwise("drop(mean) <= 0.03", else_)],
            &Made::of(vec![Err(why.to_owned())]),
        );
        assert_eq!(verdict.decision, decision);
        let gate = &verdict.gates[1];
        assert!(gate.applicable);
        assert_eq!(gate.reason, format!("drop(mean) can't be tested: {why}"));
        assert_eq!(
            (gate.outcome, gate.figure, gate.interval, gate.test.as_ref()),
            (Outcome::Inconclusive, None, None, None)
        );
        let told = match else_ {
            Otherwise::Fail => gate.reason.clone(),
            Otherwise::Hold => format!("held: {}", gate.reason),
            Otherwise::Warn => "no gate decides here: all of them only warn".to_owned(),
        };
        let implied_coverage = verdict.gates[0].implied;
        assert!(implied_coverage);
        if else_ != Otherwise::Warn {
            assert_eq!(verdict.reason, told);
        }
    }
}

#[test]
fn what_no_test_can_hold_is_inconclusive_and_no_test_is_asked() {
    for (require, why) in [
        (
            "drop(min) <= 0.1",
            "no test can be held to its level; write `min >= …`",
        ),
        (
            "drop(mean(case: c1)) <= 0.1",
            "one case can't carry a test; mark it `critical: true`",
        ),
        ("drop(mean(tag: gone)) <= 0.1", "no case is tagged `gone`"),
        ("drop(mean(holdout)) <= 0.1", "no case is a holdout"),
    ] {
        let verdict = decided(&gates(&[require]), &Made::of(Vec::new()));
        let gate = &verdict.gates[1];
        let subject = require.split(" <=").next().unwrap();
        assert_eq!(gate.reason, format!("{subject} can't be tested: {why}"));
        assert_eq!((gate.outcome, gate.applicable), (Outcome::Inconclusive, true));
        assert_eq!(verdict.decision, Decision::Inconclusive);
    }
}

#[test]
fn several_tests_are_held_to_one_level() {
    let three = gates(&[
        "drop(mean) <= 0.03",
        "mean >= 0.5",
        "drop(pass_rate) <= 0.03",
        "drop(mean) <= 0",
    ]);
    let tests = vec![
        Ok(moved(-0.06, -0.08, -0.04, 0.02)),
        Ok(moved(-0.06, -0.08, -0.04, 0.04)),
        Ok(moved(-0.1, -0.2, -0.05, 0.001)),
    ];
    let verdict = decided(&three, &Made::of(tests));
    let holm: Vec<Option<f64>> = verdict
        .gates
        .iter()
        .map(|gate| gate.test.as_ref().and_then(|test| test.p_worse_holm))
        .collect();
    assert_eq!(holm, [None, Some(0.04), None, Some(0.04), Some(0.003)]);
    assert_eq!(verdict.decision, Decision::Fail);
    // The same with a first test that is just significant by itself.
    let tests = vec![
        Ok(moved(-0.06, -0.08, -0.04, 0.04)),
        Ok(moved(0.0, -0.01, 0.01, 0.9)),
        Ok(moved(0.1, 0.05, 0.15, 0.99)),
    ];
    let verdict = decided(&three, &Made::of(tests));
    assert_eq!(verdict.decision, Decision::Inconclusive);
    assert_eq!(
        verdict.reason,
        "can't be told from chance among 3 tested drops: mean fell by 0.06 (at least 0.04 with 95 % confidence if \
         it were the only one), more than 0.03, but p is 0.12 after Holm's correction"
    );
    // What can't be tested is no member of the family; what only warns is.
    let tests = |second| Made::of(vec![Ok(moved(-0.06, -0.08, -0.04, 0.04)), second]);
    let two = [
        gates(&["drop(mean) <= 0.03"]).remove(0),
        otherwise("drop(pass_rate) <= 0.03", Otherwise::Warn),
    ];
    let alone = decided(&two, &tests(Err("no case compares".to_owned())));
    assert_eq!(alone.decision, Decision::Fail);
    let warned = decided(&two, &tests(Ok(moved(0.0, -0.01, 0.01, 0.9))));
    assert_eq!(warned.decision, Decision::Inconclusive);
}

#[test]
fn too_few_pairs_with_a_score_decide_nothing() {
    let against = |compared| Made {
        compared,
        ..Made::of(vec![Ok(moved(-0.081, -0.11, -0.052, 0.01))])
    };
    let drop = gates(&["drop(mean) <= 0.03"]);
    let verdict = decided(&drop, &against((18, 2)));
    assert_eq!(verdict.decision, Decision::Inconclusive);
    assert_eq!(
        verdict.reason,
        "not decided: of 20 cases that are the same in both runs 18 are scored in both: 0.90 is below the floor 0.95"
    );
    assert_eq!(verdict.gates[1].figure, Some(0.081));
    assert_eq!(decided(&drop, &against((19, 1))).decision, Decision::Fail);
    let own_floor = gates(&["drop(mean) <= 0.03", "coverage >= 0.9"]);
    assert_eq!(decided(&own_floor, &against((18, 2))).decision, Decision::Fail);
}

#[test]
fn a_run_below_the_floor_or_incomplete_keeps_the_test_and_decides_nothing() {
    let mut cases: Vec<_> = (0..9).map(|i| case(&format!("c{i}"), &[0.8])).collect();
    cases.push(lost("lost"));
    let below = figures(&results(cases));
    let against = Made::of(vec![Ok(moved(-0.081, -0.11, -0.052, 0.01))]);
    let verdict = decide_against(&gates(&["drop(mean) <= 0.03"]), &below, Some(&against)).unwrap();
    assert_eq!(verdict.decision, Decision::Inconclusive);
    let gate = &verdict.gates[1];
    assert!(
        gate.reason
            .starts_with("not decided: coverage 0.90 is below the floor")
    );
    assert_eq!((gate.figure, gate.test.is_some()), (Some(0.081), true));
}

#[test]
fn a_baseline_changes_nothing_for_other_gates() {
    let others = gates(&["mean >= 0.5", "min >= 0.9"]);
    let with = decided(&others, &Made::of(Vec::new()));
    let without = crate::gate::decide(&others, &twenty(), None).unwrap();
    assert_eq!(with, without);
}

#[test]
fn figures_that_are_no_numbers_decide_nothing() {
    for test in [
        moved(f64::NAN, -0.1, 0.1, 0.5),
        moved(-0.5, f64::NAN, 0.1, 0.0),
        moved(-0.5, f64::NEG_INFINITY, f64::INFINITY, f64::NAN),
    ] {
        let gate = only("drop(mean) <= 0.03", Ok(test));
        assert_eq!(gate.outcome, Outcome::Inconclusive, "{gate:?}");
    }
}
