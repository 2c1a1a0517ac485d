//! What `docs/` says is so: every key of the format, every option of the emulator and every message stands in it as
//! the program has it, and what it shows as a suite, a file or a command is one.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;
use tunegate::emulator;

use crate::harness::{House, repository};

fn page(name: &str) -> String {
    std::fs::read_to_string(repository().join(name)).unwrap()
}

/// The fenced blocks of a page: the words behind the fence, and the text.
fn blocks(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut rest = page;
    while let Some((_, opened)) = rest.split_once("\n```") {
        let (info, body) = opened.split_once('\n').unwrap();
        let (text, after) = body.split_once("```").unwrap();
        blocks.push((info.to_owned(), text.to_owned()));
        rest = after;
    }
    blocks
}

/// The rows of every table below a line that holds `from`, up to the next line that begins with `#`, as cells.
fn rows(page: &str, from: &str) -> Vec<Vec<String>> {
    let below = page.split_once(from).unwrap_or_else(|| panic!("no {from:?}")).1;
    let section = below.split("\n#").next().unwrap();
    let lines = section
        .lines()
        .filter(|l| l.starts_with("| ") && !l.starts_with("|---"));
    lines
        .map(|line| {
            line.trim_matches('|')
                .split(" | ")
                .map(|c| c.trim().to_owned())
                .collect()
        })
        .collect()
}

/// The rows whose first cell is a single word in backticks.
fn keyed(rows: Vec<Vec<String>>) -> Vec<(String, Vec<String>)> {
    rows.into_iter()
        .filter_map(|cells| {
            let key = cells[0].strip_prefix('`')?.strip_suffix('`')?.to_owned();
            (!key.contains(['`', ' '])).then_some((key, cells))
        })
        .collect()
}

fn sorted<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut words: Vec<&str> = words.into_iter().collect();
    words.sort_unstable();
    words
}

#[test]
fn the_format_s_tables_have_every_key_with_its_default_and_range() {
    let page = page("docs/suite.md");
    let schema: Value = serde_json::from_str(&tunegate::suite::json_schema()).unwrap();
    let of = |name: &str| schema["$defs"][name]["properties"].as_object().unwrap().clone();
    let tables = [
        (
            "\n## At the top",
            schema["properties"].as_object().unwrap().clone(),
        ),
        ("\n## `cases`", of("Case")),
        ("\nA message has\n", of("Message")),
        ("\n### Files of cases", of("Include")),
        ("\n## `defaults`", of("Defaults")),
        ("\n`similar` has\n", of("Similar")),
        ("\n## `judge`", of("Judge")),
        ("\nAn anchor has\n", of("Anchor")),
        ("\n## `gates`", of("Gate")),
        ("\n## `cycle`", of("Cycle")),
    ];
    for (heading, properties) in tables {
        let first_table = page.split_once(heading).unwrap().1;
        let table = first_table.split("\n\n").find(|part| part.contains("| key |"));
        let told = keyed(rows(table.unwrap(), "|---|---|---|"));
        let keys = sorted(told.iter().map(|(key, _)| key.as_str()));
        assert_eq!(
            keys,
            sorted(properties.keys().map(String::as_str)),
            "below {heading:?}"
        );
        for (key, cells) in &told {
            let property = &properties[key];
            if let Some(default) = property.get("default") {
                let default = default
                    .as_str()
                    .map_or_else(|| default.to_string(), str::to_owned);
                assert_eq!(cells[1], format!("`{default}`"), "{key} below {heading:?}");
            }
            let text = cells[2].replace(',', "");
            for bound in ["minimum", "exclusiveMinimum", "maximum"] {
                // A version's range says nothing; its value is told.
                if let Some(bound) = property.get(bound).filter(|_| key != "version") {
                    let bound = bound.to_string();
                    let bound = bound.trim_end_matches(".0");
                    let stands = text
                        .split(|c: char| !c.is_ascii_digit() && c != '-')
                        .any(|w| w == bound);
                    assert!(stands, "{key} below {heading:?} does not say {bound}");
                }
            }
        }
    }
    let checks = schema["$defs"]["Check"]["oneOf"].as_array().unwrap();
    let checks = checks
        .iter()
        .filter_map(|check| check["properties"].as_object()?.keys().next());
    let told = keyed(rows(&page, "| check | passes when |"));
    let told = told
        .iter()
        .map(|(key, _)| key.as_str())
        .filter(|key| !matches!(*key, "to" | "min"));
    assert_eq!(sorted(told), sorted(checks.map(String::as_str)));
}

