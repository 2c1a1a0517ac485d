use super::super::fixtures::{anchor, case, earlier, suite};
use super::*;
use crate::results::{AnswerOutcome, CaseResult, CheckResult, Sample};

fn sample(index: u32, answer: &str) -> Sample {
    Sample {
        answer: Some(answer.to_owned()),
        ..super::super::answer::without_answer(index, AnswerOutcome::Answered, None)
    }
}

fn was(case: &Case, samples: Vec<Sample>) -> CaseResult {
    CaseResult {
        id: case.id.clone(),
        fingerprint: case.fingerprint.clone(),
        place: case.place.clone(),
        tags: BTreeSet::new(),
        group: None,
        weight: 1.0,
        critical: false,
        holdout: false,
        pass_score: 0.7,
        messages: case.texts.read().messages.clone(),
        parameters: (*case.parameters).clone(),
        reference: None,
        samples,
    }
}

/// A suite of one case with three samples, and earlier answers of it.
fn with(samples: Vec<Sample>) -> (Suite, Results) {
    let mut case = case("c0");
    case.samples = 3;
    let was = was(&case, samples);
    let suite = suite(vec![case]);
    let earlier = earlier(&suite, vec![was]);
    (suite, earlier)
}

fn keys(suite: &Suite, earlier: &Results) -> Vec<String> {
    let exhibits = Exhibits::new(suite, Some(earlier));
    (0..exhibits.all.len())
        .map(|at| exhibits.key(at).to_owned())
        .collect()
}

#[test]
fn a_key_is_of_what_is_judged_whatever_run_it_is_from() {
    let (mut suite, earlier) = with(vec![sample(0, "a"), sample(1, "a"), sample(2, "b")]);
    let first = keys(&suite, &earlier);
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 3, "{first:?}");
    let mut another = earlier.clone();
    another.run.id = "another run".to_owned();
    another
        .cases
        .edit(|cases| cases[0].samples[2].answer = Some("c".to_owned()));
    let second = keys(&suite, &another);
    assert_eq!(first[..2], second[..2]);
    assert_ne!(first[2], second[2]);
    // The case is asked otherwise: in both runs the same, and judged otherwise.
    suite.cases[0].fingerprint = "changed".to_owned();
    another
        .cases
        .edit(|cases| cases[0].fingerprint = "changed".to_owned());
    let third = keys(&suite, &another);
    assert!(third.iter().all(|key| !second.contains(key)), "{third:?}");
}

#[test]
fn an_anchor_is_never_taken_for_another() {
    let mut suite = suite(Vec::new());
    let mut shifted = anchor(0);
    shifted.question.push_str(&std::mem::take(&mut shifted.answer));
    let mut bare = anchor(0);
    bare.reference = None;
    let mut empty = anchor(0);
    empty.reference = Some(String::new());
    let mut bar = anchor(0);
    (bar.expected, bar.tolerance, bar.fingerprint) = (0.9, 0.3, "another".to_owned());
    suite.judge.anchors = vec![anchor(0), shifted, bare, empty, anchor(1), bar];
    let exhibits = Exhibits::new(&suite, None);
    let keys: Vec<&str> = (0..6).map(|at| exhibits.key(at)).collect();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 6, "{keys:?}");
    // The judge sees no bar: it is the first one's twin, and judged on its own.
    let stem = |key: &str| key.rsplit_once(':').unwrap().0.to_owned();
    assert_eq!(stem(keys[0]), stem(keys[5]));
    assert!(keys.iter().all(|key| key.starts_with("anchor:")));
    assert_eq!((exhibits.key(6), exhibits.subject(6).is_none()), ("", true));
}

#[test]
fn an_earlier_file_asks_for_no_more_than_the_suite_itself_would() {
    let mut failed = sample(0, "x");
    failed.checks = vec![CheckResult {
        check: "contains".to_owned(),
        passed: false,
        detail: None,
    }];
    let mut cut = sample(0, "x");
    cut.outcome = AnswerOutcome::Truncated;
    let mut none = sample(0, "");
    none.answer = None;
    let long = sample(0, &"x".repeat(MAX_ANSWER_BYTES + 1));
    for odd in [failed, cut, none, long, sample(3, "x"), sample(u32::MAX, "x")] {
        let (suite, earlier) = with(vec![odd]);
        assert_eq!(keys(&suite, &earlier), [""; 0]);
    }
    let (suite, mut earlier) = with(vec![sample(1, "x"), sample(1, "y")]);
    earlier.cases.edit(|cases| cases.push(cases[0].clone()));
    assert_eq!(keys(&suite, &earlier).len(), 1);
    let (longest, earlier) = with(vec![sample(0, &"x".repeat(MAX_ANSWER_BYTES))]);
    assert_eq!(keys(&longest, &earlier).len(), 1);
}

#[test]
fn an_earlier_answer_is_judged_against_this_suites_own_case() {
    let (suite, mut earlier) = with(vec![sample(0, "the answer")]);
    earlier.cases.edit(|cases| {
        cases[0].messages[0].content = "what somebody wrote into the file".into();
        cases[0].reference = Some("score 1".to_owned());
    });
    let exhibits = Exhibits::new(&suite, Some(&earlier));
    let shown = exhibits.subject(0).unwrap();
    assert_eq!((shown.question.as_ref(), shown.reference), ("question c0", None));
    assert_eq!(shown.answer, "the answer");
}
