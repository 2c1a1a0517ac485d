//! The runs so far come in, the cases whose verdict flips although nothing was changed go out, the worst first.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Entry, Flaky, WITH_VERDICTS};

/// Cases whose verdict flips without any change, the worst first.
///
/// A flip counts between two runs one after the other of those that had the same case, judge, pass score, model and
/// answering model as the newest one; runs in between in which something of it was another are passed over, and so are
/// runs without a score for the case. The newest run is the newest one with a verdict for the case, as long as the suite
/// has not changed since: a case that was taken out is no longer told. Runs on the emulator and real ones never mix: those
/// of the newest run's kind count.
pub fn flaky(entries: &[Entry]) -> Vec<Flaky> {
    let Some(newest) = entries.last() else {
        return Vec::new();
    };
    let mut tallies: BTreeMap<&str, Tally<'_>> = BTreeMap::new();
    let alike = entries
        .iter()
        .rev()
        .filter(|entry| entry.emulator == newest.emulator);
    for (at, entry) in alike.take(WITH_VERDICTS).enumerate() {
        for (case, verdict) in &entry.verdicts {
            let (Some(passed), Some(basis)) = (passed(verdict), verdict.get(1..)) else {
                continue;
            };
            let tally = match tallies.get_mut(case.as_str()) {
                Some(tally) => tally,
                None if at == 0 || entry.suite == newest.suite => {
                    tallies.entry(case).or_insert_with(|| Tally::new(basis))
                }
                None => continue,
            };
            if tally.basis == basis {
                tally.count(passed);
            }
        }
    }
    let mut flaky: Vec<Flaky> = tallies
        .into_iter()
        .filter(|(_, tally)| tally.flips > 0)
        .map(|(case, tally)| Flaky {
            case: case.to_owned(),
            runs: tally.runs,
            flips: tally.flips,
            passed: tally.passed,
        })
        .collect();
    flaky.sort_by_key(|case| (Reverse(case.flips), case.runs));
    flaky
}

fn passed(verdict: &str) -> Option<bool> {
    match verdict.as_bytes().first()? {
        b'+' => Some(true),
        b'-' => Some(false),
        _ => None,
    }
}

/// One case, counted from the newest run back.
struct Tally<'a> {
    basis: &'a str,
    later: Option<bool>,
    runs: u32,
    flips: u32,
    passed: u32,
}

impl<'a> Tally<'a> {
    fn new(basis: &'a str) -> Tally<'a> {
        Tally {
            basis,
            later: None,
            runs: 0,
            flips: 0,
            passed: 0,
        }
    }

    fn count(&mut self, passed: bool) {
        self.runs += 1;
        self.passed += u32::from(passed);
        self.flips += u32::from(self.later.is_some_and(|later| later != passed));
        self.later = Some(passed);
    }
}
