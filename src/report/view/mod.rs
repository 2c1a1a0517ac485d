//! A record → what a report shows of it: picked, ordered and counted, the same for every format. Texts
//! stay as they are; a renderer bounds and escapes them for its place.

mod cached;
mod cases;
mod cost;
mod cycle;
mod diff;
mod headline;
mod judge;
mod outline;
mod problems;

use serde::Serialize;

use crate::score::Group;

use super::Record;

pub(super) use cases::{CaseRow, Ranking, samples_by_worth, told};
pub(super) use cost::{ChatCost, Cost};
pub(super) use cycle::{interrupted, open_traces, tally};
pub(super) use diff::{Against, Diff, Flip, Held, Row, Said, Standing, said};
pub(super) use headline::{Headline, Tone};
pub(super) use judge::{OfJudge, of_judge};
pub(super) use problems::{Problem, what};

/// What a report shows.
#[derive(Debug)]
pub(super) struct View<'a> {
    /// Everything that is shown as it stands in the record.
    pub record: &'a Record,
    pub headline: Headline<'a>,
    /// The weakest mean first; tags without one at the end.
    pub tags: Vec<(&'a str, &'a Group)>,
    pub ranking: Ranking<'a>,
    /// What went wrong with answers and judgements, by kind, in the order of an evaluation.
    pub problems: Vec<Problem>,
    pub cost: Cost<'a>,
    /// What a dry run would have written: how often each call, in the order of their first use.
    pub planned: Vec<(&'a str, u64)>,
}

impl<'a> View<'a> {
    pub(super) fn new(record: &'a Record) -> View<'a> {
        let mut tags: Vec<(&str, &Group)> = record
            .figures
            .tags
            .iter()
            .map(|(tag, group)| (tag.as_str(), group))
            .collect();
        tags.sort_by(|(_, a), (_, b)| ascending(a.mean, b.mean));
        let (problems, cost, ranking) = outline::look(record);
        View {
            record,
            headline: Headline::new(record),
            tags,
            ranking,
            problems,
            cost,
            planned: planned(record),
        }
    }
}

fn planned(record: &Record) -> Vec<(&str, u64)> {
    let mut calls: Vec<(&str, u64)> = Vec::new();
    for write in record.cycle.iter().flat_map(|cycle| &cycle.planned) {
        match calls.iter_mut().find(|(call, _)| *call == write.call) {
            Some((_, times)) => *times += 1,
            None => calls.push((&write.call, 1)),
        }
    }
    calls
}

/// Low figures first, absent ones last.
fn ascending(a: Option<f64>, b: Option<f64>) -> std::cmp::Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => std::cmp::Ordering::Equal,
    }
}

/// A state as `results.json` names it, for a reader: `correction_failed` → `correction failed`.
pub(super) fn word(state: &impl Serialize) -> String {
    match serde_json::to_value(state) {
        Ok(serde_json::Value::String(word)) => word.replace('_', " "),
        _ => String::new(),
    }
}
