//! What holds of gates and verdicts whatever the text and the results.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{gate, gates, otherwise};
use crate::gate::parse::parse;
use crate::gate::{Decision, Known, Outcome, check, decide};
use crate::results::CaseResult;
use crate::score::fixtures::{case, lost, results};
use crate::score::{Figures, figures};
use crate::suite::Otherwise;

/// Texts that get far into the grammar more often than arbitrary ones do.
fn almost_a_gate() -> impl Strategy<Value = String> {
    let pieces = vec![
        "mean",
        "pass_rate",
        "cases",
        "drop",
        "(",
        ")",
        "tag",
        "case",
        ":",
        "holdout",
        "x",
        "'",
        "\"",
        ">=",
        "<",
        "==",
        "=",
        "0.5",
        "95%",
        "-",
        "1e9",
        " ",
        "\n",
        "é",
        ".",
        "\u{2028}",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..12).prop_map(|pieces| pieces.concat())
}

fn any_cases() -> impl Strategy<Value = Vec<CaseResult>> {
    let one = (
        prop::collection::vec(0.0..=1.0_f64, 0..3),
        prop::bool::weighted(0.1),
    );
    prop::collection::vec(one, 0..25).prop_map(|cases| {
        let with_ids = cases.into_iter().enumerate();
        with_ids
            .map(|(i, (scores, critical))| CaseResult {
                critical,
                ..case(&i.to_string(), &scores)
            })
            .collect()
    })
}

fn any_gates() -> impl Strategy<Value = Vec<crate::suite::Gate>> {
    let text = prop::sample::select(vec![
        "coverage >= 0.5",
        "coverage > 0.9",
        "mean >= 0.5",
        "mean > 0.3",
        "pass_rate >= 0.4",
        "min >= 0.1",
        "p10 > 0.2",
        "median >= 0.5",
        "drop(mean) <= 0.1",
        "mean(critical) >= 0.5",
    ]);
    let else_ = prop::sample::select(vec![Otherwise::Fail, Otherwise::Hold, Otherwise::Warn]);
    prop::collection::vec(
        (text, else_).prop_map(|(text, else_)| otherwise(text, else_)),
        0..5,
    )
}

fn of(cases: &[CaseResult]) -> Figures {
    figures(&results(cases.to_vec()))
}

/// Better decisions are larger; what is open stands between failing and holding.
fn standing(decision: Decision) -> u8 {
    match decision {
        Decision::Fail => 0,
        Decision::Inconclusive => 1,
        Decision::Hold => 2,
        Decision::Pass => 3,
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_in_its_place(text in prop_oneof![any::<String>(), almost_a_gate()]) {
        let parsed = parse(&text);
        prop_assert_eq!(parsed.rule.is_some(), parsed.faults.is_empty());
        let none = BTreeSet::new();
        let known = Known { tags: &none, ids: &none, holdout: false, critical: false, cases: None, all_tags: true, all_ids: true };
        for fault in check(&[gate(&text, 7)], &known) {
            let end = u32::try_from(text.chars().count().max(1)).unwrap();
            prop_assert!(fault.length >= 1 && fault.place.column >= 14);
            prop_assert!(fault.place.column - 14 + fault.length <= end, "{:?}", fault);
            prop_assert!(!fault.message.contains('\n'));
        }
        prop_assert_eq!(decide(&[gate(&text, 7)], &of(&[]), None).is_ok(), parsed.faults.is_empty());
    }

    #[test]
    fn a_rule_reads_back_what_it_shows(tag in "[ -~]{1,20}") {
        let text = format!("mean(tag: '{}') >= 0.5", tag.replace('\'', "''"));
        let rule = parse(&text).rule.unwrap();
        let again = format!("{} >= 0.5", rule.subject);
        prop_assert_eq!(parse(&again).rule, Some(rule));
    }

    #[test]
    fn lower_scores_never_improve_a_verdict(
        cases in any_cases(), gates in any_gates(), at in any::<prop::sample::Index>(), factor in 0.0..1.0_f64,
    ) {
        let better = decide(&gates, &of(&cases), None).unwrap();
        let mut lowered = cases;
        if !lowered.is_empty() {
            let at = at.index(lowered.len());
            for vote in lowered[at].samples.iter_mut().flat_map(|sample| &mut sample.votes) {
                vote.score = vote.score.map(|score| score * factor);
            }
        }
        let worse = decide(&gates, &of(&lowered), None).unwrap();
        prop_assert!(standing(worse.decision) <= standing(better.decision), "{} became {}", better.reason, worse.reason);
        for (better, worse) in better.gates.iter().zip(&worse.gates) {
            prop_assert!(!(better.outcome == Outcome::Fail && worse.outcome == Outcome::Pass));
        }
    }

    #[test]
    fn unscored_cases_never_turn_a_verdict_into_a_pass(
        cases in any_cases(), gates in any_gates(), more in 1_usize..5, critical in any::<bool>(),
    ) {
        let before = decide(&gates, &of(&cases), None).unwrap();
        let mut with_lost = cases;
        with_lost.extend((0..more).map(|i| CaseResult { critical, ..lost(&format!("lost-{i}")) }));
        let after = decide(&gates, &of(&with_lost), None).unwrap();
        prop_assert!(after.decision != Decision::Pass || before.decision == Decision::Pass);
        for (before, after) in before.gates.iter().zip(&after.gates) {
            prop_assert!(after.outcome != Outcome::Pass || before.outcome == Outcome::Pass);
        }
    }

    #[test]
    fn a_pass_means_that_something_was_scored(cases in any_cases(), gates in any_gates()) {
        let figures = of(&cases);
        let verdict = decide(&gates, &figures, None).unwrap();
        prop_assert!(!verdict.reason.is_empty() && !verdict.reason.contains('\n'));
        if verdict.decision == Decision::Pass {
            prop_assert!(figures.overall.scored > 0 && verdict.vetoes.is_empty());
            prop_assert!(verdict.undecided_critical.is_empty());
        }
    }
}

#[test]
fn the_quickstart_gates_of_the_design_are_read() {
    let requires = [
        "coverage >= 0.95",
        "mean >= 0.70",
        "pass_rate(tag: totals) >= 0.9",
        "drop(mean) <= 0.03",
        "mean <= 0.97",
    ];
    for gate in gates(&requires) {
        assert!(parse(&gate.require).faults.is_empty(), "{}", gate.require);
    }
}
