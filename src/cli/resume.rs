//! A suite's folder and what is to be run → the run's journal: begun, or taken up where an earlier attempt ended.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::environment::Environment;
use super::evaluate::Taken;
use super::exit;
use super::output::Screen;
use super::service::Home;
use crate::cycle::journal::{self, Begun, Fact, Fault, History, Journal, LISTED_CASES, Lock, Standing};
use crate::cycle::{self, Outcome};
use crate::eval;
use crate::report::Record;
use crate::results::{Results, StopKind};
use crate::suite::Suite;

/// Answers older than this are not gone on with: a nightly run wants today's model. What may have been written to
/// the service is gone on with however old it is.
const FRESH_FOR: Duration = Duration::from_secs(20 * 60 * 60);

/// Characters of the run's identity that its job's name carries.
const SHORT: usize = 8;

/// A suite's folder that this process has for itself.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) folder: PathBuf,
    _lock: Lock,
    course: Course,
}

/// What is to be done with the folder's journal.
#[derive(Debug)]
enum Course {
    Begin(Box<Begun>),
    TakeUp(Box<History>),
}

/// The journal of the run, and what stands in it already.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) journal: Journal,
    pub(crate) history: History,
}

impl Log {
    /// Keeps an answer or a judgement as soon as it came.
    pub(crate) fn keep(&self, kept: eval::Kept<'_>) -> Result<(), String> {
        let noted = match kept {
            eval::Kept::Answer { case, sample } => self.journal.note_answer(case, sample),
            eval::Kept::Vote { case, sample, vote } => self.journal.note_vote(case, sample, vote),
            eval::Kept::Beside { key, vote } => self.journal.note_beside(key, vote),
        };
        noted.map_err(|fault| fault.to_string())
    }

    /// The answers and judgements that are there; nobody else needs them.
    pub(crate) fn known(&mut self) -> eval::Known {
        let traces = self.history.traces.iter();
        let written = traces.filter(|(_, trace)| trace.already || matches!(trace.row, Standing::Done(_)));
        eval::Known {
            written: written.map(|(answer, _)| answer.clone()).collect(),
            samples: std::mem::take(&mut self.history.samples),
            beside: std::mem::take(&mut self.history.beside),
        }
    }

    /// What the evaluation goes on from.
    pub(crate) fn taken<'k>(
        &self,
        known: eval::Known,
        keep: &'k eval::Keep<'k>,
        cache: Option<Arc<eval::Cache>>,
    ) -> Taken<'k> {
        let history = &self.history;
        Taken {
            run: history.begun.run.clone(),
            began_at: history.began_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            resumed: history.resumed,
            known,
            keep,
            cache,
        }
    }

    /// The evaluation went through.
    pub(crate) fn evaluated(&self) -> anyhow::Result<()> {
        if self.history.evaluated {
            return Ok(());
        }
        self.journal.note(&Fact::Evaluated).map_err(refusal)
    }

    /// Notes what the results of a cycle tell whose journal is not at hand.
    pub(crate) fn import(&mut self, earlier: &cycle::Record) -> anyhow::Result<()> {
        for fact in journal::facts_of(earlier).map_err(exit::usage)? {
            self.journal.note(&fact).map_err(refusal)?;
            self.history.hear(fact);
        }
        Ok(())
    }
}

impl Desk {
    /// Takes the folder and decides how its journal goes on. Nothing is written yet.
    pub(crate) fn take(folder: PathBuf, now: Begun, fresh: bool, screen: &Screen) -> anyhow::Result<Desk> {
        let lock = Lock::take(&folder).map_err(refusal)?;
        let (asks, anew) = (now.asks, Course::Begin(Box::new(now.clone())));
        let course = match fresh {
            true => anew,
            // What was answered is most of a journal, and whether to go on does not hang on it.
            false => match journal::skim(&folder).map_err(refusal)? {
                None => anew,
                Some(history) => match choose(history, now, &folder, screen)? {
                    // An evaluation goes on from the answers themselves.
                    Course::TakeUp(_) if asks => match journal::read(&folder).map_err(refusal)? {
                        None => anew,
                        Some(history) => Course::TakeUp(Box::new(history)),
                    },
                    course => course,
                },
            },
        };
        Ok(Desk {
            folder,
            _lock: lock,
            course,
        })
    }

