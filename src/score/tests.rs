//! Edges of the figures, by hand.

use std::collections::BTreeSet;

use super::case::case_figure;
use super::fixtures::{case, failed_check, lost, results, sample, scored, unanswered, vote};
use super::*;
use crate::results::{AnswerOutcome, CaseResult, Sample, VoteOutcome};

fn of(scores: &[f64]) -> Group {
    figures(&results(
        scores
            .iter()
            .enumerate()
            .map(|(i, s)| case(&i.to_string(), &[*s]))
            .collect(),
    ))
    .overall
}

fn noted(group: &Group, words: &str) -> bool {
    group.notes.iter().any(|note| note.contains(words))
}

#[test]
fn nothing_scored_is_no_number() {
    let none = figures(&results(Vec::new()));
    assert_eq!(
        (none.overall.cases, none.overall.coverage, none.overall.error_rate),
        (0, None, None)
    );
    let lost = figures(&results(vec![lost("a"), lost("b")]));
    let group = &lost.overall;
    assert_eq!(
        (group.cases, group.scored, group.unscored, group.errors),
        (2, 0, 2, 2)
    );
    assert_eq!((group.coverage, group.error_rate), (Some(0.0), Some(1.0)));
    assert_eq!(
        (group.mean, group.median, group.min, group.p10, group.stddev),
        (None, None, None, None, None)
    );
    assert_eq!(
        (group.pass_rate, group.pass_rate_interval, group.mean_interval),
        (None, None, None)
    );
    assert!(noted(group, "no case has a score"));
    assert_eq!(lost.distribution, [0; 10]);
}

#[test]
fn one_case_has_a_mean_and_no_interval_of_it() {
    let one = of(&[0.6]);
    assert_eq!(
        (one.mean, one.median, one.min, one.p10),
        (Some(0.6), Some(0.6), Some(0.6), Some(0.6))
    );
    assert_eq!((one.stddev, one.mean_interval), (None, None));
    assert!(one.pass_rate_interval.unwrap().high < 0.8);
    assert!(noted(&one, "one scored case"));
}

#[test]
fn no_spread_is_told_and_has_no_interval_of_width_zero() {
    // Three ways to write 0.15 that differ in the last bit.
    let equal = figures(&results(vec![
        case("a", &[0.15]),
        case("b", &[0.1, 0.2]),
        case("c", &[0.05, 0.25]),
    ]));
    assert_eq!(equal.overall.mean_interval, None);
    assert_eq!(equal.overall.stddev, Some(0.0));
    assert!(noted(&equal.overall, "no spread"));
}

#[test]
fn an_interval_stays_where_scores_can_be() {
    let interval = of(&[0.0, 1.0]).mean_interval.unwrap();
    assert_eq!((interval.low, interval.high), (0.0, 1.0));
}

#[test]
fn a_mean_of_many_equal_floats_is_that_float() {
    assert_eq!(of(&[0.1; 1_000]).mean, Some(0.1));
    assert_eq!(of(&[0.7; 333]).pass_rate, Some(1.0));
}

#[test]
fn a_score_passes_at_its_pass_score_whatever_the_rounding() {
    let on_the_line = case("a", &[0.6, 0.7, 0.8]);
    let figure = &figures(&results(vec![on_the_line])).cases[0];
    assert_eq!(figure.passed, Some(true));
    assert_eq!((figure.samples_scored, figure.samples_failed), (3, 1));
}

#[test]
fn a_failed_check_scores_zero_without_a_vote() {
    let mut failing = case("a", &[0.9]);
    failing.samples.push(Sample {
        checks: vec![failed_check()],
        ..sample(Vec::new())
    });
    assert_eq!(sample_score(&failing.samples[1]), Some(0.0));
    assert_eq!(case_figure(&failing).score, Some(0.45));
    let truncated = Sample {
        checks: vec![failed_check()],
        ..unanswered(AnswerOutcome::Truncated)
    };
    assert_eq!(sample_score(&truncated), None, "only a complete answer is scored");
}

#[test]
fn scores_out_of_range_are_no_scores() {
    for odd in [-0.01, 1.01, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(case_figure(&case("a", &[odd])).score, None, "{odd}");
        assert_eq!(case_figure(&case("a", &[odd, 0.5])).score, Some(0.5), "{odd}");
        let figure = &figures(&results(vec![case("a", &[odd])])).cases[0];
        assert_eq!(figure.unscored, Some(Unscored::JudgeUnparseable));
    }
    let missing = sample(vec![vote(VoteOutcome::Scored, None)]);
    assert_eq!(sample_score(&missing), None);
    let contradicting = sample(vec![vote(VoteOutcome::Failed, Some(0.9))]);
    assert_eq!(
        sample_score(&contradicting),
        None,
        "a score counts only where the vote says scored"
    );
}

