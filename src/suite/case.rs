//! One case's map, and `defaults:` → a validated case.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::faults::Pen;
use super::fields::{Field, Fields};
use super::keys;
use super::shelf::Shelf;
use super::tree::{Kind, Node, Span};
use super::values::{self, Range};
use super::{Case, Check, Message, Parameters, Role, Wording, check, fingerprint};

/// Integers that JSON carries everywhere.
const LARGEST_SEED: i64 = 9_007_199_254_740_991;
pub(super) const MOST_TOKENS: i64 = 1_000_000;
const MOST_STOPS: usize = 16;
/// The share of cases at or above this score is the pass rate, unless the suite says otherwise.
pub const DEFAULT_PASS_SCORE: f64 = 0.7;

/// What may stand under `defaults:` and on a case alike; the case wins.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    system: Option<Arc<str>>,
    parameters: Parameters,
    samples: Option<u32>,
    pass_score: Option<f64>,
    /// A case's own come after these.
    checks: Vec<Check>,
    /// Added to a case's own.
    tags: BTreeSet<String>,
}

/// A case, as far as it could be read.
pub(super) struct Draft {
    pub(super) id: Option<(String, Span)>,
    /// With the place of each.
    pub(super) tags: Vec<(String, Span)>,
    /// Whether every tag could be read.
    pub(super) all_tags: bool,
    /// Whether the case is `critical: true`, or may be meant to be.
    pub(super) critical: bool,
    /// Whether the case is `holdout: true`, or may be meant to be.
    pub(super) holdout: bool,
    /// `None` when anything about the case is faulty.
    pub(super) case: Option<Case>,
}

/// `defaults:`, and whether all of its tags could be read.
pub(super) fn defaults(pen: &mut Pen<'_>, shelf: &mut Shelf, node: &Node) -> (Settings, bool) {
    let Some(fields) = Fields::read(pen, node, "`defaults`", keys::DEFAULTS) else {
        return (Settings::default(), false);
    };
    let before = pen.errors();
    let tags = tags(pen, &fields).into_iter().map(|(tag, _)| tag).collect();
    let all_tags = pen.errors() == before && !fields.may_have("tags");
    (
        Settings {
            tags,
            ..settings(pen, shelf, &fields)
        },
        all_tags,
    )
}

fn settings(pen: &mut Pen<'_>, shelf: &mut Shelf, fields: &Fields<'_>) -> Settings {
    let system = fields
        .get("system")
        .and_then(|field| values::text(pen, "`system`", field.value))
        .map(Arc::from);
    let parameters = Parameters {
        temperature: temperature(pen, fields),
        top_p: fields
            .get("top_p")
            .and_then(|field| values::number(pen, field, &Range::Above(0.0, 1.0))),
        seed: seed(pen, fields),
        max_completion_tokens: max_completion_tokens(pen, fields),
        stop: fields
            .get("stop")
            .map(|field| stops(pen, field))
            .unwrap_or_default(),
    };
    Settings {
        system,
        parameters,
        samples: fields
            .get("samples")
            .and_then(|field| values::integer(pen, field, 1..=100))
            .and_then(whole),
        pass_score: fields
            .get("pass_score")
            .and_then(|field| values::number(pen, field, &Range::Within(0.0, 1.0))),
        checks: fields
            .get("checks")
            .map(|field| check::read(pen, shelf, field))
            .unwrap_or_default(),
        tags: BTreeSet::new(),
    }
}

pub(super) fn temperature(pen: &mut Pen<'_>, fields: &Fields<'_>) -> Option<f64> {
    fields
        .get("temperature")
        .and_then(|field| values::number(pen, field, &Range::Within(0.0, 2.0)))
}

pub(super) fn seed(pen: &mut Pen<'_>, fields: &Fields<'_>) -> Option<i64> {
    fields
        .get("seed")
        .and_then(|field| values::integer(pen, field, -LARGEST_SEED..=LARGEST_SEED))
}

pub(super) fn max_completion_tokens(pen: &mut Pen<'_>, fields: &Fields<'_>) -> Option<u32> {
    let field = fields.get("max_completion_tokens")?;
    values::integer(pen, field, 1..=MOST_TOKENS).and_then(whole)
}

pub(super) fn whole(number: i64) -> Option<u32> {
    u32::try_from(number).ok()
}

