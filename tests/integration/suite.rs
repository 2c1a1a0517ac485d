//! Suites on disk: every good one reads, every broken one is told in full, and nothing hostile gets through.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tempfile::TempDir;
use tunegate::gate;
use tunegate::suite::{self, Check, Reading, Role, Severity, Suite};

mod lines;

/// The suites of a folder of `tests/suites`, sorted.
fn suites(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new("tests/suites").join(folder);
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no suites in {}", folder.display());
    found
}

fn shown(reading: &Reading) -> String {
    suite::render(&reading.diagnostics, &reading.sources, false)
}

/// A folder with some files in it; the suite is `suite.yaml`.
struct Desk(TempDir);

impl Desk {
    fn with(files: &[(&str, &str)]) -> Desk {
        let desk = Desk(tempfile::tempdir().unwrap());
        for (name, text) in files {
            desk.write(name, text.as_bytes());
        }
        desk
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self) -> Reading {
        suite::read(&self.path("suite.yaml"))
    }
}

fn read(text: &str) -> Reading {
    Desk::with(&[("suite.yaml", text)]).read()
}

const HEAD: &str = "version: 1\nname: x\n";

/// A suite of one case with further lines on it.
fn one_case(lines: &str) -> String {
    format!("{HEAD}cases:\n  - id: one\n    prompt: Hi\n{lines}")
}

fn messages(reading: &Reading) -> Vec<&str> {
    reading
        .diagnostics
        .iter()
        .map(|found| found.message.as_str())
        .collect()
}

fn sound(reading: Reading) -> Suite {
    assert_eq!(shown(&reading), "");
    reading.suite.unwrap()
}

#[test]
fn every_good_suite_reads_without_a_word() {
    for path in suites("good") {
        let reading = suite::read(&path);
        assert_eq!(shown(&reading), "", "{}", path.display());
        assert!(
            reading.suite.is_some() && reading.all_tags && reading.all_ids,
            "{}",
            path.display()
        );
    }
}

#[test]
fn every_broken_suite_is_told_in_full() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../suites/broken/expected");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for path in suites("broken") {
        let reading = suite::read(&path);
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        settings.bind(|| insta::assert_snapshot!(name.clone(), shown(&reading)));
        let error = reading
            .diagnostics
            .iter()
            .any(|found| found.severity == Severity::Error);
        assert_eq!(reading.suite.is_none(), error, "{name}");
        assert_eq!(reading.refused(), error, "{name}");
        assert!(!reading.diagnostics.is_empty(), "{name}");
    }
}

#[test]
fn the_example_of_the_format_means_what_it_says() {
    let suite = sound(suite::read(Path::new("tests/suites/good/product.yaml")));
    let requires: Vec<&str> = suite.gates.iter().map(|gate| gate.require.as_str()).collect();
    assert_eq!(requires[2], "pass_rate(tag: totals) >= 0.9");
    assert_eq!((suite.gates[2].place.line, suite.gates[2].place.column), (36, 14));
    let first = &suite.cases[0];
    assert_eq!(first.texts.read().messages[0].role, Role::System);
    assert_eq!(
        (first.critical, first.holdout, first.parameters.temperature),
        (true, true, Some(0.0))
    );
    assert_eq!(first.checks[2], Check::Regex("^\\{".to_owned()));
    let ids: Vec<&str> = suite.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["total-simple", "a-1", "a-2", "b-1"]);
    let a = &suite.cases[1];
    let texts = a.texts.read();
    assert_eq!(
        (texts.input().as_str(), texts.reference.as_deref()),
        ("NO", Some("1.10"))
    );
    assert!(a.tags.contains("2026"));
    assert_eq!(
        (&*a.place.file, a.place.line),
        ("tests/suites/good/cases/a.yaml", 1)
    );
    let b = &suite.cases[3];
    assert_eq!(&*b.texts.read().messages[0].content, "Answer in French.");
    assert_eq!(
        suite.judge.rubric.as_deref(),
        Some("Amounts must match to the cent.\n")
    );
    assert_eq!(suite.cycle.recommendations_timeout, Duration::from_secs(1_800));
}

