//! Where the key goes: to the configured origin, and to nobody who is named in between.

use std::process::Stdio;

use serde_json::json;

use super::forms::{KEY, leaks};
use crate::harness::{Ended, House};
use crate::stub::{Act, Answer, Request, Stub};

const SUITE: &str = "version: 1\nname: s\nproject: p\nmodel: m\ncases:\n  - id: a\n    prompt: q\n";

async fn eval(house: &House, variables: &[(&str, &str)]) -> Ended {
    let mut command = house.command();
    command
        .args(["eval", "s.yaml"])
        .env("PREMAI_API_KEY", KEY)
        .envs(variables.iter().copied());
    tokio::task::spawn_blocking(move || command.output().unwrap().into())
        .await
        .unwrap()
}

fn model(request: &Request) -> Act {
    if request.json()["model"] == "m" {
        return Act::ok(json!({"choices": [{"message": {"content": "an answer"}}]}));
    }
    let verdict = json!({"feedback": "f", "reasoning": "r", "score": 1}).to_string();
    Act::ok(json!({"status": true, "choices": [{"message": {"content": verdict}}]}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_on_this_machine_is_asked_without_a_proxy() {
    let proxy = Stub::serve(|_| Act::text(502, "")).await;
    let stub = Stub::serve(model).await;
    let port = stub.url.rsplit(':').next().unwrap();
    for url in [stub.url.clone(), format!("http://localhost:{port}")] {
        let house = House::new();
        house.write("s.yaml", SUITE);
        let ended = eval(
            &house,
            &[
                ("TUNEGATE_BASE_URL", &url),
                ("HTTP_PROXY", &proxy.url),
                ("http_proxy", &proxy.url),
                ("HTTPS_PROXY", &proxy.url),
                ("ALL_PROXY", &proxy.url),
                ("all_proxy", &proxy.url),
            ],
        )
        .await;
        assert_eq!(ended.code, 0, "{url}: {ended:?}");
    }
    assert_eq!(proxy.connections(), 0);
    let sent = stub.requests();
    assert!(!sent.is_empty());
    assert!(
        sent.iter()
            .all(|r| r.header("authorization") == Some(&format!("Bearer {KEY}")))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_is_used_for_https_and_never_sees_the_key() {
    for variable in ["HTTPS_PROXY", "ALL_PROXY"] {
        let proxy = Stub::serve(|_| Act::Reply(Answer::new(403, "not through here"))).await;
        let house = House::new();
        house.write("s.yaml", SUITE);
        let mut command = house.command();
        let child = command
            .args(["eval", "s.yaml", "--base-url", "https://studio.invalid"])
            .env("PREMAI_API_KEY", KEY)
            .env(variable, &proxy.url)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        proxy.arrived(2).await;
        let ended = end(child).await;
        for request in proxy.requests() {
            assert_eq!(request.method, "CONNECT");
            assert_eq!(
                leaks(format!("{:?} {:?}", request.headers, request.body).as_bytes()),
                [""; 0]
            );
        }
        assert_eq!(leaks(format!("{ended:?}").as_bytes()), [""; 0]);
    }
}

async fn end(mut child: std::process::Child) -> Ended {
    child.kill().unwrap();
    tokio::task::spawn_blocking(move || child.wait_with_output().unwrap().into())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suite_names_no_place() {
    let elsewhere = Stub::serve(model).await;
    let url = &elsewhere.url;
    let refused = [
        format!("base_url: {url}\n"),
        format!("url: {url}\n"),
        format!("proxy: {url}\n"),
        format!("headers: {{x: {url}}}\n"),
        format!("judge:\n  base_url: {url}\n"),
        format!("judge:\n  prompt: {url}\n"),
        format!("cycle:\n  webhook: {url}\n"),
        format!("defaults:\n  endpoint: {url}\n"),
    ];
    let service = Stub::serve(model).await;
    for more in refused {
        let house = House::new();
        house.write("s.yaml", &format!("{SUITE}{more}"));
        let ended = eval(&house, &[("TUNEGATE_BASE_URL", &service.url)]).await;
        assert_eq!(ended.code, 3, "{more}: {ended:?}");
    }
    assert_eq!(
        service.connections(),
        0,
        "the suite is refused before anything is asked"
    );
    // What a suite may name is a name, and stays one.
    for (name, value) in [
        ("model", url.as_str()),
        ("project", "@example.com/x"),
        ("project", "../../x"),
    ] {
        let house = House::new();
        house.write(
            "s.yaml",
            &SUITE.replace(
                if name == "model" { ": m" } else { ": p\n" },
                &format!(": '{value}'{}", if name == "model" { "" } else { "\n" }),
            ),
        );
        eval(&house, &[("TUNEGATE_BASE_URL", &service.url)]).await;
    }
    let house = House::new();
    house
        .write(
            "s.yaml",
            &SUITE.replace(
                "    prompt: q\n",
                "    prompt: q\n    checks:\n      - json_schema: x.json\n",
            ),
        )
        .write(
            "x.json",
            &json!({"$ref": format!("{url}/schema.json")}).to_string(),
        );
    eval(&house, &[("TUNEGATE_BASE_URL", &service.url)]).await;
    assert_eq!(elsewhere.connections(), 0);
}
