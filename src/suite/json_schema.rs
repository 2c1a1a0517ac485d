//! The file of a `json_schema` check → a schema that is known to compile, to lead nowhere else and to end.

use std::collections::HashMap;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::pattern::is_too_long;
use super::tree::{one_line, quoted};

/// The largest schema file, in bytes.
pub(super) const LARGEST: u64 = 1024 * 1024;
/// Compiled size of one pattern, in bytes.
const PATTERN_SIZE: usize = 1 << 20;
/// Patterns of one schema, which are all held compiled.
const MOST_PATTERNS: usize = 200;
/// Subschemas that one look at an answer may visit when every reference is written out.
const MOST_VISITS: u64 = 1_000_000;

/// Compiles a schema of a suite: nothing is fetched, no file is read, patterns match in linear time.
///
/// # Errors
/// What is wrong with the schema, for a person.
pub fn schema_validator(schema: &Value) -> Result<Validator, String> {
    if let Some(reference) = outside(schema) {
        return Err(format!(
            "its `$ref` {} leads out of the file; only `#…` is followed",
            quoted(reference)
        ));
    }
    let old = schema
        .get("$schema")
        .and_then(Value::as_str)
        .is_some_and(|draft| draft.contains("draft-04"));
    if below(schema)
        .into_iter()
        .any(|(_, value)| holds_id(value, if old { "id" } else { "$id" }))
    {
        return Err("it has an `$id` further in, to which its references would be relative".to_owned());
    }
    let mut found = Vec::new();
    patterns(schema, &mut found);
    if found.len() > MOST_PATTERNS {
        return Err("it has more than 200 patterns".to_owned());
    }
    if found.into_iter().any(is_too_long) {
        return Err("it has a pattern of more than 10,000 characters".to_owned());
    }
    if visits(schema) > MOST_VISITS {
        return Err("its references grow to more than 1,000,000 subschemas".to_owned());
    }
    jsonschema::options()
        .offline()
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_SIZE))
        .build(schema)
        .map_err(|error| {
            let place = error.instance_path().to_string();
            let reason = one_line(&error.to_string(), 200);
            if place.is_empty() {
                reason
            } else {
                format!("at {}: {reason}", quoted(&place))
            }
        })
}

/// Keywords whose value is data and no schema.
fn is_data(keyword: &str) -> bool {
    matches!(keyword, "const" | "enum" | "default" | "examples")
}

/// The first reference to another document.
fn outside(schema: &Value) -> Option<&str> {
    match schema {
        Value::Array(items) => items.iter().find_map(outside),
        Value::Object(keywords) => {
            keywords
                .iter()
                .filter(|(keyword, _)| !is_data(keyword))
                .find_map(|(keyword, value)| match (keyword.as_str(), value) {
                    ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(reference)) => {
                        (!reference.starts_with('#')).then_some(reference.as_str())
                    }
                    _ => outside(value),
                })
        }
        _ => None,
    }
}

/// What a schema takes in memory, roughly, in bytes.
pub(super) fn weight(schema: &Value) -> usize {
    const NODE: usize = 64;
    NODE + match schema {
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(keys) => keys
            .iter()
            .map(|(key, value)| NODE + key.len() + weight(value))
            .sum(),
        Value::String(text) => text.len(),
        _ => 0,
    }
}

/// The schemas and lists of schemas right below one, with their keywords.
fn below(schema: &Value) -> Vec<(&str, &Value)> {
    match schema {
        Value::Array(items) => items.iter().map(|item| ("", item)).collect(),
        Value::Object(keywords) => keywords
            .iter()
            .map(|(keyword, value)| (keyword.as_str(), value))
            .filter(|(keyword, _)| !is_data(keyword))
            .collect(),
        _ => Vec::new(),
    }
}

fn holds_id(schema: &Value, key: &str) -> bool {
    schema.get(key).is_some_and(Value::is_string)
        || below(schema).into_iter().any(|(_, value)| holds_id(value, key))
}

/// All patterns in a schema.
fn patterns<'s>(schema: &'s Value, found: &mut Vec<&'s str>) {
    found.extend(schema.get("pattern").and_then(Value::as_str));
    let of_properties = schema.get("patternProperties").and_then(Value::as_object);
    found.extend(
        of_properties
            .into_iter()
            .flat_map(|named| named.keys().map(String::as_str)),
    );
    for (_, value) in below(schema) {
        patterns(value, found);
    }
}

/// The schemas that have a name of their own, by it.
fn anchors<'s>(schema: &'s Value, found: &mut HashMap<&'s str, &'s Value>) {
    for keyword in ["$anchor", "$dynamicAnchor"] {
        if let Some(name) = schema.get(keyword).and_then(Value::as_str) {
            found.entry(name).or_insert(schema);
        }
    }
    for (_, value) in below(schema) {
        anchors(value, found);
    }
}

/// How many subschemas there are when every reference is written out, a recursive one once.
fn visits(schema: &Value) -> u64 {
    let mut named = HashMap::new();
    anchors(schema, &mut named);
    Visits {
        root: schema,
        named,
        known: HashMap::new(),
    }
    .of(schema, 0)
}

