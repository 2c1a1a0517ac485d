//! A case or what is put before a judge comes in; the reply that an earlier run had to exactly that goes out, and the
//! replies of this run go to the cache.
//!
//! Whatever shapes a reply is part of the key that it is kept under. The judge's rendered prompt is not: it holds a nonce,
//! and what it is made of stands in the key. Anything of a reply's own day that can't be in a key, such as what a model's
//! alias stands for today, is why every reply from the cache is marked as one.

use std::sync::Arc;
use std::time::Duration;

use super::Settings;
use super::cache::{AnswerEntry, Cache, Key, Parts, VoteEntry};
use super::judge::{Judged, Subject};
use crate::results::{Sample, Vote};
use crate::suite::{BUILT_IN_JUDGE_PROMPT, Case, Judge, Suite};

/// The cache, as the evaluation of one suite asks it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recall<'a> {
    cache: Option<&'a Cache>,
    settings: &'a Settings,
    judge: &'a Judge,
    /// What comes is kept, and nothing is looked up.
    is_anew: bool,
}

impl<'a> Recall<'a> {
    pub(super) fn new(suite: &'a Suite, settings: &'a Settings) -> Recall<'a> {
        Recall {
            cache: settings.cache.as_ref().map(Arc::as_ref),
            settings,
            judge: &suite.judge,
            is_anew: false,
        }
    }

    /// The same, for what today's model is to say; where that is not so, as it is.
    pub(super) fn anew(self, is_anew: bool) -> Recall<'a> {
        Recall { is_anew, ..self }
    }

    pub(super) fn is_off(&self) -> bool {
        self.cache.is_none()
    }

    /// Sample `index` of a case, before its checks.
    pub(super) fn answer(&self, case: &Case, index: u32) -> Option<Sample> {
        let cache = self.cache.filter(|_| !self.is_anew)?;
        let (at, entry) = cache.get::<AnswerEntry>(&self.answer_key(cache, case, index))?;
        entry.sample(index, at)
    }

    /// Vote `index` on what is put before the judge.
    pub(super) fn vote(&self, subject: &Subject<'_>, index: u32) -> Option<Vote> {
        let cache = self.cache.filter(|_| !self.is_anew)?;
        let (at, entry) = cache.get::<VoteEntry>(&self.vote_key(cache, subject, index))?;
        entry.vote(index, at)
    }

    /// All votes on the answer that is sample `sample`; nothing where one is missing.
    pub(super) fn votes(&self, case: &Case, sample: u32, answer: &str) -> Option<Vec<Vote>> {
        let texts = case.texts.read();
        let subject = Subject::of(&texts, sample, answer);
        (0..self.judge.votes)
            .map(|vote| self.vote(&subject, vote))
            .collect()
    }

    /// Keeps an answer that this run asked for.
    pub(super) fn keep_answer(&self, case: &Case, sample: &Sample) {
        if let Some(cache) = self.cache
            && let Some(entry) = AnswerEntry::of(sample)
        {
            cache.put(self.answer_key(cache, case, sample.index), &entry);
        }
    }

    /// Keeps a judgement that this run asked for; hands it on.
    pub(super) fn keep_vote(&self, subject: &Subject<'_>, judged: Judged) -> Judged {
        if let Some(cache) = self.cache
            && let Some(entry) = VoteEntry::of(&judged.vote)
        {
            cache.put(self.vote_key(cache, subject, judged.vote.index), &entry);
        }
        judged
    }

    /// The request as [`super::answer::ask`] makes it, and which of several answers to it.
    fn answer_key(&self, cache: &Cache, case: &Case, index: u32) -> Key {
        let asked = &case.parameters;
        let texts = case.texts.read();
        let mut parts = Parts::of("answer")
            .text(cache.origin())
            .text(&self.settings.project)
            .text(&self.settings.model)
            .real(asked.temperature)
            .real(asked.top_p)
            .whole(asked.seed.map(i128::from))
            .whole(asked.max_completion_tokens.map(i128::from))
            .whole(Some(i128::from(index)))
            .whole(Some(texts.messages.len() as i128));
        for message in &texts.messages {
            parts = parts.text(message.role.as_str()).text(&message.content);
        }
        for stop in &asked.stop {
            parts = parts.text(stop);
        }
        parts.key()
    }

    /// What the judge is, what it is shown, of which answer, and which of its votes. How many votes there are is no part
    /// of it. Two answers that read the same are judged twice: with one key a run that asks nothing would have other
    /// scores than the one that asked.
    fn vote_key(&self, cache: &Cache, subject: &Subject<'_>, index: u32) -> Key {
        let judge = self.judge;
        Parts::of("judgement")
            .text(cache.origin())
            .text(&self.settings.project)
            .text(&judge.model)
            .option(judge.prompt.as_deref())
            .whole(Some(i128::from(BUILT_IN_JUDGE_PROMPT)))
            .option(judge.rubric.as_deref())
            .real(Some(judge.temperature))
            .whole(judge.seed.map(i128::from))
            .whole(judge.max_completion_tokens.map(i128::from))
            .option(subject.system.as_deref())
            .text(&subject.question)
            .text(&subject.answer)
            .option(subject.reference.as_deref())
            .whole(Some(i128::from(subject.nth)))
            .whole(Some(i128::from(index)))
            .key()
    }
}

/// How long a reply from the cache took when it was asked for.
pub(super) fn first_latency(sample: &Sample) -> Duration {
    let cached = sample.cached.as_ref();
    Duration::from_millis(cached.map_or(0, |cached| cached.latency_ms))
}

#[cfg(test)]
mod tests;
