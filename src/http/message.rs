//! What a person is told of a reply that is not a usable one: foreign bytes come in, one short line
//! without control characters goes out. The key is masked before anything is cut.

use std::error::Error;

use serde_json::Value;

use super::redact::Redactor;

/// Characters of a text that the service sent as text.
const TEXT_CHARS: usize = 200;
/// Characters of what the service says in a field of its own for it.
const SAID_CHARS: usize = 500;

/// What the body of an error says.
pub(super) fn of_body(body: &[u8], redactor: &Redactor) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return "an empty body".to_owned();
    }
    if let Ok(value) = serde_json::from_str::<Value>(text)
        && let Some(said) = said(&value)
    {
        return line(&said, SAID_CHARS, redactor);
    }
    if let Some(page) = html(text) {
        return line(&page, TEXT_CHARS, redactor);
    }
    line(text, TEXT_CHARS, redactor)
}

/// What lies at the bottom of an error of the transport.
pub(super) fn of_error(error: &(dyn Error + 'static), redactor: &Redactor) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    line(&innermost.to_string(), TEXT_CHARS, redactor)
}

/// One line of at most `chars` characters, without the key.
pub(super) fn line(text: &str, chars: usize, redactor: &Redactor) -> String {
    let mut folded = String::with_capacity(text.len().min(4 * chars));
    for word in text
        .split(|c: char| c.is_whitespace() || hidden(c))
        .filter(|w| !w.is_empty())
    {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    let masked = redactor.redact(&folded);
    match masked.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", masked[..end].trim_end()),
        None => masked,
    }
}

/// Characters that a terminal or a page acts on instead of showing them.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The service's own words: `error` and `message`, and the `support_id` that its support asks for.
fn said(value: &Value) -> Option<String> {
    let Value::Object(fields) = value else { return None };
    let mut parts: Vec<String> = Vec::new();
    for name in ["error", "message", "detail", "details"] {
        if let Some(text) = fields.get(name).and_then(words)
            && !parts.contains(&text)
        {
            parts.push(text);
        }
    }
    if parts.is_empty() {
        return None;
    }
    let mut said = parts.join(": ");
    if let Some(id) = fields.get("support_id").and_then(words) {
        said.push_str(&format!(" (support id {id})"));
    }
    Some(said)
}

/// A text, the `message` of an object, or a list of either.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Object(fields) => match fields.get("message").or_else(|| fields.get("msg")) {
            Some(Value::String(text)) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            _ => None,
        },
        Value::Array(items) => {
            let texts: Vec<String> = items
                .iter()
                .filter(|i| !i.is_array())
                .filter_map(words)
                .take(5)
                .collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }
        _ => None,
    }
}

/// A page is told by its title: the rest is for a browser.
fn html(text: &str) -> Option<String> {
    let start: String = text.chars().take(2_000).collect::<String>().to_ascii_lowercase();
    if !(start.starts_with("<!doctype html") || start.starts_with("<html") || start.contains("<head")) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|at| {
        let from = at + lower[at..].find('>')? + 1;
        let to = from + lower[from..].find("</title")?;
        let title = text[from..to].trim();
        (!title.is_empty()).then_some(title)
    });
    Some(title.map_or("an HTML page".to_owned(), |t| format!("an HTML page: {t}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> String {
        of_body(body.as_bytes(), &Redactor::new(&"pk-secret-1234".into()))
    }

    #[test]
    fn the_services_own_words() {
        for (body, message) in [
            (r#"{"error":"no such model"}"#, "no such model"),
            (
                r#"{"error":"oops","status":500,"support_id":"S-1"}"#,
                "oops (support id S-1)",
            ),
            (r#"{"error":{"message":"too long","code":"x"}}"#, "too long"),
            (
                r#"{"statusCode":400,"message":["a is bad","b is bad"],"error":"Bad Request"}"#,
                "Bad Request: a is bad; b is bad",
            ),
            (r#"{"message":"only this"}"#, "only this"),
            (
                r#"{"detail":[{"loc":["x"],"msg":"field required"}]}"#,
                "field required",
            ),
            (r#"{"code":7}"#, r#"{"code":7}"#),
            (r#"{"error":null}"#, r#"{"error":null}"#),
            (
                "upstream\r\n\x1b[31m timed\tout\u{202e}",
                "upstream [31m timed out",
            ),
            ("\u{feff}{\"error\":\"x\"}", "x"),
            ("", "an empty body"),
            (" \n", "an empty body"),
        ] {
            assert_eq!(told(body), message);
        }
    }

    #[test]
    fn pages_are_told_by_their_title() {
        assert_eq!(
            told("<!DOCTYPE html><html><head><TITLE lang=en>\n502 Bad\nGateway</TITLE></head>…"),
            "an HTML page: 502 Bad Gateway"
        );
        assert_eq!(told("<html><body>no title</body></html>"), "an HTML page");
        assert_eq!(told("<html><head><title></title></head>"), "an HTML page");
        assert_eq!(told("<html><head><title>never closed"), "an HTML page");
    }

    #[test]
    fn long_texts_are_cut_after_the_key_is_masked() {
        let body = format!("{} pk-secret-1234 tail", "é".repeat(190));
        assert_eq!(told(&body), format!("{} [key] tai…", "é".repeat(190)));
        assert!(!told(&format!("{}pk-secret-1234", "x".repeat(195))).contains("pk"));
        assert_eq!(
            told(&format!(r#"{{"error":"{}"}}"#, "y".repeat(9_000)))
                .chars()
                .count(),
            501
        );
    }
}
