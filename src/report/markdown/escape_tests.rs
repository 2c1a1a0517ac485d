//! What escaping promises, held against a parser: whatever the text, the page has only our structure,
//! and the text is still there to be read.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::escape::{At, code, fenced, prose, quoted, quoted_name, summary};
use crate::report::text::{Lines, line, visible};

fn events(markdown: &str) -> Vec<Event<'_>> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
        | Options::ENABLE_MATH;
    Parser::new_ext(markdown, options).collect()
}

/// The text of a page that has nothing but paragraphs, text and code; anything else is a breakout.
fn only_text(markdown: &str) -> Result<String, String> {
    let mut text = String::new();
    for event in events(markdown) {
        match event {
            Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) => {}
            Event::Text(t) | Event::Code(t) => text.push_str(&t),
            other => return Err(format!("{other:?} in {markdown:?}")),
        }
    }
    Ok(text)
}

/// The cells of a table with one row of `cells`.
fn cells(cells: &[String]) -> Result<Vec<String>, String> {
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
            Event::Text(t) | Event::Code(t) => match found.last_mut() {
                Some(cell) => cell.push_str(&t),
                None => return Err(format!("text before the table in {page:?}")),
            },
            other => return Err(format!("{other:?} in {page:?}")),
        }
    }
    if rows != 1 || found.len() != 2 * cells.len() {
        return Err(format!("{rows} rows, {} cells in {page:?}", found.len()));
    }
    Ok(found.split_off(cells.len()))
}

/// Pieces that break out of naive escaping, and anything at all.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "`", "``", "```", "````", "~~~", "|", "\\", "\\|", "\\`", "*", "**", "_", "[", "]", "(", ")", "!",
            "![x](http://e.vil/i.png)", "[x](javascript:alert)", "<", ">", "</details>", "</summary>", "</code>",
            "<img src=x onerror=y>", "<!--", "-->", "&lt;", "&#64;", "&", "#", "##", "#12", "@team", "org/repo#1",
            "0123456789abcdef", "https://e.vil", "www.e.vil", "a@e.vil", "mailto:a@e.vil", ":smile:", "$", "$$", "\n",
            "\n\n", "\r", "\r\n", "\t", " ", "  ", "    ", "-", "- ", "---", "===", "+", "1.", "1)", ">", "| --- |",
            "[^1]", "[^1]: x", "[x]: http://e.vil", "\u{202e}", "\u{200b}", "\u{1b}[31m", "\0", "\u{85}",
            "\u{2028}", "GH-7", "~", "~~", "^", "{", "}", "=", "[!NOTE]", "\u{a0}", "\u{3000}",
        ]).prop_map(str::to_owned),
        2 => "[a-z ]{1,6}",
        1 => any::<String>(),
        1 => (1usize..400).prop_map(|n| "`".repeat(n)),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// How a line is to be read back: long runs of backticks stand there as a count.
