//! One case's answers and judgements in, its score out, or the reason why there is none.

use crate::results::{AnswerOutcome, CaseResult, Sample, Vote, VoteOutcome};

use super::summation::mean;
use super::{CaseFigure, TOLERANCE, Unscored};

/// The score of one answer: 0 when a check failed, else the mean of the scored votes, else none.
///
/// Only a complete answer can have a score. A vote whose score is missing or outside 0..1 (a results file
/// edited by hand) counts as unscored.
pub fn sample_score(sample: &Sample) -> Option<f64> {
    if sample.outcome != AnswerOutcome::Answered {
        return None;
    }
    if sample.failed_a_check() {
        return Some(0.0);
    }
    judged(&sample.votes)
}

/// The mean of the scored votes; none where there is none.
pub(super) fn judged(votes: &[Vote]) -> Option<f64> {
    mean(&vote_scores(votes))
}

/// Whether a score passes, with the rounding of a mean forgiven.
pub(super) fn passes(score: f64, pass_score: f64) -> bool {
    score >= pass_score - TOLERANCE
}

/// Everything that is said of one case. Its score is the mean over its scored samples of [`sample_score`]; none
/// where no sample has one.
pub(super) fn case_figure(case: &CaseResult) -> CaseFigure {
    let scores: Vec<f64> = case.samples.iter().filter_map(sample_score).collect();
    let score = mean(&scores);
    let failed = scores
        .iter()
        .filter(|score| !passes(**score, case.pass_score))
        .count();
    CaseFigure {
        id: case.id.clone(),
        score,
        passed: score.map(|score| passes(score, case.pass_score)),
        critical: case.critical,
        samples_scored: count(scores.len()),
        samples_failed: count(failed),
        vote_spread: vote_spread(case),
        unscored: score.is_none().then(|| why_unscored(case)),
    }
}

/// A count for a record; nothing in this program has more than `u32::MAX` entries.
pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn vote_score(vote: &Vote) -> Option<f64> {
    match vote.outcome {
        VoteOutcome::Scored => vote.score.filter(|score| (0.0..=1.0).contains(score)),
        VoteOutcome::Unparseable | VoteOutcome::Failed | VoteOutcome::NotAsked => None,
    }
}

/// The scores of the scored votes.
pub(super) fn vote_scores(votes: &[Vote]) -> Vec<f64> {
    votes.iter().filter_map(vote_score).collect()
}

fn vote_spread(case: &CaseResult) -> Option<f64> {
    let judged = case
        .samples
        .iter()
        .filter(|sample| sample_score(sample).is_some());
    let spreads = judged
        .map(|sample| vote_scores(&sample.votes))
        .filter(|votes| votes.len() > 1)
        .map(|votes| {
            let (low, high) = extremes(&votes);
            high - low
        });
    spreads.reduce(f64::max)
}

/// The lowest and the highest of some values; `(∞, −∞)` of nothing.
pub(super) fn extremes(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(*v), high.max(*v))
        })
}

/// The most telling reason, in the order that [`Unscored`] documents.
fn why_unscored(case: &CaseResult) -> Unscored {
    case.samples
        .iter()
        .flat_map(sample_reasons)
        .min_by_key(|reason| rank(*reason))
        .unwrap_or(Unscored::NotAsked)
}

fn sample_reasons(sample: &Sample) -> Vec<Unscored> {
    match sample.outcome {
        AnswerOutcome::Answered => sample.votes.iter().filter_map(vote_reason).collect(),
        AnswerOutcome::Empty => vec![Unscored::EmptyAnswer],
        AnswerOutcome::Truncated => vec![Unscored::TruncatedAnswer],
        AnswerOutcome::Null => vec![Unscored::NullAnswer],
        AnswerOutcome::Filtered => vec![Unscored::FilteredAnswer],
        AnswerOutcome::Failed => vec![Unscored::AnswerFailed],
        AnswerOutcome::NotAsked => vec![Unscored::NotAsked],
    }
}

fn vote_reason(vote: &Vote) -> Option<Unscored> {
    match vote.outcome {
        VoteOutcome::Scored if vote_score(vote).is_some() => None,
        VoteOutcome::Scored | VoteOutcome::Unparseable => Some(Unscored::JudgeUnparseable),
        VoteOutcome::Failed => Some(Unscored::JudgeFailed),
        VoteOutcome::NotAsked => Some(Unscored::NotAsked),
    }
}

fn rank(reason: Unscored) -> u8 {
    match reason {
        Unscored::AnswerFailed => 0,
        Unscored::JudgeFailed => 1,
        Unscored::JudgeUnparseable => 2,
        Unscored::FilteredAnswer => 3,
        Unscored::TruncatedAnswer => 4,
        Unscored::NullAnswer => 5,
        Unscored::EmptyAnswer => 6,
        Unscored::NotAsked => 7,
    }
}
