//! What an earlier process of the same run paid for comes in; what of it can be used goes on, and every new
//! answer and judgement goes out to whoever keeps it, before anything else is begun.

use std::collections::{BTreeMap, BTreeSet};

use crate::results::{AnswerOutcome, Sample, Vote, VoteOutcome};
use crate::suite::Suite;

/// What an earlier process of this run was answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// Answers with the votes they have so far, by the case's id and the sample's index. An entry that is of no
    /// case or sample of the suite, or holds no reply of the model, is as good as none.
    pub samples: BTreeMap<(String, u32), Sample>,
    /// Of them, those that are rows of the dataset: no cycle sends anything for them any more, and so nothing of
    /// [`Limits::calls`](super::Limits::calls) is left over for them.
    pub written: BTreeSet<(String, u32)>,
}

/// Something that was paid for.
#[derive(Debug, Clone, Copy)]
pub enum Kept<'a> {
    /// An answer, without votes. Never one that failed or was not asked for.
    Answer {
        /// The case's id.
        case: &'a str,
        /// The answer.
        sample: &'a Sample,
    },
    /// A judgement of an answer that was kept before. Never one that failed or was not asked for.
    Vote {
        /// The case's id.
        case: &'a str,
        /// The sample's index, from 0.
        sample: u32,
        /// The judgement.
        vote: &'a Vote,
    },
}

/// Keeps what was paid for. It is called as soon as a reply is there, one at a time, and nothing is begun before
/// it returns. What it says when it fails ends the evaluation.
pub type Keep<'k> = dyn Fn(Kept<'_>) -> Result<(), String> + Sync + 'k;

impl Known {
    /// Whether nothing has to be sent for an answer any more.
    pub(super) fn is_written(&self, case: &str, sample: u32) -> bool {
        !self.written.is_empty() && self.written.contains(&(case.to_owned(), sample))
    }

    /// What can be used for this suite: the case's position and the answer with its votes, in the suite's order.
    pub(super) fn take(&mut self, suite: &Suite) -> Vec<(usize, Sample)> {
        let mut usable = Vec::new();
        if self.samples.is_empty() {
            return usable;
        }
        for (at, case) in suite.cases.iter().enumerate() {
            for index in 0..case.samples {
                let known = self.samples.remove(&(case.id.clone(), index));
                usable.extend(
                    known
                        .and_then(|sample| used(sample, index, suite.judge.votes))
                        .map(|sample| (at, sample)),
                );
            }
        }
        usable
    }
}

/// An answer as it goes on, or nothing where it has to be asked for again.
fn used(mut sample: Sample, index: u32, votes: u32) -> Option<Sample> {
    if !came(&sample) {
        return None;
    }
    sample.index = index;
    if !can_be_judged(&sample) {
        sample.votes.clear();
    }
    let mut seen = BTreeSet::new();
    sample
        .votes
        .retain(|vote| vote.index < votes && judged(vote) && seen.insert(vote.index));
    Some(sample)
}

/// Whether the model replied: the call was paid for, whatever the reply was worth.
pub(super) fn came(sample: &Sample) -> bool {
    match sample.outcome {
        AnswerOutcome::Answered => sample.answer.is_some(),
        AnswerOutcome::Empty | AnswerOutcome::Truncated | AnswerOutcome::Null | AnswerOutcome::Filtered => {
            true
        }
        AnswerOutcome::Failed | AnswerOutcome::NotAsked => false,
    }
}

/// Whether the judge said what can be said: a score, or twice nothing that could be read.
pub(super) fn judged(vote: &Vote) -> bool {
    match vote.outcome {
        VoteOutcome::Scored => vote.score.is_some_and(|score| (0.0..=1.0).contains(&score)),
        VoteOutcome::Unparseable => true,
        VoteOutcome::Failed | VoteOutcome::NotAsked => false,
    }
}

/// Whether an answer has a score: of a failed check, or of a judgement.
pub(super) fn has_score(sample: &Sample) -> bool {
    let scored = |vote: &Vote| vote.outcome == VoteOutcome::Scored;
    came(sample) && (sample.failed_a_check() || sample.votes.iter().any(scored))
}

/// Whether an answer goes to the judge.
pub(super) fn can_be_judged(sample: &Sample) -> bool {
    sample.outcome == AnswerOutcome::Answered && sample.answer.is_some() && !sample.failed_a_check()
}
