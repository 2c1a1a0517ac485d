//! Reads what the service sends: any JSON comes in, checked values or the reason why not go out. Unknown
//! fields, absent and `null` optional ones, and numbers in any notation are all right; an id is not optional.

use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

/// Longest id in characters.
const ID_CHARS: usize = 512;
/// Characters of the service's reason for something.
const REASON_CHARS: usize = 300;

/// A type that can be read from the wire; the error says what is wrong with the reply.
pub(super) trait FromWire: Sized {
    fn from_wire(value: Value) -> Result<Self, String>;
}

/// Lets the HTTP client read a [`FromWire`], so that a reply that can't be read is a failure like any other.
pub(super) struct Wire<T>(pub(super) T);

impl<'de, T: FromWire> Deserialize<'de> for Wire<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::from_wire(Value::deserialize(deserializer)?)
            .map(Wire)
            .map_err(de::Error::custom)
    }
}

/// A reply whose content does not matter; its status has said everything.
pub(super) struct Anything;

impl FromWire for Anything {
    fn from_wire(_: Value) -> Result<Self, String> {
        Ok(Anything)
    }
}

/// The fields of an object. Every reader takes the names a field may have; the first that is there and
/// not `null` counts.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn of(value: Value, what: &str) -> Result<Fields, String> {
        match value {
            Value::Object(map) => Ok(Fields(map)),
            other => Err(format!("{what} is {} and not an object", kind(&other))),
        }
    }

    pub(super) fn of_map(map: Map<String, Value>) -> Fields {
        Fields(map)
    }

    /// The object in a field, or this one where there is none: some answers come wrapped.
    pub(super) fn unwrapped(mut self, name: &str) -> Fields {
        match self.0.remove(name) {
            Some(Value::Object(inner)) => Fields(inner),
            Some(other) => {
                self.0.insert(name.to_owned(), other);
                self
            }
            None => self,
        }
    }

    pub(super) fn take(&mut self, names: &[&str]) -> Option<Value> {
        names
            .iter()
            .find_map(|name| self.0.remove(*name).filter(|v| !v.is_null()))
    }

    /// An object's fields; none where it is absent.
    pub(super) fn object(&mut self, name: &str) -> Fields {
        match self.take(&[name]) {
            Some(Value::Object(map)) => Fields(map),
            _ => Fields(Map::new()),
        }
    }

    /// A text; numbers and booleans are read as one.
    pub(super) fn text(&mut self, names: &[&str]) -> Option<String> {
        scalar_of(self.take(names)?)
    }

    pub(super) fn id(&mut self, names: &[&str], what: &str) -> Result<String, String> {
        match self.take(names) {
            Some(Value::String(id)) => {
                check_id(&id).map_err(|why| format!("{what}: {why}"))?;
                Ok(id)
            }
            Some(other) => Err(format!("{what} has {} for an id", kind(&other))),
            None => Err(format!("{what} has no `{}`", names.first().unwrap_or(&"id"))),
        }
    }

    pub(super) fn flag(&mut self, names: &[&str]) -> Option<bool> {
        self.take(names)?.as_bool()
    }

    /// A finite number, also one written as a text.
    pub(super) fn number(&mut self, names: &[&str]) -> Option<f64> {
        let number = match self.take(names)? {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    /// A count, also one written as `12.0`.
    pub(super) fn count(&mut self, names: &[&str]) -> Option<u64> {
        count_of(self.take(names)?)
    }

    /// A list; absent and `null` are an empty one.
    pub(super) fn list(&mut self, names: &[&str]) -> Result<Vec<Value>, String> {
        match self.take(names) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(format!(
                "`{}` is {} and not a list",
                names.first().unwrap_or(&""),
                kind(&other)
            )),
        }
    }

    /// Why the service says that something did not work, where it says so.
    pub(super) fn reason(&mut self) -> Option<String> {
        let text = match self.take(&["error", "message", "reason", "detail"])? {
            Value::String(text) => text,
            Value::Object(map) => Fields(map).text(&["message"])?,
            _ => return None,
        };
        let words = text.split(|c: char| c.is_whitespace() || c.is_control());
        let folded = words.filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
        let shown: String = folded.chars().take(REASON_CHARS).collect();
        (!shown.is_empty()).then_some(shown)
    }

    /// Whether an object's `type` is one of these words, whatever its case and punctuation; an object
    /// without a type is taken for what stands in its place.
    pub(super) fn is_a(&mut self, words: &[&str]) -> bool {
        let Some(name) = self.text(&["type"]) else {
            return true;
        };
        let name: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        words.iter().any(|word| name.contains(word))
    }
}

