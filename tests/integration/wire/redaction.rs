//! The key stands in no message, whatever the service sends back.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_service_that_repeats_the_key_does_not_bring_it_into_a_message() {
    // base64 of `Bearer <key>` and of `<key>`.
    let encoded = [
        "QmVhcmVyIHBrLWxpdmUvMDEyMzQ1Njc4OSthYmNkZWY=",
        "cGstbGl2ZS8wMTIzNDU2Nzg5K2FiY2RlZg==",
    ];
    let url_encoded = "pk-live%2F0123456789%2Babcdef";
    for text in [KEY, encoded[0], encoded[1], url_encoded] {
        for act in [
            Act::json(401, json!({"error": format!("no such key: {text}")})),
            Act::text(400, &format!("bad header: {text}")),
            Act::text(500, &format!("<html><head><title>{text}</title></head></html>")),
            Act::text(200, &format!("{text} is no JSON")),
            Act::ok(json!(text)),
        ] {
            let stub = Stub::serve(move |_| act.clone()).await;
            let client = client(&stub);
            let failure = client
                .send::<Vec<u64>>(&call(Writes::No))
                .await
                .expect_err("no list of numbers");
            for shown in [failure.to_string(), format!("{failure:?}"), format!("{client:?}")] {
                assert!(!shown.contains("0123456789"), "{shown}");
                assert!(
                    !shown.contains("MDEyMzQ1Njc4") && !shown.contains("AxMjM0NTY3"),
                    "{shown}"
                );
            }
            assert!(failure.message.contains("[key]"), "{failure}");
        }
    }
}

#[test]
fn neither_settings_nor_errors_show_the_key() {
    let settings = settings("http://studio.example");
    assert!(!format!("{settings:?}").contains("0123456789"));
    let error = Client::new(settings, CancellationToken::new()).expect_err("not encrypted");
    assert!(
        error.contains("https://") && !error.contains("0123456789"),
        "{error}"
    );
}