struct Visits<'s> {
    root: &'s Value,
    named: HashMap<&'s str, &'s Value>,
    /// By the schema's address; `None` while it is being counted.
    known: HashMap<*const Value, Option<u64>>,
}

impl<'s> Visits<'s> {
    fn of(&mut self, schema: &'s Value, depth: usize) -> u64 {
        /// A chain of references is no deeper than this; beyond, it is refused like too many visits.
        const DEEPEST: usize = 1_000;
        if depth > DEEPEST {
            return u64::MAX;
        }
        let own = std::ptr::from_ref(schema);
        if let Some(known) = self.known.get(&own) {
            return known.unwrap_or(1);
        }
        self.known.insert(own, None);
        let mut sum: u64 = 1;
        match schema {
            Value::Array(items) => {
                for item in items {
                    sum = sum.saturating_add(self.of(item, depth + 1));
                }
            }
            Value::Object(keywords) => {
                for (keyword, value) in keywords.iter().filter(|(keyword, _)| !is_data(keyword)) {
                    let target = match (keyword.as_str(), value) {
                        ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(reference)) => {
                            self.target(reference)
                        }
                        _ => None,
                    };
                    sum = sum.saturating_add(self.of(target.unwrap_or(value), depth + 1));
                }
            }
            _ => {}
        }
        self.known.insert(own, Some(sum));
        sum
    }

    fn target(&self, reference: &str) -> Option<&'s Value> {
        let fragment = unescaped(reference.strip_prefix('#')?);
        match fragment.as_str() {
            "" => Some(self.root),
            pointer if pointer.starts_with('/') => self.root.pointer(pointer),
            name => self.named.get(name).copied(),
        }
    }
}

/// A fragment's text, without its percent escapes.
fn unescaped(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() {
            after.get(2..).unwrap_or_default()
        } else {
            after
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sound_schema_compiles_and_checks() {
        let schema = json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"pattern": "^x"}}});
        let validator = schema_validator(&schema).unwrap();
        assert!(validator.is_valid(&json!({"a": "xy"})));
        assert!(!validator.is_valid(&json!({"a": "y"})));
        let tree = json!({"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}});
        assert!(schema_validator(&tree).is_ok());
    }

    #[test]
    fn what_leads_out_or_never_ends_is_refused() {
        for schema in [
            json!({"$ref": "http://169.254.169.254/"}),
            json!({"$ref": "file:///etc/passwd"}),
            json!({"items": [{"anyOf": [{"$ref": "other.json#/a"}]}]}),
            json!({"$id": "http://x/", "$ref": "y"}),
            json!({"$schema": "http://x/y"}),
            json!({"type": "objct"}),
            json!({"properties": {"a": {"pattern": "("}}}),
            json!({"$ref": "#/nope"}),
            json!([]),
        ] {
            assert!(schema_validator(&schema).is_err(), "{schema}");
        }
        assert!(schema_validator(&json!({"const": {"$ref": "http://x/"}})).is_ok());
    }

    #[test]
    fn references_that_double_are_refused_at_once() {
        for prefix in ["#/$defs/d", "#/%24defs/d", "#d"] {
            let mut defs = serde_json::Map::new();
            for i in 0..60 {
                let next = json!({"$ref": format!("{prefix}{}", i + 1)});
                defs.insert(
                    format!("d{i}"),
                    json!({"$anchor": format!("d{i}"), "allOf": [next, next]}),
                );
            }
            defs.insert("d60".to_owned(), json!({"$anchor": "d60"}));
            let refused = schema_validator(&json!({"$ref": format!("{prefix}0"), "$defs": defs}));
            assert!(refused.unwrap_err().contains("grow"), "{prefix}");
        }
        let inner = json!({"$defs": {"a": {"$id": "http://x/", "$ref": "#/$defs/b"}}});
        assert!(schema_validator(&inner).unwrap_err().contains("`$id`"));
    }

    #[test]
    fn long_chains_and_many_patterns_are_bounded() {
        let chain = |length: usize| {
            let mut defs: serde_json::Map<String, Value> = (0..length)
                .map(|i| (format!("d{i}"), json!({"$ref": format!("#/$defs/d{}", i + 1)})))
                .collect();
            defs.insert(format!("d{length}"), json!({"type": "integer"}));
            schema_validator(&json!({"$ref": "#/$defs/d0", "$defs": defs}))
        };
        let validator = chain(200).unwrap();
        assert!(validator.is_valid(&json!(1)) && !validator.is_valid(&json!("1")));
        assert!(chain(900).is_ok_and(|validator| validator.is_valid(&json!(1))));
        assert!(chain(20_000).is_err());
        let many: Vec<Value> = (0..201)
            .map(|i| json!({"pattern": format!("\\w{{{i}}}")}))
            .collect();
        assert!(
            schema_validator(&json!({"anyOf": many}))
                .unwrap_err()
                .contains("200 patterns")
        );
        for of_properties in [false, true] {
            let long = |length| {
                let pattern = "x".repeat(length);
                schema_validator(&match of_properties {
                    true => json!({"not": {"patternProperties": {pattern: {}}}}),
                    false => json!({"items": {"pattern": pattern}}),
                })
            };
            assert!(long(10_000).is_ok());
            assert!(long(10_001).unwrap_err().contains("10,000 characters"));
        }
    }
}