#[test]
fn defaults_hold_where_a_case_is_silent_and_add_checks_and_tags() {
    let suite = sound(suite::read(Path::new("tests/suites/good/full.yaml")));
    let own = &suite.cases[0];
    assert_eq!(&*own.texts.read().messages[0].content, "Another.");
    assert_eq!(
        (own.samples, own.pass_score, own.parameters.seed),
        (100, 1.0, Some(0))
    );
    assert_eq!(own.parameters.stop, ["."]);
    assert_eq!(own.checks.len(), 12);
    assert_eq!(own.checks[0], Check::MaxChars(2_000));
    assert_eq!(own.tags.iter().collect::<Vec<_>>(), ["all", "x", "y"]);
    let silent = &suite.cases[1];
    assert_eq!(silent.texts.read().input(), "Folded text.\n");
    assert_eq!(&*silent.texts.read().messages[0].content, "You are terse.");
    assert_eq!((silent.samples, silent.pass_score, silent.weight), (2, 0.5, 1.0));
    assert_eq!(silent.parameters.stop, ["\n", "END"]);
    let line = &suite.cases[3];
    assert_eq!((line.id.as_str(), line.place.line, line.weight), ("l-2", 3, 0.5));
    assert!(suite.judge.prompt.as_deref().unwrap().contains("{{ answer }}"));
}

