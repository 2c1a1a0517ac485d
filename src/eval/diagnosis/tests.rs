use super::super::fixtures::{Fake, failure, silent};
use super::*;

fn rejected(status: u16, message: &str) -> Failure {
    failure(FailureKind::Rejected, Some(status), message)
}

type Listed<T> = Result<Vec<T>, Failure>;

async fn explained(
    purpose: Purpose,
    why: &Failure,
    models: Listed<String>,
    projects: Listed<(String, String)>,
) -> Option<String> {
    let asked = Asked {
        purpose,
        model: "invoice-extractor",
        project: "p-1",
    };
    let service = Fake {
        models,
        projects,
        ..silent()
    };
    let stopped = explain(&asked, why, &service).await?;
    assert_eq!(stopped.kind, StopKind::Unavailable);
    Some(stopped.message)
}

fn models(ids: &[&str]) -> Listed<String> {
    Ok(ids.iter().map(|id| (*id).to_owned()).collect())
}

fn projects(ids: &[&str]) -> Listed<(String, String)> {
    Ok(ids
        .iter()
        .map(|id| ((*id).to_owned(), format!("name of {id}")))
        .collect())
}

#[test]
fn only_rejections_about_a_model_or_project_are_looked_into() {
    for (status, message, may) in [
        (404, "", true),
        (404, "nothing here", true),
        (400, "Model 'x' not found", true),
        (400, "The model `x` does not exist", true),
        (422, "unknown project", true),
        (400, "model's context length is 8192 tokens", false),
        (400, "messages: unknown role", false),
        (413, "model not found", false),
    ] {
        assert_eq!(
            may_be_missing(&rejected(status, message)),
            may,
            "{status} {message}"
        );
    }
    assert!(!may_be_missing(&failure(
        FailureKind::Server,
        Some(500),
        "model not found"
    )));
}

#[tokio::test]
async fn a_missing_model_is_told_with_what_is_there() {
    let why = rejected(404, "model not found");
    let there = models(&["claude-4.5-sonnet", "invoice-extractr"]);
    let told = explained(Purpose::Answer, &why, there, projects(&["p-1"]))
        .await
        .unwrap();
    assert_eq!(
        told,
        "model `invoice-extractor` is not there (chat: answer: rejected (404) after 1 attempt: model not found); did you mean \
         `invoice-extractr`? this key sees claude-4.5-sonnet, invoice-extractr: set `model` in the suite or \
         TUNEGATE_MODEL"
    );
    let told = explained(Purpose::Judge, &why, models(&[]), projects(&["p-1"]))
        .await
        .unwrap();
    assert!(
        told.starts_with("judge model `invoice-extractor` is not there"),
        "{told}"
    );
    assert!(
        told.ends_with("this key sees none: set `judge.model` in the suite"),
        "{told}"
    );
}

#[tokio::test]
async fn long_lists_are_cut_and_names_are_plain() {
    let many: Vec<String> = (0..33).map(|i| format!("m{i}\n::error::x")).collect();
    let told = explained(Purpose::Answer, &rejected(404, "model"), Ok(many), projects(&[]))
        .await
        .unwrap();
    assert!(
        told.contains("m19 ::error::x and 13 more") && !told.contains("m20"),
        "{told}"
    );
    assert!(!told.contains('\n'));
}

#[tokio::test]
async fn a_missing_project_is_told_with_what_is_there() {
    for why in [rejected(404, "Project p-1 not found"), rejected(404, "not found")] {
        let told = explained(Purpose::Answer, &why, models(&[]), projects(&["p-2"]))
            .await
            .unwrap();
        assert!(told.starts_with("project `p-1` is not there"), "{told}");
        assert!(told.contains("this key sees p-2 (name of p-2)"), "{told}");
    }
    let told = explained(
        Purpose::Answer,
        &rejected(404, "not found"),
        models(&[]),
        projects(&["p-1"]),
    )
    .await;
    assert!(told.unwrap().starts_with("model `invoice-extractor`"));
}

#[tokio::test]
async fn the_rejection_alone_stops_nothing() {
    let lost = || failure(FailureKind::Rejected, Some(404), "no such route");
    for message in ["model not found", "project not found", "not found"] {
        let why = rejected(404, message);
        let there = (models(&["invoice-extractor"]), projects(&["p-1"]));
        assert_eq!(
            explained(Purpose::Answer, &why, there.0, there.1).await,
            None,
            "{message}"
        );
        assert_eq!(
            explained(Purpose::Answer, &why, Err(lost()), Err(lost())).await,
            None,
            "{message}"
        );
    }
}
