//! The shards of one suite → what is not the same in all of them and has to be, with the files that differ.

use serde::Serialize;

use super::merge::{Part, named};
use crate::results::Baseline;

/// Characters of a hash that tell one from another.
const SHORT: usize = 12;

/// What of a shard is told by a short name.
type Value = fn(&Part) -> String;
/// What of it is compared as a whole.
type Content = fn(&Part) -> Option<String>;

/// A fault for each thing that differs.
pub(super) fn differences(parts: &[Part]) -> Vec<String> {
    let told: [(&str, Value); 12] = [
        ("format version", |p| p.results.version.to_string()),
        ("suite (by its fingerprint)", |p| {
            short(&p.results.suite.fingerprint)
        }),
        ("number of cases", |p| p.shard.of_cases.to_string()),
        ("model", |p| p.results.suite.model.to_string()),
        ("project", |p| p.results.suite.project.to_string()),
        ("dataset", |p| or_none(p.results.suite.dataset.as_deref())),
        ("judge (by its fingerprint)", |p| {
            short(&p.results.suite.judge.fingerprint)
        }),
        ("service", service),
        ("commit", |p| {
            or_none(p.results.run.commit.as_deref().map(short).as_deref())
        }),
        ("workflow run", |p| {
            or_none(p.shard.workflow_run.map(|run| run.to_string()).as_deref())
        }),
        ("baseline", |p| {
            or_none(
                p.results
                    .baseline
                    .as_ref()
                    .map(|base| short(&base.run.id))
                    .as_deref(),
            )
        }),
        ("set of gates", |p| {
            let policy = p.results.suite.policy.as_ref();
            policy.map_or_else(|| "the suite's own".to_owned(), |policy| policy.from.to_string())
        }),
    ];
    let mut faults: Vec<String> = told
        .iter()
        .filter_map(|(what, value)| difference(parts, what, *value))
        .collect();
    // What has no short name to be told by. Most of it follows from the suite's fingerprint, and was told with that.
    let untold: [(&str, Content); 4] = [
        ("the judge's settings", |p| json(&p.results.suite.judge)),
        ("the gates", |p| {
            json(&(&p.results.suite.gates, &p.results.suite.policy))
        }),
        ("the cycle's settings", |p| json(&p.results.suite.cycle)),
        ("the baseline", |p| {
            json(&p.results.baseline.as_ref().map(head_of_baseline))
        }),
    ];
    if faults.is_empty() {
        for (what, value) in untold {
            faults.extend(
                odd(parts, value).map(|(one, other)| format!("{what} in {other} are not those in {one}")),
            );
        }
        let of = |p: &Part| p.shard.baseline.as_ref().map(|portion| portion.of_cases);
        faults.extend(
            odd(parts, of)
                .map(|(one, other)| format!("the baseline in {other} has not as many cases as in {one}")),
        );
    }
    faults
}

/// `another model: m in a, n in b and c`
fn difference(parts: &[Part], what: &str, value: Value) -> Option<String> {
    let mut values: Vec<(String, Vec<&str>)> = Vec::new();
    for part in parts {
        let value = value(part);
        match values.iter_mut().find(|(there, _)| *there == value) {
            Some((_, files)) => files.push(&part.path),
            None => values.push((value, vec![&part.path])),
        }
    }
    if values.len() < 2 {
        return None;
    }
    let told = values
        .iter()
        .map(|(value, files)| format!("{value} in {}", named(files)));
    Some(format!(
        "not of one {what}: {}",
        told.collect::<Vec<_>>().join("; ")
    ))
}

/// The first two files that differ.
fn odd<T: PartialEq>(parts: &[Part], value: impl Fn(&Part) -> T) -> Option<(&str, &str)> {
    let (first, rest) = parts.split_first()?;
    let is = value(first);
    let other = rest.iter().find(|part| value(part) != is)?;
    Some((&first.path, &other.path))
}

/// The emulator has another port in every process.
fn service(part: &Part) -> String {
    match part.results.run.emulator {
        true => "the built-in emulator".to_owned(),
        false => part.results.run.base_url.to_string(),
    }
}

/// A baseline without what each shard has a part of.
fn head_of_baseline(baseline: &Baseline) -> Baseline {
    let mut head = Baseline {
        cases: Vec::new(),
        source: baseline.source.clone(),
        run: baseline.run.clone(),
        judge: baseline.judge.clone(),
        rejudged: baseline.rejudged,
        anchors: baseline.anchors.clone(),
    };
    head.run.complete = true;
    head
}

fn json(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

fn short(text: &str) -> String {
    text.chars().take(SHORT).collect()
}

fn or_none(text: Option<&str>) -> String {
    text.unwrap_or("none").to_owned()
}
