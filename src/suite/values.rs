//! A field's value → text, number, boolean, duration, list or one of a few words. What is of another type, out of
//! range or empty is told with what belongs there, and gives `None`.

use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::Duration;

use super::faults::Pen;
use super::fields::{Field, listed};
use super::suggest::suggest;
use super::tree::{Kind, Node, Style, boolean, is_number, one_line, quoted};

/// The longest id, tag, group or model name, in characters.
pub(super) const LONGEST_WORD: usize = 200;
/// The longest duration that a suite may ask for.
pub(super) const LONGEST: Duration = Duration::from_secs(168 * 3_600);

/// Text of any length with something in it, as written: a bare `1.10` or `NO` is that text.
pub(super) fn text(pen: &mut Pen<'_>, what: &str, node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Scalar { text, .. } if text.trim().is_empty() => {
            pen.error_help(
                node.span,
                format!("{what} is empty"),
                "write a text, or remove the key",
            );
            None
        }
        Kind::Scalar { text, .. } => Some(text.clone()),
        Kind::Null => {
            pen.error_help(
                node.span,
                format!("{what} must be a text, found nothing"),
                "write a text, or remove the key",
            );
            None
        }
        // A bracket that is never closed was told already.
        Kind::List(_) | Kind::Map(_) if pen.may_be_cut(node) => None,
        Kind::List(_) | Kind::Map(_) => {
            let message = format!("{what} must be a text, found {}", node.describe());
            let help = if matches!(node.kind, Kind::Map(_)) {
                "a text with `{` at its beginning or `: ` in it needs quotes"
            } else {
                "write one text; one that begins with `[` needs quotes"
            };
            pen.error_help(node.span, message, help);
            None
        }
    }
}

/// A text that is a name: one line, no blanks around it, bounded.
pub(super) fn word(pen: &mut Pen<'_>, what: &str, node: &Node) -> Option<String> {
    let text = text(pen, what, node)?;
    if text.chars().any(super::tree::steers) {
        pen.error_help(
            node.span,
            format!("{what} holds a line break or a character that does not show"),
            "write it on one line",
        );
    } else if text.trim() != text {
        pen.error_help(
            node.span,
            format!("{what} begins or ends with a blank"),
            format!("write {}", quoted(text.trim())),
        );
    } else if text.chars().count() > LONGEST_WORD {
        pen.error_help(
            node.span,
            format!("{what} is longer than {LONGEST_WORD} characters"),
            "give it a short name",
        );
    } else {
        return Some(text);
    }
    None
}

/// `true` or `false`.
pub(super) fn flag(pen: &mut Pen<'_>, field: Field<'_>) -> Option<bool> {
    if let Kind::Scalar {
        text,
        style: Style::Bare,
    } = &field.value.kind
        && let Some(flag) = boolean(text)
    {
        return Some(flag);
    }
    let help = match &field.value.kind {
        Kind::Scalar { text, .. } => match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "y" | "true" | "1" => "write `true`",
            "no" | "off" | "n" | "false" | "0" => "write `false`",
            _ => "write one of the two, without quotes",
        },
        _ => "write one of the two",
    };
    let message = format!(
        "`{}` must be `true` or `false`, found {}",
        field.key,
        field.value.describe()
    );
    pen.error_help(field.value.span, message, help);
    None
}

/// Which numbers a key takes.
pub(super) enum Range {
    Within(f64, f64),
    /// The lower bound itself is out.
    Above(f64, f64),
}

/// A finite number in a range.
pub(super) fn number(pen: &mut Pen<'_>, field: Field<'_>, range: &Range) -> Option<f64> {
    let wanted = match range {
        Range::Within(least, most) => format!("a number from {least} to {most}"),
        Range::Above(least, most) => format!("a number above {least}, at most {most}"),
    };
    let value = bare_number(pen, field, &wanted)?;
    let within = match range {
        Range::Within(least, most) => *least <= value && value <= *most,
        Range::Above(least, most) => *least < value && value <= *most,
    };
    if within {
        // -0 and 0 are one number, and must be one in fingerprints.
        return Some(value + 0.0);
    }
    pen.error(
        field.value.span,
        format!(
            "`{}` must be {wanted}, found {}",
            field.key,
            field.value.describe()
        ),
    );
    None
}

