//! Keeps the key out of texts: a foreign text comes in, the same text without the key goes out.

use secrecy::{ExposeSecret, SecretString};

/// What stands where the key stood.
const MARK: &str = "[key]";
/// A key shorter than this is no secret, and masking it would only garble texts.
const SHORTEST: usize = 6;
/// An encoded piece shorter than this could be part of any word.
const SHORTEST_PIECE: usize = 8;

/// Knows the forms in which a key may come back.
pub(super) struct Redactor {
    /// Longest first, so that no form is masked in part.
    forms: Vec<SecretString>,
}

impl Redactor {
    pub(super) fn new(key: &SecretString) -> Redactor {
        let key = key.expose_secret().trim();
        let mut forms: Vec<String> = Vec::new();
        if key.len() >= SHORTEST {
            forms.push(key.to_owned());
            forms.push(url_encoded(key, false));
            forms.push(url_encoded(key, true));
            forms.extend(base64_forms(key));
        }
        forms.sort_by_key(|f| std::cmp::Reverse(f.len()));
        forms.dedup();
        Redactor {
            forms: forms.into_iter().map(SecretString::from).collect(),
        }
    }

    pub(super) fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for form in &self.forms {
            if text.contains(form.expose_secret()) {
                text = text.replace(form.expose_secret(), MARK);
            }
        }
        text
    }
}

fn url_encoded(key: &str, lower: bool) -> String {
    key.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
            _ if lower => format!("%{b:02x}"),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

/// The key in base64, alone and as part of a longer text (`Bearer key`, `user:key`): of each of the
/// three ways it can lie in groups of three bytes, the characters that depend on it alone.
fn base64_forms(key: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for lead in 0..3_usize {
        let mut bytes = vec![0_u8; lead];
        bytes.extend_from_slice(key.as_bytes());
        let whole_characters = bytes.len() * 8 / 6;
        let first = (lead * 8).div_ceil(6);
        for alphabet in [STANDARD, URL_SAFE] {
            let text: String = base64(&bytes, alphabet)
                .chars()
                .take(whole_characters)
                .skip(first)
                .collect();
            if text.len() >= SHORTEST_PIECE {
                forms.push(text);
            }
        }
    }
    forms
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// RFC 4648, without padding.
fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let word = group
            .iter()
            .enumerate()
            .fold(0_u32, |w, (i, b)| w | u32::from(*b) << (16 - 8 * i));
        for i in 0..=group.len() {
            let six = (word >> (18 - 6 * i)) & 0x3f;
            text.push(char::from(alphabet[six as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_rfc_4648_says() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes(), STANDARD), encoded);
        }
    }

    #[test]
    fn every_form_of_the_key_is_masked() {
        let key = "pk/live+0123456789?abc";
        let redactor = Redactor::new(&key.into());
        for lead in ["", "u", "u:", "Bearer ", "user:"] {
            let encoded = base64(format!("{lead}{key}").as_bytes(), STANDARD);
            let out = redactor.redact(&encoded);
            assert!(out.contains(MARK), "{lead}: {out}");
            assert!(out.len() < MARK.len() + 16, "{lead}: {out}");
        }
        assert_eq!(redactor.redact(&format!("key {key} is bad")), "key [key] is bad");
        assert_eq!(redactor.redact("key pk%2Flive%2B0123456789%3Fabc"), "key [key]");
        assert_eq!(redactor.redact("key pk%2flive%2b0123456789%3fabc"), "key [key]");
        assert_eq!(redactor.redact("another text"), "another text");
    }

    #[test]
    fn no_key_masks_nothing() {
        assert_eq!(Redactor::new(&"".into()).redact("abc"), "abc");
        assert_eq!(Redactor::new(&"ab".into()).redact("abc"), "abc");
    }
}
