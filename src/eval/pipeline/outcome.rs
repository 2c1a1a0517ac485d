//! Samples and votes come in as they are done; case results go out in the suite's order, whole: what was
//! never asked says so.

use super::{Sample, Vote, VoteOutcome, answer, judge};
use crate::results::{AnswerOutcome, CaseResult, Stopped};
use crate::suite::Case;

/// What was done of a suite.
#[derive(Debug, Default)]
pub(in crate::eval) struct Outcome {
    /// By the case's position; cases behind the last one begun are missing. Samples in any order.
    samples: Vec<Vec<Sample>>,
    stopped: Option<Stopped>,
}

impl Outcome {
    /// Of a run that stopped before its first call.
    pub(in crate::eval) fn not_begun(stopped: Stopped) -> Outcome {
        Outcome {
            samples: Vec::new(),
            stopped: Some(stopped),
        }
    }

    pub(super) fn add_sample(&mut self, case: usize, sample: Sample) {
        if self.samples.len() <= case {
            self.samples.resize_with(case + 1, Vec::new);
        }
        self.samples[case].push(sample);
    }

    pub(super) fn add_vote(&mut self, case: usize, sample: u32, vote: Vote) {
        let samples = self.samples.get_mut(case);
        if let Some(sample) = samples.and_then(|samples| samples.iter_mut().find(|s| s.index == sample)) {
            sample.votes.push(vote);
        }
    }

    pub(super) fn stopped(mut self, stopped: Option<Stopped>) -> Outcome {
        self.stopped = stopped;
        self
    }

    /// One result per case, and why the run stopped where it did.
    pub(in crate::eval) fn into_cases(
        self,
        cases: &[Case],
        votes: u32,
    ) -> (Vec<CaseResult>, Option<Stopped>) {
        let done = self.samples.into_iter().chain(std::iter::repeat_with(Vec::new));
        let results = cases
            .iter()
            .zip(done)
            .map(|(case, samples)| result(case, samples, votes))
            .collect();
        (results, self.stopped)
    }
}

fn result(case: &Case, mut done: Vec<Sample>, votes: u32) -> CaseResult {
    done.sort_by_key(|sample| sample.index);
    let mut done = done.into_iter().peekable();
    let samples = (0..case.samples)
        .map(|index| match done.next_if(|sample| sample.index == index) {
            Some(sample) => with_every_vote(sample, votes),
            None => answer::without_answer(index, AnswerOutcome::NotAsked, Some(ended())),
        })
        .collect();
    CaseResult {
        id: case.id.clone(),
        fingerprint: case.fingerprint.clone(),
        place: case.place.clone(),
        tags: case.tags.clone(),
        group: case.group.clone(),
        weight: case.weight,
        critical: case.critical,
        holdout: case.holdout,
        pass_score: case.pass_score,
        messages: case.messages.clone(),
        parameters: case.parameters.clone(),
        reference: case.reference.clone(),
        samples,
    }
}

fn with_every_vote(mut sample: Sample, votes: u32) -> Sample {
    if sample.outcome != AnswerOutcome::Answered || sample.failed_a_check() {
        return sample;
    }
    sample.votes.sort_by_key(|vote| vote.index);
    let mut done = sample.votes.into_iter().peekable();
    sample.votes = (0..votes)
        .map(|index| match done.next_if(|vote| vote.index == index) {
            Some(vote) => vote,
            None => judge::unscored(index, VoteOutcome::NotAsked, ended(), Vec::new()),
        })
        .collect();
    sample
}

fn ended() -> String {
    "the run ended before the call was made or answered".to_owned()
}
