//! A reply as one line of a segment: `check key seconds json`. Pure.
//!
//! The check word holds the rest of the line together: a line that another program cut or changed is none. It is no
//! signature: whoever can write the file can write a line that is right.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::key::Key;

/// Hex digits of the check word.
const CHECK: usize = 16;
/// Hex digits of a key.
const KEY: usize = 64;
/// What comes ahead of the reply is no longer than this, in bytes.
pub(super) const HEAD: usize = CHECK + 1 + KEY + 1 + 20 + 1;
/// No line is longer, in bytes: an answer of 1 MiB, each character of it escaped.
pub(super) const MAX_LINE: usize = 8 << 20;

/// What stands ahead of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) key: Key,
    /// When the reply came, in seconds since 1970.
    pub(super) at: i64,
}

/// The line of a reply, with its line break; none where it would be too long.
pub(super) fn write(head: Head, json: &str) -> Option<Vec<u8>> {
    let rest = format!("{} {} {json}", head.key.hex(), head.at);
    let mut line = check(rest.as_bytes()).into_bytes();
    line.push(b' ');
    line.extend_from_slice(rest.as_bytes());
    line.push(b'\n');
    (line.len() <= MAX_LINE && !json.contains('\n')).then_some(line)
}

/// What a line, or its beginning of at least [`HEAD`] bytes, says of itself. Whether it is whole is not looked at.
pub(super) fn head(line: &[u8]) -> Option<Head> {
    Some(parts(line)?.0)
}

/// A whole line, with its line break: its head and its reply.
pub(super) fn read(line: &[u8]) -> Option<(Head, &str)> {
    let line = line.strip_suffix(b"\n")?;
    let (head, json) = parts(line)?;
    let (told, rest) = (line.get(..CHECK)?, line.get(CHECK + 1..)?);
    if told != check(rest).as_bytes() {
        return None;
    }
    Some((head, std::str::from_utf8(json).ok()?))
}

fn parts(line: &[u8]) -> Option<(Head, &[u8])> {
    let rest = line.get(CHECK..)?.strip_prefix(b" ")?;
    let key = Key::read(rest.get(..KEY)?)?;
    let rest = rest.get(KEY..)?.strip_prefix(b" ")?;
    let end = rest.iter().take(20).position(|byte| *byte == b' ')?;
    let at = std::str::from_utf8(&rest[..end]).ok()?;
    let at = at.parse().ok().filter(|_| !at.starts_with('+'))?;
    Some((Head { key, at }, &rest[end + 1..]))
}

fn check(rest: &[u8]) -> String {
    let digest = Sha256::digest(rest);
    HEXLOWER.encode(&digest[..CHECK / 2])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::eval::cache::key::Parts;

    fn line(json: &str) -> Vec<u8> {
        let key = Parts::of("test").key();
        write(
            Head {
                key,
                at: 1_795_000_000,
            },
            json,
        )
        .unwrap()
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let line = line(r#"{"answer":"é\n"}"#);
        let (head_read, json) = read(&line).unwrap();
        assert_eq!(head_read.key, Parts::of("test").key());
        assert_eq!((head_read.at, json), (1_795_000_000, r#"{"answer":"é\n"}"#));
        assert_eq!(head(&line[..HEAD.min(line.len())]), Some(head_read));
    }

    #[test]
    fn no_cut_or_changed_line_is_one() {
        let line = line(r#"{"score":0.25,"feedback":"f"}"#);
        for end in 0..line.len() {
            assert_eq!(read(&line[..end]), None, "{end}");
        }
        for at in 0..line.len() {
            let mut changed = line.clone();
            changed[at] ^= 1;
            assert_eq!(read(&changed), None, "{at}");
        }
    }

    #[test]
    fn what_would_break_a_file_is_not_written() {
        let key = Parts::of("test").key();
        let head = Head { key, at: 0 };
        assert_eq!(write(head, "a\nb"), None);
        assert_eq!(write(head, &"a".repeat(MAX_LINE)), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (head(&bytes), read(&bytes));
        }
    }
}
