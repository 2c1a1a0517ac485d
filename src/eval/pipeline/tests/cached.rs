//! What an earlier run was told is not asked again, is marked, and is asked again where anything has changed.

use std::path::Path;

use super::*;
use crate::eval::cache::{Cache, CacheSettings};
use crate::eval::fixtures::{anchor, silent};
use crate::results::CachedReplies;

fn cache(folder: &Path, refresh: bool) -> Option<Arc<Cache>> {
    let settings = CacheSettings {
        folder: folder.to_owned(),
        origin: "https://example.com".to_owned(),
        max_age: Duration::from_secs(1_000),
        max_bytes: 10_000_000,
        refresh,
        private: true,
    };
    Some(Arc::new(Cache::open(settings).unwrap()))
}

/// Runs a suite with the cache in a folder.
async fn ran_at(folder: &Path, suite: &Suite) -> Ran {
    again(folder, suite, Known::default(), false).await
}

async fn again(folder: &Path, suite: &Suite, known: Known, refresh: bool) -> Ran {
    let cancel = CancellationToken::new();
    let way = Way {
        known,
        cache: cache(folder, refresh),
        ..Way::new(4, &cancel)
    };
    ran_in(suite, way, fake(steady)).await
}

/// Replies without what tells of the day.
fn bare(cases: &[CaseResult]) -> Vec<CaseResult> {
    let mut cases = cases.to_vec();
    for sample in cases.iter_mut().flat_map(|case| &mut case.samples) {
        (sample.call, sample.cached) = (None, None);
        for vote in &mut sample.votes {
            (vote.calls, vote.cached) = (Vec::new(), None);
        }
    }
    cases
}

#[tokio::test(start_paused = true)]
async fn the_same_suite_again_makes_no_call_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut suite = numbered(10);
    suite.judge.votes = 2;
    suite.cases[3].samples = 3;
    suite.cases[4].checks = [Check::Contains("42".to_owned())].into();
    suite.cases[5].checks = [Check::Contains("right".to_owned())].into();
    let first = ran_at(folder.path(), &suite).await;
    assert_eq!(first.evaluation.cached, None);
    let second = ran_at(folder.path(), &suite).await;
    assert_eq!(
        (second.calls.len(), second.sent, second.took),
        (0, 0, Duration::ZERO)
    );
    assert_eq!(
        second.kept,
        [],
        "the next attempt finds them in the cache as well"
    );
    assert_eq!(bare(&second.cases), bare(&first.cases));
    assert_eq!(second.stopped, None);
    let samples: Vec<&Sample> = second.cases.iter().flat_map(|case| &case.samples).collect();
    assert!(
        samples
            .iter()
            .all(|s| s.call.is_none() && s.cached.as_ref().is_some_and(|c| c.latency_ms == 120))
    );
    assert!(
        samples
            .iter()
            .flat_map(|s| &s.votes)
            .all(|v| v.calls.is_empty() && v.cached.is_some())
    );
    let oldest = samples
        .iter()
        .filter_map(|s| s.cached.as_ref())
        .map(|c| c.at.clone())
        .min();
    let expected = CachedReplies {
        answers: 12,
        of_answers: 12,
        judgements: 22,
        of_judgements: 22,
        beside: 0,
        oldest: oldest.unwrap(),
    };
    assert_eq!(second.evaluation.cached, Some(expected));
    assert_eq!(second.evaluation.kept, crate::results::Kept::default());
    assert_eq!(second.evaluation.tokens, 0);
}

