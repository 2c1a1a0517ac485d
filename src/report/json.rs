//! A record → the text of `results.json`; and the JSON Schema of that file.

use std::io::{self, Write};

use schemars::Schema;
use schemars::generate::SchemaSettings;

use super::Record;
use crate::results::VERSION;

/// Writes the record as `results.json`: indented, with a final newline. The same record gives the same
/// bytes.
///
/// It goes straight into `to`, which the caller buffers: a report of 100,000 cases is never held twice.
///
/// # Errors
/// Those of `to`.
pub fn write_json(record: &Record, mut to: impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut to, record)?;
    to.write_all(b"\n")
}

/// The JSON Schema (draft 2020-12) of `results.json` as this build writes it; a copy is checked in as
/// `schema/results.v1.json`.
pub fn json_schema() -> Schema {
    let mut schema = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Record>();
    schema.insert("title".to_owned(), "tunegate results, version 1".into());
    schema.insert(
        "description".to_owned(),
        "What `tunegate run` and `tunegate eval` write as results.json; docs/results.md explains it.".into(),
    );
    if let Some(version) = schema.pointer_mut("/properties/version") {
        version["const"] = VERSION.into();
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixtures, read_json};

    #[test]
    fn what_is_written_is_read_back() {
        for record in fixtures::all() {
            let mut file = Vec::new();
            write_json(&record, &mut file).unwrap();
            assert_eq!(file.last(), Some(&b'\n'));
            assert_eq!(read_json(file.as_slice()).unwrap(), record);
        }
    }

    #[test]
    fn records_are_valid_against_the_schema() {
        let schema = serde_json::to_value(json_schema()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for record in fixtures::all() {
            let value = serde_json::to_value(&record).unwrap();
            let faults: Vec<_> = validator
                .iter_errors(&value)
                .map(|e| format!("{}: {e}", e.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{faults:#?}");
        }
    }
}
