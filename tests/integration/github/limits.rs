//! A GitHub that is out of order or asks for patience never holds a run.

use tokio::time::Instant;
use tunegate::github::{Commented, marker};

use super::service::{Fault, GitHub, Run, Then, results};
use super::*;

fn hub() -> GitHub {
    GitHub::new().with_results(
        Run::new(5),
        "tunegate-invoices",
        "results.json",
        results("invoices", ""),
    )
}

fn text() -> String {
    format!("{}x", marker("invoices"))
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_over_soon_is_waited_for() {
    for then in [Then::Secondary(20), Then::Primary(20)] {
        let hub = hub()
            .with_fault(Fault::on("GET", "/runs", then.clone()))
            .start()
            .await;
        let begun = Instant::now();
        assert_eq!(found(&hub, &nightly()).await.run, 5);
        let waited = begun.elapsed().as_secs();
        assert!((18..30).contains(&waited), "{waited}");
        // A write that met it was surely not done.
        hub.now().faults = vec![Fault::on("POST", "/comments", then)];
        assert_eq!(
            api(&hub).comment(17, &marker("invoices"), &text()).await,
            Ok(Commented::Created)
        );
        assert_eq!(hub.comments(17).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_lasts_is_not_waited_for() {
    for then in [Then::Secondary(3600), Then::Primary(3000)] {
        let hub = hub()
            .with_fault(Fault::on("GET", "/runs", then).times(99))
            .start()
            .await;
        let begun = Instant::now();
        let error = find_baseline(&api(&hub), &nightly()).await.expect_err("limited");
        assert!(matches!(error, ApiError::Limited { .. }), "{error:?}");
        assert!(without_token(&error).contains("rate limit"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(1));
        assert_eq!(hub.requests().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn about_a_minute_is_waited_for_in_all() {
    let hub = hub()
        .with_fault(Fault::on("GET", "", Then::Secondary(25)).times(99))
        .start()
        .await;
    let api = api(&hub);
    let begun = Instant::now();
    for _ in 0..5 {
        let error = find_baseline(&api, &nightly()).await.expect_err("limited");
        assert!(matches!(error, ApiError::Limited { .. }), "{error:?}");
    }
    let waited = begun.elapsed().as_secs();
    assert!((45..=61).contains(&waited), "{waited}");
    assert_eq!(hub.requests().len(), 3 + 4);
}

#[tokio::test(start_paused = true)]
async fn an_api_that_never_answers_is_left_alone_after_a_minute() {
    let silent = crate::stub::Stub::serve(|_| crate::stub::Act::Silence).await;
    let settings = ApiSettings {
        api_url: silent.url.clone(),
        repository: REPOSITORY.to_owned(),
        token: TOKEN.into(),
        timeout: Duration::from_secs(20),
    };
    let api = Api::new(settings, CancellationToken::new()).expect("loopback");
    let begun = Instant::now();
    for _ in 0..3 {
        without_token(&find_baseline(&api, &nightly()).await.expect_err("silent"));
        without_token(
            &api.comment(17, &marker("invoices"), &text())
                .await
                .expect_err("silent"),
        );
    }
    let waited = begun.elapsed().as_secs();
    assert!((55..90).contains(&waited), "{waited}");
    let error = find_baseline(&api, &nightly()).await.expect_err("not sent");
    assert!(
        error
            .to_string()
            .contains("not sent: earlier calls have taken all the time"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_error_is_repeated_and_passes() {
    let hub = hub().with_fault(Fault::on("GET", "/runs", Then::Refused(502, "Bad gateway")).times(2));
    let hub = hub.with_fault(Fault::on("GET", "/zip", Then::Lost)).start().await;
    assert_eq!(found(&hub, &nightly()).await.run, 5);
}

#[tokio::test]
async fn a_cancelled_run_asks_nothing() {
    let hub = hub().start().await;
    let api = api(&hub);
    api.http().cancel().cancel();
    assert!(find_baseline(&api, &nightly()).await.is_err());
    assert!(api.comment(17, &marker("invoices"), &text()).await.is_err());
    assert!(hub.requests().is_empty());
}