#[tokio::test(start_paused = true)]
async fn only_what_was_touched_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut suite = numbered(20);
    ran_at(folder.path(), &suite).await;
    for at in [7, 13] {
        suite.cases[at].texts.edit(|texts| {
            let content = &mut texts.messages[0].content;
            *content = format!("{content} please").into();
        });
    }
    let touched = ran_at(folder.path(), &suite).await;
    let mut calls = touched.calls.clone();
    calls.sort();
    assert_eq!(calls, ["answer c13", "answer c7", "judge c13", "judge c7"]);
    let cached = touched.evaluation.cached.as_ref().unwrap();
    assert_eq!((cached.answers, cached.of_answers), (18, 20));
    assert_eq!((cached.judgements, cached.of_judgements), (18, 20));
    assert_eq!(touched.kept.len(), 4);
    let started = touched.events.iter().find_map(|event| match event {
        Event::Started {
            answers,
            judgements,
            kept,
            ..
        } => Some((*answers, *judgements, *kept)),
        _ => None,
    });
    assert_eq!(started, Some((2, 2, crate::results::Kept::default())));
    assert!(touched.cases[7].samples[0].cached.is_none());
}

#[tokio::test(start_paused = true)]
async fn another_judge_is_asked_about_the_answers_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut suite = numbered(3);
    ran_at(folder.path(), &suite).await;
    suite.judge.rubric = Some("be strict".to_owned());
    let judged = ran_at(folder.path(), &suite).await;
    assert_eq!((judged.answers(), judged.calls.len()), (0, 3));
    let cached = judged.evaluation.cached.as_ref().unwrap();
    assert_eq!((cached.answers, cached.judgements), (3, 0));
    // The judgements were paid for, and a judgement is nothing to go on from without its answer.
    assert_eq!(judged.kept.len(), 6);
    let known = super::resuming::known(&judged.kept);
    let cancel = CancellationToken::new();
    let way = Way {
        known,
        ..Way::new(4, &cancel)
    };
    let resumed = ran_in(&suite, way, fake(steady)).await;
    assert_eq!(resumed.calls.len(), 0, "without the cache");
    assert_eq!(resumed.cases, judged.cases, "and marked as it was");
    assert_eq!(resumed.evaluation.cached, judged.evaluation.cached);
}

