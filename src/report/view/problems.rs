//! Answers and judgements that gave no score → how many of each kind, of which cases, and what came back.

use std::collections::BTreeMap;

use crate::results::{AnswerOutcome, VoteOutcome};
use crate::score::{CaseFigure, Unscored};

use super::outline::Outline;

/// Ids that are listed for a kind, at most.
const IDS: usize = 20;
/// Different texts that are listed for a kind, at most.
const DETAILS: usize = 3;

/// Different texts that are counted for a kind, at most: what each case has of its own is no help to anybody.
const COUNTED: usize = 1_000;

/// One kind of trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Problem {
    /// In our own words.
    pub what: &'static str,
    /// Answers or judgements that it befell.
    pub count: u64,
    /// Cases that have no score because of it.
    pub unscored: u64,
    /// Cases that it befell.
    pub cases: u64,
    /// The first of them, in the suite's order.
    pub ids: Vec<String>,
    /// What came back, the most frequent first, with how often.
    pub details: Vec<(String, u64)>,
}

#[derive(Default)]
struct Tally {
    count: u64,
    unscored: u64,
    cases: u64,
    /// The position of the case that was counted last.
    last: Option<usize>,
    ids: Vec<String>,
    details: BTreeMap<String, u64>,
}

/// The trouble of a run, as its cases come in.
#[derive(Default)]
pub(super) struct Problems {
    tallies: BTreeMap<Unscored, Tally>,
}

impl Problems {
    /// Adds the case at this position.
    pub(super) fn add(&mut self, at: usize, case: Outline) {
        let Outline { id, samples, .. } = case;
        for sample in samples {
            if let Some(kind) = answer_kind(sample.outcome) {
                self.tally(kind).add(at, &id, sample.detail);
            }
            for vote in sample.votes {
                if let Some(kind) = vote_kind(vote.outcome) {
                    self.tally(kind).add(at, &id, vote.detail);
                }
            }
        }
    }

    fn tally(&mut self, kind: Unscored) -> &mut Tally {
        self.tallies.entry(kind).or_default()
    }

    /// In the order of an evaluation: first the answers, then the judgements.
    pub(super) fn told(mut self, figures: &[CaseFigure]) -> Vec<Problem> {
        for kind in figures.iter().filter_map(|figure| figure.unscored) {
            if let Some(tally) = self.tallies.get_mut(&kind) {
                tally.unscored += 1;
            }
        }
        self.tallies
            .into_iter()
            .map(|(kind, tally)| tally.problem(kind))
            .collect()
    }
}

impl Tally {
    fn add(&mut self, at: usize, id: &str, detail: Option<String>) {
        self.count += 1;
        // A case's entries come one after the other.
        if self.last != Some(at) {
            self.last = Some(at);
            self.cases += 1;
            if self.ids.len() < IDS {
                self.ids.push(id.to_owned());
            }
        }
        let Some(detail) = detail else { return };
        if let Some(times) = self.details.get_mut(&detail) {
            *times += 1;
        } else if self.details.len() < COUNTED {
            self.details.insert(detail, 1);
        }
    }

    fn problem(self, kind: Unscored) -> Problem {
        let mut details: Vec<(String, u64)> = self.details.into_iter().collect();
        details.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        details.truncate(DETAILS);
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
    use super::super::outline;
    use super::*;
    use crate::report::{Record, fixtures};

    fn problems(record: &Record) -> Vec<Problem> {
        outline::look(record).0
    }

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
        record.results.cases.edit(|cases| {
            for (at, case) in cases.iter_mut().enumerate() {
                case.samples[0].outcome = AnswerOutcome::Failed;
                case.samples[0].detail = Some(format!("fault {}", at % 7));
                case.samples[0].votes.clear();
            }
        });
        let problems = problems(&record);
        assert_eq!((problems[0].count, problems[0].cases), (100, 100));
        assert_eq!((problems[0].ids.len(), problems[0].details.len()), (IDS, DETAILS));
    }
}
