//! The steps from rows to a job: the snapshot, the recommendations, the launch.

use std::collections::HashSet;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::Event;
use super::record::{Outcome, StepState};
use super::run::{Cycle, Halt, human};
use super::traces::unreadable;
use super::write::{Unwritten, sleep, write};
use crate::studio::{
    Dataset, Failure, FailureKind, RecommendationStatus, Recommendations, Snapshot, recommended,
};

const SNAPSHOT: &str = "snapshot";
const RECOMMENDATIONS: &str = "recommendations";
const LAUNCH: &str = "launch";

/// Takes the snapshot, or goes on with the one that an earlier part of this cycle took.
pub(super) async fn snapshot(cycle: &mut Cycle<'_>, dataset: &Dataset) -> Result<String, Halt> {
    if let Some(id) = cycle.record.snapshot_id.clone() {
        cycle.end(
            (Instant::now(), SNAPSHOT),
            StepState::Skipped,
            Some(id.clone()),
            "taken before",
        );
        return Ok(id);
    }
    let began = cycle.begin(SNAPSHOT, None);
    let (studio, settings) = (cycle.studio, cycle.settings);
    // Looked at now: what others took while this run waited for corrections is not ours.
    let before: HashSet<String> = match snapshots(cycle, &dataset.id).await {
        Ok(before) => before.into_iter().map(|s| s.id).collect(),
        Err(failure) => {
            cycle.end(began, StepState::Failed, None, failure.to_string());
            return Err(Halt::of(&failure).unwrap_or_else(|| failure.into()));
        }
    };
    let split = settings.cycle.split_percentage;
    let made = write(
        studio,
        async || studio.create_snapshot(&dataset.id, split).await,
        async || {
            let mut new = snapshots(cycle, &dataset.id).await?;
            new.retain(|s| !before.contains(&s.id));
            match new.as_slice() {
                [] => Ok(None),
                [ours] => Ok(Some(ours.id.clone())),
                several => Err(ambiguous("snapshots", several.len())),
            }
        },
    )
    .await;
    match made {
        Ok(id) => {
            cycle.record.snapshot_id = Some(id.clone());
            cycle.end(
                began,
                StepState::Done,
                Some(id.clone()),
                format!("{split} % for training"),
            );
            Ok(id)
        }
        Err(unwritten) => Err(unmade(cycle, began, "snapshot", &dataset.label, &unwritten)),
    }
}

async fn snapshots(cycle: &Cycle<'_>, dataset: &str) -> Result<Vec<Snapshot>, Failure> {
    let project = cycle.studio.project(&cycle.settings.project).await?;
    Ok(project
        .datasets
        .into_iter()
        .find(|d| d.id == dataset)
        .map(|d| d.snapshots)
        .unwrap_or_default())
}

/// More than one new thing where ours should be the only one: somebody else is at work.
fn ambiguous(what: &str, count: usize) -> Failure {
    let message = format!("{count} {what} are new, and ours can't be told from the others");
    unreadable("read project", message)
}

