//! The judge's scores of the same anchors in two runs in, whether it is still the same judge out.

use std::collections::{BTreeMap, BTreeSet};

use crate::results::{AnchorResult, BaselineAnchor};
use crate::score::anchors::{anchor_score, mean_tolerance, tolerance};
use crate::score::case::{count, extremes};
use crate::score::interval::{Observation, standard_error};
use crate::score::student::t_950;
use crate::score::summation::mean;
use crate::score::{Interval, TOLERANCE};

use super::Drift;

/// What the anchors that two runs share say of the judge; none where they share none with a score in both.
///
/// An equivalence test (Schuirmann 1987): the judge counts as the same when the 90 % interval of its mean change lies
/// within ±tolerance, which is two one-sided tests at 5 %. Where there is no interval, the change itself decides.
pub(super) fn drift(now: &[AnchorResult], before: &[BaselineAnchor]) -> Option<Drift> {
    let usable = before.iter().filter(|anchor| (0.0..=1.0).contains(&anchor.score));
    let mut open: BTreeMap<&str, f64> = usable.map(|a| (a.fingerprint.as_str(), a.score)).collect();
    let mut changes = BTreeMap::new();
    for anchor in now {
        let Some(score) = anchor_score(anchor) else {
            continue;
        };
        // Taken out: an anchor that stands in a suite twice is one.
        if let Some(earlier) = open.remove(anchor.fingerprint.as_str()) {
            changes.insert(anchor.fingerprint.as_str(), (score - earlier, tolerance(anchor)));
        }
    }
    let (changes, tolerances): (Vec<f64>, Vec<f64>) = changes.into_values().unzip();
    let (change, tolerance) = (mean(&changes)?, mean_tolerance(&tolerances));
    let interval = interval(&changes, change);
    let Interval { low, high } = interval.unwrap_or(Interval {
        low: change,
        high: change,
    });
    Some(Drift {
        anchors: count(changes.len()),
        change,
        interval,
        tolerance,
        drifted: low < -tolerance - TOLERANCE || high > tolerance + TOLERANCE,
    })
}

/// `change ± t(0.95, n − 1)·SE`.
fn interval(changes: &[f64], change: f64) -> Option<Interval> {
    let (low, high) = extremes(changes);
    if high - low <= TOLERANCE {
        return None;
    }
    let alone = |value: &f64| Observation {
        value: *value,
        weight: 1.0,
        group: None,
    };
    let observations: Vec<Observation<'_>> = changes.iter().map(alone).collect();
    let found = standard_error(&observations, change).ok()?;
    let half = t_950(found.freedom) * found.error;
    Some(Interval {
        low: change - half,
        high: change + half,
    })
}

/// Why the anchors leave open whether the judge is the same, for a person, where too many of them were not judged: fewer
/// than half of those that the baseline has a score of, or one alone of several. Those that are left may be the ones that
/// a changed judge can still answer, and a single one has no interval to fail by. Where the baseline has none of them it
/// takes one: a run that never judges its anchors would never be held to them.
pub(super) fn unjudged(now: &[AnchorResult], before: &[BaselineAnchor]) -> Option<String> {
    let scored: BTreeSet<&str> = of(now.iter().filter(|anchor| anchor_score(anchor).is_some()));
    let mut asked = of(now.iter());
    asked.retain(|fingerprint| before.iter().any(|earlier| earlier.fingerprint == *fingerprint));
    let (all, least) = match asked.len() {
        0 => (of(now.iter()), 1),
        shared => (asked, shared.div_ceil(2).max(shared.min(2))),
    };
    let told = all.intersection(&scored).count();
    if all.is_empty() || told >= least {
        return None;
    }
    let has = match (all.len() - told, all.len()) {
        (1, 1) => "the only anchor has no score".to_owned(),
        (open, all) => format!("{open} of {all} anchors have no score"),
    };
    Some(format!(
        "{has} in this run, so the judge can't be shown to be the same: run the same command again, or score the \
         baseline's answers again with `--rejudge-baseline`"
    ))
}

fn of<'a>(anchors: impl Iterator<Item = &'a AnchorResult>) -> BTreeSet<&'a str> {
    anchors.map(|anchor| anchor.fingerprint.as_str()).collect()
}

