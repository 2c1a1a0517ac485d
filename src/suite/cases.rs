//! `cases:` → all cases, those of included files in their place; ids that stand twice are told.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use super::case::{self, Settings};
use super::faults::Pen;
use super::fields::{Field, Fields};
use super::folder::LARGEST;
use super::shelf::{Opened, Shelf};
use super::suggest::suggest;
use super::texts::Packer;
use super::tree::{Kind, Node, Span, quoted, steers};
use super::{Case, Check, glob, json_schema, keys, values, yaml};

use of_lines::Ended;

mod of_lines;

/// Cases of one suite, includes counted.
pub(super) const MOST_CASES: usize = 100_000;
/// Text of all cases in bytes, once `defaults` and schemas stand in each.
const MOST_TEXT: usize = 256 * 1024 * 1024;

/// What was read of the cases.
#[derive(Default)]
pub(super) struct Cases {
    pub(super) cases: Vec<Case>,
    packer: Packer,
    /// Each with the first place it stands in, also of faulty cases.
    pub(super) ids: HashMap<String, (Rc<str>, Span)>,
    /// Each with the first place it stands in.
    pub(super) tags: BTreeMap<String, (Rc<str>, Span)>,
    /// A case whose id could not be read, so that an id may be missing.
    pub(super) some_ids: bool,
    /// A case whose tags could not be read, so that a tag may be missing.
    pub(super) some_tags: bool,
    /// A case is `holdout: true`, or may be.
    pub(super) holdout: bool,
    /// A case is `critical: true`, or may be.
    pub(super) critical: bool,
    seen: usize,
    /// Errors told of single cases; all others mean that cases are missing.
    faults: usize,
    text: usize,
    full: bool,
    included: BTreeSet<String>,
}

/// Reads `cases:` of the suite.
pub(super) fn read(pen: &mut Pen<'_>, shelf: &mut Shelf, defaults: &Settings, field: Field<'_>) -> Cases {
    let mut cases = match pen.cut {
        Some(_) => Cases::unread(),
        None => Cases::default(),
    };
    let before = pen.errors();
    let Some(entries) = values::list(pen, field, "cases") else {
        return Cases::unread();
    };
    for entry in entries {
        if is_include(entry) {
            cases.include(pen, shelf, defaults, entry);
        } else {
            cases.case(pen, shelf, defaults, entry);
        }
    }
    if cases.seen == 0 && pen.errors() == before && !pen.may_be_cut(field.value) {
        pen.error_help(
            field.value.span,
            "the suite has no cases",
            "write at least one, with `id` and `prompt`",
        );
    }
    cases
}

/// Whether an entry stands for other files: it has the key, or nothing but a slip of it.
fn is_include(entry: &Node) -> bool {
    let Kind::Map(entries) = &entry.kind else {
        return false;
    };
    match entries.as_slice() {
        [only] => suggest(&only.key, ["include"]).is_some() || matches!(only.key.as_str(), "file" | "import"),
        entries => entries.iter().any(|entry| entry.key == "include"),
    }
}

impl Cases {
    /// No case yet, and some that can't be read: because `cases:` is missing, say.
    pub(super) fn unread() -> Cases {
        let mut cases = Cases::default();
        cases.missed();
        cases
    }

    /// Takes note of cases that could not be read at all: they may hold whatever a gate asks for.
    fn missed(&mut self) {
        self.some_ids = true;
        self.some_tags = true;
        self.holdout = true;
        self.critical = true;
    }

    fn case(&mut self, pen: &mut Pen<'_>, shelf: &mut Shelf, defaults: &Settings, node: &Node) {
        if !self.has_room(pen, node.span) {
            return;
        }
        self.seen += 1;
        let before = pen.errors();
        self.known_case(pen, shelf, defaults, node);
        self.faults += pen.errors() - before;
    }

    /// Whether there is room for one more case; that there is none is told once.
    fn has_room(&mut self, pen: &mut Pen<'_>, span: Span) -> bool {
        if self.seen < MOST_CASES && self.text <= MOST_TEXT {
            return true;
        }
        if !self.full {
            self.full = true;
            let message = match self.seen >= MOST_CASES {
                true => "the suite has more than 100,000 cases",
                false => "the cases hold more than 256 MB of text, `defaults` and schemas counted in each",
            };
            pen.error_help(span, message, "split it into several suites");
        }
        self.missed();
        false
    }

