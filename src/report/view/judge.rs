//! A run's votes and anchors, and the anchors it shares with its baseline → how far the judge can be believed, in our
//! own words.

use crate::report::Record;
use crate::report::numbers::{count, interval, score, signed, signed_interval};
use crate::report::text::plural;
use crate::score::{Agreement, AnchorFigures, Drift};

use super::diff::MOVED;

/// Something that is known of the judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct OfJudge {
    pub text: String,
    /// Whether it puts the scores in doubt.
    pub bad: bool,
}

/// What is known of the judge; empty where it gave one vote an answer and has no anchors.
pub(in crate::report) fn of_judge(record: &Record) -> Vec<OfJudge> {
    let figures = &record.figures;
    let drifted = record.comparison.as_ref().and_then(|c| c.drift.as_ref());
    [
        figures.agreement.as_ref().map(agreement),
        figures.anchors.as_ref().map(anchors),
        drifted.map(drift),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn agreement(agreement: &Agreement) -> OfJudge {
    let alpha = agreement.alpha.map_or(String::new(), |alpha| {
        let spread = agreement
            .alpha_interval
            .map_or(String::new(), |spread| format!(" ({})", interval(spread)));
        format!("; Krippendorff's alpha {}{spread}", score(Some(alpha)))
    });
    let text = if agreement.max_spread <= MOVED {
        "its votes on one answer always agree".to_owned()
    } else {
        format!(
            "its votes on one answer differ by {} on average, {} at most{alpha}",
            score(Some(agreement.mean_spread)),
            score(Some(agreement.max_spread))
        )
    };
    OfJudge { text, bad: false }
}

fn anchors(anchors: &AnchorFigures) -> OfJudge {
    let figures = match (anchors.bias, anchors.worst) {
        (Some(bias), Some(worst)) => {
            format!(" (bias {}, {} at the worst)", signed(bias), score(Some(worst)))
        }
        _ => String::new(),
    };
    let unscored = match anchors.anchors.saturating_sub(anchors.scored) {
        0 => String::new(),
        n => format!(", {} without a score", count(n.into())),
    };
    let all = plural(anchors.anchors.into(), "anchor", "anchors");
    let text = match anchors.off {
        0 => format!("none of {all} scored off by more than tolerated{figures}{unscored}"),
        off => format!(
            "{} of {all} scored off by more than tolerated{figures}{unscored}",
            count(off.into())
        ),
    };
    OfJudge {
        text,
        bad: anchors.off > 0,
    }
}

fn drift(drift: &Drift) -> OfJudge {
    let spread = drift.interval.map_or(String::new(), |spread| {
        format!(" ({})", signed_interval(spread.low, spread.high))
    });
    OfJudge {
        text: format!(
            "{}on {} that both runs share it moved by {}{spread}, where ±{} is tolerated",
            if drift.drifted { "it drifted: " } else { "" },
            plural(drift.anchors.into(), "anchor", "anchors"),
            signed(drift.change),
            score(Some(drift.tolerance))
        ),
        bad: drift.drifted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn votes_that_agree_have_no_spread_to_tell_and_a_judge_that_is_off_is_bad() {
        let all = Agreement {
            answers: 4,
            cases: 4,
            mean_spread: 0.0,
            max_spread: 0.0,
            alpha: Some(1.0),
            alpha_interval: None,
        };
        assert_eq!(agreement(&all).text, "its votes on one answer always agree");
        let off = AnchorFigures {
            anchors: 8,
            scored: 7,
            off: 1,
            bias: Some(-0.02),
            worst: Some(0.3),
        };
        let told = anchors(&off);
        assert_eq!(
            told.text,
            "1 of 8 anchors scored off by more than tolerated (bias −0.020, 0.300 at the worst), 1 without a score"
        );
        assert!(told.bad);
        assert!(!anchors(&AnchorFigures { off: 0, ..off }).bad);
    }
}
