//! The action, the image and the workflows: what they promise agrees with each other and with their
//! documentation, and nothing in them can be changed from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;
use serde_json::Value;

/// The name under which this action stands in the workflows that users copy.
const OURS: &str = "OWNER/tunegate@v0";

const OUTPUTS: [&str; 13] = [
    "result",
    "launched",
    "job-id",
    "snapshot-id",
    "mean",
    "pass-rate",
    "coverage",
    "difference",
    "baseline",
    "traces",
    "report-dir",
    "results-path",
    "cache-dir",
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn object<'a>(value: &'a Value, key: &str) -> &'a serde_json::Map<String, Value> {
    value[key]
        .as_object()
        .unwrap_or_else(|| panic!("`{key}` is no mapping: {value}"))
}

/// The workflows, ours and those that users copy: path → text.
fn workflows() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for folder in [".github/workflows", "examples/workflows"] {
        let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
        for entry in entries {
            let path = format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap());
            let text = read(&path);
            found.insert(path, text);
        }
    }
    for name in ["ci", "release"] {
        assert!(
            found.contains_key(&format!(".github/workflows/{name}.yml")),
            "{found:?}"
        );
    }
    for name in ["nightly", "pull-request", "sharded"] {
        assert!(
            found.contains_key(&format!("examples/workflows/{name}.yml")),
            "{found:?}"
        );
    }
    found
}

/// The name of the environment variable that carries an input.
fn variable(input: &str) -> String {
    match input {
        "api-key" => "PREMAI_API_KEY".to_owned(),
        _ => format!("TUNEGATE_{}", input.to_uppercase().replace('-', "_")),
    }
}

#[test]
fn every_input_is_described_and_reaches_the_program_once() {
    let action = yaml("action.yml");
    let kebab = Regex::new("^[a-z]+(-[a-z]+)*$").unwrap();
    let mut expected = serde_json::Map::new();
    for (name, input) in object(&action, "inputs") {
        assert!(kebab.is_match(name), "{name}");
        let description = input["description"].as_str().unwrap_or_default();
        assert!(description.ends_with('.'), "{name}: {description:?}");
        assert!(
            input.get("default").is_none_or(Value::is_string),
            "{name}: a default is a string, as it arrives"
        );
        expected.insert(variable(name), format!("${{{{ inputs.{name} }}}}").into());
    }
    let runs = &action["runs"];
    assert_eq!(object(runs, "env"), &expected);
    assert_eq!(runs["using"], "docker");
    assert_eq!(runs["image"], "Dockerfile", "only a release's tag names an image");
    assert_eq!(runs["args"], serde_json::json!(["action"]));
}

#[test]
fn the_outputs_are_the_promised_ones() {
    let action = yaml("action.yml");
    let outputs = object(&action, "outputs");
    assert_eq!(
        outputs.keys().map(String::as_str).collect::<Vec<_>>(),
        OUTPUTS,
        "the outputs of action.yml"
    );
    for (name, output) in outputs {
        assert!(
            output["description"].as_str().is_some_and(|d| d.ends_with('.')),
            "{name} has no description"
        );
        assert!(
            output.get("value").is_none(),
            "{name}: a container's outputs have no value"
        );
    }
}

