//! What the judge made of its anchors in, how far off it is out.

use crate::results::AnchorResult;

use super::case::{count, judged};
use super::summation::{mean, sum};
use super::{AnchorFigures, TOLERANCE};

/// The score that the judge gave an anchor: the mean of its scored votes.
pub(super) fn anchor_score(anchor: &AnchorResult) -> Option<f64> {
    judged(&anchor.votes)
}

/// How far the judge may be off on this anchor; a number outside 0..1 (a results file edited by hand) is brought there.
pub(super) fn tolerance(anchor: &AnchorResult) -> f64 {
    anchor.tolerance.clamp(0.0, 1.0)
}

/// The figures of a run's anchors; none where it has none.
pub(super) fn anchor_figures(anchors: &[AnchorResult]) -> Option<AnchorFigures> {
    if anchors.is_empty() {
        return None;
    }
    let scored: Vec<(f64, f64)> = anchors
        .iter()
        .filter_map(|anchor| {
            Some((
                anchor_score(anchor)? - anchor.expected.clamp(0.0, 1.0),
                tolerance(anchor),
            ))
        })
        .collect();
    let errors: Vec<f64> = scored.iter().map(|(error, _)| *error).collect();
    let off = scored
        .iter()
        .filter(|(error, tolerance)| error.abs() > tolerance + TOLERANCE)
        .count();
    Some(AnchorFigures {
        anchors: count(anchors.len()),
        scored: count(scored.len()),
        off: count(off),
        bias: mean(&errors),
        worst: errors.iter().map(|error| error.abs()).reduce(f64::max),
    })
}

/// The mean tolerance of some anchors.
pub(super) fn mean_tolerance(tolerances: &[f64]) -> f64 {
    sum(tolerances.iter().copied()) / tolerances.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixtures::{anchor, lost_vote};

    #[test]
    fn an_anchor_is_off_beyond_its_own_tolerance_alone() {
        // 0.8 − 0.7 is more than 0.1 in floats, and is not off.
        let anchors = [
            anchor("a", 0.7, 0.1, &[0.8]),
            anchor("b", 0.7, 0.1, &[0.5, 0.6]),
            anchor("c", 0.2, 0.5, &[0.6]),
        ];
        let figures = anchor_figures(&anchors).unwrap();
        assert_eq!((figures.anchors, figures.scored, figures.off), (3, 3, 1));
        assert!((figures.bias.unwrap() - 0.35 / 3.0).abs() < 1e-12);
        assert!((figures.worst.unwrap() - 0.4).abs() < 1e-12);
    }

    #[test]
    fn an_anchor_without_a_score_is_no_number() {
        let mut lost = anchor("a", 0.7, 0.1, &[]);
        lost.votes.push(lost_vote());
        let figures = anchor_figures(&[lost]).unwrap();
        assert_eq!((figures.anchors, figures.scored, figures.off), (1, 0, 0));
        assert_eq!((figures.bias, figures.worst), (None, None));
        assert_eq!(anchor_figures(&[]), None);
    }

    #[test]
    fn a_file_edited_by_hand_makes_no_infinity() {
        let wild = anchor("a", 1e308, -1e308, &[0.5]);
        let figures = anchor_figures(&[wild.clone(), wild]).unwrap();
        assert_eq!((figures.bias, figures.off), (Some(-0.5), 2));
    }
}
