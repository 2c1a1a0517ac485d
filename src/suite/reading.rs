//! A suite's file → the suite and everything that was found wrong with it, in one pass.

use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;

use super::case::{self, Settings};
use super::cases::{self, Cases};
use super::faults::{Faults, Pen, SHOWN, not_shown};
use super::fields::{Fields, text_span};
use super::folder::{Folder, LARGEST, shown};
use super::parts::WrittenGate;
use super::shelf::Shelf;
use super::tree::{Kind, Node, Span, Style, is_number, one_line, quoted, steers};
use super::{
    Diagnostic, Gate, Place, Severity, Sources, Suite, fingerprint, keys, parts, place, values, yaml,
};

/// The version of the format that this build reads.
const VERSION: f64 = 1.0;

/// What reading a suite gave.
#[derive(Debug)]
pub struct Reading {
    /// The file as it was given.
    pub path: String,
    /// The suite; only without any error.
    pub suite: Option<Suite>,
    /// The suite's name, where it is a good one.
    pub name: Option<String>,
    /// Where the name is written.
    pub name_place: Option<Place>,
    /// The gates whose text could be read, also of a refused suite; what they say is not yet looked at.
    pub gates: Vec<Gate>,
    /// The tags of all cases that could be read, faulty ones too.
    pub tags: BTreeSet<String>,
    /// The ids of all cases that could be read, faulty ones too.
    pub ids: BTreeSet<String>,
    /// Whether the tags of all cases could be read; otherwise one that is not in the set may exist all the same.
    pub all_tags: bool,
    /// Whether the ids of all cases could be read; otherwise one that is not in the set may exist all the same.
    pub all_ids: bool,
    /// Whether a case is `holdout: true`, or one that could not be read may be.
    pub holdout: bool,
    /// Whether a case is `critical: true`, or one that could not be read may be.
    pub critical: bool,
    /// All faults, in the order of files and lines; beyond the first 200 only counted, in a last one.
    pub diagnostics: Vec<Diagnostic>,
    /// How many are not shown: the last one says so.
    hidden: usize,
    /// For each gate, how long its text is on its first line where places in the text as it was read are none there.
    otherwise_written: Vec<Option<u32>>,
    /// The texts that the faults point into, and the suite's own.
    pub sources: Sources,
}

