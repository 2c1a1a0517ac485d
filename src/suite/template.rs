//! The text of a template → known to be sound, or what is wrong with it and where.
//!
//! A template of a suite may say `{{ name }}` and `{% if name %} … {% else %} … {% endif %}` and nothing else. The
//! engine knows loops and arithmetic, with which forty lines of a hostile suite would fill any memory.

use minijinja::{Environment, UndefinedBehavior};

use super::fields::listed;
use super::suggest::suggest;
use super::tree::{one_line, quoted};

/// What a judge's prompt may name.
pub(super) const JUDGE_VARIABLES: &[&str] = &["prompt", "answer", "reference", "rubric"];
/// What a job's name may name.
pub(super) const JOB_VARIABLES: &[&str] = &["date", "suite", "model", "run"];

/// A fault at a byte offset of the template, over some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) at: usize,
    pub(super) length: usize,
    pub(super) message: String,
    pub(super) help: String,
}

/// Every fault of a template that may name `known`, up to its 200th tag; and the names it prints.
pub(super) fn flaws<'t>(template: &'t str, known: &[&str]) -> (Vec<Flaw>, Vec<&'t str>) {
    const MOST_TAGS: usize = 200;
    let mut flaws = Vec::new();
    let mut printed = Vec::new();
    let mut at = 0;
    let mut tags = 0;
    while let Some(from) = template.get(at..).and_then(|rest| Some(at + next_tag(rest)?)) {
        tags += 1;
        if tags > MOST_TAGS {
            flaws.push(Flaw {
                at: from,
                length: 2,
                message: format!("the template has more than {MOST_TAGS} tags"),
                help: "shorten it".to_owned(),
            });
            return (flaws, printed);
        }
        let rest = template.get(from..).unwrap_or_default();
        let (close, kind) = match rest.as_bytes().get(1) {
            Some(b'{') => ("}}", Tag::Print),
            Some(b'%') => ("%}", Tag::Statement),
            _ => ("#}", Tag::Comment),
        };
        let Some(end) = rest.get(2..).and_then(|inner| inner.find(close)) else {
            flaws.push(Flaw {
                at: from,
                length: 2,
                message: format!(
                    "the `{}` that opens here is never closed",
                    rest.get(..2).unwrap_or_default()
                ),
                help: format!("close it with `{close}`"),
            });
            return (flaws, printed);
        };
        let inner = rest.get(2..2 + end).unwrap_or_default();
        let whole = (from, end + 4);
        match kind {
            Tag::Print => print(inner, from + 2, whole, known, &mut flaws, &mut printed),
            Tag::Statement => statement(inner, from + 2, whole, known, &mut flaws),
            Tag::Comment => {}
        }
        at = from + end + 4;
    }
    if flaws.is_empty()
        && let Some(flaw) = rehearse(template, known)
    {
        flaws.push(flaw);
    }
    (flaws, printed)
}

#[derive(Clone, Copy)]
enum Tag {
    Print,
    Statement,
    Comment,
}

fn next_tag(text: &str) -> Option<usize> {
    text.as_bytes()
        .windows(2)
        .position(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))
}

const ALLOWED: &str =
    "a template may hold `{{ name }}` and `{% if name %} … {% else %} … {% endif %}`, nothing else";

fn print<'t>(
    inner: &'t str,
    at: usize,
    whole: (usize, usize),
    known: &[&str],
    flaws: &mut Vec<Flaw>,
    printed: &mut Vec<&'t str>,
) {
    let name = trimmed(inner);
    if !is_name(name) {
        let message = format!("{} is no name", quoted(name));
        flaws.push(Flaw {
            at: whole.0,
            length: whole.1,
            message,
            help: ALLOWED.to_owned(),
        });
    } else if let Some(flaw) = unknown(name, inner, at, known) {
        flaws.push(flaw);
    } else {
        printed.push(name);
    }
}

fn statement(inner: &str, at: usize, whole: (usize, usize), known: &[&str], flaws: &mut Vec<Flaw>) {
    let mut words = trimmed(inner).split_ascii_whitespace();
    let refused = || Flaw {
        at: whole.0,
        length: whole.1,
        message: format!("{} is not read in a template", quoted(trimmed(inner))),
        help: ALLOWED.to_owned(),
    };
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some("else" | "endif"), None, ..) => {}
        (Some("if" | "elif"), Some("not"), Some(name), None) | (Some("if" | "elif"), Some(name), None, _)
            if is_name(name) =>
        {
            flaws.extend(unknown(name, inner, at, known));
        }
        _ => flaws.push(refused()),
    }
}

