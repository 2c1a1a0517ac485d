//! A project and what the suite says → the dataset that the traces become rows of, or the list of what is there.

use super::halt::Halt;
use crate::results::{StopKind, Stopped};
use crate::studio::{Dataset, Failure, FailureKind, Studio};

/// Names that an error lists at the most.
const LISTED: usize = 20;

/// Looks, before an evaluation is paid for, whether its cycle would have a dataset to write to. Only a clear no is
/// one: a service that can't be asked just now is asked again by the cycle.
///
/// # Errors
/// Why the cycle could not begin, with the list of what is there.
pub async fn check_dataset(studio: &Studio, project: &str, dataset: Option<&str>) -> Result<(), Stopped> {
    let unavailable = |halt: Halt| Stopped {
        kind: StopKind::Unavailable,
        message: halt.reason,
    };
    match studio.project(project).await {
        Ok(found) => choose(found.datasets, project, dataset)
            .map(|_| ())
            .map_err(unavailable),
        Err(failure) if failure.kind == FailureKind::Unauthorized => {
            let message = Halt::of(&failure).map_or_else(|| failure.to_string(), |halt| halt.reason);
            Err(Stopped {
                kind: StopKind::Unauthorized,
                message,
            })
        }
        Err(failure) if failure.kind == FailureKind::Rejected => {
            Err(unavailable(no_project(studio, project, failure).await))
        }
        Err(_) => Ok(()),
    }
}

/// The project's dataset, or the one of several that the suite names.
pub(super) async fn find(studio: &Studio, project: &str, dataset: Option<&str>) -> Result<Dataset, Halt> {
    match studio.project(project).await {
        Ok(found) => choose(found.datasets, project, dataset),
        Err(failure) => Err(no_project(studio, project, failure).await),
    }
}

fn choose(datasets: Vec<Dataset>, project: &str, wanted: Option<&str>) -> Result<Dataset, Halt> {
    let Some(wanted) = wanted else {
        return match <[Dataset; 1]>::try_from(datasets) {
            Ok([only]) => Ok(only),
            Err(none) if none.is_empty() => Err(Halt::stopped(format!(
                "project {project} has no dataset: create one in Prem Studio and run again"
            ))),
            Err(several) => Err(Halt::stopped(format!(
                "project {project} has {} datasets and the suite names none: \
                 set `dataset:` or TUNEGATE_DATASET to one of {}",
                several.len(),
                labels(several.iter())
            ))),
        };
    };
    if let Some(by_id) = datasets.iter().find(|d| d.id == wanted) {
        return Ok(by_id.clone());
    }
    let by_label: Vec<&Dataset> = datasets.iter().filter(|d| d.label == wanted).collect();
    match by_label.as_slice() {
        [only] => Ok((*only).clone()),
        [] => Err(Halt::stopped(format!(
            "dataset {wanted} is not in project {project}; there is {}",
            labels(datasets.iter())
        ))),
        several => Err(Halt::stopped(format!(
            "{} datasets are labelled {wanted}: name one by its id: {}",
            several.len(),
            labels(several.iter().copied())
        ))),
    }
}

async fn no_project(studio: &Studio, project: &str, failure: Failure) -> Halt {
    if let Some(halt) = Halt::of(&failure) {
        return halt;
    }
    if failure.kind == FailureKind::Rejected
        && let Ok(projects) = studio.projects().await
        && projects.iter().all(|(id, _)| id != project)
    {
        let named = projects.iter().map(|(id, name)| format!("{name} ({id})"));
        return Halt::stopped(format!(
            "project {project} is not there ({failure}); this key sees {}",
            listed(named.collect())
        ));
    }
    failure.into()
}

fn labels<'d>(datasets: impl Iterator<Item = &'d Dataset>) -> String {
    listed(datasets.map(|d| format!("{} ({})", d.label, d.id)).collect())
}

fn listed(names: Vec<String>) -> String {
    let more = names.len().saturating_sub(LISTED);
    let mut text = names.into_iter().take(LISTED).collect::<Vec<_>>().join(", ");
    if text.is_empty() {
        text.push_str("none");
    }
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
