//! Which part of a suite a run was of, as plain data: enough to put the parts together again without the suite.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One part of a suite that was split over several processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShardRecord {
    /// Which one, counted from 1.
    pub index: u16,
    /// How many there are.
    pub of: u16,
    /// Cases of the whole suite.
    pub of_cases: u64,
    /// Where this part's cases stand in the whole suite, counted from 0 and ascending: one for each of `cases`.
    pub positions: Vec<u64>,
    /// The id of the workflow run that it is of, where it is one's: shards of two nights are never merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_run: Option<u64>,
    /// The same of the baseline, which is split by the same ids; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Portion>,
}

/// Some entries of a list, by where they stand in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Portion {
    /// Entries of the whole list.
    pub of_cases: u64,
    /// Where these stand in it, counted from 0 and ascending.
    pub positions: Vec<u64>,
}
