//! The published schema against the reader: the same keys, the same verdict on every example.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use serde_json::Value;

use super::faults::Faults;
use super::tree::{Kind, Node, Style, boolean, is_number};
use super::{keys, yaml};

#[test]
fn the_checked_in_schema_is_the_formats() {
    let checked_in = fs::read_to_string("schema/suite.v1.json").unwrap_or_default();
    assert!(
        checked_in == super::json_schema(),
        "schema/suite.v1.json is not what the types say; write it anew with `cargo run -- schema > schema/suite.v1.json`"
    );
}

/// The properties of every map that the schema describes, by the type's name.
fn properties() -> BTreeMap<String, Vec<String>> {
    let schema: Value = serde_json::from_str(&super::json_schema()).unwrap();
    let keys = |schema: &Value| -> Option<Vec<String>> {
        assert_eq!(
            schema.get("additionalProperties"),
            Some(&Value::Bool(false)),
            "{schema}"
        );
        Some(schema.get("properties")?.as_object()?.keys().cloned().collect())
    };
    let mut found = BTreeMap::from([("Suite".to_owned(), keys(&schema).unwrap())]);
    for (name, schema) in schema["$defs"].as_object().unwrap() {
        if schema.get("properties").is_some() {
            found.insert(name.clone(), keys(schema).unwrap());
        }
    }
    let checks = schema["$defs"]["Check"]["oneOf"].as_array().unwrap();
    let mut checks: Vec<String> = checks
        .iter()
        .filter_map(|check| Some(check.get("properties")?.as_object()?.keys().next()?.clone()))
        .collect();
    checks.sort();
    found.insert("Check".to_owned(), checks);
    found
}

#[test]
fn the_reader_and_the_schema_know_the_same_keys() {
    let described = properties();
    let read = [
        ("Suite", keys::SUITE),
        ("Judge", keys::JUDGE),
        ("Anchor", keys::ANCHOR),
        ("Defaults", keys::DEFAULTS),
        ("Case", keys::CASE),
        ("Include", keys::INCLUDE),
        ("Message", keys::MESSAGE),
        ("Check", keys::CHECK),
        ("Similar", keys::SIMILAR),
        ("Gate", keys::GATE),
        ("Cycle", keys::CYCLE),
    ];
    assert_eq!(described.len(), read.len(), "{:?}", described.keys());
    for (name, keys) in read {
        let mut keys: Vec<&str> = keys.to_vec();
        keys.sort_unstable();
        let mut described: Vec<&str> = described[name].iter().map(String::as_str).collect();
        described.sort_unstable();
        assert_eq!(described, keys, "{name}");
    }
}

#[test]
fn the_schemas_defaults_are_the_readers() {
    let schema: Value = serde_json::from_str(&super::json_schema()).unwrap();
    let cycle = super::CycleSettings::default();
    let described = &schema["$defs"]["Cycle"]["properties"];
    assert_eq!(described["split_percentage"]["default"], cycle.split_percentage);
    assert_eq!(
        described["harvest"]["default"],
        serde_json::to_value(cycle.harvest).unwrap()
    );
    assert_eq!(described["job_name"]["default"], cycle.job_name);
    for (key, duration) in [
        ("poll", cycle.poll),
        ("settle_timeout", cycle.settle_timeout),
        ("recommendations_timeout", cycle.recommendations_timeout),
    ] {
        let (text, unit) = match duration.as_secs() {
            seconds if seconds % 60 == 0 => (seconds / 60, "m"),
            seconds => (seconds, "s"),
        };
        assert_eq!(described[key]["default"], format!("{text}{unit}"));
    }
    let otherwise = serde_json::to_value(super::Otherwise::default()).unwrap();
    assert_eq!(
        schema["$defs"]["Gate"]["properties"]["else"]["default"],
        otherwise
    );
}

/// What an editor's YAML reader makes of a file; `None` where there is a syntax error or a duplicate key.
fn value_of(path: &PathBuf) -> Option<Value> {
    fn value(node: &Rc<Node>) -> Option<Value> {
        Some(match &node.kind {
            Kind::Null => Value::Null,
            Kind::Scalar {
                text,
                style: Style::Bare,
            } => match boolean(text) {
                Some(flag) => Value::Bool(flag),
                None if is_number(text) => text
                    .parse::<i64>()
                    .map(Value::from)
                    .or_else(|_| text.parse::<f64>().map(Value::from))
                    .unwrap_or(Value::Null),
                None => Value::String(text.clone()),
            },
            Kind::Scalar { text, .. } => Value::String(text.clone()),
            Kind::List(items) => Value::Array(items.iter().map(value).collect::<Option<_>>()?),
            Kind::Map(entries) => {
                let mut map = serde_json::Map::new();
                for entry in entries {
                    if map.insert(entry.key.clone(), value(&entry.value)?).is_some() {
                        return None;
                    }
                }
                Value::Object(map)
            }
        })
    }
    let text = fs::read_to_string(path).ok()?;
    let mut faults = Faults::default();
    let root = yaml::parse(
        &mut faults.pen(&Rc::from("x")),
        text.trim_start_matches('\u{FEFF}'),
    );
    if faults.any_error() { None } else { value(&root?) }
}

fn suites(folder: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(format!("tests/suites/{folder}"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    found.sort();
    found
}

#[test]
fn the_schema_and_the_reader_judge_the_examples_alike() {
    let schema: Value = serde_json::from_str(&super::json_schema()).unwrap();
    let validator = jsonschema::options().offline().build(&schema).unwrap();
    for path in suites("good") {
        let value = value_of(&path).unwrap();
        let faults: Vec<String> = validator
            .iter_errors(&value)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert_eq!(faults, Vec::<String>::new(), "{}", path.display());
    }
    let unseen: Vec<String> = suites("broken")
        .iter()
        .filter(|path| value_of(path).is_some_and(|value| validator.is_valid(&value)))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    // What no schema can see: other files, what stands twice, what a text means.
    let only_the_reader = [
        "duplicate-ids",
        "json-schema-files",
        "judge-prompt-no-answer",
        "like-tags",
        "templates",
    ];
    assert_eq!(unseen, only_the_reader);
}
