//! The body of a chat completion comes in and is read as it comes: no tree of all its values is made, as there is
//! a body for every answer and every judgement. The reply goes out, or what is wrong with it.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::chat::{ChatReply, text_of};
use super::fields::{Fields, count_of, kind, scalar_of};

/// Lets the HTTP client read a [`ChatReply`]. Of two fields with one name the last counts, as everywhere.
pub(super) struct Completion(pub(super) ChatReply);

impl<'de> Deserialize<'de> for Completion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = Lenient::<Found<Body>>::deserialize(deserializer)?.0;
        body.map_err(|kind| format!("the completion is {kind} and not an object"))
            .and_then(Body::reply)
            .map(Completion)
            .map_err(de::Error::custom)
    }
}

/// What was looked for, or what stands in its place.
type Found<T> = Result<T, &'static str>;

/// Read from any JSON.
struct Lenient<T>(T);

trait Loose: Sized {
    /// Of what is not looked for; what it is says `kind`.
    fn other(kind: &'static str) -> Self;

    fn object<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::other(kind(&Value::Object(Map::new()))))
    }

    fn list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::other(kind(&Value::Array(Vec::new()))))
    }
}

/// A completion, as far as it matters.
#[derive(Default)]
struct Body {
    choices: Option<Found<Choices>>,
    usage: Usage,
    model: Option<Value>,
    /// Where a service says what is wrong.
    reasons: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum BodyField {
    Choices,
    Usage,
    Model,
    Error,
    Message,
    Reason,
    Detail,
    #[serde(other)]
    Other,
}

impl Body {
    fn reply(self) -> Result<ChatReply, String> {
        let choices = match self.choices {
            Some(Ok(choices)) => choices,
            Some(Err(_)) => return Err("`choices` of the completion is not a list".to_owned()),
            None => match Fields::of_map(self.reasons).reason() {
                Some(reason) => return Err(format!("the completion is an error: {reason}")),
                // An answer that was given and lost on the way is no empty answer.
                None => return Err("the completion has no `choices`".to_owned()),
            },
        };
        let first = match choices.0 {
            None => Choice::default(),
            Some(Ok(choice)) => choice,
            Some(Err(kind)) => return Err(format!("a choice is {kind} and not an object")),
        };
        Ok(ChatReply {
            content: first.message.0.and_then(text_of),
            finish_reason: first.finish_reason.and_then(scalar_of),
            model: self.model.and_then(scalar_of),
            prompt_tokens: self.usage.prompt_tokens.and_then(count_of),
            completion_tokens: self.usage.completion_tokens.and_then(count_of),
        })
    }
}

impl Loose for Found<Body> {
    fn other(kind: &'static str) -> Self {
        Err(kind)
    }

    fn object<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut body = Body::default();
        while let Some(field) = map.next_key()? {
            let mut reason = |name: &str, value| body.reasons.insert(name.to_owned(), value);
            match field {
                BodyField::Choices => {
                    body.choices = map.next_value::<Option<Lenient<_>>>()?.map(|read| read.0)
                }
                BodyField::Usage => body.usage = map.next_value::<Lenient<_>>()?.0,
                BodyField::Model => body.model = map.next_value()?,
                BodyField::Error => drop(reason("error", map.next_value()?)),
                BodyField::Message => drop(reason("message", map.next_value()?)),
                BodyField::Reason => drop(reason("reason", map.next_value()?)),
                BodyField::Detail => drop(reason("detail", map.next_value()?)),
                BodyField::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Ok(body))
    }
}

/// The first one.
struct Choices(Option<Found<Choice>>);

impl Loose for Found<Choices> {
    fn other(kind: &'static str) -> Self {
        Err(kind)
    }

    fn list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let first = list.next_element::<Lenient<_>>()?.map(|read| read.0);
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Ok(Choices(first)))
    }
}

#[derive(Default)]
struct Choice {
    finish_reason: Option<Value>,
    message: Message,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum ChoiceField {
    FinishReason,
    Message,
    #[serde(other)]
    Other,
}

impl Loose for Found<Choice> {
    fn other(kind: &'static str) -> Self {
        Err(kind)
    }