#[tokio::test(start_paused = true)]
async fn one_more_vote_is_one_more_call() {
    let folder = tempfile::tempdir().unwrap();
    let mut suite = numbered(3);
    ran_at(folder.path(), &suite).await;
    suite.judge.votes = 2;
    let more = ran_at(folder.path(), &suite).await;
    assert_eq!((more.answers(), more.calls.len()), (0, 3));
    assert!(more.cases.iter().all(|case| {
        let votes = &case.samples[0].votes;
        votes.len() == 2 && votes[0].cached.is_some() && votes[1].cached.is_none()
    }));
    assert_eq!(ran_at(folder.path(), &suite).await.calls.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn checks_of_today_decide_on_answers_of_another_day() {
    let folder = tempfile::tempdir().unwrap();
    let mut suite = numbered(2);
    ran_at(folder.path(), &suite).await;
    suite.cases[0].checks = [Check::Contains("right".to_owned())].into();
    suite.cases[1].checks = [Check::MaxLatency(Duration::from_millis(119))].into();
    let checked = ran_at(folder.path(), &suite).await;
    assert_eq!(checked.calls.len(), 0);
    for case in &checked.cases {
        assert!(case.samples[0].failed_a_check() && case.samples[0].votes.is_empty());
    }
    suite.cases[1].checks = [Check::MaxLatency(Duration::from_millis(120))].into();
    let checked = ran_at(folder.path(), &suite).await;
    assert!(
        !checked.cases[1].samples[0].failed_a_check(),
        "the latency of its own day"
    );
}

#[tokio::test(start_paused = true)]
async fn anchors_and_earlier_answers_are_not_judged_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut suite = numbered(2);
    suite.judge.anchors = vec![anchor(0), anchor(1)];
    let first = ran_at(folder.path(), &suite).await;
    assert_eq!(first.calls.len(), 6);
    let second = ran_at(folder.path(), &suite).await;
    assert_eq!((second.calls.len(), second.sent, second.kept.len()), (0, 0, 0));
    assert_eq!(second.evaluation.cached.as_ref().map(|c| c.beside), Some(2));
    assert!(
        second
            .evaluation
            .anchors
            .iter()
            .all(|a| a.votes[0].cached.is_some())
    );
}

#[tokio::test(start_paused = true)]
async fn anchors_are_today_s_where_anything_is_asked_today() {
    let folder = tempfile::tempdir().unwrap();
    let mut suite = numbered(3);
    suite.judge.anchors = vec![anchor(0), anchor(1)];
    ran_at(folder.path(), &suite).await;
    suite.cases[2].texts.edit(|texts| {
        let content = &mut texts.messages[0].content;
        *content = format!("{content} please").into();
    });
    let touched = ran_at(folder.path(), &suite).await;
    // The touched case with its judgement, and both anchors.
    assert_eq!(touched.calls.len(), 4, "{:?}", touched.calls);
    let today = |ran: &Ran| {
        let anchors = ran.evaluation.anchors.iter();
        anchors.filter(|anchor| anchor.votes[0].cached.is_none()).count()
    };
    assert_eq!(today(&touched), 2);
    assert_eq!(
        touched.evaluation.cached.as_ref().map(|c| (c.answers, c.beside)),
        Some((2, 0))
    );

    // An attempt that ended before its anchors asked for something itself, though nothing of its cases is left.
    let of_cases = |kept: &&Entry| !matches!(kept, Entry::Beside(..));
    let known: Vec<Entry> = touched.kept.iter().filter(of_cases).cloned().collect();
    assert_eq!(known.len(), 2);
    let resumed = again(folder.path(), &suite, super::resuming::known(&known), false).await;
    assert_eq!((resumed.calls.len(), today(&resumed)), (2, 2));

    // And with nothing to ask they are of the day of the scores, the last ones that were asked for.
    let cached = ran_at(folder.path(), &suite).await;
    assert_eq!((cached.calls.len(), today(&cached)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_asks_for_everything_and_is_found_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let suite = numbered(3);
    ran_at(folder.path(), &suite).await;
    let refreshed = again(folder.path(), &suite, Known::default(), true).await;
    assert_eq!((refreshed.calls.len(), refreshed.evaluation.cached), (6, None));
    assert_eq!(ran_at(folder.path(), &suite).await.calls.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_this_run_knows_goes_ahead_of_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let suite = numbered(2);
    let first = ran_at(folder.path(), &suite).await;
    let known = super::resuming::known(&first.kept);
    let resumed = again(folder.path(), &suite, known, false).await;
    assert_eq!((resumed.calls.len(), resumed.evaluation.cached), (0, None));
    assert_eq!(resumed.evaluation.kept.answers, 2);
    assert_eq!(resumed.cases, first.cases);
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_for_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let mut suite = numbered(50);
    ran_at(folder.path(), &suite).await;
    suite.cases[49].texts.edit(|texts| {
        let content = &mut texts.messages[0].content;
        *content = format!("{content}!").into();
    });
    let cancel = CancellationToken::new();
    let way = Way {
        limits: Limits {
            calls: Some(4),
            ..Limits::default()
        },
        cache: cache(folder.path(), false),
        ..Way::new(4, &cancel)
    };
    let ran = ran_in(&suite, way, fake(steady)).await;
    assert_eq!((ran.calls.len(), ran.stopped), (2, None));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_model_that_is_not_asked() {
    let folder = tempfile::tempdir().unwrap();
    let suite = numbered(2);
    ran_at(folder.path(), &suite).await;
    let cancel = CancellationToken::new();
    let mut settings = settings(4);
    settings.cache = cache(folder.path(), false);
    let (events, _told) = unbounded_channel();
    let plan = Plan {
        suite: &suite,
        exhibits: &Exhibits::new(&suite, None),
        settings: &settings,
        prompt: &JudgePrompt::new(None).unwrap(),
        cancel: &cancel,
        keep: &|_| Ok(()),
        checking: &AtomicUsize::new(0),
        events: &events,
    };
    let service = silent();
    run(&plan, Known::default(), &service).await;
    assert_eq!(service.looks.load(Ordering::Relaxed), 0);
}
