//! Answers and judgements that gave no score → how many of each kind, of which cases, and what came back.

use std::collections::BTreeMap;

use crate::report::Record;
use crate::results::{AnswerOutcome, VoteOutcome};
use crate::score::Unscored;

/// Ids that are listed for a kind, at most.
const IDS: usize = 20;
/// Different texts that are listed for a kind, at most.
const DETAILS: usize = 3;

/// One kind of trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Problem<'a> {
    /// In our own words.
    pub what: &'static str,
    /// Answers or judgements that it befell.
    pub count: u64,
    /// Cases that have no score because of it.
    pub unscored: u64,
    /// Cases that it befell.
    pub cases: u64,
    /// The first of them, in the suite's order.
    pub ids: Vec<&'a str>,
    /// What came back, the most frequent first, with how often.
    pub details: Vec<(&'a str, u64)>,
}

#[derive(Default)]
struct Tally<'a> {
    count: u64,
    unscored: u64,
    cases: u64,
    ids: Vec<&'a str>,
    details: BTreeMap<&'a str, u64>,
}

/// In the order of an evaluation: first the answers, then the judgements.
pub(super) fn problems(record: &Record) -> Vec<Problem<'_>> {
    let mut tallies: BTreeMap<Unscored, Tally> = BTreeMap::new();
    let mut add = |kind: Unscored, id, detail: Option<_>| {
        let tally = tallies.entry(kind).or_default();
        tally.count += 1;
        // A case's entries come one after the other, so the last id tells whether it is counted.
        if tally.ids.last() != Some(&id) {
            tally.cases += 1;
            tally.ids.push(id);
        }
        if let Some(detail) = detail {
            *tally.details.entry(detail).or_default() += 1;
        }
    };
    for case in &record.results.cases {
        for sample in &case.samples {
            if let Some(kind) = answer_kind(sample.outcome) {
                add(kind, case.id.as_str(), sample.detail.as_deref());
            }
            for vote in &sample.votes {
                if let Some(kind) = vote_kind(vote.outcome) {
                    add(kind, case.id.as_str(), vote.detail.as_deref());
                }
            }
        }
    }
    for figure in &record.figures.cases {
        if let Some(tally) = figure.unscored.and_then(|kind| tallies.get_mut(&kind)) {
            tally.unscored += 1;
        }
    }
    tallies
        .into_iter()
        .map(|(kind, tally)| tally.problem(kind))
        .collect()
}

impl<'a> Tally<'a> {
    fn problem(mut self, kind: Unscored) -> Problem<'a> {
        let mut details: Vec<(&str, u64)> = self.details.into_iter().collect();
        details.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        details.truncate(DETAILS);
        self.ids.truncate(IDS);
        Problem {
            what: what(kind),
            count: self.count,
            unscored: self.unscored,
            cases: self.cases,
            ids: self.ids,
            details,
        }
    }
}

fn answer_kind(outcome: AnswerOutcome) -> Option<Unscored> {
    match outcome {
        AnswerOutcome::Answered => None,
        AnswerOutcome::Empty => Some(Unscored::EmptyAnswer),
        AnswerOutcome::Truncated => Some(Unscored::TruncatedAnswer),
        AnswerOutcome::Null => Some(Unscored::NullAnswer),
        AnswerOutcome::Filtered => Some(Unscored::FilteredAnswer),
        AnswerOutcome::Failed => Some(Unscored::AnswerFailed),
        AnswerOutcome::NotAsked => Some(Unscored::NotAsked),
    }
}

fn vote_kind(outcome: VoteOutcome) -> Option<Unscored> {
    match outcome {
        VoteOutcome::Scored => None,
        VoteOutcome::Unparseable => Some(Unscored::JudgeUnparseable),
        VoteOutcome::Failed => Some(Unscored::JudgeFailed),
        VoteOutcome::NotAsked => Some(Unscored::NotAsked),
    }
}

/// A kind in a reader's words.
pub(in crate::report) fn what(kind: Unscored) -> &'static str {
    match kind {
        Unscored::EmptyAnswer => "empty answer",
        Unscored::TruncatedAnswer => "truncated answer",
        Unscored::NullAnswer => "no answer text",
        Unscored::FilteredAnswer => "answer withheld by the service",
        Unscored::AnswerFailed => "answer call failed",
        Unscored::JudgeUnparseable => "unreadable judgement",
        Unscored::JudgeFailed => "judge call failed",
        Unscored::NotAsked => "not asked",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn trouble_is_counted_by_kind() {
        let record = fixtures::failing();
        let problems = problems(&record);
        let told: Vec<(&str, u64, u64)> = problems.iter().map(|p| (p.what, p.count, p.unscored)).collect();
        assert_eq!(
            told,
            [
                ("truncated answer", 1, 1),
                ("answer call failed", 2, 1),
                ("unreadable judgement", 1, 1)
            ]
        );
        assert_eq!(problems[1].ids, ["flaky-samples", "vendor-name"]);
        assert_eq!(
            problems[1].details[0].1, 2,
            "the same text is told once, with how often"
        );
    }

    #[test]
    fn lists_are_bounded() {
        let mut record = fixtures::large(100, 10);
        for (at, case) in record.results.cases.iter_mut().enumerate() {
            case.samples[0].outcome = AnswerOutcome::Failed;
            case.samples[0].detail = Some(format!("fault {}", at % 7));
            case.samples[0].votes.clear();
        }
        let problems = problems(&record);
        assert_eq!((problems[0].count, problems[0].cases), (100, 100));
        assert_eq!((problems[0].ids.len(), problems[0].details.len()), (IDS, DETAILS));
    }
}
