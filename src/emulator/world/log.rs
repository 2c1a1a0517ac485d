//! The world as bytes: everything at once, or a line with what has changed since the last bytes; lines come back in
//! in the order they went out.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Dataset, Job, Model, Project, Row, Snapshot, Status, Trace, World};

/// Records that changed, whole, and rows that are new.
#[derive(Serialize)]
struct Line<'a> {
    next_id: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    projects: Vec<&'a Project>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    datasets: Vec<Head<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    traces: Vec<&'a Trace>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    snapshots: Vec<&'a Snapshot>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    jobs: Vec<&'a Job>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    models: Vec<&'a Model>,
}

/// A dataset with its new rows in place of all of them.
#[derive(Serialize)]
struct Head<'a> {
    id: &'a str,
    project_id: &'a str,
    name: &'a str,
    status: Status,
    created_at: &'a str,
    updated_at: &'a str,
    rows: Vec<&'a Row>,
    snapshots: &'a [String],
}

/// A line as it is read.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Read {
    next_id: u64,
    projects: Vec<Project>,
    datasets: Vec<Dataset>,
    traces: Vec<Trace>,
    snapshots: Vec<Snapshot>,
    jobs: Vec<Job>,
    models: Vec<Model>,
}

impl World {
    /// Everything.
    pub(crate) fn whole(&mut self) -> serde_json::Result<Vec<u8>> {
        let bytes = serde_json::to_vec(self)?;
        self.told();
        Ok(bytes)
    }

    /// A line with what has changed since the last `whole` or `news`.
    pub(crate) fn news(&mut self) -> serde_json::Result<Vec<u8>> {
        let line = Line {
            next_id: self.next_id,
            projects: self.projects.changed().collect(),
            datasets: self.datasets.changed().map(head).collect(),
            traces: self.traces.changed().collect(),
            snapshots: self.snapshots.changed().collect(),
            jobs: self.jobs.changed().collect(),
            models: self.models.changed().collect(),
        };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        self.told();
        Ok(bytes)
    }

    /// Takes over what a line says.
    pub(crate) fn learn(&mut self, line: &[u8]) -> serde_json::Result<()> {
        let line: Read = serde_json::from_slice(line)?;
        self.next_id = line.next_id;
        line.projects.into_iter().for_each(|one| self.projects.put(one));
        for mut dataset in line.datasets {
            if let Some(held) = self.datasets.get_mut(&dataset.id) {
                let new = std::mem::take(&mut dataset.rows);
                dataset.rows = std::mem::take(&mut held.rows);
                dataset.rows.extend(new);
            }
            self.datasets.put(dataset);
        }
        line.traces.into_iter().for_each(|one| self.traces.put(one));
        line.snapshots.into_iter().for_each(|one| self.snapshots.put(one));
        line.jobs.into_iter().for_each(|one| self.jobs.put(one));
        line.models.into_iter().for_each(|one| self.models.put(one));
        Ok(())
    }

    /// Nothing has changed since now.
    fn told(&mut self) {
        self.datasets
            .for_each_changed(|dataset| dataset.rows_told = dataset.rows.len());
        self.projects.settle();
        self.datasets.settle();
        self.traces.settle();
        self.snapshots.settle();
        self.jobs.settle();
        self.models.settle();
    }
}

fn head(dataset: &Dataset) -> Head<'_> {
    Head {
        id: &dataset.id,
        project_id: &dataset.project_id,
        name: &dataset.name,
        status: dataset.status,
        created_at: &dataset.created_at,
        updated_at: &dataset.updated_at,
        rows: dataset
            .rows
            .iter()
            .skip(dataset.rows_told)
            .map(Arc::as_ref)
            .collect(),
        snapshots: &dataset.snapshots,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::Home;
    use crate::emulator::world::{Message, NewTrace};

    #[test]
    fn whole_and_news_are_the_world_again() {
        let mut world = World::new(3);
        world.ensure_home(&Home::default(), false);
        let mut copy: World = serde_json::from_slice(&world.whole().expect("bytes")).expect("a world");
        let dataset = world.datasets.iter().next().expect("a dataset").id.clone();
        let mut sizes = Vec::new();
        for number in 0..50 {
            world.create_trace(NewTrace {
                project_id: Home::default().project_id,
                model_id: "m".to_owned(),
                input: format!("question {number}"),
                output: "a".to_owned(),
                score: Some(0.9),
                feedback: None,
                conversation_id: None,
            });
            world.add_row(&dataset, vec![Message::new("user", "q")], "training", None);
            let news = world.news().expect("a line");
            assert_eq!(news.iter().filter(|byte| **byte == b'\n').count(), 1);
            sizes.push(news.len());
            copy.learn(&news).expect("learnt");
        }
        world.create_snapshot(&dataset, 80).expect("a snapshot");
        copy.learn(&world.news().expect("a line")).expect("learnt");
        assert_eq!(copy.whole().expect("bytes"), world.whole().expect("bytes"));
        let (first, last) = (sizes[0], sizes[49]);
        assert!(
            last < first + 100,
            "a line holds what is new alone: {first}, then {last}"
        );
    }
}
