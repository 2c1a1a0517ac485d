//! Lines, kept runs, flaky cases and trends, with what may stand in a file that came from elsewhere.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::score::fixtures;

/// The `n`th night: every night of the same suite, judge and model.
pub(crate) fn run(n: usize, verdicts: &[(&str, &str)]) -> Entry {
    Entry {
        version: VERSION,
        run: format!("run-{n}"),
        at: format!("2026-{:02}-{:02}T03:17:00Z", 1 + n / 28 % 12, 1 + n % 28),
        commit: Some("9fceb02d0ae598e95dc970b74767f19372d61af8".to_owned()),
        model: "invoice-extractor".to_owned(),
        judge: "77aa".to_owned(),
        suite: "a41f".to_owned(),
        emulator: false,
        cases: 10,
        scored: 10,
        mean: Some(0.5),
        interval: Some([0.25, 0.75]),
        pass_rate: Some(0.5),
        difference: None,
        decision: Decision::Pass,
        outcome: None,
        job: None,
        verdicts: verdicts
            .iter()
            .map(|(case, verdict)| ((*case).to_owned(), (*verdict).to_owned()))
            .collect(),
    }
}

/// Nights in which case `a` had these verdicts.
fn nights(verdicts: &[&str]) -> Vec<Entry> {
    let night = |(n, verdict): (usize, &&str)| match *verdict {
        "" => run(n, &[("b", "+00")]),
        verdict => run(n, &[("a", verdict), ("b", "+00")]),
    };
    verdicts.iter().enumerate().map(night).collect()
}

fn told(entries: &[Entry]) -> Vec<(String, u32, u32, u32)> {
    let flaky = flaky(entries);
    flaky
        .into_iter()
        .map(|f| (f.case, f.flips, f.runs, f.passed))
        .collect()
}

#[test]
fn a_flip_counts_only_where_nothing_was_changed() {
    let a = |flips, runs, passed| vec![("a".to_owned(), flips, runs, passed)];
    assert_eq!(told(&nights(&["+00", "-00", "+00", "+00"])), a(2, 4, 3));
    assert_eq!(told(&nights(&["+00", "+00"])), []);
    // Another case, judge, pass score or model in between is somebody's doing.
    assert_eq!(told(&nights(&["+00", "-11"])), []);
    assert_eq!(told(&nights(&["-22", "+00", "-11", "-00", "+00"])), a(2, 3, 2));
    // A night without a score is neither passed nor failed.
    assert_eq!(told(&nights(&["+00", "", "-00", ""])), a(1, 2, 1));
    assert_eq!(told(&[]), []);
}

#[test]
fn a_case_that_was_taken_out_is_no_longer_flaky() {
    let mut entries = nights(&["+00", "-00", ""]);
    assert_eq!(told(&entries).len(), 1);
    entries[2].suite = "b52e".to_owned();
    assert_eq!(told(&entries), []);
}

#[test]
fn the_worst_comes_first_and_only_the_newest_thirty_count() {
    let night = |n: usize| {
        let seldom = if n == 20 { "-00" } else { "+00" };
        let often = if n.is_multiple_of(2) { "-00" } else { "+00" };
        run(n, &[("seldom", seldom), ("often", often)])
    };
    let entries: Vec<Entry> = (0..40).map(night).collect();
    assert_eq!(
        told(&entries),
        [("often".to_owned(), 29, 30, 15), ("seldom".to_owned(), 2, 30, 29)]
    );
}

#[test]
fn the_emulator_and_the_service_never_mix() {
    let mut entries = nights(&["+00", "-00", "+00", "-00"]);
    for at in [1, 3] {
        entries[at].emulator = true;
        entries[at].mean = Some(0.9);
    }
    assert_eq!(told(&entries), []);
    let trend = Trend::of(&entries, 30).unwrap();
    assert_eq!(
        (trend.runs.len(), trend.of_other_kind, trend.first),
        (2, 2, Some(0.9))
    );
}

