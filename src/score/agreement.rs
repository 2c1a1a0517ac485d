//! Judgements of the same answers in, how far they agree out.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::results::CaseResult;

use super::case::{count, extremes, sample_score, vote_scores};
use super::random::Random;
use super::summation::{mean, quantile, sum};
use super::{Interval, TOLERANCE};

/// How far the judge agrees with itself on answers that it judged twice or more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Agreement {
    /// Answers with two scored votes or more.
    pub answers: u32,
    /// Cases that these answers are of.
    pub cases: u32,
    /// The mean over these answers of the largest minus the smallest vote, 0..1.
    pub mean_spread: f64,
    /// The largest of these spreads.
    pub max_spread: f64,
    /// Krippendorff's alpha for interval data: 1 is perfect, 0 is chance. Absent where all votes are one number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// Its 95 % interval: percentile bootstrap over whole cases (or groups).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha_interval: Option<Interval>,
}

/// Resamples behind the interval of alpha.
const RESAMPLES: usize = 2_000;

/// Beyond so many independent cases or groups alpha goes without an interval: resampling them would take longer than
/// everything else, and the interval would be of no width to speak of.
const MOST: usize = 20_000;

/// A larger share of resamples in which all votes are one number leaves alpha without an interval.
const DEGENERATE: f64 = 0.01;

/// Two sums of squares closer to 0 than this are rounding.
const NOTHING: f64 = 1e-18;

/// What Krippendorff's alpha needs of some answers. Votes are counted from a common centre, so that no digits are lost.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// Votes.
    votes: f64,
    /// Σ vote.
    sum: f64,
    /// Σ vote².
    squares: f64,
    /// Σ over the answers of `Σ_{i≠j} (vote_i − vote_j)² / (m − 1)`, m being the answer's votes.
    within: f64,
}

impl Sums {
    /// Of one answer's votes; there are two or more.
    fn of(votes: &[f64], centre: f64) -> Sums {
        let m = votes.len() as f64;
        let from_centre = || votes.iter().map(|vote| vote - centre);
        let own = sum(from_centre()) / m;
        // Σ_{i≠j} (x_i − x_j)² = 2m·Σ (x − x̄)².
        let spread = 2.0 * m * sum(from_centre().map(|x| (x - own).powi(2)));
        Sums {
            votes: m,
            sum: sum(from_centre()),
            squares: sum(from_centre().map(|x| x * x)),
            within: spread / (m - 1.0),
        }
    }

    fn add(&mut self, other: &Sums) {
        self.votes += other.votes;
        self.sum += other.sum;
        self.squares += other.squares;
        self.within += other.within;
    }

    /// `1 − D_o/D_e` with the disagreement observed within answers, `D_o = Σ within / N`, and the one expected by
    /// chance, `D_e = 2(N·Σx² − (Σx)²) / (N(N − 1))`: Krippendorff, *Computing Krippendorff's Alpha-Reliability* (2011),
    /// for interval data. None where all votes are one number.
    fn alpha(&self) -> Option<f64> {
        let observed = self.within / self.votes;
        let all = self.votes * self.squares - self.sum * self.sum;
        let expected = 2.0 * all / (self.votes * (self.votes - 1.0));
        (expected > NOTHING).then(|| 1.0 - observed / expected)
    }
}

/// The answers of a run with two scored votes or more, as its cases come in.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// The votes of each, and whose it is.
    answers: Vec<(usize, Vec<f64>)>,
    /// The cases that they are of: the id, and the group that the case shares with others.
    cases: Vec<(String, Option<String>)>,
}

impl Judged {
    pub(super) fn add(&mut self, case: &CaseResult) {
        let samples = case
            .samples
            .iter()
            .filter(|sample| sample_score(sample).is_some());
        let several = samples
            .map(|sample| vote_scores(&sample.votes))
            .filter(|votes| votes.len() > 1);
        let (of, before) = (self.cases.len(), self.answers.len());
        self.answers.extend(several.map(|votes| (of, votes)));
        if self.answers.len() > before {
            self.cases.push((case.id.clone(), case.group.clone()));
        }
    }

