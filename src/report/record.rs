//! What a report is made from: the evaluation's results with the figures, the verdict and the cycle's
//! outcome derived from them. Written out, it is `results.json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cycle;
use crate::gate::Verdict;
use crate::results::{AnchorResult, Baseline, CallTally, Cases, Results, Run, SuiteRecord, Tool};
use crate::score::{Comparison, Figures};

/// Everything a report says; `results.json` is this, written out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Document")]
pub struct Record {
    /// What was asked and what came back. Its fields stand at the top of the file.
    #[serde(flatten)]
    pub results: Results,
    /// The figures of the run, derived from `cases`.
    pub figures: Figures,
    /// What changed against the baseline, derived from `cases` and `baseline`; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// What the gates say, derived from `figures` and `comparison`.
    pub verdict: Verdict,
    /// What became of the cycle; absent when none was begun (`eval`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycle: Option<cycle::Record>,
}

/// The file as it is laid out. Reading goes through it because serde's `flatten` would first keep the
/// whole file in memory as a tree of its own, and would lose the line of a fault.
#[derive(Deserialize, JsonSchema)]
struct Document {
    version: u32,
    tool: Tool,
    run: Run,
    suite: SuiteRecord,
    cases: Cases,
    #[serde(default)]
    anchors: Vec<AnchorResult>,
    #[serde(default)]
    baseline: Option<Baseline>,
    #[serde(default)]
    without_baseline: Option<String>,
    #[serde(default)]
    baseline_unknown: bool,
    calls: BTreeMap<String, CallTally>,
    figures: Figures,
    #[serde(default)]
    comparison: Option<Comparison>,
    verdict: Verdict,
    #[serde(default)]
    cycle: Option<cycle::Record>,
}

impl From<Document> for Record {
    fn from(file: Document) -> Record {
        let Document {
            version,
            tool,
            run,
            suite,
            cases,
            anchors,
            baseline,
            without_baseline,
            baseline_unknown,
            calls,
            figures,
            comparison,
            verdict,
            cycle,
        } = file;
        Record {
            results: Results {
                version,
                tool,
                run,
                suite,
                cases,
                anchors,
                baseline,
                without_baseline,
                baseline_unknown,
                calls,
            },
            figures,
            comparison,
            verdict,
            cycle,
        }
    }
}
