//! The comparison and its gates → the word for it: better, worse, within noise, or that it can't be told, and why.

use crate::gate::{GateVerdict, Outcome};
use crate::score::Comparison;

use super::MOVED;

/// Fewer independent cases carry no verdict.
const ENOUGH: u32 = 10;

/// Where a run stands against its baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) enum Standing {
    /// The whole interval of the mean is above 0.
    Better,
    /// A `drop(…)` gate failed, or the whole interval of the mean is below 0.
    Worse,
    /// The whole interval of the mean is below 0, by less than the gates allow.
    WorseWithin,
    /// The interval of the mean holds 0.
    Noise,
    /// No score moved.
    Same,
    /// It can't be told, for this reason.
    Untold(String),
}

impl Standing {
    pub(super) fn new(comparison: &Comparison, gates: &[&GateVerdict]) -> Standing {
        let mean = &comparison.mean;
        let open = gates.iter().find(|gate| gate.outcome == Outcome::Inconclusive);
        if let Some(why) = &comparison.incomparable {
            return Standing::Untold(why.clone());
        }
        if gates.iter().any(|gate| gate.outcome == Outcome::Fail) {
            return Standing::Worse;
        }
        let Some(difference) = mean.difference else {
            return Standing::Untold(
                open.map_or_else(|| "no case compares".to_owned(), |gate| gate.reason.clone()),
            );
        };
        if mean.n.min(mean.clusters) < ENOUGH {
            return Standing::Untold(match mean.n.min(mean.clusters) {
                1 => "one case that compares is too few".to_owned(),
                n => format!("{n} cases that compare are too few: {ENOUGH} carry a verdict"),
            });
        }
        // Where no gate could be tested at all, the interval of the mean is no answer to what was asked.
        if let Some(gate) = open
            && gates.iter().all(|gate| gate.test.is_none())
        {
            return Standing::Untold(gate.reason.clone());
        }
        match (mean.low, mean.high) {
            (Some(low), _) if low > 0.0 => Standing::Better,
            (_, Some(high)) if high < 0.0 && gates.is_empty() => Standing::Worse,
            (_, Some(high)) if high < 0.0 => match open {
                Some(gate) => Standing::Untold(gate.reason.clone()),
                None => Standing::WorseWithin,
            },
            (Some(_), Some(_)) => match open {
                Some(gate) => Standing::Untold(gate.reason.clone()),
                None => Standing::Noise,
            },
            // Without spread there is no interval, and no noise either.
            _ if difference.abs() <= MOVED => Standing::Same,
            _ if difference > 0.0 => Standing::Better,
            _ if gates.is_empty() => Standing::Worse,
            _ => Standing::WorseWithin,
        }
    }

    /// In a reader's words.
    pub(in crate::report) fn words(&self) -> &'static str {
        match self {
            Standing::Better => "better",
            Standing::Worse => "worse",
            Standing::WorseWithin => "worse, and within what the gates allow",
            Standing::Noise => "within noise",
            Standing::Same => "the same",
            Standing::Untold(_) => "can't be told",
        }
    }

    /// As scripts know it.
    pub(in crate::report) fn name(&self) -> &'static str {
        match self {
            Standing::Better => "better",
            Standing::Worse => "worse",
            Standing::WorseWithin => "worse_within_gates",
            Standing::Noise => "within_noise",
            Standing::Same => "same",
            Standing::Untold(_) => "unknown",
        }
    }

    pub(in crate::report) fn why(&self) -> Option<&str> {
        match self {
            Standing::Untold(why) => Some(why),
            _ => None,
        }
    }
}
