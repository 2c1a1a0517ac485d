//! The rules of a suite in, the least coverage at which they say anything out; figures in, why they are below it out.

use crate::score::{Group, Selector};

use super::rule::{Metric, Op, Rule, Subject};
use super::{DEFAULT_COVERAGE, wording};

/// The least coverage at which the gates say anything.
pub(super) struct Floor {
    pub(super) rule: Rule,
    /// The suite did not ask for it.
    pub(super) implied: bool,
}

impl Floor {
    pub(super) fn of(rules: &[Rule]) -> Floor {
        let strictest = |a: &&Rule, b: &&Rule| {
            a.bound
                .total_cmp(&b.bound)
                .then_with(|| (a.op == Op::Above).cmp(&(b.op == Op::Above)))
        };
        let own = rules
            .iter()
            .filter(|rule| rule.is_coverage_floor())
            .max_by(strictest);
        let subject = Subject {
            metric: Metric::Coverage,
            selector: Selector::All,
            drop: false,
        };
        let default = || Rule {
            subject,
            op: Op::AtLeast,
            bound: DEFAULT_COVERAGE,
        };
        Floor {
            implied: own.is_none(),
            rule: own.cloned().unwrap_or_else(default),
        }
    }

    /// Why the run is below the floor, if it is.
    pub(super) fn breach(&self, overall: &Group) -> Option<String> {
        let bound = wording::bound(&self.rule);
        let Some(coverage) = overall.coverage else {
            return Some(format!(
                "the run has no cases, so there is no coverage to reach the floor {bound}"
            ));
        };
        let shown = wording::figure(coverage, &self.rule);
        let lost = wording::counted(overall.cases as usize, "case", "cases");
        if overall.scored == 0 {
            return Some(format!(
                "no case has a score (coverage {shown} of {lost}, the floor is {bound})"
            ));
        }
        if self.rule.op.holds(coverage, self.rule.bound) {
            return None;
        }
        let relation = wording::relation(self.rule.op, false);
        let errors = match overall.errors {
            0 => String::new(),
            n => format!(", {n} of them because a call failed"),
        };
        Some(format!(
            "coverage {shown} {relation} the floor {bound}: {} of {lost} unscored{errors}",
            overall.unscored
        ))
    }
    /// Why too few of the cases that are the same in two runs have a score in both, if they are: so many have, so
    /// many have not.
    pub(super) fn thin(&self, (scored, unscored): (u32, u32)) -> Option<String> {
        let all = u64::from(scored) + u64::from(unscored);
        if all == 0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "two numbers of cases, far below 2^53")]
        let coverage = f64::from(scored) / all as f64;
        if self.rule.op.holds(coverage, self.rule.bound) {
            return None;
        }
        Some(format!(
            "of {} that are the same in both runs {scored} are scored in both: {} {} the floor {}",
            wording::counted(usize::try_from(all).unwrap_or(usize::MAX), "case", "cases"),
            wording::figure(coverage, &self.rule),
            wording::relation(self.rule.op, false),
            wording::bound(&self.rule)
        ))
    }
}
