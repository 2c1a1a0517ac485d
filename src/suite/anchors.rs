//! `judge.anchors:` → frozen questions and answers with the score that a good judge gives. A faulty one is told and
//! left out.

use std::collections::HashMap;

use super::faults::Pen;
use super::fields::{Field, Fields};
use super::tree::{Node, Span};
use super::values::{self, Range};
use super::{Anchor, fingerprint, keys};

/// How far the judge may be off an anchor that does not say it.
pub const DEFAULT_TOLERANCE: f64 = 0.1;
/// Every one of them is judged in every run.
const MOST: usize = 200;

/// The anchors that could be read, in their order.
pub(super) fn read(pen: &mut Pen<'_>, field: Field<'_>) -> Vec<Anchor> {
    let Some(entries) = values::list(pen, field, "anchors") else {
        return Vec::new();
    };
    if entries.len() > MOST {
        let message = format!("the judge has more than {MOST} anchors");
        pen.error_help(
            field.value.span,
            message,
            "each is judged in every run: a few dozen tell a judge from another",
        );
        return Vec::new();
    }
    let mut seen = HashMap::new();
    entries
        .iter()
        .filter_map(|entry| anchor(pen, entry, &mut seen))
        .collect()
}

/// `seen`: the anchors so far by their fingerprint, with the place of each.
fn anchor(pen: &mut Pen<'_>, node: &Node, seen: &mut HashMap<String, Span>) -> Option<Anchor> {
    let fields = Fields::read(pen, node, "the anchor", keys::ANCHOR)?;
    let before = pen.errors();
    let question = fields
        .need(pen, "question", "write what the answer is an answer to")
        .and_then(|field| values::text(pen, "`question`", field.value));
    let answer = fields
        .need(pen, "answer", "write the answer that the judge is shown")
        .and_then(|field| values::text(pen, "`answer`", field.value));
    let reference = fields
        .get("reference")
        .and_then(|field| values::text(pen, "`reference`", field.value));
    let same_texts = pen.errors() == before && !fields.may_have("reference");
    let expected = fields
        .need(
            pen,
            "expected",
            "write the score that a good judge gives, for example `expected: 1`",
        )
        .and_then(|field| values::number(pen, field, &Range::Within(0.0, 1.0)));
    let tolerance = match fields.get("tolerance") {
        Some(field) => values::number(pen, field, &Range::Above(0.0, 1.0)),
        None => Some(DEFAULT_TOLERANCE),
    };
    let (question, answer) = (question?, answer?);
    let fingerprint = fingerprint::anchor(&question, &answer, reference.as_deref());
    // Of a reference that could not be read it can't be said whether it is another one.
    if same_texts && let Some(first) = seen.insert(fingerprint.clone(), node.span) {
        let help = if first == node.span {
            "an alias repeats the whole anchor: leave it out".to_owned()
        } else {
            "leave one of them out, or ask something else".to_owned()
        };
        let message = format!("the same anchor stands in line {} already", first.line);
        pen.error_help(node.span, message, help);
        seen.insert(fingerprint.clone(), first);
    }
    Some(Anchor {
        question,
        answer,
        reference,
        expected: expected?,
        tolerance: tolerance?,
        fingerprint,
        place: pen.place(node.span),
    })
}
