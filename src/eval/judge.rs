//! An answer comes in; one judgement of it goes out, after one question to the judge or two.

use std::borrow::Cow;

use tokio::time::Instant;

use super::Settings;
use super::answer::{MAX_DETAIL, cost, failed_cost, hit_length_limit, was_filtered};
use super::excerpt::excerpt;
use super::judge_prompt::{JudgePrompt, Material};
use super::limits::Wanted;
use super::service::Service;
use super::verdict::{self, Verdict};
use crate::results::{CallCost, Vote, VoteOutcome};
use crate::studio::{ChatMessage, ChatReply, ChatRequest, Failure, Purpose};
use crate::suite::{Judge, Role, Wording};

/// Of a judge's feedback and of its reasoning, in characters.
pub(super) const MAX_TEXT: usize = 8_192;

/// What one judgement came to.
#[derive(Debug)]
pub(super) struct Judged {
    /// The vote.
    pub(super) vote: Vote,
    /// Why a call failed, where one did.
    pub(super) failure: Option<Failure>,
}

/// Whom to ask, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bench<'a> {
    /// The judge.
    pub(super) judge: &'a Judge,
    /// Its prompt.
    pub(super) prompt: &'a JudgePrompt<'a>,
    /// The project that the calls belong to.
    pub(super) settings: &'a Settings,
}

/// What is put before the judge.
#[derive(Debug, Clone)]
pub(super) struct Subject<'a> {
    /// The instructions that the answer was given under.
    pub(super) system: Option<Cow<'a, str>>,
    /// The question.
    pub(super) question: Cow<'a, str>,
    /// The answer under judgement.
    pub(super) answer: Cow<'a, str>,
    /// What to compare with.
    pub(super) reference: Option<Cow<'a, str>>,
    /// Which of several answers to the question it is: each is judged for itself, though two read the same. The judge is
    /// not shown it.
    pub(super) nth: u32,
}

impl<'a> Subject<'a> {
    /// An answer to a case with these texts.
    pub(super) fn of(texts: &'a Wording, nth: u32, answer: impl Into<Cow<'a, str>>) -> Subject<'a> {
        Subject {
            system: texts
                .messages
                .iter()
                .find(|m| m.role == Role::System)
                .map(|m| Cow::Borrowed(&*m.content)),
            question: texts.input().into(),
            answer: answer.into(),
            reference: texts.reference.as_deref().map(Cow::Borrowed),
            nth,
        }
    }

    /// With texts of its own.
    pub(super) fn into_owned(self) -> Subject<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Subject {
            system: self.system.map(own),
            question: own(self.question),
            answer: own(self.answer),
            reference: self.reference.map(own),
            nth: self.nth,
        }
    }
}

/// Asks for vote `index` on an answer; a second time only where `again` may still be begun. Never fails: what goes
/// wrong is the vote's outcome.
pub(super) async fn judge<S: Service>(
    bench: Bench<'_>,
    subject: &Subject<'_>,
    index: u32,
    again: Wanted,
    service: &S,
) -> Judged {
    let mut calls = Vec::new();
    let answer = subject.answer.as_ref();
    let material = Material {
        system: subject.system.as_deref(),
        question: &subject.question,
        answer,
        reference: subject.reference.as_deref(),
        rubric: bench.judge.rubric.as_deref(),
    };
    let prompt = match bench.prompt.render(&material) {
        Ok(prompt) => prompt,
        Err(fault) => {
            let told = format!("the judge's prompt can't be rendered: {fault}");
            return Judged {
                vote: unscored(index, VoteOutcome::Failed, told, calls),
                failure: None,
            };
        }
    };
    let mut told = String::new();
    let mut asked = Cow::Borrowed(prompt.as_str());
    for _ in 0..2 {
        let reply = ask(bench, index, &asked, &mut calls, service).await;
        let reply = match reply {
            Ok(reply) => reply,
            Err(failure) => {
                let told = excerpt(&failure.to_string(), MAX_DETAIL);
                return Judged {
                    vote: unscored(index, VoteOutcome::Failed, told, calls),
                    failure: Some(failure),
                };
            }
        };
        match read(&reply, answer) {
            Ok(verdict) => {
                return Judged {
                    vote: scored(index, verdict, calls),
                    failure: None,
                };
            }
            Err(fault) if calls.len() == 1 && !service.holds(again) => {
                // Not `unparseable`: that is said of an answer whose judge was asked twice.
                let told = format!(
                    "the judge's reply can't be used: {fault}; the run's limit left no call to ask again"
                );
                return Judged {
                    vote: unscored(index, VoteOutcome::NotAsked, told, calls),
                    failure: None,
                };
            }
            Err(fault) => {
                // Prem's judge call is one user message. Its first reply, which may quote the answer, is not
                // shown again: nothing of it could be fenced.
                asked = Cow::Owned(format!(
                    "{prompt}\n\nYour reply to this could not be used: {fault}. Reply again with only the JSON \
                     object, with the fields feedback (text), reasoning (text) and score (a number from 0 to 1)."
                ));
                if !told.is_empty() {
                    told.push_str("; asked again: ");
                }
                told.push_str(&fault);
            }
        }
    }
    let told = format!("the judge's reply can't be used: {told}");
    Judged {
        vote: unscored(index, VoteOutcome::Unparseable, told, calls),
        failure: None,
    }
}

async fn ask<S: Service>(
    bench: Bench<'_>,
    vote: u32,
    content: &str,
    calls: &mut Vec<CallCost>,
    service: &S,
) -> Result<ChatReply, Failure> {
    let Bench { judge, settings, .. } = bench;
    let request = ChatRequest {
        purpose: Purpose::Judge,
        project: &settings.project,
        model: &judge.model,
        messages: &[ChatMessage {
            role: Role::User.as_str(),
            content,
        }],
        temperature: Some(judge.temperature),
        top_p: None,
        // Votes with one and the same seed would be one vote.
        seed: judge.seed.map(|seed| seed.wrapping_add(i64::from(vote))),
        max_completion_tokens: judge.max_completion_tokens,
        stop: &[],
    };
    let started = Instant::now();
    match service.chat(&request).await {
        Ok(reply) => {
            calls.push(cost(&reply));
            Ok(reply.value)
        }
        Err(failure) => {
            calls.extend(failed_cost(&failure, started.elapsed()));
            Err(failure)
        }
    }
}

fn read(reply: &ChatReply, answer: &str) -> Result<Verdict, String> {
    let finish = reply.finish_reason.as_deref();
    // What was cut off may have been the verdict; an object ahead of it is then a draft or a quotation.
    if hit_length_limit(finish) {
        return Err("it was cut off at its length limit; be brief".to_owned());
    }
    if was_filtered(finish) {
        return Err("the service withheld it (content_filter)".to_owned());
    }
    verdict::read(reply.content.as_deref().unwrap_or_default(), answer)
}

fn scored(index: u32, verdict: Verdict, calls: Vec<CallCost>) -> Vote {
    Vote {
        index,
        outcome: VoteOutcome::Scored,
        score: Some(verdict.score),
        feedback: Some(excerpt(&verdict.feedback, MAX_TEXT)),
        reasoning: Some(excerpt(&verdict.reasoning, MAX_TEXT)),
        detail: None,
        calls,
        cached: None,
    }
}

/// A vote that has no score.
pub(super) fn unscored(index: u32, outcome: VoteOutcome, detail: String, calls: Vec<CallCost>) -> Vote {
    Vote {
        index,
        outcome,
        score: None,
        feedback: None,
        reasoning: None,
        detail: Some(detail),
        calls,
        cached: None,
    }
}

#[cfg(test)]
mod tests;
