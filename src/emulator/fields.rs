//! A JSON object read strictly: a body comes in, typed fields go out, or a refusal that names the field and
//! what it must be. Also the extractor that turns a request into JSON.

use std::fmt::Display;
use std::ops::RangeInclusive;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The most that a JSON body may weigh, in bytes.
pub(super) const BODY_LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// A request's JSON body.
pub(super) struct Payload(pub(super) Value);

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = Refusal;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refusal> {
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(|value| {
                value
                    .split(';')
                    .next()
                    .unwrap_or_default()
                    .trim()
                    .to_ascii_lowercase()
            });
        if content_type.as_deref() != Some("application/json") {
            return Err(Refusal::bad("`content-type` must be application/json"));
        }
        let bytes = to_bytes(request.into_body(), BODY_LIMIT_BYTES)
            .await
            .map_err(|_error| {
                Refusal::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    format!("body could not be read or is over {BODY_LIMIT_BYTES} bytes"),
                )
            })?;
        serde_json::from_slice(&bytes)
            .map(Payload)
            .map_err(|error| Refusal::bad(format!("body is not valid JSON: {error}")))
    }
}

/// One JSON object and where it stands in the body (`""` for the body itself, `messages[0]` and the like).
pub(super) struct Fields<'a> {
    at: String,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The object at `at`.
    pub(super) fn of(value: &'a Value, at: &str) -> Result<Self, Refusal> {
        let name = if at.is_empty() { "body" } else { at };
        let map = value
            .as_object()
            .ok_or_else(|| Refusal::bad(format!("`{name}` must be an object, got {}", kind(value))))?;
        Ok(Fields {
            at: at.to_owned(),
            map,
        })
    }

    /// Refuses every field that is not among `known`.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        match self.map.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                let shown: String = key.chars().take(60).collect();
                Err(Refusal::bad(format!("unknown field `{}`", self.path(&shown))))
            }
        }
    }

    /// The object itself, as it came.
    pub(super) fn map(&self) -> &'a Map<String, Value> {
        self.map
    }

    /// Where a field of this object stands.
    pub(super) fn path(&self, name: &str) -> String {
        if self.at.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.at)
        }
    }

    /// A field that may be missing or null.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn required(&self, name: &str) -> Result<&'a Value, Refusal> {
        self.map
            .get(name)
            .ok_or_else(|| Refusal::bad(format!("`{}` is required", self.path(name))))
    }

    fn wrong(&self, name: &str, must: &str, value: &Value) -> Refusal {
        Refusal::bad(format!(
            "`{}` must be {must}, got {}",
            self.path(name),
            kind(value)
        ))
    }

    /// Required text of at least one character.
    pub(super) fn text(&self, name: &str) -> Result<&'a str, Refusal> {
        let value = self.required(name)?;
        let text = value
            .as_str()
            .ok_or_else(|| self.wrong(name, "a string", value))?;
        if text.is_empty() {
            return Err(Refusal::bad(format!(
                "`{}` must have at least 1 character",
                self.path(name)
            )));
        }
        Ok(text)
    }

    /// Optional text of at most `most` characters.
    pub(super) fn optional_text(&self, name: &str, most: usize) -> Result<Option<&'a str>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let text = value
            .as_str()
            .ok_or_else(|| self.wrong(name, "a string", value))?;
        // Counting characters is only needed where the bytes don't already answer.
        if text.len() > most && text.chars().count() > most {
            return Err(Refusal::bad(format!(
                "`{}` must have at most {most} characters",
                self.path(name)
            )));
        }
        Ok(Some(text))
    }

    fn within<N: PartialOrd + Copy + Display>(
        &self,
        name: &str,
        number: N,
        range: &RangeInclusive<N>,
    ) -> Result<N, Refusal> {
        if range.contains(&number) {
            return Ok(number);
        }
        let (least, most) = (range.start(), range.end());
        Err(Refusal::bad(format!(
            "`{}` must be between {least} and {most}, got {number}",
            self.path(name)
        )))
    }

    /// Optional number within a range.
    pub(super) fn number(&self, name: &str, range: RangeInclusive<f64>) -> Result<Option<f64>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = value
            .as_f64()
            .ok_or_else(|| self.wrong(name, "a number", value))?;
        self.within(name, number, &range).map(Some)
    }

    /// Optional whole number within a range.
    pub(super) fn integer(&self, name: &str, range: RangeInclusive<i64>) -> Result<Option<i64>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = value
            .as_i64()
            .ok_or_else(|| self.wrong(name, "an integer", value))?;
        self.within(name, number, &range).map(Some)
    }

    /// The same, required.
    pub(super) fn whole(&self, name: &str, range: RangeInclusive<i64>) -> Result<i64, Refusal> {
        let value = self.required(name)?;
        self.integer(name, range)?
            .ok_or_else(|| self.wrong(name, "an integer", value))
    }

    /// Optional yes or no.
    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        value
            .as_bool()
            .map(Some)
            .ok_or_else(|| self.wrong(name, "a boolean", value))
    }

    /// Required list of at least one entry.
    pub(super) fn list(&self, name: &str) -> Result<&'a [Value], Refusal> {
        let value = self.required(name)?;
        let list = value
            .as_array()
            .ok_or_else(|| self.wrong(name, "an array", value))?;
        if list.is_empty() {
            return Err(Refusal::bad(format!(
                "`{}` must have at least 1 entry",
                self.path(name)
            )));
        }
        Ok(list)
    }

    /// Required text that is one of a few words.
    pub(super) fn word(&self, name: &str, words: &[&str]) -> Result<&'a str, Refusal> {
        let text = self.text(name)?;
        if words.contains(&text) {
            return Ok(text);
        }
        Err(Refusal::bad(format!(
            "`{}` must be one of {}",
            self.path(name),
            words.join(", ")
        )))
    }
}

/// A value's kind in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
