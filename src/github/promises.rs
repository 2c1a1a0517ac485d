//! Any text comes in, on its way to the runner's log; what is promised of it is held against how the runner reads a
//! line. For the tests and for fuzzing: nothing goes out, a broken promise panics.

use super::command::{Annotation, AnnotationKind, Annotations, add_mask, fenced, group, inert_line};

/// Everything that is promised of one text, in all its places.
pub(crate) fn of_a_text(text: &str) {
    an_inert_line_is_no_command(text);
    an_annotation_is_one_command(text, text);
    a_fence_holds_every_line(text);
    a_fold_is_one_command(text);
    a_mask_names_every_line(text);
}

pub(super) fn an_inert_line_is_no_command(text: &str) {
    let shown = inert_line(text);
    for line in lines(&shown) {
        assert_eq!(command_of(line), None, "{line:?}");
    }
    assert_eq!(shown.replace(' ', ""), text.replace(' ', ""));
}

pub(super) fn an_annotation_is_one_command(message: &str, file: &str) {
    let mut annotations = Annotations::default();
    let annotation = Annotation {
        file: Some(file.to_owned()),
        line: Some(3),
        message: message.to_owned(),
        ..Annotation::default()
    };
    annotations.add(AnnotationKind::Error, annotation);
    let out = annotations.commands();
    let (name, data) = only_command(&out);
    let properties = name.strip_prefix("error ").unwrap_or_default();
    assert!(
        properties
            .split(',')
            .all(|p| p.starts_with("file=") || p == "line=3"),
        "{name}"
    );
    assert!(out.chars().count() <= 9_000 * 3 + 100, "{} bytes", out.len());
    if message.chars().count() <= 4_000 && !message.contains(char::is_control) {
        assert_eq!(unescaped(&data), message);
    }
}

pub(super) fn a_fence_holds_every_line(text: &str) {
    let out = fenced(text);
    let (first, rest) = out.split_once('\n').unwrap_or_default();
    let token = first.strip_prefix("::stop-commands::").unwrap_or_default();
    assert!(token.len() > 30, "{out:?}");
    let inside = rest.strip_suffix(&format!("::{token}::\n")).unwrap_or(token);
    assert!(!inside.contains(token));
    assert!(inside.is_empty() || inside.ends_with('\n'));
    assert!(inside.starts_with(text));
}

fn a_fold_is_one_command(title: &str) {
    let out = group(title);
    assert_eq!(only_command(&out).0, "group");
}

fn a_mask_names_every_line(value: &str) {
    let mut masks = Vec::new();
    for line in lines(&add_mask(value)).filter(|line| !line.is_empty()) {
        let (name, data) = command_of(line).unwrap_or_default();
        assert_eq!(name, "add-mask", "{line:?}");
        assert!(!data.trim().is_empty());
        masks.push(unescaped(&data));
    }
    let wanted: Vec<&str> = lines(value).filter(|line| !line.trim().is_empty()).collect();
    assert_eq!(masks, wanted);
}

/// The command that a text is, which holds no other.
fn only_command(text: &str) -> (String, String) {
    let commands: Vec<_> = lines(text)
        .filter(|line| !line.is_empty())
        .map(command_of)
        .collect();
    assert_eq!(commands.len(), 1, "{text:?}");
    commands.into_iter().next().flatten().unwrap_or_default()
}

/// As the runner reads a line.
fn command_of(line: &str) -> Option<(String, String)> {
    if let Some(rest) = line.trim_start().strip_prefix("::") {
        let (name, data) = rest.split_once("::")?;
        return Some((name.to_owned(), data.to_owned()));
    }
    let rest = &line[line.find("##[")? + 3..];
    rest.split_once(']')
        .map(|(name, data)| (name.to_owned(), data.to_owned()))
}

/// As the runner reads a command's data.
fn unescaped(data: &str) -> String {
    data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r'])
}