#[test]
fn a_trend_s_means_are_those_of_one_judge() {
    let mut entries: Vec<Entry> = (0..6).map(|n| run(n, &[])).collect();
    for (n, entry) in entries.iter_mut().enumerate() {
        entry.mean = Some(n as f64 / 10.0);
    }
    entries[0].judge = "0000".to_owned();
    entries[3].mean = None;
    entries[4].suite = "b52e".to_owned();
    entries[5].suite = "b52e".to_owned();
    let trend = Trend::of(&entries, 30).unwrap();
    assert_eq!((&trend.breaks[..], trend.comparable().len()), (&[1][..], 5));
    assert_eq!((trend.first, trend.last), (Some(0.1), Some(0.5)));
    assert_eq!((trend.suite_changes, trend.earlier), (1, 0));

    let short = Trend::of(&entries, 3).unwrap();
    assert_eq!((short.runs.len(), short.earlier), (3, 3));
    assert_eq!((short.first, short.breaks.is_empty()), (Some(0.4), true));
    assert!(Trend::of(&[], 30).is_none());
}

#[test]
fn only_so_many_runs_are_kept_and_only_the_newest_ones_verdicts() {
    let mut entries = Vec::new();
    for n in 0..KEPT + 5 {
        entries = append(entries, run(n, &[("a", "+00")]));
    }
    assert_eq!((entries.len(), entries[0].run.as_str()), (KEPT, "run-5"));
    let with: Vec<bool> = entries.iter().map(|entry| !entry.verdicts.is_empty()).collect();
    assert_eq!(with.iter().filter(|&&with| with).count(), 30);
    assert!(with[KEPT - 30..].iter().all(|&with| with));
}

#[test]
fn another_attempt_takes_the_place_of_the_one_before() {
    let mut again = run(1, &[]);
    again.mean = Some(0.75);
    let entries = append((0..3).map(|n| run(n, &[])).collect(), again.clone());
    assert_eq!(entries, [run(0, &[]), again.clone(), run(2, &[])]);
    // In a file that has both lines as well.
    let text = write(&[run(0, &[]), run(1, &[]), run(2, &[]), again]);
    assert_eq!(read(text.as_bytes()), (entries, 0));
}

#[test]
fn hostile_lines_are_passed_over_and_counted() {
    let good = serde_json::to_value(run(0, &[("a", "+00")])).unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value = good.clone();
        change(&mut value);
        value.to_string()
    };
    let bad = [
        "not json".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "{\"version\": 1}".to_owned(),
        "[".repeat(100_000),
        "\u{0}\u{1b}[31m".to_owned(),
        changed(&|v| v["version"] = json!(2)),
        changed(&|v| v["version"] = json!("1")),
        changed(&|v| v["run"] = json!("")),
        changed(&|v| v["model"] = json!("m".repeat(2_000))),
        changed(&|v| v["at"] = json!("yesterday")),
        changed(&|v| v["mean"] = json!(1.5)),
        changed(&|v| v["mean"] = json!("0.5")),
        changed(&|v| v["interval"] = json!([0.1, 7.0])),
        changed(&|v| v["pass_rate"] = json!(-0.1)),
        changed(&|v| v["difference"] = json!(-2)),
        changed(&|v| v["scored"] = json!(11)),
        changed(&|v| v["decision"] = json!("perfect")),
        changed(&|v| v["job"] = json!("j".repeat(3 * 1024 * 1024))),
    ];
    for line in &bad {
        let text = format!("{good}\n{line}\n\n");
        let (entries, passed_over) = read(text.as_bytes());
        assert_eq!(
            (entries.len(), passed_over),
            (1, 1),
            "{}",
            &line[..line.len().min(200)]
        );
    }
    assert_eq!(read(b"\xff\xfe\n"), (Vec::new(), 1));
    // A field that a later build added is no fault, nor is a last line without its end.
    let later = changed(&|v| v["added_later"] = json!([1]));
    assert_eq!(read(later.as_bytes()), (vec![run(0, &[("a", "+00")])], 0));
    // What is no verdict says nothing about its case.
    let odd = changed(&|v| v["verdicts"] = json!({"a": "+", "b": "é0", "c": "", "d": "-0f", "e": "-zz"}));
    let verdicts = read(odd.as_bytes()).0.remove(0).verdicts;
    assert_eq!(verdicts, BTreeMap::from([("d".to_owned(), "-0f".to_owned())]));
}

