//! The facts of a journal, one after the other → where the run stands.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Before, Begun, Fact, Line, Write};
use crate::cycle::record::TraceState;
use crate::results::{Samples, Vote};

/// Judgements of one answer at the most; a suite can ask for 25.
const MOST_VOTES: u32 = 1_000;

/// Where a run stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// What the run is.
    pub begun: Begun,
    /// When it began.
    pub began_at: Timestamp,
    /// Times it was taken up again.
    pub resumed: u32,
    /// The answers, with the judgements so far, by case and sample.
    pub samples: Samples,
    /// The judgements of anchors and of an earlier run's answers, by what was judged.
    pub beside: BTreeMap<String, Vec<Vote>>,
    /// The evaluation went through.
    pub evaluated: bool,
    /// What stood at the service before the first write.
    pub before: Option<Before>,
    /// What became of the answers' traces, by case and sample.
    pub traces: BTreeMap<(String, u32), TraceHistory>,
    /// The snapshot.
    pub snapshot: Standing,
    /// The dataset's snapshots just before ours was sent.
    pub snapshots_before: Vec<String>,
    /// The job.
    pub job: Standing,
    /// The name the job was sent with.
    pub job_name: Option<String>,
    /// How the run ended; none: it is to be taken up again.
    pub ended: Option<String>,
    /// It was taken up after it had ended: what stands at the service now is what stands there before it.
    pub reopened: bool,
}

/// What became of an answer's trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceHistory {
    /// Its write; done: the trace's id.
    pub trace: Standing,
    /// Its addition to the dataset; done: `row` or `queued`.
    pub row: Standing,
    /// Where it stood when it was last looked at.
    pub state: Option<TraceState>,
    /// The service had the answer as a row before this run.
    pub already: bool,
}

/// What is known of a write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Standing {
    /// Not sent, or surely not done.
    #[default]
    Open,
    /// Sent, and not known to be done.
    InDoubt(Doubt),
    /// Done; the id of what it made.
    Done(String),
}

/// A write that may have been done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// When it was sent, or its answer was lost.
    pub since: Timestamp,
    /// What came back; none: the process ended before anything did.
    pub cause: Option<String>,
    /// The service may be at it yet.
    pub late: bool,
}

impl Doubt {
    /// Of a write that an earlier process may have sent without a word of it in the journal: the service has had its
    /// time.
    pub(crate) fn of_old() -> Doubt {
        Doubt {
            since: Timestamp::UNIX_EPOCH,
            cause: None,
            late: false,
        }
    }
}

impl TraceHistory {
    /// The same, as the record has it.
    pub fn stands(&self) -> TraceState {
        match (&self.trace, &self.row) {
            _ if self.already => TraceState::Known,
            (Standing::Open, _) => TraceState::NotSent,
            (Standing::InDoubt(_), _) | (Standing::Done(_), Standing::InDoubt(_)) => TraceState::Unknown,
            (Standing::Done(_), Standing::Open) => TraceState::Written,
            (Standing::Done(_), Standing::Done(made)) => match made.as_str() {
                "refused" => TraceState::Failed,
                "queued" => self.state.unwrap_or(TraceState::Processing),
                _ => self.state.unwrap_or(TraceState::Row),
            },
        }
    }
}

impl History {
    /// Whether anything at the service is, or may be, this run's doing. What was surely not done is not.
    pub fn wrote(&self) -> bool {
        let ours = |t: &TraceHistory, standing: &Standing| match standing {
            Standing::Open => false,
            Standing::InDoubt(_) => true,
            Standing::Done(_) => !t.already,
        };
        self.traces.values().any(|t| ours(t, &t.trace) || ours(t, &t.row))
            || self.snapshot != Standing::Open
            || self.job != Standing::Open
    }

    /// The writes in doubt.
    pub fn doubts(&self) -> usize {
        let traces = self.traces.values().flat_map(|t| [&t.trace, &t.row]);
        traces
            .chain([&self.snapshot, &self.job])
            .filter(|s| matches!(s, Standing::InDoubt(_)))
            .count()
    }

    /// Takes in a fact that this process notes itself.
    pub fn hear(&mut self, fact: Fact) {
        // What this process notes follows on what stands there.
        let _strange = self.take(Line {
            at: Timestamp::now(),
            fact,
        });
    }