#[test]
fn the_most_telling_reason_is_told() {
    use AnswerOutcome as A;
    let why = |samples: Vec<Sample>| {
        figures(&results(vec![CaseResult {
            samples,
            ..case("a", &[])
        }]))
        .cases[0]
            .unscored
    };
    let judged = |outcome| sample(vec![vote(outcome, None)]);
    let by_rank = [
        (unanswered(A::Failed), Unscored::AnswerFailed),
        (judged(VoteOutcome::Failed), Unscored::JudgeFailed),
        (judged(VoteOutcome::Unparseable), Unscored::JudgeUnparseable),
        (unanswered(A::Filtered), Unscored::FilteredAnswer),
        (unanswered(A::Truncated), Unscored::TruncatedAnswer),
        (unanswered(A::Null), Unscored::NullAnswer),
        (unanswered(A::Empty), Unscored::EmptyAnswer),
        (judged(VoteOutcome::NotAsked), Unscored::NotAsked),
    ];
    for (at, (telling, reason)) in by_rank.iter().enumerate() {
        let lesser = by_rank[at..].iter().rev().map(|(sample, _)| sample.clone());
        assert_eq!(why(lesser.collect()), Some(*reason));
        assert_eq!(
            why(vec![telling.clone(), scored(0.5)]),
            None,
            "a case with any score is scored"
        );
    }
    assert_eq!(why(Vec::new()), Some(Unscored::NotAsked));
    assert_eq!(why(vec![unanswered(A::NotAsked)]), Some(Unscored::NotAsked));
    assert_eq!(why(vec![sample(Vec::new())]), Some(Unscored::NotAsked));
}

#[test]
fn only_failed_calls_are_errors() {
    let with = |id: &str, sample| CaseResult {
        samples: vec![sample],
        ..case(id, &[])
    };
    let group = figures(&results(vec![
        case("scored", &[0.5]),
        lost("answer failed"),
        with("judge failed", sample(vec![vote(VoteOutcome::Failed, None)])),
        with("not asked", unanswered(AnswerOutcome::NotAsked)),
        with("empty", unanswered(AnswerOutcome::Empty)),
    ]))
    .overall;
    assert_eq!((group.unscored, group.errors), (4, 2));
    assert_eq!((group.coverage, group.error_rate), (Some(0.2), Some(0.4)));
}

#[test]
fn the_spread_of_votes_is_the_widest_of_one_sample() {
    let votes = |scores: &[f64]| {
        sample(
            scores
                .iter()
                .map(|s| vote(VoteOutcome::Scored, Some(*s)))
                .collect(),
        )
    };
    let spread = |samples| {
        figures(&results(vec![CaseResult {
            samples,
            ..case("a", &[])
        }]))
        .cases[0]
            .vote_spread
    };
    assert_eq!(
        spread(vec![votes(&[0.25, 0.5]), votes(&[0.0, 0.75]), votes(&[1.0])]),
        Some(0.75)
    );
    assert_eq!(spread(vec![votes(&[0.2]), votes(&[0.9])]), None);
}

#[test]
fn weights_count_in_mean_and_rate_and_are_noted() {
    let mut heavy = case("heavy", &[0.9]);
    heavy.weight = 3.0;
    let figures = figures(&results(vec![heavy, case("light", &[0.5])]));
    assert!(figures.weighted);
    assert!((figures.overall.mean.unwrap() - 0.8).abs() < 1e-12);
    assert_eq!(figures.overall.pass_rate, Some(0.75));
    assert_eq!(figures.overall.median, Some(0.7));
    assert!(noted(&figures.overall, "weighted (worth 1.6 equal cases)"));
    assert!(noted(&figures.overall, "carry nearly all the weight"));
}

#[test]
fn weights_that_are_none_count_as_one() {
    for odd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let mut odd_case = case("a", &[1.0]);
        odd_case.weight = odd;
        let group = figures(&results(vec![odd_case, case("b", &[0.0])])).overall;
        assert_eq!(group.mean, Some(0.5), "{odd}");
        assert!(
            noted(&group, "1 case has a weight that is no number above 0"),
            "{odd}"
        );
    }
    let mut huge = vec![case("a", &[0.2]), case("b", &[0.6])];
    huge.iter_mut().for_each(|case| case.weight = f64::MAX);
    assert!((figures(&results(huge)).overall.mean.unwrap() - 0.4).abs() < 1e-12);
}

