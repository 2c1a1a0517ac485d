//! The answers of an earlier run get new judgements, and none is paid for twice.

use super::super::resuming::{calls_of, known};
use super::*;
use crate::results::{self, CheckResult};

#[tokio::test(start_paused = true)]
async fn from_every_point_the_rest_is_judged_and_nothing_is_paid_twice() {
    let mut suite = with_anchors(3, 3);
    suite.judge.votes = 2;
    let results = earlier_of(&suite).await;
    // Nobody can read what the judge says of the second anchor.
    let chat = |purpose, at| async move {
        match at {
            1_001 => Ok(reply("well, well")),
            _ => telling(purpose, at).await,
        }
    };
    let cancel = CancellationToken::new();
    let way = |known| Way {
        known,
        rejudge: Some(&results),
        ..Way::new(3, &cancel)
    };
    let whole = ran_in(&suite, way(Known::default()), fake(chat)).await;
    assert_eq!(whole.kept.len(), 3 + 6 + 6 + 6);
    assert_eq!(whole.evaluation.unjudged_beside(), 0);
    for cut in 0..=whole.kept.len() {
        let before = &whole.kept[..cut];
        let rest = ran_in(&suite, way(known(before)), fake(chat)).await;
        assert_eq!(rest.cases, whole.cases, "from {cut}");
        assert_eq!(rest.evaluation.anchors, whole.evaluation.anchors, "from {cut}");
        assert_eq!(rest.evaluation.rejudged, whole.evaluation.rejudged, "from {cut}");
        let paid: usize = before.iter().map(calls_of).sum();
        assert_eq!(rest.calls.len(), whole.calls.len() - paid, "from {cut}");
        let kept = before.iter().filter(|e| matches!(e, Entry::Beside(..))).count();
        let Event::Started {
            beside, kept_beside, ..
        } = rest.events[0]
        else {
            panic!("{:?}", rest.events[0]);
        };
        assert_eq!((beside, kept_beside), (12 - kept, kept), "from {cut}");
        // The model is looked at only where it is asked for something.
        let of_cases = before.len() - kept;
        let looks = usize::from(of_cases < 9);
        assert_eq!(rest.sent as usize, rest.calls.len() + looks, "from {cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_another_answer_or_another_anchor_is_not_used() {
    let mut suite = with_anchors(2, 1);
    let mut results = earlier_of(&suite).await;
    let whole = rejudged(&suite, &results, Limits::default()).await;
    results
        .cases
        .edit(|cases| cases[0].samples[0].answer = Some("another baseline's answer".to_owned()));
    suite.judge.anchors[0].answer = "another answer".to_owned();
    let cancel = CancellationToken::new();
    let mut known = known(&whole.kept);
    // Votes that are none: a score beyond 1, an index beyond those asked for, one that failed.
    let key = Exhibits::new(&suite, Some(&results)).key(2).to_owned();
    let vote = known.beside[&key][0].clone();
    let (mut high, mut beyond, mut failed) = (vote.clone(), vote.clone(), vote);
    high.score = Some(7.0);
    beyond.index = 1;
    failed.outcome = VoteOutcome::Failed;
    known.beside.insert(key, vec![high, beyond, failed]);
    let way = Way {
        known,
        rejudge: Some(&results),
        ..Way::new(1, &cancel)
    };
    let again = ran_in(&suite, way, fake(telling)).await;
    assert_eq!(again.calls, ["judge c1000", "judge c0", "judge c1"]);
    assert_eq!(again.beside_scored(), 3);
}

#[tokio::test(start_paused = true)]
async fn of_an_earlier_run_the_answers_that_compare_are_judged_again() {
    let mut suite = numbered(7);
    suite.judge.votes = 2;
    suite.judge.fingerprint = "today's judge".to_owned();
    suite.judge.anchors = vec![anchor(FIRST)];
    suite.cases[0].samples = 4;
    let mut results = earlier_of(&suite).await;
    results.anchors = vec![results::AnchorResult {
        fingerprint: "anchor 1000".to_owned(),
        question: String::new(),
        answer: String::new(),
        reference: None,
        expected: 0.5,
        tolerance: 0.1,
        votes: Vec::new(),
    }];
    let check = CheckResult {
        check: "contains".to_owned(),
        passed: false,
        detail: None,
    };
    results.cases.edit(|cases| {
        let samples = cases.iter_mut().flat_map(|case| &mut case.samples);
        for vote in samples.flat_map(|sample| &mut sample.votes) {
            vote.score = Some(0.99);
        }
        cases[0].samples[1].checks = vec![check];
        cases[0].samples[2].outcome = AnswerOutcome::Empty;
        cases[0].samples[3].outcome = AnswerOutcome::Truncated;
        cases[2].fingerprint = "asked otherwise".to_owned();
        cases[3].id = "renamed".to_owned();
    });
    let asked_before = results.clone();
    // Case 5's judge fails for one vote of all.
    let lost = AtomicUsize::new(0);
    let chat = |purpose: Purpose, at: usize| {
        let fails = at == 5 && purpose == Purpose::Judge && lost.fetch_add(1, Ordering::Relaxed) == 2;
        async move {
            match fails {
                true => Err(failure(FailureKind::Server, Some(500), "no")),
                false => telling(purpose, at).await,
            }
        }
    };
    let cancel = CancellationToken::new();
    let way = Way {
        rejudge: Some(&results),
        ..Way::new(1, &cancel)
    };
    let ran = ran_in(&suite, way, fake(chat)).await;
    assert_eq!(ran.stopped, None);
    let rejudged = ran.evaluation.rejudged.clone().unwrap();
    let judge = &rejudged.suite.judge;
    assert_eq!(
        (
            judge.model.as_str(),
            judge.temperature,
            judge.votes,
            judge.fingerprint.as_str()
        ),
        ("the-judge", 0.1, 2, "today's judge")
    );
    assert!(rejudged.anchors.is_empty() && ran.evaluation.anchors.len() == 1);
    let scores: Vec<Vec<Vec<Option<f64>>>> = rejudged
        .cases
        .iter()
        .map(|case| {
            case.samples
                .iter()
                .map(|s| s.votes.iter().map(|v| v.score).collect())
                .collect()
        })
        .collect();
    let twice = |score: f64| vec![Some(score); 2];
    assert_eq!(
        scores,
        [
            vec![twice(0.0), vec![], vec![], vec![]],
            vec![twice(0.01)],
            vec![vec![]],
            vec![vec![]],
            vec![twice(0.04)],
            vec![vec![None, Some(0.05)]],
            vec![twice(0.06)],
        ]
    );
    // Everything else is as it was.
    let bare = |mut results: Results| {
        results.suite.judge = asked_before.suite.judge.clone();
        results.anchors.clear();
        results.cases.edit(|cases| {
            let samples = cases.iter_mut().flat_map(|case| &mut case.samples);
            samples.for_each(|sample| sample.votes.clear());
        });
        results
    };
    assert_eq!(bare(rejudged), bare(asked_before.clone()));
    assert_eq!(results, asked_before);
    // And this run's own cases know nothing of it.
    let plain = super::ran(&suite, 1, telling).await;
    assert_eq!(
        ran.cases.iter().map(|c| &c.id).collect::<Vec<_>>(),
        plain.cases.iter().map(|c| &c.id).collect::<Vec<_>>()
    );
    assert_eq!(ran.scored(), 10);
    assert_eq!(plain.evaluation.rejudged, None);
}