#[test]
fn what_could_be_read_of_a_refused_suite_is_there_for_its_gates() {
    let reading = read(&format!(
        "{HEAD}cases:\n  - id: one\n    promt: x\n    tags: [a]\n  - id: two\n    prompt: x\ndefaults: {{tags: [b]}}\n\
         gates:\n  - require: mean(tag: c) > 1\n  - require: '  min > 1'\n"
    ));
    assert!(reading.suite.is_none() && reading.all_tags && reading.all_ids);
    assert_eq!(reading.name.as_deref(), Some("x"));
    assert_eq!(reading.tags.iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(reading.ids.iter().collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(reading.gates[1].require, "min > 1");
    let place = &reading.gates[1].place;
    let line = reading.sources.line(&place.file, place.line).unwrap();
    assert!(
        line.chars()
            .skip(place.column as usize - 1)
            .collect::<String>()
            .starts_with("min"),
        "{line}"
    );
}

/// What is wrong with the gates of what was read.
fn faults_of_gates(reading: &Reading) -> Vec<suite::Diagnostic> {
    let known = gate::Known {
        tags: &reading.tags,
        ids: &reading.ids,
        all_tags: true,
        all_ids: true,
        ..gate::Known::nothing()
    };
    gate::check(&reading.gates, &known)
}

#[test]
fn a_gate_that_is_not_written_as_it_reads_is_underlined_where_it_is_written() {
    let underlined = |gate: &str| {
        let mut reading = read(&format!(
            "{HEAD}gates:\n{gate}\ncases: [{{id: one, prompt: Hi}}]\n"
        ));
        let faults = faults_of_gates(&reading);
        reading.tell(faults);
        assert_eq!(messages(&reading), ["unknown metric `maen`"], "{gate}");
        let place = &reading.diagnostics[0].place;
        let line = reading.sources.line(&place.file, place.line).unwrap().chars();
        let from = place.column as usize - 1;
        line.skip(from)
            .take(reading.diagnostics[0].length as usize)
            .collect::<String>()
    };
    // As it reads, each word has its own place.
    assert_eq!(underlined("  - require: maen >= 0.5"), "maen");
    assert_eq!(underlined("  - require: '  maen >= 0.5'"), "maen");
    assert_eq!(underlined("  - require: |\n      drop(maen) <= 0.5"), "maen");
    assert_eq!(underlined("  - require: >\n      drop(maen) <= 0.5"), "maen");
    // Folded over lines, or with escapes, it has one for all of it.
    assert_eq!(
        underlined("  - require: >\n      drop(\n      maen) <= 0.5"),
        "drop("
    );
    assert_eq!(underlined("  - require: drop(\n      maen) <= 0.5"), "drop(");
    assert_eq!(underlined("  - require: \"drop(\n      maen) <= 0.5\""), "drop(");
    assert_eq!(underlined("  - require: |\n\n      maen >= 0.5"), "maen >= 0.5");
    assert_eq!(
        underlined("  - {require: \"drop(ma\\x65n) <= 0.5\", else: warn}"),
        "drop(ma\\x65n) <= 0.5"
    );
}

#[test]
fn a_job_name_that_is_not_written_as_it_reads_is_underlined_where_it_is_written() {
    let underlined = |name: &str| {
        let reading = read(&format!("{}cycle:\n  job_name: {name}\n", one_case("")));
        assert_eq!(messages(&reading).len(), 1, "{name}");
        let (place, length) = (
            &reading.diagnostics[0].place,
            reading.diagnostics[0].length as usize,
        );
        let line = reading.sources.line(&place.file, place.line).unwrap().chars();
        line.skip(place.column as usize - 1)
            .take(length)
            .collect::<String>()
    };
    assert_eq!(underlined("it's {{ modle }}"), "modle");
    assert_eq!(underlined("'of {{ modle }}'"), "modle");
    assert_eq!(underlined("'it''s {{ modle }}'"), "'it''s {{ modle }}'");
    assert_eq!(underlined("\"a job\n    of {{ modle }}\""), "\"a job");
    assert_eq!(underlined("a job\n    of {{ modle }}"), "a job");
    assert_eq!(underlined(">\n    a job\n    of {{ modle }}"), "a job");
}

#[test]
fn tags_are_incomplete_when_cases_could_not_be_read() {
    for text in [
        format!("{HEAD}cases:\n  - include: missing.yaml\n"),
        format!("{HEAD}cases:\n  - id: one\n    prompt: x\n    tags: a\n"),
        format!("{HEAD}cases:\n  - text\n"),
        format!("{HEAD}defaults: []\ncases:\n  - id: one\n    prompt: x\n"),
        format!("{HEAD}cases:\n  - id: one\n    prompt: \"x\n"),
        HEAD.to_owned(),
        String::new(),
    ] {
        assert!(!read(&text).all_tags, "{text}");
    }
}

#[test]
fn fingerprints_know_what_is_asked_and_nothing_else() {
    let base = "version: 1\nname: x\njudge: {votes: 2, rubric: r}\ndefaults: {temperature: 0, samples: 2}\n\
                cases:\n  - {id: a, prompt: p, tags: [t, u], checks: [{contains: c}]}\n  - {id: b, prompt: q}\n\
                gates: [{require: mean > 0}]\n";
    let same = "# a comment\ngates:\n  - require: \"mean > 0\"\n    else: fail\ncases:\n  - id: b\n    prompt: 'q'\n    temperature: 0.0\n\
                \n  - checks:\n      - contains: \"c\"\n    tags: [u, t]\n    prompt: p\n    id: a\n\
                defaults:\n  samples: 2\n  temperature: -0.0\njudge:\n  rubric: r\n  votes: 2\n  temperature: 0.1\nname: x\nversion: 1\n";
    let (base_suite, same_suite) = (sound(read(base)), sound(read(same)));
    assert_eq!(base_suite.fingerprint, same_suite.fingerprint);
    assert_eq!(base_suite.judge.fingerprint, same_suite.judge.fingerprint);
    assert_eq!(base_suite.cases[0].fingerprint, same_suite.cases[1].fingerprint);
    assert_eq!(base_suite.fingerprint.len(), 64);
    for (from, to) in [
        ("prompt: p", "prompt: P"),
        ("temperature: 0", "temperature: 1"),
        ("samples: 2", "samples: 3"),
        ("contains: c", "icontains: c"),
        ("votes: 2", "votes: 3"),
        ("rubric: r", "rubric: s"),
        ("tags: [t, u]", "tags: [t]"),
        ("id: a", "id: c"),
        ("mean > 0", "mean > 1"),
        ("name: x", "name: y"),
        ("prompt: q", "prompt: q, holdout: true"),
        ("prompt: q", "prompt: q, weight: 2"),
        ("prompt: q", "prompt: q, reference: z"),
    ] {
        let changed = sound(read(&base.replacen(from, to, 1)));
        assert_ne!(changed.fingerprint, base_suite.fingerprint, "{to}");
        let asked = ["prompt: P", "temperature: 1", "samples: 3", "icontains: c"].contains(&to);
        assert_eq!(
            changed.cases[0].fingerprint != base_suite.cases[0].fingerprint,
            asked,
            "{to}"
        );
        let judged = ["votes: 3", "rubric: s"].contains(&to);
        assert_eq!(
            changed.judge.fingerprint != base_suite.judge.fingerprint,
            judged,
            "{to}"
        );
    }
}

#[test]
fn nothing_outside_the_suites_folder_is_read() {
    let outside = Desk::with(&[
        ("secret.yaml", "- id: secret\n  prompt: SECRET\n"),
        ("secret.md", "{{ answer }} SECRET"),
    ]);
    let desk = Desk::with(&[("in/cases.yaml", "- id: a\n  prompt: b\n")]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        symlink(outside.path("secret.yaml"), desk.path("link.yaml")).unwrap();
        symlink(outside.path("secret.md"), desk.path("link.md")).unwrap();
        symlink(outside.path(""), desk.path("folder")).unwrap();
        symlink(desk.path("in"), desk.path("inside")).unwrap();
        symlink("loop", desk.path("loop")).unwrap();
    }
    for include in [
        "link.yaml",
        "*.yaml",
        "folder/secret.yaml",
        "folder/*.yaml",
        "fol*/secret.yaml",
        "**/secret.yaml",
        "loop",
    ] {
        desk.write(
            "suite.yaml",
            format!("{HEAD}cases:\n  - include: '{include}'\n").as_bytes(),
        );
        let reading = desk.read();
        assert!(reading.suite.is_none() && reading.ids.is_empty(), "{include}");
        assert!(!shown(&reading).contains("SECRET"), "{include}");
    }
    desk.write(
        "suite.yaml",
        one_case("      \njudge: {prompt: link.md}\n").as_bytes(),
    );
    assert!(messages(&desk.read())[0].contains("symbolic link"));
    // A link that stays inside is as good as a file.
    desk.write(
        "suite.yaml",
        format!("{HEAD}cases:\n  - include: 'inside/*.yaml'\n").as_bytes(),
    );
    assert_eq!(sound(desk.read()).cases.len(), 1);
    // The suite itself can't be a way out either.
    #[cfg(unix)]
    {
        fs::remove_file(desk.path("suite.yaml")).unwrap();
        std::os::unix::fs::symlink(outside.path("secret.yaml"), desk.path("suite.yaml")).unwrap();
        assert!(!shown(&desk.read()).contains("SECRET"));
    }
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_not_waited_for() {
    let desk = Desk::with(&[("suite.yaml", &format!("{HEAD}cases:\n  - include: socket.yaml\n"))]);
    let _socket = std::os::unix::net::UnixListener::bind(desk.path("socket.yaml")).unwrap();
    assert!(messages(&desk.read())[0].contains("not a regular file"));
    assert!(messages(&suite::read(Path::new("/dev/zero")))[0].contains("not a regular file"));
}

#[test]
fn a_suite_that_is_no_file_is_told() {
    let desk = Desk::with(&[("suite.yml", "x")]);
    let missing = desk.read();
    assert!(messages(&missing)[0].starts_with("there is no file"));
    assert_eq!(
        missing.diagnostics[0].help.as_deref(),
        Some("did you mean `suite.yml`?")
    );
    assert!(messages(&suite::read(desk.0.path()))[0].contains("is a folder"));
    assert!(messages(&suite::read(&desk.path("no/suite.yaml")))[0].contains("its folder is not there"));
    for odd in ["", ".", "..", "/"] {
        assert!(suite::read(Path::new(odd)).refused(), "{odd:?}");
    }
}

#[cfg(unix)]
#[test]
fn names_of_files_can_not_speak() {
    let desk = Desk::with(&[
        ("suite.yaml", &format!("{HEAD}cases:\n  - include: '*.jsonl'\n")),
        ("a\n::error::b.jsonl", "x"),
    ]);
    let reading = desk.read();
    assert_eq!(
        messages(&reading),
        ["the name of `a\\n::error::b.jsonl` holds a control character"]
    );
    assert!(
        reading
            .diagnostics
            .iter()
            .all(|found| !found.place.file.contains('\n'))
    );
    desk.write("b\u{1b}[2J.yaml", b"x: 1");
    let reading = suite::read(&desk.path("b\u{1b}[2J.yaml"));
    assert!(messages(&reading)[0].contains("holds a control character"));
    assert!(!reading.diagnostics[0].place.file.contains('\u{1b}'));
}

#[test]
fn a_file_is_bounded_in_size() {
    const MB: usize = 1024 * 1024;
    let mut text = one_case("");
    text.push_str(&"#".repeat(10 * MB - text.len()));
    sound(read(&text));
    text.push('#');
    assert!(messages(&read(&text))[0].contains("larger than 10 MB"));
}

#[test]
fn a_suite_is_bounded_in_cases_and_their_text() {
    let line = |id: usize| format!("{{\"id\":\"{id}\",\"prompt\":\"x\"}}\n");
    let many: String = (0..60_000).map(line).collect();
    let more: String = (60_000..100_000).map(line).collect();
    let include = format!("{HEAD}cases:\n  - include: '*.jsonl'\n");
    let desk = Desk::with(&[("suite.yaml", &include), ("a.jsonl", &many), ("b.jsonl", &more)]);
    let started = Instant::now();
    assert_eq!(sound(desk.read()).cases.len(), 100_000);
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
    desk.write("c.jsonl", line(100_000).as_bytes());
    assert_eq!(messages(&desk.read()), ["the suite has more than 100,000 cases"]);
    // A megabyte of system message in each of 60,000 cases.
    let system = format!(
        "{HEAD}defaults:\n  system: {}\ncases:\n  - include: a.jsonl\n",
        "y".repeat(1024 * 1024)
    );
    desk.write("suite.yaml", system.as_bytes());
    assert!(messages(&desk.read())[0].contains("256 MB"));
}

#[test]
fn thousands_of_faults_are_counted_and_two_hundred_shown() {
    let cases: String = (0..5_000)
        .map(|n| format!("  - id: c{n}\n    promt: x\n"))
        .collect();
    let reading = read(&format!("{HEAD}cases:\n{cases}"));
    assert_eq!(reading.diagnostics.len(), 201);
    assert_eq!(messages(&reading)[200], "and 4800 more faults, not shown");
    let ids: String = (0..50_000)
        .map(|_| "{\"id\":\"same\",\"prompt\":\"x\"}\n")
        .collect();
    let desk = Desk::with(&[
        ("suite.yaml", &format!("{HEAD}cases:\n  - include: a.jsonl\n")),
        ("a.jsonl", &ids),
    ]);
    assert_eq!(messages(&desk.read())[200], "and 49799 more faults, not shown");
}

#[test]
fn the_gates_faults_are_counted_with_all_others() {
    let gates = "  - require: maen >= 5\n".repeat(150);
    let told = |cases: usize| {
        let cases: String = (0..cases)
            .map(|n| format!("  - id: c{n}\n    promt: x\n"))
            .collect();
        let mut reading = read(&format!(
            "{HEAD}gates:\n{gates}cases:\n{cases}  - {{id: one, prompt: Hi}}\n"
        ));
        let faults = faults_of_gates(&reading);
        assert_eq!(faults.len(), 150);
        reading.tell(faults);
        assert!(reading.refused());
        let messages = messages(&reading);
        (
            messages.len(),
            messages.last().map(|last| (*last).to_owned()).unwrap(),
        )
    };
    assert_eq!(told(50), (200, "unknown key `promt` in the case".to_owned()));
    assert_eq!(told(60), (201, "and 10 more faults, not shown".to_owned()));
    assert_eq!(told(250), (201, "and 200 more faults, not shown".to_owned()));
}

#[test]
fn bombs_are_refused_at_once_in_plain_words() {
    let mut aliases = String::from("version: 1\nname: x\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let before = format!("*a{}, ", n - 1).repeat(10);
        aliases.push_str(&format!("a{n}: &a{n} [{before}]\n"));
    }
    let mut chain = String::from("version: 1\nname: x\na0: &a0 [x]\n");
    for n in 1..10_000 {
        chain.push_str(&format!("a{n}: &a{n} [*a{}]\n", n - 1));
    }
    let text = format!(
        "{HEAD}a: &a {}\ncases: [{}]\n",
        "x".repeat(1_000_000),
        "*a, ".repeat(10_000)
    );
    for (bomb, word) in [
        (aliases, "aliases grow"),
        (chain, "deeper than 64"),
        (text, "aliases grow"),
        ("[".repeat(5_000_000), "deeper than 64"),
        ("{a: ".repeat(2_000_000), "deeper than 64"),
        ("- ".repeat(5_000_000), "deeper than 64"),
        ("? ".repeat(5_000_000), "deeper than 64"),
        (format!("cases: [{}]", "x,".repeat(4_000_000)), "1,000,000 values"),
        (format!("a: \"{}", "\n".repeat(9_000_000)), "never closed"),
        ("&a ".repeat(1_000_000), ""),
        ("!!str ".repeat(1_000_000), ""),
        ("a:\n".repeat(2_000_000), ""),
        ("---\n".repeat(2_000_000), "second YAML document"),
        ("*a\n".repeat(2_000_000), ""),
        ("%X\n".repeat(2_000_000), ""),
        (format!("cases:\n{}", "- *a\n".repeat(900_000)), "more faults"),
    ] {
        let started = Instant::now();
        let reading = read(&bomb);
        let told = shown(&reading);
        assert!(
            reading.refused() && told.contains(word),
            "{}: {}",
            bomb.get(..40).unwrap(),
            told.get(..300).unwrap_or(&told)
        );
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{}: {:?}",
            bomb.get(..40).unwrap(),
            started.elapsed()
        );
    }
}

#[test]
fn jsonl_bombs_are_refused_too() {
    let desk = Desk::with(&[("suite.yaml", &format!("{HEAD}cases:\n  - include: a.jsonl\n"))]);
    for bomb in [
        "[".repeat(9_000_000),
        "{\"a\":".repeat(1_000_000),
        "[]\n".repeat(3_000_000),
        format!("[{}1]", "1,".repeat(4_000_000)),
        "\"\\u0000".repeat(1_000_000),
    ] {
        desk.write("a.jsonl", bomb.as_bytes());
        let started = Instant::now();
        assert!(desk.read().refused());
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{}: {:?}",
            bomb.get(..10).unwrap(),
            started.elapsed()
        );
    }
}

#[test]
fn hostile_patterns_and_schemas_are_refused() {
    let check = |check: &str| one_case(&format!("    checks:\n      - {check}\n"));
    for pattern in [
        "'(?i)\\p{L}{1000}{1000}'".to_owned(),
        format!("'{}'", "(".repeat(100_000)),
        "'x{4294967295}'".to_owned(),
        // Before it is compiled, a megabyte of these takes gigabytes.
        format!("'{}'", "\\pL|".repeat(3_000)),
    ] {
        assert!(read(&check(&format!("regex: {pattern}"))).refused());
    }
    let large: String = (0..2_000)
        .map(|n| format!("      - regex: '\\w{{100}}{n}'\n"))
        .collect();
    let reading = read(&one_case(&format!("    checks:\n{large}")));
    assert!(messages(&reading)[0].ends_with("the suite's patterns are too many and too large together"));
    let deep = format!("{}{{}}{}", "{\"not\":".repeat(10_000), "}".repeat(10_000));
    let desk = Desk::with(&[
        ("suite.yaml", &check("json_schema: deep.json")),
        ("deep.json", &deep),
    ]);
    assert!(messages(&desk.read())[0].contains("not JSON"));
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let good = fs::read("tests/suites/good/product.yaml").unwrap();
    let length = good.len();
    let edits = prop::collection::vec(
        (0..length, 0..12usize, prop::collection::vec(any::<u8>(), 0..4)),
        1..6,
    );
    let tokens = prop::sample::select(vec![
        "\"", "'", "[", "{", "}", "*a ", "&a ", "\t", "- ", ": ", "\n", "---\n", "!t ", "|\n", "{{ ",
    ]);
    (edits, prop::collection::vec((0..length, tokens), 0..4)).prop_map(move |(edits, tokens)| {
        let mut bytes = good.clone();
        for (at, cut, put) in edits {
            let at = at.min(bytes.len());
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, put);
        }
        for (at, token) in tokens {
            let at = at.min(bytes.len());
            bytes.splice(at..at, token.bytes());
        }
        bytes
    })
}