/// Ends a step whose write did not come through.
fn unmade(
    cycle: &mut Cycle<'_>,
    began: (Instant, &'static str),
    what: &str,
    about: &str,
    unwritten: &Unwritten,
) -> Halt {
    cycle.note(about, unwritten);
    let failure = unwritten.failure();
    let (state, reason) = match unwritten {
        Unwritten::NotDone(_) => (
            StepState::Failed,
            format!("{failure}; mend that and continue with `tunegate cycle`"),
        ),
        Unwritten::Unknown(_) => (
            StepState::Unknown,
            format!(
                "it is not known whether the {what} was made ({failure}); \
                 look at the project before anything is sent again"
            ),
        ),
    };
    cycle.end(began, state, None, reason.clone());
    Halt::of(failure).unwrap_or_else(|| Halt::stopped(reason))
}

/// Has experiments recommended for the snapshot and waits for them. `taken_before`: the snapshot is an earlier
/// part's of this cycle, which may have asked for them already.
pub(super) async fn recommendations(
    cycle: &mut Cycle<'_>,
    snapshot: &str,
    taken_before: bool,
) -> Result<Vec<Map<String, Value>>, Halt> {
    let began = cycle.begin(RECOMMENDATIONS, None);
    let studio = cycle.studio;
    let there = async || match studio.recommendations(snapshot).await {
        Ok(found) if found.status == RecommendationStatus::Failed => Ok(None),
        Ok(_) => Ok(Some(())),
        Err(failure) if failure.status == Some(404) => Ok(None),
        Err(failure) => Err(failure),
    };
    // A service may refuse to recommend twice for one snapshot: a later part of a cycle looks first.
    if !(taken_before && matches!(there().await, Ok(Some(()))))
        && let Err(unwritten) = write(
            studio,
            async || studio.generate_recommendations(snapshot).await,
            there,
        )
        .await
    {
        return Err(unmade(
            cycle,
            began,
            "request for recommendations",
            snapshot,
            &unwritten,
        ));
    }
    let chosen = match wait_for_recommendations(cycle, snapshot).await {
        Ok(found) => recommended(&found.experiments),
        Err(halt) => {
            cycle.end(began, StepState::Failed, None, halt.reason.clone());
            return Err(halt);
        }
    };
    if chosen.is_empty() {
        let reason = format!(
            "the service recommends no experiment for snapshot {snapshot}: launch one by hand in Prem Studio, \
             or add rows and run again"
        );
        cycle.end(began, StepState::Failed, None, reason.clone());
        return Err(Halt::stopped(reason));
    }
    cycle.end(
        began,
        StepState::Done,
        None,
        format!("{} experiments recommended", chosen.len()),
    );
    Ok(chosen)
}

async fn wait_for_recommendations(cycle: &Cycle<'_>, snapshot: &str) -> Result<Recommendations, Halt> {
    let patience = cycle.settings.cycle.recommendations_timeout;
    let started = Instant::now();
    loop {
        let state = match cycle.studio.recommendations(snapshot).await {
            Ok(found) => match found.status {
                RecommendationStatus::Completed => return Ok(found),
                RecommendationStatus::Failed => {
                    return Err(Halt::stopped(format!(
                        "the service failed at the recommendations for snapshot {snapshot}: \
                         continue later with `tunegate cycle`, or launch by hand in Prem Studio"
                    )));
                }
                RecommendationStatus::Processing => "processing".to_owned(),
                RecommendationStatus::Unknown(word) => format!("a status this version does not know: {word}"),
            },
            Err(failure) => {
                if let Some(halt) = Halt::of(&failure) {
                    return Err(halt);
                }
                // Asking again is harmless, and 404 right after the request may only be a lagging replica.
                if failure.kind == FailureKind::Rejected && failure.status != Some(404) {
                    return Err(failure.into());
                }
                failure.to_string()
            }
        };
        let waited = started.elapsed();
        if waited >= patience {
            return Err(Halt::stopped(format!(
                "no recommendations for snapshot {snapshot} after {} ({state}): \
                 raise `cycle.recommendations_timeout`, or continue later with `tunegate cycle`",
                human(patience)
            )));
        }
        cycle.emit(Event::Waiting {
            step: RECOMMENDATIONS,
            left: 1,
            waited,
        });
        if !sleep(cycle.studio, cycle.settings.cycle.poll.min(patience - waited)).await {
            return Err(Halt::stopped("interrupted"));
        }
    }
}

/// Launches the job, once.
pub(super) async fn launch(
    cycle: &mut Cycle<'_>,
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
    let began = cycle.begin(LAUNCH, None);
    let (studio, settings) = (cycle.studio, cycle.settings);
    let dataset = cycle
        .record
        .dataset
        .as_ref()
        .map(|d| d.id.clone())
        .unwrap_or_default();
    cycle.record.job_name = Some(settings.job_name.clone());
    let before = match jobs(cycle, &dataset, snapshot).await {
        Ok(before) => before,
        Err(failure) => {
            cycle.end(began, StepState::Failed, None, failure.to_string());
            return Err(Halt::of(&failure).unwrap_or_else(|| failure.into()));
        }
    };
    let made = write(
        studio,
        async || studio.create_job(snapshot, &settings.job_name, experiments).await,
        async || {
            let mut new = jobs(cycle, &dataset, snapshot).await?;
            new.retain(|id| !before.contains(id));
            match new.as_slice() {
                [] => Ok(None),
                [ours] => Ok(Some(ours.clone())),
                several => Err(ambiguous("jobs", several.len())),
            }
        },
    )
    .await;
    match made {
        Ok(id) => {
            cycle.record.job_id = Some(id.clone());
            let detail = format!("{}, {} experiments", settings.job_name, experiments.len());
            cycle.end(began, StepState::Done, Some(id.clone()), detail);
            Ok(Halt {
                outcome: Outcome::Launched,
                reason: format!("fine-tuning job {id} launched"),
            })
        }
        Err(unwritten) => Err(unmade(cycle, began, "fine-tuning job", snapshot, &unwritten)),
    }
}

/// The ids of a snapshot's jobs that carry the name ours is created with.
async fn jobs(cycle: &Cycle<'_>, dataset: &str, snapshot: &str) -> Result<Vec<String>, Failure> {
    let snapshots = snapshots(cycle, dataset).await?;
    let jobs = snapshots
        .into_iter()
        .find(|s| s.id == snapshot)
        .map(|s| s.jobs)
        .unwrap_or_default();
    Ok(jobs
        .into_iter()
        .filter(|j| j.name == cycle.settings.job_name)
        .map(|j| j.id)
        .collect())
}
