//! One character as a parser would see it: bytes and a place come in, the character that an escape there
//! stands for goes out, at as many levels as texts are commonly put into texts.

/// Levels of escapes within escapes: a judge's reply is JSON within a JSON string, and it may quote JSON.
pub(super) const LEVELS: u8 = 3;

/// A character and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    /// A code point, also half of a surrogate pair.
    pub(super) code: u32,
    /// Right behind its last byte.
    pub(super) end: usize,
}

/// Whether an escape begins with this byte.
pub(super) fn is_escape(byte: u8) -> bool {
    matches!(byte, b'\\' | b'%' | b'&')
}

/// Characters that are not shown, or that somebody takes out before a text is: the key stays readable
/// with them in it.
pub(super) fn may_be_skipped(code: u32) -> bool {
    matches!(
        code,
        0..=0x1f
            | 0x7f..=0x9f
            | 0xad
            | 0x61c
            | 0x180e
            | 0x200b..=0x200f
            | 0x2028..=0x202e
            | 0x2060..=0x206f
            | 0xfe00..=0xfe0f
            | 0xfeff
            | 0xfff9..=0xfffb
            | 0xfffe..=0xffff
    )
}

/// The character at `at` after `level` decodings; `None` at the end.
pub(super) fn unit(bytes: &[u8], at: usize, level: u8) -> Option<Unit> {
    let first = *bytes.get(at)?;
    if level == 0 || !is_escape(first) {
        return Some(plain(bytes, at, first));
    }
    let below = unit(bytes, at, level - 1)?;
    let next = |at: usize| unit(bytes, at, level - 1);
    let decoded = match u8::try_from(below.code) {
        Ok(b'\\') => json(next, below.end),
        Ok(b'%') => number(next, below.end, 16, 2..=2),
        Ok(b'&') => reference(next, below.end),
        _ => None,
    };
    Some(decoded.unwrap_or(below))
}

/// A character of UTF-8; what is none counts as one byte that is no character of a key.
fn plain(bytes: &[u8], at: usize, first: u8) -> Unit {
    let length = match first {
        0..0x80 => {
            return Unit {
                code: u32::from(first),
                end: at + 1,
            };
        }
        0xc2..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0..0xf5 => 4,
        _ => 1,
    };
    let whole = bytes
        .get(at..at + length)
        .and_then(|b| std::str::from_utf8(b).ok());
    match whole.and_then(|text| text.chars().next()) {
        Some(c) => Unit {
            code: u32::from(c),
            end: at + length,
        },
        None => Unit {
            code: u32::from(char::REPLACEMENT_CHARACTER),
            end: at + 1,
        },
    }
}

/// RFC 8259, 7: what follows a backslash.
fn json(next: impl Fn(usize) -> Option<Unit>, at: usize) -> Option<Unit> {
    let letter = next(at)?;
    let code = match u8::try_from(letter.code).ok()? {
        b'"' | b'\\' | b'/' => letter.code,
        b'b' | b'f' | b'n' | b'r' | b't' => u32::from(b'\n'),
        b'u' => return number(next, letter.end, 16, 4..=4),
        _ => return None,
    };
    Some(Unit { code, ..letter })
}

/// HTML's character references: numbers, and the names that every escaper uses.
fn reference(next: impl Fn(usize) -> Option<Unit>, at: usize) -> Option<Unit> {
    /// Digits of a number, as some escapers pad it.
    const DIGITS: usize = 7;
    let first = next(at)?;
    let found = if first.code == u32::from(b'#') {
        let second = next(first.end)?;
        if [b'x', b'X'].map(u32::from).contains(&second.code) {
            number(&next, second.end, 16, 1..=DIGITS)
        } else {
            number(&next, first.end, 10, 1..=DIGITS)
        }
    } else {
        let names = [
            ("amp", b'&'),
            ("lt", b'<'),
            ("gt", b'>'),
            ("quot", b'"'),
            ("apos", b'\''),
        ];
        names.into_iter().find_map(|(name, means)| {
            let mut letters = name.bytes().map(u32::from);
            // The first letter is read once for all names: reading may go several levels deep.
            if letters.next() != Some(first.code) {
                return None;
            }
            let end = letters.try_fold(first.end, |at, letter| {
                let unit = next(at)?;
                (unit.code == letter).then_some(unit.end)
            })?;
            Some(Unit {
                code: u32::from(means),
                end,
            })
        })
    }?;
    let semicolon = next(found.end)?;
    (semicolon.code == u32::from(b';')).then_some(Unit {
        end: semicolon.end,
        ..found
    })
}

/// As many digits as there are, within bounds.
fn number(
    next: impl Fn(usize) -> Option<Unit>,
    at: usize,
    radix: u32,
    digits: std::ops::RangeInclusive<usize>,
) -> Option<Unit> {
    let mut found = Unit { code: 0, end: at };
    let mut count = 0;
    while count < *digits.end()
        && let Some(unit) = next(found.end)
        && let Some(digit) = char::from_u32(unit.code).and_then(|c| c.to_digit(radix))
    {
        found = Unit {
            code: found.code * radix + digit,
            end: unit.end,
        };
        count += 1;
    }
    digits.contains(&count).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str, level: u8) -> (Option<char>, usize) {
        let unit = unit(text.as_bytes(), 0, level).expect("not empty");
        (char::from_u32(unit.code), unit.end)
    }

    #[test]
    fn one_level() {
        for (text, c, end) in [
            ("a", 'a', 1),
            ("é!", 'é', 2),
            ("🦀", '🦀', 4),
            (r"\/x", '/', 2),
            (r#"\""#, '"', 2),
            (r"\\/", '\\', 2),
            (r"\u002Bx", '+', 6),
            (r"\u002bx", '+', 6),
            (r"\n", '\n', 2),
            ("%2B", '+', 3),
            ("%2b5", '+', 3),
            ("&#43;", '+', 5),
            ("&#x2B;", '+', 6),
            ("&#X0002b;x", '+', 9),
            ("&amp;x", '&', 5),
            // No escapes.
            (r"\x", '\\', 1),
            (r"\u00", '\\', 1),
            ("%2", '%', 1),
            ("%+1", '%', 1),
            ("&", '&', 1),
            ("&#43", '&', 1),
            ("&#;", '&', 1),
            ("&plus;", '&', 1),
        ] {
            assert_eq!(first(text, 1), (Some(c), end), "{text}");
        }
        for text in [r"\/", "%2B", "&#43;"] {
            assert_eq!(first(text, 0), (text.chars().next(), 1), "{text}");
        }
        assert_eq!(unit(b"", 0, 3), None);
        assert_eq!(unit(b"\xff\xfe", 0, 1).map(|u| u.end), Some(1));
    }

    #[test]
    fn levels_within_levels() {
        for (text, level, c) in [
            (r"\\u002b", 2, '+'),
            (r"\\\\u002b", 3, '+'),
            (r"\u005cu002b", 2, '+'),
            (r"\\\/", 2, '/'),
            ("%252B", 2, '+'),
            ("%25252B", 3, '+'),
            ("&amp;#43;", 2, '+'),
            (r"\u00252B", 2, '+'),
            ("%5cu002b", 2, '+'),
            (r"\u0026#x2b;", 2, '+'),
        ] {
            assert_eq!(first(text, level), (Some(c), text.len()), "{text}");
            assert_ne!(first(text, level - 1), (Some(c), text.len()), "{text}");
        }
    }
}