/// A whole number in a range.
pub(super) fn integer(pen: &mut Pen<'_>, field: Field<'_>, range: RangeInclusive<i64>) -> Option<i64> {
    let wanted = format!("a whole number from {} to {}", range.start(), range.end());
    let value = bare_number(pen, field, &wanted)?;
    // Every range in use lies within what a double holds exactly; `1.0` is the whole number 1, as in JSON Schema.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and within 2^53, as just checked"
        )]
        let whole = value as i64;
        if range.contains(&whole) {
            return Some(whole);
        }
    }
    pen.error(
        field.value.span,
        format!(
            "`{}` must be {wanted}, found {}",
            field.key,
            field.value.describe()
        ),
    );
    None
}

fn bare_number(pen: &mut Pen<'_>, field: Field<'_>, wanted: &str) -> Option<f64> {
    let message = || {
        format!(
            "`{}` must be {wanted}, found {}",
            field.key,
            field.value.describe()
        )
    };
    match &field.value.kind {
        Kind::Scalar { text, style } if is_number(text) => match text.parse::<f64>() {
            Ok(value) if value.is_finite() && *style == Style::Bare => return Some(value),
            Ok(value) if value.is_finite() => {
                pen.error_help(field.value.span, message(), "write the number without quotes");
            }
            _ => pen.error(field.value.span, message()),
        },
        _ => pen.error(field.value.span, message()),
    }
    None
}

/// A duration: a whole number and `ms`, `s`, `m` or `h`.
pub(super) fn duration(pen: &mut Pen<'_>, field: Field<'_>) -> Option<Duration> {
    const HELP: &str = "write a whole number and a unit: `300ms`, `5s`, `10m`, `2h`";
    let written = match &field.value.kind {
        Kind::Scalar { text, .. } => parse_duration(text),
        _ => None,
    };
    match written {
        Some(duration) if duration.is_zero() || duration > LONGEST => {
            let message = format!(
                "`{}` must be above 0 and at most 168h, found {}",
                field.key,
                field.value.describe()
            );
            pen.error(field.value.span, message);
            None
        }
        Some(duration) => Some(duration),
        None => {
            let message = format!(
                "`{}` must be a duration, found {}",
                field.key,
                field.value.describe()
            );
            pen.error_help(field.value.span, message, HELP);
            None
        }
    }
}

/// Reads a duration as a suite writes it: a whole number and its unit, `ms`, `s`, `m` or `h`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let per_unit: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    // Too many digits for a u64 are a duration all the same: one that is too long.
    let number: u64 = if number.is_empty() {
        return None;
    } else {
        number.parse().unwrap_or(u64::MAX)
    };
    Some(Duration::from_millis(number.saturating_mul(per_unit)))
}

/// One of a few words.
pub(super) fn choice<T: Copy>(
    pen: &mut Pen<'_>,
    field: Field<'_>,
    choices: &[(&'static str, T)],
) -> Option<T> {
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let written = match &field.value.kind {
        Kind::Scalar { text, .. } => text.as_str(),
        _ => "",
    };
    if let Some((_, value)) = choices.iter().find(|(word, _)| *word == written) {
        return Some(*value);
    }
    let message = format!(
        "`{}` must be one of {}, found {}",
        field.key,
        listed(&words),
        field.value.describe()
    );
    match suggest(written, words.iter().copied()) {
        Some(meant) => pen.error_help(field.value.span, message, format!("did you mean `{meant}`?")),
        None => pen.error(field.value.span, message),
    }
    None
}

/// A list's items.
pub(super) fn list<'n>(pen: &mut Pen<'_>, field: Field<'n>, of: &str) -> Option<&'n [Rc<Node>]> {
    match &field.value.kind {
        Kind::List(items) => Some(items),
        _ => {
            let help = match &field.value.kind {
                Kind::Scalar { text, .. } if of == "texts" => {
                    format!("write `{}: [{}]`", field.key, one_line(text, 60))
                }
                Kind::Map(_) | Kind::Scalar { .. } => {
                    "begin each entry with `- ` on a line of its own".to_owned()
                }
                _ => "begin each entry with `- `; a key with nothing to say is left out".to_owned(),
            };
            let message = format!(
                "`{}` must be a list of {of}, found {}",
                field.key,
                field.value.describe()
            );
            pen.error_help(field.value.span, message, help);
            None
        }
    }
}
