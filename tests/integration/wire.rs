//! The HTTP client and Prem Studio's calls against a service that misbehaves on demand.

mod bounds;
mod calls;
mod cancelling;
mod connections;
mod endless;
mod front;
mod origin;
mod redaction;
mod repeats;
mod traces;

use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tunegate::http::{Call, Client, Failure, Reply, Settings, Writes};
use tunegate::studio::Studio;

use crate::stub::{Act, Answer, Stub};

const KEY: &str = "pk-live/0123456789+abcdef";

fn settings(url: &str) -> Settings {
    Settings::new(url, KEY.into())
}

fn client(stub: &Stub) -> Client {
    Client::new(settings(&stub.url), CancellationToken::new()).expect("loopback is allowed")
}

fn studio(stub: &Stub) -> Studio {
    Studio::new(client(stub))
}

fn call(writes: Writes) -> Call {
    Call {
        name: "test call",
        method: reqwest::Method::POST,
        path: "/api/v1/thing".to_owned(),
        query: Vec::new(),
        body: Some(json!({"a": 1}).to_string().into()),
        writes,
    }
}

async fn send(client: &Client, writes: Writes) -> Result<Reply<Value>, Failure> {
    client.send(&call(writes)).await
}

fn fine() -> Act {
    Act::ok(json!({"fine": true}))
}

/// JSON that breaks off without the transport noticing.
fn broken_off() -> Act {
    Act::Raw(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"fine\": tr".to_vec())
}

fn cut() -> Act {
    Act::Cut(Answer::new(200, r#"{"fine": true}"#), 5)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
