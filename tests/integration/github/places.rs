//! Where the token goes, and where it does not.

use tunegate::github::{Commented, marker};

use super::service::{GitHub, Run, results};
use super::*;
use crate::stub::{Act, Answer, Stub};

const OWN: &str = "tunegate-invoices";

fn hub() -> GitHub {
    GitHub::enterprise().with_results(Run::new(5), OWN, "results.json", results("invoices", ""))
}

#[tokio::test]
async fn an_artifact_is_fetched_elsewhere_without_the_token() {
    let hub = hub().start().await;
    found(&hub, &nightly()).await;
    // That it came without the token is a rule of the service's.
    let away: Vec<_> = hub
        .requests()
        .into_iter()
        .filter(|request| request.away)
        .collect();
    assert_eq!((away.len(), away[0].method.as_str()), (1, "GET"));
}

#[tokio::test]
async fn a_redirect_leads_to_https_alone_and_only_once() {
    let elsewhere = Stub::serve(|_| Act::text(200, "x")).await;
    let again = elsewhere.url.clone();
    let twice = Stub::serve(move |_| {
        Act::Reply(Answer::new(302, "").header("location", format!("{again}/x?sig=c2lnbmF0dXJl")))
    })
    .await;
    let signed_out = Stub::serve(|_| Act::text(403, "no such signature: c2lnbmF0dXJl")).await;
    for location in [
        "http://blobs.example/x?sig=c2lnbmF0dXJl".to_owned(),
        "http://10.0.0.1/x?sig=c2lnbmF0dXJl".to_owned(),
        "ftp://127.0.0.1/x".to_owned(),
        "file:///etc/passwd".to_owned(),
        format!(
            "http://me:c2lnbmF0dXJl@{}/x",
            elsewhere.url.trim_start_matches("http://")
        ),
        format!("{}/{TOKEN}", elsewhere.url),
        format!("{}/x", twice.url),
        format!("{}/x?sig=c2lnbmF0dXJl", signed_out.url),
    ] {
        let mut hub = hub();
        hub.location = Some(location.clone());
        let hub = hub.start().await;
        let why = nothing(&hub, &nightly()).await;
        assert!(
            why.contains("that can be used: artifact tunegate-invoices of run 5:"),
            "{location}: {why}"
        );
        assert!(
            !why.contains("c2lnbmF0dXJl") && !why.contains("0123456789"),
            "{why}"
        );
    }
    assert_eq!(elsewhere.connections(), 0);
    for stub in [&twice, &signed_out] {
        assert_eq!(
            (stub.connections(), stub.requests()[0].header("authorization")),
            (1, None)
        );
    }
}

#[tokio::test]
async fn a_place_whose_connection_fails_is_not_told_in_full() {
    let broken = Stub::serve(|_| Act::ResetAfterReading).await;
    let mut hub = hub();
    hub.location = Some(format!("{}/x?sig=c2lnbmF0dXJl", broken.url));
    let hub = hub.start().await;
    let error = find_baseline(&api(&hub), &nightly()).await.expect_err("broken");
    without_token(&error);
    assert!(
        broken
            .requests()
            .iter()
            .all(|request| request.header("authorization").is_none())
    );
}

#[tokio::test]
async fn a_download_is_bounded() {
    let endless = Stub::serve(|_| Act::Endless(Answer::new(200, vec![b'x'; 1 << 20]))).await;
    let mut hub = hub();
    hub.location = Some(format!("{}/x", endless.url));
    let hub = hub.start().await;
    let why = nothing(&hub, &nightly()).await;
    assert!(why.ends_with("a reply of more than 64 MiB"), "{why}");
}

#[tokio::test]
async fn the_next_page_of_a_list_is_not_fetched_elsewhere() {
    let elsewhere = Stub::serve(|_| Act::text(200, "[]")).await;
    let mut hub = GitHub::enterprise();
    for i in 0..101 {
        hub = hub.with_comment(17, "MEMBER", &format!("talk {i}"));
    }
    hub.link_to = Some(elsewhere.url.clone());
    let hub = hub.start().await;
    let text = format!("{}x", marker("invoices"));
    let error = api(&hub)
        .comment(17, &marker("invoices"), &text)
        .await
        .expect_err("not all were seen");
    assert!(
        without_token(&error).contains("where the key does not go"),
        "{error}"
    );
    assert_eq!((elsewhere.connections(), hub.comments(17).len()), (0, 101));
}

