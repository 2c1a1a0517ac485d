//! Records → annotations at the suites' own lines, the worst ten of a kind; and notices of what GitHub did not let be
//! done. Where no runner reads along, a notice is a line for a person.

use super::options::Format;
use super::output::Screen;
use super::publish::Publication;
use crate::github::{Annotation, AnnotationKind, Annotations};
use crate::report::{self, Remark, Weight};

/// The remarks of all suites. Each suite has its worst first, so that they take turns.
pub(crate) fn remarks(done: &[Publication], format: Format, screen: &Screen) {
    if !screen.github {
        return;
    }
    // The merged run tells what its shards would.
    let whole = done.iter().filter(|p| p.record.results.run.shard.is_none());
    let remarks = whole.map(|p| report::remarks(&p.record)).collect();
    let mut annotations = Annotations::default();
    for remark in in_turns(remarks) {
        let kind = match remark.weight {
            Weight::Error => AnnotationKind::Error,
            Weight::Warning => AnnotationKind::Warning,
            Weight::Notice => AnnotationKind::Notice,
        };
        annotations.add(kind, annotation(remark));
    }
    show(&annotations, format, screen);
}

fn in_turns(lists: Vec<Vec<Remark>>) -> Vec<Remark> {
    let mut lists: Vec<_> = lists.into_iter().map(Vec::into_iter).collect();
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(lists.iter_mut().filter_map(Iterator::next));
        if all.len() == before {
            return all;
        }
    }
}

fn annotation(remark: Remark) -> Annotation {
    Annotation {
        file: Some(remark.place.file.to_string()),
        line: Some(remark.place.line),
        column: Some(remark.place.column),
        title: Some(remark.title),
        message: remark.message,
        ..Annotation::default()
    }
}

/// A nicety that is missing: it is told where people look, and changes nothing.
pub(crate) fn notice(kind: AnnotationKind, message: &str, format: Format, screen: &Screen) {
    if !screen.github {
        return match kind {
            AnnotationKind::Notice => screen.note(message),
            AnnotationKind::Warning | AnnotationKind::Error => screen.warn(message),
        };
    }
    let mut annotations = Annotations::default();
    let notice = Annotation {
        title: Some("tunegate".to_owned()),
        message: message.to_owned(),
        ..Annotation::default()
    };
    annotations.add(kind, notice);
    show(&annotations, format, screen);
}

/// The runner reads both streams, so that a script's JSON has standard output to itself.
fn show(annotations: &Annotations, format: Format, screen: &Screen) {
    match format {
        Format::Text => screen.result(&annotations.commands()),
        Format::Json => screen.command(&annotations.commands()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Place;

    #[test]
    fn the_worst_of_each_suite_come_before_the_rest_of_any() {
        let list = |name: &str, n: usize| -> Vec<Remark> {
            (0..n)
                .map(|i| Remark {
                    weight: Weight::Error,
                    place: Place {
                        file: name.into(),
                        line: 1,
                        column: 1,
                    },
                    title: format!("{name}{i}"),
                    message: String::new(),
                })
                .collect()
        };
        let turns: Vec<String> = in_turns(vec![list("a", 3), list("b", 0), list("c", 2)])
            .into_iter()
            .map(|remark| remark.title)
            .collect();
        assert_eq!(turns, ["a0", "c0", "a1", "c1", "a2"]);
    }
}