impl Reading {
    /// Whether the suite is refused.
    pub fn refused(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Adds what others found in the suite's own file, each in its place; beyond the first 200 they are counted.
    pub fn tell(&mut self, faults: Vec<Diagnostic>) {
        let Some(own) = faults.first().map(|fault| fault.place.file.clone()) else {
            return;
        };
        let refused = self.refused() || faults.iter().any(|fault| fault.severity == Severity::Error);
        if self.hidden > 0 {
            self.diagnostics.pop();
        }
        let faults: Vec<Diagnostic> = faults.into_iter().map(|fault| self.on_its_line(fault)).collect();
        // The suite's own faults come first, as they were read.
        self.diagnostics.splice(0..0, faults);
        let ours = self.diagnostics.iter().filter(|d| d.place.file == own).count();
        self.diagnostics.sort_by_key(|d| d.place.file != own);
        if let Some(ours) = self.diagnostics.get_mut(..ours) {
            ours.sort_by_key(|d| (d.place.line, d.place.column));
        }
        self.hidden += self.diagnostics.len().saturating_sub(SHOWN);
        self.diagnostics.truncate(SHOWN);
        self.diagnostics.extend(not_shown(self.hidden, refused, &own));
    }

    /// A fault in a gate's text, which is counted in as it was read. Where it is written otherwise, the fault stands
    /// for all of it that is on its first line: it would point past it.
    fn on_its_line(&self, mut fault: Diagnostic) -> Diagnostic {
        let at = |place: &Place| (place.line, place.column);
        let gate = self
            .gates
            .iter()
            .zip(&self.otherwise_written)
            .filter(|(gate, _)| gate.place.line == fault.place.line && at(&gate.place) <= at(&fault.place))
            .max_by_key(|(gate, _)| gate.place.column);
        if let Some((gate, Some(written))) = gate
            && fault.place.column - gate.place.column < place::count(gate.require.chars().count())
        {
            fault.place.column = gate.place.column;
            fault.length = *written;
        }
        fault
    }
}

/// Reads one suite and everything it includes. `suite` is `Some` only without any error; nothing is printed, no
/// network is used, and no file outside the suite's folder is opened.
pub fn read(path: &Path) -> Reading {
    let given = path.to_string_lossy().into_owned();
    // The folder that one stands in has no name of its own.
    let named = Some(shown(path)).filter(|name| !name.is_empty());
    let file: Rc<str> = one_line(named.as_ref().unwrap_or(&given), usize::MAX).into();
    let mut faults = Faults::default();
    let mut shelf = None;
    let mut found = Found::default();
    {
        let mut pen = faults.pen(&file);
        if let Some((folder, name)) = locate(&mut pen, path) {
            let shelf = shelf.insert(Shelf::new(folder));
            if let Some(opened) = shelf.open(&mut pen, Span::START, &name, LARGEST)
                && let Some(root) = yaml::parse(&mut pen, &opened.text)
            {
                found = suite(&mut pen, shelf, &root, &given);
            }
        }
    }
    let suite = if faults.any_error() { None } else { found.suite };
    let hidden = faults.hidden();
    let diagnostics = faults.finish(&file);
    let sources = shelf
        .map(|shelf| shelf.sources(&file, &diagnostics))
        .unwrap_or_default();
    Reading {
        path: given,
        suite,
        name_place: found.name.as_ref().map(|(_, place)| place.clone()),
        name: found.name.map(|(name, _)| name),
        otherwise_written: found.gates.iter().map(|gate| gate.otherwise_written).collect(),
        gates: found.gates.into_iter().map(|written| written.gate).collect(),
        tags: found.tags,
        ids: found.ids,
        all_tags: found.all_tags,
        all_ids: found.all_ids,
        holdout: found.holdout,
        critical: found.critical,
        diagnostics,
        hidden,
        sources,
    }
}

/// The suite's folder and its name in there.
fn locate(pen: &mut Pen<'_>, path: &Path) -> Option<(Folder, String)> {
    let given = quoted(&shown(path));
    if shown(path).chars().any(steers) {
        pen.error_help(
            Span::START,
            format!("the path {given} holds a control character"),
            "rename the file or folder",
        );
        return None;
    }
    if path.is_dir() {
        let given = quoted(&path.to_string_lossy());
        let help = "name a file, or let the shell find them: `prompts/*.yaml`";
        pen.error_help(Span::START, format!("{given} is a folder, not a suite"), help);
        return None;
    }
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        pen.error(Span::START, format!("{given} is no name of a file"));
        return None;
    };
    let folder = match Folder::of(path) {
        Ok(folder) => folder,
        Err(error) => {
            let reason = match error.kind() {
                std::io::ErrorKind::NotFound => "its folder is not there".to_owned(),
                _ => error.to_string(),
            };
            pen.error(Span::START, format!("can't read {given}: {reason}"));
            return None;
        }
    };
    Some((folder, name.to_owned()))
}

/// What could be read of a suite.
#[derive(Default)]
struct Found {
    suite: Option<Suite>,
    name: Option<(String, Place)>,
    gates: Vec<WrittenGate>,
    tags: BTreeSet<String>,
    ids: BTreeSet<String>,
    all_tags: bool,
    all_ids: bool,
    holdout: bool,
    critical: bool,
}

/// The suite's own keys, of a version that is known.
pub(super) fn top<'n>(pen: &mut Pen<'_>, root: &'n Node) -> Option<Fields<'n>> {
    if let Kind::List(_) = root.kind {
        let help = "is this a list of cases? then write `- include: …` under the `cases:` of a suite";
        pen.error_help(root.span, "a suite must be a map of keys, found a list", help);
        return None;
    }
    let fields = Fields::read(pen, root, "the suite", keys::SUITE)?;
    version(pen, &fields);
    Some(fields)
}

