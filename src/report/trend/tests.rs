//! The trend as it is read, and with hostile texts in it.

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::*;
use crate::history::{VERSION, read, write};
use crate::report::markdown::trend::section;

/// A month of nights: a judge that was changed, a suite that was changed, a launch, an incomplete night.
fn month() -> Vec<Entry> {
    let means = [
        0.41, 0.43, 0.42, 0.61, 0.63, 0.60, 0.64, 0.66, 0.65, 0.71, 0.70, 0.72, 0.74, 0.58, 0.73, 0.75, 0.74,
        0.76,
    ];
    let night = |(n, mean): (usize, &f64)| Entry {
        version: VERSION,
        run: format!("run-{n}"),
        at: format!("2026-11-{:02}T03:17:{:02}Z", n + 3, n),
        commit: (n > 0).then(|| format!("{n:02}fceb02d0ae598e95dc970b74767f19372d61af")),
        model: "invoice-extractor".to_owned(),
        judge: if n < 3 { "1f00aa34cc" } else { "77aa90b1cd" }.to_owned(),
        suite: if n < 9 { "a41f" } else { "b52e" }.to_owned(),
        emulator: false,
        cases: 60,
        scored: if n == 13 { 12 } else { 60 },
        mean: (n != 5).then_some(*mean),
        interval: None,
        pass_rate: None,
        difference: (n > 3).then_some((n as f64 - 9.0) / 100.0),
        decision: match n {
            5 | 13 => Decision::Inconclusive,
            7 => Decision::Hold,
            0..3 => Decision::Fail,
            _ => Decision::Pass,
        },
        outcome: match n {
            8 | 16 => Some(cycle::Outcome::Launched),
            9 => Some(cycle::Outcome::Stopped),
            _ => None,
        },
        job: (n == 8 || n == 16).then(|| format!("{n:02}9e6679-7425-40de-944b-e07fc1f90ae7")),
        verdicts: [
            (
                "due-date",
                if n.is_multiple_of(3) {
                    "-00aa11bb"
                } else {
                    "+00aa11bb"
                },
            ),
            ("total-discount", if n == 15 { "-00aa11bb" } else { "+00aa11bb" }),
            ("vendor-name", "+00aa11bb"),
        ]
        .map(|(case, verdict)| (case.to_owned(), verdict.to_owned()))
        .into(),
    };
    means.iter().enumerate().map(night).collect()
}

const EVIL: &str = "x ```\n</details></summary><img src=x onerror=alert(1)> @octocat #1 org/repo#1 `x` | a | b |\n\
    ::error::owned\n##[add-mask]x\n![p](https://e.vil/p.png) www.e.vil 9fceb02d0ae598e9 <!-- \u{202e}gnp \u{1b}[31m\r";

/// As [`month`], with attacks on every text, as they are after a way through a file.
fn hostile() -> Vec<Entry> {
    let mut entries = month();
    for (n, entry) in entries.iter_mut().enumerate() {
        for text in [&mut entry.model, &mut entry.run] {
            *text = format!("{EVIL}{n}");
        }
        // Only the start of these is shown.
        entry.judge = format!("{}{n}", &EVIL[2..]);
        entry.commit = Some(EVIL[6..].to_owned());
        entry.job = Some("|`\n::a<b>@c#1".to_owned());
        let verdicts = std::mem::take(&mut entry.verdicts);
        entry.verdicts = verdicts
            .into_iter()
            .map(|(id, v)| (format!("{id} {EVIL}"), v))
            .collect();
    }
    let (read, passed_over) = read(write(&entries).as_bytes());
    assert_eq!((&read, passed_over), (&entries, 0));
    entries
}

#[test]
fn a_trend_as_markdown() {
    insta::assert_snapshot!(trend_markdown("invoice-extraction", &month(), 30, 100_000));
}

#[test]
fn a_trend_for_a_terminal() {
    insta::assert_snapshot!(trend_terminal("invoice-extraction", &month(), 30, 110, false));
}