/// A text; a number or a boolean is read as one.
pub(super) fn scalar_of(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        scalar @ (Value::Number(_) | Value::Bool(_)) => Some(scalar.to_string()),
        _ => None,
    }
}

/// A count, also one written as `12.0`.
pub(super) fn count_of(value: Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            number
                .as_f64()
                .filter(|f| (0.0..9.0e15).contains(f))
                .map(|f| f.round() as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// An id goes into paths and reports.
pub(super) fn check_id(id: &str) -> Result<(), String> {
    if id.trim().is_empty() {
        return Err("an empty id".to_owned());
    }
    if id.chars().count() > ID_CHARS {
        return Err(format!("an id of more than {ID_CHARS} characters"));
    }
    if id.chars().any(char::is_control) || id == "." || id == ".." {
        return Err(format!("{id:?} is no id"));
    }
    Ok(())
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        Fields::of(value, "it").expect("an object")
    }

    #[test]
    fn ids_are_texts_that_say_something() {
        assert_eq!(fields(json!({"id": "x"})).id(&["id"], "it"), Ok("x".to_owned()));
        assert_eq!(
            fields(json!({"id": null, "traceId": "y"})).id(&["id", "traceId"], "it"),
            Ok("y".to_owned())
        );
        for value in [
            json!({}),
            json!({"id": ""}),
            json!({"id": 7}),
            json!({"id": ".."}),
            json!({"id": "a\u{7}"}),
        ] {
            assert!(fields(value.clone()).id(&["id"], "it").is_err(), "{value}");
        }
        assert!(fields(json!({"id": "x".repeat(513)})).id(&["id"], "it").is_err());
    }

    #[test]
    fn numbers_in_any_notation() {
        for (value, count) in [
            (json!(12), Some(12)),
            (json!(12.0), Some(12)),
            (json!("12"), Some(12)),
            (json!(-1), None),
            (json!([]), None),
        ] {
            assert_eq!(fields(json!({"n": value})).count(&["n"]), count, "{value}");
        }
        assert_eq!(fields(json!({"n": "0.25"})).number(&["n"]), Some(0.25));
        assert_eq!(fields(json!({"n": "NaN"})).number(&["n"]), None);
    }

    #[test]
    fn lists_and_wrappings() {
        assert_eq!(fields(json!({"c": null})).list(&["c"]), Ok(vec![]));
        assert!(fields(json!({"c": {}})).list(&["c"]).is_err());
        assert_eq!(
            fields(json!({"p": {"id": "x"}}))
                .unwrapped("p")
                .text(&["id"])
                .as_deref(),
            Some("x")
        );
        assert_eq!(
            fields(json!({"p": "kept"}))
                .unwrapped("p")
                .text(&["p"])
                .as_deref(),
            Some("kept")
        );
    }

    #[test]
    fn types_however_they_are_written() {
        for name in ["finetuning-job", "FineTuningJob", "fine_tuning_job"] {
            assert!(fields(json!({"type": name})).is_a(&["job"]), "{name}");
        }
        assert!(fields(json!({})).is_a(&["job"]));
        assert!(!fields(json!({"type": "snapshot"})).is_a(&["job"]));
    }
}
