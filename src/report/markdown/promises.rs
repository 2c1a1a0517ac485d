//! Any text comes in, as foreign text of a report; what escaping promises is held against a Markdown parser: whatever
//! the text, the page has only our structure, nothing in it comes alive, and the text is still there to be read. For
//! the tests and for fuzzing: nothing goes out, a broken promise panics.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::escape::{At, code, diff_block, fenced, prose, quoted, quoted_name, summary};
use crate::report::diff::{Most, TextDiff, compare};
use crate::report::text::{Lines, line, visible};

/// Everything that is promised of one text, in all its places.
pub(crate) fn of_a_text(text: &str) {
    prose_is_read_as_it_was_written(text);
    code_is_read_as_it_was_written(text);
    a_row_has_as_many_cells_as_we_gave_it(text, text, text);
    let chars = text.chars().count();
    for most in [1, chars.saturating_sub(1), chars, 2_000] {
        a_block_holds_all_of_its_text(text, most.max(1));
    }
    for most in [chars.saturating_sub(1), 5_000] {
        a_quotation_holds_nothing_but_text(text, most.max(1));
    }
    a_summary_holds_no_mark_up_but_ours(text);
    let half = text.floor_char_boundary(text.len() / 2);
    a_difference_stands_behind_its_signs(text, &text[half..]);
    a_difference_stands_behind_its_signs(&text[..half], text);
}

/// What two texts differ by is one block, and no line of it begins with anything of theirs.
pub(super) fn a_difference_stands_behind_its_signs(before: &str, after: &str) {
    let most = Most {
        chars: 1_000,
        lines: 40,
    };
    let TextDiff::Lines(lines) = compare(before, after, most) else {
        return;
    };
    let block = diff_block(&lines);
    let page = format!("<details>\n\n{block}\n</details>\n\nafter\n");
    let mut inside = String::new();
    let mut outside = String::new();
    let mut open = false;
    for event in events(&page) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => open = true,
            Event::End(TagEnd::CodeBlock) => open = false,
            Event::Text(text) if open => inside.push_str(&text),
            Event::Text(text) | Event::Html(text) => outside.push_str(&text),
            Event::Start(Tag::Paragraph | Tag::HtmlBlock) => {}
            Event::End(TagEnd::Paragraph | TagEnd::HtmlBlock) => {}
            other => broken_out(&other, &page),
        }
    }
    assert_eq!(outside, "<details>\n</details>\nafter");
    assert!(
        inside.lines().all(|line| line.starts_with(['+', '-', ' ', '@'])),
        "{block:?}"
    );
    assert!(inside.lines().count() >= lines.len(), "{block:?}");
    let fence = block.split("diff\n").next().unwrap_or_default();
    assert!(
        fence.len() >= 3 && fence.bytes().all(|byte| byte == b'`'),
        "{block:?}"
    );
    assert!(!inside.contains(fence), "{block:?}");
}

pub(super) fn prose_is_read_as_it_was_written(text: &str) {
    let shown = only_text(&prose(text, At::Line));
    assert_eq!(shown, prose_read_as(&line(text, 600)));
}

pub(super) fn code_is_read_as_it_was_written(text: &str) {
    let shown = only_text(&code(text, At::Line));
    assert_eq!(shown, or_empty(read_as(&line(text, 120))));
}

pub(super) fn a_row_has_as_many_cells_as_we_gave_it(a: &str, b: &str, c: &str) {
    let row = [code(a, At::Cell), prose(b, At::Cell), code(c, At::Cell)];
    let shown = cells(&row);
    let pipes = |text: String| text.replace("\\|", "\\｜");
    assert_eq!(shown[0], pipes(or_empty(read_as(&line(a, 120)))));
    assert_eq!(pipes(shown[1].clone()), pipes(prose_read_as(&line(b, 600))));
    assert_eq!(shown[2], pipes(or_empty(read_as(&line(c, 120)))));
}