    fn object<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut choice = Choice::default();
        while let Some(field) = map.next_key()? {
            match field {
                ChoiceField::FinishReason => choice.finish_reason = map.next_value()?,
                ChoiceField::Message => choice.message = map.next_value::<Lenient<_>>()?.0,
                ChoiceField::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Ok(choice))
    }
}

/// Its content.
#[derive(Default)]
struct Message(Option<Value>);

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum MessageField {
    Content,
    #[serde(other)]
    Other,
}

impl Loose for Message {
    fn other(_: &'static str) -> Self {
        Message::default()
    }

    fn object<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut message = Message::default();
        while let Some(field) = map.next_key()? {
            match field {
                MessageField::Content => message.0 = map.next_value()?,
                MessageField::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(message)
    }
}

#[derive(Default)]
struct Usage {
    prompt_tokens: Option<Value>,
    completion_tokens: Option<Value>,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum UsageField {
    PromptTokens,
    CompletionTokens,
    #[serde(other)]
    Other,
}

impl Loose for Usage {
    fn other(_: &'static str) -> Self {
        Usage::default()
    }

    fn object<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut usage = Usage::default();
        while let Some(field) = map.next_key()? {
            match field {
                UsageField::PromptTokens => usage.prompt_tokens = map.next_value()?,
                UsageField::CompletionTokens => usage.completion_tokens = map.next_value()?,
                UsageField::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(usage)
    }
}

impl<'de, T: Loose> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(LenientVisitor(PhantomData))
            .map(Lenient)
    }
}

struct LenientVisitor<T>(PhantomData<T>);

impl<'de, T: Loose> Visitor<'de> for LenientVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::object(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::list(list)
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::other(kind(&text.into())))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<T, E> {
        Ok(T::other(kind(&flag.into())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<T, E> {
        Ok(T::other(kind(&number.into())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<T, E> {
        Ok(T::other(kind(&number.into())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<T, E> {
        Ok(T::other(kind(&number.into())))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::other(kind(&Value::Null)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ChatReply, String> {
        let read = serde_json::from_str(text);
        read.map(|Completion(reply)| reply)
            .map_err(|fault: serde_json::Error| fault.to_string())
    }

    #[test]
    fn the_last_of_fields_with_one_name_counts_however_it_is_written() {
        let reply = read(
            r#"{"choices": [], "usage": {"prompt_tokens": 1}, "model": "a",
                "\u0063hoices": [{"message": {"content": "no"}, "m\u0065ssage": {"content": "yes"}}, "more", {"x": 1}],
                "usage": {"completion_tokens": "3"}, "model": 7}"#,
        );
        let reply = reply.expect("a completion");
        assert_eq!(reply.content.as_deref(), Some("yes"));
        assert_eq!(reply.model.as_deref(), Some("7"));
        assert_eq!((reply.prompt_tokens, reply.completion_tokens), (None, Some(3)));
    }

    #[test]
    fn what_stands_where_nothing_else_may_be_passed_over() {
        for odd in [
            "null",
            "true",
            "-1",
            "1.5",
            "\"text\"",
            "[1, {}]",
            "{\"odd\": [[]]}",
        ] {
            let text = format!(
                r#"{{"usage": {odd}, "error": {odd}, "odd": {odd},
                    "choices": [{{"message": {odd}, "index": {odd}}}, {odd}]}}"#
            );
            assert_eq!(read(&text).map(|reply| reply.content), Ok(None), "{odd}");
            let whole = read(odd).expect_err("no completion");
            assert!(whole.contains("completion"), "{whole}");
        }
    }

    #[test]
    fn a_body_that_breaks_off_is_no_completion_nor_one_that_is_too_deep_where_it_matters() {
        let text = r#"{"choices": [{"message": {"content": "yes"}}], "usage": {"prompt_tokens": 1}}"#;
        assert!((0..text.len()).all(|end| read(&text[..end]).is_err()));
        let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let deep = |field: &str| format!(r#"{{"choices": [], "{field}": {nested}}}"#);
        // Nothing is made of what is passed over.
        assert!(read(&deep("odd")).is_ok() && read(&deep("usage")).is_ok());
        assert!(["error", "model"].iter().all(|field| read(&deep(field)).is_err()));
    }
}