#[test]
fn of_a_file_without_end_the_newest_runs_are_read() {
    let line = |n: usize| serde_json::to_string(&run(n, &[])).unwrap() + "\n";
    let many: String = (0..LINES + 7).map(line).collect();
    let (entries, passed_over) = read(many.as_bytes());
    assert_eq!((entries.len(), passed_over), (KEPT, 7));
    assert_eq!(entries.last().unwrap().run, format!("run-{}", LINES + 6));

    let mut large = vec![b'x'; MAX_BYTES as usize];
    large.push(b'\n');
    large.extend(line(1).bytes());
    assert_eq!(read(&large), (vec![run(1, &[])], 1));
}

#[test]
fn verdicts_of_a_suite_too_large_are_left_out() {
    let verdicts: BTreeMap<String, String> =
        (0..=CASES).map(|n| (format!("c{n}"), "+0".to_owned())).collect();
    let text = write(&[Entry {
        verdicts,
        ..run(0, &[])
    }]);
    assert_eq!(read(text.as_bytes()), (vec![run(0, &[])], 0));
    let cases: Vec<_> = (0..=CASES)
        .map(|n| fixtures::case(&format!("c{n}"), &[0.5]))
        .collect();
    assert!(line_of(&fixtures::results(cases)).verdicts.is_empty());
}

fn line_of(results: &crate::results::Results) -> Entry {
    let figures = crate::score::figures(results);
    let verdict = serde_json::from_value(json!({
        "decision": "inconclusive", "reason": "", "gates": [], "vetoes": [], "defaulted": true
    }));
    let cycle = cycle::Record {
        outcome: cycle::Outcome::Launched,
        job_id: Some("7c9e".to_owned()),
        ..cycle::Record::default()
    };
    entry(results, &figures, None, &verdict.unwrap(), Some(&cycle))
}

#[test]
fn a_reply_of_another_day_is_no_verdict_of_this_run() {
    let mut cases = vec![fixtures::case("today", &[0.9]), fixtures::case("cached", &[0.9])];
    cases[1].samples[0].votes[0].cached = Some(crate::results::Cached {
        at: "2026-11-20T00:00:00Z".to_owned(),
        latency_ms: 1,
    });
    let told: Vec<String> = line_of(&fixtures::results(cases)).verdicts.into_keys().collect();
    assert_eq!(told, ["today"]);
}

#[test]
fn a_run_s_line_says_what_its_record_says() {
    let mut results = fixtures::results(vec![
        fixtures::case("good", &[0.75, 1.0]),
        fixtures::case("weak", &[0.25]),
        fixtures::lost("lost"),
    ]);
    results.run.id = "0d3a".to_owned();
    results.run.started_at = "2026-11-22T02:15:04Z".to_owned();
    results.suite.model = "m".to_owned();
    let entry = line_of(&results);
    assert_eq!((entry.cases, entry.scored, entry.mean), (3, 2, Some(0.5625)));
    assert_eq!((entry.pass_rate, entry.emulator), (Some(0.5), true));
    assert_eq!(
        (entry.decision, entry.job.as_deref()),
        (Decision::Inconclusive, Some("7c9e"))
    );
    let signs: Vec<(&str, &str)> = entry
        .verdicts
        .iter()
        .map(|(id, v)| (id.as_str(), &v[..1]))
        .collect();
    assert_eq!(signs, [("good", "+"), ("weak", "-")]);
    let text = write(std::slice::from_ref(&entry));
    assert_eq!(read(text.as_bytes()), (vec![entry], 0));
}

