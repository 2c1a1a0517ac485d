//! A case comes in; one answer of its model, classified and checked, goes out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::Settings;
use super::checks::Checks;
use super::excerpt::excerpt;
use super::recall::first_latency;
use super::service::Service;
use crate::results::{AnswerOutcome, CallCost, Sample};
use crate::studio::{ChatMessage, ChatReply, ChatRequest, Failure, Purpose, Reply};
use crate::suite::Case;

/// A longer answer is not kept, and so neither judged nor traced, in bytes.
pub(super) const MAX_ANSWER_BYTES: usize = 1 << 20;
/// All checks of one answer may take so long.
const LONGEST_CHECKS: Duration = Duration::from_secs(60);
/// Of a name or word that the service says, in characters.
pub(super) const MAX_NAME: usize = 200;
/// Of a failure's text, in characters.
pub(super) const MAX_DETAIL: usize = 1_000;

/// What one call for an answer came to.
#[derive(Debug)]
pub(super) struct Answered {
    /// The sample, without votes.
    pub(super) sample: Sample,
    /// How long the last attempt took; of a failed call the whole call.
    pub(super) latency: Duration,
    /// Why the call failed, where it did.
    pub(super) failure: Option<Failure>,
}

/// Asks for sample `index` of a case. Never fails: what goes wrong is the sample's outcome.
///
/// `checking` counts the answers that are there and at their checks.
pub(super) async fn ask<S: Service>(
    case: &Case,
    index: u32,
    checks: Option<Arc<Checks>>,
    settings: &Settings,
    service: &S,
    checking: &AtomicUsize,
) -> Answered {
    let texts = case.texts.read();
    let messages: Vec<ChatMessage<'_>> = texts
        .messages
        .iter()
        .map(|message| ChatMessage {
            role: message.role.as_str(),
            content: &message.content,
        })
        .collect();
    let request = ChatRequest {
        purpose: Purpose::Answer,
        project: &settings.project,
        model: &settings.model,
        messages: &messages,
        temperature: case.parameters.temperature,
        top_p: case.parameters.top_p,
        seed: case
            .parameters
            .seed
            .map(|seed| seed.wrapping_add(i64::from(index))),
        max_completion_tokens: case.parameters.max_completion_tokens,
        stop: &case.parameters.stop,
    };
    let started = Instant::now();
    match service.chat(&request).await {
        Ok(reply) => {
            let latency = reply.latency;
            checking.fetch_add(1, Ordering::Relaxed);
            let sample = checked(classified(index, reply), checks, latency).await;
            checking.fetch_sub(1, Ordering::Relaxed);
            Answered {
                sample,
                latency,
                failure: None,
            }
        }
        Err(failure) => {
            let latency = started.elapsed();
            let detail = excerpt(&failure.to_string(), MAX_DETAIL);
            let call = failed_cost(&failure, latency);
            let sample = Sample {
                call,
                ..without_answer(index, AnswerOutcome::Failed, Some(detail))
            };
            Answered {
                sample,
                latency,
                failure: Some(failure),
            }
        }
    }
}

/// An answer from the cache, through today's checks, with its first latency.
pub(super) async fn again(sample: Sample, checks: Option<Arc<Checks>>, checking: &AtomicUsize) -> Answered {
    let latency = first_latency(&sample);
    checking.fetch_add(1, Ordering::Relaxed);
    let sample = checked(sample, checks, latency).await;
    checking.fetch_sub(1, Ordering::Relaxed);
    Answered {
        sample,
        latency,
        failure: None,
    }
}

/// A sample that has no text.
pub(super) fn without_answer(index: u32, outcome: AnswerOutcome, detail: Option<String>) -> Sample {
    Sample {
        index,
        outcome,
        answer: None,
        answered_by: None,
        call: None,
        cached: None,
        detail,
        checks: Vec::new(),
        votes: Vec::new(),
    }
}

/// What a call that succeeded cost.
pub(super) fn cost(reply: &Reply<ChatReply>) -> CallCost {
    CallCost {
        latency_ms: millis(reply.latency),
        attempts: reply.attempts,
        prompt_tokens: reply.value.prompt_tokens,
        completion_tokens: reply.value.completion_tokens,
    }
}

