//! What texts differ by, that it stays bounded, and the differences as a script reads them.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::report::fixtures::{self, Compared};

const MOST: Most = Most {
    chars: 4_000,
    lines: 60,
};

fn shown(before: &str, after: &str) -> String {
    match compare(before, after, MOST) {
        TextDiff::Same => "same".to_owned(),
        TextDiff::Space => "space".to_owned(),
        TextDiff::Lines(lines) => lines
            .iter()
            .map(|line| {
                let sign = match line.sign {
                    Sign::Same => ' ',
                    Sign::Removed => '-',
                    Sign::Added => '+',
                    Sign::Between => '@',
                };
                format!("{sign}{}\n", line.text)
            })
            .collect(),
    }
}

#[test]
fn words_that_changed_are_marked() {
    assert_eq!(
        shown(
            "{\"total\": \"490\"}",
            "{\"total\": \"490.00\", \"currency\": \"EUR\"}"
        ),
        "-{\"total\": \"490\"}\n+{\"total\": \"490{+.00\", \"currency\": \"EUR+}\"}\n"
    );
    assert_eq!(
        shown("the old red house stands", "the new blue house stands"),
        "-the [-old red-] house stands\n+the {+new blue+} house stands\n"
    );
    // Another line altogether is not a puzzle of marks.
    assert_eq!(shown("Hamburg", "Hafenstraße 4"), "-Hamburg\n+Hafenstraße 4\n");
}

#[test]
fn lines_around_a_difference_stand_beside_it() {
    let before: String = (0..40).map(|n| format!("line {n}\n")).collect();
    let after = before.replace("line 20\n", "").replace("line 30", "line thirty");
    assert_eq!(
        shown(&before, &after),
        "@18 lines the same\n line 18\n line 19\n-line 20\n line 21\n line 22\n@5 lines the same\n line 28\n line 29\n\
         -line [-30-]\n+line {+thirty+}\n line 31\n line 32\n@7 lines the same\n"
    );
}

#[test]
fn white_space_that_nobody_sees_is_told_in_words() {
    assert_eq!(shown("a\r\nb", "a\nb"), "space");
    assert_eq!(shown("a \n\n", "a"), "space");
    assert_eq!(shown("a", "a"), "same");
    assert_eq!(shown("", "a"), "-\n+a\n");
}

#[test]
fn the_same_texts_give_the_same_few_lines_whatever_they_are() {
    let words = |seed: usize, n: usize| -> String {
        (0..n)
            .map(|at| format!("w{} ", (at * 7_919 + seed) * (seed + 3) % 10_007))
            .collect()
    };
    let lines = |seed: usize| words(seed, 100_000).replace(' ', "\n");
    let texts = [
        (words(1, 4_000), words(2, 4_000)),
        (lines(1), lines(2)),
        ("x".repeat(200_000), "y".repeat(200_000)),
        ("ab".repeat(100_000), "ba".repeat(100_000)),
        (
            format!("{}a{}", "x ".repeat(50_000), "y ".repeat(50_000)),
            format!("{}b{}", "x ".repeat(50_000), "y ".repeat(50_000)),
        ),
        ("ä€😀".repeat(10_000), "ä€😁".repeat(10_000)),
        (String::new(), "z".repeat(200_000)),
    ];
    for (before, after) in &texts {
        let TextDiff::Lines(lines) = compare(before, after, MOST) else {
            panic!("they differ");
        };
        assert!(lines.len() <= MOST.lines + 2, "{}", lines.len());
        let chars: usize = lines.iter().map(|line| line.text.chars().count()).sum();
        assert!(chars <= 4 * MOST.chars, "{chars}");
        assert_eq!(compare(before, after, MOST), TextDiff::Lines(lines));
    }
}

