//! Edges of a comparison, by hand.

use super::*;
use crate::results::BaselineCase;
use crate::score::fixtures::{anchor, lost};
use crate::score::{JudgeChange, Method, PairCounts, Pairing, Part};

fn scores(n: usize) -> Vec<f64> {
    (0..n).map(|i| (i * 7 % 20) as f64 / 20.0).collect()
}

/// Differences of several sizes, both ways.
fn moved(n: usize) -> (Vec<f64>, Vec<f64>) {
    let before = scores(n);
    let now = before
        .iter()
        .enumerate()
        .map(|(i, s)| (s * 0.8 + (i * 3 % 11) as f64 / 60.0).min(1.0));
    (now.collect(), before)
}

fn run(n: usize) -> Results {
    let (now, before) = moved(n);
    two(cases(&now), cases(&before))
}

#[test]
fn a_baseline_is_what_a_comparison_needs() {
    let mut first = cases(&[0.5, 0.9]);
    first[1].reference = Some("1,204.00".to_owned());
    let mut record = results(first);
    record.anchors = vec![anchor("a", 0.5, 0.1, &[0.25, 0.75]), anchor("b", 0.5, 0.1, &[])];
    let made = base(&record);
    assert_eq!(made.cases[0].score, Some(0.5));
    assert_eq!(
        (made.cases[0].messages.len(), &made.cases[0].reference),
        (16, &None)
    );
    assert_eq!(made.anchors, [anchor_before("a", 0.5)]);
    assert!(made.run.complete && !made.rejudged);
    record
        .cases
        .edit(|cases| cases[0].samples[0].outcome = crate::results::AnswerOutcome::NotAsked);
    assert!(!base(&record).run.complete);
}

#[test]
fn no_baseline_is_no_pairs() {
    let alone = results(cases(&[0.5]));
    assert!(Pairs::new(&alone, &figures(&alone)).is_none());
}

#[test]
fn every_case_of_either_run_is_told_once() {
    let mut before = cases(&[0.5, 0.6, 0.7, 0.8, 0.9, 0.4]);
    let mut now = before.split_off(1);
    before.extend(now.iter().cloned());
    now.push(case("new", &[0.3]));
    now[0].fingerprint = "other checks".to_owned();
    now[1].fingerprint = "other question".to_owned();
    let sample = now[1].samples[0].clone();
    now[1].samples.push(sample);
    now[1].reference = Some("ref".to_owned());
    now[2] = lost("0003");
    now[3].pass_score = 0.95;
    now[3].critical = true;
    let said = comparison(&two(now, before));
    let expected = PairCounts {
        compared: 2,
        unscored: 1,
        changed: 2,
        added: 1,
        removed: 1,
    };
    assert_eq!(said.counts, expected);
    let of: Vec<(&str, Pairing)> = said.cases.iter().map(|c| (c.id.as_str(), c.pairing)).collect();
    assert_eq!(
        of,
        [
            ("0001", Pairing::Changed),
            ("0002", Pairing::Changed),
            ("0003", Pairing::Unchanged),
            ("0004", Pairing::Unchanged),
            ("0005", Pairing::Unchanged),
            ("new", Pairing::Added),
            ("0000", Pairing::Removed),
        ]
    );
    assert_eq!(said.cases[0].parts, [Part::Checks]);
    assert_eq!(said.cases[1].parts, [Part::Parameters, Part::Reference]);
    assert_eq!((said.cases[0].difference, said.cases[2].difference), (None, None));
    assert_eq!(said.cases[3].bar, ["pass score 0.70 → 0.95", "now critical"]);
    assert_eq!(
        (said.cases[3].passed_before, said.cases[3].passed_after),
        (Some(false), Some(false))
    );
    assert_eq!((said.mean.n, said.mean.difference), (2, Some(0.0)));
    assert_eq!(
        (said.mean.error, said.mean.low, said.mean.method),
        (None, None, Method::None)
    );
    assert!(said.mean.notes.iter().any(|note| note.contains("no spread")));
}

