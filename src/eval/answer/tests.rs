use std::future::ready;
use std::sync::Mutex;

use super::super::fixtures::{self, case, failure, fake, reply, settings};
use super::*;
use crate::studio::FailureKind;
use crate::suite::{Check, Message, Parameters, Role};

async fn asked(case: &Case, answer: Result<Reply<ChatReply>, Failure>) -> Answered {
    let checks = Some(Arc::new(Checks::new(&case.checks)));
    let service = fake(move |_| ready(answer.clone()));
    let checking = AtomicUsize::new(0);
    let answered = ask(case, 0, checks, &settings(1), &service, &checking).await;
    assert_eq!(checking.into_inner(), 0);
    answered
}

async fn outcome(content: Option<&str>, finish_reason: Option<&str>) -> (AnswerOutcome, Option<String>) {
    let mut reply = reply("");
    reply.value.content = content.map(str::to_owned);
    reply.value.finish_reason = finish_reason.map(str::to_owned);
    let sample = asked(&case("a"), Ok(reply)).await.sample;
    assert_eq!(
        sample.detail.is_none(),
        sample.outcome == AnswerOutcome::Answered,
        "{sample:?}"
    );
    assert_eq!(sample.answer.as_deref(), content);
    assert!(sample.call.is_some() && sample.votes.is_empty());
    (sample.outcome, sample.detail)
}

#[tokio::test]
async fn every_way_an_answer_can_come_has_its_name() {
    for (content, finish, named) in [
        (Some("42"), Some("stop"), AnswerOutcome::Answered),
        (Some("42"), None, AnswerOutcome::Answered),
        (Some("42"), Some("tool_calls"), AnswerOutcome::Answered),
        (Some(""), Some("stop"), AnswerOutcome::Empty),
        (Some(" \n\t"), None, AnswerOutcome::Empty),
        (Some("4"), Some("length"), AnswerOutcome::Truncated),
        (Some(""), Some("length"), AnswerOutcome::Truncated),
        (Some("4"), Some("max_tokens"), AnswerOutcome::Truncated),
        (None, None, AnswerOutcome::Null),
        (None, Some("length"), AnswerOutcome::Null),
        (None, Some("content_filter"), AnswerOutcome::Filtered),
        (Some("4"), Some("content_filter"), AnswerOutcome::Filtered),
    ] {
        assert_eq!(outcome(content, finish).await.0, named, "{content:?} {finish:?}");
    }
    let (_, detail) = outcome(None, Some("odd\u{1b}")).await;
    assert_eq!(
        detail.as_deref(),
        Some("the reply holds no text (finish_reason: odd\u{1b})")
    );
}

#[tokio::test]
async fn an_answer_of_more_than_a_mebibyte_is_not_kept() {
    let most = asked(&case("a"), Ok(reply(&"x".repeat(1 << 20)))).await.sample;
    assert_eq!(most.outcome, AnswerOutcome::Answered);
    let over = asked(&case("a"), Ok(reply(&"x".repeat((1 << 20) + 1))))
        .await
        .sample;
    assert_eq!((over.outcome, over.answer), (AnswerOutcome::Failed, None));
    assert!(over.detail.unwrap().contains("1048577 bytes"));
    assert!(over.call.is_some());
}

#[tokio::test]
async fn a_call_is_recorded_with_what_it_cost() {
    let mut came = reply("42");
    came.attempts = 3;
    let answered = asked(&case("a"), Ok(came)).await;
    assert_eq!(answered.latency, Duration::from_millis(120));
    assert_eq!(answered.sample.answered_by.as_deref(), Some("the-model-v2"));
    let cost = CallCost {
        latency_ms: 120,
        attempts: 3,
        prompt_tokens: Some(11),
        completion_tokens: Some(7),
    };
    assert_eq!(answered.sample.call, Some(cost));
}

#[tokio::test]
async fn a_failed_call_is_an_outcome_of_the_case() {
    let why = failure(FailureKind::Server, Some(502), "bad gateway");
    let answered = asked(&case("a"), Err(why.clone())).await;
    assert_eq!(answered.failure, Some(why));
    assert_eq!(answered.sample.outcome, AnswerOutcome::Failed);
    assert_eq!(
        answered.sample.detail.as_deref(),
        Some("chat: answer: server error (502) after 1 attempt: bad gateway")
    );
    assert_eq!(answered.sample.call.unwrap().attempts, 1);
    let unsent = Failure {
        attempts: 0,
        ..failure(FailureKind::Cancelled, None, "")
    };
    assert_eq!(asked(&case("a"), Err(unsent)).await.sample.call, None);
}

#[tokio::test]
async fn the_request_says_what_the_case_says() {
    let mut case = case("a");
    let system = Message {
        role: Role::System,
        content: "be brief".into(),
    };
    case.texts.edit(|texts| texts.messages.insert(0, system));
    case.parameters = Parameters {
        temperature: Some(0.5),
        top_p: Some(0.9),
        seed: Some(40),
        max_completion_tokens: Some(99),
        stop: vec!["END".to_owned()],
    }
    .into();
    let seen = Mutex::new(String::new());
    let service = fake(|asked: fixtures::Asked| {
        seen.lock().unwrap().push_str(&asked.whole);
        ready(Ok(reply("42")))
    });
    ask(&case, 2, None, &settings(1), &service, &AtomicUsize::new(0)).await;
    assert_eq!(
        *seen.lock().unwrap(),
        "ChatRequest { purpose: Answer, project: \"the-project\", model: \"the-model\", messages: \
         [ChatMessage { role: \"system\", content: \"be brief\" }, ChatMessage { role: \"user\", content: \
         \"question a\" }], temperature: Some(0.5), top_p: Some(0.9), seed: Some(42), \
         max_completion_tokens: Some(99), stop: [\"END\"] }"
    );
}

#[tokio::test]
async fn checks_see_usable_answers_only() {
    let mut case = case("a");
    case.checks = vec![
        Check::IsJson,
        Check::MaxLatency(Duration::from_millis(100)),
        Check::MaxChars(9),
    ]
    .into();
    let sample = asked(&case, Ok(reply("{}"))).await.sample;
    assert_eq!(
        sample.checks.iter().map(|check| check.passed).collect::<Vec<_>>(),
        [true, false, true]
    );
    assert_eq!(sample.answer.as_deref(), Some("{}"));
    let mut cut = reply("{}");
    cut.value.finish_reason = Some("length".to_owned());
    let sample = asked(&case, Ok(cut)).await.sample;
    assert_eq!((sample.answer.as_deref(), sample.checks.len()), (Some("{}"), 0));
}

#[tokio::test]
async fn a_check_that_can_not_be_made_scores_nothing() {
    let mut case = case("a");
    case.checks = vec![Check::Regex("(".to_owned())].into();
    let sample = asked(&case, Ok(reply("42"))).await.sample;
    assert_eq!(sample.outcome, AnswerOutcome::Failed);
    assert!(sample.detail.unwrap().contains("regex: '('"));
    assert_eq!(sample.answer.as_deref(), Some("42"));
    assert!(sample.checks.is_empty());
}
