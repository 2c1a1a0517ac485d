//! A text with JSON somewhere in it comes in; its objects `{…}` go out, in order, complete or broken.
//!
//! The text is hostile. Every object is followed to a depth of [`MAX_DEPTH`] only, so that the time is at
//! most about `2 · MAX_DEPTH` looks at each byte: a byte belongs to at most `MAX_DEPTH` unfinished
//! objects that count it as structure, and as many that count it as part of a string.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Objects that are nested deeper count as broken.
const MAX_DEPTH: usize = 16;

/// Something in the text that begins like a JSON object.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// A whole JSON object, with what it holds and where it stands.
    Complete {
        /// Its entries in order, repeated keys included.
        entries: Vec<(String, Json)>,
        /// The offset of its opening brace, in bytes.
        start: usize,
        /// The offset behind its closing brace, in bytes.
        end: usize,
    },
    /// It has at least one key and its colon, and then is no JSON or ends too early. What stands inside
    /// of it is looked at next.
    Broken,
}

/// A JSON value as far as anyone here looks at it. Unlike `serde_json::Value` it keeps repeated keys.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    /// An object.
    Object(Vec<(String, Json)>),
    /// A string.
    Text(String),
    /// A number; finite.
    Number(f64),
    /// Something else, by name: `null`, `a list`, `true`, `false`.
    Other(&'static str),
}

/// Which objects are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Those that stand in no other complete one.
    Outermost,
    /// Those that stand in another complete one as well, also in a string of it.
    Any,
}

/// The objects of a text.
pub(super) fn objects(text: &str, depth: Depth) -> impl Iterator<Item = Found> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + text.get(at..)?.find('{')?;
            let mut scan = Scan {
                bytes: text.as_bytes(),
                at: start,
                keyed: false,
            };
            at = start + 1;
            if scan.object(MAX_DEPTH).is_some() {
                // The scan follows structure only; what it lets through (numbers, escapes) is read here.
                let read = text.get(start..scan.at).map(serde_json::from_str::<Json>);
                if let Some(Ok(Json::Object(entries))) = read {
                    if depth == Depth::Outermost {
                        at = scan.at;
                    }
                    return Some(Found::Complete {
                        entries,
                        start,
                        end: scan.at,
                    });
                }
            }
            if scan.keyed {
                return Some(Found::Broken);
            }
        }
    })
}

struct Scan<'t> {
    bytes: &'t [u8],
    at: usize,
    /// A key and its colon were read.
    keyed: bool,
}

impl Scan<'_> {
    fn object(&mut self, depth: usize) -> Option<()> {
        self.expect(b'{')?;
        self.space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.space();
            self.string()?;
            self.space();
            self.expect(b':')?;
            self.keyed = true;
            self.value(depth.checked_sub(1)?)?;
            match self.next_of(b'}')? {
                More::Yes => {}
                More::No => return Some(()),
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<()> {
        self.expect(b'[')?;
        self.space();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.value(depth.checked_sub(1)?)?;
            match self.next_of(b']')? {
                More::Yes => {}
                More::No => return Some(()),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        self.space();
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => self.string(),
            _ => self.word(),
        }
    }

    fn next_of(&mut self, close: u8) -> Option<More> {
        self.space();
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b',' => Some(More::Yes),
            byte if byte == close => Some(More::No),
            _ => None,
        }
    }

    fn string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }

    /// A number, `true`, `false`, `null`, or something that only looks like one.
    fn word(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        let length = rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
            .count();
        self.at += length;
        (length > 0).then_some(())
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }
}

enum More {
    Yes,
    No,
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Other(if value { "true" } else { "false" }))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Json::Other("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn ends(text: &str) -> Vec<Option<usize>> {
        objects(text, Depth::Outermost)
            .map(|found| match found {
                Found::Complete { end, .. } => Some(end),
                Found::Broken => None,
            })
            .collect()
    }

    #[test]
    fn finds_outermost_objects_between_anything() {
        assert_eq!(ends(""), []);
        assert_eq!(ends("no object }{"), []);
        assert_eq!(ends("{}"), [Some(2)]);
        assert_eq!(
            ends(r#"a {set} {"k": {"k": [1, {}]}} b {"j":"}{\""}"#),
            [Some(29), Some(44)]
        );
        assert_eq!(ends(r#"{"a": 1"#), [None]);
        assert_eq!(ends(r#"{"a": {"b": 1}"#), [None, Some(14)]);
        assert_eq!(ends(r#"{"a": NaN}"#), [None]);
        assert_eq!(ends(r#"{"a": 01} {"a": "\q"} {"a": 1e999}"#), [None, None, None]);
        assert_eq!(ends("{\"a\": \"line\nbreak\"}"), [None]);
    }

    #[test]
    fn keeps_repeated_keys() {
        let found: Vec<Found> = objects(r#"{"a": 1, "a": "x"}"#, Depth::Outermost).collect();
        let entries = vec![
            ("a".to_owned(), Json::Number(1.0)),
            ("a".to_owned(), Json::Text("x".to_owned())),
        ];
        assert_eq!(
            found,
            [Found::Complete {
                entries,
                start: 0,
                end: 18
            }]
        );
    }

    #[test]
    fn finds_inner_objects_where_they_are_asked_for() {
        let ends = |text| {
            objects(text, Depth::Any)
                .filter(|found| matches!(found, Found::Complete { .. }))
                .count()
        };
        assert_eq!(ends(r#"{"a": {"b": [1, {"c": 1}]}}"#), 3);
        assert_eq!(ends(r#"{"a": "{} {}"}"#), 3);
    }

    #[test]
    fn hostile_texts_of_a_megabyte_take_no_time_worth_telling() {
        let size = 1 << 20;
        let deep_then_long = format!("{}{}", r#"{"a":"#.repeat(40), r#"{"a":[1],"#.repeat(size / 9));
        let long_list = format!("{}[{}", r#"{"a":"#.repeat(40), "1,".repeat(size / 2));
        for text in [
            "{".repeat(size),
            "[{".repeat(size / 2),
            r#"{"a":"#.repeat(size / 5),
            r#"{"a":""#.repeat(size / 6),
            r#"{"":"#.repeat(size / 4),
            r#"{""#.repeat(size / 2),
            r#"{"a":{},"#.repeat(size / 8),
            r#"{"a":["#.repeat(size / 6),
            r#"{"\"#.repeat(size / 3),
            deep_then_long,
            long_list,
        ] {
            let begun = Instant::now();
            let count = objects(&text, Depth::Any).count();
            // The quadratic way takes minutes.
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{count} in {:?}",
                begun.elapsed()
            );
        }
    }
}