/// Reads bytes as a suite and holds what must hold whatever they are.
fn holds(bytes: &[u8], name: &str) {
    let desk = Desk::with(&[("suite.yaml", &format!("{HEAD}cases:\n  - include: {name}\n"))]);
    desk.write(name, bytes);
    let reading = desk.read();
    assert_eq!(reading.suite.is_none(), reading.refused());
    for found in &reading.diagnostics {
        assert!(found.place.line >= 1 && found.place.column >= 1 && found.length >= 1);
        assert!(
            !found.message.contains('\n') && !found.message.contains('\u{1b}'),
            "{:?}",
            found.message
        );
    }
    let told = shown(&reading);
    assert!(!told.chars().any(|c| c.is_control() && c != '\n'), "{told:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        holds(&bytes, "suite.yaml");
        holds(&bytes, "cases.yaml");
        holds(&bytes, "cases.jsonl");
    }

    #[test]
    fn no_text_makes_it_panic(text in "(id|prompt|cases|version|[-:{}\\[\\]&*!|>'\"%@`# \t\r\n\u{feff}é日]){0,60}") {
        holds(text.as_bytes(), "suite.yaml");
        holds(text.as_bytes(), "cases.yaml");
        holds(text.as_bytes(), "cases.jsonl");
    }

    #[test]
    fn no_slip_in_a_good_suite_makes_it_panic(bytes in mutated()) {
        holds(&bytes, "suite.yaml");
    }
}

