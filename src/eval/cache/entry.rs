//! What is kept of a reply, and what it must be to be used again. Pure.
//!
//! Only replies that can be used are kept: an answer that came whole, a judgement with a score. Checks are no part of
//! them: they are run again.

use serde::{Deserialize, Serialize};

use crate::eval::answer::{MAX_ANSWER_BYTES, MAX_NAME};
use crate::eval::judge::MAX_TEXT;
use crate::results::{AnswerOutcome, Cached, Sample, Vote, VoteOutcome};

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::eval) struct AnswerEntry {
    answer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answered_by: Option<String>,
    latency_ms: u64,
}

/// A judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::eval) struct VoteEntry {
    score: f64,
    feedback: String,
    reasoning: String,
    latency_ms: u64,
}

impl AnswerEntry {
    /// What is kept of an answer that this run asked for; nothing where it can't be used as it is.
    pub(in crate::eval) fn of(sample: &Sample) -> Option<AnswerEntry> {
        let call = sample.call.as_ref().filter(|_| sample.cached.is_none())?;
        let entry = AnswerEntry {
            answer: sample.answer.clone()?,
            answered_by: sample.answered_by.clone(),
            latency_ms: call.latency_ms,
        };
        (sample.outcome == AnswerOutcome::Answered && entry.is_usable()).then_some(entry)
    }

    /// The answer as sample `index`, before its checks; nothing where it is none that a run would have taken.
    pub(in crate::eval) fn sample(self, index: u32, at: i64) -> Option<Sample> {
        let cached = cached(at, self.latency_ms)?;
        self.is_usable().then_some(Sample {
            index,
            outcome: AnswerOutcome::Answered,
            answer: Some(self.answer),
            answered_by: self.answered_by,
            call: None,
            cached: Some(cached),
            detail: None,
            checks: Vec::new(),
            votes: Vec::new(),
        })
    }

    fn is_usable(&self) -> bool {
        !self.answer.trim().is_empty()
            && self.answer.len() <= MAX_ANSWER_BYTES
            && self.answered_by.as_ref().is_none_or(|name| fits(name, MAX_NAME))
    }
}

impl VoteEntry {
    /// What is kept of a judgement that this run asked for; nothing where it has no score.
    pub(in crate::eval) fn of(vote: &Vote) -> Option<VoteEntry> {
        // The last question is the one that was answered.
        let call = vote.calls.last().filter(|_| vote.cached.is_none())?;
        let entry = VoteEntry {
            score: vote.score.filter(|_| vote.outcome == VoteOutcome::Scored)?,
            feedback: vote.feedback.clone()?,
            reasoning: vote.reasoning.clone()?,
            latency_ms: call.latency_ms,
        };
        entry.is_usable().then_some(entry)
    }

    /// The judgement as vote `index`; nothing where no judge could have given it.
    pub(in crate::eval) fn vote(self, index: u32, at: i64) -> Option<Vote> {
        let cached = cached(at, self.latency_ms)?;
        self.is_usable().then_some(Vote {
            index,
            outcome: VoteOutcome::Scored,
            score: Some(self.score),
            feedback: Some(self.feedback),
            reasoning: Some(self.reasoning),
            detail: None,
            calls: Vec::new(),
            cached: Some(cached),
        })
    }

    fn is_usable(&self) -> bool {
        (0.0..=1.0).contains(&self.score)
            && !self.score.is_sign_negative()
            && fits(&self.feedback, MAX_TEXT)
            && fits(&self.reasoning, MAX_TEXT)
    }
}

/// Whether a text is as short as whoever keeps one leaves it.
fn fits(text: &str, characters: usize) -> bool {
    text.len() <= 4 * characters && text.chars().count() <= characters
}

fn cached(at: i64, latency_ms: u64) -> Option<Cached> {
    let at = jiff::Timestamp::from_second(at).ok()?;
    Some(Cached {
        at: at.to_string(),
        latency_ms,
    })
}
