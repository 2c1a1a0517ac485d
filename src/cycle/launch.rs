//! The last step: recommended experiments → one fine-tuning job.

use serde_json::{Map, Value};

use super::busy;
use super::halt::Halt;
use super::journal::{Standing, Write};
use super::record::{Outcome, StepState};
use super::run::Cycle;
use super::training::{ambiguous, one, snapshots, unmade};
use super::write::Kind;
use crate::studio::{Failure, Job, Studio};

const LAUNCH: &str = "launch";

/// Launches the job, once.
pub(super) async fn launch(
    cycle: &mut Cycle<'_>,
    dataset: &str,
    snapshot: &str,
    experiments: &[Map<String, Value>],
) -> Result<Halt, Halt> {
    cycle.record.experiments = u32::try_from(experiments.len()).unwrap_or(u32::MAX);
    if cycle.settings.no_launch {
        cycle.skip(LAUNCH, "--no-launch");
        return Ok(Halt {
            outcome: Outcome::NotLaunched,
            reason: format!("everything but the launch (--no-launch); snapshot {snapshot} is ready"),
        });
    }
    let doubt = match &cycle.history.job {
        Standing::InDoubt(doubt) => Some(doubt.clone()),
        _ => {
            busy::before_launch(cycle, dataset, snapshot).await?;
            None
        }
    };
    let began = cycle.begin(LAUNCH, None);
    let settings = cycle.settings;
    let kind = Launching {
        studio: cycle.studio,
        project: &settings.project,
        dataset,
        snapshot,
        // A job that an earlier process sent carries the name of its day.
        name: cycle
            .history
            .job_name
            .clone()
            .unwrap_or_else(|| settings.job_name.clone()),
        run: &settings.run,
        experiments,
    };
    cycle.record.job_name = Some(kind.name.clone());
    match one(cycle.desk(), &kind, doubt).await? {
        Ok(id) => {
            cycle.record.job_id = Some(id.clone());
            let detail = format!("{}, {} experiments", kind.name, experiments.len());
            cycle.end(began, StepState::Done, Some(id.clone()), detail);
            Ok(Halt {
                outcome: Outcome::Launched,
                reason: format!("fine-tuning job {id} launched"),
            })
        }
        Err(unwritten) => Err(unmade(cycle, began, "fine-tuning job", snapshot, &unwritten)),
    }
}

/// Whether a job is the run's own: its name carries the run's identity.
pub(super) fn is_ours(job: &Job, run: &str) -> bool {
    !run.is_empty() && job.name.contains(run)
}

/// The job.
struct Launching<'a> {
    studio: &'a Studio,
    project: &'a str,
    dataset: &'a str,
    snapshot: &'a str,
    name: String,
    run: &'a str,
    experiments: &'a [Map<String, Value>],
}

impl Kind for Launching<'_> {
    type Item = ();
    type Made = String;
    const CALL: &'static str = "create job";
    const CARE: u32 = 2;

    fn write(&self, (): &()) -> Write {
        Write::Job {
            snapshot: self.snapshot.to_owned(),
            name: self.name.clone(),
        }
    }

    fn made(id: &String) -> String {
        id.clone()
    }

    async fn send(&self, _: &[&()]) -> Vec<Result<String, Failure>> {
        vec![
            self.studio
                .create_job(self.snapshot, &self.name, self.experiments)
                .await,
        ]
    }

    async fn ask(&self, _: &[&()]) -> Vec<Result<Option<String>, Failure>> {
        let found = snapshots(self.studio, self.project, self.dataset).await;
        vec![found.and_then(|snapshots| {
            let jobs = snapshots
                .into_iter()
                .filter(|s| s.id == self.snapshot)
                .flat_map(|s| s.jobs);
            let ours: Vec<Job> = jobs.filter(|job| is_ours(job, self.run)).collect();
            match ours.as_slice() {
                [] => Ok(None),
                [ours] => Ok(Some(ours.id.clone())),
                several => Err(ambiguous("jobs", several.len())),
            }
        })]
    }
}
