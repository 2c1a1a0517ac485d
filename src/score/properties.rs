//! What holds of the figures whatever the results.

use proptest::prelude::*;

use super::fixtures::{case, lost, results};
use super::{Figures, figures};
use crate::results::CaseResult;

fn any_case() -> impl Strategy<Value = CaseResult> {
    let scores = prop::collection::vec(prop_oneof![8 => 0.0..=1.0_f64, 1 => any::<f64>()], 0..4);
    let group = prop::option::of(prop::sample::select(vec!["a", "b", "c"]));
    (
        scores,
        prop_oneof![3 => Just(1.0), 1 => any::<f64>()],
        group,
        0.0..=1.0_f64,
    )
        .prop_map(|(scores, weight, group, pass_score)| CaseResult {
            weight,
            pass_score,
            group: group.map(str::to_owned),
            ..case("x", &scores)
        })
}

fn of(cases: Vec<CaseResult>) -> Figures {
    figures(&results(cases))
}

proptest! {
    #[test]
    fn every_figure_is_finite_and_in_its_range(cases in prop::collection::vec(any_case(), 0..30)) {
        let group = of(cases).overall;
        prop_assert_eq!(group.cases, group.scored + group.unscored);
        prop_assert!(group.passed <= group.scored && group.errors <= group.unscored);
        let shares = [group.coverage, group.error_rate, group.mean, group.median, group.min, group.p10,
            group.stddev, group.pass_rate];
        for share in shares.into_iter().flatten() {
            prop_assert!((0.0..=1.0).contains(&share), "{}", share);
        }
        for (figure, interval) in [(group.mean, group.mean_interval), (group.pass_rate, group.pass_rate_interval)] {
            if let (Some(figure), Some(interval)) = (figure, interval) {
                prop_assert!(0.0 <= interval.low && interval.high <= 1.0);
                prop_assert!(interval.low <= figure && figure <= interval.high);
                prop_assert!(interval.low < interval.high, "an interval of width zero");
            }
        }
        if let (Some(min), Some(p10), Some(median), Some(mean)) = (group.min, group.p10, group.median, group.mean) {
            prop_assert!(min <= p10 && p10 <= median && min <= mean);
        }
    }

    #[test]
    fn an_unscored_case_moves_coverage_and_no_score(
        cases in prop::collection::vec(any_case(), 1..20), at in any::<prop::sample::Index>(),
    ) {
        let before = of(cases.clone()).overall;
        let mut more = cases;
        more.insert(at.index(more.len()), lost("lost"));
        let after = of(more).overall;
        prop_assert_eq!((after.mean, after.median, after.pass_rate), (before.mean, before.median, before.pass_rate));
        prop_assert_eq!(after.mean_interval, before.mean_interval);
        prop_assert!(after.coverage < before.coverage || before.scored == 0);
    }

    #[test]
    fn the_order_of_cases_changes_nothing_but_the_last_bits(
        cases in prop::collection::vec(any_case(), 2..20).prop_shuffle(), turn in 0_usize..20,
    ) {
        let here = of(cases.clone()).overall;
        let mut turned = cases;
        let by = turn % turned.len();
        turned.rotate_left(by);
        let there = of(turned).overall;
        for (a, b) in [(here.mean, there.mean), (here.pass_rate, there.pass_rate), (here.stddev, there.stddev)] {
            prop_assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-9);
        }
        prop_assert_eq!(here.notes.len(), there.notes.len());
    }
}
