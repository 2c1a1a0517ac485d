//! Foreign text → text that can be shown: bounded, and with nothing in it that moves the cursor, turns
//! the direction of writing or can't be seen. Every renderer goes through here before its own escaping.

use std::borrow::Cow;
use std::fmt::Write as _;

/// What becomes of line breaks and runs of white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// Line breaks and tabs stay; CR and CRLF become LF, as Markdown reads them.
    Keep,
    /// Every run of white space becomes one space; none at the ends.
    Fold,
}

/// The text with its control characters, direction marks and invisible characters spelt out.
pub(super) fn visible(text: &str, lines: Lines) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match (c, lines) {
            ('\r', Lines::Keep) if next == Some('\n') => {}
            ('\r' | '\n', Lines::Keep) => out.push('\n'),
            ('\t', Lines::Keep) => out.push('\t'),
            (c, Lines::Fold) if c.is_whitespace() => {
                if !out.is_empty() && !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            _ if shapes_its_neighbours(c, before, next) => out.push(c),
            _ => push_visible(&mut out, c),
        }
        before = Some(c);
    }
    if lines == Lines::Fold && out.ends_with(' ') {
        out.pop();
    }
    out
}

/// Lines of text in which nothing moves the cursor, hides or turns the direction of writing.
pub(crate) fn visible_lines(text: &str) -> String {
    visible(text, Lines::Keep)
}

/// Joiners and variation selectors are part of emoji and of several scripts: they stay where they do
/// that work, between two characters beyond ASCII, and are spelt out everywhere else.
fn shapes_its_neighbours(c: char, before: Option<char>, next: Option<char>) -> bool {
    let shaped = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !c.is_whitespace() && !hidden(c));
    match c {
        '\u{200C}' | '\u{200D}' => (shaped(before) || before == Some('\u{FE0F}')) && shaped(next),
        '\u{FE0E}' | '\u{FE0F}' => shaped(before),
        _ => false,
    }
}

fn push_visible(out: &mut String, c: char) {
    match c {
        '\0'..='\u{1F}' => out.extend(char::from_u32(0x2400 + u32::from(c))),
        '\u{7F}' => out.push('\u{2421}'),
        c if hidden(c) => {
            let _ = write!(out, "⟨U+{:04X}⟩", u32::from(c));
        }
        c => out.push(c),
    }
}

/// Characters that draw nothing themselves, or change how others are drawn (Unicode's C1 controls, line
/// and paragraph separators, bidirectional controls, and `Default_Ignorable_Code_Point`).
fn hidden(c: char) -> bool {
    matches!(
        c,
        '\u{80}'..='\u{9F}'
            | '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// The first `chars` characters of a text, and how many it has beyond them.
pub(super) fn cut(text: &str, chars: usize) -> (&str, usize) {
    match text.char_indices().nth(chars) {
        None => (text, 0),
        Some((at, _)) => (&text[..at], text[at..].chars().count()),
    }
}

/// One line of at most `chars` characters, an ellipsis at its end when there was more.
pub(super) fn line(text: &str, chars: usize) -> String {
    // White space that is folded away must not use up the line; four times is enough for any real text.
    let (start, beyond) = cut(text, chars.saturating_mul(4));
    let shown = visible(start, Lines::Fold);
    match cut(&shown, chars) {
        (_, 0) if beyond == 0 => shown,
        _ => format!("{}…", cut(&shown, chars.saturating_sub(1)).0.trim_end()),
    }
}

/// A word or id in its singular or plural form, with its number before it.
pub(super) fn plural(n: u64, one: &'static str, many: &'static str) -> String {
    format!("{} {}", super::numbers::count(n), if n == 1 { one } else { many })
}

/// The first letter in upper case, for a reason that stands as a sentence of its own. A metric
/// (`pass_rate(tag: x)`, `p10`) begins one as it is written in a gate.
pub(super) fn sentence(text: &str) -> Cow<'_, str> {
    let word = text.split(' ').next().unwrap_or_default();
    let plain = word
        .trim_end_matches([',', ':', ';'])
        .chars()
        .all(|c| c.is_alphabetic() || matches!(c, '-' | '\''));
    let mut chars = text.chars();
    match chars.next() {
        Some(c) if plain && c.is_ascii_lowercase() => {
            Cow::Owned(c.to_ascii_uppercase().to_string() + chars.as_str())
        }
        _ => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_characters_are_spelt_out() {
        assert_eq!(
            visible("a\u{1b}[31mred\0\u{7f}\u{9b}", Lines::Keep),
            "a␛[31mred␀␡⟨U+009B⟩"
        );
        assert_eq!(visible("abc\u{202e}fdp.exe", Lines::Fold), "abc⟨U+202E⟩fdp.exe");
        assert_eq!(
            visible("pay\u{200b}pal\u{2066}x", Lines::Fold),
            "pay⟨U+200B⟩pal⟨U+2066⟩x"
        );
    }

    #[test]
    fn line_breaks_are_kept_as_markdown_reads_them_or_folded() {
        assert_eq!(visible("a\r\nb\rc\n\td", Lines::Keep), "a\nb\nc\n\td");
        assert_eq!(visible("  a\r\n\n\u{2028}\u{85} b \t", Lines::Fold), "a b");
        assert_eq!(visible("a\u{2028}b", Lines::Keep), "a⟨U+2028⟩b");
    }

    #[test]
    fn emoji_and_scripts_keep_their_joiners() {
        for text in ["👩‍👧", "❤️‍🔥", "می‌خواهم", "क्‍ष"] {
            assert_eq!(visible(text, Lines::Fold), text);
        }
        assert_eq!(
            visible("a\u{200d}b é\u{200c}\u{200c}é", Lines::Fold),
            "a⟨U+200D⟩b é⟨U+200C⟩⟨U+200C⟩é"
        );
    }

    #[test]
    fn cutting_counts_what_it_leaves_out() {
        assert_eq!(cut("äöü", 3), ("äöü", 0));
        assert_eq!(cut("äöü!", 2), ("äö", 2));
        assert_eq!(line("one\n\n two   three", 9), "one two…");
        assert_eq!(line("one\n\n two", 7), "one two");
    }

    #[test]
    fn a_sentence_begins_with_a_capital_and_a_metric_as_it_is_written() {
        for (text, shown) in [
            ("mean 0.59 is below 0.70", "Mean 0.59 is below 0.70"),
            (
                "pass_rate(tag: totals) 0.3 is below 0.9",
                "pass_rate(tag: totals) 0.3 is below 0.9",
            ),
            ("p10 0.2 is below 0.3", "p10 0.2 is below 0.3"),
            ("interrupted", "Interrupted"),
        ] {
            assert_eq!(sentence(text), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_survives(text in any::<String>(), keep in any::<bool>()) {
            let shown = visible(&text, if keep { Lines::Keep } else { Lines::Fold });
            for c in shown.chars() {
                let ours = keep && matches!(c, '\n' | '\t');
                prop_assert!(ours || !c.is_control());
                let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}');
                prop_assert!(!turns);
            }
        }

        #[test]
        fn a_line_has_no_more_than_it_may(text in "\\PC{0,60}|[ \n\u{202e}a]{0,60}", chars in 1usize..20) {
            prop_assert!(line(&text, chars).chars().count() <= chars);
        }
    }
}
