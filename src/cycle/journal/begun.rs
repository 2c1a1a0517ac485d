//! What a run is: everything that must be the same for its journal to be taken up again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of the journal's format that this build writes and reads.
pub const VERSION: u32 = 1;

/// Cases that a journal lists with their fingerprints at the most, so that it can say what changed.
pub const LISTED_CASES: usize = 10_000;

/// The first line of a journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The format's version: 1.
    pub version: u32,
    /// The run's identity; the job's name carries its first part.
    pub run: String,
    /// The command that began it: `run`, `eval` or `cycle`.
    pub command: String,
    /// The program's version.
    pub tool: String,
    /// The suite's name.
    pub suite: String,
    /// The suite's fingerprint.
    pub fingerprint: String,
    /// The judge's fingerprint.
    pub judge: String,
    /// Fingerprints of the cases by id; empty where there are more than [`LISTED_CASES`].
    pub cases: BTreeMap<String, String>,
    /// The service's origin; `emulator` for the built-in one.
    pub service: String,
    /// The project's id.
    pub project: String,
    /// The model under evaluation.
    pub model: String,
    /// The dataset's id or label, where one was named.
    pub dataset: Option<String>,
    /// The commit that was checked out, where known.
    pub commit: Option<String>,
    /// Whether the model is asked and judged by this run; false where its answers come from a results file.
    pub asks: bool,
}

/// Names that a message lists at the most.
const NAMED: usize = 5;

impl Begun {
    /// What differs between the run of a journal (`self`) and the one that is asked for now: why the one can't be
    /// taken up as the other. Empty: it can.
    pub fn differences(&self, now: &Begun) -> Vec<String> {
        let mut told = Vec::new();
        if self.version != now.version {
            told.push(format!(
                "the journal is of format version {}, this program writes version {}",
                self.version, now.version
            ));
        }
        let none = "none".to_owned();
        for (what, was, is) in [
            ("the suite's name", &self.suite, &now.suite),
            ("the service", &self.service, &now.service),
            ("the project", &self.project, &now.project),
            ("the model", &self.model, &now.model),
            (
                "the dataset",
                self.dataset.as_ref().unwrap_or(&none),
                now.dataset.as_ref().unwrap_or(&none),
            ),
        ] {
            if was != is {
                told.push(format!("{what} was {was} and is {is}"));
            }
        }
        if self.judge != now.judge {
            told.push("the judge, its prompt or its rubric changed".to_owned());
        }
        if self.fingerprint != now.fingerprint {
            let cases = self.changed_cases(now);
            if !cases.is_empty() {
                told.extend(cases);
            } else if self.judge == now.judge && self.suite == now.suite {
                told.push(
                    "the gates, the judge's anchors, or tags, weights, groups, holdouts or pass scores of cases changed"
                        .to_owned(),
                );
            }
        }
        told
    }

    fn changed_cases(&self, now: &Begun) -> Vec<String> {
        if self.cases.is_empty() || now.cases.is_empty() {
            return if self.cases.is_empty() && now.cases.is_empty() {
                vec!["the suite changed".to_owned()]
            } else {
                vec!["cases were added or removed".to_owned()]
            };
        }
        let changed = now
            .cases
            .iter()
            .filter(|(id, is)| self.cases.get(*id).is_some_and(|was| was != *is));
        let added = now.cases.keys().filter(|id| !self.cases.contains_key(*id));
        let removed = self.cases.keys().filter(|id| !now.cases.contains_key(*id));
        [
            ("changed", changed.map(|(id, _)| id).collect::<Vec<_>>()),
            ("added", added.collect()),
            ("removed", removed.collect()),
        ]
        .into_iter()
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(what, ids)| {
            let more = ids.len().saturating_sub(NAMED);
            let named: Vec<&str> = ids.iter().take(NAMED).map(|id| id.as_str()).collect();
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            format!("{what}: case {}{more}", named.join(", "))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(cases: &[(&str, &str)]) -> Begun {
        Begun {
            version: VERSION,
            run: "r".into(),
            suite: "s".into(),
            fingerprint: format!("{cases:?}"),
            judge: "j".into(),
            cases: cases.iter().map(|(id, f)| ((*id).into(), (*f).into())).collect(),
            service: "https://example.com".into(),
            model: "m".into(),
            ..Begun::default()
        }
    }

    #[test]
    fn the_same_run_may_go_on_whoever_takes_it_up() {
        let was = begun(&[("a", "1")]);
        let now = Begun {
            run: "other".into(),
            command: "run".into(),
            tool: "9".into(),
            commit: Some("c".into()),
            ..was.clone()
        };
        assert_eq!(was.differences(&now), Vec::<String>::new());
    }

    #[test]
    fn what_changed_is_said() {
        let was = begun(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let now = begun(&[("a", "1"), ("b", "2"), ("d", "1")]);
        assert_eq!(
            was.differences(&now),
            ["changed: case b", "added: case d", "removed: case c"]
        );
        let model = Begun {
            model: "n".into(),
            judge: "k".into(),
            dataset: Some("d".into()),
            ..was.clone()
        };
        assert_eq!(
            was.differences(&model),
            [
                "the model was m and is n",
                "the dataset was none and is d",
                "the judge, its prompt or its rubric changed"
            ]
        );
        let gates = Begun {
            fingerprint: "f".into(),
            ..was.clone()
        };
        assert!(was.differences(&gates)[0].starts_with("the gates"));
    }
}
