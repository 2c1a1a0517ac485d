//! The cycle's part of a results file whose journal is not at hand → the facts that it tells.

use super::{Fact, Write};
use crate::cycle::record::{Record, TraceState};

/// What an earlier cycle on the same answers has done, or may have done.
///
/// # Errors
/// Where the file does not tell enough to ask the service for it.
pub fn facts_of(record: &Record) -> Result<Vec<Fact>, String> {
    let mut facts = Vec::new();
    for trace in &record.written {
        let (case, sample) = (trace.case.clone(), trace.sample);
        let write = Write::Trace {
            case: case.clone(),
            sample,
        };
        let row = Write::Row {
            case: case.clone(),
            sample,
        };
        let doubted = |write| Fact::InDoubt {
            write,
            cause: "the results file says that it is not known".to_owned(),
            late: false,
        };
        let done = |made: &str| Fact::Done {
            write: row.clone(),
            made: made.to_owned(),
        };
        let stands = |state| Fact::Stands {
            case: case.clone(),
            sample,
            state,
        };
        let Some(id) = &trace.trace_id else {
            if trace.state == TraceState::Unknown {
                facts.push(doubted(write));
            }
            continue;
        };
        if trace.state == TraceState::Known {
            facts.push(Fact::Known {
                case,
                sample,
                trace: id.clone(),
                row: true,
            });
            continue;
        }
        facts.push(Fact::Done {
            write,
            made: id.clone(),
        });
        match trace.state {
            TraceState::Unknown => facts.push(doubted(row)),
            TraceState::Row => facts.push(done("row")),
            TraceState::Processing => facts.push(done("queued")),
            state @ (TraceState::Corrected | TraceState::CorrectionFailed) => {
                facts.extend([done("queued"), stands(state)]);
            }
            TraceState::Known | TraceState::Written | TraceState::NotSent | TraceState::Failed => {}
        }
    }
    if let Some(id) = &record.snapshot_id {
        facts.push(Fact::Done {
            write: Write::Snapshot { before: Vec::new() },
            made: id.clone(),
        });
    }
    for unknown in &record.unknown {
        match unknown.call.as_str() {
            "create snapshot" if record.snapshot_id.is_none() => {
                return Err(
                    "the results say that it is not known whether the snapshot was taken, and without the journal of \
                     that run it can't be told from others: continue in the folder that holds its journal.jsonl, or \
                     begin anew with `tunegate run`"
                        .to_owned(),
                );
            }
            "create job" => facts.push(Fact::InDoubt {
                write: Write::Job {
                    snapshot: record.snapshot_id.clone().unwrap_or_default(),
                    name: record.job_name.clone().unwrap_or_default(),
                },
                cause: unknown.cause.clone(),
                late: false,
            }),
            _ => {}
        }
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::super::{History, Line, Standing};
    use super::*;
    use crate::cycle::record::{FailedWrite, TraceRecord};

    fn history(record: &Record) -> History {
        let mut history = History::default();
        for fact in facts_of(record).expect("it tells enough") {
            let at = jiff::Timestamp::UNIX_EPOCH;
            history.take(Line { at, fact }).expect("a fact that follows");
        }
        history
    }

    fn record(state: TraceState, trace_id: Option<&str>) -> Record {
        Record {
            started_at: "2026-01-02T03:04:05Z".into(),
            written: vec![TraceRecord {
                case: "a".into(),
                sample: 0,
                trace_id: trace_id.map(Into::into),
                state,
            }],
            ..Record::default()
        }
    }

    #[test]
    fn a_trace_stands_where_it_stood() {
        for (state, id) in [
            (TraceState::Known, Some("t")),
            (TraceState::Written, Some("t")),
            (TraceState::Row, Some("t")),
            (TraceState::Processing, Some("t")),
            (TraceState::Corrected, Some("t")),
            (TraceState::CorrectionFailed, Some("t")),
            (TraceState::Unknown, Some("t")),
            (TraceState::Unknown, None),
        ] {
            let history = history(&record(state, id));
            assert_eq!(history.traces[&("a".into(), 0)].stands(), state, "{id:?}");
        }
        assert!(history(&record(TraceState::NotSent, None)).traces.is_empty());
        // Refused or failed: tried again.
        let failed = history(&record(TraceState::Failed, Some("t")));
        assert_eq!(failed.traces[&("a".into(), 0)].stands(), TraceState::Written);
    }

    #[test]
    fn a_job_in_doubt_is_asked_for_and_a_snapshot_in_doubt_needs_the_journal() {
        let unknown = |call: &str| FailedWrite {
            call: call.into(),
            about: "x".into(),
            kind: "time-out".into(),
            attempts: 1,
            cause: "c".into(),
        };
        let mut job = Record {
            snapshot_id: Some("s".into()),
            unknown: vec![unknown("create job")],
            ..Record::default()
        };
        let history = history(&job);
        assert_eq!(history.snapshot, Standing::Done("s".into()));
        assert!(matches!(history.job, Standing::InDoubt(_)));
        job.snapshot_id = None;
        job.unknown = vec![unknown("create snapshot")];
        assert!(facts_of(&job).expect_err("refused").contains("journal.jsonl"));
    }
}
