//! Anchors, and the answers of an earlier run: judged last, paid once, and no part of the run's own cases.

use super::super::super::fixtures::{anchor, earlier};
use super::*;

mod ends;
mod limits;
mod rejudging;

/// The number of the first anchor.
const FIRST: usize = 1_000;

fn with_anchors(cases: usize, anchors: usize) -> Suite {
    let mut suite = numbered(cases);
    suite.judge.anchors = (FIRST..FIRST + anchors).map(anchor).collect();
    suite
}

/// As `steady`, with scores that tell what was judged.
async fn telling(purpose: Purpose, at: usize) -> Answer {
    match purpose {
        Purpose::Answer => steady(purpose, at).await,
        Purpose::Judge => {
            sleep(Duration::from_millis(400)).await;
            Ok(verdict((at % FIRST) as f64 / 100.0))
        }
    }
}

/// The results of an earlier run with other scores.
async fn earlier_of(suite: &Suite) -> Results {
    let mut plain = suite.clone();
    plain.judge.anchors.clear();
    let mut results = earlier(suite, ran(&plain, 20, steady).await.cases);
    results.cases.edit(|cases| {
        let samples = cases.iter_mut().flat_map(|case| &mut case.samples);
        for (at, sample) in samples.enumerate() {
            sample.answer = Some(format!("the earlier answer {at}"));
        }
    });
    results
}

async fn rejudged(suite: &Suite, results: &Results, limits: Limits) -> Ran {
    let cancel = CancellationToken::new();
    let way = Way {
        limits,
        rejudge: Some(results),
        ..Way::new(3, &cancel)
    };
    ran_in(suite, way, fake(telling)).await
}

impl Ran {
    /// The anchors' votes, then those of the earlier answers.
    fn beside(&self) -> Vec<Vote> {
        let anchors = self.evaluation.anchors.iter().flat_map(|anchor| &anchor.votes);
        let earlier = self.evaluation.rejudged.iter().flat_map(|r| &r.cases);
        let earlier = earlier.flat_map(|case| case.samples).flat_map(|s| s.votes);
        anchors.cloned().chain(earlier).collect()
    }

    fn beside_scored(&self) -> usize {
        self.beside().iter().filter(|vote| vote.score.is_some()).count()
    }
}

#[tokio::test(start_paused = true)]
async fn anchors_are_judged_last_and_are_no_part_of_the_cases() {
    let mut suite = with_anchors(2, 3);
    suite.judge.votes = 2;
    let with = ran(&suite, 1, telling).await;
    let mut plain = suite.clone();
    plain.judge.anchors.clear();
    let without = ran(&plain, 1, telling).await;
    assert_eq!((&with.cases, &with.stopped), (&without.cases, &without.stopped));
    assert_eq!(with.calls[..6], without.calls);
    let order = ["1000", "1000", "1001", "1001", "1002", "1002"];
    assert_eq!(with.calls[6..], order.map(|number| format!("judge c{number}")));
    for (at, (anchor, result)) in suite
        .judge
        .anchors
        .iter()
        .zip(&with.evaluation.anchors)
        .enumerate()
    {
        assert_eq!(
            (
                &result.fingerprint,
                &result.question,
                &result.answer,
                &result.reference
            ),
            (
                &anchor.fingerprint,
                &anchor.question,
                &anchor.answer,
                &anchor.reference
            )
        );
        assert_eq!((result.expected, result.tolerance), (0.5, 0.1));
        let votes: Vec<_> = result.votes.iter().map(|vote| (vote.index, vote.score)).collect();
        let score = Some(at as f64 / 100.0);
        assert_eq!(votes, [(0, score), (1, score)]);
    }
    assert_eq!(
        (without.evaluation.anchors.len(), with.evaluation.anchors.len()),
        (0, 3)
    );
    // Nor of the events that speak of cases, nor of the answers that are kept.
    let Event::Started {
        judgements, beside, ..
    } = with.events[0]
    else {
        panic!("{:?}", with.events[0]);
    };
    assert_eq!((judgements, beside), (4, 6));
    assert_eq!(with.events[1..7], without.events[1..]);
    let scored = Event::JudgedBeside {
        outcome: VoteOutcome::Scored,
    };
    assert_eq!(with.events[7..], vec![scored; 6]);
    assert_eq!(with.kept[..6], without.kept);
    assert!(
        with.kept[6..]
            .iter()
            .all(|entry| matches!(entry, Entry::Beside(..)))
    );
}

#[tokio::test(start_paused = true)]
async fn no_text_of_an_anchor_is_among_what_a_cycle_is_given() {
    let suite = with_anchors(2, 2);
    let ran = ran(&suite, 2, telling).await;
    let given = format!("{:?}", ran.evaluation.cases);
    assert!(
        given.contains("question c0") && !given.contains("anchor"),
        "{given}"
    );
    assert!(!given.contains("question c1000"), "{given}");
}

#[tokio::test(start_paused = true)]
async fn the_judge_is_shown_an_anchor_as_any_other_answer() {
    let suite = with_anchors(0, 1);
    let shown = Mutex::new(Vec::new());
    let service = fake(|asked: Asked| {
        shown.lock().unwrap().push(asked.messages[0].1.clone());
        std::future::ready(Ok(verdict(0.5)))
    });
    let (settings, cancel) = (settings(1), CancellationToken::new());
    let (prompt, exhibits) = (JudgePrompt::new(None).unwrap(), Exhibits::new(&suite, None));
    let plan = Plan {
        suite: &suite,
        exhibits: &exhibits,
        settings: &settings,
        prompt: &prompt,
        cancel: &cancel,
        keep: &|_| Ok(()),
        checking: &AtomicUsize::new(0),
        events: &unbounded_channel().0,
    };
    run(&plan, Known::default(), &service).await;
    // With nothing but anchors to judge the model need not run.
    assert_eq!(service.looks.load(Ordering::Relaxed), 0);
    drop(service);
    let shown = shown.into_inner().unwrap().remove(0);
    for (name, text) in [
        ("question", "question c1000"),
        ("answer", "the anchor's answer 1000"),
        ("reference", "the anchor's reference 1000"),
    ] {
        let (_, rest) = shown.split_once(&format!("<{name}-")).unwrap();
        assert!(rest.split_once(">\n").unwrap().1.starts_with(text), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn judging_beside_adds_its_own_time_and_no_more() {
    let (n, c) = (200_u64, 20_u64);
    for anchors in [0, 7, 40, 200] {
        let suite = with_anchors(200, anchors as usize);
        let results = earlier_of(&suite).await;
        for rejudge in [None, Some(&results)] {
            let again = if rejudge.is_some() { n } else { 0 };
            let cancel = CancellationToken::new();
            let way = Way {
                rejudge,
                ..Way::new(20, &cancel)
            };
            let ran = ran_in(&suite, way, fake(steady)).await;
            // Whole rounds of judgements: a round that is not full takes as long.
            let rounds = (n + anchors + again).div_ceil(c);
            let bound = Duration::from_millis(n * 200 / c + rounds * 400);
            assert!(
                ran.took <= bound.mul_f64(1.01),
                "{anchors}: {:?} of {bound:?}",
                ran.took
            );
            assert_eq!(ran.most_in_flight, 20);
            assert_eq!(ran.beside_scored() as u64, anchors + again);
        }
    }
}