pub(super) fn a_block_holds_all_of_its_text(text: &str, chars: usize) {
    let block = fenced(text, chars);
    let page = format!("<details>\n\n{block}\n</details>\n\nafter\n");
    let mut inside = String::new();
    let mut outside = String::new();
    let mut blocks = 0;
    let mut open = false;
    for event in events(&page) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => {
                open = true;
                blocks += 1;
            }
            Event::End(TagEnd::CodeBlock) => open = false,
            Event::Text(text) if open => inside.push_str(&text),
            Event::Text(text) | Event::Html(text) => outside.push_str(&text),
            Event::Start(Tag::Paragraph | Tag::HtmlBlock) => {}
            Event::End(TagEnd::Paragraph | TagEnd::HtmlBlock) => {}
            other => broken_out(&other, &page),
        }
    }
    assert_eq!(blocks, 1);
    assert_eq!(outside, "<details>\n</details>\nafter");
    no_line_closes_the_fence(&block);
    if text.trim_end().chars().count() <= chars {
        let want = or_empty(read_as(&visible(text.trim_end(), Lines::Keep)));
        assert_eq!(inside.replace("\n↪ ", ""), want.replace("\n↪ ", "") + "\n");
    } else {
        assert!(inside.ends_with("characters not shown\n"));
    }
}

/// GitHub's parser and the one here may differ in what closes a fence: nothing inside may come near to it.
fn no_line_closes_the_fence(block: &str) {
    let fence = block.split('\n').next().unwrap_or_default();
    assert!(
        fence.len() >= 3 && fence.bytes().all(|byte| byte == b'`'),
        "{block:?}"
    );
    let inside = block
        .strip_prefix(fence)
        .and_then(|rest| rest.strip_suffix(&format!("{fence}\n")));
    assert!(inside.is_some_and(|inside| !inside.contains(fence)), "{block:?}");
}

pub(super) fn a_quotation_holds_nothing_but_text(text: &str, chars: usize) {
    let page = format!("<details>\n\n{}\n</details>\n", quoted(text, chars));
    let whole = text.trim().chars().count() <= chars;
    let mut words = String::new();
    let mut quotations = 0;
    let mut run = String::new();
    for event in events(&page) {
        if let Event::Text(text) = &event {
            run.push_str(text);
        } else {
            is_dead(&std::mem::take(&mut run), &page);
        }
        match event {
            Event::Start(Tag::BlockQuote(None)) => quotations += 1,
            Event::Html(text) => assert!(matches!(text.trim_end(), "<details>" | "</details>")),
            Event::Text(text) | Event::Code(text) => words.extend(text.split_whitespace()),
            Event::Start(Tag::Paragraph | Tag::HtmlBlock) => words.push(' '),
            Event::End(TagEnd::Paragraph | TagEnd::HtmlBlock | TagEnd::BlockQuote(_)) => {}
            // Our own mark, of what is not shown.
            Event::Start(Tag::Emphasis) | Event::End(TagEnd::Emphasis) if !whole => {}
            other => broken_out(&other, &page),
        }
    }
    assert_eq!(quotations, 1);
    if whole {
        let without_space = |text: &str| text.split_whitespace().collect::<String>();
        let lines = visible(text.trim(), Lines::Keep);
        let want: String = lines
            .split('\n')
            .map(|l| prose_read_as(&visible(l, Lines::Fold)))
            .collect();
        assert_eq!(
            without_space(&words),
            without_space(&or_empty(without_space(&want)))
        );
    } else {
        assert!(words.trim_end().ends_with("charactersnotshown"), "{words:?}");
    }
}

pub(super) fn a_summary_holds_no_mark_up_but_ours(text: &str) {
    let shown = summary(text);
    let inside = shown
        .strip_prefix("<code>")
        .and_then(|shown| shown.strip_suffix("</code>"));
    let inside = inside.unwrap_or("<");
    assert!(
        !inside.contains(['<', '>', '"', '\'', '\n', '\r', '`', '@']),
        "{shown:?}"
    );
    for reference in inside.split('&').skip(1) {
        let number = reference
            .strip_prefix('#')
            .and_then(|reference| reference.split_once(';'));
        assert!(
            number.is_some_and(|(number, _)| number.parse::<u8>().is_ok()),
            "{shown:?}"
        );
    }
}

