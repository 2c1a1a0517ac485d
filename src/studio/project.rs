//! The project tree: a project's id comes in; its datasets, snapshots, jobs and experiments go out.

use serde_json::Value;

use super::fields::{Fields, FromWire};
use super::{Studio, get, segment};
use crate::http::Failure;

/// The project tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// Its name; empty when the service gives none.
    pub name: String,
    /// In the service's order.
    pub datasets: Vec<Dataset>,
}

/// A child of the project with `type == "dataset"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Its id.
    pub id: String,
    /// What people call it; empty when the service gives none.
    pub label: String,
    /// `processing`, `completed` or `failed`; empty when the service says nothing.
    pub status: String,
    /// Rows, as the service counts them.
    pub datapoints: Option<u64>,
    /// In the service's order.
    pub snapshots: Vec<Snapshot>,
}

/// A frozen state of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Its id.
    pub id: String,
    /// What people call it; empty when the service gives none.
    pub label: String,
    /// As the service writes it, usually RFC 3339.
    pub created_at: Option<String>,
    /// Its rows, those for training and those for validation, where the service counts them.
    pub rows: Option<u64>,
    /// The fine-tuning jobs that train on it.
    pub jobs: Vec<Job>,
}

/// A fine-tuning job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// The name it was created with.
    pub name: String,
    /// `processing`, `completed` or `failed`; empty when the service says nothing.
    pub status: String,
    /// In the service's order. One without an id is left out.
    pub experiments: Vec<Experiment>,
}

/// One model that a job trains.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// Its id.
    pub id: String,
    /// What people call it; empty when the service gives none.
    pub label: String,
    /// `pending`, `queued`, `running`, `deploying`, `succeeded`, `failed` or `deleted`; empty when the
    /// service says nothing.
    pub status: String,
    /// The model that came out of it.
    pub model_id: Option<String>,
}

impl Studio {
    /// The project with everything below it (`GET /api/v1/public/projects/{id}`). An id that is missing
    /// anywhere down to the jobs makes it unreadable: the tree is how lost writes are looked for.
    pub async fn project(&self, id: &str) -> Result<Project, Failure> {
        let name = "read project";
        let path = format!("/api/v1/public/projects/{}", segment(name, id)?);
        self.ask_value(&get(name, path, Vec::new())).await
    }

    /// (id, name) of the projects this key sees.
    pub async fn projects(&self) -> Result<Vec<(String, String)>, Failure> {
        let call = get("list projects", "/api/v1/public/projects".to_owned(), Vec::new());
        Ok(self.ask_value::<ProjectList>(&call).await?.0)
    }
}

struct ProjectList(Vec<(String, String)>);

impl FromWire for ProjectList {
    /// The reference does not show this answer: a bare list and the usual wrappings are read.
    fn from_wire(value: Value) -> Result<Self, String> {
        let items = match value {
            Value::Array(items) => items,
            other => Fields::of(other, "the list of projects")?.list(&["projects", "data", "results"])?,
        };
        let projects = items.into_iter().map(|item| {
            let mut fields = Fields::of(item, "a project")?;
            let id = fields.id(&["id", "project_id", "projectId"], "a project")?;
            Ok((id, fields.text(&["name", "label"]).unwrap_or_default()))
        });
        Ok(ProjectList(projects.collect::<Result<_, String>>()?))
    }
}

impl FromWire for Project {
    fn from_wire(value: Value) -> Result<Self, String> {
        let mut fields = Fields::of(value, "the project")?.unwrapped("project");
        let datasets = children(&mut fields, |child| {
            // The project may hold children of other kinds: only the word itself will do.
            let is_dataset = child
                .text(&["type"])
                .is_some_and(|t| t.eq_ignore_ascii_case("dataset"));
            is_dataset.then(|| Dataset::read(child)).transpose()
        })?;
        Ok(Project {
            id: fields.id(&["id", "project_id"], "the project")?,
            name: fields.text(&["name", "label"]).unwrap_or_default(),
            datasets,
        })
    }
}

impl Dataset {
    fn read(fields: &mut Fields) -> Result<Dataset, String> {
        let snapshots = children(fields, |c| {
            c.is_a(&["snapshot"]).then(|| Snapshot::read(c)).transpose()
        })?;
        Ok(Dataset {
            id: fields.id(&["id", "dataset_id"], "a dataset")?,
            label: fields.text(&["label", "name"]).unwrap_or_default(),
            status: fields.text(&["status"]).unwrap_or_default(),
            datapoints: fields
                .object("metadata")
                .count(&["datapoints_count"])
                .or_else(|| fields.count(&["datapoints_count"])),
            snapshots,
        })
    }
}

impl Snapshot {
    fn read(fields: &mut Fields) -> Result<Snapshot, String> {
        let jobs = children(fields, |c| {
            c.is_a(&["job", "finetuning"]).then(|| Job::read(c)).transpose()
        })?;
        let mut metadata = fields.object("metadata");
        let counts = [&["training_count"], &["validation_count"]].map(|name| metadata.count(name));
        Ok(Snapshot {
            id: fields.id(&["id", "snapshot_id"], "a snapshot")?,
            label: fields.text(&["label", "name"]).unwrap_or_default(),
            rows: counts
                .iter()
                .any(Option::is_some)
                .then(|| counts.iter().flatten().sum()),
            created_at: metadata
                .text(&["created_at", "createdAt"])
                .or_else(|| fields.text(&["created_at", "createdAt"])),
            jobs,
        })
    }
}

