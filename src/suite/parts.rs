//! `judge:`, `gates:` and `cycle:` → validated settings, with the defaults that the format promises.

use super::anchors;
use super::case;
use super::faults::Pen;
use super::fields::{Field, Fields, is_as_written, text_span};
use super::place;
use super::shelf::Shelf;
use super::template::{self, JOB_VARIABLES, JUDGE_VARIABLES};
use super::tree::{Kind, Node, Span, Style, one_line, quoted};
use super::values;
use super::{CycleSettings, Gate, Harvest, Judge, Otherwise, WhenBusy, keys};

/// The judge model of a suite that names none.
pub const DEFAULT_JUDGE_MODEL: &str = "claude-4.5-sonnet";
/// The judge's temperature unless the suite says otherwise.
pub const DEFAULT_JUDGE_TEMPERATURE: f64 = 0.1;
/// The largest judge's prompt, in bytes.
const LARGEST_PROMPT: u64 = 64 * 1024;
const MOST_GATES: usize = 1_000;
/// The longest job name, in characters, before its variables are put in.
pub(super) const LONGEST_JOB_NAME: usize = 200;

/// `judge:`; everything in it has a default. The fingerprint is left empty.
pub(super) fn judge(pen: &mut Pen<'_>, shelf: &mut Shelf, field: Option<Field<'_>>) -> Judge {
    let mut judge = Judge {
        anchors: Vec::new(),
        model: DEFAULT_JUDGE_MODEL.to_owned(),
        temperature: DEFAULT_JUDGE_TEMPERATURE,
        votes: 1,
        rubric: None,
        prompt: None,
        max_completion_tokens: None,
        seed: None,
        fingerprint: String::new(),
    };
    let Some(fields) = field.and_then(|field| Fields::read(pen, field.value, "`judge`", keys::JUDGE)) else {
        return judge;
    };
    if let Some(model) = fields
        .get("model")
        .and_then(|field| values::word(pen, "`model`", field.value))
    {
        judge.model = model;
    }
    if let Some(temperature) = case::temperature(pen, &fields) {
        judge.temperature = temperature;
    }
    if let Some(votes) = fields
        .get("votes")
        .and_then(|field| values::integer(pen, field, 1..=25))
        .and_then(case::whole)
    {
        judge.votes = votes;
    }
    judge.rubric = fields
        .get("rubric")
        .and_then(|field| values::text(pen, "`rubric`", field.value));
    judge.prompt = fields
        .get("prompt")
        .and_then(|field| judge_prompt(pen, shelf, field));
    judge.max_completion_tokens = case::max_completion_tokens(pen, &fields);
    judge.seed = case::seed(pen, &fields);
    judge.anchors = fields
        .get("anchors")
        .map(|field| anchors::read(pen, field))
        .unwrap_or_default();
    judge
}

fn judge_prompt(pen: &mut Pen<'_>, shelf: &mut Shelf, field: Field<'_>) -> Option<String> {
    const ENDINGS: [&str; 4] = [".md", ".txt", ".jinja", ".j2"];
    let span = field.value.span;
    if let Kind::Scalar { text, .. } = &field.value.kind
        && (text.contains('\n') || text.contains("{{"))
    {
        pen.error_help(
            span,
            "`prompt` of the judge names a file, found a template",
            "put it into a file beside the suite, for example `judge.md`",
        );
        return None;
    }
    let name = values::word(pen, "`prompt`", field.value)?;
    if !ENDINGS
        .iter()
        .any(|ending| name.to_ascii_lowercase().ends_with(ending))
    {
        let message = format!("the judge's prompt {} is no text file by its name", quoted(&name));
        pen.error_help(
            span,
            message,
            "name a `.md`, `.txt`, `.jinja` or `.j2` file beside the suite",
        );
        return None;
    }
    let opened = shelf.open(pen, span, &name, LARGEST_PROMPT)?;
    let (flaws, printed) = template::flaws(&opened.text, JUDGE_VARIABLES);
    if flaws.is_empty() && !printed.contains(&"answer") {
        let help = "write `{{ answer }}` where the answer under judgement belongs";
        pen.turn(&opened.shown)
            .error_help(Span::START, "the judge's prompt never shows the answer", help);
        return None;
    }
    let sound = flaws.is_empty();
    let lines = place::Lines::of(&opened.text);
    for flaw in flaws {
        let span = lines.at(flaw.at, flaw.length);
        pen.turn(&opened.shown).error_help(span, flaw.message, flaw.help);
    }
    sound.then(|| opened.text.to_string())
}

/// A gate whose text could be read.
pub(super) struct WrittenGate {
    pub(super) gate: Gate,
    /// Characters of the text on its first line, where that is not what was read (it is folded over lines, or holds
    /// escapes): places in the one are none in the other then.
    pub(super) otherwise_written: Option<u32>,
}

