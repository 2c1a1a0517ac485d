//! Gates on a drop with a real baseline behind them: two runs' results in, the verdict out.

use super::gates;
use crate::gate::{Decision, GateVerdict, Outcome, Verdict, decide};
use crate::results::{BaselineSource, CaseResult, Found, Results};
use crate::score::fixtures::{case, results};
use crate::score::{Pairs, baseline, figures};

/// Cases with these scores, each the same case in every run.
fn run(scores: &[f64]) -> Results {
    let cases = scores.iter().enumerate().map(|(i, score)| CaseResult {
        fingerprint: format!("case-{i}"),
        ..case(&format!("c{i}"), &[*score])
    });
    results(cases.collect())
}

fn against(before: &Results, mut now: Results, require: &str) -> (Verdict, GateVerdict) {
    let source = BaselineSource {
        found: Found::Given,
        path: Some("before.json".to_owned()),
        branch: None,
        workflow_run: None,
        url: None,
    };
    now.baseline = Some(baseline(before, source));
    let figures = figures(&now);
    let pairs = Pairs::new(&now, &figures).unwrap();
    let mut verdict = decide(&gates(&[require]), &figures, Some(&pairs)).unwrap();
    let gate = verdict.gates.remove(1);
    (verdict, gate)
}

/// Around `middle`, up and down by turns.
fn around(middle: f64, by: f64) -> Vec<f64> {
    (0..20)
        .map(|i| if i % 2 == 0 { middle + by } else { middle - by })
        .collect()
}

#[test]
fn a_clear_fall_fails_and_none_passes() {
    let before = run(&[0.8; 20]);
    let (verdict, gate) = against(&before, run(&around(0.6, 0.02)), "drop(mean) <= 0.03");
    assert_eq!((verdict.decision, gate.outcome), (Decision::Fail, Outcome::Fail));
    assert!((gate.figure.unwrap() - 0.2).abs() < 1e-9);
    assert!(gate.interval.unwrap().low > 0.03, "{gate:?}");
    assert!(gate.test.unwrap().p_worse_holm.unwrap() < 0.001);
    let (verdict, gate) = against(&before, run(&around(0.8, 0.02)), "drop(mean) <= 0.03");
    assert_eq!((verdict.decision, gate.outcome), (Decision::Pass, Outcome::Pass));
    assert!(gate.interval.unwrap().high < 0.03);
}

#[test]
fn noise_is_inconclusive_and_the_same_scores_have_no_spread() {
    let before = run(&[0.5; 20]);
    let (verdict, gate) = against(&before, run(&around(0.48, 0.3)), "drop(mean) <= 0.03");
    assert_eq!(
        (verdict.decision, gate.outcome),
        (Decision::Inconclusive, Outcome::Inconclusive)
    );
    assert!(
        gate.reason.starts_with("can't be told from noise"),
        "{}",
        gate.reason
    );
    let (_, gate) = against(&before, before.clone(), "drop(mean) <= 0");
    assert_eq!((gate.outcome, gate.interval), (Outcome::Pass, None));
    assert_eq!(
        gate.reason,
        "mean is unchanged (without any spread over 20 cases), within 0.00"
    );
}

#[test]
fn what_does_not_compare_is_inconclusive() {
    let before = run(&[0.8; 20]);
    let few = run(&[0.8; 9]);
    let mut changed = before.clone();
    changed.cases.edit(|cases| {
        cases
            .iter_mut()
            .for_each(|case| case.fingerprint.push_str("-changed"));
    });
    let mut judged_otherwise = before.clone();
    judged_otherwise.suite.judge.fingerprint = "another".to_owned();
    for now in [few, changed, judged_otherwise] {
        let (verdict, gate) = against(&before, now, "drop(mean) <= 0.03");
        assert_eq!(verdict.decision, Decision::Inconclusive, "{gate:?}");
        assert!(gate.applicable && !gate.reason.contains('\n'), "{gate:?}");
    }
}
