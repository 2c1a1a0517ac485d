//! Which run is taken for a baseline, and which is not.

use serde_json::json;
use tunegate::github::{RunKind, find_history};

use super::service::{GitHub, Run, results, zipped};
use super::*;

const OWN: &str = "tunegate-invoices";

fn with_night(hub: GitHub, run: Run, note: &str) -> GitHub {
    hub.with_results(run, OWN, "results.json", results("invoices", note))
}

#[tokio::test]
async fn the_newest_successful_run_on_the_branch_is_the_baseline() {
    let mut hub = GitHub::new();
    for id in [3, 5, 4] {
        hub = with_night(hub, Run::new(id), &id.to_string());
    }
    let hub = hub
        .with_run(Run::new(100))
        .with_run(Run::new(6).concluded(Some("failure")))
        .with_run(Run::new(7).concluded(None))
        .with_run(Run::new(8).branch("other"))
        .with_run(Run::new(9).workflow("tests.yml"))
        .start()
        .await;
    let found = found(&hub, &nightly()).await;
    assert_eq!(
        (found.kind, found.run, found.branch.as_deref()),
        (RunKind::Previous, 5, Some("main"))
    );
    assert_eq!(found.results, results("invoices", "5"));
    assert_eq!(
        found.url,
        Some(format!("{}/{REPOSITORY}/actions/runs/5", hub.url))
    );
    let listing = &hub.requests()[0];
    assert_eq!(listing.query, "branch=main&status=success&per_page=100");
}

#[tokio::test]
async fn the_order_is_by_when_a_run_began() {
    let hub = with_night(GitHub::new(), Run::new(3).at("2026-11-09T00:00:00Z"), "newest");
    let hub = with_night(hub, Run::new(9).at("2026-11-01T00:00:00Z"), "older")
        .start()
        .await;
    assert_eq!(found(&hub, &nightly()).await.run, 3);
}

#[tokio::test]
async fn neither_a_fork_nor_a_pull_request_is_ever_a_baseline() {
    let stranger = json!({"full_name": "stranger/invoices"});
    let mut hub = with_night(GitHub::new(), Run::new(2), "ours");
    for (id, run) in [
        (10, Run::new(10).of(stranger.clone())),
        (11, Run::new(11).event("pull_request")),
        (12, Run::new(12).event("pull_request_target")),
        (13, Run::new(13).of(json!(null))),
        (14, Run::new(14).event("pull_request").of(stranger)),
        (15, Run::new(15).event("workflow_run")),
        (16, Run::new(16).event("issue_comment")),
    ] {
        hub = with_night(hub, run, &format!("theirs {id}"));
    }
    let hub = hub.start().await;
    assert_eq!(found(&hub, &nightly()).await.run, 2);
    assert_eq!(hub.count("GET", "/artifacts"), 2, "theirs are not even looked at");
}

#[tokio::test]
async fn a_pull_request_is_compared_with_what_it_branched_off_from() {
    let sha = "c".repeat(40);
    let mut hub = with_night(GitHub::new(), Run::new(5), "newest");
    hub.merge_bases
        .insert(format!("{}...{}", "b".repeat(40), "a".repeat(40)), sha.clone());
    let mut hub = with_night(hub, Run::new(3).sha(&sha), "merge base");
    hub = with_night(
        hub,
        Run::new(4).sha(&sha).event("pull_request"),
        "a pull request of the same commit",
    );
    let hub = hub.start().await;
    let at = found(&hub, &of_pull_request()).await;
    assert_eq!((at.kind, at.run), (RunKind::MergeBase, 3));

    // The commit has no run that can be used, or nothing is known of it.
    hub.now().artifacts.remove(1);
    let newest = found(&hub, &of_pull_request()).await;
    assert_eq!((newest.kind, newest.run), (RunKind::BaseBranch, 5));
    hub.now().merge_bases.clear();
    assert_eq!(found(&hub, &of_pull_request()).await.kind, RunKind::BaseBranch);
    hub.now().denied.push("contents: read");
    assert_eq!(found(&hub, &of_pull_request()).await.kind, RunKind::BaseBranch);
}

#[tokio::test]
async fn a_run_without_a_usable_artifact_gives_way_to_the_one_before_it() {
    let hub = with_night(GitHub::new(), Run::new(2), "good")
        .with_run(Run::new(9))
        .with_run(Run::new(8))
        .with_expired(8, OWN)
        .with_results(
            Run::new(7),
            OWN,
            "results.json",
            results("orders", "another suite's"),
        )
        .with_results(
            Run::new(6),
            OWN,
            "../invoices/results.json",
            results("invoices", "beyond"),
        )
        .with_run(Run::new(4))
        .with_zip(4, OWN, b"no zip".to_vec())
        .with_results(
            Run::new(3),
            "tunegate-orders",
            "results.json",
            results("invoices", "another name"),
        )
        .start()
        .await;
    assert_eq!(found(&hub, &nightly()).await.results, results("invoices", "good"));
}

