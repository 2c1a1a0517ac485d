//! A text of any length comes in; a short one that fits a line, a label or a message goes out.

/// The text, or its first characters and `…` when it has more than `max` characters; `max` at least 1.
pub(super) fn excerpt(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => {
            let mut short: String = text.chars().take(max.saturating_sub(1)).collect();
            short.push('…');
            short
        }
    }
}

/// The text's beginning as a JSON string: control characters escaped, quotes around it, on one line.
pub(super) fn quoted(text: &str, max: usize) -> String {
    serde_json::Value::String(excerpt(text, max)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_on_characters_with_a_mark() {
        assert_eq!(excerpt("äöü", 3), "äöü");
        assert_eq!(excerpt("äöüß", 3), "äö…");
        assert_eq!(excerpt("", 3), "");
        assert_eq!(excerpt("ab", 1), "…");
    }

    #[test]
    fn quotes_keep_to_one_line() {
        assert_eq!(quoted("a\n\"b\"\u{1b}", 10), r#""a\n\"b\"\u001b""#);
    }
}