#[test]
fn the_fingerprint_of_a_suite_without_anchors_is_what_it_was_before_there_were_any() {
    let suite = sound(suite::read(Path::new("tests/suites/good/product.yaml")));
    assert_eq!(
        suite.fingerprint,
        "484c913ce9d154cffb4554c201e23233e9f464bcff4a8bfc34f5b2b2e262b761"
    );
}

fn anchored(anchors: &str) -> String {
    format!("{HEAD}judge:\n  anchors:\n{anchors}cases:\n  - id: one\n    prompt: Hi\n")
}

#[test]
fn anchors_are_read_with_their_place_and_their_default_tolerance() {
    let suite = sound(read(&anchored(
        "    - {question: What is 2 + 2?, answer: 4, reference: four, expected: 1, tolerance: 0.05}\n    \
         - question: What is 2 + 2?\n      answer: |\n        5\n      expected: 0\n",
    )));
    let [good, bad] = suite.judge.anchors.as_slice() else {
        panic!("{:?}", suite.judge.anchors)
    };
    assert_eq!(
        (good.question.as_str(), good.answer.as_str()),
        ("What is 2 + 2?", "4")
    );
    assert_eq!((good.reference.as_deref(), good.expected), (Some("four"), 1.0));
    assert_eq!((good.tolerance, bad.tolerance), (0.05, suite::DEFAULT_TOLERANCE));
    assert_eq!((bad.answer.as_str(), bad.reference.as_deref()), ("5\n", None));
    let places = [&good.place, &bad.place].map(|place| (place.line, place.column));
    assert_eq!(places, [(5, 7), (6, 7)]);
}

