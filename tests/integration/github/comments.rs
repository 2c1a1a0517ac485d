//! One comment, whatever happens.

use tunegate::github::{Commented, marker};

use super::service::{Fault, GitHub, Then};
use super::*;

fn text(says: &str) -> String {
    format!("{}{says}\n", marker("invoices"))
}

async fn comment(hub: &Running, says: &str) -> Result<Commented, ApiError> {
    api(hub).comment(17, &marker("invoices"), &text(says)).await
}

#[tokio::test]
async fn the_same_comment_is_edited_and_none_is_added() {
    let hub = GitHub::enterprise()
        .with_comment(17, "MEMBER", "nice")
        .start()
        .await;
    assert_eq!(comment(&hub, "first").await, Ok(Commented::Created));
    assert_eq!(comment(&hub, "second").await, Ok(Commented::Edited));
    assert_eq!(comment(&hub, "second").await, Ok(Commented::Unchanged));
    assert_eq!(hub.comments(17), ["nice".to_owned(), text("second")]);
    assert_eq!((hub.count("POST", ""), hub.count("PATCH", "")), (1, 1));
    // Another suite has one of its own.
    let other = api(&hub)
        .comment(17, &marker("orders"), &format!("{}x", marker("orders")))
        .await;
    assert_eq!(other, Ok(Commented::Created));
    assert_eq!(hub.comments(17).len(), 3);
}

#[tokio::test]
async fn the_comment_is_found_on_any_page() {
    let mut hub = GitHub::enterprise();
    for i in 0..250 {
        hub = hub.with_comment(17, "MEMBER", &format!("talk {i}"));
    }
    let hub = hub.with_comment(17, "Bot", &text("old")).start().await;
    assert_eq!(comment(&hub, "new").await, Ok(Commented::Edited));
    assert_eq!(hub.comments(17)[250], text("new"));
    assert_eq!(hub.count("GET", "/comments"), 3);
}

#[tokio::test]
async fn a_strangers_marker_is_nobodys() {
    let strangers = [
        "NONE",
        "FIRST_TIMER",
        "FIRST_TIME_CONTRIBUTOR",
        "CONTRIBUTOR",
        "MANNEQUIN",
    ];
    let mut hub = GitHub::new();
    for association in strangers {
        hub = hub.with_comment(17, association, &text("all is well, merge it"));
    }
    // Who quotes ours does not own it.
    let quoted = format!("> {}", text("x"));
    let hub = hub.with_comment(17, "OWNER", &quoted).start().await;
    assert_eq!(comment(&hub, "it fails").await, Ok(Commented::Created));
    assert_eq!(comment(&hub, "it still fails").await, Ok(Commented::Edited));
    let comments = hub.comments(17);
    assert_eq!((comments.len(), &comments[6]), (7, &text("it still fails")));
    assert!(comments[..5].iter().all(|c| c.contains("merge it")));
}

#[tokio::test]
async fn of_several_own_comments_the_oldest_is_edited() {
    let hub = GitHub::new()
        .with_comment(17, "Bot", &text("1"))
        .with_comment(17, "COLLABORATOR", &text("2"));
    let hub = hub.start().await;
    assert_eq!(comment(&hub, "3").await, Ok(Commented::Edited));
    assert_eq!(hub.comments(17), [text("3"), text("2")]);
}

#[tokio::test(start_paused = true)]
async fn a_comment_whose_answer_is_lost_is_not_made_again() {
    for lost in [Then::Lost, Then::Denied(502), Then::Denied(500)] {
        let hub = GitHub::new()
            .with_fault(Fault::on("POST", "/comments", lost))
            .start()
            .await;
        assert_eq!(comment(&hub, "x").await, Ok(Commented::Created));
        assert_eq!((hub.comments(17).len(), hub.count("POST", "")), (1, 1));
    }
    // It never arrived: it is sent again.
    let hub = GitHub::new().with_fault(Fault::on("POST", "/comments", Then::Refused(502, "Server Error")));
    let hub = hub.start().await;
    assert_eq!(comment(&hub, "x").await, Ok(Commented::Created));
    assert_eq!((hub.comments(17).len(), hub.count("POST", "")), (1, 2));
    // An edit is the same however often it comes.
    let hub = GitHub::new().with_comment(17, "Bot", &text("1"));
    let hub = hub
        .with_fault(Fault::on("PATCH", "/comments", Then::Lost))
        .start()
        .await;
    assert_eq!(comment(&hub, "2").await, Ok(Commented::Edited));
    assert_eq!(hub.comments(17), [text("2")]);
}

#[tokio::test]
async fn a_comment_that_goes_while_it_is_edited_is_made_anew() {
    let gone = Then::After(std::sync::Arc::new(|hub: &mut GitHub| hub.comments.clear()));
    let hub = GitHub::new()
        .with_comment(17, "Bot", &text("1"))
        .with_fault(Fault::on("PATCH", "", gone));
    let hub = hub.start().await;
    assert_eq!(comment(&hub, "2").await, Ok(Commented::Created));
    assert_eq!(hub.comments(17), [text("2")]);
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named() {
    let hub = GitHub::new().denying("pull-requests: write").start().await;
    let error = comment(&hub, "x").await.expect_err("refused");
    assert!(
        matches!(
            error,
            ApiError::Forbidden {
                permission: "pull-requests: write",
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        without_token(&error).ends_with("give the job the permission `pull-requests: write`"),
        "{error}"
    );
}

#[tokio::test]
async fn what_github_would_not_take_is_not_sent() {
    let hub = GitHub::new().start().await;
    let long = "é".repeat(65_536);
    let error = comment(&hub, &long).await.expect_err("too long");
    assert!(error.to_string().contains("65536"), "{error}");
    assert!(
        api(&hub)
            .comment(17, &marker("invoices"), "no marker")
            .await
            .is_err()
    );
    assert!(hub.requests().is_empty());
    let fits = "é".repeat(65_536 - text("").chars().count());
    assert_eq!(comment(&hub, &fits).await, Ok(Commented::Created));
}

#[tokio::test]
async fn the_open_pull_requests_that_a_commit_heads() {
    let sha = "9fceb02d0ae598e95dc970b74767f19372d61af8";
    let mut hub = GitHub::new();
    hub.pulls.insert(18, sha.to_owned());
    hub.pulls.insert(17, sha.to_owned());
    let hub = hub.start().await;
    assert_eq!(api(&hub).pull_requests_of(sha).await, Ok(vec![17, 18]));
    assert_eq!(api(&hub).pull_requests_of(&"0".repeat(40)).await, Ok(vec![]));
    assert!(api(&hub).pull_requests_of("main").await.is_err());
    hub.now().denied.push("pull-requests: read");
    let error = api(&hub).pull_requests_of(sha).await.expect_err("refused");
    assert!(without_token(&error).contains("`pull-requests: read`"), "{error}");
}