#[test]
fn the_gates_tables_have_every_metric_and_selector() {
    let house = House::new();
    let suite = "version: 1\nname: x\ncases:\n  - {id: a, prompt: Hi}\ngates:\n  - require: qqqq >= 1\n  \
                 - require: mean(qqqq) >= 1\n";
    house.write("suite.yaml", suite);
    let told = house.run(&["check", "suite.yaml"]).stderr;
    let listed = |after: &str| -> Vec<String> {
        let line = told.lines().find_map(|line| line.split_once(after));
        let words = line.unwrap_or_else(|| panic!("{told}")).1;
        words
            .split([',', ' ', '`'])
            .filter(|w| !w.is_empty() && !matches!(*w, "and" | "x" | "id"))
            .map(|w| w.trim_end_matches([':']).replace("(metric)", ""))
            .collect()
    };
    let page = page("docs/suite.md");
    let metrics = keyed(rows(&page, "\n| metric |"));
    let metrics = metrics
        .iter()
        .map(|(key, _)| key.as_str())
        .filter(|key| !matches!(*key, "holdout" | "critical"));
    assert_eq!(
        sorted(metrics),
        sorted(listed("metrics are ").iter().map(String::as_str))
    );
    let selectors = rows(&page, "\n| selector |");
    let selectors = selectors.iter().filter_map(|cells| cells[0].strip_prefix('`'));
    let selectors = selectors
        .map(|s| s.split([':', '`']).next().unwrap())
        .filter(|s| !s.contains(' '));
    assert_eq!(
        sorted(selectors),
        sorted(listed("selectors are ").iter().map(String::as_str))
    );
}

#[test]
fn every_suite_of_the_format_s_page_is_sound() {
    // Enough of them for a drop.
    let more: String = (0..50)
        .map(|i| format!("  - {{id: more-{i}, prompt: Hi, tags: [totals]}}\n"))
        .collect();
    let cases = format!(
        "cases:\n  - {{id: total-plain, prompt: Hi, tags: [totals, line items], critical: true}}\n  \
         - {{id: other, prompt: Hi, holdout: true}}\n{more}"
    );
    let house = House::new();
    let found = blocks(&page("docs/suite.md"));
    for (info, text) in &found {
        if let Some((_, file)) = info.split_once(' ') {
            house.write(file, text);
        }
    }
    let mut checked = 0;
    for (_, text) in found.iter().filter(|(info, _)| info == "yaml") {
        let mut suite = text.clone();
        if !text.contains("version: 1") {
            suite = format!("version: 1\nname: fragment\n{suite}");
        }
        if !text.contains("\ncases:") && !text.starts_with("cases:") {
            suite.push_str(&cases);
        }
        house.write("suite.yaml", &suite);
        let ended = house.run(&["check", "suite.yaml"]);
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (0, ""),
            "{suite}\n{}",
            ended.stderr
        );
        checked += 1;
    }
    assert!(checked >= 6, "{checked} suites");
}

#[test]
fn the_emulator_s_page_has_every_option_with_its_default() {
    let help = House::new().run(&["emulator", "--help"]).stdout;
    let options = help.split("\nOptions:\n").nth(1).unwrap();
    let mut listed: Vec<(String, Option<String>)> = Vec::new();
    for line in options.split("\nDisplay:\n").next().unwrap().lines() {
        let line = line.trim();
        if let Some(option) = line.strip_prefix("--") {
            listed.push((format!("--{}", option.split_whitespace().next().unwrap()), None));
        } else if let Some(default) = line.strip_prefix("[default: ") {
            listed.last_mut().unwrap().1 = default.strip_suffix(']').map(str::to_owned);
        }
    }
    let told = keyed(rows(&page("docs/emulator.md"), "\n| option |"));
    let names = |found: &[(String, Option<String>)]| found.iter().map(|f| f.0.clone()).collect::<Vec<_>>();
    let told_names: Vec<String> = told.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(told_names, names(&listed));
    let home = emulator::Home::default();
    for ((option, default), (_, cells)) in listed.iter().zip(&told) {
        let default = match option.as_str() {
            "--project" => Some(home.project_id.clone()),
            "--model" => Some(home.model_alias.clone()),
            "--dataset" => Some(home.dataset_label.clone()),
            _ => default.clone(),
        };
        if let Some(default) = default {
            assert_eq!(cells[1], format!("`{default}`"), "{option}");
        }
    }
}

