//! The cycle's record → how it ended, what became of its traces in one line, and which of them are no rows.

use crate::cycle::{Outcome, Record, TraceRecord, TraceState};
use crate::report::numbers::count;

/// Whether the cycle ended because the run was told to end, and not by anything that went wrong.
pub(in crate::report) fn interrupted(cycle: &Record) -> bool {
    cycle.outcome == Outcome::Stopped && cycle.reason.starts_with("interrupted")
}

/// What became of the traces, in our own words; what did not occur is left out.
pub(in crate::report) fn tally(cycle: &Record) -> String {
    let traces = &cycle.traces;
    let planned = format!("{} planned", count(traces.planned.into()));
    if told_elsewhere(cycle) {
        return format!(
            "{planned}; what became of them stands in the report of the attempt that launched the job"
        );
    }
    let part = |n: u32, what: &str| (n > 0).then(|| format!("{} {what}", count(n.into())));
    let parts = [
        Some(planned),
        part(traces.already, "already in the dataset"),
        Some(format!("{} written", count(traces.written.into()))),
        Some(format!("{} added to the dataset", count(traces.rows.into()))),
        part(traces.corrected, "of them corrected by the service"),
        part(traces.correction_failed, "whose correction failed"),
        part(traces.unsettled, "still being corrected when the wait ended"),
        part(traces.failed, "failed"),
        part(traces.unknown, "not known"),
        part(traces.holdout, "left out as holdout"),
        part(traces.unscored, "left out as unscored"),
        part(traces.repeated, "left out as repeats"),
        part(traces.cached, "left out as another day's answers"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Traces that are no rows of the dataset when the cycle ends.
pub(in crate::report) fn open_traces(cycle: &Record) -> Vec<&TraceRecord> {
    if told_elsewhere(cycle) {
        return Vec::new();
    }
    let open = cycle.written.iter().filter(|trace| {
        !matches!(
            trace.state,
            TraceState::Row | TraceState::Corrected | TraceState::Known
        )
    });
    open.collect()
}

/// An earlier attempt launched the job, and its journal is not at hand: that this one sent nothing says nothing.
fn told_elsewhere(cycle: &Record) -> bool {
    cycle.outcome == Outcome::Launched
        && !cycle.written.is_empty()
        && cycle.written.iter().all(|t| t.state == TraceState::NotSent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn what_the_dataset_had_before_is_told_and_is_not_missing() {
        let mut cycle = fixtures::passing().cycle.unwrap();
        cycle.traces.already = 2;
        cycle.traces.written = 1;
        cycle.written[0].state = TraceState::Known;
        cycle.written[1].state = TraceState::Written;
        assert!(tally(&cycle).starts_with("3 planned, 2 already in the dataset, 1 written, "));
        let open: Vec<&str> = open_traces(&cycle).iter().map(|t| t.case.as_str()).collect();
        assert_eq!(open, ["total-discount"], "written, and not added");
    }

    #[test]
    fn a_job_of_an_attempt_whose_journal_is_lost_leaves_no_traces_to_complain_of() {
        let mut cycle = fixtures::passing().cycle.unwrap();
        cycle.traces.written = 0;
        cycle.traces.rows = 0;
        cycle
            .written
            .iter_mut()
            .for_each(|t| t.state = TraceState::NotSent);
        assert!(tally(&cycle).contains("the attempt that launched the job"));
        assert!(open_traces(&cycle).is_empty());
        cycle.outcome = Outcome::Stopped;
        assert!(tally(&cycle).contains("0 written"));
        assert_eq!(open_traces(&cycle).len(), 3);
    }
}
