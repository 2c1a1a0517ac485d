//! The journal and its lock where processes end: at a line of it, and with the folder in their hands.
//!
//! Each test plays both processes. The other one is this test again, started in a folder that holds [`ORDER`].

use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use tunegate::cycle::journal::{Begun, Fact, Journal, Lock, read};

/// What the other process is to do, and what it says afterwards.
const ORDER: &str = "the-other-process";

fn other(test: &str, folder: &Path, order: &str) -> ExitStatus {
    fs::write(folder.join(ORDER), order).unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
}

#[test]
fn the_process_ends_at_the_line_that_was_named() {
    let here = Path::new(".");
    if let Ok(order) = fs::read_to_string(ORDER) {
        let (line, before) = order.split_once(' ').unwrap();
        Journal::die_at(line.parse().unwrap(), before == "true");
        let begun = Begun {
            version: 1,
            ..Begun::default()
        };
        let journal = Journal::begin(here, begun).unwrap();
        journal.note(&Fact::Evaluated).unwrap();
        let journal = Journal::resume(here).unwrap();
        journal.note(&Fact::Evaluated).unwrap();
        fs::write("lived", "").unwrap();
        return;
    }
    let test = "journal::the_process_ends_at_the_line_that_was_named";
    for (line, before) in (0..=5).flat_map(|line| [(line, true), (line, false)]) {
        let folder = tempfile::tempdir().unwrap();
        let ended = other(test, folder.path(), &format!("{line} {before}"));
        let lives = !(1..=4).contains(&line);
        assert_eq!(ended.success(), lives, "{line} {before}");
        assert_eq!(folder.path().join("lived").exists(), lives);
        let lines = match (lives, before) {
            (true, _) => 4,
            (false, true) => line - 1,
            (false, false) => line,
        };
        let text = fs::read_to_string(folder.path().join(Journal::FILE)).unwrap_or_default();
        assert_eq!(text.lines().count(), lines, "{line} {before}");
        assert_eq!(read(folder.path()).unwrap().is_some(), lines > 0);
        if lines > 0 {
            Journal::resume(folder.path()).unwrap();
        }
    }
}

#[test]
fn a_process_that_was_killed_holds_nothing() {
    if Path::new(ORDER).exists() {
        let lock = Lock::take(Path::new("out"));
        fs::write(ORDER, format!("{lock:?}")).unwrap();
        if lock.is_ok() {
            std::process::abort();
        }
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let other = || {
        let ended = other(
            "journal::a_process_that_was_killed_holds_nothing",
            folder.path(),
            "",
        );
        (
            ended.success(),
            fs::read_to_string(folder.path().join(ORDER)).unwrap(),
        )
    };
    let lock = Lock::take(&out).unwrap();
    let (lived, said) = other();
    let want = format!("another tunegate works in out (pid {} since ", std::process::id());
    assert!(lived && said.contains(&want), "{said}");
    drop(lock);
    for _ in 0..2 {
        let (lived, said) = other();
        assert!(!lived && said.starts_with("Ok("), "{said}");
    }
    Lock::take(&out).unwrap();
}