impl Job {
    fn read(fields: &mut Fields) -> Result<Job, String> {
        // Nothing is asked of an experiment by its id: one without does not spoil the tree.
        let experiments = children(fields, |c| {
            Ok(c.is_a(&["experiment"])
                .then(|| Experiment::read(c).ok())
                .flatten())
        })?;
        Ok(Job {
            id: fields.id(&["id", "job_id"], "a fine-tuning job")?,
            name: fields.text(&["label", "name"]).unwrap_or_default(),
            status: fields.text(&["status"]).unwrap_or_default(),
            experiments,
        })
    }
}

impl Experiment {
    fn read(fields: &mut Fields) -> Result<Experiment, String> {
        Ok(Experiment {
            id: fields.id(&["id", "experiment_id"], "an experiment")?,
            label: fields.text(&["label", "name"]).unwrap_or_default(),
            status: fields.text(&["status"]).unwrap_or_default(),
            model_id: fields
                .object("metadata")
                .text(&["model_id", "modelId"])
                .or_else(|| fields.text(&["model_id", "modelId"])),
        })
    }
}

/// What `read` makes of the children; `None` leaves one out.
fn children<T>(
    fields: &mut Fields,
    read: impl Fn(&mut Fields) -> Result<Option<T>, String>,
) -> Result<Vec<T>, String> {
    let mut all = Vec::new();
    for child in fields.list(&["children"])? {
        let Ok(mut child) = Fields::of(child, "a child") else {
            continue;
        };
        all.extend(read(&mut child)?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_whole_tree() {
        let experiments = json!([
            {"type": "experiment", "id": "e", "label": "E 1", "status": "succeeded",
             "metadata": {"experiment_number": 1, "base_model_id": "b", "model_id": "m"}},
            {"type": "experiment", "status": "pending"},
            {"id": "f", "status": "queued", "metadata": {"model_id": null}}]);
        let jobs = json!([
            {"type": "finetuning-job", "id": "j", "label": "Nightly", "status": "processing",
             "metadata": {"reasoning": false}, "children": experiments},
            {"type": "note", "id": "n"},
            {"id": "k", "children": null}]);
        let snapshots = json!([
            {"type": "snapshot", "id": "s", "label": "S 1", "children": jobs,
             "metadata": {"created_at": "2026-11-01T00:00:00Z", "training_count": 9}}]);
        let tree = json!({"project": {"id": "p", "name": "Invoices", "type": "project", "children": [
            {"type": "folder", "id": 7},
            "odd",
            {"type": "dataset", "id": "d", "label": "invoices", "status": "completed", "extra": [],
             "metadata": {"datapoints_count": 12.0}, "children": snapshots},
            {"type": "dataset", "id": "empty"}]}});
        let project = Project::from_wire(tree).expect("a project");
        assert_eq!((project.id.as_str(), project.name.as_str()), ("p", "Invoices"));
        let [dataset, empty] = project.datasets.as_slice() else {
            panic!("{project:?}")
        };
        assert_eq!(
            (dataset.label.as_str(), dataset.status.as_str()),
            ("invoices", "completed")
        );
        assert_eq!(dataset.datapoints, Some(12));
        assert_eq!(
            (empty.label.as_str(), empty.datapoints, empty.snapshots.len()),
            ("", None, 0)
        );
        let snapshot = &dataset.snapshots[0];
        assert_eq!(snapshot.created_at.as_deref(), Some("2026-11-01T00:00:00Z"));
        let [job, bare] = snapshot.jobs.as_slice() else {
            panic!("{snapshot:?}")
        };
        assert_eq!(
            (job.name.as_str(), job.status.as_str(), bare.id.as_str()),
            ("Nightly", "processing", "k")
        );
        let models: Vec<_> = job
            .experiments
            .iter()
            .map(|e| (e.id.as_str(), e.model_id.as_deref()))
            .collect();
        assert_eq!(models, [("e", Some("m")), ("f", None)]);
    }

    #[test]
    fn an_id_that_is_missing_is_told() {
        for (tree, says) in [
            (json!({"project": {"name": "x"}}), "the project has no `id`"),
            (
                json!({"id": "p", "children": [{"type": "dataset"}]}),
                "a dataset has no `id`",
            ),
            (
                json!({"id": "p", "children": [{"type": "dataset", "id": ""}]}),
                "an empty id",
            ),
            (
                json!({"id": "p", "children": [{"type": "dataset", "id": "d", "children": [{"type": "snapshot"}]}]}),
                "a snapshot has no `id`",
            ),
            (json!({"id": "p", "children": {}}), "not a list"),
            (json!(null), "null and not an object"),
        ] {
            let error = Project::from_wire(tree).expect_err("refused");
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn lists_of_projects() {
        let expected = vec![("a".to_owned(), "A".to_owned()), ("b".to_owned(), String::new())];
        let items = json!([{"id": "a", "name": "A"}, {"project_id": "b"}]);
        for list in [items.clone(), json!({"projects": items}), json!({"data": items})] {
            assert_eq!(ProjectList::from_wire(list).map(|l| l.0), Ok(expected.clone()));
        }
    }
}
