//! The key never comes out: a service says it in every place of every reply, in every form, and nothing
//! that the program leaves behind holds it, at the most verbose level.

mod echo;
mod forms;
mod places;

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use crate::harness::{Ended, House};
use crate::stub::Stub;
use echo::{Echo, Part};
use forms::{KEY, leaks, leaks_below};

const SUITE: &str = "version: 1\nname: s\nproject: p\nmodel: m\ndefaults:\n  pass_score: 0.1\ncases:\n  - id: a\n    prompt: q\n    tags: [t]\n  \
                     - id: b\n    prompt: r\n    reference: x\n    critical: true\n    checks:\n      \
                     - similar: {to: nothing, min: 0.0}\n  - id: c\n    prompt: h\n    holdout: true\n\
                     gates:\n  - require: cases >= 1\n  - require: mean >= 0.1\n    else: warn\n\
                     cycle:\n  poll: 20ms\n  settle_timeout: 1s\n  recommendations_timeout: 1s\n";

/// A folder with a suite, in a step of GitHub's runner.
struct Step {
    house: House,
    stub: Stub,
}

impl Step {
    async fn new(part: Part) -> Step {
        let echo = Echo::new(part);
        let stub = Stub::serve(move |request| echo.answer(request)).await;
        let house = House::new();
        house.write("s.yaml", SUITE).write("out", "").write("summary", "");
        Step { house, stub }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let path = |below: &str| self.house.path(below).to_str().unwrap().to_owned();
        let mut command = self.house.command();
        command.args(arguments).arg("--verbose").envs([
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_EVENT_NAME", "schedule".to_owned()),
            ("GITHUB_OUTPUT", path("out")),
            ("GITHUB_STEP_SUMMARY", path("summary")),
            ("RUST_LOG", "trace".to_owned()),
            ("RUST_BACKTRACE", "full".to_owned()),
            ("TUNEGATE_BASE_URL", self.stub.url.clone()),
            ("TUNEGATE_SUITES", "s.yaml".to_owned()),
            ("PREMAI_API_KEY", KEY.to_owned()),
            // Every write that stumbles is looked for that long; by default four of them are a minute.
            ("TUNEGATE_DOUBT_TIMEOUT", "300ms".to_owned()),
        ]);
        command
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = self.command(arguments);
        let ended = tokio::task::spawn_blocking(move || command.output().unwrap().into())
            .await
            .unwrap();
        self.holds_nothing(&ended, arguments);
        ended
    }

