//! The rules of `docs/architecture.md`, held against the sources: who may import whom, how long a file
//! may be, who reads the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

const LINES: usize = 400;
const LINES_OF_MAIN: usize = 40;

/// A file under `src`, and its text without comments and without what stands in string literals.
struct Source {
    path: String,
    text: String,
    code: String,
}

impl Source {
    /// The folder or file right below `src` that it belongs to.
    fn room(&self) -> &str {
        let below = self.path.trim_start_matches("src/");
        below.split('/').next().unwrap_or(below).trim_end_matches(".rs")
    }

    /// How many modules deep the file's own module lies below the crate's root.
    fn depth(&self) -> usize {
        let below = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        below.trim_end_matches("/mod").split('/').count()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Every file under `src`.
fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    files_below(&root().join("src"), &mut paths);
    paths.sort();
    assert!(paths.len() > 10, "the sources were not found: {paths:?}");
    paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).unwrap();
            let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            let code = code_of(&text);
            Source { path, text, code }
        })
        .collect()
}

/// Takes comments and the content of literals out; line breaks stay.
fn code_of(text: &str) -> String {
    let tokens = Regex::new(concat!(
        r#"(?s)//[^\n]*"#,
        r#"|/\*.*?\*/"#,
        r##"|\bb?r"[^"]*""##,
        r###"|\bb?r#".*?"#"###,
        r####"|\bb?r##".*?"##"####,
        r#"|b?"(?:\\.|[^"\\])*""#,
        r#"|b?'(?:\\(?:x[0-9a-fA-F]{2}|u\{[^}]*\}|.)|[^'\\\n])'"#,
    ))
    .unwrap();
    tokens
        .replace_all(text, |found: &regex::Captures<'_>| {
            "\n".repeat(found[0].matches('\n').count())
        })
        .into_owned()
}

/// The sources without test code: no files of `#[cfg(test)] mod x;`, no bodies of `#[cfg(test)] mod x { … }`.
fn product_sources() -> Vec<Source> {
    let mut all = sources();
    let outside = Regex::new(r"#\[cfg\(test\)\]\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;").unwrap();
    let mut tests = Vec::new();
    for source in &all {
        let folder = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let folder = folder.trim_end_matches("/lib").trim_end_matches("/main");
        for found in outside.captures_iter(&source.code) {
            tests.push(format!("{folder}/{}.rs", &found[1]));
            tests.push(format!("{folder}/{}/", &found[1]));
        }
    }
    all.retain(|s| {
        !tests
            .iter()
            .any(|t| s.path == *t || (t.ends_with('/') && s.path.starts_with(t)))
    });
    for source in &mut all {
        source.code = without_inline_tests(&source.code);
    }
    all
}

fn without_inline_tests(code: &str) -> String {
    let inside = Regex::new(r"#\[cfg\(test\)\]\s*mod\s+\w+\s*\{").unwrap();
    let Some(opening) = inside.find(code) else {
        return code.to_owned();
    };
    let mut depth = 1;
    let body = &code[opening.end()..];
    let end = body.find(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        depth == 0
    });
    let rest = end.map_or("", |end| &body[end + 1..]);
    format!("{}{}", &code[..opening.start()], without_inline_tests(rest))
}

/// Room → rooms it may import, as the table of `docs/architecture.md` says; `None`: everything.
fn rules() -> BTreeMap<String, Option<BTreeSet<String>>> {
    let text = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let name = Regex::new("`([a-z]+)`").unwrap();
    text.lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells.len(), 3, "a row of docs/architecture.md: {line}");
            let may = match cells[2] {
                "everything" => None,
                "nothing" => Some(BTreeSet::new()),
                some => Some(name.captures_iter(some).map(|c| c[1].to_owned()).collect()),
            };
            (cells[0].trim_matches('`').to_owned(), may)
        })
        .collect()
}

