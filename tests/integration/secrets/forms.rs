//! The forms in which a key can come back, and a search for them that shares no code with what masks them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Of characters that differ when they are encoded, as far as a header carries them.
pub(super) const KEY: &str = "pk+test/4f9aZ~qW7=xY2?b";

/// So many characters of a form in a row are a leak.
const WINDOW: usize = 12;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64(text: &str, alphabet: &[u8; 64]) -> String {
    let bits: Vec<u8> = text
        .bytes()
        .flat_map(|b| (0..8).rev().map(move |i| b >> i & 1))
        .collect();
    let mut encoded: String = bits
        .chunks(6)
        .map(|six| (0..6).fold(0_u8, |n, i| n << 1 | six.get(i).copied().unwrap_or(0)))
        .map(|six| char::from(alphabet[usize::from(six)]))
        .collect();
    while !encoded.len().is_multiple_of(4) {
        encoded.push('=');
    }
    encoded
}

fn percent(lower: bool) -> String {
    let encode = |c: char| match c {
        _ if c.is_ascii_alphanumeric() => c.to_string(),
        _ if lower => format!("%{:02x}", u32::from(c)),
        _ => format!("%{:02X}", u32::from(c)),
    };
    KEY.chars().map(encode).collect()
}

/// The key in JSON escapes, each behind so many backslashes.
fn escaped(backslashes: usize) -> String {
    let lead = "\\".repeat(backslashes);
    KEY.bytes().map(|b| format!("{lead}u{b:04x}")).collect()
}

/// What a service may send as a text; a JSON writer adds the escapes that JSON needs.
pub(super) fn sent() -> Vec<String> {
    let mut forms = vec![
        KEY.to_owned(),
        percent(false),
        percent(true),
        escaped(1),
        KEY.replace('/', "\\/"),
    ];
    for text in [
        KEY.to_owned(),
        format!("Bearer {KEY}"),
        format!("user:{KEY}"),
        format!("me:{KEY}\n"),
    ] {
        forms.push(base64(&text, STANDARD));
        forms.push(base64(&text, URL_SAFE));
    }
    forms
}

/// What a service may write into JSON by itself, where `@slash@`, `@unicode@` and `@nested@` stand.
pub(super) fn raw(json: &str) -> String {
    let by_hand = [
        ("@slash@", KEY.replace('/', "\\/")),
        ("@unicode@", escaped(1)),
        ("@nested@", escaped(2)),
    ];
    by_hand
        .iter()
        .fold(json.to_owned(), |text, (mark, form)| text.replace(mark, form))
}

/// What is looked for: name and text. Of base64 only what depends on the key alone.
fn sought() -> Vec<(String, String)> {
    let mut forms = vec![
        ("plain".to_owned(), KEY.to_owned()),
        ("URL-encoded".to_owned(), percent(false)),
        ("url-encoded".to_owned(), percent(true)),
        ("JSON-escaped".to_owned(), escaped(1)),
        ("JSON-escaped twice".to_owned(), escaped(2)),
        ("with an escaped slash".to_owned(), KEY.replace('/', "\\/")),
    ];
    for (lead, first) in [("", 0), ("x", 2), ("xx", 3)] {
        for (name, alphabet) in [("base64", STANDARD), ("base64url", URL_SAFE)] {
            let text = format!("{lead}{KEY}");
            let encoded = base64(&text, alphabet);
            forms.push((
                format!("{name} after {} bytes", lead.len()),
                encoded[first..text.len() * 8 / 6].to_owned(),
            ));
        }
    }
    forms
}

