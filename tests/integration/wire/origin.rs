//! The key goes to the configured origin and nowhere else: no redirect is followed, no path leads away.

use tunegate::http::FailureKind;

use super::*;

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Stub::serve(|_| fine()).await;
    for status in [300, 301, 302, 303, 304, 307, 308] {
        for writes in [Writes::No, Writes::Yes] {
            let location = format!("{}/steal?token=private", target.url);
            let stub = Stub::script([Act::Reply(Answer::new(status, "").header("location", location))]).await;
            let failure = send(&client(&stub), writes).await.expect_err("not followed");
            assert_eq!((failure.status, failure.attempts), (Some(status), 1));
            assert!(failure.message.contains(&target.url), "{failure}");
            assert!(
                !failure.message.contains("private") && !failure.message.contains("steal"),
                "{failure}"
            );
        }
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_not_followed_either() {
    for status in [301, 302, 303, 307, 308] {
        for location in ["/elsewhere", "", "?again", "thing", "//127.0.0.1/x"] {
            let answer = Answer::new(status, "").header("location", location);
            let stub = Stub::serve(move |_| Act::Reply(answer.clone())).await;
            let failure = send(&client(&stub), Writes::No).await.expect_err("not followed");
            assert_eq!((failure.status, failure.attempts), (Some(status), 1));
            assert_eq!(stub.connections(), 1, "{status} {location}");
        }
    }
}

#[tokio::test]
async fn other_headers_that_name_a_place_lead_nowhere() {
    let target = Stub::serve(|_| fine()).await;
    let answer = Answer::new(200, r#"{"fine": true}"#)
        .header("location", target.url.as_str())
        .header("content-location", target.url.as_str())
        .header("refresh", format!("0; url={}", target.url))
        .header("link", format!("<{}>; rel=preload", target.url))
        .header(
            "alt-svc",
            format!("h2=\"{}\"; ma=86400", target.url.trim_start_matches("http://")),
        )
        .header("set-cookie", "a=b; Domain=127.0.0.1");
    let stub = Stub::serve(move |_| Act::Reply(answer.clone())).await;
    let client = client(&stub);
    for _ in 0..3 {
        send(&client, Writes::No).await.expect("fine");
    }
    assert_eq!((stub.requests().len(), target.connections()), (3, 0));
    assert!(stub.requests().iter().all(|r| r.header("cookie").is_none()));
}

#[tokio::test]
async fn a_path_that_leads_elsewhere_is_not_sent() {
    let stub = Stub::script([fine()]).await;
    let client = client(&stub);
    for path in ["/a/../../b", "@evil.example/x", "/x?y", "/x#y"] {
        let call = Call {
            path: path.to_owned(),
            ..call(Writes::Yes)
        };
        let failure = client.send::<Value>(&call).await.expect_err("not sent");
        assert_eq!((failure.kind, failure.attempts), (FailureKind::Rejected, 0));
    }
    assert_eq!(stub.connections(), 0);
}
