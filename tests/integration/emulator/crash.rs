//! What outlives an emulator that is killed: all that a reply has told, wherever the kill falls.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tunegate::emulator::{Options, start};

use super::peer::{Peer, project, quick, text};

/// The real program, killed when dropped.
struct Process {
    child: Child,
    base_url: String,
}

impl Process {
    fn start(state_file: &Path) -> Process {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tunegate"))
            .args([
                "emulator",
                "--port",
                "0",
                "--correction-delay",
                "30ms",
                "--state-file",
            ])
            .arg(state_file)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let said = BufReader::new(child.stdout.take().unwrap()).read_line(&mut first);
        assert!(
            said.is_ok() && first.starts_with("http"),
            "it did not start: {first:?}"
        );
        let base_url = first.trim().to_owned();
        Process { child, base_url }
    }

    /// SIGKILL: nothing is tidied up.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_before = self.child.kill();
        let _waited = self.child.wait();
    }
}

fn client() -> reqwest::Client {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Writes traces one after the other and makes each a row, until the service is gone; what it was told.
async fn write(client: &reqwest::Client, base_url: &str, writer: usize) -> (Vec<String>, Vec<String>) {
    let (mut traces, mut added) = (Vec::new(), Vec::new());
    for number in 0.. {
        let body = json!({"project_id": project(), "model_id": "invoice-extractor", "input": format!("{writer}-{number}"),
            "output": "a", "score": if number % 2 == 0 { 0.9 } else { 0.1 }, "feedback": "The answer should be: b"});
        let post = async |path: &str, body: Option<&Value>| -> Option<Value> {
            let request = client.post(format!("{base_url}{path}")).bearer_auth("k");
            let request = match body {
                Some(body) => request.json(body),
                None => request,
            };
            request.send().await.ok()?.json().await.ok()
        };
        let Some(answer) = post("/api/v1/traces", Some(&body)).await else {
            break;
        };
        let id = text(&answer["id"]);
        let done = post(&format!("/api/v1/traces/{id}/addToDataset"), None).await;
        traces.push(id.clone());
        let Some(answer) = done else { break };
        assert!(answer["success"] == true, "{answer}");
        added.push(id);
    }
    (traces, added)
}

#[tokio::test]
async fn what_a_reply_told_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("emulator.json");
    let client = client();
    let (mut traces, mut added) = (BTreeSet::new(), BTreeSet::new());
    for moment in [5, 40, 90, 150, 220] {
        let mut process = Process::start(&path);
        let base_url = process.base_url.clone();
        let killer = async {
            tokio::time::sleep(Duration::from_millis(moment)).await;
            process.kill();
        };
        let writers = join_all((0..4).map(|writer| write(&client, &base_url, writer)));
        let (told, ()) = tokio::join!(writers, killer);
        for (told, rows) in told {
            traces.extend(told);
            added.extend(rows);
        }
    }
    assert!(added.len() > 10, "{} rows are too few to tell", added.len());
    let peer = Peer::start(Options {
        state_file: Some(path),
        ..quick()
    })
    .await;
    let state = peer.emulator.state().await;
    let ids = |kind: &str, field: &str| -> Vec<String> {
        let records = state[kind].as_array().unwrap().iter();
        records
            .filter_map(|record| record[field].as_str())
            .map(str::to_owned)
            .collect()
    };
    let held = ids("traces", "id");
    let unique: BTreeSet<String> = held.iter().cloned().collect();
    assert_eq!(held.len(), unique.len(), "an id came twice");
    assert!(
        traces.is_subset(&unique),
        "lost: {:?}",
        traces.difference(&unique)
    );
    let rows: Vec<String> = state["datasets"][0]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["trace_id"].as_str())
        .map(str::to_owned)
        .collect();
    let unique: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(rows.len(), unique.len(), "a trace became two rows");
    // Corrections that were under way are carried out as well.
    assert!(added.is_subset(&unique), "lost: {:?}", added.difference(&unique));
}

