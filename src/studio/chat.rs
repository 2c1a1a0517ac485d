//! Chat completions: messages and sampling parameters come in, the reply as the service said it goes out.

use serde::Serialize;
use serde_json::Value;

use super::completion::Completion;
use super::fields::Fields;
use super::{Studio, not_sent, post};
use crate::http::{Failure, Reply, Turn, Urgency, Writes};

/// What a chat call is for; names it in the tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The model under evaluation answers: `chat: answer`.
    Answer,
    /// The judge scores: `chat: judge`.
    Judge,
}

impl Purpose {
    /// The call's name in tallies and failures.
    pub fn call_name(self) -> &'static str {
        match self {
            Purpose::Answer => "chat: answer",
            Purpose::Judge => "chat: judge",
        }
    }
}

/// One chat completion to ask for. What is `None` or empty is not sent, so that the service's default holds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ChatRequest<'a> {
    /// What it is for; not sent.
    #[serde(skip)]
    pub purpose: Purpose,
    /// The project's id.
    #[serde(rename = "project_id")]
    pub project: &'a str,
    /// Alias or id of the model.
    pub model: &'a str,
    /// At least one.
    pub messages: &'a [ChatMessage<'a>],
    /// 0..2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Above 0, at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// Sampling seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Upper bound of the reply, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_completion_tokens: Option<u32>,
    /// Texts that end the reply.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub stop: &'a [String],
}

/// A message of a [`ChatRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChatMessage<'a> {
    /// `system`, `user` or `assistant`.
    pub role: &'a str,
    /// Its text.
    pub content: &'a str,
}

/// What came back, as the service said it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatReply {
    /// `None`: no choice, `content: null`, or parts without a text. Text parts are joined.
    pub content: Option<String>,
    /// For example `stop`, `length`, `content_filter`.
    pub finish_reason: Option<String>,
    /// The model that the service says answered.
    pub model: Option<String>,
    /// As the service counts them.
    pub prompt_tokens: Option<u64>,
    /// As the service counts them.
    pub completion_tokens: Option<u64>,
}

impl Studio {
    /// Asks once; repeated like a read, because asking twice costs money and changes nothing.
    pub async fn chat(&self, request: &ChatRequest<'_>) -> Result<Reply<ChatReply>, Failure> {
        let name = request.purpose.call_name();
        if [request.temperature, request.top_p]
            .into_iter()
            .flatten()
            .any(|n| !n.is_finite())
        {
            return Err(not_sent(name, "a sampling parameter is no number"));
        }
        let call = post(name, "/api/v1/chat/completions", request, Writes::No)?;
        let turn = Turn {
            lane: self.http.lane(request.model),
            urgency: match request.purpose {
                Purpose::Answer => Urgency::Begins,
                Purpose::Judge => Urgency::Finishes,
            },
        };
        let mut reply = (self.http.send_in::<Completion>(&call, &turn))
            .await?
            .map(|completion| completion.0);
        turn.lane.took(tokens(request, &reply.value));
        // Parts of a text are joined only here.
        reply.value.content = reply.value.content.map(|text| self.http.without_key(&text));
        Ok(reply)
    }
}

/// What stands for a token where the service does not count, in bytes.
const BYTES_A_TOKEN: usize = 4;

/// What a reply took, prompt and completion: as the service says, or guessed from the size of what was sent and what came.
pub(crate) fn tokens(request: &ChatRequest<'_>, reply: &ChatReply) -> u64 {
    let guess = |bytes: usize| bytes.div_ceil(BYTES_A_TOKEN) as u64;
    let prompt = reply
        .prompt_tokens
        .unwrap_or_else(|| guess(request.messages.iter().map(|message| message.content.len()).sum()));
    let completion = reply
        .completion_tokens
        .unwrap_or_else(|| guess(reply.content.as_ref().map_or(0, String::len)));
    prompt.saturating_add(completion)
}

