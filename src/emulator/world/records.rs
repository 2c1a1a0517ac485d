//! The records that the world consists of: plain data, as the state file keeps them.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::lag::Stand;
use super::table::Record;

/// A project: what a key's owner works in.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) goal: String,
    pub(crate) created_at: String,
    pub(crate) aliases: Vec<Alias>,
    /// Ids, oldest first.
    pub(crate) datasets: Vec<String>,
    /// Places in the table of traces, oldest first; made anew from the traces when a state is read.
    #[serde(skip)]
    pub(crate) traces: Vec<usize>,
    /// How many of its traces are being corrected; made anew likewise.
    #[serde(skip)]
    pub(crate) processing: usize,
}

/// A name that follows the newest finished job of its dataset.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Alias {
    pub(crate) name: String,
    pub(crate) model_id: String,
    pub(crate) dataset_id: String,
}

/// How far something that takes time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Processing,
    Completed,
    Failed,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Processing => "processing",
            Status::Completed => "completed",
            Status::Failed => "failed",
        }
    }
}

/// A dataset and its rows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Dataset {
    pub(crate) id: String,
    pub(crate) project_id: String,
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    /// Only ever appended to.
    #[serde(serialize_with = "write_rows", deserialize_with = "read_rows")]
    pub(crate) rows: Vec<Arc<Row>>,
    pub(crate) snapshots: Vec<String>,
    /// How many of the rows are saved.
    #[serde(skip)]
    pub(crate) rows_told: usize,
}

fn write_rows<S: Serializer>(rows: &[Arc<Row>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rows.iter().map(Arc::as_ref))
}

fn read_rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Arc<Row>>, D::Error> {
    Ok(Vec::<Row>::deserialize(deserializer)?
        .into_iter()
        .map(Arc::new)
        .collect())
}

/// One row: a conversation that ends with the answer to learn.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) messages: Vec<Message>,
    pub(crate) bucket: String,
    pub(crate) trace_id: Option<String>,
    #[serde(skip)]
    pub(crate) made: Option<Instant>,
}

/// A message of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) role: String,
    pub(crate) content: String,
}

impl Message {
    pub(crate) fn new(role: &str, content: &str) -> Self {
        Message {
            role: role.to_owned(),
            content: content.to_owned(),
        }
    }
}

/// Where a trace's background correction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Processing {
    None,
    #[serde(rename = "processing")]
    UnderWay,
    Failed,
}

impl Processing {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Processing::None => "none",
            Processing::UnderWay => "processing",
            Processing::Failed => "failed",
        }
    }
}

/// An answer that somebody judged.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Trace {
    pub(crate) id: String,
    pub(crate) created_at: String,
    pub(crate) project_id: String,
    pub(crate) model_id: String,
    pub(crate) input: String,
    pub(crate) output: String,
    pub(crate) score: Option<f64>,
    pub(crate) feedback: Option<String>,
    pub(crate) conversation_id: Option<String>,
    pub(crate) added_to_dataset: bool,
    pub(crate) datapoint_id: Option<String>,
    pub(crate) processing_status: Processing,
    /// How often addToDataset took effect.
    pub(crate) additions: u32,
    /// What it was and since when, oldest first, for listings that lag.
    #[serde(skip)]
    pub(crate) stands: Vec<Stand>,
}

/// The rows a dataset had at a time.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) dataset_id: String,
    pub(crate) created_at: String,
    pub(crate) split_percentage: u8,
    /// The first so many of the dataset's rows.
    pub(crate) rows: usize,
    pub(crate) training_count: usize,
    pub(crate) validation_count: usize,
    /// How many traces of the project were being corrected when it was taken.
    pub(crate) processing_traces: usize,
    pub(crate) recommendations: Recommendations,
    pub(crate) jobs: Vec<String>,
    #[serde(skip)]
    pub(crate) made: Option<Instant>,
}

/// Where a snapshot's recommendations stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Recommendations {
    NotAsked,
    Processing,
    Ready,
}

/// A fine-tuning job.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) snapshot_id: String,
    pub(crate) created_at: String,
    pub(crate) status: Status,
    pub(crate) experiments: Vec<Experiment>,
    #[serde(skip)]
    pub(crate) made: Option<Instant>,
}

/// One training of a job.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Experiment {
    pub(crate) id: String,
    pub(crate) experiment_number: u32,
    pub(crate) status: ExperimentStatus,
    pub(crate) model_id: Option<String>,
    /// As it was asked for, unknown fields included.
    pub(crate) asked: Map<String, Value>,
}

/// How far an experiment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExperimentStatus {
    Queued,
    Running,
    Succeeded,
}

impl ExperimentStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ExperimentStatus::Queued => "queued",
            ExperimentStatus::Running => "running",
            ExperimentStatus::Succeeded => "succeeded",
        }
    }
}

/// A fine-tuned model: what it learnt from, oldest first.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Model {
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) created: i64,
    pub(crate) project_id: String,
    pub(crate) sources: Vec<Source>,
    pub(crate) running: bool,
    #[serde(skip)]
    pub(crate) loading: bool,
}

/// The first `rows` rows of a dataset.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) dataset_id: String,
    pub(crate) rows: usize,
}

impl Record for Project {
    fn id(&self) -> &str {
        &self.id
    }
}
impl Record for Dataset {
    fn id(&self) -> &str {
        &self.id
    }
}
impl Record for Trace {
    fn id(&self) -> &str {
        &self.id
    }
}
impl Record for Snapshot {
    fn id(&self) -> &str {
        &self.id
    }
}
impl Record for Job {
    fn id(&self) -> &str {
        &self.id
    }
}
impl Record for Model {
    fn id(&self) -> &str {
        &self.id
    }
}
