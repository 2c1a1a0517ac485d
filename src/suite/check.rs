//! `checks:` → validated checks: patterns compile, schemas are loaded and compile.

use std::rc::Rc;
use std::sync::Arc;

use super::faults::Pen;
use super::fields::{Field, Fields, listed};
use super::keys;
use super::place;
use super::shelf::Shelf;
use super::tree::{Kind, Node, Style, boolean, one_line, quoted};
use super::values::{self, Range};
use super::{Check, json_schema};

/// The longest `max_chars`.
const MOST_CHARS: i64 = 100_000_000;

/// The entries of `checks:`; faulty ones are told and left out.
pub(super) fn read(pen: &mut Pen<'_>, shelf: &mut Shelf, field: Field<'_>) -> Vec<Check> {
    let Some(entries) = values::list(pen, field, "checks") else {
        return Vec::new();
    };
    entries
        .iter()
        .filter_map(|entry| one(pen, shelf, entry))
        .collect()
}

fn one(pen: &mut Pen<'_>, shelf: &mut Shelf, node: &Rc<Node>) -> Option<Check> {
    match &node.kind {
        Kind::Scalar { text, .. } if text == "is_json" => return Some(Check::IsJson),
        Kind::Scalar { text, .. } => {
            let help = match keys::CHECK.contains(&text.as_str()) {
                true => format!("write `- {text}: …`"),
                false => "write one check, for example `- contains: \"…\"`".to_owned(),
            };
            pen.error_help(
                node.span,
                format!("a check must be a map of one key, found {}", node.describe()),
                help,
            );
            return None;
        }
        _ => {}
    }
    let fields = Fields::read(pen, node, "a check", keys::CHECK)?;
    let Kind::Map(entries) = &node.kind else {
        return None;
    };
    if entries.is_empty() && !pen.may_be_cut(node) {
        pen.error_help(
            node.span,
            "the check is empty",
            format!("write one of {}", listed(keys::CHECK)),
        );
    }
    if let [_, second, ..] = entries.as_slice() {
        let message = format!("one check holds several keys, {} among them", quoted(&second.key));
        pen.error_help(second.span, message, "begin each check with a `- ` of its own");
        return None;
    }
    let field = fields.get(&entries.first()?.key)?;
    Some(match field.key {
        "equals" => Check::Equals(text(pen, field)?),
        "contains" => Check::Contains(text(pen, field)?),
        "icontains" => Check::Icontains(text(pen, field)?),
        "not_contains" => Check::NotContains(text(pen, field)?),
        "regex" => Check::Regex(checked_pattern(pen, shelf, field)?),
        "is_json" => is_json(pen, field)?,
        "json_schema" => schema_file(pen, shelf, field)?,
        "similar" => similar(pen, field)?,
        "max_chars" => Check::MaxChars(
            values::integer(pen, field, 1..=MOST_CHARS).and_then(|most| u64::try_from(most).ok())?,
        ),
        "max_latency" => Check::MaxLatency(values::duration(pen, field)?),
        _ => return None,
    })
}

fn text(pen: &mut Pen<'_>, field: Field<'_>) -> Option<String> {
    if matches!(field.value.kind, Kind::List(_)) {
        let message = format!("`{}` takes one text, found a list", field.key);
        pen.error_help(field.value.span, message, "write one check for each text");
        return None;
    }
    values::text(pen, &format!("`{}`", field.key), field.value)
}

fn checked_pattern(pen: &mut Pen<'_>, shelf: &mut Shelf, field: Field<'_>) -> Option<String> {
    let written = text(pen, field)?;
    if let Some(reason) = shelf.refused_pattern(&written) {
        let help = match ["look-around", "backreference"]
            .iter()
            .any(|word| reason.contains(word))
        {
            true => "look-around and backreferences are not known: use `not_contains`, or two checks",
            false => {
                "the syntax is that of the Rust crate `regex`; in YAML a pattern is best put in single quotes"
            }
        };
        pen.error_help(
            field.value.span,
            format!("the regex does not compile: {}", one_line(&reason, 200)),
            help,
        );
        return None;
    }
    Some(written)
}

fn is_json(pen: &mut Pen<'_>, field: Field<'_>) -> Option<Check> {
    match &field.value.kind {
        Kind::Scalar {
            text,
            style: Style::Bare,
        } if boolean(text) == Some(true) => Some(Check::IsJson),
        _ => {
            let message = format!("`is_json` must be `true`, found {}", field.value.describe());
            pen.error_help(
                field.value.span,
                message,
                "write `is_json: true`, or leave the check out",
            );
            None
        }
    }
}

fn schema_file(pen: &mut Pen<'_>, shelf: &mut Shelf, field: Field<'_>) -> Option<Check> {
    if matches!(field.value.kind, Kind::Map(_)) {
        let message = "`json_schema` names a file, found a map";
        pen.error_help(
            field.value.span,
            message,
            "put the schema into a file beside the suite and write its name",
        );
        return None;
    }
    let file = values::word(pen, "`json_schema`", field.value)?;
    let shown = shelf.folder.shown(&file);
    if let Some(known) = shelf.schemas.get(&shown) {
        return known.clone().map(|schema| Check::JsonSchema { file, schema });
    }
    let schema = load_schema(pen, shelf, field, &file).map(Arc::new);
    shelf.schemas.insert(shown, schema.clone());
    schema.map(|schema| Check::JsonSchema { file, schema })
}

fn load_schema(
    pen: &mut Pen<'_>,
    shelf: &mut Shelf,
    field: Field<'_>,
    file: &str,
) -> Option<serde_json::Value> {
    let text = shelf.open(pen, field.value.span, file, json_schema::LARGEST)?;
    let shown = Rc::clone(&text.shown);
    let schema: serde_json::Value = match serde_json::from_str(&text.text) {
        Ok(schema) => schema,
        Err(error) => {
            let span = place::of_json(&text.text, &error);
            let words = error.to_string();
            let reason = words.split(" at line ").next().unwrap_or_default();
            let help = format!("{} names this file as a schema", pen.file);
            pen.turn(&shown)
                .error_help(span, format!("not JSON: {reason}"), help);
            return None;
        }
    };
    let refusal = match shelf.hold_schema(&schema) {
        true => json_schema::schema_validator(&schema).err(),
        false => Some("the suite's schemas take more than 64 MB".to_owned()),
    };
    match refusal {
        None => Some(schema),
        Some(reason) => {
            let message = format!("the schema {} can't be used: {reason}", quoted(file));
            pen.error(field.value.span, message);
            None
        }
    }
}

fn similar(pen: &mut Pen<'_>, field: Field<'_>) -> Option<Check> {
    const HELP: &str = "write `similar: {to: \"…\", min: 0.8}`";
    if matches!(field.value.kind, Kind::Scalar { .. } | Kind::Null) {
        let message = format!("`similar` must be a map, found {}", field.value.describe());
        pen.error_help(field.value.span, message, HELP);
        return None;
    }
    let fields = Fields::read(pen, field.value, "`similar`", keys::SIMILAR)?;
    let to = fields
        .need(pen, "to", HELP)
        .and_then(|to| values::text(pen, "`to`", to.value));
    let min = fields
        .need(pen, "min", HELP)
        .and_then(|min| values::number(pen, min, &Range::Within(0.0, 1.0)));
    Some(Check::Similar { to: to?, min: min? })
}