    /// Neither stream and no file holds the key.
    fn holds_nothing(&self, ended: &Ended, arguments: &[&str]) {
        assert_ne!(ended.code, 1, "a bug: {arguments:?}: {ended:?}");
        assert!(
            !ended.stderr.contains("panicked"),
            "{arguments:?}: {}",
            ended.stderr
        );
        for (name, stream) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
            assert_eq!(
                leaks(stream.as_bytes()),
                [""; 0],
                "{arguments:?}: {name}: {stream}"
            );
        }
        let (looked_at, found) = leaks_below(&self.house.path(""));
        assert!(looked_at >= 3, "{looked_at} files");
        assert_eq!(found, [""; 0], "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_cycle_holds_no_key() {
    for arguments in [
        &["run", "s.yaml"][..],
        &["run", "s.yaml", "--format", "json"],
        &["eval", "s.yaml"],
        &["eval", "s.yaml", "--format", "json"],
        &["run", "s.yaml", "--dry-run"],
        &["run", "s.yaml", "--dry-run", "--format", "json"],
        &["run", "s.yaml", "--no-launch", "--color", "always"],
        &["action"],
    ] {
        let step = Step::new(Part::Launches).await;
        let ended = step.run(arguments).await;
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        // It did say the key: this is not a test of a service that says nothing.
        let results = step.house.read(".tunegate/s/results.json");
        assert!(results.matches("[key]").count() > 20, "{arguments:?}: {results}");
        assert!(
            ended.stderr.contains("attempt"),
            "every call is logged: {}",
            ended.stderr
        );
        if arguments == ["run", "s.yaml"] {
            let launched = step.house.json(".tunegate/s/results.json");
            assert!(
                launched["cycle"]["job_id"].as_str().unwrap().contains("[key]"),
                "{launched:#}"
            );
            for format in ["text", "json", "markdown", "html", "junit"] {
                step.run(&["report", ".tunegate/s/results.json", "--format", format])
                    .await;
            }
        }
        if arguments == ["eval", "s.yaml"] {
            let ended = step.run(&["cycle", ".tunegate/s/results.json"]).await;
            assert_eq!(ended.code, 0, "{ended:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_holds_no_key() {
    let parts = [
        Part::Words,
        Part::Refuses,
        Part::Rejects,
        Part::Redirects,
        Part::Babbles,
        Part::Stumbles,
    ];
    let commands = [
        &["run", "s.yaml"][..],
        &["run", "s.yaml", "--format", "json"],
        &["action"],
    ];
    let each = |part: Part| commands.map(|arguments| (part, arguments));
    // Side by side: most of the time goes into pauses between attempts.
    let runs = parts
        .into_iter()
        .flat_map(each)
        .map(|(part, arguments)| async move {
            let step = Step::new(part).await;
            let ended = step.run(arguments).await;
            let stopped = [Part::Refuses, Part::Rejects, Part::Redirects].contains(&part);
            assert!(!stopped || ended.code == 4, "{part:?}: {ended:?}");
            assert!(part != Part::Stumbles || ended.code == 0, "{part:?}: {ended:?}");
            assert!(!step.stub.requests().is_empty());
        });
    futures_util::future::join_all(runs).await;
    let step = Step::new(Part::Refuses).await;
    let ended = step.run(&["run", "s.yaml"]).await;
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(
        (ended.stdout + &ended.stderr).contains("[key]"),
        "the service's words are told"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_run_holds_no_key() {
    let step = Step::new(Part::Hangs).await;
    let arguments = ["run", "s.yaml"];
    let mut command = step.command(&arguments);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Every answer is there, and at least one judgement is asked for.
    step.stub.arrived(6).await;
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let ended = tokio::task::spawn_blocking(move || {
        let (mut stdout, mut stderr) = (String::new(), Vec::new());
        child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        for line in BufReader::new(child.stderr.take().unwrap()).lines() {
            stderr.push(line.unwrap());
        }
        let code = child.wait().unwrap().code().unwrap_or(-1);
        let stderr = stderr.join("\n");
        Ended { code, stdout, stderr }
    })
    .await
    .unwrap();
    assert_eq!(ended.code, 130, "{ended:?}");
    step.holds_nothing(&ended, &arguments);
    assert!(step.house.read(".tunegate/s/results.json").contains("[key]"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_command_line_or_address_holds_no_key() {
    let step = Step::new(Part::Launches).await;
    for arguments in [
        &["run", "s.yaml", "--no-such-option"][..],
        &["run"],
        &["run", "s.yaml", "--timeout", "soon"],
        &["run", "s.yaml", "--base-url", KEY],
        &[
            "run",
            "s.yaml",
            "--base-url",
            &format!("https://me:{KEY}@studio.example"),
        ],
        &[
            "run",
            "s.yaml",
            "--base-url",
            &format!("http://studio.example/{KEY}"),
        ],
        &[
            "run",
            "s.yaml",
            "--base-url",
            &format!("https://studio.example/?{KEY}"),
        ],
        &["run", "s.yaml", "--help"],
        &["check", "s.yaml"],
        &["check", "nowhere.yaml"],
    ] {
        let ended = step.run(arguments).await;
        assert!([0, 2, 3].contains(&ended.code), "{arguments:?}: {ended:?}");
    }
    assert_eq!(step.stub.connections(), 0);
}

#[test]
fn the_key_is_unwrapped_where_it_is_sent_and_where_it_is_masked_and_nowhere_else() {
    // A panic's message can hold only what somebody had in hand; in its wrapping the key shows nothing.
    let wrapped = secrecy::SecretString::from(KEY);
    let settings = tunegate::http::Settings::new("http://127.0.0.1:9", wrapped);
    let client =
        tunegate::http::Client::new(settings.clone(), tokio_util::sync::CancellationToken::new()).unwrap();
    let studio = tunegate::studio::Studio::new(client.clone());
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        panic!("{settings:?} {client:?} {studio:?}")
    }))
    .unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("127.0.0.1:9"), "{message}");
    assert_eq!(leaks(message.as_bytes()), [""; 0]);

    let mut unwrapping = Vec::new();
    let mut folders = vec![crate::harness::repository().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path)
                .unwrap()
                .contains("expose_secret()")
            {
                unwrapping.push(path.file_name().unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    unwrapping.sort();
    assert_eq!(unwrapping, ["redact.rs", "transport.rs"]);
}