#[test]
fn the_documentation_says_what_action_yml_says() {
    let action = yaml("action.yml");
    let documentation = read("docs/github-action.md");
    let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
    let mut rows = Vec::new();
    for (name, input) in object(&action, "inputs") {
        let default = match text(&input["default"]) {
            none if none.is_empty() => String::new(),
            some => format!("`{some}`"),
        };
        rows.push(format!(
            "| `{name}` | {default} | {} |",
            text(&input["description"])
        ));
    }
    for (name, output) in object(&action, "outputs") {
        rows.push(format!("| `{name}` | {} |", text(&output["description"])));
    }
    let lines: BTreeSet<&str> = documentation.lines().collect();
    let missing: Vec<&String> = rows.iter().filter(|row| !lines.contains(row.as_str())).collect();
    assert!(
        missing.is_empty(),
        "docs/github-action.md lacks these rows:\n{}",
        missing
            .iter()
            .map(|row| row.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    );
    let documented = lines.iter().filter(|line| line.starts_with("| `")).count();
    assert_eq!(
        documented,
        rows.len(),
        "docs/github-action.md has rows that action.yml lacks"
    );
}

#[test]
fn every_action_is_pinned_by_its_commit_and_everywhere_by_the_same() {
    let uses = Regex::new(r"(?m)^\s*(?:- )?uses: (\S+)(.*)$").unwrap();
    let pinned = Regex::new(r"^([\w.-]+/[\w./-]+)@([0-9a-f]{40})$").unwrap();
    let version = Regex::new(r"^ # v\d+\.\d+\.\d+$").unwrap();
    let mut pins: BTreeMap<String, (String, String)> = BTreeMap::new();
    for (path, text) in workflows() {
        let mut seen = 0;
        for found in uses.captures_iter(&text) {
            seen += 1;
            let (what, comment) = (found[1].to_owned(), found[2].to_owned());
            if what.starts_with("./") || (what == OURS && path.starts_with("examples/")) {
                continue;
            }
            let Some(pin) = pinned.captures(&what) else {
                panic!("{path}: `{what}` is not pinned by a commit");
            };
            assert!(
                version.is_match(&comment),
                "{path}: `{what}` says no version: {comment:?}"
            );
            let here = (pin[2].to_owned(), comment);
            let known = pins.entry(pin[1].to_owned()).or_insert_with(|| here.clone());
            assert_eq!(*known, here, "{path}: {} is pinned in two ways", &pin[1]);
        }
        assert!(seen > 1, "{path}: no `uses` was found");
    }
}

#[test]
fn workflows_ask_for_little_and_put_no_foreign_text_into_a_shell() {
    for (path, text) in workflows() {
        let workflow: Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(workflow["permissions"], serde_json::json!({}), "{path}");
        assert!(!text.contains("pull_request_target"), "{path}");
        for (name, job) in object(&workflow, "jobs") {
            assert!(
                job["permissions"].is_object(),
                "{path}: {name} names no permissions"
            );
            let Some(steps) = job["steps"].as_array() else {
                continue;
            };
            assert!(
                job["timeout-minutes"].is_u64(),
                "{path}: {name} may run for hours"
            );
            for step in steps {
                let run = step["run"].as_str().unwrap_or_default();
                assert!(
                    !run.contains("${{"),
                    "{path}: {name}: an expression in a shell: {run}"
                );
                let uses = step["uses"].as_str().unwrap_or_default();
                if uses.starts_with("actions/checkout@") {
                    assert_eq!(step["with"]["persist-credentials"], false, "{path}: {name}");
                }
            }
        }
    }
}

#[test]
fn workflows_use_inputs_and_outputs_that_exist() {
    let action = yaml("action.yml");
    let inputs = object(&action, "inputs");
    let outputs = object(&action, "outputs");
    let mut steps_of_ours = 0;
    for (path, text) in workflows() {
        let workflow: Value = serde_yaml::from_str(&text).unwrap();
        for job in object(&workflow, "jobs").values() {
            let steps = job["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
            for step in steps.iter().filter(|s| s["uses"] == OURS || s["uses"] == "./") {
                steps_of_ours += 1;
                for name in object(step, "with").keys() {
                    assert!(inputs.contains_key(name), "{path}: no input `{name}`");
                }
                let id = step["id"].as_str().unwrap();
                let output = Regex::new(&format!(r"steps\.{id}\.outputs\.([\w-]+)")).unwrap();
                for used in output.captures_iter(&text) {
                    assert!(outputs.contains_key(&used[1]), "{path}: no output `{}`", &used[1]);
                }
            }
        }
    }
    assert_eq!(
        steps_of_ours, 6,
        "ci.yml, nightly.yml, pull-request.yml and, three times, sharded.yml use the action"
    );
}

#[test]
fn every_input_is_one_that_the_program_reads() {
    // Those that a command line has other ways for: arguments, commands, variables of other names.
    const OF_THE_ACTION: [&str; 6] = [
        "suites",
        "results",
        "mode",
        "api-key",
        "allow-untrusted",
        "github-token",
    ];
    let help = |command| crate::harness::House::new().run(&[command, "--help"]).stdout;
    let help = help("run") + &help("eval");
    let action = yaml("action.yml");
    let unread: Vec<&String> = object(&action, "inputs")
        .keys()
        .filter(|name| !OF_THE_ACTION.contains(&name.as_str()))
        .filter(|name| !help.contains(&format!("[env: {}]", variable(name))))
        .collect();
    assert!(unread.is_empty(), "no option reads {unread:?}");
}

#[test]
fn a_pull_request_finds_the_runs_of_the_workflow_that_init_writes() {
    let house = crate::harness::House::new();
    assert_eq!(house.run(&["init"]).code, 0);
    let of = |path: &str, action: &str| -> Value {
        let workflow = yaml(path);
        let jobs = object(&workflow, "jobs").values().next().unwrap().clone();
        let steps = jobs["steps"].as_array().unwrap();
        let step = steps
            .iter()
            .find(|s| s["uses"].as_str().unwrap().starts_with(action));
        step.unwrap()["with"].clone()
    };
    let ours = of("examples/workflows/pull-request.yml", OURS);
    let file = ours["baseline-workflow"].as_str().unwrap();
    let written = house.read(&format!(".github/workflows/{file}"));
    assert_eq!(written, read("examples/workflows/nightly.yml"));
    assert!(written.contains(&format!("# Copy it to .github/workflows/{file}")));
    for workflow in ["nightly", "pull-request"] {
        let path = format!("examples/workflows/{workflow}.yml");
        let upload = of(&path, "actions/upload-artifact@");
        assert_eq!(
            upload["name"], "tunegate",
            "the artifact that a baseline is looked for in"
        );
        assert_eq!(upload["include-hidden-files"], true);
        let job = object(&yaml(&path), "jobs").values().next().unwrap().clone();
        assert_eq!(job["permissions"]["actions"], "read", "{workflow}");
        assert_eq!(
            job["permissions"].get("pull-requests").is_some(),
            workflow == "pull-request"
        );
    }
}

#[test]
fn the_image_holds_the_program_and_sets_nothing_that_the_runner_sets() {
    let dockerfile = read("Dockerfile");
    let from = Regex::new(r"(?m)^FROM (\S+)(?: AS (\w+))?$").unwrap();
    let pinned = Regex::new(r"^\S+@sha256:[0-9a-f]{64}$").unwrap();
    let mut stages = vec!["scratch"];
    for line in dockerfile.lines().filter(|line| line.starts_with("FROM ")) {
        let found = from.captures(line).unwrap_or_else(|| panic!("{line}"));
        let base = found.get(1).unwrap().as_str();
        assert!(stages.contains(&base) || pinned.is_match(base), "{line}");
        stages.extend(found.get(2).map(|name| name.as_str()));
    }
    let compiler = rust_version(&read("Cargo.toml"));
    assert!(
        dockerfile.contains(&format!("FROM rust:{compiler}.")),
        "the image is built by another compiler than rust-version {compiler}"
    );
    let (_, last) = dockerfile.rsplit_once("\nFROM ").unwrap();
    assert!(last.starts_with("scratch\n"), "{last}");
    for word in ["WORKDIR", "USER", "CMD", "RUN"] {
        assert!(
            !last.lines().any(|line| line.starts_with(word)),
            "{word} in the last stage"
        );
    }
    assert!(last.contains("\nENTRYPOINT [\"/tunegate\"]\n"), "{last}");
    assert!(last.contains("/etc/ssl/certs/ca-certificates.crt"), "{last}");
}

fn rust_version(manifest: &str) -> String {
    let line = Regex::new(r#"(?m)^rust-version = "([\d.]+)"$"#).unwrap();
    line.captures(manifest).unwrap()[1].to_owned()
}

#[test]
fn the_image_is_built_from_every_file_that_the_sources_include() {
    let ignore = read(".dockerignore");
    assert!(ignore.lines().any(|line| line == "*"), "{ignore}");
    let kept: Vec<&str> = ignore.lines().filter_map(|line| line.strip_prefix('!')).collect();
    // Cargo reads no manifest that names a benchmark which is not there.
    for needed in ["Cargo.toml", "Cargo.lock", "benches", "src"] {
        assert!(kept.contains(&needed), "{needed} is not in .dockerignore");
    }
    let including = Regex::new(r#"include_(?:str|bytes|dir)!\(\s*"([^"]+)""#).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().unwrap();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            for found in including.captures_iter(&text) {
                let included = folder.join(&found[1]).canonicalize();
                let included = included.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                let below = included.strip_prefix(&root).unwrap();
                assert!(
                    kept.iter().any(|kept| below.starts_with(kept)),
                    "{} includes {}, which .dockerignore leaves out",
                    path.display(),
                    below.display()
                );
            }
        }
    }
}

#[test]
fn a_release_points_the_action_at_its_image() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("scripts")).unwrap();
    for file in ["action.yml", "scripts/pin-image"] {
        fs::write(folder.path().join(file), read(file)).unwrap();
    }
    let pin = |image: &str| {
        Command::new("bash")
            .arg(folder.path().join("scripts/pin-image"))
            .arg(image)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .output()
            .unwrap()
    };
    let image = format!("docker://ghcr.io/owner/tunegate@sha256:{}", "0a".repeat(32));

    for wrong in [
        "",
        "docker://ghcr.io/owner/tunegate:v1",
        "ghcr.io/x@sha256:00",
        "docker://a|b",
    ] {
        assert_eq!(pin(wrong).status.code(), Some(2), "{wrong}");
    }
    assert_eq!(
        fs::read_to_string(folder.path().join("action.yml")).unwrap(),
        read("action.yml")
    );

    let done = pin(&image);
    assert!(done.status.success(), "{done:?}");
    let pinned: Value =
        serde_yaml::from_str(&fs::read_to_string(folder.path().join("action.yml")).unwrap()).unwrap();
    let mut expected = yaml("action.yml");
    expected["runs"]["image"] = image.clone().into();
    assert_eq!(pinned, expected, "nothing but the image is changed");

    assert_eq!(
        pin(&image).status.code(),
        Some(1),
        "a second time there is nothing to replace"
    );
}
