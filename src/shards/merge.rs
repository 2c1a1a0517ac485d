//! Results of shards, of one suite or of several → the results of each whole run, or everything that is wrong with them.

use std::collections::{BTreeMap, HashMap};

use super::{MOST, agree, join};
use crate::results::{Results, ShardRecord};

/// Files that a fault names at the most.
const NAMED: usize = 3;

/// The results of one shard, and where they are from.
#[derive(Debug)]
pub struct Piece {
    /// The file, for a person.
    pub path: String,
    /// What stands in it.
    pub results: Results,
}

/// A piece with its mark, which is sound.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) path: String,
    pub(super) shard: ShardRecord,
    pub(super) results: Results,
}

/// Puts the pieces together: one result for each suite, by name. A suite whose shards were not all evaluated to their
/// end gives results that are incomplete and say so. The program that wrote them is left to the caller to set.
///
/// # Errors
/// Everything that is wrong with the pieces, a fault each: what is no shard, what is missing, what is there twice, what
/// is of another split, suite, model, judge, project, service, commit or workflow run.
pub fn merge(pieces: Vec<Piece>) -> Result<Vec<Results>, Vec<String>> {
    let mut faults = Vec::new();
    let mut suites: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for mut piece in pieces {
        let Some(shard) = piece.results.run.shard.take() else {
            faults.push(format!(
                "{}: these are the results of a whole run, and no shard's",
                piece.path
            ));
            continue;
        };
        if let Some(fault) = unsound(&shard, &piece.results) {
            faults.push(format!("{}: {fault}; were they changed by hand?", piece.path));
            continue;
        }
        let parts = suites.entry(piece.results.suite.name.clone()).or_default();
        parts.push(Part {
            path: piece.path,
            shard,
            results: piece.results,
        });
    }
    for (name, parts) in &mut suites {
        parts.sort_by_key(|part| part.shard.index);
        faults.extend(wrong(parts).into_iter().map(|fault| format!("{name}: {fault}")));
    }
    if faults.is_empty() {
        Ok(suites.into_values().filter_map(join::join).collect())
    } else {
        Err(faults)
    }
}

/// What can't be in one file.
fn unsound(shard: &ShardRecord, results: &Results) -> Option<String> {
    if shard.of == 0 || shard.of > MOST || shard.index == 0 || shard.index > shard.of {
        return Some(format!("there is no shard {} of {}", shard.index, shard.of));
    }
    let sound = |positions: &[u64], of: u64, there: usize| {
        let ascending = positions.iter().zip(positions.iter().skip(1)).all(|(a, b)| a < b);
        ascending && positions.len() == there && positions.last().is_none_or(|last| *last < of)
    };
    if !sound(&shard.positions, shard.of_cases, results.cases.len()) {
        return Some("the positions of the cases don't fit the cases".to_owned());
    }
    let fits = match (&shard.baseline, &results.baseline) {
        (Some(portion), Some(baseline)) => sound(&portion.positions, portion.of_cases, baseline.cases.len()),
        (None, None) => true,
        _ => false,
    };
    (!fits).then(|| "the positions of the baseline's cases don't fit the baseline".to_owned())
}

/// What is wrong with the shards of one suite. What can't be said before they are all there, and of one split, is not
/// said until they are.
fn wrong(parts: &[Part]) -> Vec<String> {
    let splits = by(parts, |part| part.shard.of);
    if splits.len() > 1 {
        let told = splits
            .iter()
            .map(|(of, files)| format!("{of} shards ({})", named(files)));
        let told: Vec<String> = told.collect();
        return vec![format!(
            "these are shards of different splits: of {}; give those of one",
            told.join(", of ")
        )];
    }
    let of = splits.keys().next().copied().unwrap_or_default();
    let there = by(parts, |part| part.shard.index);
    let doubled = there.iter().filter(|(_, files)| files.len() > 1);
    let mut faults: Vec<String> = doubled
        .map(|(index, files)| {
            format!(
                "shard {index} of {of} is there {} times: {}",
                files.len(),
                named(files)
            )
        })
        .collect();
    let missing: Vec<String> = (1..=of)
        .filter(|index| !there.contains_key(index))
        .map(|index| index.to_string())
        .collect();
    match missing.as_slice() {
        [] => {}
        [one] => faults.push(format!(
            "shard {one} of {of} is missing: it left no results, or they were not given"
        )),
        several => faults.push(format!(
            "{} of {of} shards are missing: {}; they left no results, or those were not given",
            several.len(),
            several.join(", ")
        )),
    }
    faults.extend(agree::differences(parts));
    if faults.is_empty() {
        faults.extend(uncovered(parts));
    }
    faults
}

/// What of the whole suite, or of the whole baseline, no shard has, or more than one.
fn uncovered(parts: &[Part]) -> Vec<String> {
    let mut faults = Vec::new();
    let cases = parts.iter().map(|part| part.shard.positions.as_slice());
    let of = parts.first().map_or(0, |part| part.shard.of_cases);
    faults
        .extend(gap(cases, of).map(|gap| format!("the shards don't make up the suite's {of} cases: {gap}")));
    let portions = parts.iter().filter_map(|part| part.shard.baseline.as_ref());
    if let Some(of) = portions.clone().next().map(|portion| portion.of_cases) {
        let cases = portions.map(|portion| portion.positions.as_slice());
        faults.extend(
            gap(cases, of).map(|gap| format!("the shards don't make up the baseline's {of} cases: {gap}")),
        );
    }
    let mut seen: HashMap<String, &str> = HashMap::new();
    for part in parts {
        for case in part.results.cases.iter() {
            if let Some(first) = seen.insert(case.id.to_string(), &part.path) {
                let id: String = case.id.chars().take(80).collect();
                faults.push(format!("case {id:?} is in {first} and in {}", part.path));
                return faults;
            }
        }
    }
    faults
}

/// Why lists of positions, each ascending, are not those from 0 to `of`, once each.
fn gap<'a>(lists: impl Iterator<Item = &'a [u64]>, of: u64) -> Option<String> {
    let mut all: Vec<u64> = lists.flatten().copied().collect();
    all.sort_unstable();
    let wrong = (0..).zip(&all).find(|(at, position)| at != *position);
    match wrong {
        Some((at, position)) if *position < at => Some(format!("two of them have number {}", position + 1)),
        Some((at, _)) => Some(format!("none of them has number {}", at + 1)),
        None if all.len() as u64 != of => Some(format!("none of them has number {}", all.len() + 1)),
        None => None,
    }
}

/// The files by something that they have.
fn by<K: Ord>(parts: &[Part], key: impl Fn(&Part) -> K) -> BTreeMap<K, Vec<&str>> {
    let mut files: BTreeMap<K, Vec<&str>> = BTreeMap::new();
    for part in parts {
        files.entry(key(part)).or_default().push(&part.path);
    }
    files
}

/// The first few of some files.
pub(super) fn named(files: &[&str]) -> String {
    let more = files.len().saturating_sub(NAMED);
    let named = files.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match more {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