fn trimmed(inner: &str) -> &str {
    inner
        .trim_start_matches(['-', '+'])
        .trim_end_matches(['-', '+'])
        .trim()
}

fn is_name(name: &str) -> bool {
    name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn unknown(name: &str, inner: &str, at: usize, known: &[&str]) -> Option<Flaw> {
    if known.contains(&name) {
        return None;
    }
    // Behind a word like `if`: the name is the last one.
    let offset = inner.rfind(name).unwrap_or_default();
    let help = match suggest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("it may name {}", listed(known)),
    };
    let message = format!("the template names {}, which it does not have", quoted(name));
    Some(Flaw {
        at: at + offset,
        length: name.len(),
        message,
        help,
    })
}

/// Renders with stand-ins: what the scan above let through can still be an `else` without an `if`.
fn rehearse(template: &str, known: &[&str]) -> Option<Flaw> {
    let environment = template_environment();
    let context: std::collections::BTreeMap<&str, &str> = known.iter().map(|name| (*name, "text")).collect();
    let rendered = environment
        .template_from_str(template)
        .and_then(|template| template.render(minijinja::Value::from(context)));
    let error = rendered.err()?;
    let range = error.range().unwrap_or(0..1);
    let detail = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    Some(Flaw {
        at: range.start.min(template.len()),
        length: range.len().max(1),
        message: format!("the template can't be read: {}", one_line(&detail, 200)),
        help: ALLOWED.to_owned(),
    })
}

/// The engine in which a suite's templates are read and rendered: no loader, no filters, no functions; a name that
/// is not there is an error; the work is bounded.
pub fn template_environment() -> Environment<'static> {
    const FUEL: u64 = 100_000;
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(template: &str) -> Vec<String> {
        flaws(template, JUDGE_VARIABLES)
            .0
            .into_iter()
            .map(|flaw| format!("{}+{} {}", flaw.at, flaw.length, flaw.message))
            .collect()
    }

    #[test]
    fn what_a_judge_needs_is_read() {
        let template = "{# note #}{{ prompt }}{%- if not reference %}none{% else %}{{reference}}{% endif -%} { {{- answer -}}";
        let (flaws, printed) = flaws(template, JUDGE_VARIABLES);
        assert_eq!(flaws, []);
        assert_eq!(printed, ["prompt", "reference", "answer"]);
    }

    #[test]
    fn every_flaw_is_told_with_its_place() {
        assert_eq!(
            messages("{{ anwser }} {{ 1 + 1 }} {% for a in answer %}{% endfor %}{% if rubrik %}{% endif %}"),
            [
                "3+6 the template names `anwser`, which it does not have",
                "13+11 `1 + 1` is no name",
                "25+21 `for a in answer` is not read in a template",
                "46+12 `endfor` is not read in a template",
                "64+6 the template names `rubrik`, which it does not have",
            ]
        );
        assert_eq!(
            messages("a {{ answer"),
            ["2+2 the `{{` that opens here is never closed"]
        );
        assert_eq!(messages("{% if answer %}").len(), 1);
        assert_eq!(messages("{% endif %}").len(), 1);
        assert_eq!(messages("{% raw %}{% endraw %}").len(), 2);
    }

    #[test]
    fn so_many_tags_are_looked_at_and_no_more() {
        let many = |tag: &str| messages(&tag.repeat(15_000));
        assert_eq!(many("{{}}").len(), 201);
        assert_eq!(
            many("{{ answer }}"),
            ["2400+2 the template has more than 200 tags"]
        );
        assert_eq!(messages(&"{{ answer }}".repeat(200)), Vec::<String>::new());
    }

    #[test]
    fn hostile_templates_end_at_once() {
        for template in [
            format!("{{{{ {}answer }}}}", "(".repeat(100_000)),
            format!("{{{{ {}", "[".repeat(100_000)),
            "{% set a = a ~ a %}".repeat(60),
            "{% if answer %}".repeat(50_000),
            "{{ answer }}".repeat(50_000),
            "{{".repeat(50_000),
        ] {
            assert!(!messages(&template).is_empty());
        }
    }
}
