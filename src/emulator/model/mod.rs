//! The little models: messages come in, an answer or a judgement goes out. Pure and deterministic: the same
//! seed, rows and messages give the same text.

mod base;
pub(super) mod catalogue;
mod judge;
mod learner;
mod likeness;
mod object;
mod sections;
mod words;

pub(super) use judge::judge;
pub(super) use learner::Learner;
pub(super) use sections::{asks_for_judgement, fenced, headed};

/// What a model is asked with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prompt<'a> {
    /// The last user message.
    pub(super) user: &'a str,
    /// All messages, one after the other.
    pub(super) whole: &'a str,
    /// 0..2; 0 always takes the best.
    pub(super) temperature: f64,
    /// The keys of the object that is to be the answer, where the caller set a schema.
    pub(super) keys: Option<&'a [String]>,
    /// The emulator's seed mixed with the caller's.
    pub(super) seed: u64,
}

/// The answer of a model that learnt nothing for this task.
pub(super) fn untrained(prompt: Prompt<'_>) -> String {
    base::answer(prompt)
}
