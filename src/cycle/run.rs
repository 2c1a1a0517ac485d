//! The cycle's steps in their order, and what ends it early.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::halt::Halt;
use super::journal::{Before, Fact, History, Journal, Standing, Write};
use super::plan::{self, Answer, Planned};
use super::record::{Dataset, FailedWrite, Outcome, Record, Step, StepState};
use super::survey::survey;
use super::write::{Desk, Unwritten};
use super::{Event, corrections, dataset, launch, ready, rows, traces, training};
use crate::gate::{Decision, Verdict};
use crate::results::{CycleSettings, Harvest};
use crate::studio::Studio;

/// Where and how the cycle writes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The project's id.
    pub project: String,
    /// The model that the traces are of, as the suite calls it.
    pub model: String,
    /// The dataset's id or label; needed only where the project has several.
    pub dataset: Option<String>,
    /// What the suite says.
    pub cycle: CycleSettings,
    /// The job's name, rendered; it holds `run`.
    pub job_name: String,
    /// The run's identity in the job's name: by it the job is known when the answer to its launch was lost.
    pub run: String,
    /// How long the service is asked for a write of unknown effect before a no counts.
    pub doubt_timeout: Duration,
    /// A person has looked: what an earlier process left in doubt and is not found at once was not done.
    pub assume_not_done: bool,
    /// Writes in flight at any time, at least 1.
    pub concurrency: usize,
    /// Everything but the launch.
    pub no_launch: bool,
    /// Show what would be written and send nothing that writes.
    pub dry_run: bool,
    /// The holdout cases' ids and prompts, looked for among the project's traces.
    pub holdouts: Vec<(String, String)>,
}

/// A cycle on its way.
pub(super) struct Cycle<'a> {
    pub(super) studio: &'a Studio,
    pub(super) settings: &'a Settings,
    pub(super) journal: &'a Journal,
    pub(super) events: &'a UnboundedSender<Event>,
    /// What earlier processes of this run have done, and what this one found of it.
    pub(super) history: History,
    /// A processing status that this version does not know, as it was seen last, and how often one was.
    pub(super) strange: Option<(String, u32)>,
    pub(super) record: Record,
}

/// Runs the cycle to its end. `history` is what the journal has of this run: what is done is not done again, and
/// what may have been done is asked for.
pub async fn run(
    answers: Vec<Answer>,
    verdict: &Verdict,
    studio: &Studio,
    settings: &Settings,
    journal: &Journal,
    history: History,
    events: &UnboundedSender<Event>,
) -> Record {
    let began = Instant::now();
    let (planned, counts) = plan::plan(answers);
    let mut cycle = Cycle {
        studio,
        settings,
        journal,
        events,
        record: begin(&history),
        strange: None,
        history,
    };
    cycle.record.traces.planned = counts.planned;
    cycle.record.traces.holdout = counts.holdout;
    cycle.record.traces.unscored = counts.unscored;
    cycle.record.traces.cached = counts.cached;
    cycle.record.traces.repeated = counts.repeated;
    let end = match cycle.steps(&planned, verdict).await {
        Ok(end) | Err(end) => end,
    };
    cycle.record.outcome = end.outcome;
    cycle.record.reason = end.reason;
    cycle.record.count();
    if studio.http().cancel().is_cancelled() && end.outcome == Outcome::Stopped {
        cycle.record.reason = format!("{}; {}", cycle.record.reason, ready::left(&cycle.record));
    }
    // What was noted last is on the disk before anybody is told of it.
    if let Err(fault) = journal.sync().await
        && cycle.record.outcome != Outcome::DryRun
    {
        cycle.record.reason = format!("{}; {fault}", cycle.record.reason);
    }
    cycle.record.duration_ms = millis(began.elapsed());
    cycle.record
}

fn begin(history: &History) -> Record {
    let done = |standing: &Standing| match standing {
        Standing::Done(id) => Some(id.clone()),
        Standing::Open | Standing::InDoubt(_) => None,
    };
    Record {
        started_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        snapshot_id: done(&history.snapshot),
        job_id: done(&history.job),
        job_name: history.job_name.clone(),
        ..Record::default()
    }
}

impl<'a> Cycle<'a> {
    async fn steps(&mut self, planned: &[Planned], verdict: &Verdict) -> Result<Halt, Halt> {
        if let Some(job) = self.record.job_id.clone() {
            traces::open_records(self, planned);
            return Ok(launched_before(&job));
        }
        let launch_allowed = verdict.decision == Decision::Pass;
        let harvest = launch_allowed || self.settings.cycle.harvest == Harvest::Always;
        let dataset = self.find_dataset().await?;
        if let Some(job) = self.find_own_job(&dataset)? {
            traces::open_records(self, planned);
            return Ok(launched_before(&job));
        }
        let snapshots = &dataset.snapshots;
        let before = Before {
            snapshots: snapshots.iter().map(|s| s.id.clone()).collect(),
            ..Before::default()
        };
        let harvested = if harvest { planned } else { &[] };
        let found = survey(self, harvested, before).await?;
        if self.settings.dry_run {
            return Ok(self.show(harvested, &dataset.id, launch_allowed));
        }
        if !harvest {
            self.skip(
                "traces",
                "the gates do not pass, and the suite harvests only when they do",
            );
        } else if self.history.snapshot == Standing::Open {
            traces::write(self, planned, &found).await?;
            rows::add(self).await?;
            corrections::settle(self).await?;
        } else {
            // What would be added now the snapshot does not have.
            traces::open_records(self, planned);
        }
        if !launch_allowed {
            ready::is_known(self)?;
            self.skip("snapshot", "the gates do not let a job be launched");
            return Err(Halt::held(verdict.reason.clone()));
        }
        if self.history.snapshot == Standing::Open {
            ready::to_train(self, &dataset)?;
        }
        let taken_before = self.record.snapshot_id.is_some();
        let snapshot = training::snapshot(self, &dataset).await?;
        let experiments = training::recommendations(self, &snapshot, taken_before).await?;
        launch::launch(self, &dataset.id, &snapshot, &experiments).await
    }

