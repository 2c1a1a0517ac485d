use std::path::Path;

use super::super::cache::CacheSettings;
use super::super::fixtures::{case, settings, suite};
use super::*;
use crate::results::{AnswerOutcome, CallCost, VoteOutcome};
use crate::suite::{Message, Role};
use std::sync::Arc;

fn cache(folder: &Path, origin: &str) -> Arc<Cache> {
    let settings = CacheSettings {
        folder: folder.to_owned(),
        origin: origin.to_owned(),
        max_age: Duration::from_secs(1_000),
        max_bytes: 1_000_000,
        refresh: false,
        private: true,
    };
    Arc::new(Cache::open(settings).unwrap())
}

fn call() -> CallCost {
    CallCost {
        latency_ms: 120,
        attempts: 1,
        ..CallCost::default()
    }
}

fn sample(outcome: AnswerOutcome, answer: &str) -> Sample {
    Sample {
        answer: Some(answer.to_owned()),
        call: Some(call()),
        ..super::super::answer::without_answer(0, outcome, None)
    }
}

fn vote(outcome: VoteOutcome, score: Option<f64>) -> Vote {
    Vote {
        index: 0,
        outcome,
        score,
        feedback: Some("f".to_owned()),
        reasoning: Some("r".to_owned()),
        detail: None,
        calls: vec![call()],
        cached: None,
    }
}

fn judged(vote: Vote) -> Judged {
    Judged { vote, failure: None }
}

#[test]
fn an_answer_is_found_only_for_the_very_same_request() {
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (cache(folder.path(), "https://a"), folder.path().join("b"));
    let mut asked = case("a");
    Arc::make_mut(&mut asked.parameters).stop = vec!["x".to_owned()];
    let plain = suite(vec![]);
    let with = |cache: &Arc<Cache>, change: &dyn Fn(&mut Settings)| {
        let mut settings = settings(1);
        settings.cache = Some(Arc::clone(cache));
        change(&mut settings);
        settings
    };
    Recall::new(&plain, &with(&here, &|_| {})).keep_answer(&asked, &sample(AnswerOutcome::Answered, "42"));
    let here = cache(folder.path(), "https://a");
    let same = with(&here, &|_| {});
    let found = |settings: &Settings, case: &Case, index| Recall::new(&plain, settings).answer(case, index);
    let hit = found(&same, &asked, 0).unwrap();
    assert_eq!((hit.answer.as_deref(), hit.call.is_none()), (Some("42"), true));
    assert_eq!(first_latency(&hit), Duration::from_millis(120));
    assert_eq!(found(&same, &asked, 1), None, "another sample");
    let changes: [&dyn Fn(&mut Case); 9] = [
        &|c| {
            c.texts
                .edit(|t| t.messages[0].content = format!("{}!", t.messages[0].content).into());
        },
        &|c| c.texts.edit(|t| t.messages[0].role = Role::System),
        &|c| {
            let message = Message {
                role: Role::User,
                content: "".into(),
            };
            c.texts.edit(|t| t.messages.push(message));
        },
        &|c| Arc::make_mut(&mut c.parameters).temperature = Some(0.0),
        &|c| Arc::make_mut(&mut c.parameters).top_p = Some(1.0),
        &|c| Arc::make_mut(&mut c.parameters).seed = Some(0),
        &|c| Arc::make_mut(&mut c.parameters).max_completion_tokens = Some(1),
        &|c| Arc::make_mut(&mut c.parameters).stop.clear(),
        &|c| Arc::make_mut(&mut c.parameters).stop = vec!["x".to_owned(), String::new()],
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut other = asked.clone();
        change(&mut other);
        assert_eq!(found(&same, &other, 0), None, "{at}");
    }
    assert_eq!(
        found(&with(&here, &|s| s.model = "m".to_owned()), &asked, 0),
        None
    );
    assert_eq!(
        found(&with(&here, &|s| s.project = "p".to_owned()), &asked, 0),
        None
    );
    let elsewhere = with(&cache(folder.path(), "https://b"), &|_| {});
    assert_eq!(found(&elsewhere, &asked, 0), None, "another service");
    assert_eq!(
        found(&with(&cache(&there, "https://a"), &|_| {}), &asked, 0),
        None,
        "another folder"
    );
    // What does not shape it.
    let mut renamed = asked.clone();
    (renamed.id, renamed.weight) = ("z".to_owned(), 2.0);
    renamed.texts.edit(|t| t.reference = Some("r".to_owned()));
    assert!(found(&same, &renamed, 0).is_some());
}

