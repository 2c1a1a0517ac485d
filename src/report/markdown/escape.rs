//! Foreign text → GitHub-flavoured Markdown that shows it and does nothing else. The only file that
//! knows how Markdown, HTML and GitHub bring text to life; every foreign text of a report passes here.
//!
//! Two ways are safe. Code spans and fenced blocks are never looked into for mentions, references, links
//! or HTML; in prose, every character that means something is escaped, and every word that GitHub would
//! link after Markdown is done (`@name`, `#1`, hashes, addresses) stands in a code span.

use crate::report::diff::{Line, Sign};
use crate::report::text::{Lines, cut, line, visible};

/// Where in the page a text will stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum At {
    /// Within a line of text or a heading.
    Line,
    /// Within a table's cell, where a pipe ends the cell even inside a code span.
    Cell,
}

/// What stands where there is no text.
const EMPTY: &str = "⟨empty⟩";
/// Longest name or id that is shown.
const CODE_CHARS: usize = 120;
/// Longest sentence that is shown.
const PROSE_CHARS: usize = 600;
/// Longer addresses are not linked.
const URL_BYTES: usize = 500;
/// Longer lines of a block are broken.
const BLOCK_COLUMNS: usize = 110;
/// Stands where a line was broken.
const GOES_ON: &str = "\n↪ ";
/// Longer runs of backticks are written as their count: cmark-gfm gives up on code spans with more than
/// 80 of them, and counts those of a fence only up to 255.
const BACKTICKS: usize = 8;

/// A name, id or expression as a code span.
pub(in crate::report) fn code(text: &str, at: At) -> String {
    span(&line(text, CODE_CHARS), at)
}

/// A sentence with names in it, on one line.
pub(super) fn prose(text: &str, at: At) -> String {
    escaped(&line(text, PROSE_CHARS), at)
}

/// One visible line with everything in it escaped.
fn escaped(text: &str, at: At) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut alive: Vec<&str> = Vec::new();
    for word in text.split(' ') {
        if let Some((name, after)) = quoted_name(word) {
            push_span(&mut out, &mut alive, at);
            separate(&mut out);
            out.push_str(&span(name, at));
            out.push_str(after);
            continue;
        }
        if comes_alive(word) {
            alive.push(word);
            continue;
        }
        push_span(&mut out, &mut alive, at);
        separate(&mut out);
        push_escaped(&mut out, word);
    }
    push_span(&mut out, &mut alive, at);
    out
}

/// A name that stands in backticks already, and the punctuation after it.
pub(super) fn quoted_name(word: &str) -> Option<(&str, &str)> {
    let (name, after) = word.strip_prefix('`')?.split_once('`')?;
    let plain = !name.is_empty() && after.chars().all(|c| matches!(c, ',' | ';' | ':' | '.'));
    (plain && after.len() < 2).then_some((name, after))
}

fn push_span(out: &mut String, words: &mut Vec<&str>, at: At) {
    if !words.is_empty() {
        separate(out);
        out.push_str(&span(&words.join(" "), at));
        words.clear();
    }
}

fn separate(out: &mut String) {
    if !out.is_empty() {
        out.push(' ');
    }
}