/// Why two runs do not compare, for a person, where the judge drifted.
pub(super) fn why(drift: &Drift) -> Option<String> {
    if !drift.drifted {
        return None;
    }
    let Drift {
        anchors,
        change,
        tolerance,
        ..
    } = drift;
    let shared = match anchors {
        1 => "1 anchor".to_owned(),
        n => format!("{n} anchors"),
    };
    let way_out = "score the baseline's answers again with `--rejudge-baseline`";
    let Some(Interval { low, high }) = drift.interval else {
        return Some(format!(
            "the judge has drifted: its scores of {shared} changed by {change:+.3}, more than ±{tolerance:.3}; {way_out}"
        ));
    };
    let (what, then) = if change.abs() > *tolerance {
        ("the judge has drifted", "")
    } else {
        (
            "the judge can't be shown to be the same",
            ", or write more anchors",
        )
    };
    Some(format!(
        "{what}: its scores of {shared} changed by {change:+.3} on average (90 % interval {low:+.3} to {high:+.3}), \
         which leaves ±{tolerance:.3}; {way_out}{then}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixtures::anchor;

    fn pairs(scores: &[(f64, f64)], tolerance: f64) -> Option<Drift> {
        let names: Vec<String> = (0..scores.len()).map(|i| i.to_string()).collect();
        let now: Vec<AnchorResult> = names
            .iter()
            .zip(scores)
            .map(|(name, (now, _))| anchor(name, 0.5, tolerance, &[*now]))
            .collect();
        let before: Vec<BaselineAnchor> = names
            .iter()
            .zip(scores)
            .map(|(name, (_, before))| BaselineAnchor {
                fingerprint: name.clone(),
                score: *before,
            })
            .collect();
        drift(&now, &before)
    }

    #[test]
    fn a_judge_that_says_the_same_has_not_drifted() {
        let same = pairs(&[(0.9, 0.9), (0.2, 0.2)], 0.1).unwrap();
        assert_eq!((same.anchors, same.interval, same.drifted), (2, None, false));
        assert_eq!(why(&same), None);
        assert!(
            !pairs(&[(0.7, 0.6)], 0.1).unwrap().drifted,
            "as far as the tolerance, up to rounding"
        );
    }

    #[test]
    fn a_change_without_spread_decides_by_itself() {
        let moved = pairs(&[(0.9, 0.7), (0.4, 0.2), (0.3, 0.1)], 0.1).unwrap();
        assert_eq!((moved.interval, moved.drifted), (None, true));
        assert!(
            why(&moved)
                .unwrap()
                .contains("changed by +0.200, more than ±0.100")
        );
    }

    #[test]
    fn too_few_anchors_to_tell_are_not_the_same_judge() {
        let unsure = pairs(&[(0.5, 0.4), (0.4, 0.5)], 0.1).unwrap();
        assert!(unsure.change.abs() < 1e-12 && unsure.drifted);
        assert!(why(&unsure).unwrap().contains("can't be shown to be the same"));
    }

    #[test]
    fn anchors_pair_by_fingerprint_once_and_scores_out_of_range_not_at_all() {
        let before = |fingerprint: &str, score| BaselineAnchor {
            fingerprint: fingerprint.to_owned(),
            score,
        };
        let now = [
            anchor("a", 0.5, 0.1, &[0.6]),
            anchor("a", 0.5, 0.1, &[0.9]),
            anchor("b", 0.5, 0.1, &[]),
            anchor("c", 0.5, 0.1, &[0.1]),
        ];
        let found = drift(&now, &[before("a", 0.6), before("b", 0.5), before("c", 7.0)]).unwrap();
        assert_eq!((found.anchors, found.change), (1, 0.0));
        assert_eq!(drift(&now, &[before("d", 0.5)]), None);
    }

    #[test]
    fn anchors_without_a_score_do_not_vouch_for_the_judge() {
        let before = |names: &[&str]| -> Vec<BaselineAnchor> {
            let of = |name: &&str| BaselineAnchor {
                fingerprint: (*name).to_owned(),
                score: 0.5,
            };
            names.iter().map(of).collect()
        };
        let run = |scored: &[&str], open: &[&str]| -> Vec<AnchorResult> {
            let scored = scored.iter().map(|name| anchor(name, 0.5, 0.1, &[0.5]));
            scored
                .chain(open.iter().map(|name| anchor(name, 0.5, 0.1, &[])))
                .collect()
        };
        let all = before(&["a", "b", "c", "d"]);
        assert_eq!(unjudged(&run(&["a", "b"], &["c", "d"]), &all), None);
        assert_eq!(unjudged(&run(&["a"], &[]), &all), None, "the suite has one alone");
        assert_eq!(unjudged(&[], &all), None);
        assert_eq!(
            unjudged(&run(&["e"], &["f", "g"]), &all),
            None,
            "there is none to compare"
        );
        let why = unjudged(&run(&["a"], &["b"]), &all).unwrap();
        assert!(
            why.starts_with("1 of 2 anchors have no score in this run"),
            "{why}"
        );
        let why = unjudged(&run(&[], &["a"]), &all).unwrap();
        assert!(why.starts_with("the only anchor has no score"), "{why}");
        for (scored, open) in [
            (&[][..], &["a", "b", "c"][..]),
            (&["e", "f"], &["a"]),
            (&[], &["e"]),
        ] {
            assert!(
                unjudged(&run(scored, open), &all).is_some(),
                "{scored:?} {open:?}"
            );
        }
    }
}
