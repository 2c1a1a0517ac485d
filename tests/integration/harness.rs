//! The binary in a folder of its own, with an environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tunegate::emulator::{self, Emulator};

/// A folder with suites in it, and the binary.
pub(crate) struct House {
    folder: tempfile::TempDir,
}

/// What a run of the binary left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl House {
    pub(crate) fn new() -> Self {
        House {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub(crate) fn write(&self, below: &str, text: &str) -> &Self {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn read(&self, below: &str) -> String {
        let path = self.path(below);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    pub(crate) fn json(&self, below: &str) -> Value {
        serde_json::from_str(&self.read(below)).unwrap()
    }

    /// The binary, with nothing of this process's environment but the path.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tunegate"));
        command.current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, &[])
    }

    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        self.command()
            .args(arguments)
            .envs(variables.iter().copied())
            .output()
            .unwrap()
            .into()
    }

    /// As [`House::run_with`], off the async runtime, so that an emulator in this process can answer.
    pub(crate) async fn against(&self, emulator: &Emulator, arguments: &[&str]) -> Ended {
        let mut command = self.command();
        command
            .args(arguments)
            .args(["--base-url", emulator.base_url()])
            .env("PREMAI_API_KEY", "secret-key");
        tokio::task::spawn_blocking(move || command.output().unwrap().into())
            .await
            .unwrap()
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The repository's folder.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The project that [`suite`] names and the emulator has.
pub(crate) const PROJECT: &str = "3c90c3cc-0d44-4b50-8888-8dd25736052a";

/// A suite of `n` cases whose answers stand in their prompts, with the given gates and more of the suite's keys.
pub(crate) fn suite(name: &str, n: usize, more: &str) -> String {
    let cases: String = (0..n)
        .map(|i| {
            format!(
                "  - id: case-{i}\n    prompt: |\n      Invoice number {i}\n      Total due: {i}17.{:02} EUR\n      \
                 What is the total due of invoice {i}?\n    reference: \"{i}17.{:02} EUR\"\n    tags: [totals]\n",
                i % 100,
                i % 100
            )
        })
        .collect();
    format!("version: 1\nname: {name}\nproject: {PROJECT}\nmodel: invoice-extractor\ncases:\n{cases}{more}")
}

/// Gates that anything passes, and short waits.
pub(crate) const EASY: &str = "gates:\n  - require: cases >= 1\ncycle:\n  poll: 20ms\n";

/// An emulator that has [`PROJECT`] and works fast.
pub(crate) fn options() -> emulator::Options {
    emulator::Options {
        home: emulator::Home {
            project_id: PROJECT.into(),
            model_alias: "invoice-extractor".into(),
            ..emulator::Home::default()
        },
        trace_form: emulator::TraceForm::Any,
        training_delay: std::time::Duration::ZERO,
        correction_delay: std::time::Duration::from_millis(50),
        recommendation_delay: std::time::Duration::from_millis(50),
        ..emulator::Options::default()
    }
}
