//! Everything the service holds: validated changes come in, projects, datasets, traces, snapshots, jobs and
//! models go out. What takes time is due at an instant and takes place when the world is next looked at.

mod due;
mod lag;
mod log;
mod records;
mod table;
mod traces;
mod training;
mod tree;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub(super) use due::{Delays, Due};
pub(super) use lag::View;
pub(super) use records::{
    Alias, Dataset, Experiment, ExperimentStatus, Job, Message, Model, Processing, Project, Recommendations,
    Row, Snapshot, Source, Status, Trace,
};
pub(super) use table::Table;
pub(super) use traces::{Addition, CORRECTION_MARK, NewTrace};

use super::draw;
use super::options::Home;

/// The version of the state file.
pub(super) const VERSION: u32 = 1;

/// Everything the service holds. Serialised, it is the state file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct World {
    version: u32,
    seed: u64,
    next_id: u64,
    pub(super) projects: Table<Project>,
    pub(super) datasets: Table<Dataset>,
    pub(super) traces: Table<Trace>,
    pub(super) snapshots: Table<Snapshot>,
    pub(super) jobs: Table<Job>,
    pub(super) models: Table<Model>,
    /// How often the world has changed since it was read or made.
    #[serde(skip)]
    changes: u64,
    #[serde(skip)]
    due: Due,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        World {
            version: VERSION,
            seed,
            next_id: 0,
            projects: Table::default(),
            datasets: Table::default(),
            traces: Table::default(),
            snapshots: Table::default(),
            jobs: Table::default(),
            models: Table::default(),
            changes: 0,
            due: Due::default(),
        }
    }

    pub(super) fn version(&self) -> u32 {
        self.version
    }

    /// Grows with every change.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn touch(&mut self) {
        self.changes += 1;
    }

    pub(super) fn new_id(&mut self) -> String {
        self.next_id += 1;
        draw::id(self.seed, self.next_id)
    }

    /// A number in 0..1 that is another one each time, and the same ones again in a world with the same seed.
    pub(super) fn chance(&mut self, what: &str) -> f64 {
        self.next_id += 1;
        draw::share(self.seed, &[what, &self.next_id.to_string()])
    }

    /// Makes what a home names and the world lacks: the project, its dataset and the model behind its alias.
    pub(super) fn ensure_home(&mut self, home: &Home, cold: bool) {
        if self.projects.get(&home.project_id).is_none() {
            self.touch();
            self.projects.insert(Project {
                id: home.project_id.clone(),
                name: home.project_name.clone(),
                goal: "emulated".to_owned(),
                created_at: now(),
                aliases: Vec::new(),
                datasets: Vec::new(),
                traces: Vec::new(),
                processing: 0,
            });
        }
        let dataset_id = self.home_dataset(home);
        let Some(project) = self.projects.get(&home.project_id) else {
            return;
        };
        if project.aliases.iter().any(|alias| alias.name == home.model_alias) {
            return;
        }
        self.touch();
        let model_id = self.new_id();
        self.models.insert(Model {
            id: model_id.clone(),
            created: seconds(),
            project_id: home.project_id.clone(),
            sources: Vec::new(),
            running: !cold,
            loading: false,
        });
        if let Some(project) = self.projects.get_mut(&home.project_id) {
            project.aliases.push(Alias {
                name: home.model_alias.clone(),
                model_id,
                dataset_id,
            });
        }
    }

    /// The home's dataset, made when it isn't there; its id.
    fn home_dataset(&mut self, home: &Home) -> String {
        let datasets = self
            .projects
            .get(&home.project_id)
            .map_or(&[][..], |project| &project.datasets);
        let mut held = datasets.iter().filter_map(|id| self.datasets.get(id));
        if let Some(dataset) = held.find(|dataset| dataset.name == home.dataset_label) {
            return dataset.id.clone();
        }
        let wanted = home
            .dataset_id
            .clone()
            .filter(|id| self.datasets.get(id).is_none());
        let id = wanted.unwrap_or_else(|| self.new_id());
        self.insert_dataset(&id, &home.project_id, &home.dataset_label, Status::Completed);
        for row in &home.rows {
            let messages = vec![
                Message::new("user", &row.prompt),
                Message::new("assistant", &row.answer),
            ];
            self.add_row(&id, messages, "uncategorized", None);
        }
        id
    }

    /// A new project without anything in it.
    pub(super) fn create_project(&mut self, name: &str, goal: &str) -> String {
        self.touch();
        let id = self.new_id();
        self.projects.insert(Project {
            id: id.clone(),
            name: name.to_owned(),
            goal: goal.to_owned(),
            created_at: now(),
            aliases: Vec::new(),
            datasets: Vec::new(),
            traces: Vec::new(),
            processing: 0,
        });
        id
    }

    /// A dataset from uploaded rows; it is `processing` for a while.
    pub(super) fn upload_dataset(
        &mut self,
        project: &str,
        name: &str,
        rows: Vec<Vec<Message>>,
        delays: &Delays,
    ) -> String {
        let id = self.new_id();
        self.insert_dataset(&id, project, name, Status::Processing);
        for messages in rows {
            self.add_row(&id, messages, "uncategorized", None);
        }
        self.due
            .at(Instant::now() + delays.upload, due::Event::Uploaded(id.clone()));
        id
    }

    fn insert_dataset(&mut self, id: &str, project: &str, name: &str, status: Status) {
        self.touch();
        let at = now();
        self.datasets.insert(Dataset {
            id: id.to_owned(),
            project_id: project.to_owned(),
            name: name.to_owned(),
            status,
            created_at: at.clone(),
            updated_at: at,
            rows: Vec::new(),
            snapshots: Vec::new(),
            rows_told: 0,
        });
        if let Some(project) = self.projects.get_mut(project) {
            project.datasets.push(id.to_owned());
        }
    }

    /// A further row of a dataset; its id. Rows are never changed nor removed: a snapshot is a number of them.
    pub(super) fn add_row(
        &mut self,
        dataset: &str,
        messages: Vec<Message>,
        bucket: &str,
        trace: Option<&str>,
    ) -> String {
        self.touch();
        let id = self.new_id();
        if let Some(dataset) = self.datasets.get_mut(dataset) {
            dataset.rows.push(Arc::new(Row {
                id: id.clone(),
                messages,
                bucket: bucket.to_owned(),
                trace_id: trace.map(str::to_owned),
                made: Some(Instant::now()),
            }));
            dataset.updated_at = now();
        }
        id
    }

    /// The model that a name (an id, or an alias of the project or of any) stands for.
    pub(super) fn model_named(&self, name: &str, project: Option<&str>) -> Option<&Model> {
        let owned = |model: &&Model| project.is_none_or(|project| model.project_id == project);
        if let Some(model) = self.models.get(name).filter(owned) {
            return Some(model);
        }
        let mut projects: Box<dyn Iterator<Item = &Project>> = match project {
            Some(id) => Box::new(self.projects.get(id).into_iter()),
            None => Box::new(self.projects.iter()),
        };
        let alias = projects.find_map(|project| project.aliases.iter().find(|alias| alias.name == name))?;
        self.models.get(&alias.model_id)
    }
}

/// The time of day as the service writes it.
pub(super) fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

/// The same in seconds since 1970.
pub(super) fn seconds() -> i64 {
    jiff::Timestamp::now().as_second()
}