#[test]
fn another_judge_claims_no_difference_and_says_the_way_out() {
    let mut changed = run(20);
    changed.suite.judge.fingerprint = "another".to_owned();
    let said = comparison(&changed);
    assert_eq!(said.judge, JudgeChange::Changed);
    assert_eq!(
        (said.mean.difference, said.pass_rate.n, said.flips),
        (None, 0, super::super::Flips::default())
    );
    assert!(said.cases.iter().all(|case| case.difference.is_none()));
    let why = test(&changed, DropMetric::Mean, 0.1).unwrap_err();
    assert!(why.contains("--rejudge-baseline"), "{why}");

    // Judged again, but by another judge than this run's: the flag in a file vouches for nothing.
    changed.baseline.as_mut().unwrap().rejudged = true;
    assert_eq!(comparison(&changed).judge, JudgeChange::Changed);

    changed.baseline.as_mut().unwrap().judge = changed.suite.judge.clone();
    let said = comparison(&changed);
    assert_eq!((said.judge, said.incomparable), (JudgeChange::Rejudged, None));
    assert_eq!(said.mean.n, 20);
    changed.baseline.as_mut().unwrap().run.complete = false;
    let why = test(&changed, DropMetric::Mean, 0.1).unwrap_err();
    assert!(why.contains("judged again"), "{why}");
}

#[test]
fn a_judge_that_drifted_claims_no_difference() {
    let mut drifted = run(20);
    drifted.anchors = vec![anchor("a", 0.5, 0.1, &[0.9]), anchor("b", 0.5, 0.1, &[0.7])];
    drifted.baseline.as_mut().unwrap().anchors = vec![anchor_before("a", 0.5), anchor_before("b", 0.4)];
    let said = comparison(&drifted);
    assert!(said.drift.as_ref().unwrap().drifted);
    assert_eq!(said.mean.difference, None);
    assert!(
        test(&drifted, DropMetric::Mean, 0.1)
            .unwrap_err()
            .contains("has drifted")
    );
}

#[test]
fn anchors_that_were_not_judged_claim_no_difference_and_none_before_is_told() {
    let mut open = run(20);
    open.anchors = vec![anchor("a", 0.5, 0.1, &[]), anchor("b", 0.5, 0.1, &[])];
    let why = test(&open, DropMetric::Mean, 0.1).unwrap_err();
    assert!(why.contains("2 of 2 anchors have no score"), "{why}");
    assert_eq!(comparison(&open).mean.difference, None);
    open.anchors[0] = anchor("a", 0.5, 0.1, &[0.5]);
    let said = comparison(&open);
    assert_eq!(
        (said.incomparable, said.mean.n),
        (None, 20),
        "the baseline has none"
    );
    assert!(
        said.notes
            .iter()
            .any(|note| note.contains("no anchor has a score in both runs"))
    );
    open.baseline.as_mut().unwrap().anchors = vec![anchor_before("a", 0.5), anchor_before("b", 0.5)];
    assert!(
        test(&open, DropMetric::Mean, 0.1)
            .unwrap_err()
            .contains("1 of 2 anchors")
    );
    open.baseline.as_mut().unwrap().rejudged = true;
    assert!(
        test(&open, DropMetric::Mean, 0.1).is_ok(),
        "one judge has scored both"
    );
}

#[test]
fn too_little_to_compare_is_told_and_tested_not() {
    let why = |results: &Results| test(results, DropMetric::Mean, 0.1).unwrap_err();
    assert!(why(&run(9)).contains("only 9 cases compare"));
    assert!(comparison(&run(9)).mean.low.is_some(), "its bounds are shown");
    let mut strangers = run(3);
    strangers.cases.edit(|cases| {
        for case in cases.iter_mut() {
            case.fingerprint = "changed".to_owned();
        }
        cases.push(case("new", &[0.1]));
    });
    assert_eq!(why(&strangers), "no case compares: 3 changed, 1 added");
    let mut grouped = run(40);
    grouped.cases.edit(|cases| {
        for (i, case) in cases.iter_mut().enumerate() {
            case.group = Some((i % 8).to_string());
        }
    });
    assert!(why(&grouped).contains("only 8 independent groups"));
    let mut ended = run(20);
    ended.baseline.as_mut().unwrap().run.complete = false;
    assert!(why(&ended).contains("ended early"));
    let median = test(&run(49), DropMetric::Median, 0.1).unwrap_err();
    assert!(
        median.contains("49 independent cases compare") && median.contains("needs 50"),
        "{median}"
    );
    let tag = Selector::Tag("none".to_owned());
    let absent = with_pairs(&run(20), |pairs| pairs.test(DropMetric::Mean, &tag, 0.1)).unwrap_err();
    assert_eq!(absent, "no case compares: there is none");
    let one = Selector::Case("0001".to_owned());
    assert!(with_pairs(&run(20), |pairs| pairs.test(DropMetric::Mean, &one, 0.1)).is_err());
}