    /// Takes the next line in.
    ///
    /// # Errors
    /// When the line can't follow on what stands before it.
    pub(super) fn take(&mut self, line: Line) -> Result<(), String> {
        let at = line.at;
        match line.fact {
            Fact::Begun(_) => return Err("a second beginning".to_owned()),
            Fact::Resumed { .. } => {
                self.resumed += 1;
                self.reopened |= self.ended.take().is_some();
            }
            Fact::Answered { case, sample } => {
                self.samples.insert((case, sample.index), &sample);
            }
            Fact::Judged { case, sample, vote } => {
                self.is_of_an_answer(&case, sample, &vote)?;
                self.samples.add_vote(&(case, sample), &vote);
            }
            Fact::JudgedBeside { key, vote } => add(self.beside.entry(key).or_default(), vote)?,
            Fact::Evaluated => self.evaluated = true,
            Fact::Before(before) => {
                self.before = Some(before);
                self.reopened = false;
            }
            Fact::Known {
                case,
                sample,
                trace,
                row,
            } => {
                let entry = self.traces.entry((case, sample)).or_default();
                entry.trace = Standing::Done(trace);
                entry.already = row;
            }
            Fact::Sending { write } => {
                match &write {
                    Write::Snapshot { before } => self.snapshots_before.clone_from(before),
                    Write::Job { name, .. } => self.job_name = Some(name.clone()),
                    _ => {}
                }
                self.stand(
                    write,
                    Standing::InDoubt(Doubt {
                        since: at,
                        cause: None,
                        late: false,
                    }),
                );
            }
            Fact::Done { write, made } => self.stand(write, Standing::Done(made)),
            Fact::NotDone { write, .. } => self.stand(write, Standing::Open),
            Fact::InDoubt { write, cause, late } => self.stand(
                write,
                Standing::InDoubt(Doubt {
                    since: at,
                    cause: Some(cause),
                    late,
                }),
            ),
            Fact::Stands { case, sample, state } => {
                self.traces.entry((case, sample)).or_default().state = Some(state);
            }
            Fact::Ended { outcome } => self.ended = Some(outcome),
        }
        Ok(())
    }

    /// Takes the next line in as [`History::take`] does, without the words of the answers and their judgements.
    ///
    /// # Errors
    /// As of [`History::take`].
    pub(super) fn take_lightly(&mut self, line: Line) -> Result<(), String> {
        match line.fact {
            Fact::Answered { case, sample } => {
                self.samples.mark((case, sample.index));
                Ok(())
            }
            Fact::Judged { case, sample, vote } => self.is_of_an_answer(&case, sample, &vote),
            fact => self.take(Line { at: line.at, fact }),
        }
    }

    fn is_of_an_answer(&self, case: &str, sample: u32, vote: &Vote) -> Result<(), String> {
        if !self.samples.contains(&(case.to_owned(), sample)) {
            return Err(format!(
                "a judgement of case {case}, sample {sample}, which has no answer"
            ));
        }
        is_in_range(vote)
    }

    fn stand(&mut self, write: Write, standing: Standing) {
        match write {
            Write::Trace { case, sample } => self.traces.entry((case, sample)).or_default().trace = standing,
            Write::Row { case, sample } => self.traces.entry((case, sample)).or_default().row = standing,
            Write::Snapshot { .. } => self.snapshot = standing,
            // Asking for them again is harmless where the service is asked first whether they are there.
            Write::Recommendations { .. } => {}
            Write::Job { .. } => self.job = standing,
        }
    }
}

fn is_in_range(vote: &Vote) -> Result<(), String> {
    match vote.index >= MOST_VOTES {
        true => Err(format!("a judgement with the index {}", vote.index)),
        false => Ok(()),
    }
}

/// By their index, whichever came first; a repeated one is the later one.
fn add(votes: &mut Vec<Vote>, vote: Vote) -> Result<(), String> {
    is_in_range(&vote)?;
    match votes.binary_search_by_key(&vote.index, |v| v.index) {
        Ok(known) => votes[known] = vote,
        Err(place) => votes.insert(place, vote),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_surely_not_done_and_what_was_there_before_is_not_this_run_s_doing() {
        let write = || Write::Trace {
            case: "a".to_owned(),
            sample: 0,
        };
        let mut history = History::default();
        history.hear(Fact::Before(Before::default()));
        assert!(!history.wrote());
        history.hear(Fact::Sending { write: write() });
        assert!(history.wrote());
        history.hear(Fact::NotDone {
            write: write(),
            cause: "no such model".to_owned(),
        });
        assert!(!history.wrote());
        let known = |row| Fact::Known {
            case: "a".to_owned(),
            sample: 0,
            trace: "t".to_owned(),
            row,
        };
        history.hear(known(true));
        assert!(!history.wrote());
        history.hear(known(false));
        assert!(history.wrote(), "it is, or will be, added by this run");
    }
}
