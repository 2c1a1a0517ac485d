//! What an earlier process of the same run paid for comes in; what of it can be used goes on, and every new
//! answer and judgement goes out to whoever keeps it, before anything else is begun.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::unscored;
use crate::results::{AnswerOutcome, Sample, Samples, Vote, VoteOutcome};
use crate::suite::Suite;

/// What an earlier process of this run was answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// Answers with the votes they have so far, by the case's id and the sample's index. An entry that is of no
    /// case or sample of the suite, or holds no reply of the model, is as good as none.
    pub samples: Samples,
    /// Of them, those that are rows of the dataset: no cycle sends anything for them any more, and so nothing of
    /// [`Limits::calls`](super::Limits::calls) is left over for them.
    pub written: BTreeSet<(String, u32)>,
    /// Judgements of the suite's anchors and of an earlier run's answers, by the key that they were kept under. A key
    /// that is of none of them any more is as good as none.
    pub beside: BTreeMap<String, Vec<Vote>>,
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
    /// A judgement of an anchor, or of an earlier run's answer. Never one that failed or was not asked for.
    Beside {
        /// What was judged, by its content: `anchor:` or `earlier:` and a hash. For this judge alone: whoever keeps it
        /// gives it back to runs with the same one.
        key: &'a str,
        /// The judgement.
        vote: &'a Vote,
    },
}

/// Keeps what was paid for. It is called as soon as a reply is there, one at a time, and nothing is begun before
/// it returns. What it says when it fails ends the evaluation.
pub type Keep<'k> = dyn Fn(Kept<'_>) -> Result<(), String> + Sync + 'k;

impl Known {
    /// What can be used for this suite, in the suite's order, one after the other: all of it at once would be much.
    pub(super) fn usable(self, suite: &Suite) -> impl Iterator<Item = Usable> {
        let Known {
            mut samples, written, ..
        } = self;
        let votes = suite.judge.votes;
        let all = suite.cases.iter().enumerate();
        all.flat_map(|(case, of)| (0..of.samples).map(move |index| (case, of, index)))
            .filter_map(move |(case, of, index)| {
                if samples.is_empty() {
                    return None;
                }
                let key = (of.id.clone(), index);
                let sample = used(samples.remove(&key)?, index, votes)?;
                Some(Usable {
                    case,
                    sample,
                    written: written.contains(&key),
                })
            })
    }
}

/// An answer from before that can be used.
#[derive(Debug)]
pub(super) struct Usable {
    /// The case's position.
    pub(super) case: usize,
    /// The answer, with its votes.
    pub(super) sample: Sample,
    /// Nothing has to be sent for it any more.
    pub(super) written: bool,
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
    sample.votes = usable_votes(sample.votes, votes);
    Some(sample)
}

/// Of judgements from before those that count: each once, and none beyond those that are asked for.
pub(super) fn usable_votes(mut votes: Vec<Vote>, most: u32) -> Vec<Vote> {
    let mut seen = BTreeSet::new();
    votes.retain(|vote| vote.index < most && judged(vote) && seen.insert(vote.index));
    votes
}

/// One vote for each that is asked for, by its index; where there is none it says so.
pub(super) fn with_every_vote(mut votes: Vec<Vote>, most: u32) -> Vec<Vote> {
    votes.sort_by_key(|vote| vote.index);
    let mut done = votes.into_iter().peekable();
    (0..most)
        .map(|index| match done.next_if(|vote| vote.index == index) {
            Some(vote) => vote,
            None => unscored(index, VoteOutcome::NotAsked, ended(), Vec::new()),
        })
        .collect()
}

/// What is said of a call that was not made, or whose reply did not come in time.
pub(super) fn ended() -> String {
    "the run ended before the call was made or answered".to_owned()
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
