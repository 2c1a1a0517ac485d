//! The gates of a suite and what is known of its cases in, the faults of the gates out, each in its place.

use std::collections::{BTreeMap, BTreeSet};

use crate::score::Selector;
use crate::suite::{Diagnostic, Gate, Otherwise, Place, Severity};

use super::parse::parse;
use super::reader::Span;
use super::sizes::Sizes;
use super::{Known, wording};
use crate::suite::suggest;

/// Suggestions compare a name with every tag or id of the suite; after this many the rest goes without.
const SUGGESTIONS: usize = 20;

/// Faults in the suite's gates: syntax, unknown metric or selector, a bound out of range, a tag or case id
/// that the suite lacks, holdout or critical cases where there are none, a drop that no test can be held to. A gate
/// that stands there twice or can't ever hold is a warning, and so is a drop of too few cases to be told from noise. All faults of all gates are there, in the order of the gates.
pub fn check(gates: &[Gate], known: &Known<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut seen = BTreeMap::new();
    let mut suggestions = SUGGESTIONS;
    let mut sizes = None;
    for gate in gates {
        let parsed = parse(&gate.require);
        let before = found.len();
        let faults = parsed.faults.into_iter().chain(parsed.untestable);
        found.extend(faults.map(|f| diagnostic(gate, Severity::Error, f.span, f.message, f.help)));
        if let Some((selector, span)) = &parsed.named
            && let Some((message, help)) = unknown(selector, known, &mut suggestions)
        {
            found.push(diagnostic(gate, Severity::Error, *span, message, help));
        }
        let whole = Span {
            start: 0,
            length: gate.require.chars().count(),
        };
        let Some(rule) = parsed.rule else { continue };
        // A gate that only warns may wait for cases to come.
        let decides = rule.subject.drop && gate.otherwise != Otherwise::Warn;
        if decides
            && found.len() == before
            && let Some(cases) = known.cases
        {
            let sizes = sizes.get_or_insert_with(|| Sizes::of(cases));
            let too_few = sizes.too_few(&rule.subject);
            found.extend(too_few.map(|(m, help)| diagnostic(gate, Severity::Warning, whole, m, Some(help))));
        }
        if rule.never_holds() {
            let message = format!("`{}` can never hold", wording::name(&gate.require));
            found.push(diagnostic(gate, Severity::Warning, whole, message, None));
        }
        let first = seen
            .entry((rule.subject, rule.op, rule.bound.to_bits()))
            .or_insert(&gate.place);
        if **first != gate.place {
            let message = format!("the same gate stands in line {} already", first.line);
            let help = Some("leave one of them out".to_owned());
            found.push(diagnostic(gate, Severity::Warning, whole, message, help));
        }
    }
    found
}

/// What is wrong with a selector that reads well: the suite has no such case.
fn unknown(
    selector: &Selector,
    known: &Known<'_>,
    suggestions: &mut usize,
) -> Option<(String, Option<String>)> {
    let (what, name, names) = match selector {
        Selector::Tag(tag) if known.all_tags && !known.tags.contains(tag) => ("is tagged", tag, known.tags),
        Selector::Case(id) if known.all_ids && !known.ids.contains(id) => ("has the id", id, known.ids),
        Selector::Holdout if !known.holdout => return Some(unmarked("holdout")),
        Selector::Critical if !known.critical => return Some(unmarked("critical")),
        _ => return None,
    };
    let budget = suggestions.checked_sub(1);
    *suggestions = budget.unwrap_or(0);
    let meant = budget.and_then(|_| suggest(name, names.iter().map(String::as_str)));
    let help = match meant {
        Some(meant) => Some(format!("did you mean `{}`?", wording::name(meant))),
        None => Some(what_there_is(names)),
    };
    Some((format!("no case {what} `{}`", wording::name(name)), help))
}

/// The first few names; taken one by one, for there may be 100,000.
fn what_there_is(names: &BTreeSet<String>) -> String {
    if names.is_empty() {
        return "the suite has none at all".to_owned();
    }
    let first: Vec<String> = names
        .iter()
        .take(3)
        .map(|name| format!("`{}`", wording::name(name)))
        .collect();
    let more = match names.len() - first.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("the suite has {}{more}", first.join(", "))
}

fn unmarked(mark: &str) -> (String, Option<String>) {
    (
        format!("no case is `{mark}: true`"),
        Some(format!("mark a case with `{mark}: true`, or leave the gate out")),
    )
}

/// A stretch of the gate's text as a place in its file. A text of several lines does not say where its
/// lines stand in the file, so a fault past the first one is placed at the gate's beginning.
fn diagnostic(
    gate: &Gate,
    severity: Severity,
    span: Span,
    message: String,
    help: Option<String>,
) -> Diagnostic {
    let to_number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let first_line = gate.require.chars().take_while(|c| *c != '\n').count();
    let start = if span.start < first_line { span.start } else { 0 };
    let length = span.length.min(first_line - start.min(first_line)).max(1);
    let place = Place {
        column: gate.place.column.saturating_add(to_number(start)),
        ..gate.place.clone()
    };
    Diagnostic {
        severity,
        message,
        place,
        length: to_number(length),
        help,
    }
}
