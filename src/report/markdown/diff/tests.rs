//! The comment and the differences as pages: what they look like, that they stay within their bound, and that nothing
//! of either run comes alive in them.

use super::*;
use crate::report::fixtures::{self, Compared};
use crate::report::markdown::tests::{assert_only_ours, structure};
use crate::report::{COMMENT_LIMIT, MARKDOWN_LIMIT_BYTES, Record, markdown, markdown_within};

fn redacted(text: &str) -> String {
    text.replace(env!("CARGO_PKG_VERSION"), "[version]")
}

fn comment_on(compared: &Compared) -> String {
    comment(&compared.record, &compared.around(), COMMENT_LIMIT)
}

fn page_of(compared: &Compared) -> String {
    differences(&compared.record, &compared.around(), MARKDOWN_LIMIT_BYTES)
}

#[test]
fn a_comment_on_a_pull_request_that_made_it_worse() {
    insta::assert_snapshot!(redacted(&comment_on(&fixtures::worse())));
}

#[test]
fn a_comment_on_one_that_made_it_better() {
    insta::assert_snapshot!(redacted(&comment_on(&fixtures::improving())));
}

#[test]
fn a_comment_where_nothing_compares() {
    insta::assert_snapshot!(redacted(&comment_on(&fixtures::incomparable())));
}

#[test]
fn a_hostile_comment() {
    insta::assert_snapshot!(redacted(&comment_on(&fixtures::hostile_compared())));
}

#[test]
fn the_differences_of_changed_prompts() {
    insta::assert_snapshot!(redacted(&page_of(&fixtures::all_changed())));
}

#[test]
fn the_section_of_a_summary() {
    let compared = fixtures::worse();
    let page = markdown(&compared.record, &compared.around());
    let from = page.find("### 📉 Against the baseline").unwrap();
    let to = page.find("### Figures").unwrap();
    insta::assert_snapshot!(redacted(&page[from..to]));
    // `results.json` by itself has no texts of the baseline, and says so.
    let page = markdown(&compared.record, &Around::default());
    assert!(page.contains("The baseline's answers are not at hand"));
}

#[test]
fn why_there_is_no_baseline_is_one_line_of_every_page() {
    let mut record = fixtures::passing();
    record.results.without_baseline =
        Some("no successful run of main has an artifact of this suite".to_owned());
    let around = Around::default();
    let line = "**No baseline:** No successful run of main has an artifact of this suite.\n";
    for page in [
        markdown(&record, &around),
        comment(&record, &around, COMMENT_LIMIT),
        differences(&record, &around, 10_000),
    ] {
        assert!(page.contains(line), "{page}");
    }
    record.results.without_baseline = None;
    assert!(!markdown(&record, &around).contains("aseline:"));
}

#[test]
fn what_sets_the_runs_apart_is_never_left_unsaid() {
    let page = comment_on(&fixtures::incomparable());
    for told in [
        "the difference says nothing about a model",
        "Another model: the baseline asked `invoice-extractor-v6`",
        "evaluation ended early",
        "The suite was changed since",
        "given as `last/results.json`",
        "14 h before this run",
        "**No difference is claimed.**",
        "**it drifted:",
        "and do not decide",
    ] {
        assert!(page.contains(told), "{told} in {page}");
    }
    assert!(!page.contains("moved**"));
}

#[test]
fn an_answer_that_stayed_is_said_to_be_judged_differently() {
    let page = comment_on(&fixtures::worse());
    assert!(page.contains("**Answer**: same answer, judged differently."));
    // Of two answers the one that moved.
    assert!(page.contains("**Answer 2 of 2, the one that moved most**"));
}

#[test]
fn only_our_own_addresses_are_linked() {
    let links = |page: &str| page.matches("](").count();
    let compared = fixtures::worse();
    assert!(comment_on(&compared).contains("[run 1701](https://github.com/acme/invoices/actions/runs/1701)"));
    // Another host than our own, and an address that is none.
    assert!(!comment_on(&fixtures::improving()).contains("elsewhere"));
    let mut around = compared.around();
    around.url = Some("https://github.com/a) ![x](https://e.vil");
    let page = comment(&compared.record, &around, COMMENT_LIMIT);
    assert_eq!(links(&page) - links("[run 1701]("), 0, "{page}");
}

