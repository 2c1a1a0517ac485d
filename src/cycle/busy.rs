//! Whether somebody else is training in the project right now: the project's tree comes in, a word to hold goes out.
//!
//! Two cycles at once would each take a snapshot and pay for a job of their own. Whoever sees a job under way, or a
//! snapshot that was taken after it began itself, holds, waits, or is told to go on.

use tokio::time::Instant;

use super::Event;
use super::halt::Halt;
use super::launch::is_ours;
use super::record::StepState;
use super::run::{Cycle, human};
use super::write::sleep;
use crate::results::WhenBusy;
use crate::studio::{Dataset, Job, Snapshot};

const STEP: &str = "busy check";

/// Looks before the snapshot. The ids of the dataset's snapshots go out.
///
/// # Errors
/// Where the cycle holds, or the project can't be looked at.
pub(super) async fn before_snapshot(cycle: &mut Cycle<'_>, dataset: &str) -> Result<Vec<String>, Halt> {
    let datasets = settled(cycle, dataset, None).await?;
    let ours = datasets.into_iter().find(|d| d.id == dataset);
    Ok(ours.into_iter().flat_map(|d| d.snapshots).map(|s| s.id).collect())
}

/// Looks before the launch.
///
/// # Errors
/// Where the cycle holds, or the project can't be looked at.
pub(super) async fn before_launch(cycle: &mut Cycle<'_>, dataset: &str, snapshot: &str) -> Result<(), Halt> {
    settled(cycle, dataset, Some(snapshot)).await.map(|_| ())
}

/// Waits, where the suite says so, until nobody else is at it.
async fn settled(cycle: &mut Cycle<'_>, dataset: &str, ours: Option<&str>) -> Result<Vec<Dataset>, Halt> {
    let when = cycle.settings.cycle.when_busy;
    let patience = cycle.settings.cycle.busy_timeout;
    let began = (Instant::now(), STEP);
    loop {
        let datasets = match cycle.studio.project(&cycle.settings.project).await {
            Ok(project) => project.datasets,
            Err(failure) => {
                cycle.end(began, StepState::Failed, None, failure.to_string());
                return Err(Halt::of(&failure).unwrap_or_else(|| failure.into()));
            }
        };
        let scene = Scene {
            datasets: &datasets,
            dataset,
            ours,
            run: &cycle.settings.run,
            before: cycle.history.before.as_ref().map_or(&[][..], |b| &b.snapshots),
        };
        let Some(reason) = scene.busy(when == WhenBusy::Wait) else {
            if began.0.elapsed() >= cycle.settings.cycle.poll {
                cycle.end(
                    began,
                    StepState::Done,
                    None,
                    "nobody else is training in the project any more",
                );
            }
            return Ok(datasets);
        };
        let waited = began.0.elapsed();
        match when {
            WhenBusy::Ignore => {
                let told = format!("{reason}; gone on all the same (`cycle.when_busy: ignore`)");
                cycle.end(began, StepState::Done, None, told);
                return Ok(datasets);
            }
            WhenBusy::Wait if waited < patience => {
                cycle.emit(Event::Waiting {
                    step: STEP,
                    left: 1,
                    waited,
                });
                if !sleep(cycle.studio, cycle.settings.cycle.poll.min(patience - waited)).await {
                    return Err(Halt::interrupted());
                }
            }
            WhenBusy::Hold | WhenBusy::Wait => {
                let reason = if when == WhenBusy::Wait {
                    format!("{reason}, and still so after {}", human(patience))
                } else {
                    reason
                };
                cycle.end(began, StepState::Skipped, None, reason.clone());
                return Err(Halt::held(format!(
                    "{reason}: two jobs at once would train on the same rows; `tunegate cycle` on these results \
                     launches later, or see `cycle.when_busy`"
                )));
            }
        }
    }
}

/// What is looked at.
struct Scene<'a> {
    datasets: &'a [Dataset],
    /// The dataset of this cycle.
    dataset: &'a str,
    /// Its snapshot, once it is taken.
    ours: Option<&'a str>,
    /// The run's identity.
    run: &'a str,
    /// The dataset's snapshots when this run began to write.
    before: &'a [String],
}

impl Scene<'_> {
    /// Why the project counts as busy. `waits`: a snapshot of somebody else's whose job is through is no reason any
    /// more.
    fn busy(&self, waits: bool) -> Option<String> {
        let jobs = self
            .datasets
            .iter()
            .flat_map(|d| &d.snapshots)
            .flat_map(|s| &s.jobs);
        if let Some(job) = jobs
            .filter(|job| !is_ours(job, self.run))
            .find(|job| under_way(job))
        {
            return Some(format!(
                "job {} ({}) is under way in this project",
                job.id, job.name
            ));
        }
        let dataset = self.datasets.iter().find(|d| d.id == self.dataset)?;
        let ours = dataset
            .snapshots
            .iter()
            .find(|s| Some(s.id.as_str()) == self.ours);
        let foreign = dataset
            .snapshots
            .iter()
            .filter(|s| Some(s.id.as_str()) != self.ours && !self.before.contains(&s.id))
            .find(|s| (!waits || s.jobs.is_empty()) && ours.is_none_or(|ours| !ahead(ours, s)));
        foreign.map(|s| {
            let at = s
                .created_at
                .as_ref()
                .map_or(String::new(), |at| format!(" (at {at})"));
            format!(
                "snapshot {} of this dataset was taken by somebody else after this run began{at}",
                s.id
            )
        })
    }
}

/// Of two cycles that have both taken a snapshot the earlier one goes on.
fn ahead(ours: &Snapshot, other: &Snapshot) -> bool {
    match (&ours.created_at, &other.created_at) {
        (Some(a), Some(b)) => (a, &ours.id) < (b, &other.id),
        _ => false,
    }
}

fn under_way(job: &Job) -> bool {
    const WORKING: [&str; 4] = ["pending", "queued", "running", "deploying"];
    match job.status.trim() {
        "processing" => true,
        // The service says nothing of the job itself.
        "" => job.experiments.iter().any(|e| WORKING.contains(&e.status.trim())),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