fn stops(pen: &mut Pen<'_>, field: Field<'_>) -> Vec<String> {
    const WHAT: &str = "a text of `stop`";
    // A stop may well be a line break: only the empty text means nothing.
    let one = |pen: &mut Pen<'_>, node: &Node| match &node.kind {
        Kind::Scalar { text, .. } if !text.is_empty() => Some(text.clone()),
        _ => values::text(pen, WHAT, node),
    };
    if let Kind::Scalar { .. } = &field.value.kind {
        return one(pen, field.value).into_iter().collect();
    }
    let Some(items) = values::list(pen, field, "texts") else {
        return Vec::new();
    };
    if items.len() > MOST_STOPS {
        pen.error(
            field.value.span,
            format!("`stop` holds more than {MOST_STOPS} texts"),
        );
        return Vec::new();
    }
    items.iter().filter_map(|item| one(pen, item)).collect()
}

/// A case of a list of cases.
pub(super) fn read(pen: &mut Pen<'_>, shelf: &mut Shelf, defaults: &Settings, node: &Node) -> Option<Draft> {
    let before = pen.errors();
    let fields = Fields::read(pen, node, "the case", keys::CASE)?;
    let id = fields
        .need(
            pen,
            "id",
            "give it an `id` that stays the same: it pairs the case with earlier runs",
        )
        .and_then(|field| Some((values::word(pen, "`id`", field.value)?, field.value.span)));
    let before_tags = pen.errors();
    let own_tags = tags(pen, &fields);
    let all_tags = pen.errors() == before_tags && !fields.may_have("tags");
    let own = settings(pen, shelf, &fields);
    let messages = messages(pen, &fields, &own, defaults);
    let reference = fields
        .get("reference")
        .and_then(|field| values::text(pen, "`reference`", field.value));
    let group = fields
        .get("group")
        .and_then(|field| values::word(pen, "`group`", field.value));
    let weight = fields
        .get("weight")
        .and_then(|field| values::number(pen, field, &Range::Above(0.0, 1_000_000.0)));
    let critical = fields.get("critical").and_then(|field| values::flag(pen, field));
    let holdout = fields.get("holdout").and_then(|field| values::flag(pen, field));
    let may_be =
        |flag: Option<bool>, key| flag.unwrap_or_else(|| fields.get(key).is_some() || fields.may_have(key));
    let mut draft = Draft {
        id,
        tags: own_tags,
        all_tags,
        critical: may_be(critical, "critical"),
        holdout: may_be(holdout, "holdout"),
        case: None,
    };
    if pen.errors() > before {
        return Some(draft);
    }
    let (Some((id, _)), Some(messages)) = (&draft.id, messages) else {
        return Some(draft);
    };
    let tags = joined_tags(&draft.tags, defaults);
    let parameters = joined(own.parameters, &defaults.parameters);
    let checks = defaults.checks.iter().cloned().chain(own.checks).collect();
    let mut case = Case {
        id: id.clone(),
        texts: Wording { messages, reference }.into(),
        tags: shelf.sharing.tags(tags),
        group,
        weight: weight.unwrap_or(1.0),
        critical: critical.unwrap_or(false),
        holdout: holdout.unwrap_or(false),
        samples: own.samples.or(defaults.samples).unwrap_or(1),
        pass_score: own
            .pass_score
            .or(defaults.pass_score)
            .unwrap_or(DEFAULT_PASS_SCORE),
        parameters: shelf.sharing.parameters(parameters),
        checks: shelf.sharing.checks(checks),
        fingerprint: String::new(),
        place: pen.place(fields.span()),
    };
    case.fingerprint = fingerprint::case(&case);
    draft.case = Some(case);
    Some(draft)
}

fn joined(own: Parameters, defaults: &Parameters) -> Parameters {
    Parameters {
        temperature: own.temperature.or(defaults.temperature),
        top_p: own.top_p.or(defaults.top_p),
        seed: own.seed.or(defaults.seed),
        max_completion_tokens: own.max_completion_tokens.or(defaults.max_completion_tokens),
        stop: if own.stop.is_empty() {
            defaults.stop.clone()
        } else {
            own.stop
        },
    }
}

