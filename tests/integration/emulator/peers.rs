//! Foreign clients against the emulator: the walkthrough's steps in Python, twice.

use std::process::{Command, Output, Stdio};

use super::peer::{Peer, project, quick};

/// Runs a program without this process's environment; `None` when there is no such program.
async fn run(program: &'static str, arguments: Vec<String>) -> Option<Output> {
    let started = tokio::task::spawn_blocking(move || {
        Command::new(program)
            .args(arguments)
            .env_clear()
            .env("API_KEY", "k")
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .stdin(Stdio::null())
            .output()
    });
    started.await.unwrap().ok()
}

#[tokio::test]
async fn the_walkthroughs_steps_run_to_the_end() {
    // A machine without Python has nothing to run.
    if run("python3", vec!["--version".to_owned()])
        .await
        .is_none_or(|output| !output.status.success())
    {
        return;
    }
    let peer = Peer::start(quick()).await;
    let base_url = peer.emulator.base_url().to_owned();
    let project = project();
    for cycle in 1..=2_usize {
        let arguments = [
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/walkthrough.py"),
            "--base-url",
            &base_url,
            "--project-id",
            &project,
            "--model-alias",
            "extractor",
            "--poll-seconds",
            "0.02",
        ];
        let output = run("python3", arguments.map(str::to_owned).to_vec())
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{errors}");
        let state = peer.emulator.state().await;
        assert_eq!(state["jobs"].as_array().unwrap().len(), cycle);
        assert_eq!(state["traces"].as_array().unwrap().len(), 3 * cycle);
        assert_eq!(state["counters"]["malformed"], 0, "{}", state["counters"]);
    }
}