    /// A job that carries this run's identity was launched by it, whatever became of its journal.
    fn find_own_job(&mut self, dataset: &crate::studio::Dataset) -> Result<Option<String>, Halt> {
        let jobs = dataset
            .snapshots
            .iter()
            .flat_map(|s| s.jobs.iter().map(move |j| (s, j)));
        let Some((snapshot, job)) = jobs
            .into_iter()
            .find(|(_, j)| launch::is_ours(j, &self.settings.run))
        else {
            return Ok(None);
        };
        if !self.settings.dry_run {
            self.journal.note(&Fact::Done {
                write: Write::Snapshot { before: Vec::new() },
                made: snapshot.id.clone(),
            })?;
            self.journal.note(&Fact::Done {
                write: Write::Job {
                    snapshot: snapshot.id.clone(),
                    name: job.name.clone(),
                },
                made: job.id.clone(),
            })?;
        }
        self.record.snapshot_id = Some(snapshot.id.clone());
        self.record.job_id = Some(job.id.clone());
        self.record.job_name = Some(job.name.clone());
        Ok(Some(job.id.clone()))
    }

    /// What every write needs.
    pub(super) fn desk(&self) -> Desk<'a> {
        Desk {
            studio: self.studio,
            journal: self.journal,
            concurrency: self.settings.concurrency,
            patience: self.settings.doubt_timeout,
            assume_not_done: self.settings.assume_not_done,
        }
    }

    async fn find_dataset(&mut self) -> Result<crate::studio::Dataset, Halt> {
        let began = self.begin("project", None);
        let settings = self.settings;
        let found = dataset::find(self.studio, &settings.project, settings.dataset.as_deref()).await;
        match &found {
            Ok(dataset) => {
                self.record.dataset = Some(Dataset {
                    id: dataset.id.clone(),
                    label: dataset.label.clone(),
                });
                let detail = format!("dataset {}", dataset.label);
                self.end(began, StepState::Done, Some(dataset.id.clone()), detail);
            }
            Err(halt) => self.end(began, StepState::Failed, None, halt.reason.clone()),
        }
        found
    }

    fn show(&mut self, planned: &[Planned], dataset: &str, launch_allowed: bool) -> Halt {
        traces::open_records(self, planned);
        let trains = launch_allowed && !planned.is_empty();
        let (traces, writes) = plan::dry_run(planned, self.settings, dataset, trains, &self.record);
        let count = writes.len();
        self.record.planned = writes;
        Halt {
            outcome: Outcome::DryRun,
            reason: format!(
                "dry run: {traces} traces would be written; nothing was sent ({count} writes shown)"
            ),
        }
    }

    pub(super) fn begin(&self, step: &'static str, total: Option<usize>) -> (Instant, &'static str) {
        self.emit(Event::Began { step, total });
        (Instant::now(), step)
    }

    pub(super) fn end(
        &mut self,
        (began, name): (Instant, &'static str),
        state: StepState,
        id: Option<String>,
        detail: impl Into<String>,
    ) {
        let duration_ms = millis(began.elapsed());
        let step = Step {
            name: name.to_owned(),
            state,
            id,
            detail: detail.into(),
            duration_ms,
        };
        self.emit(Event::Ended(step.clone()));
        self.record.steps.push(step);
    }

    pub(super) fn skip(&mut self, name: &'static str, why: &str) {
        self.end((Instant::now(), name), StepState::Skipped, None, why);
    }

    /// Nobody listening is no reason to stop.
    pub(super) fn emit(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// Notes a write that did not come through: in doubt or surely not done.
    pub(super) fn note(&mut self, about: &str, unwritten: &Unwritten) {
        let failure = unwritten.failure();
        let entry = FailedWrite {
            call: failure.call.to_owned(),
            about: about.to_owned(),
            kind: failure.kind.as_str().to_owned(),
            attempts: failure.attempts,
            cause: failure.message.clone(),
        };
        match unwritten {
            Unwritten::NotDone(_) => self.record.failed.push(entry),
            Unwritten::Unknown(_) => self.record.unknown.push(entry),
        }
    }
}

fn launched_before(job: &str) -> Halt {
    Halt {
        outcome: Outcome::Launched,
        reason: format!("job {job} was launched by an earlier attempt of this run"),
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// `90s` → `1m 30s`, for people.
pub(super) fn human(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, _) if seconds == 0 => format!("{} ms", duration.as_millis()),
        (0, s) => format!("{s}s"),
        (m, 0) => format!("{m}m"),
        (m, s) => format!("{m}m {s}s"),
    }
}