#[test]
fn an_anchor_is_known_by_its_texts_and_is_a_part_of_the_suite_but_not_of_the_judge() {
    let two = "    - {question: q, answer: a, expected: 1}\n    - {question: q, answer: b, reference: r, expected: 0}\n";
    let base = sound(read(&anchored(two)));
    let (first, second) = two.split_once('\n').unwrap();
    let turned = sound(read(&anchored(&format!("{second}{first}\n"))));
    assert_eq!(base.fingerprint, turned.fingerprint);
    assert_eq!(
        base.judge.anchors[0].fingerprint,
        turned.judge.anchors[1].fingerprint
    );
    let none = sound(read(&one_case("")));
    assert_eq!(base.judge.fingerprint, none.judge.fingerprint);
    assert_ne!(base.fingerprint, none.fingerprint);
    assert_eq!(sound(read(&anchored("    []\n"))).fingerprint, none.fingerprint);
    for (from, to, other_anchor) in [
        ("question: q", "question: p", true),
        ("answer: a", "answer: A", true),
        ("answer: a", "answer: a, reference: r", true),
        ("expected: 1", "expected: 0.9", false),
        ("expected: 1", "expected: 1, tolerance: 0.2", false),
    ] {
        let changed = sound(read(&anchored(&two.replacen(from, to, 1))));
        assert_ne!(changed.fingerprint, base.fingerprint, "{to}");
        assert_eq!(changed.judge.fingerprint, base.judge.fingerprint, "{to}");
        let fingerprints = [&changed, &base].map(|suite| suite.judge.anchors[0].fingerprint.clone());
        assert_eq!(fingerprints[0] != fingerprints[1], other_anchor, "{to}");
    }
}

#[test]
fn anchors_are_bounded_in_number_and_an_alias_is_no_other_one() {
    let many = |number: usize| -> String {
        (0..number)
            .map(|i| format!("    - {{question: q{i}, answer: a, expected: 1}}\n"))
            .collect()
    };
    assert_eq!(sound(read(&anchored(&many(200)))).judge.anchors.len(), 200);
    let reading = read(&anchored(&many(201)));
    assert_eq!(messages(&reading), ["the judge has more than 200 anchors"]);
    let reading = read(&anchored(
        "    - &a {question: q, answer: a, expected: 1}\n    - *a\n",
    ));
    assert_eq!(messages(&reading), ["the same anchor stands in line 5 already"]);
    let help = reading.diagnostics[0].help.as_deref().unwrap();
    assert!(help.contains("alias"), "{help}");
}