#[test]
fn a_judgement_is_found_only_for_what_the_same_judge_was_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(1);
    settings.cache = Some(cache(folder.path(), "https://a"));
    let (plain, asked) = (suite(vec![]), case("a"));
    let texts = asked.texts.read();
    let subject = Subject::of(&texts, 0, "42");
    Recall::new(&plain, &settings).keep_vote(&subject, judged(vote(VoteOutcome::Scored, Some(0.3))));
    settings.cache = Some(cache(folder.path(), "https://a"));
    let found =
        |suite: &Suite, subject: &Subject<'_>, index| Recall::new(suite, &settings).vote(subject, index);
    let hit = found(&plain, &subject, 0).unwrap();
    assert_eq!((hit.score, hit.feedback.as_deref()), (Some(0.3), Some("f")));
    assert!(hit.calls.is_empty() && hit.cached.is_some());
    assert_eq!(found(&plain, &subject, 1), None, "another vote");
    let changes: [&dyn Fn(&mut Judge); 7] = [
        &|j| j.model.push('x'),
        &|j| j.temperature = 0.2,
        &|j| j.rubric = Some(String::new()),
        &|j| j.prompt = Some("p".to_owned()),
        &|j| j.seed = Some(1),
        &|j| j.max_completion_tokens = Some(1),
        &|j| (j.model, j.prompt) = (String::new(), Some(j.model.clone())),
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut other = plain.clone();
        change(&mut other.judge);
        assert_eq!(found(&other, &subject, 0), None, "{at}");
    }
    let mut votes = plain.clone();
    votes.judge.votes = 5;
    assert!(
        found(&votes, &subject, 0).is_some(),
        "how many there are shapes none"
    );
    let shown: [&dyn Fn(&mut Subject<'_>); 5] = [
        &|s| s.system = Some("".into()),
        &|s| s.question = "q".into(),
        &|s| s.answer = "43".into(),
        &|s| s.reference = Some("r".into()),
        &|s| s.nth = 1,
    ];
    for (at, change) in shown.iter().enumerate() {
        let mut other = subject.clone();
        change(&mut other);
        assert_eq!(found(&plain, &other, 0), None, "{at}");
    }
}

#[test]
fn only_replies_that_can_be_used_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(1);
    let cache = cache(folder.path(), "https://a");
    settings.cache = Some(Arc::clone(&cache));
    let (plain, asked) = (suite(vec![]), case("a"));
    let recall = Recall::new(&plain, &settings);
    let good = sample(AnswerOutcome::Answered, "42");
    for outcome in [
        AnswerOutcome::Failed,
        AnswerOutcome::Truncated,
        AnswerOutcome::Empty,
        AnswerOutcome::Null,
        AnswerOutcome::Filtered,
        AnswerOutcome::NotAsked,
    ] {
        recall.keep_answer(&asked, &sample(outcome, "42"));
    }
    recall.keep_answer(&asked, &sample(AnswerOutcome::Answered, " \n"));
    // What came from a cache is not of today.
    let again = Sample {
        cached: AnswerEntry::of(&good).and_then(|entry| entry.sample(0, 5)?.cached),
        ..good.clone()
    };
    assert_eq!(
        again.cached.as_ref().map(|c| c.at.as_str()),
        Some("1970-01-01T00:00:05Z")
    );
    recall.keep_answer(&asked, &again);
    let texts = asked.texts.read();
    let subject = Subject::of(&texts, 0, "42");
    for odd in [
        vote(VoteOutcome::Unparseable, None),
        vote(VoteOutcome::Failed, None),
        vote(VoteOutcome::NotAsked, None),
        vote(VoteOutcome::Scored, Some(1.1)),
        vote(VoteOutcome::Scored, Some(f64::NAN)),
        vote(VoteOutcome::Scored, None),
    ] {
        recall.keep_vote(&subject, judged(odd));
    }
    assert_eq!(cache.kept(), 0);
    recall.keep_answer(&asked, &good);
    recall.keep_vote(&subject, judged(vote(VoteOutcome::Scored, Some(1.0))));
    assert_eq!(cache.kept(), 2);
}

#[test]
fn what_no_model_or_judge_can_have_said_is_not_used() {
    let answer = |json: &str| serde_json::from_str::<AnswerEntry>(json).ok()?.sample(0, 5);
    assert!(answer(r#"{"answer":"a","latency_ms":1}"#).is_some());
    for odd in [
        r#"{"answer":" ","latency_ms":1}"#,
        r#"{"answer":"a"}"#,
        r#"{"answer":"a","latency_ms":-1}"#,
        r#"{"answer":"a","latency_ms":1,"checks":[]}"#,
        r#"{"score":1,"feedback":"","reasoning":"","latency_ms":1}"#,
        &format!(
            r#"{{"answer":"a","latency_ms":1,"answered_by":"{}"}}"#,
            "n".repeat(201)
        ),
        &format!(r#"{{"answer":"{}","latency_ms":1}}"#, "a".repeat((1 << 20) + 1)),
    ] {
        assert_eq!(answer(odd), None, "{}", &odd[..odd.len().min(80)]);
    }
    let vote = |json: &str| serde_json::from_str::<VoteEntry>(json).ok()?.vote(0, 5);
    let with = |score: &str, text: &str| {
        format!(r#"{{"score":{score},"feedback":"{text}","reasoning":"r","latency_ms":1}}"#)
    };
    assert!(vote(&with("0.5", "f")).is_some());
    for (score, text) in [
        ("1.01", "f"),
        ("-0.1", "f"),
        ("-0.0", "f"),
        ("1e999", "f"),
        ("null", "f"),
        ("\"1\"", "f"),
    ] {
        assert_eq!(vote(&with(score, text)), None, "{score}");
    }
    assert_eq!(vote(&with("0.5", &"é".repeat(8_193))), None);
    assert!(vote(&with("0.5", &"é".repeat(8_192))).is_some());
    let good = || serde_json::from_str::<VoteEntry>(&with("0.5", "f")).unwrap();
    assert_eq!(good().vote(0, i64::MAX), None, "a time that is none");
}
