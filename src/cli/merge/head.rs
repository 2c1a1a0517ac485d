//! What results say of their suite → that suite without its cases: as much of it as finding a baseline, a policy and a
//! history takes.

use crate::cli::options::{ComparisonOptions, PolicyFrom};
use crate::results::SuiteRecord;
use crate::suite::{Judge, Suite};

/// Who said whose gates decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// The shards did, or nobody.
    OfTheShards,
    /// This command.
    Asked,
}

impl Policy {
    pub(super) fn of(options: &ComparisonOptions) -> Policy {
        match options.policy_from {
            PolicyFrom::Head => Policy::OfTheShards,
            PolicyFrom::Base | PolicyFrom::Path(_) => Policy::Asked,
        }
    }
}

/// The suite. Where this command says whose gates decide, with the gates that it has itself: the shards may have had
/// others put in their place.
pub(super) fn suite(record: &SuiteRecord, policy: Policy) -> Suite {
    let replaced = record.policy.as_ref().filter(|_| policy == Policy::Asked);
    Suite {
        path: record.path.clone(),
        name: record.name.clone(),
        project: Some(record.project.clone()),
        model: Some(record.model.clone()),
        dataset: record.dataset.clone(),
        judge: Judge {
            model: record.judge.model.clone(),
            temperature: record.judge.temperature,
            votes: record.judge.votes,
            rubric: None,
            prompt: None,
            max_completion_tokens: None,
            seed: None,
            anchors: Vec::new(),
            fingerprint: record.judge.fingerprint.clone(),
        },
        cases: Vec::new(),
        gates: replaced.map_or(&record.gates, |policy| &policy.own).clone(),
        cycle: record.cycle.clone(),
        fingerprint: record.fingerprint.clone(),
    }
}