pub(super) fn events(markdown: &str) -> Vec<Event<'_>> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
        | Options::ENABLE_MATH;
    Parser::new_ext(markdown, options).collect()
}

fn broken_out(event: &Event<'_>, page: &str) {
    assert!(page.is_empty(), "{event:?} in {page:?}");
}

/// The text of a page that has nothing but paragraphs, text and code; anything else is a breakout.
fn only_text(markdown: &str) -> String {
    let mut text = String::new();
    let mut run = String::new();
    for event in events(markdown) {
        if let Event::Text(text) = &event {
            run.push_str(text);
        } else {
            is_dead(&std::mem::take(&mut run), markdown);
        }
        match event {
            Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) => {}
            Event::Text(shown) | Event::Code(shown) => text.push_str(&shown),
            other => broken_out(&other, markdown),
        }
    }
    text
}

/// The cells of a table with one row of `cells`.
fn cells(cells: &[String]) -> Vec<String> {
    let head = "| a ".repeat(cells.len()) + "|\n" + &"| --- ".repeat(cells.len()) + "|\n";
    let page = format!("{head}| {} |\n", cells.join(" | "));
    let mut found = Vec::new();
    let mut rows = 0;
    for event in events(&page) {
        match event {
            Event::Start(Tag::Table(_) | Tag::TableHead) | Event::End(TagEnd::Table | TagEnd::TableHead) => {}
            Event::Start(Tag::TableRow) => rows += 1,
            Event::Start(Tag::TableCell) => found.push(String::new()),
            Event::End(TagEnd::TableRow | TagEnd::TableCell) => {}
            Event::Text(text) | Event::Code(text) if !found.is_empty() => {
                found.last_mut().into_iter().for_each(|cell| cell.push_str(&text));
            }
            other => broken_out(&other, &page),
        }
    }
    assert_eq!((rows, found.len()), (1, 2 * cells.len()), "{page:?}");
    found.split_off(cells.len())
}

/// A run of text, as it is shown outside of code: GitHub links nothing of it after Markdown is done.
pub(super) fn is_dead(run: &str, page: &str) {
    let lower = run.to_ascii_lowercase();
    for alive in ["@", "#", "$", "://", "www.", "gh-"] {
        assert!(!lower.contains(alive), "{alive} in {run:?} in {page:?}");
    }
    for word in lower.split_whitespace() {
        // An emoji's short name stands between two.
        assert!(word.matches(':').count() < 2, "{word:?} in {page:?}");
        let hash = |part: &str| part.len() >= 7 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(
            !word.split(|c: char| !c.is_alphanumeric()).any(hash),
            "{word:?} in {page:?}"
        );
    }
}

/// How a line is to be read back: long runs of backticks stand there as a count.
fn read_as(text: &str) -> String {
    let mut out = String::new();
    let mut run = 0;
    for c in text.chars().map(Some).chain([None]) {
        if c == Some('`') {
            run += 1;
            continue;
        }
        if run > 8 {
            out.push_str(&format!("⟨{run} backticks⟩"));
        } else {
            out.push_str(&"`".repeat(run));
        }
        run = 0;
        out.extend(c);
    }
    out
}

/// How prose is to be read back: a name in backticks is a code span, and its backticks are gone.
fn prose_read_as(text: &str) -> String {
    let words = text.split(' ').map(|word| match quoted_name(word) {
        Some((name, after)) => format!("{name}{after}"),
        None => word.to_owned(),
    });
    read_as(&words.collect::<Vec<_>>().join(" "))
}

fn or_empty(text: String) -> String {
    if text.is_empty() {
        "⟨empty⟩".to_owned()
    } else {
        text
    }
}
