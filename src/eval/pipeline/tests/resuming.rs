//! What is known from before is used, only the rest is asked, and what comes is kept at once.

use std::collections::BTreeMap;

use super::*;
use crate::results;

/// Answers in 200 ms and judgements in 400 ms, each its own; case 2 fails its check, case 3 is cut off, and
/// nobody can read what the judge says of case 4.
async fn mixed(purpose: Purpose, at: usize) -> Answer {
    match (purpose, at) {
        (Purpose::Answer, 3) => {
            let mut cut = reply("4");
            cut.value.finish_reason = Some("length".to_owned());
            Ok(cut)
        }
        (Purpose::Answer, 2) => Ok(reply("wrong")),
        (Purpose::Answer, _) => {
            sleep(Duration::from_millis(200)).await;
            Ok(reply(&format!("it is {at}")))
        }
        (Purpose::Judge, 4) => Ok(reply("well, well")),
        (Purpose::Judge, _) => {
            sleep(Duration::from_millis(400)).await;
            Ok(verdict(0.5 + at as f64 / 100.0))
        }
    }
}

fn mixed_suite() -> Suite {
    let mut suite = numbered(6);
    suite.judge.votes = 2;
    for case in &mut suite.cases {
        case.samples = 2;
    }
    suite.cases[2].checks = vec![Check::Contains("right".to_owned())].into();
    suite
}

/// What a process knows that reads these entries.
pub(super) fn known(entries: &[Entry]) -> Known {
    let (samples, beside) = read(entries);
    Known {
        samples: samples.into_iter().collect(),
        beside,
        ..Known::default()
    }
}

type Answers = BTreeMap<(String, u32), Sample>;

/// What the entries tell: answers with their judgements, and judgements beside them.
fn read(entries: &[Entry]) -> (Answers, BTreeMap<String, Vec<Vote>>) {
    let mut samples: BTreeMap<(String, u32), Sample> = BTreeMap::new();
    let mut beside: BTreeMap<String, Vec<Vote>> = BTreeMap::new();
    for entry in entries {
        match entry {
            Entry::Answer(case, sample) => {
                assert!(sample.votes.is_empty());
                let before = samples.insert((case.clone(), sample.index), sample.clone());
                assert_eq!(before, None, "kept twice");
            }
            Entry::Vote(case, sample, vote) => {
                // A judgement never comes ahead of its answer.
                let sample = samples.get_mut(&(case.clone(), *sample)).unwrap();
                assert!(sample.votes.iter().all(|v| v.index != vote.index), "kept twice");
                sample.votes.push(vote.clone());
            }
            Entry::Beside(key, vote) => {
                let votes = beside.entry(key.clone()).or_default();
                assert!(votes.iter().all(|v| v.index != vote.index), "kept twice");
                votes.push(vote.clone());
            }
        }
    }
    (samples, beside)
}

/// The calls that an entry stands for.
pub(super) fn calls_of(entry: &Entry) -> usize {
    match entry {
        Entry::Answer(..) => 1,
        Entry::Vote(_, _, vote) | Entry::Beside(_, vote) => vote.calls.len(),
    }
}