/// A state with a log of some changes, as a crash leaves it: the folder, and what was told after each change.
async fn crashed() -> (tempfile::TempDir, PathBuf, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("emulator.json");
    let peer = Peer::start(Options {
        state_file: Some(path.clone()),
        ..quick()
    })
    .await;
    let mut told = Vec::new();
    for number in 0..4 {
        told.push(peer.trace(&format!("q{number}"), "a", 0.9, "f").await);
    }
    let copy = tempfile::tempdir().unwrap();
    for name in ["emulator.json", "emulator.json.log"] {
        std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    let path = copy.path().join("emulator.json");
    (copy, path, told)
}

async fn traces_in(path: &Path) -> Vec<String> {
    let options = Options {
        state_file: Some(path.to_owned()),
        ..quick()
    };
    let emulator = start(options).await.unwrap();
    let state = emulator.state().await;
    emulator.stop().await.unwrap();
    state["traces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trace| text(&trace["id"]))
        .collect()
}

#[tokio::test]
async fn a_log_that_is_cut_anywhere_is_read_up_to_there() {
    let (_folder, path, told) = crashed().await;
    let log = std::fs::read(path.with_extension("json.log")).unwrap();
    let state = std::fs::read(&path).unwrap();
    let mut last = 0;
    for cut in 0..=log.len() {
        let whole = log[..cut]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            .saturating_sub(1);
        std::fs::write(&path, &state).unwrap();
        std::fs::write(path.with_extension("json.log"), &log[..cut]).unwrap();
        // Starting takes its time: each change once, and every cut within one line.
        if cut == log.len() || whole != last || (whole == 1 && cut % 7 == 0) {
            assert_eq!(traces_in(&path).await, told[..whole], "cut at {cut}");
        }
        last = whole;
    }
    assert_eq!(last, told.len());
}

#[tokio::test]
async fn a_log_of_another_state_is_none() {
    let (_folder, path, told) = crashed().await;
    let log = std::fs::read(path.with_extension("json.log")).unwrap();
    assert_eq!(traces_in(&path).await, told);
    // As if the crash had come between the new state and its log.
    std::fs::write(path.with_extension("json.log"), &log).unwrap();
    assert_eq!(traces_in(&path).await, told);
    // Deleting the state file alone is starting anew.
    std::fs::write(path.with_extension("json.log"), &log).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(traces_in(&path).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_log_that_is_no_log_is_told() {
    let (_folder, path, _told) = crashed().await;
    let log = path.with_extension("json.log");
    let text = std::fs::read_to_string(&log)
        .unwrap()
        .replacen("\"traces\":[{", "\"traces\":[", 1);
    std::fs::write(&log, text).unwrap();
    let options = Options {
        state_file: Some(path),
        ..quick()
    };
    let error = start(options).await.unwrap_err().to_string();
    assert!(
        error.contains("a log that can't be read") && error.contains("delete"),
        "{error}"
    );
}

#[tokio::test]
async fn a_second_emulator_on_one_state_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        state_file: Some(folder.path().join("emulator.json")),
        ..quick()
    };
    let first = start(options.clone()).await.unwrap();
    let error = start(options.clone()).await.unwrap_err().to_string();
    assert!(
        error.contains("another emulator") && error.contains("emulator.json"),
        "{error}"
    );
    first.stop().await.unwrap();
    start(options).await.unwrap().stop().await.unwrap();
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "the state and its lock: {left:?}");
}

#[tokio::test]
async fn a_state_that_cannot_be_saved_is_told_to_the_caller() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/emulator.json");
    let peer = Peer::start(Options {
        state_file: Some(path.clone()),
        ..quick()
    })
    .await;
    // The log is open and can be written still; everything anew can't, once it has grown.
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    let rows = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}\n".repeat(40_000);
    let part = |name: &str, text: &str| {
        format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n{text}\r\n")
    };
    let mut statuses = Vec::new();
    for name in ["one", "two"] {
        let form =
            part("project_id", &project()) + &part("name", name) + &part("file", &rows) + "--edge--\r\n";
        let sent = peer
            .request(reqwest::Method::POST, "/api/v1/public/datasets/create-from-jsonl")
            .header("content-type", "multipart/form-data; boundary=edge")
            .body(form)
            .send()
            .await;
        statuses.push(sent.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 500]);
}
