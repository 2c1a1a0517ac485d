//! Samples and votes come in as they are done; case results go out in the suite's order, whole: what was
//! never asked says so.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Evaluation, Exhibits, Known, Sample, Vote, answer};
use crate::eval::known::{can_be_judged, ended, with_every_vote};
use crate::results::{
    AnswerOutcome, Cached, CachedReplies, CaseResult, CasesBuilder, Kept, Left, StopKind, Stopped,
};
use crate::suite::{Case, Suite};

/// What was done of a suite. A case is packed as soon as its last judgement is there.
#[derive(Debug, Default)]
pub(in crate::eval) struct Outcome {
    done: CasesBuilder,
    /// Answers of cases that lack an answer or a judgement, by the case's position. In any order.
    open: BTreeMap<usize, Vec<Sample>>,
    /// Judgements of the exhibits, by position, in any order.
    beside: Vec<Vec<Vote>>,
    kept: Kept,
    /// Of the cases that are packed.
    left: Left,
    /// What of it is from the cache, and how many judgements there are in all.
    cached: CachedReplies,
    /// Whether anything came of this process's own calls.
    advanced: bool,
    tokens: u64,
    stopped: Option<Stopped>,
}

impl Outcome {
    /// Of a run that stopped before its first call.
    pub(in crate::eval) fn not_begun(
        suite: &Suite,
        exhibits: &Exhibits<'_>,
        mut known: Known,
        stopped: Stopped,
    ) -> Outcome {
        let mut outcome = Outcome::with_known(exhibits.take(&mut known.beside));
        for usable in known.usable(suite) {
            outcome.add_known(suite, usable.case, usable.sample);
        }
        outcome.stopped(Some(stopped))
    }

    /// With the judgements of exhibits from before.
    pub(super) fn with_known(beside: Vec<Vec<Vote>>) -> Outcome {
        let mut outcome = Outcome::default();
        beside.iter().flatten().for_each(|vote| outcome.note_beside(vote));
        Outcome { beside, ..outcome }
    }

    /// An answer from before, with its votes.
    pub(super) fn add_known(&mut self, suite: &Suite, case: usize, sample: Sample) {
        self.kept.answers += 1;
        self.kept.judgements += sample.votes.len() as u64;
        self.push(suite, case, sample);
    }

    /// An answer from the cache, with all its votes.
    pub(super) fn add_recalled(&mut self, suite: &Suite, case: usize, sample: Sample) {
        self.push(suite, case, sample);
    }

    pub(super) fn kept(&self) -> Kept {
        self.kept
    }

    pub(super) fn add_sample(&mut self, suite: &Suite, case: usize, sample: Sample) {
        self.advanced |= sample.cached.is_none();
        self.push(suite, case, sample);
    }

    fn push(&mut self, suite: &Suite, case: usize, sample: Sample) {
        self.cached.answers += u64::from(sample.cached.is_some());
        self.from(sample.cached.as_ref());
        sample.votes.iter().for_each(|vote| self.note(vote));
        self.open.entry(case).or_default().push(sample);
        self.pack_when_done(suite, case);
    }

    pub(super) fn add_vote(&mut self, suite: &Suite, case: usize, sample: u32, vote: Vote) {
        self.advanced |= vote.cached.is_none();
        self.note(&vote);
        let samples = self.open.get_mut(&case);
        if let Some(sample) = samples.and_then(|samples| samples.iter_mut().find(|s| s.index == sample)) {
            sample.votes.push(vote);
        }
        self.pack_when_done(suite, case);
    }

    fn pack_when_done(&mut self, suite: &Suite, at: usize) {
        let votes = suite.judge.votes;
        let (Some(case), Some(samples)) = (suite.cases.get(at), self.open.get(&at)) else {
            return;
        };
        let judged = |sample: &Sample| !can_be_judged(sample) || sample.votes.len() >= votes as usize;
        if samples.len() < case.samples as usize || !samples.iter().all(judged) {
            return;
        }
        let samples = self.open.remove(&at).unwrap_or_default();
        let result = result(case, samples, votes);
        self.left.add(&result, votes);
        self.done.put(at, &result, &case.texts);
    }

