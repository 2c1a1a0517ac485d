//! One night's runs: a suite in a folder and a service come in, the real program is run, and how each run ended
//! goes out.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use tunegate::emulator::Emulator;

use crate::harness::{House, PROJECT};

/// What every run is told beyond where the service is. By variable: a binary without the option runs as well.
const VARIABLES: [(&str, &str); 3] = [
    ("PREMAI_API_KEY", "secret-key"),
    // So that silence is a time-out.
    ("TUNEGATE_TIMEOUT", "1500ms"),
    // Longer than LATE and LAG.
    ("TUNEGATE_DOUBT_TIMEOUT", "400ms"),
];

/// How much later than its 504 an effect comes: well within the doubt.
pub(crate) const LATE: Duration = Duration::from_millis(100);

/// How much later a lagging listing shows an effect: well within the doubt.
pub(crate) const LAG: Duration = Duration::from_millis(150);

/// No run takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// The cases of the suite.
pub(crate) const CASES: u64 = 3;

/// Two answers that are rows at once, and one that is corrected first.
const SUITE: &str = "\
cases:
  - {id: total, prompt: Net 10.00 EUR. The total is 12.00 EUR. What is the total?, reference: The total is 12.00 EUR.}
  - {id: due, prompt: Sent on 2 May. Payment is due on 9 May. When is payment due?, reference: Payment is due on 9 May.}
  - {id: discount, prompt: Deliver by 12 May. Is a discount granted?, reference: none whatsoever}
gates:
  - require: cases >= 1
cycle:
  poll: 20ms
  settle_timeout: 15s
  recommendations_timeout: 15s
";

/// How a run ended.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    /// All that it said: both streams and the summary.
    pub(crate) told: String,
}

pub(crate) struct Night {
    house: House,
}

/// A run under way; killed when dropped.
pub(crate) struct Process {
    child: Child,
    said: PathBuf,
    summary: PathBuf,
}

impl Night {
    pub(crate) fn new() -> Night {
        Night::of(SUITE)
    }

    /// Of a suite that is given without its head.
    pub(crate) fn of(suite: &str) -> Night {
        let night = Night { house: House::new() };
        night.suit(suite);
        night
    }

    /// Replaces the suite.
    pub(crate) fn suit(&self, suite: &str) {
        let head = format!("version: 1\nname: s\nproject: {PROJECT}\nmodel: invoice-extractor\n");
        self.house.write("s.yaml", &(head + suite));
    }

    /// One run of the program in this night's folder.
    pub(crate) async fn run(&self, emulator: &Emulator) -> Run {
        self.start(emulator, &["run", "s.yaml"], &[]).end().await
    }

    /// A process of the program in this night's folder.
    pub(crate) fn start(
        &self,
        emulator: &Emulator,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Process {
        static PROCESSES: AtomicU32 = AtomicU32::new(0);
        let number = PROCESSES.fetch_add(1, Ordering::Relaxed);
        let said = self.house.path(&format!("said-{number}.txt"));
        let file = File::create(&said).unwrap();
        let mut command = self.house.command();
        command
            .args(arguments)
            .args(["--base-url", emulator.base_url()])
            .envs(VARIABLES)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stderr(file.try_clone().unwrap())
            .stdout(file);
        Process {
            child: command.spawn().unwrap(),
            said,
            summary: self.path("summary.md"),
        }
    }

    /// A file in the suite's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.house.path(".tunegate/s").join(name)
    }

    /// A file beside the suite.
    pub(crate) fn suite(&self, name: &str) -> PathBuf {
        self.house.path(name)
    }

    /// The record of the last run.
    pub(crate) fn results(&self) -> Value {
        let text = std::fs::read_to_string(self.path("results.json")).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }
}

impl Process {
    /// Sends a signal, by its option of `kill`; one that is gone is no fault.
    pub(crate) fn signal(&self, name: &str) {
        let mut kill = std::process::Command::new("kill");
        let _gone = kill.args([name, &self.child.id().to_string()]).output().unwrap();
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Waits for its end; the code is `None` where a signal ended it.
    pub(crate) async fn end(mut self) -> Run {
        let ended = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status.code();
                }
                tokio::time::sleep(Duration::from_millis(15)).await;
            }
        };
        let code = tokio::time::timeout(LIMIT, ended)
            .await
            .unwrap_or_else(|_too_long| panic!("no run takes longer than {LIMIT:?}"));
        let said = std::fs::read(&self.said).unwrap();
        let summary = std::fs::read_to_string(&self.summary).unwrap_or_default();
        let told = format!("{}\n{summary}", String::from_utf8_lossy(&said));
        Run { code, told }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_before = self.child.kill();
        let _waited = self.child.wait();
    }
}