/// The suite's gates, none where it asks for none.
pub(super) fn gates(pen: &mut Pen<'_>, fields: &Fields<'_>) -> Vec<WrittenGate> {
    fields
        .get("gates")
        .map(|field| parts::gates(pen, field))
        .unwrap_or_default()
}

fn suite(pen: &mut Pen<'_>, shelf: &mut Shelf, root: &Node, path: &str) -> Found {
    let Some(fields) = top(pen, root) else {
        return Found::default();
    };
    let name = name(pen, &fields);
    let mut word = |key: &str| {
        let field = fields.get(key)?;
        values::word(pen, &format!("`{key}`"), field.value)
    };
    let (project, model, dataset) = (word("project"), word("model"), word("dataset"));
    let mut judge = parts::judge(pen, shelf, fields.get("judge"));
    let gates = gates(pen, &fields);
    let cycle = parts::cycle(pen, fields.get("cycle"));
    let (defaults, all_tags) = match fields.get("defaults") {
        Some(field) => case::defaults(pen, shelf, field.value),
        None => (Settings::default(), true),
    };
    let cases = match fields.need(
        pen,
        "cases",
        "write `cases:` and below it one `- id: …` for each case",
    ) {
        Some(field) => cases::read(pen, shelf, &defaults, field),
        None => Cases::unread(),
    };
    cases.warn_of_like_tags(pen);
    let (all_tags, all_ids) = (all_tags && !cases.some_tags, !cases.some_ids);
    let (holdout, critical) = (cases.holdout, cases.critical);
    let tags = cases.tags.into_keys().chain(defaults.tags().cloned()).collect();
    let ids = cases.ids.into_keys().collect();
    judge.fingerprint = fingerprint::judge(&judge);
    let asked: Vec<Gate> = gates.iter().map(|written| written.gate.clone()).collect();
    let suite = name.clone().map(|(name, _)| Suite {
        path: path.to_owned(),
        fingerprint: fingerprint::suite(&name, &judge, &asked, &cases.cases),
        name,
        project,
        model,
        dataset,
        judge,
        cases: cases.cases,
        gates: asked,
        cycle,
    });
    Found {
        suite,
        name,
        gates,
        tags,
        ids,
        all_tags,
        all_ids,
        holdout,
        critical,
    }
}

fn version(pen: &mut Pen<'_>, fields: &Fields<'_>) {
    let Some(field) = fields.need(pen, "version", "write `version: 1` at the top") else {
        return;
    };
    match &field.value.kind {
        Kind::Scalar {
            text,
            style: Style::Bare,
        } if text.parse::<f64>().is_ok_and(|version| version == VERSION) => {}
        Kind::Scalar {
            text,
            style: Style::Bare,
        } if is_number(text) => {
            let message = format!(
                "this build reads version 1 of the format, found {}",
                field.value.describe()
            );
            pen.error_help(
                field.value.span,
                message,
                "write `version: 1`, or use a build that knows this version",
            );
        }
        _ => {
            let message = format!("`version` must be the number 1, found {}", field.value.describe());
            pen.error_help(field.value.span, message, "write `version: 1`");
        }
    }
}

fn name(pen: &mut Pen<'_>, fields: &Fields<'_>) -> Option<(String, Place)> {
    const LONGEST: usize = 100;
    let field = fields.need(
        pen,
        "name",
        "it names the report's folder: `name: invoice-extraction`",
    )?;
    let name = values::text(pen, "`name`", field.value)?;
    let good = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && name.len() <= LONGEST;
    if !good {
        let help =
            "it names a folder: letters, digits, `.`, `_` and `-`, a letter or digit first, 100 at most";
        pen.error_help(
            field.value.span,
            format!("the name {} can't be a folder's", quoted(&name)),
            help,
        );
    }
    good.then(|| (name, pen.place(text_span(field.value))))
}