fn read_as(text: &str) -> String {
    let mut out = String::new();
    let mut run = 0;
    for c in text.chars().chain(['\0']) {
        if c == '`' {
            run += 1;
            continue;
        }
        if run > 8 {
            out.push_str(&format!("⟨{run} backticks⟩"));
        } else {
            out.push_str(&"`".repeat(run));
        }
        run = 0;
        if c != '\0' {
            out.push(c);
        }
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn prose_is_read_as_it_was_written(text in hostile()) {
        let shown = only_text(&prose(&text, At::Line)).map_err(TestCaseError::fail)?;
        prop_assert_eq!(shown, prose_read_as(&line(&text, 600)));
    }

    #[test]
    fn code_is_read_as_it_was_written(text in hostile()) {
        let shown = only_text(&code(&text, At::Line)).map_err(TestCaseError::fail)?;
        prop_assert_eq!(shown, or_empty(read_as(&line(&text, 120))));
    }

    #[test]
    fn a_row_has_as_many_cells_as_we_gave_it(a in hostile(), b in hostile(), c in hostile()) {
        let row = [code(&a, At::Cell), prose(&b, At::Cell), code(&c, At::Cell)];
        let shown = cells(&row).map_err(TestCaseError::fail)?;
        let pipes = |text: String| text.replace("\\|", "\\｜");
        prop_assert_eq!(&shown[0], &pipes(or_empty(read_as(&line(&a, 120)))));
        prop_assert_eq!(&pipes(shown[1].clone()), &pipes(prose_read_as(&line(&b, 600))));
        prop_assert_eq!(&shown[2], &pipes(or_empty(read_as(&line(&c, 120)))));
    }

    #[test]
    fn a_block_holds_all_of_its_text(text in hostile(), chars in 1usize..2000) {
        let block = fenced(&text, chars);
        let page = format!("<details>\n\n{block}\n</details>\n\nafter\n");
        let mut inside = String::new();
        let mut outside = String::new();
        let mut blocks = 0;
        let mut open = false;
        for event in events(&page) {
            match event {
                Event::Start(Tag::CodeBlock(_)) => { open = true; blocks += 1; }
                Event::End(TagEnd::CodeBlock) => open = false,
                Event::Text(t) if open => inside.push_str(&t),
                Event::Text(t) | Event::Html(t) => outside.push_str(&t),
                Event::Start(Tag::Paragraph | Tag::HtmlBlock) => {}
                Event::End(TagEnd::Paragraph | TagEnd::HtmlBlock) => {}
                other => return Err(TestCaseError::fail(format!("{other:?} in {page:?}"))),
            }
        }
        prop_assert_eq!(blocks, 1);
        prop_assert_eq!(outside, "<details>\n</details>\nafter");
        if text.trim_end().chars().count() <= chars {
            let want = or_empty(read_as(&visible(text.trim_end(), Lines::Keep)));
            prop_assert_eq!(inside.replace("\n↪ ", ""), want + "\n");
        } else {
            prop_assert!(inside.ends_with("characters not shown\n"));
        }
    }

    #[test]
    fn a_quotation_holds_nothing_but_text(text in hostile()) {
        let page = format!("<details>\n\n{}\n</details>\n", quoted(&text, 5_000));
        let mut words = String::new();
        let mut quotations = 0;
        for event in events(&page) {
            match event {
                Event::Start(Tag::BlockQuote(kind)) => { prop_assert_eq!(kind, None); quotations += 1; }
                Event::Html(t) => prop_assert!(matches!(t.trim_end(), "<details>" | "</details>")),
                Event::Text(t) | Event::Code(t) => words.extend(t.split_whitespace()),
                Event::Start(Tag::Paragraph | Tag::HtmlBlock) => words.push(' '),
                Event::End(TagEnd::Paragraph | TagEnd::HtmlBlock | TagEnd::BlockQuote(_)) => {}
                other => return Err(TestCaseError::fail(format!("{other:?} in {page:?}"))),
            }
        }
        prop_assert_eq!(quotations, 1);
        let without_space = |text: &str| text.split_whitespace().collect::<String>();
        let lines = visible(text.trim(), Lines::Keep);
        let want: String = lines.split('\n').map(|l| prose_read_as(&visible(l, Lines::Fold))).collect();
        let want = or_empty(without_space(&want));
        prop_assert_eq!(without_space(&words), without_space(&want));
    }

    #[test]
    fn a_summary_holds_no_mark_up_but_ours(text in hostile()) {
        let shown = summary(&text);
        let inside = shown.strip_prefix("<code>").and_then(|s| s.strip_suffix("</code>"));
        let inside = inside.ok_or_else(|| TestCaseError::fail("no code element"))?;
        prop_assert!(!inside.contains(['<', '>', '"', '\'', '\n', '\r', '`', '@']));
        for reference in inside.split('&').skip(1) {
            let number = reference.strip_prefix('#').and_then(|r| r.split_once(';'));
            prop_assert!(number.is_some_and(|(n, _)| n.parse::<u8>().is_ok()), "{}", inside);
        }
    }
}

#[test]
fn words_that_github_links_stand_in_code() {
    let inert = |word: &str| {
        let page = prose(&format!("see {word} now"), At::Line);
        let code: Vec<_> = events(&page)
            .into_iter()
            .filter_map(|e| if let Event::Code(t) = e { Some(t) } else { None })
            .collect();
        code.len() == 1 && &*code[0] == word
    };
    for word in [
        "@octocat",
        "(@org/team)",
        "#123",
        "org/repo#1",
        "org/repo@9fceb02",
        "GH-26",
        "gh-26",
        "9fceb02d0ae598e95dc970b74767f19372d61af8",
        "https://example.com/x",
        "HTTP://EXAMPLE.COM",
        "www.example.com",
        "me@example.com",
        ":tada:",
        "$x$",
    ] {
        assert!(inert(word), "{word}: {}", prose(word, At::Line));
    }
}

#[test]
fn sentences_stay_readable() {
    let shown = prose("mean(tag: totals) is 0.61, below the bound >= 0.70 * 1", At::Line);
    assert_eq!(
        shown,
        "mean(tag: totals) is 0.61, below the bound &gt;= 0.70 \\* 1"
    );
    assert_eq!(
        prose("no feedback, though decadent", At::Line),
        "no feedback, though decadent"
    );
    let shown = prose(
        "job 7c9e6679-7425-40de is on its way, ask @ops and #12 about it",
        At::Cell,
    );
    assert_eq!(
        shown,
        "job `7c9e6679-7425-40de` is on its way, ask `@ops` and `#12` about it"
    );
}