    /// Begins the journal, or takes it up.
    pub(crate) fn open(&mut self) -> anyhow::Result<Log> {
        let log = match &mut self.course {
            Course::Begin(begun) => Log {
                journal: Journal::begin(&self.folder, (**begun).clone()).map_err(refusal)?,
                history: History {
                    begun: (**begun).clone(),
                    began_at: Timestamp::now(),
                    ..History::default()
                },
            },
            Course::TakeUp(history) => {
                // The answers of a large run are in memory once.
                let mut history = std::mem::take(&mut **history);
                history.hear(Fact::Resumed {
                    tool: env!("CARGO_PKG_VERSION").to_owned(),
                });
                Log {
                    journal: Journal::resume(&self.folder).map_err(refusal)?,
                    history,
                }
            }
        };
        Ok(log)
    }
}

/// A journal that has ended, or that is of another run, is not gone on with.
fn choose(history: History, now: Begun, folder: &Path, screen: &Screen) -> anyhow::Result<Course> {
    let same_run = now.run == history.begun.run && !now.asks;
    if history.ended.is_some() && !same_run {
        return Ok(Course::Begin(Box::new(now)));
    }
    let mut differences = history.begun.differences(&now);
    if differences.is_empty() && !now.asks && !same_run {
        differences.push(format!(
            "the journal is of run {}, the results are of run {}",
            history.begun.run, now.run
        ));
    }
    if now.asks && !history.begun.asks {
        differences.push(format!(
            "it is `tunegate cycle` on the results of run {}",
            history.begun.run
        ));
    }
    let began = history.began_at.strftime("%Y-%m-%d %H:%M UTC");
    // It was ended from outside after its last write: there is nothing in it to lose.
    let launched = matches!(history.job, Standing::Done(_));
    if !differences.is_empty() {
        let what = differences.join("; ");
        if history.wrote() && !launched {
            return Err(exit::usage(format!(
                "{} holds the journal of a run that began at {began}, has written to the service and is not through, and \
                 it is not the one asked for now: {what}. Finish that one as it was begun, or give --fresh, which sets \
                 its journal aside and begins anew",
                folder.display()
            )));
        }
        screen.note(&format!(
            "{}: the unfinished run of {began} is not gone on with: {what}; its journal is set aside",
            folder.display()
        ));
        return Ok(Course::Begin(Box::new(now)));
    }
    let age = Duration::try_from(Timestamp::now().duration_since(history.began_at)).unwrap_or_default();
    // What is written and not in doubt a new run finds there.
    let safe = history.doubts() == 0 && history.snapshot == Standing::Open;
    if now.asks && (launched || safe) && age > FRESH_FOR {
        screen.note(&format!(
            "{}: the unfinished run of {began} is too old to be gone on with; its journal is set aside",
            folder.display()
        ));
        return Ok(Course::Begin(Box::new(now)));
    }
    screen.note(&format!(
        "going on with the run that began at {began} ({} answers kept{}); --fresh begins anew",
        history.samples.len(),
        match history.doubts() {
            0 => String::new(),
            1 => ", 1 write to be asked for".to_owned(),
            n => format!(", {n} writes to be asked for"),
        }
    ));
    Ok(Course::TakeUp(Box::new(history)))
}

fn refusal(fault: Fault) -> anyhow::Error {
    exit::usage(fault.to_string())
}

/// The run of a suite as it would begin now.
pub(crate) fn of_suite(
    suite: &Suite,
    home: &Home,
    service: &str,
    command: &str,
    fresh: bool,
    environment: &Environment,
) -> Begun {
    let cases = suite.cases.iter().map(|c| (c.id.clone(), c.fingerprint.clone()));
    let mut begun = Begun {
        suite: suite.name.clone(),
        fingerprint: suite.fingerprint.clone(),
        judge: suite.judge.fingerprint.clone(),
        asks: true,
        ..begun(service, home, command, cases, environment)
    };
    begun.run = identity(&begun, fresh, environment);
    begun
}