/// What a call that failed cost; nothing when nothing was sent. A failure does not say how long its last
/// attempt took, so this is the whole call's time.
pub(super) fn failed_cost(failure: &Failure, whole_call: Duration) -> Option<CallCost> {
    (failure.attempts > 0).then(|| CallCost {
        latency_ms: millis(whole_call),
        attempts: failure.attempts,
        ..CallCost::default()
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whether a finish reason says that the length limit was hit: the documented word, and the one that some
/// models behind the same API use.
pub(super) fn hit_length_limit(finish_reason: Option<&str>) -> bool {
    finish_reason.is_some_and(|reason| {
        reason.eq_ignore_ascii_case("length") || reason.eq_ignore_ascii_case("max_tokens")
    })
}

/// Whether a finish reason says that the text was withheld.
pub(super) fn was_filtered(finish_reason: Option<&str>) -> bool {
    finish_reason.is_some_and(|reason| reason.eq_ignore_ascii_case("content_filter"))
}

fn classified(index: u32, reply: Reply<ChatReply>) -> Sample {
    let call = Some(cost(&reply));
    let ChatReply {
        content,
        finish_reason,
        model,
        ..
    } = reply.value;
    let finish = finish_reason.as_deref();
    let cut = hit_length_limit(finish);
    let (outcome, detail) = match &content {
        _ if was_filtered(finish) => (
            AnswerOutcome::Filtered,
            Some("the service withheld the answer (content_filter)".to_owned()),
        ),
        None => {
            let reason = match finish {
                Some(_) if cut => " (finish_reason: length): raise max_completion_tokens".to_owned(),
                Some(reason) => format!(" (finish_reason: {})", excerpt(reason, 60)),
                None => String::new(),
            };
            (
                AnswerOutcome::Null,
                Some(format!("the reply holds no text{reason}")),
            )
        }
        Some(text) if text.len() > MAX_ANSWER_BYTES => {
            let told = format!(
                "the answer has {} bytes, more than the 1 MiB that is kept",
                text.len()
            );
            return Sample {
                call,
                ..without_answer(index, AnswerOutcome::Failed, Some(told))
            };
        }
        Some(_) if cut => (
            AnswerOutcome::Truncated,
            Some(
                "the answer hit its length limit (finish_reason: length): raise max_completion_tokens"
                    .to_owned(),
            ),
        ),
        Some(text) if text.trim().is_empty() => {
            (AnswerOutcome::Empty, Some("the answer is empty".to_owned()))
        }
        Some(_) => (AnswerOutcome::Answered, None),
    };
    Sample {
        answer: content.filter(|text| text.len() <= MAX_ANSWER_BYTES),
        answered_by: model.map(|name| excerpt(&name, MAX_NAME)),
        call,
        ..without_answer(index, outcome, detail)
    }
}

/// Runs the checks beside the pipeline, because an answer may keep them busy for a while.
async fn checked(mut sample: Sample, checks: Option<Arc<Checks>>, latency: Duration) -> Sample {
    let Some(checks) = checks.filter(|_| sample.outcome == AnswerOutcome::Answered) else {
        return sample;
    };
    let answer = Arc::new(sample.answer.take().unwrap_or_default());
    let text = Arc::clone(&answer);
    let running = tokio::task::spawn_blocking(move || checks.run(&text, latency));
    let told = match tokio::time::timeout(LONGEST_CHECKS, running).await {
        Ok(Ok(Ok(results))) => {
            sample.checks = results;
            None
        }
        Ok(Ok(Err(fault))) => Some(fault),
        Ok(Err(_)) => Some("a check ended in a bug of tunegate: please report it".to_owned()),
        Err(_) => Some(format!(
            "the checks were not through after {} s: simplify the pattern or schema",
            LONGEST_CHECKS.as_secs()
        )),
    };
    sample.answer = Some(Arc::unwrap_or_clone(answer));
    // A check that could not be made is no reason to say 0.
    if told.is_some() {
        sample.outcome = AnswerOutcome::Failed;
        sample.detail = told;
    }
    sample
}

#[cfg(test)]
mod tests;