#[test]
fn whatever_may_turn_a_verdict_makes_it_another_one() {
    let basis = |change: &dyn Fn(&mut crate::results::Results)| {
        let mut results = fixtures::results(vec![fixtures::case("a", &[0.5])]);
        results
            .cases
            .edit(|c| c[0].samples[0].answered_by = Some("m-v1".to_owned()));
        change(&mut results);
        line_of(&results).verdicts["a"][1..].to_owned()
    };
    let same = basis(&|_| {});
    assert_eq!(same.len(), 8);
    assert_eq!(same, basis(&|r| r.cases.edit(|c| c[0].weight = 3.0)));
    assert_eq!(same, basis(&|r| r.suite.fingerprint = "other".to_owned()));
    assert_ne!(
        same,
        basis(&|r| r.cases.edit(|c| c[0].fingerprint = "other".to_owned()))
    );
    assert_ne!(same, basis(&|r| r.suite.judge.fingerprint = "other".to_owned()));
    assert_ne!(same, basis(&|r| r.cases.edit(|c| c[0].pass_score = 0.4)));
    assert_ne!(same, basis(&|r| r.suite.model = "other".to_owned()));
    assert_ne!(
        same,
        basis(&|r| r
            .cases
            .edit(|c| c[0].samples[0].answered_by = Some("m-v2".to_owned())))
    );
    assert_ne!(
        same,
        basis(&|r| r.cases.edit(|c| c[0].samples[0].answered_by = None))
    );
    assert_ne!(same, basis(&|r| r.run.emulator = false));
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let verdicts = prop::collection::btree_map("\\PC{0,6}", "[+-][0-9a-f]{1,8}", 0..4);
    let words = ("[a-e]", "\\PC{0,12}", "[xy]", "[xy]", any::<bool>());
    (
        words,
        prop::option::of(0.0..=1.0),
        0u32..3,
        0u32..3,
        verdicts,
        0usize..300,
    )
        .prop_map(
            |((run_id, model, judge, suite, emulator), mean, cases, scored, verdicts, n)| Entry {
                run: run_id,
                model,
                judge,
                suite,
                emulator,
                mean,
                cases: cases.max(scored),
                scored,
                verdicts,
                ..run(n, &[])
            },
        )
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let (entries, passed_over) = read(&bytes);
        prop_assert!(entries.len() + passed_over <= bytes.split(|&b| b == b'\n').count());
    }

    #[test]
    fn what_is_kept_is_written_and_read_the_same(runs in prop::collection::vec(any_entry(), 0..45)) {
        let mut kept = Vec::new();
        for run in runs {
            let before = kept.len();
            let known = kept.iter().any(|there: &Entry| there.run == run.run);
            kept = append(kept, run.clone());
            prop_assert_eq!(kept.len(), before + usize::from(!known));
            prop_assert!(kept.contains(&run));
        }
        let text = write(&kept);
        prop_assert_eq!(text.lines().count(), kept.len());
        prop_assert_eq!(read(text.as_bytes()), (kept, 0));
    }

    #[test]
    fn a_flaky_case_has_passed_and_failed(runs in prop::collection::vec(any_entry(), 0..45), last in 0usize..50) {
        for case in flaky(&runs) {
            prop_assert!(case.flips > 0 && case.flips < case.runs);
            prop_assert!(case.passed > 0 && case.passed < case.runs && case.runs <= 30);
        }
        if let Some(trend) = Trend::of(&runs, last) {
            prop_assert!(!trend.runs.is_empty() && trend.runs.len() <= last.max(1));
            prop_assert_eq!(trend.runs.len() + trend.earlier + trend.of_other_kind, runs.len());
            let [low, high] = trend.scale;
            prop_assert!(trend.runs.iter().filter_map(|run| run.mean).all(|m| low - 1e-6 <= m && m <= high + 1e-6));
            prop_assert!(high - low > 0.19 && low >= 0.0 && high <= 1.0);
        }
    }
}