    /// How far the judge agrees with itself; none where no answer has two scored votes.
    pub(super) fn agreement(&self, suite_fingerprint: &str) -> Option<Agreement> {
        if self.answers.is_empty() {
            return None;
        }
        let spreads: Vec<f64> = self
            .answers
            .iter()
            .map(|(_, votes)| {
                let (low, high) = extremes(votes);
                high - low
            })
            .collect();
        let all: Vec<f64> = self
            .answers
            .iter()
            .flat_map(|(_, votes)| votes.iter().copied())
            .collect();
        let (centre, (low, high)) = (mean(&all)?, extremes(&all));

        let mut parts: BTreeMap<(bool, &str), Sums> = BTreeMap::new();
        for (of, votes) in &self.answers {
            let (id, group) = &self.cases[*of];
            // A group called like a case is not that case.
            let key = group
                .as_deref()
                .map_or((false, id.as_str()), |group| (true, group));
            parts.entry(key).or_default().add(&Sums::of(votes, centre));
        }
        let cases: BTreeSet<&str> = self.cases.iter().map(|(id, _)| id.as_str()).collect();
        let parts: Vec<Sums> = parts.into_values().collect();
        let mut total = Sums::default();
        parts.iter().for_each(|part| total.add(part));
        let alpha = total.alpha().filter(|_| high - low > TOLERANCE);
        Some(Agreement {
            answers: count(self.answers.len()),
            cases: count(cases.len()),
            mean_spread: mean(&spreads)?,
            max_spread: extremes(&spreads).1,
            alpha,
            alpha_interval: alpha.and_then(|_| interval(&parts, suite_fingerprint)),
        })
    }
}

/// The 95 % percentile interval of alpha over resampled cases or groups.
fn interval(parts: &[Sums], suite_fingerprint: &str) -> Option<Interval> {
    if !(2..=MOST).contains(&parts.len()) {
        return None;
    }
    let mut random = Random::seeded(suite_fingerprint, "alpha");
    let mut alphas: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            let mut total = Sums::default();
            for _ in 0..parts.len() {
                total.add(&parts[random.below(parts.len())]);
            }
            total.alpha()
        })
        .collect();
    if alphas.len() < (RESAMPLES as f64 * (1.0 - DEGENERATE)) as usize {
        return None;
    }
    alphas.sort_unstable_by(f64::total_cmp);
    let (low, high) = (quantile(&alphas, 0.025)?, quantile(&alphas, 0.975)?);
    (high - low > TOLERANCE).then_some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{case, lost_vote, sample, vote};
    use super::*;
    use crate::results::VoteOutcome;

    fn agreement(cases: Vec<CaseResult>) -> Option<Agreement> {
        let mut judged = Judged::default();
        cases.iter().for_each(|case| judged.add(case));
        judged.agreement("")
    }

    fn judged(id: &str, answers: &[&[f64]]) -> CaseResult {
        let votes = |scores: &[f64]| {
            let votes = scores.iter().map(|score| vote(VoteOutcome::Scored, Some(*score)));
            sample(votes.collect())
        };
        CaseResult {
            samples: answers.iter().map(|scores| votes(scores)).collect(),
            ..case(id, &[])
        }
    }

    #[test]
    fn one_vote_an_answer_is_no_agreement() {
        assert_eq!(agreement(vec![case("a", &[0.5, 0.7]), case("b", &[0.1])]), None);
        let mut lost = judged("a", &[&[0.5]]);
        lost.samples[0].votes.push(lost_vote());
        assert_eq!(agreement(vec![lost]), None);
    }

    #[test]
    fn spreads_are_of_the_answers_and_answers_are_not_cases() {
        let with = agreement(vec![judged("b", &[&[0.2, 0.3], &[0.4, 0.4]])]).unwrap();
        assert_eq!((with.answers, with.cases), (2, 1));
        assert!((with.mean_spread - 0.05).abs() < 1e-12 && (with.max_spread - 0.1).abs() < 1e-12);
        assert_eq!(with.alpha_interval, None, "one case can't be resampled");
    }

    #[test]
    fn perfect_agreement_is_one_and_has_no_interval_of_width_zero() {
        let cases = (0..12).map(|i| judged(&i.to_string(), &[&[f64::from(i) / 12.0; 3]]));
        let agreement = agreement(cases.collect()).unwrap();
        assert_eq!((agreement.alpha, agreement.alpha_interval), (Some(1.0), None));
    }

    #[test]
    fn votes_that_are_all_one_number_have_no_alpha() {
        let cases = (0..12).map(|i| judged(&i.to_string(), &[&[0.7, 0.1 + 0.6]]));
        let agreement = agreement(cases.collect()).unwrap();
        assert_eq!((agreement.alpha, agreement.alpha_interval), (None, None));
        assert_eq!(agreement.cases, 12);
    }

    #[test]
    fn the_interval_holds_alpha_and_is_the_same_again_in_any_order() {
        let cases: Vec<CaseResult> = (0..30)
            .map(|i| {
                let true_score = f64::from(i % 10) / 10.0;
                judged(&i.to_string(), &[&[true_score, (true_score + 0.1).min(1.0)]])
            })
            .collect();
        let here = agreement(cases.clone()).unwrap();
        let (alpha, interval) = (here.alpha.unwrap(), here.alpha_interval.unwrap());
        assert!(interval.low < alpha && alpha < interval.high && interval.high < 1.0);
        let there = agreement(cases.into_iter().rev().collect()).unwrap();
        assert_eq!(there.alpha_interval, here.alpha_interval);
    }
}