#[test]
fn no_spread_decides_by_itself_without_p_values() {
    let before = scores(12);
    let now: Vec<f64> = before.iter().map(|s| s * 1.0 + 0.0).collect();
    let same = test(&two(cases(&now), cases(&before)), DropMetric::Mean, 0.0).unwrap();
    assert_eq!(
        (same.p_worse, same.p_no_worse, same.difference.difference),
        (None, None, Some(0.0))
    );
}

#[test]
fn few_moved_cases_among_many_have_the_bounds_of_t() {
    let before = vec![0.9; 60];
    let mut now = before.clone();
    (now[0], now[1]) = (0.1, 0.4);
    let said = comparison(&two(cases(&now), cases(&before)));
    assert_eq!(said.mean.method, Method::T);
    assert!(
        said.mean
            .notes
            .iter()
            .any(|note| note.contains("have no spread: the bounds are Student's t"))
    );
    let median = test(&two(cases(&now), cases(&before)), DropMetric::Median, 0.0).unwrap();
    assert_eq!(
        (median.difference.method, median.difference.difference),
        (Method::None, Some(0.0))
    );
    assert!(median.difference.low.is_none() && median.p_worse.is_none());
}

#[test]
fn sets_beyond_the_budget_have_the_bounds_of_t_whoever_asks_first() {
    let mut large = run(4_000);
    large.cases.edit(|cases| {
        for case in cases {
            case.tags.extend(["a".to_owned(), "b".to_owned()]);
        }
    });
    let tag = |name: &str| Selector::Tag(name.to_owned());
    let methods = |said: &Comparison| (said.mean.method, said.pass_rate.method, said.tags["b"].method);
    let (first, gates) = with_pairs(&large, |pairs| {
        pairs.resamples = 200;
        let said = pairs.comparison();
        let gates = [tag("a"), tag("b"), Selector::All, tag("a")].map(|selector| {
            pairs
                .test(DropMetric::Mean, &selector, 0.1)
                .unwrap()
                .difference
                .method
        });
        (said, gates)
    });
    assert_eq!(methods(&first), (Method::Bootstrap, Method::Bootstrap, Method::T));
    assert_eq!(
        gates,
        [Method::Bootstrap, Method::Bootstrap, Method::T, Method::Bootstrap]
    );
    let again = with_pairs(&large, |pairs| {
        pairs.resamples = 200;
        let _ = pairs.test(DropMetric::Mean, &tag("b"), 0.1);
        pairs.comparison()
    });
    assert_eq!(again, first);
}

#[test]
fn a_baseline_edited_by_hand_breaks_nothing() {
    let mut wild = run(12);
    let base = wild.baseline.as_mut().unwrap();
    base.cases[0].score = Some(1e300);
    let twice: Vec<BaselineCase> = base.cases.clone();
    base.cases.extend(twice);
    let said = comparison(&wild);
    assert_eq!(
        (said.counts.compared, said.counts.unscored, said.counts.removed),
        (11, 1, 0)
    );
    assert_eq!(said.cases.len(), 12);
}

#[test]
fn pairs_say_what_share_compares() {
    let mut some = run(20);
    some.cases.edit(|cases| cases[3].samples.clear());
    with_pairs(&some, |pairs| {
        assert_eq!(pairs.coverage(), Some(0.95));
        assert_eq!(pairs.counts_of(&Selector::Holdout), PairCounts::default());
        assert!(pairs.incomparable().is_none() && pairs.baseline_complete());
    });
}

#[test]
fn what_may_be_the_baseline_s_own_reply_is_no_evidence_of_today() {
    let day = || crate::results::Cached {
        at: "2026-11-20T00:00:00Z".to_owned(),
        latency_ms: 1,
    };
    let mut run = run(20);
    run.anchors = vec![anchor("a", 0.5, 0.1, &[0.5]), anchor("b", 0.5, 0.1, &[0.5])];
    let told = |run: &Results| {
        let notes = comparison(run).notes;
        let of_cache = notes.into_iter().filter(|note| note.contains("from the cache"));
        of_cache.collect::<Vec<_>>()
    };
    assert!(told(&run).is_empty());
    run.cases.edit(|cases| {
        for case in &mut cases[..3] {
            case.samples[0].cached = Some(day());
        }
        for case in &mut cases[..2] {
            case.samples[0].votes[0].cached = Some(day());
        }
        // In no difference.
        cases[1].fingerprint = "other checks".to_owned();
    });
    run.anchors[0].votes[0].cached = Some(day());
    run.run.cached = Some(crate::results::CachedReplies::default());
    let notes = told(&run);
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].starts_with("1 of 19 compared cases"), "{notes:?}");
    assert!(notes[1].starts_with("1 of 2 anchors"), "{notes:?}");
}
