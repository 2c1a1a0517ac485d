//! How fast the service was asked, and where that settled, as plain data: what was given, and what became of each model.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How fast an evaluation asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pace {
    /// Calls at once to all models together, as they were given; absent where it was found out what each model takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u64>,
    /// Requests a minute of each model, where that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpm: Option<u64>,
    /// Tokens a minute of each model, where that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpm: Option<u64>,
    /// Calls a minute to all models together, as refusals had taught it by the end; absent where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned_per_minute: Option<u64>,
    /// Each model that was asked, by its name.
    pub models: BTreeMap<String, ModelPace>,
}

/// How fast one model was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelPace {
    /// The most calls that were on their way at once.
    pub most_at_once: u64,
    /// Calls at once that were allowed at the end; absent where their number was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Requests that were refused for too much traffic (429, 503, 529); they were sent again.
    pub refused: u64,
    /// Milliseconds in all for which nothing was sent to it, because of refusals.
    pub closed_ms: u64,
}

impl Pace {
    /// The pace of two processes as one: refusals and their times are added up, of the rest the larger one counts. What
    /// was given to the first stands.
    #[must_use]
    pub fn with(mut self, more: &Pace) -> Pace {
        self.learned_per_minute = self.learned_per_minute.max(more.learned_per_minute);
        for (model, more) in &more.models {
            let pace = self.models.entry(model.clone()).or_default();
            pace.most_at_once = pace.most_at_once.max(more.most_at_once);
            pace.limit = pace.limit.max(more.limit);
            pace.refused = pace.refused.saturating_add(more.refused);
            pace.closed_ms = pace.closed_ms.saturating_add(more.closed_ms);
        }
        self
    }
}
