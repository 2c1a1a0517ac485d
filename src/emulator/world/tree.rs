//! The project tree and a job as the API shows them: the world's records come in, JSON goes out. Its shapes are
//! those of the SDK's types (`project_get_tree_response`, `finetuning_get_response`).

use serde_json::{Map, Value, json};

use super::{Dataset, Experiment, Job, Project, Snapshot, Trace, View, World};

impl World {
    /// `GET /api/v1/public/projects/{id}`.
    pub(crate) fn project_tree(&self, project: &Project, view: View) -> Value {
        let datasets: Vec<Value> = project
            .datasets
            .iter()
            .filter_map(|id| self.datasets.get(id))
            .map(|dataset| self.dataset_node(dataset, view))
            .collect();
        json!({"project": {"id": project.id, "name": project.name, "type": "project", "children": datasets}})
    }

    fn dataset_node(&self, dataset: &Dataset, view: View) -> Value {
        let snapshots: Vec<Value> = dataset
            .snapshots
            .iter()
            .filter_map(|id| self.snapshots.get(id))
            .filter(|snapshot| view.shows(snapshot.made))
            .map(|snapshot| self.snapshot_node(snapshot, view))
            .collect();
        let rows = dataset.rows.partition_point(|row| view.shows(row.made));
        json!({
            "id": dataset.id,
            "label": dataset.name,
            "type": "dataset",
            "status": dataset.status.as_str(),
            "metadata": {"id": dataset.id, "datapoints_count": rows},
            "children": snapshots,
        })
    }

    fn snapshot_node(&self, snapshot: &Snapshot, view: View) -> Value {
        let jobs: Vec<Value> = snapshot
            .jobs
            .iter()
            .filter_map(|id| self.jobs.get(id))
            .filter(|job| view.shows(job.made))
            .map(job_node)
            .collect();
        json!({
            "id": snapshot.id,
            "label": snapshot.label,
            "type": "snapshot",
            "metadata": {
                "id": snapshot.id,
                "created_at": snapshot.created_at,
                "training_count": snapshot.training_count,
                "validation_count": snapshot.validation_count,
            },
            "children": jobs,
        })
    }
}

fn job_node(job: &Job) -> Value {
    let experiments: Vec<Value> = job.experiments.iter().map(experiment_node).collect();
    json!({
        "id": job.id,
        "label": job.name,
        "type": "finetuning-job",
        "status": job.status.as_str(),
        "metadata": {"id": job.id, "reasoning": false},
        "children": experiments,
    })
}

fn experiment_node(experiment: &Experiment) -> Value {
    let mut metadata = json!({
        "id": experiment.id,
        "experiment_number": experiment.experiment_number,
        "base_model_id": experiment.asked.get("base_model_id"),
    });
    if let Some(model) = &experiment.model_id {
        metadata["model_id"] = json!(model);
    }
    json!({
        "id": experiment.id,
        "label": format!("Experiment {}", experiment.experiment_number),
        "type": "experiment",
        "status": experiment.status.as_str(),
        "metadata": metadata,
    })
}

impl Job {
    /// `GET /api/v1/public/finetuning/{jobId}`.
    pub(crate) fn shown(&self) -> Value {
        let experiments: Vec<Value> = self.experiments.iter().map(Experiment::shown).collect();
        json!({
            "id": self.id,
            "name": self.name,
            "snapshot_id": self.snapshot_id,
            "status": self.status.as_str(),
            "experiments": experiments,
        })
    }
}

impl Experiment {
    /// As it was asked for, with both ways of naming the kind of training, its id and how far it is.
    fn shown(&self) -> Value {
        let mut shown = Map::new();
        shown.insert("id".to_owned(), json!(self.id));
        shown.extend(self.asked.clone());
        let kind = self.asked.get("training_type").and_then(Value::as_str);
        let lora = self.asked.get("lora").and_then(Value::as_bool);
        let lora = lora.unwrap_or(kind != Some("full"));
        shown.insert("lora".to_owned(), json!(lora));
        let kind = kind.unwrap_or(if lora { "lora" } else { "full" });
        shown.insert("training_type".to_owned(), json!(kind));
        shown.insert("experiment_number".to_owned(), json!(self.experiment_number));
        shown.insert("status".to_owned(), json!(self.status.as_str()));
        if let Some(model) = &self.model_id {
            shown.insert("model_id".to_owned(), json!(model));
        }
        Value::Object(shown)
    }
}

impl Trace {
    /// A trace as `GET /api/v1/traces` lists it; `None` while it is too new for that.
    pub(crate) fn shown(&self, view: View) -> Option<Value> {
        let stand = self.stand(view)?;
        Some(json!({
            "id": self.id,
            "createdAt": self.created_at,
            "modelId": self.model_id,
            "projectId": self.project_id,
            "input": self.input,
            "output": self.output,
            "score": self.score,
            "feedback": self.feedback,
            "conversationId": self.conversation_id,
            "addedToDataset": stand.added,
            "processingStatus": stand.processing.as_str(),
        }))
    }
}
