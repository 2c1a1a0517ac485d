//! A baseline and the run beside it → which run it is, how old, and everything that sets it apart, for a person.

use jiff::Timestamp;

use crate::report::Record;
use crate::results::{Baseline, Found};
use crate::score::JudgeChange;

/// Characters of a commit's hash that are shown.
const HASH: usize = 10;

/// What is said of a suite that is not the baseline's.
const CASES: &str = "The suite was changed since: only cases that are the same in both runs are compared.";
const SUITE: &str = "The suite was changed since.";
const NO_CASE: &str = "The suite was changed since, but not what its cases ask and check.";

/// Which run a baseline is. The texts hold names that are not ours.
#[derive(Debug)]
pub(in crate::report) struct Base<'a> {
    /// `commit 9fceb02d0a`, or the run's id where no commit is known.
    pub what: String,
    /// How it was found.
    pub found: String,
    /// `14 h before this run`; absent where the times can't be read.
    pub age: Option<String>,
    /// Seconds from its beginning to this run's; below 0 when it began later.
    pub age_s: Option<i64>,
    /// The workflow run's id.
    pub workflow_run: Option<u64>,
    /// Where it can be looked at, as the record has it.
    pub url: Option<&'a str>,
    /// What sets the two runs apart, a sentence each.
    pub told: Vec<String>,
    /// Whether the suite is another one than the baseline's; in our own words, and no more than that by itself.
    pub suite: Option<&'static str>,
}

impl<'a> Base<'a> {
    pub(super) fn new(record: &'a Record, baseline: &'a Baseline) -> Base<'a> {
        let (source, run) = (&baseline.source, &baseline.run);
        let what = match &run.commit {
            Some(commit) => format!("commit {}", commit.chars().take(HASH).collect::<String>()),
            None => format!("run {}", run.id),
        };
        let branch = source
            .branch
            .as_ref()
            .map_or(String::new(), |branch| format!(" on `{branch}`"));
        let found = match source.found {
            Found::Given => match &source.path {
                Some(path) => format!("given as `{path}`"),
                None => "given as a file".to_owned(),
            },
            Found::MergeBase => {
                format!("the run of the commit{branch} that this pull request branched off from")
            }
            Found::BaseBranch => format!("the newest successful run{branch}"),
            Found::Previous => format!("the newest successful run before this one{branch}"),
        };
        let age_s = seconds_between(&run.started_at, &record.results.run.started_at);
        Base {
            what,
            found,
            age: age_s.map(age),
            age_s,
            workflow_run: source.workflow_run,
            url: source.url.as_deref(),
            told: told(record, baseline),
            suite: (run.fingerprint != record.results.suite.fingerprint)
                .then(|| suite(record))
                .flatten(),
        }
    }
}

/// A judge that is another one is told where it matters, and nothing more was changed then.
fn suite(record: &Record) -> Option<&'static str> {
    let comparison = record.comparison.as_ref()?;
    let counts = comparison.counts;
    if counts.changed + counts.added + counts.removed > 0 {
        return Some(if comparison.incomparable.is_none() {
            CASES
        } else {
            SUITE
        });
    }
    (comparison.judge == JudgeChange::Same).then_some(NO_CASE)
}

/// No difference between the two runs but that of the scores goes unsaid.
fn told(record: &Record, baseline: &Baseline) -> Vec<String> {
    let (now, before) = (&record.results, &baseline.run);
    let mut told = Vec::new();
    match (before.emulator, now.run.emulator) {
        (true, false) => told.push(
            "The built-in emulator answered the baseline, and Prem Studio this run: the difference says nothing about a model."
                .to_owned(),
        ),
        (false, true) => told.push(
            "Prem Studio answered the baseline, and the built-in emulator this run: the difference says nothing about a model."
                .to_owned(),
        ),
        _ => {}
    }
    if before.model != now.suite.model {
        told.push(format!(
            "Another model: the baseline asked `{}`, this run `{}`.",
            before.model, now.suite.model
        ));
    }
    if !before.complete {
        told.push("The baseline's evaluation ended early: not all of its cases were asked.".to_owned());
    }
    if before.id == now.run.id {
        told.push("The baseline is this very run.".to_owned());
    }
    // Of a judge that was changed, bridged or not, the comparison itself tells.
    told
}

fn seconds_between(before: &str, after: &str) -> Option<i64> {
    let at = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_second);
    at(after)?.checked_sub(at(before)?)
}

/// `14 h before this run`
fn age(seconds: i64) -> String {
    let minutes = seconds.unsigned_abs().saturating_add(30) / 60;
    let long = match minutes {
        0 => "less than a minute".to_owned(),
        1..90 => format!("{minutes} min"),
        90..2_880 => format!("{} h", (minutes + 30) / 60),
        _ => format!("{} days", (minutes + 720) / 1_440),
    };
    let side = if seconds < 0 {
        "after this run began"
    } else {
        "before this run"
    };
    format!("{long} {side}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_reads_well_and_a_baseline_of_the_future_is_told() {
        let shown = [0, 29, 31, 5_340, 5_400, 50_400, 172_740, 172_800, 864_000, -7_200].map(age);
        assert_eq!(
            shown,
            [
                "less than a minute before this run",
                "less than a minute before this run",
                "1 min before this run",
                "89 min before this run",
                "2 h before this run",
                "14 h before this run",
                "48 h before this run",
                "2 days before this run",
                "10 days before this run",
                "2 h after this run began",
            ]
        );
        assert_eq!(
            seconds_between("2026-11-22T02:15:04Z", "2026-11-22T16:15:04Z"),
            Some(50_400)
        );
        assert_eq!(seconds_between("yesterday", "2026-11-22T16:15:04Z"), None);
    }
}