    pub(super) fn add_beside(&mut self, exhibit: usize, vote: Vote) {
        self.advanced |= vote.cached.is_none();
        self.note_beside(&vote);
        if let Some(votes) = self.beside.get_mut(exhibit) {
            votes.push(vote);
        }
    }

    fn note(&mut self, vote: &Vote) {
        self.cached.of_judgements += 1;
        self.cached.judgements += u64::from(vote.cached.is_some());
        self.from(vote.cached.as_ref());
    }

    fn note_beside(&mut self, vote: &Vote) {
        self.cached.beside += u64::from(vote.cached.is_some());
        self.from(vote.cached.as_ref());
    }

    fn from(&mut self, cached: Option<&Cached>) {
        let oldest = &mut self.cached.oldest;
        // Times of one form stand in the order of their texts.
        if let Some(cached) = cached
            && (oldest.is_empty() || cached.at < *oldest)
        {
            oldest.clone_from(&cached.at);
        }
    }

    pub(super) fn stopped(mut self, stopped: Option<Stopped>) -> Outcome {
        self.stopped = stopped;
        self
    }

    /// Tokens that the chat calls took.
    pub(super) fn took(mut self, tokens: u64) -> Outcome {
        self.tokens = tokens;
        self
    }

    /// One result per case of the suite, and why the run stopped where it did.
    pub(in crate::eval) fn into_evaluation(
        mut self,
        suite: &Suite,
        exhibits: &Exhibits<'_>,
        duration: Duration,
    ) -> Evaluation {
        let (anchors, rejudged, beside) = exhibits.judged(self.beside);
        let votes = suite.judge.votes;
        let mut left = self.left;
        let cases = self.done.finish(suite.cases.len(), |at| {
            let case = &suite.cases[at];
            let result = result(case, self.open.remove(&at).unwrap_or_default(), votes);
            left.add(&result, votes);
            (result, case.texts.clone())
        });
        let cached = CachedReplies {
            of_answers: left.of_answers,
            ..self.cached
        };
        Evaluation {
            cases,
            anchors,
            rejudged,
            stopped: self
                .stopped
                .filter(|stopped| match stopped.kind {
                    // A signal that came after the last call has ended nothing here.
                    StopKind::Interrupted => !left.is_nothing() || beside > 0,
                    // A limit may cost exhibits: the evaluation of the suite is whole without them.
                    StopKind::Budget | StopKind::Deadline => !left.is_nothing(),
                    StopKind::Unauthorized | StopKind::Unavailable | StopKind::Unrecorded => true,
                })
                .map(|stopped| with_the_rest(stopped, left, beside, self.advanced)),
            duration,
            kept: self.kept,
            cached: Some(cached).filter(|cached| !cached.oldest.is_empty()),
            tokens: self.tokens,
        }
    }
}

/// An end that the same command can go on from says what is left.
fn with_the_rest(mut stopped: Stopped, left: Left, beside: u64, advanced: bool) -> Stopped {
    let next = match stopped.kind {
        StopKind::Unauthorized | StopKind::Unavailable | StopKind::Unrecorded => return stopped,
        _ if left.is_nothing() && beside == 0 => return stopped,
        // A budget that holds not even one more call ends the next attempt as well.
        StopKind::Budget if !advanced => "give it more to go on",
        StopKind::Interrupted | StopKind::Deadline | StopKind::Budget => "the same command goes on from here",
    };
    let what = match (left.is_nothing(), beside) {
        (false, _) => format!("the evaluation is {left}"),
        (true, 1) => "1 judgement of an anchor or of the baseline was not asked".to_owned(),
        (true, n) => format!("{n} judgements of anchors or of the baseline were not asked"),
    };
    stopped.message = format!("{}, so {what}; {next}", stopped.message);
    stopped
}