/// A text, or the text parts of a list of parts.
pub(super) fn text_of(content: Value) -> Option<String> {
    match content {
        Value::String(text) => Some(text),
        Value::Array(parts) => {
            let texts: Vec<String> = parts
                .into_iter()
                .filter_map(|part| {
                    let mut part = Fields::of(part, "a part").ok()?;
                    if part.is_a(&["text"]) {
                        part.text(&["text"])
                    } else {
                        None
                    }
                })
                .collect();
            (!texts.is_empty()).then(|| texts.concat())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(reply: Value) -> Result<ChatReply, String> {
        let read = serde_json::from_str(&reply.to_string());
        // Without the place, which says nothing of a reply in one line.
        let told = |fault: serde_json::Error| fault.to_string().split(" at line").next().map(str::to_owned);
        read.map(|Completion(reply)| reply)
            .map_err(|fault| told(fault).unwrap_or_default())
    }

    fn content(content: Value) -> Option<String> {
        let reply = json!({"choices": [{"message": {"role": "assistant", "content": content}}]});
        read(reply).expect("a completion").content
    }

    #[test]
    fn a_whole_completion() {
        let reply = read(json!({
            "id": "x", "object": "chat.completion", "model": "m-1",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}],
            "usage": {"prompt_tokens": 12, "completion_tokens": 3.0, "total_tokens": 15},
        }));
        assert_eq!(
            reply,
            Ok(ChatReply {
                content: Some("yes".to_owned()),
                finish_reason: Some("stop".to_owned()),
                model: Some("m-1".to_owned()),
                prompt_tokens: Some(12),
                completion_tokens: Some(3),
            })
        );
    }

    #[test]
    fn content_in_its_forms() {
        assert_eq!(content(json!("")), Some(String::new()));
        assert_eq!(content(json!(null)), None);
        assert_eq!(content(json!({"odd": 1})), None);
        assert_eq!(content(json!([])), None);
        assert_eq!(content(json!([{"type": "image_url", "image_url": {}}])), None);
        assert_eq!(
            content(
                json!([{"type": "text", "text": "a"}, {"type": "tool_use"}, "odd", {"type": "text", "text": "b"}])
            ),
            Some("ab".to_owned())
        );
    }

    #[test]
    fn what_may_be_missing() {
        let none = ChatReply {
            content: None,
            finish_reason: None,
            model: None,
            prompt_tokens: None,
            completion_tokens: None,
        };
        for reply in [
            json!({"choices": []}),
            json!({"choices": [{}]}),
            json!({"choices": [{"message": null, "finish_reason": null}]}),
            json!({"choices": [{"message": {"tool_calls": [{}]}}]}),
        ] {
            assert_eq!(read(reply.clone()), Ok(none.clone()), "{reply}");
        }
    }

    #[test]
    fn what_is_no_completion() {
        for (reply, says) in [
            (json!({"error": {"message": "model is asleep"}}), "asleep"),
            (json!({}), "no `choices`"),
            (json!({"choices": null, "usage": null}), "no `choices`"),
            (json!([]), "not an object"),
            (json!("text"), "not an object"),
            (json!({"choices": {}}), "not a list"),
            (json!({"choices": ["x"]}), "not an object"),
        ] {
            let error = read(reply.clone()).expect_err("no completion");
            assert!(error.contains(says), "{reply}: {error}");
        }
    }

    #[test]
    fn only_what_is_set_is_sent() {
        let messages = [ChatMessage {
            role: "user",
            content: "hi",
        }];
        let bare = ChatRequest {
            purpose: Purpose::Answer,
            project: "p",
            model: "m",
            messages: &messages,
            temperature: None,
            top_p: None,
            seed: None,
            max_completion_tokens: None,
            stop: &[],
        };
        let wire = serde_json::to_value(bare).expect("JSON");
        assert_eq!(
            wire,
            json!({"project_id": "p", "model": "m", "messages": [{"role": "user", "content": "hi"}]})
        );
        let full = ChatRequest {
            temperature: Some(0.1),
            top_p: Some(0.5),
            seed: Some(-7),
            max_completion_tokens: Some(9),
            stop: &["END".to_owned()],
            ..bare
        };
        assert_eq!(
            serde_json::to_value(full).expect("JSON"),
            json!({"project_id": "p", "model": "m", "messages": [{"role": "user", "content": "hi"}],
                "temperature": 0.1, "top_p": 0.5, "seed": -7, "max_completion_tokens": 9, "stop": ["END"]})
        );
    }
}