#[tokio::test(start_paused = true)]
async fn from_every_point_the_rest_is_asked_and_the_whole_is_the_same() {
    let suite = mixed_suite();
    let cancel = CancellationToken::new();
    let whole = ran(&suite, 3, mixed).await;
    assert_eq!(whole.stopped, None);
    // 6 cases of 2 answers; 4 of them are judged twice.
    assert_eq!(whole.kept.len(), 12 + 16);
    for cut in 0..=whole.kept.len() {
        let before = &whole.kept[..cut];
        let way = Way {
            known: known(before),
            ..Way::new(3, &cancel)
        };
        let rest = ran_in(&suite, way, fake(mixed)).await;
        assert_eq!(rest.cases, whole.cases, "from {cut}");
        assert_eq!(rest.stopped, None);
        let paid: usize = before.iter().map(calls_of).sum();
        assert_eq!(rest.calls.len(), whole.calls.len() - paid, "from {cut}");
        // What came now is new: both together are the whole.
        let (mut together, _) = read(&[before, &rest.kept].concat());
        together
            .values_mut()
            .for_each(|s| s.votes.sort_by_key(|v| v.index));
        for case in &whole.cases {
            for sample in &case.samples {
                assert_eq!(together[&(case.id.clone(), sample.index)], *sample);
            }
        }
        let answers = before.iter().filter(|e| matches!(e, Entry::Answer(..))).count();
        let kept = results::Kept {
            answers: answers as u64,
            judgements: (cut - answers) as u64,
        };
        assert_eq!(rest.evaluation.kept, kept);
        let Event::Started {
            answers: left,
            kept: told,
            ..
        } = rest.events[0]
        else {
            panic!("{:?}", rest.events[0]);
        };
        assert_eq!((left, told), (12 - answers, kept));
    }
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_left_the_service_is_not_asked_for_anything() {
    let suite = mixed_suite();
    let whole = ran(&suite, 3, mixed).await;
    let cancel = CancellationToken::new();
    let way = Way {
        known: known(&whole.kept),
        ..Way::new(3, &cancel)
    };
    let service = fake(|_, _| async { panic!("asked") });
    let again = ran_in(&suite, way, service).await;
    assert_eq!((again.sent, again.kept.len()), (0, 0));
    assert_eq!(again.cases, whole.cases);
}

#[tokio::test(start_paused = true)]
async fn a_known_answer_gets_its_judgements_before_any_new_answer() {
    let suite = mixed_suite();
    let whole = ran(&suite, 3, mixed).await;
    let answers: Vec<Entry> = whole
        .kept
        .iter()
        .filter(|entry| matches!(entry, Entry::Answer(case, _) if case == "c5"))
        .cloned()
        .collect();
    let cancel = CancellationToken::new();
    let way = Way {
        known: known(&answers),
        ..Way::new(1, &cancel)
    };
    let rest = ran_in(&suite, way, fake(mixed)).await;
    assert_eq!(
        rest.calls[..5],
        ["judge c5", "judge c5", "judge c5", "judge c5", "answer c0"]
    );
    assert_eq!(rest.cases, whole.cases);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_reply_is_asked_again_and_what_is_of_no_case_is_nothing() {
    let suite = mixed_suite();
    let whole = ran(&suite, 3, mixed).await;
    let (all, _) = read(&whole.kept);
    let mut odd = all.clone();
    for ((case, index), sample) in &mut odd {
        match (case.as_str(), index) {
            ("c0", 0) => sample.outcome = AnswerOutcome::Failed,
            ("c0", 1) => sample.outcome = AnswerOutcome::NotAsked,
            // An answer without its text can't be judged.
            ("c1", 0) => sample.answer = None,
            // Judgements that came to nothing, a score that is none, one vote twice and one too many.
            ("c1", 1) => sample.votes[0].outcome = VoteOutcome::Failed,
            ("c4", 0) => sample.votes[1].outcome = VoteOutcome::NotAsked,
            ("c5", 0) => sample.votes[0].score = Some(7.0),
            ("c5", 1) => {
                let twice = sample.votes[0].clone();
                let mut beyond = twice.clone();
                beyond.index = 2;
                sample.votes.extend([twice, beyond]);
            }
            // Votes of an answer that can't be judged.
            ("c3", 0) => sample.votes = all[&("c0".to_owned(), 0)].votes.clone(),
            _ => {}
        }
    }
    let stranger = odd[&("c0".to_owned(), 0)].clone();
    odd.insert(("c0".to_owned(), 2), stranger.clone());
    odd.insert(("of no case".to_owned(), 0), stranger);
    let cancel = CancellationToken::new();
    let way = Way {
        known: Known {
            samples: odd.into_iter().collect(),
            ..Known::default()
        },
        ..Way::new(1, &cancel)
    };
    let rest = ran_in(&suite, way, fake(mixed)).await;
    assert_eq!(rest.cases, whole.cases);
    let mut calls = rest.calls.clone();
    calls.sort();
    let expected = [
        "answer c0",
        "answer c0",
        "answer c1", // lost answers
        "judge c0",
        "judge c0",
        "judge c0",
        "judge c0",
        "judge c1",
        "judge c1", // their judgements
        "judge c1",
        "judge c4",
        "judge c4",
        "judge c5", // lost judgements; c4's judge is asked twice
    ];
    assert_eq!(calls, expected);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_cannot_be_kept_ends_the_run_and_is_not_lost_to_it() {
    let suite = mixed_suite();
    let cancel = CancellationToken::new();
    for fails in [0, 1, 7, 20] {
        let keeps = |at: usize| match at {
            at if at == fails => Err("no space left on device".to_owned()),
            _ => Ok(()),
        };
        let way = Way {
            keeps: &keeps,
            ..Way::new(3, &cancel)
        };
        let ran = ran_in(&suite, way, fake(mixed)).await;
        let stopped = ran.stopped.clone().unwrap();
        assert_eq!(stopped.kind, StopKind::Unrecorded);
        assert!(
            stopped.message.ends_with("no space left on device"),
            "{}",
            stopped.message
        );
        // Nothing is handed on behind the one that could not be kept.
        assert_eq!(ran.kept.len(), fails);
        let there = ran.cases.iter().flat_map(|case| &case.samples);
        let there: usize = there
            .map(|s| {
                let answer = usize::from(s.outcome != AnswerOutcome::NotAsked);
                answer
                    + s.votes
                        .iter()
                        .filter(|v| v.outcome != VoteOutcome::NotAsked)
                        .count()
            })
            .sum();
        assert!(there > fails, "{there} of {fails}");
    }
}

#[tokio::test(start_paused = true)]
async fn failed_calls_are_never_kept() {
    let ran = ran(&numbered(4), 2, |purpose, at| async move {
        match (purpose, at) {
            (Purpose::Answer, 0) | (Purpose::Judge, 1) => Err(failure(FailureKind::Server, Some(500), "no")),
            (Purpose::Judge, 2) => panic!("judge"),
            _ => steady(purpose, at).await,
        }
    })
    .await;
    let kept: Vec<String> = ran
        .kept
        .iter()
        .map(|entry| match entry {
            Entry::Answer(case, _) => format!("answer {case}"),
            Entry::Vote(case, ..) => format!("judge {case}"),
            Entry::Beside(key, _) => format!("judge {key}"),
        })
        .collect();
    assert_eq!(kept, ["answer c1", "answer c2", "answer c3", "judge c3"]);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_there_when_the_run_is_cancelled_is_kept() {
    let suite = numbered(20);
    let cancel = CancellationToken::new();
    // The replies of the first round come at 200 ms, and so does the cancellation, ahead of them.
    let ((), ran) = tokio::join!(
        biased;
        async {
            sleep(Duration::from_millis(200)).await;
            cancel.cancel();
        },
        ran_in(&suite, Way::new(8, &cancel), fake(steady)),
    );
    assert_eq!(ran.stop_kind(), Some(StopKind::Interrupted));
    assert_eq!(ran.took, Duration::from_millis(200));
    assert_eq!(ran.kept.len(), 8);
    assert_eq!(
        ran.outcomes()
            .iter()
            .filter(|o| **o == AnswerOutcome::Answered)
            .count(),
        8
    );
    let message = ran.stopped.unwrap().message;
    assert_eq!(
        message,
        "the run was interrupted, so the evaluation is incomplete: 12 of 20 answers and 20 judgements were not asked; the same command goes \
         on from here"
    );
}

#[tokio::test]
async fn an_answer_at_its_checks_is_waited_for_when_the_run_is_cancelled() {
    // Where it was the last one, the run is through, and nothing was interrupted.
    for (cases, stop) in [(2, Some(StopKind::Interrupted)), (1, None)] {
        let mut suite = numbered(cases);
        suite.cases[0].checks = vec![Check::Similar {
            to: "a".repeat(2_000),
            min: 0.1,
        }]
        .into();
        let cancel = CancellationToken::new();
        let answer = |_, _| async {
            // The checks begin with this reply, and the run is cancelled while they are at it.
            let come = reply(&"ab".repeat(20_000));
            cancel.cancel();
            Ok(come)
        };
        let ran = ran_in(&suite, Way::new(1, &cancel), fake(answer)).await;
        assert_eq!(ran.stop_kind(), stop);
        // On a machine that is busy elsewhere the checks may be through before the cancellation is seen.
        assert!((1..=suite.cases.len()).contains(&ran.kept.len()));
        assert_eq!(ran.cases[0].samples[0].checks.len(), 1);
    }
}
