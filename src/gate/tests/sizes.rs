//! What `check` says of a drop that can't be tested, or has too few cases for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::faults::{faults, underlined};
use super::{gates, otherwise};
use crate::gate::{Known, check};
use crate::suite::{Case, Otherwise, Place, Severity, Wording};

fn cases(number: usize, tag: &str, group: Option<&str>) -> Vec<Case> {
    let case = |i| Case {
        id: format!("{tag}-{i}"),
        texts: Wording::default().into(),
        tags: Arc::new(BTreeSet::from([tag.to_owned()])),
        group: group.map(str::to_owned),
        weight: 1.0,
        critical: false,
        holdout: i == 0,
        samples: 1,
        pass_score: 0.7,
        parameters: Arc::default(),
        checks: Arc::default(),
        fingerprint: String::new(),
        place: Place {
            file: "suite.yaml".into(),
            line: 1,
            column: 1,
        },
    };
    (0..number).map(case).collect()
}

fn told(cases: Option<&[Case]>, require: &str) -> Vec<String> {
    let known = Known {
        cases,
        ..Known::nothing()
    };
    let found = check(&gates(&[require]), &known);
    assert!(
        found.iter().all(|fault| fault.severity == Severity::Warning),
        "{found:?}"
    );
    found.into_iter().map(|fault| fault.message).collect()
}

#[test]
fn a_drop_of_too_few_cases_is_a_warning() {
    let mut all = cases(9, "few", None);
    all.extend(cases(40, "one-document", Some("g")));
    let always = "with a baseline this gate is always inconclusive";
    for (require, said) in [
        ("drop(mean) <= 0.1", None),
        (
            "drop(mean(tag: few)) <= 0.1",
            Some("it takes 10 cases and has 9 cases"),
        ),
        (
            "drop(pass_rate(tag: one-document)) <= 0.1",
            Some("it takes 10 cases and has 40 cases of which 1 are independent of each other"),
        ),
        (
            "drop(mean(holdout)) <= 0.1",
            Some("it takes 10 cases and has 2 cases"),
        ),
        ("drop(median) <= 0.1", Some("it takes 50 cases and has 49 cases")),
        ("mean(tag: few) >= 0.1", None),
    ] {
        let expected: Vec<String> = said.map(|said| format!("{always}: {said}")).into_iter().collect();
        assert_eq!(told(Some(&all), require), expected, "{require}");
        assert_eq!(told(None, require), [] as [String; 0]);
    }
    let ten = cases(10, "few", None);
    assert_eq!(told(Some(&ten), "drop(mean(tag: few)) <= 0.1"), [] as [String; 0]);
}

#[test]
fn a_gate_that_only_warns_may_wait_for_its_cases() {
    let few = cases(2, "few", None);
    let known = Known {
        cases: Some(&few),
        ..Known::nothing()
    };
    let gate = otherwise("drop(mean) <= 0.1", Otherwise::Warn);
    assert_eq!(check(&[gate], &known), []);
}

#[test]
fn a_drop_that_no_test_can_be_held_to_is_refused_in_its_place() {
    let (lowest, one_case) = (
        "the drop of a lowest score can't be tested: one case decides it",
        "the drop of one case can't be tested",
    );
    for (text, at, message, help) in [
        ("drop(min) <= 0.03", "min", lowest, "write `min >= x`"),
        ("drop(min(tag: totals)) < 0.03", "min", lowest, "write `min >= x`"),
        (
            "drop(mean(case: a-1)) <= 0.03",
            "a-1",
            one_case,
            "`critical: true`",
        ),
        (
            "drop(min(case: a-1)) <= 0.03",
            "a-1",
            one_case,
            "`critical: true`",
        ),
    ] {
        let found = faults(&[text]);
        let [fault] = found.as_slice() else {
            panic!("{text}: {found:?}")
        };
        assert_eq!(
            (fault.severity, fault.message.as_str()),
            (Severity::Error, message),
            "{text}"
        );
        assert!(fault.help.as_deref().unwrap().contains(help), "{text}");
        assert_eq!(underlined(text, fault), at);
    }
    // Told beside what else is wrong; and neither is wrong without a drop.
    assert_eq!(faults(&["drop(min) >= 3"]).len(), 3);
    assert_eq!(faults(&["min >= 0.3", "mean(case: a-1) >= 0.3"]), []);
}
