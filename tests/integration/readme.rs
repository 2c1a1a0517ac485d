//! What the README says is so: its commands run, its suite and its workflow are sound, its tables are the program's.

use std::collections::BTreeSet;

use crate::harness::{House, repository};

fn readme() -> String {
    std::fs::read_to_string(repository().join("README.md")).unwrap()
}

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let readme = readme();
    let opening = format!("```{language}\n");
    readme
        .split(opening.as_str())
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

/// A folder with what a clone has that the README's commands read.
fn clone() -> House {
    let house = House::new();
    for file in ["prompts/quickstart.yaml", "prompts/safety.yaml"] {
        house.write(file, &std::fs::read_to_string(repository().join(file)).unwrap());
    }
    house
}

#[test]
fn the_first_command_does_what_is_said_of_it() {
    let commands: Vec<String> = blocks("console")
        .iter()
        .flat_map(|b| b.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(
        commands,
        [
            "$ cargo run -- run prompts/quickstart.yaml --emulator",
            "$ scripts/test"
        ]
    );
    assert!(repository().join("scripts/test").exists());
    let house = clone();
    let arguments: Vec<&str> = commands[0]
        .strip_prefix("$ cargo run -- ")
        .unwrap()
        .split(' ')
        .collect();
    let means: Vec<f64> = (0..2)
        .map(|_| {
            let ended = house.run(&arguments);
            assert_eq!(ended.code, 0, "{ended:?}");
            let excerpt = &blocks("text")[0];
            let verdict = excerpt.lines().next().unwrap();
            assert!(
                ended.stdout.starts_with(verdict),
                "{verdict} begins {}",
                ended.stdout
            );
            let results = house.json(".tunegate/invoice-extraction/results.json");
            results["figures"]["overall"]["mean"].as_f64().unwrap()
        })
        .collect();
    let told = format!("rises from {:.2} to {:.2}", means[0], means[1]);
    assert!(readme().contains(&told), "the README does not say “{told}”");
    for file in ["summary.md", "results.json"] {
        assert!(
            house.path(".tunegate/invoice-extraction").join(file).exists(),
            "{file}"
        );
    }
    assert!(house.path(".tunegate/emulator.json").exists());
}

#[test]
fn the_excerpt_s_lines_come_from_the_first_run() {
    let house = clone();
    let ended = house.run(&["run", "prompts/quickstart.yaml", "--emulator"]);
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let printed: Vec<Vec<String>> = ended.stdout.lines().map(words).collect();
    // Ids, dates and durations differ from run to run.
    let stable = |w: &String| !w.contains('-') || w.parse::<f64>().is_ok();
    for line in blocks("text")[0].lines().filter(|line| line.trim() != "…") {
        let told: Vec<String> = words(line).into_iter().filter(stable).collect();
        let found = printed
            .iter()
            .any(|p| told.iter().filter(|w| !w.ends_with('…')).all(|w| p.contains(w)));
        assert!(found, "no line like {line:?} in\n{}", ended.stdout);
    }
}

#[test]
fn the_suite_is_sound_and_the_workflow_names_inputs_that_exist() {
    let yaml = blocks("yaml");
    let suite = yaml.iter().find(|b| b.starts_with("version: 1")).unwrap();
    let house = clone();
    house.write("suite.yaml", suite);
    let ended = house.run(&["check", "suite.yaml", "prompts/*.yaml"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    let workflow = yaml.iter().find(|b| b.contains("runs-on:")).unwrap();
    let workflow: serde_json::Value = serde_yaml::from_str(workflow).unwrap();
    let steps = workflow["jobs"]["tunegate"]["steps"].as_array().unwrap();
    let ours = steps
        .iter()
        .find(|s| s["uses"].as_str().unwrap().contains("/tunegate@"))
        .unwrap();
    let action = std::fs::read_to_string(repository().join("action.yml")).unwrap();
    let action: serde_json::Value = serde_yaml::from_str(&action).unwrap();
    for input in ours["with"].as_object().unwrap().keys() {
        assert!(action["inputs"].get(input).is_some(), "no input {input}");
    }
}

#[test]
fn the_command_table_has_every_command_and_no_other() {
    let readme = readme();
    let told: BTreeSet<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|rest| rest.split(['`', ' ']).next())
        .filter(|word| word.chars().all(|c| c.is_ascii_lowercase()))
        .filter(|word| *word != "holdout")
        .collect();
    let help = House::new().run(&["--help"]).stdout;
    let listed: BTreeSet<&str> = help
        .split("Commands:\n")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap()
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| *word != "help")
        .collect();
    assert_eq!(told, listed);
}

#[test]
fn every_link_into_the_repository_leads_somewhere() {
    for link in readme()
        .split("](")
        .skip(1)
        .map(|rest| rest.split(')').next().unwrap())
    {
        if !link.starts_with("http") {
            let file = link.split('#').next().unwrap();
            assert!(repository().join(file).exists(), "{link}");
        }
    }
}
