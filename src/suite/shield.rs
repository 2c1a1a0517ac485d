//! A suite's text → the text that the YAML parser is given, alike in every line and column.

use std::borrow::Cow;

/// Stands for a blank while the parser reads; a private-use character, one column wide like the blank.
pub(super) const SHIELD: char = '\u{E0FF}';

/// Gates are written without quotes, `- require: pass_rate(tag: totals) >= 0.9`, where YAML would end the text at
/// `tag: `. The blank after a selector's colon is therefore hidden from the parser, and put back in what it read.
pub(super) fn shield(text: &str) -> Cow<'_, str> {
    if !text.contains("require:") || text.contains(SHIELD) {
        return Cow::Borrowed(text);
    }
    let mut shielded = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive(['\n', '\r']) {
        let from = line
            .find("require:")
            .map_or(line.len(), |at| at + "require:".len());
        let (head, mut rest) = line.split_at(from);
        shielded.push_str(head);
        while let Some(at) = selector_blank(rest) {
            let (before, after) = rest.split_at(at);
            shielded.push_str(before);
            shielded.push(SHIELD);
            rest = after.get(1..).unwrap_or_default();
        }
        shielded.push_str(rest);
    }
    Cow::Owned(shielded)
}

/// The offset of the blank in the first `(word: ` of a line.
fn selector_blank(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let mut word = None;
    for (at, byte) in bytes.iter().enumerate() {
        match (byte, word) {
            (b'(', _) => word = Some(at),
            (b':', Some(_)) if matches!(bytes.get(at + 1), Some(b' ' | b'\t')) => return Some(at + 1),
            (b'a'..=b'z' | b'A'..=b'Z' | b'_' | b' ', Some(_)) => {}
            _ => word = None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::shield;

    #[test]
    fn only_a_selectors_blank_in_a_gate_is_hidden() {
        assert_eq!(
            shield("- require: mean(tag: a b) > 1\n"),
            "- require: mean(tag:\u{E0FF}a b) > 1\n"
        );
        assert_eq!(
            shield("- {require: drop(mean(case:  x)) > 1}"),
            "- {require: drop(mean(case:\u{E0FF} x)) > 1}"
        );
        for text in [
            "- require: mean > 1",
            "prompt: (tag: x)",
            "# require:",
            "- require: a: b",
            "require: (a\n(tag: x)",
        ] {
            assert_eq!(shield(text), text);
        }
    }
}
