//! Results, with a baseline in them or without one → the record that follows from them: figures, comparison, verdict.

use crate::cycle;
use crate::gate;
use crate::report::Record;
use crate::results::Results;
use crate::score::{self, Pairs};

use super::{exit, shards};

/// Everything that is derived from results. What was derived before counts for nothing.
///
/// # Errors
/// A gate that is none: of a suite they were checked, of a results file they may have been changed.
pub(crate) fn derive(results: Results, cycle: Option<cycle::Record>) -> anyhow::Result<Record> {
    let figures = score::figures(&results);
    let (comparison, verdict) = {
        let pairs = Pairs::new(&results, &figures);
        let verdict = match shards::verdict(&results) {
            Some(open) => Ok(open),
            None => gate::decide(&results.suite.gates, &figures, pairs.as_ref()),
        };
        (pairs.as_ref().map(Pairs::comparison), verdict)
    };
    let mut verdict = verdict.map_err(|fault| exit::suite(fault.to_string()))?;
    if results.baseline_unknown {
        verdict = gate::without_knowing(verdict);
    }
    Ok(Record {
        results,
        figures,
        comparison,
        verdict,
        cycle,
    })
}
