//! What was said, in OpenAI's shape: a text comes in; one object, or server-sent chunks, go out.

use std::fmt::Write as _;

use axum::Json;
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::ask::Ask;
use super::chat::Spoken;
use crate::emulator::app::App;
use crate::emulator::world::seconds;

/// How many characters one token has, roughly.
const CHARS_PER_TOKEN: usize = 4;

/// How many characters one chunk of a stream has.
const CHUNK_CHARS: usize = 24;

pub(super) fn of(app: &App, ask: &Ask<'_>, model: &str, spoken: Spoken) -> Response {
    let (content, finish_reason) = cut(ask, spoken);
    let prompt_tokens: usize = ask.messages.iter().map(|message| tokens(message.content)).sum();
    let completion_tokens = tokens(content.as_deref().unwrap_or_default());
    let usage = json!({
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    });
    let id = app.reply_id();
    if ask.stream {
        return streamed(&id, model, &content.unwrap_or_default(), finish_reason);
    }
    Json(json!({
        "id": id,
        "object": "chat.completion",
        "created": seconds(),
        "model": model,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": content},
            "finish_reason": finish_reason,
        }],
        "usage": usage,
    }))
    .into_response()
}

/// Applies the caller's stop sequences and limit.
fn cut(ask: &Ask<'_>, spoken: Spoken) -> (Option<String>, &'static str) {
    let Some(mut text) = spoken.content else {
        return (None, "stop");
    };
    let stop = ask
        .stop
        .iter()
        .filter(|stop| !stop.is_empty())
        .filter_map(|stop| text.find(stop))
        .min();
    if let Some(at) = stop {
        text.truncate(at);
    }
    let limit = ask
        .most_tokens
        .and_then(|most| text.char_indices().nth(most.saturating_mul(CHARS_PER_TOKEN)));
    if let Some((at, _)) = limit {
        text.truncate(at);
        return (Some(text), "length");
    }
    (Some(text), if spoken.cut { "length" } else { "stop" })
}

fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(CHARS_PER_TOKEN)
}

fn streamed(id: &str, model: &str, text: &str, finish_reason: &str) -> Response {
    let created = seconds();
    let chunk = |delta: Value, finish_reason: Option<&str>| {
        json!({
            "id": id,
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        })
    };
    let letters: Vec<char> = text.chars().collect();
    let mut chunks = vec![chunk(json!({"role": "assistant", "content": ""}), None)];
    for piece in letters.chunks(CHUNK_CHARS) {
        chunks.push(chunk(json!({"content": piece.iter().collect::<String>()}), None));
    }
    chunks.push(chunk(json!({}), Some(finish_reason)));
    let mut events = String::new();
    for chunk in chunks {
        // Writing to a string can't fail.
        let _written = write!(events, "data: {chunk}\n\n");
    }
    events.push_str("data: [DONE]\n\n");
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from(events)).into_response()
}
