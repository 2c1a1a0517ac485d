//! A file on a branch, read and changed while others change it too.

use std::sync::Arc;

use super::service::{Fault, GitHub, Then};
use super::*;

const BRANCH: &str = "tunegate-history";
const PATH: &str = "invoices/history.jsonl";
const MIB: usize = 1024 * 1024;

/// Adds a line behind what is there.
async fn add(hub: &Running, line: &str) -> Result<(), ApiError> {
    let change =
        |before: Option<Vec<u8>>| [before.unwrap_or_default(), format!("{line}\n").into_bytes()].concat();
    api(hub)
        .change_file(BRANCH, PATH, "tunegate: a run of invoices", 32 * MIB, &change)
        .await
}

fn lines(hub: &Running) -> String {
    String::from_utf8(hub.file(BRANCH, PATH).unwrap_or_default()).unwrap()
}

#[tokio::test]
async fn a_file_is_read_at_a_commit() {
    let text = "name: x\n".repeat(300_000);
    let hub = GitHub::enterprise().with_file("9fceb02d", "prompts/a b#ü.yaml", text.as_str());
    let hub = hub
        .with_file("feature/x", "suite.yaml", b"\xff\x00".to_vec())
        .start()
        .await;
    let api = api(&hub);
    let path = "prompts/a b#ü.yaml";
    assert_eq!(
        api.file(path, "9fceb02d", 8 * MIB).await,
        Ok(Some(text.into_bytes()))
    );
    assert_eq!(
        api.file("suite.yaml", "feature/x", 2).await,
        Ok(Some(b"\xff\x00".to_vec()))
    );
    assert_eq!(api.file("suite.yaml", "9fceb02d", MIB).await, Ok(None));
    assert_eq!(api.file("suite.yaml", "main", MIB).await, Ok(None));
    let error = api.file(path, "9fceb02d", MIB).await.expect_err("too large");
    assert!(without_token(&error).contains("more than 1 MiB"), "{error}");
    let asked = hub.requests().len();
    for (path, at) in [("../x", "main"), ("a", "a..b"), ("/a", "main"), ("a", "")] {
        assert!(api.file(path, at, MIB).await.is_err(), "{path} {at}");
    }
    assert_eq!(hub.requests().len(), asked);
    hub.now().denied.push("contents: read");
    let error = api.file(path, "9fceb02d", MIB).await.expect_err("refused");
    assert!(without_token(&error).ends_with("`contents: read`"), "{error}");
}

#[tokio::test]
async fn the_branch_is_made_and_then_grows() {
    let hub = GitHub::enterprise()
        .with_file("main", "README.md", "x")
        .start()
        .await;
    for line in ["1", "2", "3"] {
        add(&hub, line).await.expect("written");
    }
    assert_eq!(lines(&hub), "1\n2\n3\n");
    let commits = hub.now().commits.clone();
    assert_eq!(
        commits,
        vec![(BRANCH.to_owned(), "tunegate: a run of invoices".to_owned()); 3]
    );
    assert_eq!((hub.count("POST", "/git/refs"), hub.count("PUT", "")), (1, 2));
    let last = hub.requests().pop().expect("a request").body;
    assert_eq!(
        (last["branch"].as_str(), last["sha"].as_str().map(str::len)),
        (Some(BRANCH), Some(40))
    );
    assert_eq!(
        hub.file(BRANCH, "README.md"),
        None,
        "an orphan has nothing of the code"
    );
    // Another suite's file on the branch that is there now.
    let change = |_: Option<Vec<u8>>| b"x".to_vec();
    api(&hub)
        .change_file(BRANCH, "orders/history.jsonl", "m", MIB, &change)
        .await
        .expect("written");
    assert_eq!((hub.count("POST", "/git/refs"), hub.count("PUT", "")), (1, 3));
}

#[tokio::test]
async fn bytes_that_are_no_text_begin_a_branch_too() {
    let hub = GitHub::new().start().await;
    let change = |_: Option<Vec<u8>>| b"\xff\x00".to_vec();
    api(&hub)
        .change_file("a/b", PATH, "m", MIB, &change)
        .await
        .expect("written");
    assert_eq!(hub.file("a/b", PATH), Some(b"\xff\x00".to_vec()));
}