proptest! {
    /// The old text is what is removed and the same, the new one what is added and the same, where all is shown.
    #[test]
    fn both_texts_can_be_read_from_their_difference(
        before in "[ab.é]{0,6}(\n[ab ]{0,4}){0,8}", after in "[ab.é]{0,6}(\n[ab ]{0,4}){0,8}"
    ) {
        let TextDiff::Lines(lines) = compare(&before, &after, MOST) else {
            prop_assert_eq!(before.trim_end(), after.trim_end());
            return Ok(());
        };
        // A run of lines that is only counted is no part of this.
        if lines.iter().all(|line| line.sign != Sign::Between) {
            let of = |sign: Sign| -> Vec<String> {
                let own = lines.iter().filter(|line| line.sign == sign || line.sign == Sign::Same);
                own.map(|line| ["[-", "-]", "{+", "+}"].iter().fold(line.text.clone(), |text, mark| text.replace(mark, ""))).collect()
            };
            prop_assert_eq!(of(Sign::Removed).join("\n"), before.trim_end());
            prop_assert_eq!(of(Sign::Added).join("\n"), after.trim_end());
        }
    }

    #[test]
    fn any_two_texts_can_be_compared(before in any::<String>(), after in any::<String>(), chars in 1usize..40) {
        let _ = compare(&before, &after, Most { chars, lines: 3 });
        let _ = compare(&format!("{before}{after}"), &before, Most { chars, lines: 3 });
    }
}

fn json(compared: &Compared) -> Value {
    let mut out = Vec::new();
    diff_json(&compared.record, &compared.around(), &mut out).unwrap();
    assert_eq!(out.last(), Some(&b'\n'));
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn a_script_finds_both_runs_the_verdict_and_the_texts() {
    let compared = fixtures::worse();
    let value = json(&compared);
    assert_eq!(value["version"], 1);
    assert_eq!(
        value["base"]["commit"],
        "77d0c1cbb3a1f5ce0b7a5be1ccbb47a6b1d3a3e0"
    );
    assert_eq!(value["base"]["age_s"], 50_400);
    assert_eq!(value["head"]["complete"], true);
    assert_eq!(value["verdict"]["standing"], "worse");
    assert_eq!(value["verdict"]["gates"][0]["require"], "drop(mean) <= 0.03");
    assert_eq!(
        value["comparison"],
        serde_json::to_value(compared.record.comparison.as_ref().unwrap()).unwrap()
    );
    let cases = value["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 15);
    assert_eq!(cases[1]["flip"], "newly_failing");
    assert_eq!(
        cases[1]["base"]["samples"][0]["answer"],
        "{\"total\": \"490.00\", \"currency\": \"EUR\"}"
    );
    assert_eq!(cases[1]["head"]["samples"][0]["votes"][0]["score"], 0.45);
    assert_eq!(cases[7]["vote_spread"], 0.3);
    assert_eq!(cases[12]["parts"][0], "prompt");
    assert_ne!(cases[12]["base"]["messages"], cases[12]["head"]["messages"]);
    assert!(cases[13].get("base").is_none() && cases[14].get("head").is_none());
}

#[test]
fn the_texts_of_a_script_are_bounded_and_say_so() {
    let value = json(&fixtures::large_compared(2, 50_000));
    let case = &value["cases"][0];
    assert_eq!(
        case["head"]["samples"][0]["answer"]
            .as_str()
            .unwrap()
            .chars()
            .count(),
        20_000
    );
    assert!(case["head"]["left_out"].as_u64().unwrap() > 20_000);
}

#[test]
fn without_a_baseline_a_script_is_told_why() {
    let mut record = fixtures::passing();
    record.results.without_baseline = Some("no run of main has an artifact of this suite".to_owned());
    let mut out = Vec::new();
    diff_json(&record, &Around::default(), &mut out).unwrap();
    let value: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(
        value["without_baseline"],
        "no run of main has an artifact of this suite"
    );
    assert!(value.get("base").is_none());
    assert_eq!(value["cases"], serde_json::json!([]));
}

#[test]
fn texts_of_another_run_are_not_shown() {
    let mut compared = fixtures::worse();
    compared.base.run.id = "another".to_owned();
    let value = json(&compared);
    assert_eq!(value["base"]["texts"], false);
    assert!(value["cases"][0].get("base").is_none());
}