fn joined_tags(own: &[(String, Span)], defaults: &Settings) -> BTreeSet<String> {
    let own = own.iter().map(|(tag, _)| tag);
    defaults.tags.iter().chain(own).cloned().collect()
}

impl Settings {
    /// The tags that every case has.
    pub(super) fn tags(&self) -> impl Iterator<Item = &String> {
        self.tags.iter()
    }
}

fn tags(pen: &mut Pen<'_>, fields: &Fields<'_>) -> Vec<(String, Span)> {
    let Some(field) = fields.get("tags") else {
        return Vec::new();
    };
    let Some(items) = values::list(pen, field, "texts") else {
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| Some((values::word(pen, "a tag", item)?, item.span)))
        .collect()
}

fn messages(
    pen: &mut Pen<'_>,
    fields: &Fields<'_>,
    own: &Settings,
    defaults: &Settings,
) -> Option<Vec<Message>> {
    let said = |role, content| Message { role, content };
    let system = || {
        own.system
            .as_ref()
            .or(defaults.system.as_ref())
            .map(|text| said(Role::System, Arc::clone(text)))
    };
    match (fields.get("prompt"), fields.get("messages")) {
        (Some(prompt), Some(messages)) => {
            let second =
                if (prompt.span.line, prompt.span.column) > (messages.span.line, messages.span.column) {
                    prompt
                } else {
                    messages
                };
            pen.error_help(
                second.span,
                "the case has both `prompt` and `messages`",
                "keep one: `prompt` is one message from the user",
            );
            None
        }
        (Some(prompt), None) => {
            let prompt = values::text(pen, "`prompt`", prompt.value)?;
            let prompt = said(Role::User, prompt.into());
            // No more room than is used: there may be 100,000 of these.
            Some(match system() {
                Some(system) => vec![system, prompt],
                None => vec![prompt],
            })
        }
        (None, Some(field)) => {
            let written = conversation(pen, field)?;
            if written.first().is_some_and(|first| first.role == Role::System) {
                if let Some(system) = fields.get("system") {
                    pen.error_help(
                        system.span,
                        "the case has both `system` and a system message",
                        "keep one of them",
                    );
                    return None;
                }
                return Some(written);
            }
            Some(system().into_iter().chain(written).collect())
        }
        (None, None) => {
            fields.need(
                pen,
                "prompt",
                "write what the model is asked: `prompt: \"…\"`, or `messages:`",
            );
            None
        }
    }
}

fn conversation(pen: &mut Pen<'_>, field: Field<'_>) -> Option<Vec<Message>> {
    const ROLES: &[(&str, Role)] = &[
        ("system", Role::System),
        ("user", Role::User),
        ("assistant", Role::Assistant),
    ];
    const HELP: &str = "write `{role: user, content: \"…\"}`";
    let items = values::list(pen, field, "messages")?;
    let before = pen.errors();
    let mut messages = Vec::with_capacity(items.len());
    let mut last = None;
    for (index, item) in items.iter().enumerate() {
        let Some(fields) = Fields::read(pen, item, "a message", keys::MESSAGE) else {
            continue;
        };
        let role_field = fields.need(pen, "role", HELP);
        let role = role_field.and_then(|field| values::choice(pen, field, ROLES));
        if role == Some(Role::System) && index > 0 {
            pen.error_help(
                role_field.map_or(item.span, |field| field.value.span),
                "a system message that is not the first",
                "put it first, or make it the user's",
            );
        }
        let content = fields
            .need(pen, "content", HELP)
            .and_then(|field| values::text(pen, "`content`", field.value));
        last = Some((role, role_field.map_or(item.span, |field| field.value.span)));
        messages.extend(role.zip(content).map(|(role, content)| Message {
            role,
            content: content.into(),
        }));
    }
    match last {
        None if pen.errors() == before && !pen.may_be_cut(field.value) => {
            pen.error_help(
                field.value.span,
                "`messages` is empty",
                "write at least one message from the user",
            );
        }
        Some((Some(role), span)) if role != Role::User && !pen.may_be_cut(field.value) => {
            let message = format!(
                "the last message is from the {}, not from the user",
                role.as_str()
            );
            pen.error_help(
                span,
                message,
                "the model answers the last message: end with one from the user",
            );
        }
        _ => {}
    }
    (pen.errors() == before).then_some(messages)
}