/// Words that GitHub links, or that Markdown reads in ways an escape does not stop.
fn comes_alive(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    word.contains(['@', '#', '`', '\\', '$'])
        || lower.contains("://")
        || lower.contains("www.")
        || lower.contains("gh-")
        // An emoji's short name.
        || word.matches(':').count() > 1
        // A commit's hash: 7 hexadecimal digits or more, and nothing else between two boundaries.
        || lower
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|run| run.len() >= 7 && run.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn push_escaped(out: &mut String, word: &str) {
    let numbered = word
        .strip_suffix(['.', ')'])
        .is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let last = word.len().saturating_sub(1);
    for (at, c) in word.char_indices() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '*' | '_' | '[' | ']' | '~' | '|' | '!' | '{' | '}' | '^' => out.extend(['\\', c]),
            // Where a line begins, these begin a list, a rule or a heading's underline.
            '-' | '+' | '=' if at == 0 => out.extend(['\\', c]),
            '.' | ')' if numbered && at == last => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
}

/// One visible line as a code span.
fn span(text: &str, at: At) -> String {
    let text = if text.is_empty() { EMPTY } else { text };
    let mut text = bounded_backticks(text);
    if at == At::Cell {
        // Parsers disagree about `\\|`; a pipe behind a backslash is written as its wide form.
        text = text.replace("\\|", "\\｜").replace('|', "\\|");
    }
    let ticks = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// A name or id for the inside of `<summary>`, which is HTML and no Markdown.
pub(super) fn summary(text: &str) -> String {
    let text = line(text, CODE_CHARS);
    let mut out = String::from("<code>");
    for c in if text.is_empty() { EMPTY } else { &text }.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '-' | '.' | ',') {
            out.push_str(&format!("&#{};", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out + "</code>"
}

/// A text as a fenced block of its own, of at most `chars` characters and a mark for the others. Long
/// lines are broken, with a mark where they go on: GitHub does not wrap them.
///
/// The block ends with a line break. Around it the page needs empty lines, so that it is also read as
/// Markdown within `<details>`.
pub(super) fn fenced(text: &str, chars: usize) -> String {
    let text = text.trim_end();
    let (start, dropped) = cut(text, chars);
    let mut shown = String::with_capacity(start.len() + 64);
    for long in bounded_backticks(&visible(start, Lines::Keep)).split('\n') {
        push_wrapped(&mut shown, long);
        shown.push('\n');
    }
    if start.is_empty() {
        shown = format!("{EMPTY}\n");
    }
    if let Some(mark) = cut_mark(start, dropped) {
        shown.push_str(&mark);
        shown.push('\n');
    }
    let fence = "`".repeat(longest_run(&shown).max(2) + 1);
    format!("{fence}\n{shown}{fence}\n")
}

/// A text as a quotation, a paragraph a line, of at most `chars` characters and a mark for the others.
/// It ends with a line break, and needs empty lines around it as [`fenced`] does.
pub(super) fn quoted(text: &str, chars: usize) -> String {
    let text = text.trim();
    let (start, dropped) = cut(text, chars);
    let mut lines: Vec<String> = visible(start, Lines::Keep)
        .split('\n')
        .map(|paragraph| escaped(&visible(paragraph, Lines::Fold), At::Line))
        .filter(|paragraph| !paragraph.is_empty())
        .collect();
    if lines.is_empty() {
        lines.push(EMPTY.to_owned());
    }
    lines.extend(cut_mark(start, dropped).map(|mark| format!("_{mark}_")));
    format!("> {}\n", lines.join("\n>\n> "))
}

/// Lines of a difference as a fenced `diff` block of its own, which ends with a line break and needs empty lines
/// around it as [`fenced`] does. A sign stands before every line, also where a long one goes on, so that no text
/// begins one.
pub(super) fn diff_block(lines: &[Line]) -> String {
    let mut shown = String::new();
    for line in lines {
        let sign = match line.sign {
            Sign::Same => ' ',
            Sign::Removed => '-',
            Sign::Added => '+',
            Sign::Between => {
                shown.push_str(&format!("@@ {} @@\n", line.text));
                continue;
            }
        };
        let text = bounded_backticks(&visible(&line.text, Lines::Keep).replace('\n', " "));
        let mut wrapped = String::with_capacity(text.len() + 16);
        push_wrapped(&mut wrapped, &text);
        for part in wrapped.split('\n') {
            shown.push(sign);
            shown.push_str(part);
            shown.push('\n');
        }
    }
    let fence = "`".repeat(longest_run(&shown).max(2) + 1);
    format!("{fence}diff\n{shown}{fence}\n")
}

/// A link with a text of ours, to an address that is one and nothing else; absent for any other.
pub(super) fn link(text: &str, url: &str) -> Option<String> {
    let after = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let plain = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '-' | '.' | '_' | '~' | ':' | '/' | '?' | '=' | '%' | '+' | ',')
    };
    let host = after.split(['/', '?']).next().unwrap_or_default();
    (url.len() <= URL_BYTES && !host.is_empty() && after.chars().all(plain))
        .then(|| format!("[{text}]({url})"))
}

fn cut_mark(shown: &str, dropped: usize) -> Option<String> {
    let count = |n: usize| crate::report::numbers::count(n as u64);
    let all = shown.chars().count() + dropped;
    (dropped > 0).then(|| format!("… {} of {} characters not shown", count(dropped), count(all)))
}

fn push_wrapped(out: &mut String, line: &str) {
    let mut rest = line;
    loop {
        let (start, beyond) = cut(rest, BLOCK_COLUMNS);
        if beyond == 0 {
            out.push_str(rest);
            return;
        }
        // At the last space, unless that would leave most of the line empty.
        let at = start
            .rfind(' ')
            .map(|space| space + 1)
            .filter(|&at| at > start.len() / 2)
            .unwrap_or(start.len());
        out.push_str(&rest[..at]);
        out.push_str(GOES_ON);
        rest = &rest[at..];
    }
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for byte in text.bytes() {
        run = if byte == b'`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

fn bounded_backticks(text: &str) -> String {
    if longest_run(text) <= BACKTICKS {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        let run = rest[at..].bytes().take_while(|&b| b == b'`').count();
        out.push_str(&rest[..at]);
        if run <= BACKTICKS {
            out.push_str(&rest[at..at + run]);
        } else {
            out.push_str(&format!("⟨{run} backticks⟩"));
        }
        rest = &rest[at + run..];
    }
    out + rest
}
