//! Names from the environment, an event or a workflow in, parts of a path or why they are none out: whatever a branch is
//! called, it names a branch and nothing else.

use std::fmt::Write;

/// Bytes of a name: more than any that Git or GitHub takes.
const LONGEST: usize = 1_000;

/// `owner/name` as the path of a call.
pub(super) fn repository(text: &str) -> Result<String, String> {
    let good = |part: &str| {
        let plain = part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        plain && part.len() <= LONGEST && !matches!(part, "" | "." | "..")
    };
    match text.split_once('/') {
        Some((owner, name)) if good(owner) && good(name) => Ok(format!("/repos/{owner}/{name}")),
        _ => Err(format!(
            "`{}` is no repository: it is called owner/name",
            shown(text)
        )),
    }
}

/// The file of a workflow, of which a path may be given.
pub(super) fn workflow(text: &str) -> Result<&str, String> {
    let file = text.rsplit('/').next().unwrap_or(text);
    match reference(file) {
        Ok(()) if file != "." => Ok(file),
        _ => Err(format!(
            "`{}` is no workflow's file, such as nightly.yml",
            shown(text)
        )),
    }
}

/// A branch, a tag or a commit.
pub(super) fn reference(text: &str) -> Result<(), String> {
    let odd = |c: char| c.is_control() || matches!(c, '\\' | ' ' | '~' | '^' | ':' | '?' | '*' | '[');
    if text.is_empty()
        || text.len() > LONGEST
        || text.contains(odd)
        || text.contains("..")
        || text.split('/').any(str::is_empty)
    {
        return Err(format!("`{}` is no branch, tag or commit", shown(text)));
    }
    Ok(())
}

/// A commit by its hash.
pub(super) fn commit(text: &str) -> Result<(), String> {
    if (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(format!("`{}` is no commit's hash", shown(text)))
}

/// A file's path within a repository, its parts encoded.
pub(super) fn path(text: &str) -> Result<String, String> {
    let odd = |part: &str| matches!(part, "" | "." | "..") || part.contains(char::is_control);
    if text.len() > LONGEST || text.split('/').any(odd) {
        return Err(format!(
            "`{}` is no path of a file within the repository",
            shown(text)
        ));
    }
    Ok(parts(text))
}

/// Every part of a path, encoded.
pub(super) fn parts(text: &str) -> String {
    text.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// One part of a path, encoded.
pub(super) fn segment(text: &str) -> String {
    let mut part = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                part.push(char::from(byte))
            }
            _ => {
                // Writing to a string can't fail.
                let _ = write!(part, "%{byte:02X}");
            }
        }
    }
    part
}

/// A hostile name in a message.
fn shown(text: &str) -> String {
    let shown: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
    shown.replace('`', "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_what_they_name() {
        assert_eq!(
            repository("acme/in.voices-2_").as_deref(),
            Ok("/repos/acme/in.voices-2_")
        );
        assert_eq!(workflow(".github/workflows/nightly.yml"), Ok("nightly.yml"));
        assert_eq!(workflow("17"), Ok("17"));
        assert_eq!(path("a b/ü?#%.yaml").as_deref(), Ok("a%20b/%C3%BC%3F%23%25.yaml"));
        for name in [
            "main",
            "release/2.0",
            "füx",
            "a&b=c#%2e",
            "-x",
            "dependabot/npm_and_yarn/a-1.0",
        ] {
            assert_eq!(reference(name), Ok(()), "{name}");
        }
        assert_eq!(commit("9fceb02d"), Ok(()));
    }

    #[test]
    fn what_names_something_else_is_refused() {
        for name in [
            "", "acme", "acme/", "/x", "a/b/c", "../x", "a/..", "a/b?c", "a/b c", "a/b%2f", "a/b#c", "a/ü",
        ] {
            assert!(repository(name).is_err(), "{name}");
        }
        for name in [
            "", "a b", "a..b", "../x", "/a", "a/", "a//b", "a\nb", "a\u{1b}b", "a?b", "a:b", "a\\b", "a^b",
        ] {
            assert!(reference(name).is_err(), "{name}");
        }
        for name in ["", "/", "..", "x/..", "a?b.yml", "a b.yml"] {
            assert!(workflow(name).is_err(), "{name}");
        }
        for name in ["", "/etc/passwd", "a/../b", "./a", "a//b", "a/", "a\nb"] {
            assert!(path(name).is_err(), "{name}");
        }
        for name in ["", "main", "9fce", "9fceb02d/..", &"a".repeat(65)] {
            assert!(commit(name).is_err(), "{name}");
        }
        let error = reference(&format!("x`\n::error::{}", " ".repeat(2_000))).expect_err("refused");
        assert!(error.len() < 200 && !error.contains('\n'), "{error}");
    }
}