#[test]
fn groups_widen_the_interval_and_are_noted() {
    let scores = [0.9, 0.91, 0.5, 0.52, 0.7, 0.69];
    let single: Vec<_> = scores
        .iter()
        .enumerate()
        .map(|(i, s)| case(&i.to_string(), &[*s]))
        .collect();
    let mut grouped = single.clone();
    grouped
        .iter_mut()
        .enumerate()
        .for_each(|(i, case)| case.group = Some(format!("g{}", i / 2)));
    let width = |cases| {
        let interval = figures(&results(cases)).overall.mean_interval.unwrap();
        interval.high - interval.low
    };
    assert!(width(grouped.clone()) > 1.5 * width(single));
    assert!(noted(
        &figures(&results(grouped)).overall,
        "in 3 independent groups"
    ));
}

#[test]
fn groups_that_leave_nothing_to_compare_have_no_interval() {
    let group = |cases: &[(&str, f64)]| {
        let cases = cases.iter().enumerate().map(|(i, (g, s))| CaseResult {
            group: Some((*g).to_owned()),
            ..case(&i.to_string(), &[*s])
        });
        figures(&results(cases.collect())).overall
    };
    let one = group(&[("a", 0.1), ("a", 0.9)]);
    assert_eq!(one.mean_interval, None);
    assert!(noted(&one, "all scored cases are of one group"));
    let cancelled = group(&[("a", 0.25), ("a", 0.75), ("b", 0.25), ("b", 0.75)]);
    assert_eq!(cancelled.mean_interval, None);
    assert!(noted(&cancelled, "differ within groups"));
}

#[test]
fn no_failure_is_no_proof() {
    assert!(noted(&of(&[0.9; 30]), "may be up to about 0.1000 (3/n)"));
    assert!(noted(&of(&[0.9; 2]), "too few to say anything"));
    assert!(
        !of(&[0.9, 0.1])
            .notes
            .iter()
            .any(|note| note.contains("no failure"))
    );
}

#[test]
fn the_distribution_has_ten_bins_and_the_last_holds_one() {
    let scores = [0.0, 0.0999, 0.1, 0.3, 0.29999, 0.7, 0.95, 1.0];
    let cases = scores
        .iter()
        .enumerate()
        .map(|(i, s)| case(&i.to_string(), &[*s]))
        .collect();
    assert_eq!(
        figures(&results(cases)).distribution,
        [2, 1, 1, 1, 0, 0, 0, 1, 0, 2]
    );
}

#[test]
fn selections_hold_their_cases_and_no_others() {
    let mut tagged = case("a", &[0.2]);
    tagged.tags = BTreeSet::from(["x".to_owned(), "y".to_owned()]);
    tagged.critical = true;
    let mut held = case("b", &[0.8]);
    held.tags = BTreeSet::from(["y".to_owned()]);
    held.holdout = true;
    let figures = figures(&results(vec![tagged, held, lost("c")]));
    let mean = |selector: &Selector| figures.select(selector).map(|group| group.mean);
    assert_eq!(mean(&Selector::All), Some(Some(0.5)));
    assert_eq!(mean(&Selector::Tag("x".to_owned())), Some(Some(0.2)));
    assert_eq!(mean(&Selector::Tag("y".to_owned())), Some(Some(0.5)));
    assert_eq!(mean(&Selector::Tag("z".to_owned())), None);
    assert_eq!(mean(&Selector::Holdout), Some(Some(0.8)));
    assert_eq!(mean(&Selector::Critical), Some(Some(0.2)));
    assert_eq!(mean(&Selector::Case("b".to_owned())), Some(Some(0.8)));
    assert_eq!(mean(&Selector::Case("c".to_owned())), Some(None));
    assert_eq!(mean(&Selector::Case("d".to_owned())), None);
    let lost = figures
        .select(&Selector::Case("c".to_owned()))
        .unwrap()
        .into_owned();
    assert_eq!((lost.cases, lost.unscored, lost.errors), (1, 1, 1));
    assert_eq!(
        figures.cases.iter().map(|c| c.critical).collect::<Vec<_>>(),
        [true, false, false]
    );
}

#[test]
fn a_hundred_thousand_cases_take_no_time_worth_mentioning() {
    let cases = (0..100_000_u32).map(|i| {
        let mut case = case(&i.to_string(), &[f64::from(i % 101) / 100.0]);
        case.tags = BTreeSet::from([format!("t{}", i % 500), "all".to_owned()]);
        case.group = Some(format!("g{}", i % 30_000));
        case
    });
    let results = results(cases.collect());
    let begun = std::time::Instant::now();
    let figures = figures(&results);
    assert_eq!((figures.overall.scored, figures.tags.len()), (100_000, 501));
    // Quadratic work would take minutes; this is a second on a slow machine without optimisation.
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}