#[tokio::test]
async fn the_emulator_s_page_has_every_field_of_its_state_and_its_curl_is_answered() {
    let page = page("docs/emulator.md");
    let emulator = emulator::start(emulator::Options::default()).await.unwrap();
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = |path: &str| format!("{}{path}", emulator.base_url());
    let chat = blocks(&page)
        .into_iter()
        .find(|(_, text)| text.contains("/api/v1/chat/completions"));
    let chat = chat.unwrap().1;
    let body = chat
        .split_once("-d '")
        .unwrap()
        .1
        .split('\'')
        .next()
        .unwrap()
        .to_owned();
    let request = client
        .post(url("/api/v1/chat/completions"))
        .bearer_auth("any")
        .header("content-type", "application/json")
        .body(body);
    let reply = request.send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 200);
    let state: Value = client
        .get(url("/__emulator/state"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let told = keyed(rows(&page, "\n| field |"));
    let fields = state.as_object().unwrap().keys().map(String::as_str);
    assert_eq!(sorted(told.iter().map(|(key, _)| key.as_str())), sorted(fields));
    let counters = &told.iter().find(|(key, _)| key == "counters").unwrap().1[1];
    for counter in state["counters"].as_object().unwrap().keys() {
        assert!(counters.contains(&format!("`{counter}`")), "{counter}");
    }
    emulator.stop().await.unwrap();
}

#[test]
fn every_command_of_the_emulator_s_page_is_one() {
    let house = House::new();
    house.write("prompts/quickstart.yaml", &page("prompts/quickstart.yaml"));
    let mut started = 0;
    for (_, text) in blocks(&page("docs/emulator.md")) {
        for line in text.lines().filter(|line| line.contains("tunegate")) {
            let words: Vec<&str> = line.split_once("tunegate ").unwrap().1.split(' ').collect();
            if words[0] != "emulator" {
                // Nobody listens at that address here.
                let words: Vec<&str> = words
                    .into_iter()
                    .map(|w| if w.starts_with("http") { "--emulator" } else { w })
                    .filter(|w| *w != "--base-url")
                    .collect();
                let ended = house.run(&words);
                assert_eq!(ended.code, 0, "{line}: {ended:?}");
                continue;
            }
            let words: Vec<&str> = words.iter().map(|w| if *w == "8787" { "0" } else { w }).collect();
            let mut child = house
                .command()
                .args(&words)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut first = String::new();
            BufReader::new(child.stdout.take().unwrap())
                .read_line(&mut first)
                .unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(first.starts_with("http://127.0.0.1:"), "{line}: {first:?}");
            started += 1;
        }
    }
    assert!(started >= 2, "{started} emulators");
}

#[test]
fn more_faults_than_requests_are_refused() {
    let ended = House::new().run(&["emulator", "--port", "0", "--rate-5xx", "0.8", "--reset", "0.3"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("more than 1 together"), "{ended:?}");
}

/// The texts of the sources, string literals that go on in the next line joined.
fn sources(folder: &std::path::Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn what_a_person_on_call_sees_is_what_the_program_says() {
    let mut source = String::new();
    sources(&repository().join("src"), &mut source);
    let joined = regex::Regex::new(r"\\\n\s*").unwrap().replace_all(&source, "");
    let mut held = 0;
    let page = page("docs/reliability.md");
    let table = page.split_once("\n## What you see").unwrap().1;
    for cells in rows(&table.replace("\n### ", "\n"), "") {
        for message in cells[0].split('`').skip(1).step_by(2) {
            for part in message.split('…').map(str::trim).filter(|part| part.len() > 3) {
                assert!(joined.contains(part), "nothing says {part:?}");
                held += 1;
            }
        }
    }
    assert!(held > 40, "{held} messages");
}

#[test]
fn the_exit_codes_are_those_of_the_help() {
    let help = House::new().run(&["--help"]).stdout;
    let line = help.split_once("Exit codes: ").unwrap().1;
    let codes: BTreeSet<&str> = line
        .split(['·', '\n'])
        .filter_map(|part| part.trim().split(' ').next())
        .filter(|word| !word.is_empty())
        .collect();
    for (file, table) in [("docs/cycle.md", "\n| code |"), ("README.md", "\n| exit code |")] {
        let rows = rows(&page(file), table);
        let told = rows
            .iter()
            .map(|cells| cells[0].as_str())
            .filter(|c| c.parse::<u8>().is_ok());
        assert_eq!(told.collect::<BTreeSet<_>>(), codes, "{file}");
    }
}

#[test]
fn every_link_between_the_pages_leads_somewhere() {
    let mut pages: Vec<String> = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        .map(str::to_owned)
        .to_vec();
    for entry in std::fs::read_dir(repository().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            pages.push(format!("docs/{name}"));
        }
    }
    for name in pages {
        let text = page(&name);
        let folder = repository().join(&name).parent().unwrap().to_owned();
        for link in text
            .split("](")
            .skip(1)
            .map(|rest| rest.split(')').next().unwrap())
        {
            let file = link.split('#').next().unwrap();
            if !file.is_empty() && !file.contains("://") {
                assert!(folder.join(file).exists(), "{name}: {link}");
            }
        }
    }
}
