//! What escaping promises, on texts made to break it, and how what is shown looks.

use proptest::prelude::*;
use pulldown_cmark::Event;

use super::escape::{At, prose};
use super::promises::{self, events};

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn prose_is_read_as_it_was_written(text in hostile()) {
        promises::prose_is_read_as_it_was_written(&text);
    }

    #[test]
    fn code_is_read_as_it_was_written(text in hostile()) {
        promises::code_is_read_as_it_was_written(&text);
    }

    #[test]
    fn a_row_has_as_many_cells_as_we_gave_it(a in hostile(), b in hostile(), c in hostile()) {
        promises::a_row_has_as_many_cells_as_we_gave_it(&a, &b, &c);
    }

    #[test]
    fn a_block_holds_all_of_its_text(text in hostile(), chars in 1usize..2000) {
        promises::a_block_holds_all_of_its_text(&text, chars);
    }

    #[test]
    fn a_difference_stands_behind_its_signs(before in hostile(), after in hostile()) {
        promises::a_difference_stands_behind_its_signs(&before, &after);
    }

    #[test]
    fn a_quotation_holds_nothing_but_text(text in hostile(), chars in prop_oneof![Just(5_000), 1usize..50]) {
        promises::a_quotation_holds_nothing_but_text(&text, chars);
    }

    #[test]
    fn a_summary_holds_no_mark_up_but_ours(text in hostile()) {
        promises::a_summary_holds_no_mark_up_but_ours(&text);
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
