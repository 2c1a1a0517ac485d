//! The cycle's steps in their order, and what ends it early.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::plan::{self, Answer, Planned};
use super::record::{Dataset, FailedWrite, Outcome, Record, Step, StepState};
use super::write::Unwritten;
use super::{Event, dataset, leak, rows, traces, training};
use crate::gate::{Decision, Verdict};
use crate::results::{CycleSettings, Harvest};
use crate::studio::{Failure, FailureKind, Studio};

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
    /// The job's name, rendered.
    pub job_name: String,
    /// Writes in flight at any time, at least 1.
    pub concurrency: usize,
    /// Everything but the launch.
    pub no_launch: bool,
    /// Show what would be written and send nothing that writes.
    pub dry_run: bool,
    /// The holdout cases' ids and prompts, looked for among the project's traces.
    pub holdouts: Vec<(String, String)>,
}

/// Why the cycle ends before its last step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Halt {
    pub(super) outcome: Outcome,
    pub(super) reason: String,
}

impl Halt {
    pub(super) fn stopped(reason: impl Into<String>) -> Self {
        Halt {
            outcome: Outcome::Stopped,
            reason: reason.into(),
        }
    }

    /// Ends the cycle where going on makes no sense: the key is refused, or the run was cancelled.
    pub(super) fn of(failure: &Failure) -> Option<Self> {
        match failure.kind {
            FailureKind::Unauthorized => Some(Halt::stopped(format!(
                "the service refuses the key ({failure}): set PREMAI_API_KEY to a key that may write to this project"
            ))),
            FailureKind::Cancelled => Some(Halt::stopped("interrupted")),
            _ => None,
        }
    }

    pub(super) fn held(reason: impl Into<String>) -> Self {
        Halt {
            outcome: Outcome::Held,
            reason: reason.into(),
        }
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Halt::stopped(failure.to_string())
    }
}

/// A cycle on its way.
pub(super) struct Cycle<'a> {
    pub(super) studio: &'a Studio,
    pub(super) settings: &'a Settings,
    pub(super) events: &'a UnboundedSender<Event>,
    pub(super) record: Record,
}

/// Runs the cycle to its end. `earlier` is the record of a cycle on the same answers that ended before a job
/// was launched: what it has written is not written again.
pub async fn run(
    answers: Vec<Answer>,
    verdict: &Verdict,
    studio: &Studio,
    settings: &Settings,
    earlier: Option<Record>,
    events: &UnboundedSender<Event>,
) -> Record {
    let began = Instant::now();
    let (planned, counts) = plan::plan(answers);
    let mut cycle = Cycle {
        studio,
        settings,
        events,
        record: begin(earlier),
    };
    cycle.record.traces.planned = counts.planned;
    cycle.record.traces.holdout = counts.holdout;
    cycle.record.traces.unscored = counts.unscored;
    cycle.record.traces.repeated = counts.repeated;
    let end = match cycle.steps(&planned, verdict).await {
        Ok(end) | Err(end) => end,
    };
    cycle.record.outcome = end.outcome;
    cycle.record.reason = end.reason;
    if studio.http().cancel().is_cancelled() && !cycle.record.unknown.is_empty() {
        let unknown = unknown_reason(&cycle.record.unknown);
        cycle.record.reason = format!("{}; {unknown}", cycle.record.reason);
    }
    cycle.record.count();
    cycle.record.duration_ms = millis(began.elapsed());
    cycle.record
}

fn begin(earlier: Option<Record>) -> Record {
    let mut record = earlier.unwrap_or_default();
    record.started_at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    record.steps.clear();
    record.failed.clear();
    record.leaks.clear();
    record.planned.clear();
    record
}

impl Cycle<'_> {
    async fn steps(&mut self, planned: &[Planned], verdict: &Verdict) -> Result<Halt, Halt> {
        if let Some(job) = &self.record.job_id {
            return Err(Halt {
                outcome: Outcome::Launched,
                reason: format!("job {job} was launched before"),
            });
        }
        let launch_allowed = verdict.decision == Decision::Pass;
        let harvest = launch_allowed || self.settings.cycle.harvest == Harvest::Always;
        let dataset = self.find_dataset().await?;
        leak::check(self).await?;
        if self.settings.dry_run {
            let planned = if harvest { planned } else { &[] };
            return Ok(self.show(planned, &dataset.id, launch_allowed));
        }
        if harvest {
            traces::write(self, planned).await?;
            rows::add(self).await?;
            rows::settle(self).await?;
        } else {
            self.skip(
                "traces",
                "the gates do not pass, and the suite harvests only when they do",
            );
        }
        if !launch_allowed {
            self.skip("snapshot", "the gates do not let a job be launched");
            return Err(Halt::held(verdict.reason.clone()));
        }
        self.ready_to_train()?;
        let taken_before = self.record.snapshot_id.is_some();
        let snapshot = training::snapshot(self, &dataset).await?;
        let experiments = training::recommendations(self, &snapshot, taken_before).await?;
        training::launch(self, &snapshot, &experiments).await
    }

    /// Nothing in doubt, nothing under way, and something to train on.
    fn ready_to_train(&mut self) -> Result<(), Halt> {
        self.record.count();
        let counts = self.record.traces;
        if !self.record.unknown.is_empty() {
            self.skip("snapshot", "a write's effect is not known");
            return Err(Halt::stopped(unknown_reason(&self.record.unknown)));
        }
        if counts.unsettled > 0 {
            self.skip("snapshot", "corrections are still being written");
            return Err(Halt::stopped(format!(
                "{} of this run's traces are still being corrected after {}; a snapshot now would miss them: \
                 raise `cycle.settle_timeout`, or continue later with `tunegate cycle`",
                counts.unsettled,
                human(self.settings.cycle.settle_timeout),
            )));
        }
        if counts.failed > counts.planned / 2 {
            self.skip("snapshot", "most of the traces are missing");
            let cause = self
                .record
                .failed
                .first()
                .map_or(String::new(), |f| format!(": {}", f.cause));
            return Err(Halt::stopped(format!(
                "{} of {} traces could not be written or added{cause}; mend that and continue with `tunegate cycle`",
                counts.failed, counts.planned
            )));
        }
        if counts.rows > 0 {
            return Ok(());
        }
        self.skip("snapshot", "no row was added");
        if counts.failed + counts.correction_failed > 0 {
            let cause = self
                .record
                .failed
                .first()
                .map_or(String::new(), |f| format!(": {}", f.cause));
            return Err(Halt::stopped(format!(
                "none of this run's traces became a row of the dataset{cause}"
            )));
        }
        Err(Halt::held(
            "nothing to train on: no scored answer that is not held out",
        ))
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

fn unknown_reason(unknown: &[FailedWrite]) -> String {
    let named: Vec<String> = unknown
        .iter()
        .take(3)
        .map(|w| format!("{} ({})", w.call, w.about))
        .collect();
    let more = if unknown.len() > 3 {
        format!(" and {} more", unknown.len() - 3)
    } else {
        String::new()
    };
    format!(
        "it is not known whether the service has done {}{more}: sent, and no readable answer came; \
         look at the project before anything is sent again",
        named.join(", ")
    )
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
