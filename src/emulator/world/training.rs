//! From rows to a model: snapshots, recommendations and jobs come in, fine-tuned models go out, and the
//! aliases of their dataset follow the newest finished job.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::due::{Delays, Event};
use super::{
    Experiment, ExperimentStatus, Job, Model, Recommendations, Row, Snapshot, Source, Status, World, now,
    seconds,
};
use crate::emulator::refusal::Refusal;

impl World {
    /// Takes a snapshot of a dataset; its id, and how many corrections it came too early for.
    pub(crate) fn create_snapshot(&mut self, dataset: &str, split: u8) -> Result<(String, usize), Refusal> {
        let held = self
            .datasets
            .get(dataset)
            .ok_or_else(|| Refusal::missing("dataset", dataset))?;
        if held.status != Status::Completed {
            let error = format!(
                "dataset `{dataset}` is {}, wait until it is completed",
                held.status.as_str()
            );
            return Err(Refusal::new(StatusCode::CONFLICT, error));
        }
        let rows = held.rows.len();
        if rows == 0 {
            return Err(Refusal::bad(format!("dataset `{dataset}` has no datapoints")));
        }
        let number = held.snapshots.len() + 1;
        let early = self
            .projects
            .get(&held.project_id)
            .map_or(0, |project| project.processing);
        let training = (rows * usize::from(split)).div_ceil(100);
        self.touch();
        let id = self.new_id();
        self.snapshots.insert(Snapshot {
            id: id.clone(),
            label: format!("Snapshot {number}"),
            dataset_id: dataset.to_owned(),
            created_at: now(),
            split_percentage: split,
            rows,
            training_count: training,
            validation_count: rows - training,
            processing_traces: early,
            recommendations: Recommendations::NotAsked,
            jobs: Vec::new(),
            made: Some(Instant::now()),
        });
        if let Some(dataset) = self.datasets.get_mut(dataset) {
            dataset.snapshots.push(id.clone());
        }
        Ok((id, early))
    }

    /// Starts to work out recommendations; asking again changes nothing.
    pub(crate) fn ask_recommendations(&mut self, snapshot: &str, delays: &Delays) -> Result<(), Refusal> {
        let held = self
            .snapshots
            .get_mut(snapshot)
            .ok_or_else(|| Refusal::missing("snapshot", snapshot))?;
        if held.recommendations != Recommendations::NotAsked {
            return Ok(());
        }
        held.recommendations = Recommendations::Processing;
        if let Some(delay) = delays.recommendation {
            self.due
                .at(Instant::now() + delay, Event::Recommended(snapshot.to_owned()));
        }
        self.touch();
        Ok(())
    }

    /// Starts a job; its id. The experiments are valid already.
    pub(crate) fn create_job(
        &mut self,
        snapshot: &str,
        name: &str,
        experiments: Vec<Map<String, Value>>,
        delays: &Delays,
    ) -> Result<String, Refusal> {
        if self.snapshots.get(snapshot).is_none() {
            return Err(Refusal::missing("snapshot", snapshot));
        }
        self.touch();
        let id = self.new_id();
        let experiments = (1..)
            .zip(experiments)
            .map(|(experiment_number, asked)| Experiment {
                id: self.new_id(),
                experiment_number,
                status: ExperimentStatus::Queued,
                model_id: None,
                asked,
            })
            .collect();
        self.jobs.insert(Job {
            id: id.clone(),
            name: name.to_owned(),
            snapshot_id: snapshot.to_owned(),
            created_at: now(),
            status: Status::Processing,
            experiments,
            made: Some(Instant::now()),
        });
        if let Some(snapshot) = self.snapshots.get_mut(snapshot) {
            snapshot.jobs.push(id.clone());
        }
        let start = Instant::now();
        self.due
            .at(start + delays.training / 5, Event::Started(id.clone()));
        let trained = Event::Trained {
            job: id.clone(),
            cold: delays.cold_models,
        };
        self.due.at(start + delays.training, trained);
        Ok(id)
    }

    /// The end of a job: a model for each experiment, and the aliases of its dataset move to the first.
    pub(super) fn finish_job(&mut self, id: &str, cold: bool) {
        let Some(source) = self.source_of_job(id) else {
            return;
        };
        let Some(project_id) = self
            .datasets
            .get(&source.dataset_id)
            .map(|dataset| dataset.project_id.clone())
        else {
            return;
        };
        let bases: Vec<String> = match self.jobs.get(id) {
            Some(job) if job.status == Status::Processing => {
                let base = |one: &Experiment| {
                    one.asked
                        .get("base_model_id")
                        .and_then(Value::as_str)
                        .map(str::to_owned)
                };
                job.experiments
                    .iter()
                    .map(|one| base(one).unwrap_or_default())
                    .collect()
            }
            _ => return,
        };
        let mut made = Vec::with_capacity(bases.len());
        for base in bases {
            // Trained on top of a model that was trained before, it keeps what that one knew.
            let mut sources = self
                .models
                .get(&base)
                .map(|model| model.sources.clone())
                .unwrap_or_default();
            sources.push(source.clone());
            let model_id = self.new_id();
            self.models.insert(Model {
                id: model_id.clone(),
                created: seconds(),
                project_id: project_id.clone(),
                sources,
                running: !cold,
                loading: false,
            });
            made.push(model_id);
        }
        let best = made.first().cloned();
        if let Some(job) = self.jobs.get_mut(id) {
            job.status = Status::Completed;
            for (experiment, model) in job.experiments.iter_mut().zip(made) {
                experiment.status = ExperimentStatus::Succeeded;
                experiment.model_id = Some(model);
            }
        }
        if let (Some(best), Some(project)) = (best, self.projects.get_mut(&project_id)) {
            let followers = project
                .aliases
                .iter_mut()
                .filter(|alias| alias.dataset_id == source.dataset_id);
            followers.for_each(|alias| alias.model_id.clone_from(&best));
        }
    }

    fn source_of_job(&self, id: &str) -> Option<Source> {
        let snapshot = self.snapshots.get(&self.jobs.get(id)?.snapshot_id)?;
        Some(Source {
            dataset_id: snapshot.dataset_id.clone(),
            rows: snapshot.rows,
        })
    }

    /// The rows that a model learnt from, oldest first.
    pub(crate) fn rows_of_model(&self, model: &Model) -> Vec<Arc<Row>> {
        let rows_of = |source: &Source| {
            let held = self
                .datasets
                .get(&source.dataset_id)
                .map_or(&[][..], |dataset| &dataset.rows);
            held.iter().take(source.rows).cloned()
        };
        model.sources.iter().flat_map(rows_of).collect()
    }

    /// Starts to load a model (an id); `false` when it runs already.
    pub(crate) fn load_model(&mut self, id: &str, delays: &Delays) -> bool {
        let Some(model) = self.models.get_mut(id).filter(|model| !model.running) else {
            return false;
        };
        if !model.loading {
            model.loading = true;
            self.due
                .at(Instant::now() + delays.load, Event::Loaded(id.to_owned()));
        }
        true
    }

    /// Unloads a model (an id).
    pub(crate) fn unload_model(&mut self, id: &str) {
        if let Some(model) = self.models.get_mut(id) {
            (model.running, model.loading) = (false, false);
            self.touch();
        }
    }
}