#[tokio::test]
async fn what_changes_nothing_is_not_written() {
    let hub = GitHub::new().with_file(BRANCH, PATH, "1\n").start().await;
    let same = |before: Option<Vec<u8>>| before.unwrap_or_default();
    api(&hub)
        .change_file(BRANCH, PATH, "m", MIB, &same)
        .await
        .expect("nothing to do");
    assert!(hub.now().commits.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_was_faster_keeps_what_they_wrote() {
    let other = |hub: &mut GitHub| {
        let file = hub
            .branches
            .entry(BRANCH.to_owned())
            .or_default()
            .entry(PATH.to_owned())
            .or_default();
        file.extend_from_slice(b"theirs\n");
    };
    let first = || Then::After(Arc::new(other));
    let hub = GitHub::new()
        .with_file(BRANCH, PATH, "1\n")
        .with_fault(Fault::on("PUT", "", first()).times(3));
    let hub = hub.start().await;
    add(&hub, "ours").await.expect("written");
    assert_eq!(lines(&hub), "1\ntheirs\ntheirs\ntheirs\nours\n");

    // The file, or the branch, came to be meanwhile.
    let hub = GitHub::new()
        .with_file(BRANCH, "x", "")
        .with_fault(Fault::on("PUT", "", first()))
        .start()
        .await;
    add(&hub, "ours").await.expect("written");
    assert_eq!(lines(&hub), "theirs\nours\n");
    let hub = GitHub::new()
        .with_fault(Fault::on("POST", "/git/refs", first()))
        .start()
        .await;
    add(&hub, "ours").await.expect("written");
    assert_eq!(lines(&hub), "theirs\nours\n");

    // Somebody is always faster.
    let hub = GitHub::new()
        .with_file(BRANCH, PATH, "1\n")
        .with_fault(Fault::on("PUT", "", first()).times(99));
    let hub = hub.start().await;
    let error = add(&hub, "ours").await.expect_err("given up");
    assert!(without_token(&error).contains("409"), "{error}");
    assert_eq!(hub.count("PUT", ""), 6);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_lost_is_not_done_twice() {
    for then in [Then::Lost, Then::Denied(502)] {
        let hub = GitHub::new()
            .with_file(BRANCH, PATH, "1\n")
            .with_fault(Fault::on("PUT", "", then.clone()));
        let hub = hub.start().await;
        add(&hub, "2").await.expect("written");
        assert_eq!((lines(&hub).as_str(), hub.count("PUT", "")), ("1\n2\n", 1));
        let hub = GitHub::new()
            .with_fault(Fault::on("POST", "/git/refs", then))
            .start()
            .await;
        add(&hub, "1").await.expect("written");
        assert_eq!((lines(&hub).as_str(), hub.now().commits.len()), ("1\n", 1));
    }
    let hub = GitHub::new().with_file(BRANCH, PATH, "1\n");
    let hub = hub
        .with_fault(Fault::on("PUT", "", Then::Refused(503, "Unavailable")))
        .start()
        .await;
    add(&hub, "2").await.expect("written");
    assert_eq!((lines(&hub).as_str(), hub.count("PUT", "")), ("1\n2\n", 2));
}

#[tokio::test]
async fn a_file_of_more_than_a_megabyte_is_changed_too() {
    let long = "x".repeat(2 * MIB) + "\n";
    let hub = GitHub::new().with_file(BRANCH, PATH, long.as_str()).start().await;
    add(&hub, "2").await.expect("written");
    assert_eq!(lines(&hub), format!("{long}2\n"));
    let change = |_: Option<Vec<u8>>| vec![b'x'; 10 * MIB];
    let error = api(&hub)
        .change_file(BRANCH, PATH, "m", 32 * MIB, &change)
        .await
        .expect_err("too large");
    assert!(error.to_string().contains("10 MB is the most"), "{error}");
    let error = api(&hub)
        .change_file(BRANCH, PATH, "m", MIB, &change)
        .await
        .expect_err("too large to read");
    assert!(without_token(&error).contains("more than 1048576"), "{error}");
    assert_eq!(hub.count("PUT", ""), 1);
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named() {
    let hub = GitHub::new()
        .with_file(BRANCH, PATH, "1\n")
        .denying("contents: write")
        .start()
        .await;
    let error = add(&hub, "2").await.expect_err("refused");
    assert!(
        matches!(
            error,
            ApiError::Forbidden {
                permission: "contents: write",
                ..
            }
        ),
        "{error:?}"
    );
    // A folder is no file.
    let hub = GitHub::new()
        .with_file(BRANCH, "invoices/history.jsonl/x", "")
        .start()
        .await;
    assert!(without_token(&add(&hub, "2").await.expect_err("a folder")).contains("of a file"));
    for (branch, path) in [("a..b", PATH), ("", PATH), (BRANCH, "../x"), (BRANCH, "/x")] {
        let change = |_: Option<Vec<u8>>| Vec::new();
        assert!(
            api(&hub)
                .change_file(branch, path, "m", MIB, &change)
                .await
                .is_err(),
            "{branch} {path}"
        );
    }
}