#[test]
fn a_hostile_trend() {
    let both = [
        trend_markdown(EVIL, &hostile(), 4, 100_000),
        trend_terminal(EVIL, &hostile(), 4, 110, false),
    ];
    insta::assert_snapshot!(both.join("\n---\n"));
}

#[test]
fn hostile_texts_bring_nothing_to_life() {
    let page = trend_markdown(EVIL, &hostile(), 30, 100_000);
    let mut tables = 0;
    for event in Parser::new_ext(&page, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => panic!("{page}"),
            Event::Start(Tag::Table(_)) => tables += 1,
            Event::Html(html) | Event::InlineHtml(html) => {
                let ours = ["<details>", "</details>", "<summary>"];
                assert!(
                    ours.iter().any(|tag| html.trim_start().starts_with(tag)),
                    "{html}"
                );
            }
            Event::Text(text) => assert!(!text.contains(['@', '#']), "{text}"),
            _ => {}
        }
    }
    assert_eq!((tables, page.matches("\n<details>\n").count()), (2, 2));
    let shown = trend_terminal(EVIL, &hostile(), 30, 60, false);
    assert!(!page.contains(['\u{1b}', '\u{202e}', '\r']), "{page:?}");
    for line in shown.lines() {
        assert!(
            !line.trim_start().starts_with("::") && !line.contains("##["),
            "{line}"
        );
        assert!(!line.contains(['\u{1b}', '\u{202e}', '\r']), "{line:?}");
    }
}

#[test]
fn few_runs_say_so_and_kinds_never_mix() {
    let one = &month()[..1];
    let said = |entries: &[Entry]| sentences(&Trend::of(entries, 30).unwrap()).join(" ");
    assert_eq!(said(one), "Mean 0.410: one run, no trend yet.");
    assert_eq!(
        said(&month()[..4]),
        "Mean 0.610: the first run since the judge was changed; the means before it don't compare."
    );
    let mut mixed = month()[3..8].to_vec();
    mixed[1].emulator = true;
    assert_eq!(
        said(&mixed),
        "Mean 0.610 → 0.660 over 4 runs. Left out: 1 run on the emulator."
    );
    mixed[4].emulator = true;
    assert_eq!(
        said(&mixed),
        "Mean 0.630 → 0.660 over 2 runs. All of it on the built-in emulator; left out: 3 runs on the service."
    );
    assert!(trend_markdown("s", &[], 30, 9_999).contains("No run so far."));
    assert!(trend_terminal("s", &[], 30, 80, true).contains("No run so far."));
    assert_eq!(section("### Trend", &[], 30, 9_999), "");
}

#[test]
fn a_block_is_as_high_as_its_mean_and_a_run_without_one_has_none() {
    let mut entries = month()[3..12].to_vec();
    let means = [0.0, 0.125, 0.2, 0.5, 0.74, 0.75, 0.99, 1.0];
    for (entry, mean) in entries[1..].iter_mut().zip(means) {
        entry.mean = Some(mean);
    }
    entries[0].mean = None;
    let trend = Trend::of(&entries, 30).unwrap();
    let drawn: String = picture(&trend)[0].drawn.iter().map(|(_, c)| *c).collect();
    assert_eq!(drawn, "·▁▂▂▅▆▇██");
}

#[test]
fn a_section_keeps_to_its_bytes_and_gives_up_the_table_first() {
    let history: Vec<Entry> = hostile();
    let mut whole = 0;
    for bytes in (0..9_000).step_by(97) {
        let page = section("### Trend", &history, 30, bytes);
        assert!(page.len() <= bytes, "{} of {bytes}", page.len());
        assert!(page.is_empty() || page.starts_with("### Trend\n"), "{page}");
        assert_eq!(
            page.matches("\n<details>\n").count(),
            page.matches("\n</details>\n").count()
        );
        whole += usize::from(page.contains("18 runs, the newest first"));
    }
    assert!(whole > 0);
    // A terminal of any width holds the newest runs.
    for width in [0, 40, 60, 200] {
        let shown = trend_terminal("s", &history, 30, width, false);
        let longest = shown.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(width.clamp(42, 162)), "{width}: {shown}");
    }
}