#[tokio::test]
async fn an_artifact_of_several_suites_will_do() {
    let both = [
        ("orders/results.json", results("orders", "")),
        ("invoices/results.json", results("invoices", "x")),
    ];
    let hub = GitHub::new()
        .with_run(Run::new(5))
        .with_zip(5, "tunegate", zipped(&both))
        .start()
        .await;
    assert_eq!(found(&hub, &nightly()).await.results, results("invoices", "x"));
}

#[tokio::test]
async fn why_there_is_none_is_a_sentence() {
    let hub = GitHub::new().with_run(Run::new(5)).start().await;
    assert_eq!(
        nothing(&hub, &nightly()).await,
        "no successful run of nightly.yml on main has an artifact tunegate-invoices"
    );
    hub.now().runs.extend((10..40).map(Run::new));
    assert_eq!(
        nothing(&hub, &nightly()).await,
        "no successful run of nightly.yml on main has an artifact tunegate-invoices (the newest 10 were looked at)"
    );
    assert_eq!(hub.count("GET", "/artifacts"), 2 + 20);

    let hub = GitHub::new()
        .with_run(Run::new(5))
        .with_expired(5, OWN)
        .start()
        .await;
    assert!(
        nothing(&hub, &nightly())
            .await
            .ends_with("tunegate-invoices that has not expired")
    );
    let hub = GitHub::new()
        .with_results(Run::new(5), OWN, "results.json", results("orders", ""))
        .start()
        .await;
    let why = nothing(&hub, &nightly()).await;
    assert!(
        why.ends_with("artifact tunegate-invoices of run 5: no results of invoices are in it"),
        "{why}"
    );
}

#[tokio::test]
async fn runs_are_looked_for_on_every_page() {
    let mut hub = with_night(GitHub::enterprise(), Run::new(1), "first");
    hub.runs
        .extend((200..450).map(|id| Run::new(id).event("pull_request")));
    let hub = hub.start().await;
    assert_eq!(found(&hub, &nightly()).await.run, 1);
    assert_eq!(hub.count("GET", "/runs"), 3 + 1);
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named() {
    let hub = with_night(GitHub::new(), Run::new(2), "")
        .denying("actions: read")
        .start()
        .await;
    let error = find_baseline(&api(&hub), &nightly()).await.expect_err("refused");
    assert!(
        matches!(
            error,
            ApiError::Forbidden {
                permission: "actions: read",
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        without_token(&error).contains("Resource not accessible"),
        "{error}"
    );
    // What a token may not see is not there.
    let query = BaselineQuery {
        workflow: "other.yml".to_owned(),
        ..nightly()
    };
    let hub = GitHub::new().start().await;
    let error = find_baseline(&api(&hub), &query).await.expect_err("not there");
    assert!(
        without_token(&error).contains("or the token may not see it"),
        "{error}"
    );
}

#[tokio::test]
async fn hostile_names_are_not_sent() {
    let hub = GitHub::new().start().await;
    let on = |branch: &str| BaselineQuery {
        search: Search::Previous {
            branch: branch.to_owned(),
        },
        ..nightly()
    };
    let workflow = |workflow: &str| BaselineQuery {
        workflow: workflow.to_owned(),
        ..nightly()
    };
    for query in [
        on(""),
        on("a..b"),
        on("a\nb"),
        on("a b"),
        workflow(".."),
        workflow("x?y=z"),
        workflow(""),
    ] {
        let error = find_baseline(&api(&hub), &query).await.expect_err("refused");
        assert!(matches!(error, ApiError::Failed { .. }), "{error:?}");
    }
    let search = Search::PullRequest {
        base_branch: "main".into(),
        base: "main/../../x".into(),
        head: "a".repeat(40),
    };
    assert!(
        find_baseline(&api(&hub), &BaselineQuery { search, ..nightly() })
            .await
            .is_err()
    );
    assert_eq!(hub.requests().len(), 0);

    let odd = "a&status=failure#x%2e/é";
    let hub = with_night(GitHub::new(), Run::new(2).branch(odd), "")
        .start()
        .await;
    assert_eq!(found(&hub, &on(odd)).await.branch.as_deref(), Some(odd));
}

#[tokio::test]
async fn a_history_is_that_of_the_newest_completed_run() {
    let lines = |n: u8| format!("{{\"n\":{n}}}\n").into_bytes();
    let hub = GitHub::new()
        .with_results(Run::new(2), OWN, "history.jsonl", lines(2))
        .with_results(
            Run::new(3).concluded(Some("failure")),
            OWN,
            "invoices/history.jsonl",
            lines(3),
        )
        .with_results(Run::new(4).event("pull_request"), OWN, "history.jsonl", lines(4))
        .with_results(Run::new(5), "tunegate", "orders/history.jsonl", lines(5))
        .with_results(Run::new(6), OWN, "history.jsonl", vec![b' '; (32 << 20) + 1])
        .start()
        .await;
    for query in [nightly(), of_pull_request()] {
        assert_eq!(find_history(&api(&hub), &query).await, Ok(Some(lines(3))));
    }
    let hub = GitHub::new().with_run(Run::new(2)).start().await;
    assert_eq!(find_history(&api(&hub), &nightly()).await, Ok(None));
}