    fn known_case(&mut self, pen: &mut Pen<'_>, shelf: &mut Shelf, defaults: &Settings, node: &Node) {
        let Some(draft) = case::read(pen, shelf, defaults, node) else {
            return self.missed();
        };
        self.some_ids |= draft.id.is_none();
        self.some_tags |= !draft.all_tags;
        self.holdout |= draft.holdout;
        self.critical |= draft.critical;
        for (tag, span) in draft.tags {
            self.tags
                .entry(tag)
                .or_insert_with(|| (Rc::clone(&pen.file), span));
        }
        if let Some((id, span)) = draft.id {
            match self.ids.get(&id) {
                Some((file, first)) => {
                    let help = if (file, first) == (&pen.file, &span) {
                        "an alias repeats the whole case: write it out with an id of its own".to_owned()
                    } else {
                        format!(
                            "it is first used at {file}:{}:{}; each case needs its own",
                            first.line, first.column
                        )
                    };
                    pen.error_help(span, format!("the id {} stands twice", quoted(&id)), help);
                }
                None => {
                    self.ids.insert(id, (Rc::clone(&pen.file), span));
                }
            }
        }
        if let Some(case) = draft.case {
            self.text = self.text.saturating_add(size(&case));
            self.cases.push(case);
            self.packer
                .added(self.cases.iter_mut().map(|case| &mut case.texts));
        }
    }

    fn include(&mut self, pen: &mut Pen<'_>, shelf: &mut Shelf, defaults: &Settings, entry: &Node) {
        let before = pen.errors() - self.faults;
        self.include_files(pen, shelf, defaults, entry);
        if pen.errors() - self.faults > before {
            self.missed();
        }
    }

    fn include_files(&mut self, pen: &mut Pen<'_>, shelf: &mut Shelf, defaults: &Settings, entry: &Node) {
        // A case's key beside `include` means that two entries ran into one.
        let Some(fields) = Fields::read(pen, entry, "an `include`", keys::INCLUDE) else {
            return;
        };
        let Some(field) = fields.get("include") else {
            return;
        };
        let Some(name) = values::word(pen, "`include`", field.value) else {
            return;
        };
        let span = field.value.span;
        if !glob::is_pattern(&name) {
            return self.file(pen, shelf, defaults, span, &name);
        }
        match glob::matches(&shelf.folder, &name, &mut shelf.looked_at) {
            Ok(names) if names.is_empty() => {
                let help = match name.contains('{') {
                    true => "`{a,b}` is not read: write two includes",
                    false => {
                        "it is looked for below the suite's own folder; `**` goes into folders, `*` does not"
                    }
                };
                pen.error_help(span, format!("no file matches {}", quoted(&name)), help);
            }
            Ok(names) => {
                for name in names {
                    self.file(pen, shelf, defaults, span, &name);
                }
            }
            Err(unread) => match unread.help {
                Some(help) => pen.error_help(span, unread.message, help),
                None => pen.error(span, unread.message),
            },
        }
    }