/// The run that a results file is of.
pub(crate) fn of_results(results: &Results, home: &Home, service: &str, environment: &Environment) -> Begun {
    let cases = results.cases.iter().map(|c| (c.id, c.fingerprint));
    Begun {
        run: results.run.id.clone(),
        suite: results.suite.name.clone(),
        fingerprint: results.suite.fingerprint.clone(),
        judge: results.suite.judge.fingerprint.clone(),
        asks: false,
        ..begun(service, home, "cycle", cases, environment)
    }
}

fn begun(
    service: &str,
    home: &Home,
    command: &str,
    cases: impl ExactSizeIterator<Item = (String, String)>,
    environment: &Environment,
) -> Begun {
    Begun {
        version: journal::VERSION,
        command: command.to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        cases: match cases.len() {
            0..=LISTED_CASES => cases.collect(),
            _ => std::collections::BTreeMap::new(),
        },
        service: service.to_owned(),
        project: home.project.clone(),
        model: home.model.clone(),
        dataset: home.dataset.clone(),
        commit: environment.commit.clone(),
        ..Begun::default()
    }
}

/// A UUID for the run. In a workflow it follows from the workflow's run, so that a second attempt of it knows the job
/// of the first one even where the journal is lost.
fn identity(begun: &Begun, fresh: bool, environment: &Environment) -> String {
    let workflow = environment.github.as_ref().and_then(|github| github.run.as_ref());
    let Some(workflow) = workflow.filter(|_| !fresh) else {
        return uuid::Uuid::new_v4().to_string();
    };
    let mut hasher = Sha256::new();
    let Begun {
        suite,
        fingerprint,
        service,
        project,
        model,
        dataset,
        ..
    } = begun;
    let dataset = dataset.as_deref().unwrap_or_default();
    for part in [workflow, suite, fingerprint, service, project, model, dataset] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// The part of a run's identity that a job's name carries.
pub(crate) fn short(run: &str) -> String {
    run.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(SHORT)
        .collect()
}

/// Whether a run needs no going on: the next one begins anew. `unjudged`: judgements of anchors or of an earlier run's
/// answers that are missing and that could be asked for again.
pub(crate) fn is_through(record: &Record, unjudged: u64, interrupted: bool) -> bool {
    let all = &record.figures.overall;
    let evaluated = record.results.run.stopped.is_none();
    // Calls that failed may come through the next time; what came is not paid for again.
    let undecided =
        record.verdict.decision == crate::gate::Decision::Inconclusive && (all.errors > 0 || unjudged > 0);
    let stopped = record
        .cycle
        .as_ref()
        .is_some_and(|c| c.outcome == Outcome::Stopped);
    evaluated && !undecided && !stopped && !interrupted
}

/// Notes in the journal that the run is through, where it is.
pub(crate) fn end(log: &Log, record: &Record, unjudged: u64, interrupted: bool) -> Result<(), Fault> {
    // An evaluation or a dry run in the middle of somebody's cycle does not end that.
    let looks = record.cycle.as_ref().is_none_or(|c| c.outcome == Outcome::DryRun);
    let others = looks && log.history.wrote();
    if others || !is_through(record, unjudged, interrupted) {
        return Ok(());
    }
    let outcome = record.cycle.as_ref().map_or("evaluated", |c| c.outcome.as_str());
    log.journal.note(&Fact::Ended {
        outcome: outcome.to_owned(),
    })
}

/// Whether an evaluation that ended early leaves answers that may be written: it was a limit of its own.
pub(crate) fn may_harvest(record: &Record) -> bool {
    match record.results.run.stopped.as_ref().map(|s| s.kind) {
        None | Some(StopKind::Budget | StopKind::Deadline) => true,
        Some(
            StopKind::Unauthorized | StopKind::Unavailable | StopKind::Interrupted | StopKind::Unrecorded,
        ) => false,
    }
}

#[cfg(test)]
mod tests;
