//! The page as a whole: what it looks like, that it stays within its bound, and that nothing breaks out.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::promises::is_dead;
use super::*;
use crate::report::fixtures;

fn redacted(record: &Record) -> String {
    markdown(record, &Around::default())
        .replace(env!("CARGO_PKG_VERSION"), "[version]")
        .replace("2026-11-22T02:15:04Z", "[time]")
}

#[test]
fn a_launched_run() {
    insta::assert_snapshot!(redacted(&fixtures::passing()));
}

#[test]
fn a_failing_run_with_vetoes_and_unscored_cases() {
    insta::assert_snapshot!(redacted(&fixtures::failing()));
}

#[test]
fn an_incomplete_run_that_was_taken_up_again() {
    insta::assert_snapshot!(redacted(&fixtures::incomplete()));
}

#[test]
fn a_dry_run_on_the_emulator() {
    insta::assert_snapshot!(redacted(&fixtures::dry_run()));
}

#[test]
fn a_hostile_run() {
    insta::assert_snapshot!(redacted(&fixtures::hostile()));
}

#[test]
fn a_stopped_run() {
    let page = redacted(&fixtures::stopped());
    let top: Vec<&str> = page.lines().take(3).collect();
    insta::assert_snapshot!(top.join("\n"));
}

/// What a page may hold: anything else came from a text that is not ours.
pub(super) fn assert_only_ours(page: &str) {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_GFM;
    let mut open = 0_i64;
    let mut block = false;
    let mut run = String::new();
    for event in Parser::new_ext(page, options | Options::ENABLE_FOOTNOTES | Options::ENABLE_MATH) {
        match &event {
            Event::Start(Tag::CodeBlock(_)) => block = true,
            Event::End(TagEnd::CodeBlock) => block = false,
            Event::Text(text) if !block => run.push_str(text),
            _ => is_dead(&std::mem::take(&mut run), page),
        }
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                open += html.matches("<details>").count() as i64 - html.matches("</details>").count() as i64;
                let ours = ["details", "summary", "code", "b"]
                    .iter()
                    .flat_map(|tag| [format!("<{tag}>"), format!("</{tag}>")])
                    .fold(html.replace("<br>", ""), |html, tag| html.replace(&tag, ""));
                assert!(!ours.contains(['<', '>']), "{html}");
            }
            // The workflow runs that the fixtures are of.
            Event::Start(Tag::Link { dest_url, .. }) => {
                let run = dest_url.strip_prefix("https://github.com/acme/invoices/actions/runs/");
                assert!(run.is_some_and(|run| run.parse::<u32>().is_ok()), "{dest_url}");
            }
            Event::Start(Tag::Image { .. } | Tag::FootnoteDefinition(_)) => panic!("{event:?}"),
            Event::InlineMath(_) | Event::DisplayMath(_) | Event::FootnoteReference(_) => panic!("{event:?}"),
            Event::Text(text) => {
                assert!(!text.contains(['\u{202e}', '\u{200b}', '\u{1b}']), "{text:?}");
            }
            _ => {}
        }
    }
    assert_eq!(open, 0, "every fold is closed");
}

/// Headings and rows of the page.
pub(super) fn structure(page: &str) -> (usize, usize, usize) {
    let mut counts = (0, 0, 0);
    for event in Parser::new_ext(page, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => counts.0 += 1,
            Event::Start(Tag::TableRow) => counts.1 += 1,
            Event::Start(Tag::TableCell) => counts.2 += 1,
            _ => {}
        }
    }
    counts
}

#[test]
fn hostile_texts_change_nothing_of_the_page() {
    let page = markdown(&fixtures::hostile(), &Around::default());
    assert_only_ours(&page);
    // The hostile run is the failing one with its texts spoilt, and one call's name more.
    let (headings, rows, cells) = structure(&markdown(&fixtures::failing(), &Around::default()));
    assert_eq!(structure(&page), (headings, rows + 1, cells + 5));
}

#[test]
fn a_large_suite_stays_within_the_bound_and_says_what_is_missing() {
    let record = fixtures::large(2_000, 5_000);
    let page = markdown(&record, &Around::default());
    assert!(page.len() <= MARKDOWN_LIMIT_BYTES, "{}", page.len());
    assert_only_ours(&page);
    assert!(page.contains("1,000 cases did not reach their pass score."));
    assert!(page.contains("1,000 more cases, the weakest first"));
    assert!(page.contains("950 of 2,000 cases not shown; all are in results.json."));
    assert!(page.contains("… 1,000 of 5,000 characters not shown"));
}

#[test]
fn whatever_the_texts_and_the_bound_the_page_stays_within_it() {
    let mut record = fixtures::large(200, 10);
    let long = "\u{202e}|".repeat(3_000);
    record.results.cases.edit(|cases| {
        for case in cases {
            case.id.push_str(&long[..2_000]);
            case.tags = ["a", "b", "c"].map(|tag| format!("{tag}{long}")).into();
            case.reference = Some(long.clone());
            case.messages[0].content = long.as_str().into();
            case.samples[0].answer = Some(long.clone());
            case.samples[0].votes[0].feedback = Some(long.clone());
        }
    });
    for (figure, case) in record.figures.cases.iter_mut().zip(&record.results.cases) {
        figure.id.clone_from(&case.id);
    }
    let group = record.figures.overall.clone();
    record.figures.tags = (0..500).map(|n| (format!("{n}{long}"), group.clone())).collect();
    record.verdict.gates = vec![record.verdict.gates[0].clone(); 500];
    record
        .verdict
        .gates
        .iter_mut()
        .for_each(|gate| gate.require.clone_from(&long));
    for limit in [0, 100, 1_000, 20_000, 200_000, MARKDOWN_LIMIT_BYTES, usize::MAX] {
        let page = markdown_within(&record, &Around::default(), limit);
        assert!(
            page.len() <= limit.min(MARKDOWN_LIMIT_BYTES),
            "{} of {limit}",
            page.len()
        );
        assert_only_ours(&page);
    }
    assert!(markdown_within(&record, &Around::default(), 20_000).contains("not shown"));
}