    fn file(&mut self, pen: &mut Pen<'_>, shelf: &mut Shelf, defaults: &Settings, span: Span, name: &str) {
        if self.full {
            return;
        }
        // A pattern finds names that nobody wrote in the suite.
        if name.chars().any(steers) {
            pen.error_help(
                span,
                format!("the name of {} holds a control character", quoted(name)),
                "rename the file",
            );
            return;
        }
        let lower = name.to_ascii_lowercase();
        let lines = lower.ends_with(".jsonl");
        if !lines && !lower.ends_with(".yaml") && !lower.ends_with(".yml") {
            let help = "cases are read from `.yaml`, `.yml` and `.jsonl` files";
            pen.error_help(
                span,
                format!("{} is no list of cases by its name", quoted(name)),
                help,
            );
            return;
        }
        let shown = shelf.folder.shown(name);
        if shown == *pen.file {
            pen.error_help(
                span,
                format!("{} is this suite itself", quoted(name)),
                "put the included cases into a folder of their own",
            );
            return;
        }
        if !self.included.insert(shown) {
            pen.error_help(
                span,
                format!("{} is included twice", quoted(name)),
                "remove one, or narrow the pattern",
            );
            return;
        }
        if lines {
            let Some((shown, lines)) = shelf.open_lines(pen, span, name) else {
                return;
            };
            let before = (self.seen, pen.errors());
            let ended = self.lines(&mut pen.turn(&shown), shelf, defaults, name, lines);
            match ended {
                Ended::Unread(error) => {
                    shelf.tell_unread(pen, span, name, error.as_ref());
                }
                Ended::Through => self.is_not_empty(&mut pen.turn(&shown), before),
            }
            return;
        }
        let Some(opened) = shelf.open(pen, span, name, LARGEST) else {
            return;
        };
        let before = (self.seen, pen.errors());
        let mut pen = pen.turn(&opened.shown);
        self.list(&mut pen, shelf, defaults, &opened);
        self.is_not_empty(&mut pen, before);
    }

    /// Tells of a file that gave neither a case nor a fault.
    fn is_not_empty(&self, pen: &mut Pen<'_>, before: (usize, usize)) {
        if (self.seen, pen.errors()) == before {
            pen.warning(
                Span::START,
                "the file holds no case",
                "remove its `include`, or write cases into it",
            );
        }
    }

    fn list(&mut self, pen: &mut Pen<'_>, shelf: &mut Shelf, defaults: &Settings, opened: &Opened) {
        let Some(root) = yaml::parse(pen, &opened.text) else {
            return;
        };
        let entries = match &root.kind {
            Kind::List(entries) => Some(entries.as_slice()),
            Kind::Map(_) => {
                let Some(fields) = Fields::read(pen, &root, "an included file", keys::INCLUDED) else {
                    return;
                };
                let help = "it holds a list of cases, or a map with `cases:`";
                fields
                    .need(pen, "cases", help)
                    .and_then(|field| values::list(pen, field, "cases"))
            }
            _ => {
                let message = format!(
                    "an included file must be a list of cases, found {}",
                    root.describe()
                );
                pen.error_help(root.span, message, "begin each case with `- id: …`");
                None
            }
        };
        for entry in entries.into_iter().flatten() {
            if is_include(entry) {
                pen.error_help(
                    entry.span,
                    "an included file can't include others",
                    "name the file in the suite itself",
                );
            } else {
                self.case(pen, shelf, defaults, entry);
            }
        }
    }

    /// Tags that differ only in upper and lower case are told: a gate on one of them misses the other.
    pub(super) fn warn_of_like_tags(&self, pen: &mut Pen<'_>) {
        let mut lower: HashMap<String, &str> = HashMap::new();
        for (tag, (file, span)) in &self.tags {
            match lower.get(&tag.to_lowercase()) {
                Some(other) => pen.turn(file).warning(
                    *span,
                    format!(
                        "the tags {} and {} differ only in upper and lower case",
                        quoted(other),
                        quoted(tag)
                    ),
                    "to a gate they are two tags: write both alike if they are one",
                ),
                None => {
                    lower.insert(tag.to_lowercase(), tag);
                }
            }
        }
    }
}

/// What a case weighs in memory, roughly.
fn size(case: &Case) -> usize {
    let texts = case.texts.read();
    let messages: usize = texts.messages.iter().map(|message| message.content.len()).sum();
    let reference = texts.reference.as_ref().map_or(0, |text| text.len());
    let checks: usize = case.checks.iter().map(weight).sum();
    messages + reference + checks + case.tags.iter().map(|tag| tag.len() + 24).sum::<usize>()
}

fn weight(check: &Check) -> usize {
    match check {
        Check::Equals(text)
        | Check::Contains(text)
        | Check::Icontains(text)
        | Check::NotContains(text)
        | Check::Regex(text)
        | Check::Similar { to: text, .. } => 64 + text.len(),
        Check::JsonSchema { schema, .. } => json_schema::weight(schema),
        Check::IsJson | Check::MaxChars(_) | Check::MaxLatency(_) => 64,
    }
}