fn result(case: &Case, mut done: Vec<Sample>, votes: u32) -> CaseResult {
    done.sort_by_key(|sample| sample.index);
    let mut done = done.into_iter().peekable();
    let samples = (0..case.samples)
        .map(|index| match done.next_if(|sample| sample.index == index) {
            Some(sample) => complete(sample, votes),
            None => answer::without_answer(index, AnswerOutcome::NotAsked, Some(ended())),
        })
        .collect();
    CaseResult {
        id: case.id.clone(),
        fingerprint: case.fingerprint.clone(),
        place: case.place.clone(),
        tags: (*case.tags).clone(),
        group: case.group.clone(),
        weight: case.weight,
        critical: case.critical,
        holdout: case.holdout,
        pass_score: case.pass_score,
        // They are held beside the result, and shared with the suite.
        messages: Vec::new(),
        parameters: (*case.parameters).clone(),
        reference: None,
        samples,
    }
}

fn complete(mut sample: Sample, votes: u32) -> Sample {
    if can_be_judged(&sample) {
        sample.votes = with_every_vote(sample.votes, votes);
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::fixtures::numbered;
    use crate::eval::judge::unscored;
    use crate::results::VoteOutcome;

    fn answered(index: u32) -> Sample {
        Sample {
            answer: Some("an answer".to_owned()),
            ..answer::without_answer(index, AnswerOutcome::Answered, None)
        }
    }

    fn vote(index: u32) -> Vote {
        unscored(index, VoteOutcome::Unparseable, String::new(), Vec::new())
    }

    #[test]
    fn a_case_is_packed_as_soon_as_its_last_judgement_is_there() {
        let mut suite = numbered(4);
        suite.judge.votes = 2;
        suite.cases[1].samples = 2;
        let mut outcome = Outcome::default();
        let open = |outcome: &mut Outcome, done: &mut dyn FnMut(&mut Outcome)| {
            done(outcome);
            outcome.open.keys().copied().collect::<Vec<_>>()
        };
        let failed = answer::without_answer(1, AnswerOutcome::Failed, None);
        assert_eq!(
            open(&mut outcome, &mut |o| o.add_sample(&suite, 1, failed.clone())),
            [1]
        );
        assert_eq!(
            open(&mut outcome, &mut |o| o.add_sample(&suite, 1, answered(0))),
            [1]
        );
        assert_eq!(
            open(&mut outcome, &mut |o| o.add_sample(&suite, 2, answered(0))),
            [1, 2]
        );
        assert_eq!(
            open(&mut outcome, &mut |o| o.add_vote(&suite, 1, 0, vote(1))),
            [1, 2]
        );
        assert_eq!(
            open(&mut outcome, &mut |o| o.add_vote(&suite, 1, 0, vote(0))),
            [2]
        );
        assert!(outcome.done.has(1) && !outcome.done.has(2));
        let exhibits = Exhibits::new(&suite, None);
        let cases = outcome.into_evaluation(&suite, &exhibits, Duration::ZERO).cases;
        let cases: Vec<CaseResult> = cases.iter().collect();
        let ids: Vec<&str> = cases.iter().map(|case| case.id.as_str()).collect();
        assert_eq!(ids, ["c0", "c1", "c2", "c3"]);
        let indices = |votes: &[Vote]| votes.iter().map(|vote| vote.index).collect::<Vec<_>>();
        assert_eq!(indices(&cases[1].samples[0].votes), [0, 1]);
        assert_eq!(cases[1].samples[1].outcome, AnswerOutcome::Failed);
        assert_eq!(cases[2].samples[0].votes[0].outcome, VoteOutcome::NotAsked);
        assert_eq!(cases[3].samples[0].outcome, AnswerOutcome::NotAsked);
    }
}
