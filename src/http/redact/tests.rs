use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const KEY: &str = "pk/live+0123456789?abc~=xyz";

fn redactor() -> Redactor {
    Redactor::new(&KEY.into())
}

fn masked(body: &str) -> String {
    String::from_utf8(redactor().mask(body.as_bytes().to_vec())).expect("UTF-8 stays UTF-8")
}

fn url_encoded(key: &str, lower: bool) -> String {
    key.bytes()
        .map(|b| match b {
            _ if b.is_ascii_alphanumeric() => char::from(b).to_string(),
            _ if lower => format!("%{b:02x}"),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

fn all_escaped(key: &str) -> String {
    key.bytes().map(|b| format!("\\u{b:04x}")).collect()
}

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
    for lead in ["", "u", "u:", "Bearer ", "user:"] {
        for alphabet in [STANDARD, URL_SAFE] {
            let encoded = base64(format!("{lead}{KEY}").as_bytes(), alphabet);
            let out = redactor().redact(&encoded);
            assert!(out.contains(MARK), "{lead}: {out}");
            assert!(out.len() < MARK.len() + 16, "{lead}: {out}");
            // PHP writes every slash of a JSON text as `\/`; a MIME encoder breaks lines.
            let escaped = encoded.replace('/', r"\/");
            assert!(masked(&escaped).contains(MARK), "{escaped}");
            let (head, tail) = encoded.split_at(20);
            for between in ["\r\n", r"\n", "%0A"] {
                assert!(masked(&format!("{head}{between}{tail}")).contains(MARK));
            }
        }
    }
    for form in [
        KEY.to_owned(),
        url_encoded(KEY, false),
        url_encoded(KEY, true),
        url_encoded(&url_encoded(KEY, false), true),
        all_escaped(KEY),
        all_escaped(KEY).replace('\\', r"\\"),
        all_escaped(KEY).to_uppercase().replace('U', "u"),
        KEY.replace('/', r"\/"),
        KEY.replace('/', r"\\\/"),
        KEY.replace('+', r"\u002B").replace('/', "%2f"),
        KEY.replace('+', "&#43;").replace('/', "&#x2F;"),
        KEY.chars()
            .map(|c| format!("{c}\u{200b}"))
            .collect::<String>()
            .trim_end_matches('\u{200b}')
            .to_owned(),
        KEY.replace("0123", r"01\u000023"),
        KEY.replace("0123", r"01\ufffe23"),
    ] {
        assert_eq!(masked(&format!("key {form} is bad")), "key [key] is bad");
        assert_eq!(
            redactor().redact(&format!("key {form} is bad")),
            "key [key] is bad"
        );
        assert!(redactor().knows(form.as_bytes()));
    }
    for other in [
        "",
        "another text",
        "pk/live+0123456789?abc~=xy",
        "k/live+0123456789?abc~=xyz",
        "\\",
        "%",
        "&#",
    ] {
        assert_eq!(masked(other), other);
        assert_eq!(redactor().redact(other), other);
        assert!(!redactor().knows(other.as_bytes()));
    }
}

#[test]
fn json_stays_json_of_the_same_shape() {
    let whole = json!({"id": KEY, KEY: [KEY, {"a": format!("\\{KEY}\\"), "b": "\\\\\"\n"}], "n": 1.5});
    let expected = json!({"id": MARK, MARK: [MARK, {"a": "\\[key]\\", "b": "\\\\\"\n"}], "n": 1.5});
    for text in [
        whole.to_string(),
        format!("{whole:#}"),
        whole.to_string().replace('/', r"\/"),
    ] {
        assert_eq!(
            serde_json::from_str::<Value>(&masked(&text)).ok(),
            Some(expected.clone()),
            "{text}"
        );
    }
    // A judge's reply: JSON within JSON, which another parser reads later.
    let said = format!(r#"{{"feedback": "{}", "score": 1}}"#, all_escaped(KEY));
    let reply = masked(&json!({"content": said}).to_string());
    let content = serde_json::from_str::<Value>(&reply).expect("JSON")["content"].clone();
    let feedback =
        serde_json::from_str::<Value>(content.as_str().expect("a text")).expect("JSON")["feedback"].clone();
    assert_eq!(feedback, MARK);
}

#[test]
fn a_key_that_begins_like_an_escape_leaves_json_whole() {
    let redactor = Redactor::new(&"/nasty-key".into());
    for backslashes in 0..24 {
        let text = format!("{}/nasty-key", "\\".repeat(backslashes));
        let body = json!({"a": text}).to_string();
        for body in [body.clone(), body.replace('/', r"\/")] {
            let out = redactor.mask(body.into_bytes());
            let read: Value = serde_json::from_slice(&out).expect("still JSON");
            assert!(!read.to_string().contains("nasty-key"), "{read}");
        }
    }
    let redactor = Redactor::new(&"nasty-key".into());
    assert_eq!(redactor.redact(r"C:\nasty-key"), r"C:\[key]");
    let out = redactor.mask(json!({"a": r"C:\nasty-key"}).to_string().into_bytes());
    assert_eq!(
        serde_json::from_slice::<Value>(&out).ok(),
        Some(json!({"a": r"C:\[key]"}))
    );
    for odd in ["a%25b%2Bc", r"a\/b\u002bc", "a&amp;b&amp;c", "%25%25%25%25%25%25"] {
        let redactor = Redactor::new(&odd.into());
        let text = format!("<{odd}> <{}> <{}>", url_encoded(odd, true), all_escaped(odd));
        assert_eq!(redactor.redact(&text), "<[key]> <[key]> <[key]>");
    }
}

#[test]
fn no_key_masks_nothing() {
    assert_eq!(Redactor::new(&"".into()).redact("abc"), "abc");
    assert_eq!(Redactor::new(&"ab".into()).redact("abc"), "abc");
}

#[test]
fn a_big_body_is_not_copied_where_there_is_nothing_to_mask() {
    let body = vec![b'x'; 100_000];
    let before = body.as_ptr();
    let masked = redactor().mask(body);
    assert_eq!(masked.as_ptr(), before);
}

#[test]
fn hostile_bodies_are_looked_through_in_time() {
    for piece in [
        "\\",
        "%25",
        "&amp;",
        "\\u005c",
        "p",
        "pk/live+",
        "pk\u{200b}",
        "\u{200b}",
        "&#00000",
    ] {
        let body = piece.repeat(1024 * 1024 / piece.len()).into_bytes();
        let began = Instant::now();
        redactor().mask(body);
        // A generous bound, for a slow machine and a build that is not optimised: it must not be quadratic.
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{piece}: {:?}",
            began.elapsed()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn texts_without_the_key_stay_as_they_are(text in "(\\PC|[\\\\%&u0-9a-f]|pk/live){0,200}") {
        prop_assert_eq!(redactor().redact(&text), text.clone());
        prop_assert_eq!(masked(&text), text);
    }

    #[test]
    fn any_mix_of_escapes_is_found(
        how in proptest::collection::vec(0_u8..7, KEY.len()),
        lead in "[a-z\\\\ ]{0,9}",
        tail in "[a-z ]{0,9}",
    ) {
        let form: String = KEY.bytes().zip(&how).map(|(b, how)| match how {
            0 => format!("\\u{b:04X}"),
            1 => format!("%{b:02x}"),
            2 => format!("&#{b};"),
            3 => format!("\\\\u{b:04x}"),
            4 => format!("%25{b:02X}"),
            _ => char::from(b).to_string(),
        }).collect();
        let out = redactor().redact(&format!("{lead}{form}{tail}"));
        prop_assert!(out.contains(MARK) && !out.contains("0123"), "{}", out);
    }
}