#[test]
fn hostile_texts_change_nothing_of_comment_and_differences() {
    let (hostile, plain) = (fixtures::hostile_compared(), fixtures::worse());
    for (page, like) in [
        (comment_on(&hostile), comment_on(&plain)),
        (page_of(&hostile), page_of(&plain)),
        (
            markdown(&hostile.record, &hostile.around()),
            markdown(&plain.record, &plain.around()),
        ),
    ] {
        assert_only_ours(&page);
        assert_only_ours(&like);
        let (headings, ..) = structure(&page);
        assert_eq!(headings, structure(&like).0, "{page}");
    }
}

#[test]
fn a_large_suite_stays_within_a_comment_and_says_what_is_missing() {
    let compared = fixtures::large_compared(2_000, 3_000);
    let page = comment_on(&compared);
    assert!(page.len() <= COMMENT_LIMIT, "{}", page.len());
    assert!(page.len() > COMMENT_LIMIT / 2, "{}", page.len());
    assert_only_ours(&page);
    assert!(page.contains("**2,000 cases moved**"));
    assert!(page.contains(
        "moved cases not shown; all are in [the run](https://github.com/acme/invoices/actions/runs/1729)."
    ));
    assert!(page.contains("How the answers differ"));
    let page = markdown(&compared.record, &compared.around());
    assert!(page.len() <= MARKDOWN_LIMIT_BYTES);
    assert_only_ours(&page);
}

/// Names, tags, notes and lists far beyond what any suite has.
fn monstrous() -> Compared {
    let mut compared = fixtures::large_compared(150, 100);
    let long = "\u{202e}|`@a".repeat(1_000);
    let record: &mut Record = &mut compared.record;
    record.results.cases.edit(|cases| {
        for (at, case) in cases.iter_mut().enumerate() {
            case.id = format!("{at}{long}");
            case.tags = (0..12).map(|tag| format!("{tag}{long}")).collect();
            case.samples[0].votes[0].feedback = Some(long.clone());
        }
    });
    for (case, figure) in record.results.cases.iter().zip(&mut record.figures.cases) {
        figure.id.clone_from(&case.id);
    }
    let comparison = record.comparison.as_mut().unwrap();
    for (case, change) in record.results.cases.iter().zip(&mut comparison.cases) {
        change.id.clone_from(&case.id);
        change.bar = vec![long.clone(); 20];
    }
    let difference = comparison.tags["totals"].clone();
    comparison.tags = (0..500)
        .map(|tag| (format!("{tag}{long}"), difference.clone()))
        .collect();
    comparison.notes = vec![long.clone(); 100];
    comparison.incomparable = None;
    record
        .results
        .baseline
        .as_mut()
        .unwrap()
        .run
        .model
        .clone_from(&long);
    record.results.suite.policy = Some(crate::results::Policy {
        from: long.clone(),
        own: record.results.suite.gates.clone(),
        differs: true,
        own_for_want: false,
    });
    compared.base.cases.edit(|cases| {
        for (case, base) in record.results.cases.iter().zip(cases) {
            base.id.clone_from(&case.id);
            base.samples[0].answer = Some(long.clone());
        }
    });
    compared
}

#[test]
fn whatever_the_texts_and_the_bound_every_page_stays_within_it() {
    let compared = monstrous();
    let around = compared.around();
    for limit in [0, 100, 1_000, 5_000, 20_000, COMMENT_LIMIT, usize::MAX] {
        let page = crate::report::comment(&compared.record, &around, limit);
        assert!(
            page.len() <= limit.min(COMMENT_LIMIT),
            "{} of {limit}",
            page.len()
        );
        assert_only_ours(&page);
        for page in [
            crate::report::diff_markdown(&compared.record, &around, limit),
            markdown_within(&compared.record, &around, limit),
        ] {
            assert!(
                page.len() <= limit.min(MARKDOWN_LIMIT_BYTES),
                "{} of {limit}",
                page.len()
            );
            assert_only_ours(&page);
        }
    }
}