/// The text as it is, and as a parser of JSON, one of URLs, and an eye would see it.
fn views(text: &str) -> [String; 4] {
    static JSON: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\\u00([2-7][0-9a-fA-F])").unwrap());
    static URL: LazyLock<Regex> = LazyLock::new(|| Regex::new("%([2-7][0-9a-fA-F])").unwrap());
    let decoded = |escape: &Regex| {
        let decode =
            |found: &Captures<'_>| char::from(u8::from_str_radix(&found[1], 16).unwrap()).to_string();
        escape.replace_all(text, decode).into_owned()
    };
    let unseen = |c: char| c.is_control() || ('\u{200b}'..='\u{206f}').contains(&c);
    let seen = text.chars().filter(|c| !unseen(*c)).collect();
    [
        text.to_owned(),
        decoded(&JSON).replace('\\', ""),
        decoded(&URL),
        seen,
    ]
}

/// The forms of the key that are in a text, whole or in a telling part.
pub(super) fn leaks(bytes: &[u8]) -> Vec<String> {
    static WINDOWS: LazyLock<HashMap<Vec<u8>, String>> = LazyLock::new(|| {
        let windows = |(name, form): (String, String)| {
            let windows: Vec<_> = form.as_bytes().windows(WINDOW).map(<[u8]>::to_vec).collect();
            windows.into_iter().map(move |window| (window, name.clone()))
        };
        sought().into_iter().flat_map(windows).collect()
    });
    static FIRSTS: LazyLock<[bool; 256]> =
        LazyLock::new(|| std::array::from_fn(|b| WINDOWS.keys().any(|window| usize::from(window[0]) == b)));
    let mut found = Vec::new();
    for view in views(&String::from_utf8_lossy(bytes)) {
        let view = view.as_bytes();
        let windows = view
            .windows(WINDOW)
            .enumerate()
            .filter(|(_, w)| FIRSTS[usize::from(w[0])]);
        for (at, window) in windows {
            if let Some(name) = WINDOWS.get(window) {
                let around = String::from_utf8_lossy(&view[at.saturating_sub(60)..at + WINDOW]);
                found.push(format!("{name}: …{around}"));
            }
        }
    }
    found
}

/// Every file below a folder that holds the key; how many were looked at.
pub(super) fn leaks_below(folder: &Path) -> (usize, Vec<String>) {
    let (mut looked_at, mut found) = (0, Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let (more, below) = leaks_below(&path);
            looked_at += more;
            found.extend(below);
        } else {
            looked_at += 1;
            let name = path.display().to_string();
            let bytes = fs::read(&path).unwrap();
            found.extend(leaks(&bytes).into_iter().map(|leak| format!("{name}: {leak}")));
            found.extend(leaks(name.as_bytes()));
        }
    }
    (looked_at, found)
}

#[test]
fn the_search_finds_what_is_planted() {
    assert_eq!(base64("foobar", STANDARD), "Zm9vYmFy");
    assert_eq!(base64("fooba", STANDARD), "Zm9vYmE=");
    assert_eq!(
        leaks(b"a [key] that is masked, pk+test/ and QmVhcmVyIHBrK3Rlc3Q"),
        [""; 0]
    );
    for form in sent()
        .iter()
        .chain(&[escaped(2), raw("@slash@"), raw("@unicode@"), raw("@nested@")])
    {
        assert_ne!(leaks(format!("…{form}…").as_bytes()), [""; 0], "{form}");
        // Cut, and within JSON.
        assert_ne!(
            leaks(&form.as_bytes()[..form.len() * 2 / 3 + 3]),
            [""; 0],
            "{form}"
        );
        assert_ne!(
            leaks(serde_json::json!({"a": [form]}).to_string().as_bytes()),
            [""; 0],
            "{form}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("a/b")).unwrap();
    fs::write(folder.path().join("a/clean"), "nothing").unwrap();
    assert_eq!(leaks_below(folder.path()), (1, vec![]));
    fs::write(
        folder.path().join("a/b/c.bin"),
        [b"\xff\0", KEY.as_bytes()].concat(),
    )
    .unwrap();
    let (looked_at, found) = leaks_below(folder.path());
    assert!(
        looked_at == 2 && found.iter().any(|f| f.contains("c.bin: plain")),
        "{found:?}"
    );
}