/// The rooms that a file names: `crate::x`, `crate::{x, y::z}`, `tunegate::x`, and `super::…` that
/// climbs out of the room.
fn imports(source: &Source, rooms: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let direct = Regex::new(r"\b(?:crate|tunegate)::\s*([a-z_]\w*|\*)").unwrap();
    found.extend(direct.captures_iter(&source.code).map(|c| c[1].to_owned()));
    for opening in Regex::new(r"\b(?:crate|tunegate)::\s*\{")
        .unwrap()
        .find_iter(&source.code)
    {
        found.extend(heads_of_group(&source.code[opening.end()..]));
    }
    let climbing = Regex::new(r"\b((?:super::)+)([a-z_]\w*)").unwrap();
    for step in climbing.captures_iter(&source.code) {
        if step[1].matches("super").count() >= source.depth() && rooms.contains(&step[2]) {
            found.insert(step[2].to_owned());
        }
    }
    found.remove(source.room());
    found
}

/// `a, b::{c, d}, e}` → a, b, e.
fn heads_of_group(rest: &str) -> Vec<String> {
    let mut heads = vec![String::new()];
    let mut depth = 0;
    for c in rest.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(String::new()),
            _ if depth == 0 => heads.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    heads
        .iter()
        .filter_map(|head| head.trim().split("::").next())
        .filter(|head| !head.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_room_is_in_the_table_and_imports_what_it_may() {
    let rules = rules();
    let rooms: BTreeSet<String> = rules.keys().cloned().collect();
    assert!(
        rooms.len() >= 13,
        "the table of docs/architecture.md was not read: {rooms:?}"
    );
    let mut faults = Vec::new();
    for source in product_sources().iter().filter(|s| s.room() != "lib") {
        let Some(may) = rules.get(source.room()) else {
            faults.push(format!("{}: no such room in docs/architecture.md", source.path));
            continue;
        };
        let Some(may) = may else { continue };
        for import in imports(source, &rooms) {
            if !may.contains(&import) {
                faults.push(format!("{}: may not import `{import}`", source.path));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn plain_types_are_all_that_is_taken_where_the_table_says_so() {
    let rooms: BTreeSet<String> = rules().keys().cloned().collect();
    let mut faults = Vec::new();
    for source in product_sources() {
        let from = match source.room() {
            "results" => "suite",
            "report" => "cycle",
            _ => continue,
        };
        // A module of the room's own can bear the same name: then only whole paths mean the other room.
        let own = Regex::new(&format!(r"\bmod {from}\b"))
            .unwrap()
            .is_match(&source.code);
        let bare = !own && imports(&source, &rooms).contains(from);
        let start = if bare {
            format!(r"\b{from}::")
        } else {
            format!(r"\bcrate::{from}::")
        };
        let path = Regex::new(&format!(r"{start}(?:record::)?(\w+|\{{[^}}]*\}})")).unwrap();
        for found in path.captures_iter(&source.code) {
            let names = found[1].trim_matches(['{', '}']).split(',').map(str::trim);
            for name in names.filter(|n| n.starts_with(char::is_lowercase) && *n != "record" && *n != "self")
            {
                faults.push(format!("{}: `{from}::{name}` is no type", source.path));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut faults = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > LINES {
            faults.push(format!("{}: {lines} lines, more than {LINES}", source.path));
        }
        if source.path == "src/main.rs" && lines >= LINES_OF_MAIN {
            faults.push(format!("src/main.rs: {lines} lines, not under {LINES_OF_MAIN}"));
        }
        for part in source.path.trim_end_matches(".rs").split('/') {
            if ["util", "utils", "helper", "helpers", "common", "manager"].contains(&part) {
                faults.push(format!("{}: `{part}` names nothing of the domain", source.path));
            }
        }
    }
    for source in product_sources().iter().filter(|s| s.path != "src/main.rs") {
        if !source.text.starts_with("//! ") {
            faults.push(format!(
                "{}: does not begin with `//!` and what it is for",
                source.path
            ));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_environment_is_read_in_cli_alone() {
    let reading = Regex::new(r"\bstd::env\b|\benv::[a-z_]+|\bstd::\{[^}]*\benv\b").unwrap();
    let faults: Vec<String> = sources()
        .iter()
        .filter(|s| s.room() != "cli")
        .filter_map(|s| {
            reading
                .find(&s.code)
                .map(|found| format!("{}: {}", s.path, found.as_str()))
        })
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn nothing_is_left_undone_or_silenced() {
    let marks = Regex::new(
        r"\btodo!|\bunimplemented!|#!?\[allow\b|#\[ignore\b|#!?\[cfg_attr\([^\]]*\b(?:allow|ignore)\b",
    )
    .unwrap();
    let mut tests = Vec::new();
    files_below(&root().join("tests"), &mut tests);
    let tests = tests.iter().map(|path| {
        (
            path.display().to_string(),
            code_of(&fs::read_to_string(path).unwrap()),
        )
    });
    let faults: Vec<String> = sources()
        .into_iter()
        .map(|s| (s.path, s.code))
        .chain(tests)
        .filter_map(|(path, code)| {
            marks
                .find(&code)
                .map(|found| format!("{path}: {}", found.as_str()))
        })
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// The packages that a lock file has for one of its packages.
fn locked(lock: &str, package: &str) -> BTreeSet<String> {
    let head = format!("name = \"{package}\"\n");
    let block = lock
        .split("[[package]]\n")
        .find(|block| block.starts_with(&head))
        .unwrap();
    let name = Regex::new(r#"(?m)^ "([^" ]+)"#).unwrap();
    name.captures_iter(block)
        .map(|found| found[1].to_owned())
        .collect()
}

#[test]
fn the_fuzz_targets_are_locked_with_what_the_program_depends_on() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let manifest = read("Cargo.toml");
    let renamed = Regex::new(r#"package = "([^"]+)""#).unwrap();
    let mut section = "";
    let mut dependencies = BTreeSet::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section.ends_with("dependencies]")
            && section != "[dev-dependencies]"
            && let Some((name, value)) = line.split_once(" = ")
        {
            let package = renamed.captures(value).map(|found| found[1].to_owned());
            dependencies.insert(package.unwrap_or_else(|| name.to_owned()));
        }
    }
    assert!(
        dependencies.contains("serde-saphyr") && dependencies.contains("tokio"),
        "{dependencies:?}"
    );
    assert_eq!(
        locked(&read("fuzz/Cargo.lock"), "tunegate"),
        dependencies,
        "cargo update -p tunegate --manifest-path fuzz/Cargo.toml"
    );
}

#[test]
fn the_scanner_sees_imports_and_skips_what_is_no_code() {
    let source = |path: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
        code: code_of(text),
    };
    let rooms: BTreeSet<String> = ["cycle", "gate", "http", "score", "suite"]
        .map(str::to_owned)
        .into();
    let named = |s: &Source| imports(s, &rooms).into_iter().collect::<Vec<_>>().join(" ");

    let all = source(
        "src/gate/rule.rs",
        "use crate::{http::Client, score::{self, Figures}};\nuse super::super::cycle;\nfn f() { crate::suite::g() }",
    );
    assert_eq!(named(&all), "cycle http score suite");

    let none = source(
        "src/gate/mod.rs",
        "//! [`crate::http`]\n/* crate::http */ const A: &str = \"crate::http \\\" crate::score\";\n\
         const B: &str = r#\"crate::\"cycle\"#; const C: char = '\"'; use self::rule::suite; use crate::gate::x;",
    );
    assert_eq!(named(&none), "");
    assert_eq!(none.depth(), 1);

    let tested = "use crate::score; #[cfg(test)] mod tests { fn f() { crate::http::g() } } use crate::suite;";
    let tested = source("src/gate/mod.rs", &without_inline_tests(tested));
    assert_eq!(named(&tested), "score suite");
    assert_eq!(source("src/gate/rule/parse.rs", "").depth(), 3);
}
