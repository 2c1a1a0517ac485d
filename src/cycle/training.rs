//! The steps from rows to what a job needs: the snapshot and the recommendations.

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::Event;
use super::busy;
use super::halt::Halt;
use super::journal::{Doubt, Standing, Write};
use super::launch::is_ours;
use super::record::StepState;
use super::run::{Cycle, human};
use super::traces::unreadable;
use super::write::{Desk, Due, Kind, Unwritten, carry_out, sleep};
use crate::studio::{
    Dataset, Failure, FailureKind, RecommendationStatus, Recommendations, Snapshot, Studio, recommended,
};

const SNAPSHOT: &str = "snapshot";
const RECOMMENDATIONS: &str = "recommendations";

/// Takes the snapshot, or goes on with the one that an earlier part of this cycle took.
pub(super) async fn snapshot(cycle: &mut Cycle<'_>, dataset: &Dataset) -> Result<String, Halt> {
    if let Some(id) = cycle.record.snapshot_id.clone() {
        let end = (Instant::now(), SNAPSHOT);
        cycle.end(end, StepState::Skipped, Some(id.clone()), "taken before");
        return Ok(id);
    }
    let (doubt, before) = match &cycle.history.snapshot {
        Standing::InDoubt(doubt) => (Some(doubt.clone()), cycle.history.snapshots_before.clone()),
        // Looked at now: what others took while this run waited for corrections is not ours.
        _ => (None, busy::before_snapshot(cycle, &dataset.id).await?),
    };
    let began = cycle.begin(SNAPSHOT, None);
    let split = cycle.settings.cycle.split_percentage;
    let kind = Taking {
        studio: cycle.studio,
        project: &cycle.settings.project,
        dataset: &dataset.id,
        run: &cycle.settings.run,
        split,
        before,
    };
    match one(cycle.desk(), &kind, doubt).await? {
        Ok(id) => {
            cycle.record.snapshot_id = Some(id.clone());
            let detail = format!("{split} % for training");
            cycle.end(began, StepState::Done, Some(id.clone()), detail);
            Ok(id)
        }
        Err(unwritten) => Err(unmade(cycle, began, "snapshot", &dataset.label, &unwritten)),
    }
}

/// Carries one write out. Beside the end of the cycle: what became of the write.
pub(super) async fn one<K: Kind<Item = ()>>(
    desk: Desk<'_>,
    kind: &K,
    doubt: Option<Doubt>,
) -> Result<Result<K::Made, Unwritten>, Halt> {
    let mut outcome = None;
    let end = carry_out(desk, kind, vec![Due { item: (), doubt }], |(), result| {
        outcome = Some(result);
    })
    .await;
    match (outcome, end) {
        // What became of the write says more than why the run ends.
        (Some(outcome), _) => Ok(outcome),
        (None, Err(halt)) => Err(halt),
        (None, Ok(())) => Err(Halt::stopped(
            "a write without an outcome: a bug in tunegate, please report it",
        )),
    }
}

/// The snapshot.
struct Taking<'a> {
    studio: &'a Studio,
    project: &'a str,
    dataset: &'a str,
    /// The run's identity.
    run: &'a str,
    split: u8,
    /// The ids of the dataset's snapshots just before.
    before: Vec<String>,
}

impl Kind for Taking<'_> {
    type Item = ();
    type Made = String;
    const CALL: &'static str = "create snapshot";
    const CARE: u32 = 2;

    fn write(&self, (): &()) -> Write {
        Write::Snapshot {
            before: self.before.clone(),
        }
    }

    fn made(id: &String) -> String {
        id.clone()
    }

    async fn send(&self, _: &[&()]) -> Vec<Result<String, Failure>> {
        vec![self.studio.create_snapshot(self.dataset, self.split).await]
    }

    async fn ask(&self, _: &[&()]) -> Vec<Result<Option<String>, Failure>> {
        let found = snapshots(self.studio, self.project, self.dataset).await;
        vec![found.and_then(|mut new| {
            // One that somebody has launched from is theirs: ours can't have a job yet.
            new.retain(|s| !self.before.contains(&s.id) && s.jobs.iter().all(|job| is_ours(job, self.run)));
            match new.as_slice() {
                [] => Ok(None),
                [ours] => Ok(Some(ours.id.clone())),
                several => Err(ambiguous("snapshots", several.len())),
            }
        })]
    }
}

/// The dataset's snapshots, as the project's tree has them.
pub(super) async fn snapshots(
    studio: &Studio,
    project: &str,
    dataset: &str,
) -> Result<Vec<Snapshot>, Failure> {
    let project = studio.project(project).await?;
    let found = project.datasets.into_iter().find(|d| d.id == dataset);
    Ok(found.map(|d| d.snapshots).unwrap_or_default())
}

/// More than one new thing where ours should be the only one: somebody else is at work.
pub(super) fn ambiguous(what: &str, count: usize) -> Failure {
    let message = format!("{count} {what} are new, and ours can't be told from the others");
    unreadable("read project", message)
}

/// Ends a step whose write did not come through.
pub(super) fn unmade(
    cycle: &mut Cycle<'_>,
    began: (Instant, &'static str),
    what: &str,
    about: &str,
    unwritten: &Unwritten,
) -> Halt {
    let failure = unwritten.failure();
    if !unwritten.unsent() {
        cycle.note(about, unwritten);
    }
    let (state, reason) = match unwritten {
        Unwritten::NotDone(_) => (
            StepState::Failed,
            format!("{failure}; mend that, and the same command goes on from here"),
        ),
        Unwritten::Unknown(_) => (
            StepState::Unknown,
            format!(
                "it is not known whether the {what} was made ({failure}): the same command asks again; once you have \
                 looked at the project and it is not there, give --assume-not-done"
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
    let kind = Recommending { studio, snapshot };
    // A service may refuse to recommend twice for one snapshot: a later part of a cycle looks first.
    let doubt = taken_before.then(Doubt::of_old);
    if let Err(unwritten) = one(cycle.desk(), &kind, doubt).await? {
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

/// The request for recommendations.
struct Recommending<'a> {
    studio: &'a Studio,
    snapshot: &'a str,
}

impl Recommending<'_> {
    async fn there(&self) -> Result<Option<()>, Failure> {
        match self.studio.recommendations(self.snapshot).await {
            Ok(found) if found.status == RecommendationStatus::Failed => Ok(None),
            Ok(_) => Ok(Some(())),
            Err(failure) if failure.status == Some(404) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

impl Kind for Recommending<'_> {
    type Item = ();
    type Made = ();
    const CALL: &'static str = "generate recommendations";

    fn write(&self, (): &()) -> Write {
        Write::Recommendations {
            snapshot: self.snapshot.to_owned(),
        }
    }

    fn made((): &()) -> String {
        String::new()
    }

    async fn send(&self, _: &[&()]) -> Vec<Result<(), Failure>> {
        vec![self.studio.generate_recommendations(self.snapshot).await]
    }

    async fn ask(&self, _: &[&()]) -> Vec<Result<Option<()>, Failure>> {
        vec![self.there().await]
    }
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
                         the same command asks again, or launch by hand in Prem Studio"
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
                 raise `cycle.recommendations_timeout`, or let the same command go on later",
                human(patience)
            )));
        }
        cycle.emit(Event::Waiting {
            step: RECOMMENDATIONS,
            left: 1,
            waited,
        });
        if !sleep(cycle.studio, cycle.settings.cycle.poll.min(patience - waited)).await {
            return Err(Halt::interrupted());
        }
    }
}