#[tokio::test]
async fn a_renamed_repository_is_found_under_its_new_name() {
    let mut hub = hub().with_file("main", "suite.yaml", "x");
    hub.renamed_from = Some("acme/bills".to_owned());
    let hub = hub.with_comment(17, "Bot", &marker("invoices")).start().await;
    let api = api_of(&hub, "acme/bills");
    let found = find_baseline(&api, &nightly()).await.expect("GitHub answers");
    assert_eq!(found.expect("a baseline").run, 5);
    assert_eq!(api.file("suite.yaml", "main", 9).await, Ok(Some(b"x".to_vec())));
    // A write is not sent anywhere but where it was meant to go.
    let text = format!("{}x", marker("invoices"));
    let error = api
        .comment(17, &marker("invoices"), &text)
        .await
        .expect_err("not followed");
    assert!(without_token(&error).contains("a redirect to"), "{error}");
}

#[tokio::test]
async fn a_redirect_with_the_token_stays_below_the_base() {
    let elsewhere = Stub::serve(|_| Act::ok(serde_json::json!({"workflow_runs": []}))).await;
    for location in [
        format!("{}/api/v3/repositories/1/x", elsewhere.url),
        "/login".to_owned(),
        "/api/v3x/y".to_owned(),
    ] {
        let answer = Answer::new(301, "").header("location", location.as_str());
        let stub = Stub::serve(move |_| Act::Reply(answer.clone())).await;
        let settings = ApiSettings {
            api_url: format!("{}/api/v3", stub.url),
            repository: REPOSITORY.to_owned(),
            token: TOKEN.into(),
            timeout: Duration::from_secs(20),
        };
        let api = Api::new(settings, CancellationToken::new()).expect("loopback");
        without_token(&find_baseline(&api, &nightly()).await.expect_err("not followed"));
        assert_eq!(
            (stub.connections(), elsewhere.connections()),
            (1, 0),
            "{location}"
        );
    }
    // Round and round it goes, and no further.
    let stub = Stub::serve(|_| Act::Reply(Answer::new(302, "").header("location", "/x"))).await;
    let settings = ApiSettings {
        api_url: stub.url.clone(),
        repository: REPOSITORY.to_owned(),
        token: TOKEN.into(),
        timeout: Duration::from_secs(20),
    };
    let api = Api::new(settings, CancellationToken::new()).expect("loopback");
    find_baseline(&api, &nightly()).await.expect_err("in a circle");
    assert_eq!(stub.connections(), 3);
}

#[tokio::test]
async fn the_token_is_in_no_error() {
    for act in [
        Act::text(200, &format!("{{\"workflow_runs\": \"{TOKEN}\"}}")),
        Act::text(200, &format!("<html>{TOKEN}")),
        Act::json(
            401,
            serde_json::json!({"message": format!("Bad credentials: Bearer {TOKEN}")}),
        ),
        Act::json(403, serde_json::json!({"message": TOKEN})),
        Act::json(404, serde_json::json!({"message": TOKEN})),
        Act::json(422, serde_json::json!({"message": TOKEN})),
        Act::Reply(
            Answer::new(200, "[]").header("link", format!("<https://evil.example/{TOKEN}>; rel=\"next\"")),
        ),
        Act::Reply(Answer::new(301, "").header("location", format!("https://{TOKEN}.example/{TOKEN}"))),
    ] {
        let stub = Stub::serve(move |_| act.clone()).await;
        let settings = ApiSettings {
            api_url: stub.url.clone(),
            repository: REPOSITORY.to_owned(),
            token: TOKEN.into(),
            timeout: Duration::from_secs(20),
        };
        let api = Api::new(settings, CancellationToken::new()).expect("loopback");
        let text = format!("{}x", marker("invoices"));
        let change = |_: Option<Vec<u8>>| b"x".to_vec();
        for outcome in [
            find_baseline(&api, &nightly()).await.map(drop),
            api.comment(17, &marker("invoices"), &text).await.map(drop),
            api.pull_requests_of(&"a".repeat(40)).await.map(drop),
            api.file("x", "main", 9).await.map(drop),
            api.change_file("main", "x", "m", 9, &change).await,
        ] {
            if let Err(error) = outcome {
                without_token(&error);
            }
        }
        assert!(!format!("{api:?}").contains("0123456789"));
    }
}

#[tokio::test]
async fn a_token_that_is_not_known_is_told() {
    let hub = hub().start().await;
    let settings = ApiSettings {
        api_url: hub.url.clone(),
        repository: REPOSITORY.to_owned(),
        token: "ghs_another-0123456789".into(),
        timeout: Duration::from_secs(20),
    };
    let api = Api::new(settings, CancellationToken::new()).expect("loopback");
    let error = find_baseline(&api, &nightly()).await.expect_err("refused");
    assert!(
        without_token(&error).contains("does not know the token (Bad credentials)"),
        "{error}"
    );
    assert_ne!(
        Ok(Commented::Created),
        api.comment(17, &marker("x"), &marker("x")).await
    );
}