/// `gates:`; those that can't be read are told and left out.
pub(super) fn gates(pen: &mut Pen<'_>, field: Field<'_>) -> Vec<WrittenGate> {
    let Some(entries) = values::list(pen, field, "gates") else {
        return Vec::new();
    };
    if entries.len() > MOST_GATES {
        pen.error(field.value.span, "the suite has more than 1,000 gates");
        return Vec::new();
    }
    entries.iter().filter_map(|entry| gate(pen, entry)).collect()
}

fn gate(pen: &mut Pen<'_>, node: &Node) -> Option<WrittenGate> {
    const ELSE: &[(&str, Otherwise)] = &[
        ("fail", Otherwise::Fail),
        ("hold", Otherwise::Hold),
        ("warn", Otherwise::Warn),
    ];
    if let Kind::Scalar { text, .. } = &node.kind {
        let help = format!("write `- require: {}`", one_line(text.trim(), 60));
        pen.error_help(
            node.span,
            format!("a gate must be a map, found {}", node.describe()),
            help,
        );
        return None;
    }
    let fields = Fields::read(pen, node, "the gate", keys::GATE)?;
    let otherwise = match fields.get("else") {
        Some(field) => values::choice(pen, field, ELSE),
        None => Some(Otherwise::Fail),
    };
    let field = fields.need(pen, "require", "write for example `require: mean >= 0.7`")?;
    let require = values::text(pen, "`require`", field.value)?;
    let mut span = text_span(field.value);
    // A `|` text may begin with an empty line.
    let as_written = is_as_written(field.value) && !require.starts_with('\n');
    if as_written {
        // The text's own first character, so that the gate's reader can count on from it.
        let indent = require.chars().take_while(|c| c.is_whitespace()).count();
        span.column += u32::try_from(indent).unwrap_or_default();
    }
    let place = pen.place(span);
    Some(WrittenGate {
        gate: Gate {
            require: require.trim().to_owned(),
            otherwise: otherwise?,
            place,
        },
        otherwise_written: (!as_written).then_some(span.length),
    })
}

/// `cycle:`; everything in it has a default.
pub(super) fn cycle(pen: &mut Pen<'_>, field: Option<Field<'_>>) -> CycleSettings {
    const HARVEST: &[(&str, Harvest)] = &[
        ("always", Harvest::Always),
        ("when_gates_pass", Harvest::WhenGatesPass),
    ];
    const WHEN_BUSY: &[(&str, WhenBusy)] = &[
        ("hold", WhenBusy::Hold),
        ("wait", WhenBusy::Wait),
        ("ignore", WhenBusy::Ignore),
    ];
    let mut cycle = CycleSettings::default();
    let Some(fields) = field.and_then(|field| Fields::read(pen, field.value, "`cycle`", keys::CYCLE)) else {
        return cycle;
    };
    let share = fields
        .get("split_percentage")
        .and_then(|field| values::integer(pen, field, 1..=99));
    if let Some(share) = share.and_then(|share| u8::try_from(share).ok()) {
        cycle.split_percentage = share;
    }
    if let Some(harvest) = fields
        .get("harvest")
        .and_then(|field| values::choice(pen, field, HARVEST))
    {
        cycle.harvest = harvest;
    }
    if let Some(when) = fields
        .get("when_busy")
        .and_then(|field| values::choice(pen, field, WHEN_BUSY))
    {
        cycle.when_busy = when;
    }
    if let Some(name) = fields.get("job_name").and_then(|field| job_name(pen, field)) {
        cycle.job_name = name;
    }
    for (key, setting) in [
        ("poll", &mut cycle.poll),
        ("settle_timeout", &mut cycle.settle_timeout),
        ("recommendations_timeout", &mut cycle.recommendations_timeout),
        ("busy_timeout", &mut cycle.busy_timeout),
    ] {
        if let Some(duration) = fields.get(key).and_then(|field| values::duration(pen, field)) {
            *setting = duration;
        }
    }
    cycle
}

fn job_name(pen: &mut Pen<'_>, field: Field<'_>) -> Option<String> {
    let name = values::word(pen, "`job_name`", field.value)?;
    if name.chars().count() > LONGEST_JOB_NAME {
        pen.error(
            field.value.span,
            format!("`job_name` is longer than {LONGEST_JOB_NAME} characters"),
        );
        return None;
    }
    let (flaws, _) = template::flaws(&name, JOB_VARIABLES);
    let sound = flaws.is_empty();
    for flaw in flaws {
        // Offsets count in the text as read.
        let whole = field.value.span;
        let chars = name.get(..flaw.at).map_or(0, |before| before.chars().count());
        let span = match field.value.kind {
            Kind::Scalar {
                style: Style::Block, ..
            } => whole,
            _ if !name.is_ascii() || !is_as_written(field.value) => whole,
            _ => Span {
                column: text_span(field.value).column + u32::try_from(chars).unwrap_or_default(),
                length: u32::try_from(flaw.length).unwrap_or(1),
                ..whole
            },
        };
        pen.error_help(span, flaw.message, flaw.help);
    }
    sound.then_some(name)
}
