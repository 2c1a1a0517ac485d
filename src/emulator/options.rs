//! What an emulator is to be like, as plain data: whoever starts one comes in with these, `server` and `app`
//! read them. Nothing here reads a file or the environment.

use std::path::PathBuf;
use std::time::Duration;

use super::capacity::Capacity;
use super::faults::{Faults, PlacedFault};

/// How the emulator behaves. `Options::default()` is a friendly service with one project and short delays.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// The key that callers must show. `None`: any non-empty bearer will do, and writes by a script's `fetch` (Node,
    /// Bun, Deno) may lack it, as the walkthrough's TypeScript forgets it there; they are counted as `keyless`.
    pub key: Option<String>,
    /// Which form of `POST /api/v1/traces` is understood.
    pub trace_form: TraceForm,
    /// What addToDataset answers with.
    pub addition_form: AdditionForm,
    /// Decides ids, faults, odd replies and every other thing left to chance.
    pub seed: u64,
    /// How long replies take.
    pub latency: Latency,
    /// How many chat calls the models take.
    pub capacity: Capacity,
    /// From addToDataset's `queued` to the corrected row.
    pub correction_delay: Duration,
    /// From `recommendations/generate` to `completed`.
    pub recommendation_delay: Duration,
    /// From `finetuning/create` to the finished job.
    pub training_delay: Duration,
    /// From `models/up` to a running model.
    pub load_delay: Duration,
    /// From `create-from-jsonl` to a `completed` dataset.
    pub upload_delay: Duration,
    /// Fine-tuned models must be loaded before they answer.
    pub cold_models: bool,
    /// What goes wrong between caller and service, by chance.
    pub faults: Faults,
    /// What goes wrong at exact calls.
    pub placed_faults: Vec<PlacedFault>,
    /// How much later the list of traces, a trace and the project tree show an effect.
    pub listing_lag: Duration,
    /// Share (0..1) of the project's model's answers that are empty, null or cut.
    pub odd_answers: f64,
    /// Share (0..1) of judgements that hold no usable verdict.
    pub odd_judgements: f64,
    /// Share (0..1) of the entries of a `results` write that are answered `success: false` and not kept.
    pub refused_traces: f64,
    /// Share (0..1) of background corrections that end as `failed`.
    pub failed_corrections: f64,
    /// How recommendations end.
    pub recommending: Recommending,
    /// Traces on a page; at least 1.
    pub page_size: usize,
    /// Where everything is kept between runs; `None` forgets.
    pub state_file: Option<PathBuf>,
    /// The project that exists from the start.
    pub home: Home,
    /// Further projects that exist from the start.
    pub more_homes: Vec<Home>,
    /// Names of judge models besides the well-known ones.
    pub judges: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            port: 0,
            key: None,
            trace_form: TraceForm::Walkthrough,
            addition_form: AdditionForm::Current,
            seed: 17,
            latency: Latency::default(),
            capacity: Capacity::default(),
            correction_delay: Duration::from_millis(1_500),
            recommendation_delay: Duration::from_secs(2),
            training_delay: Duration::from_secs(5),
            load_delay: Duration::from_secs(2),
            upload_delay: Duration::from_secs(1),
            cold_models: false,
            faults: Faults::default(),
            placed_faults: Vec::new(),
            listing_lag: Duration::ZERO,
            odd_answers: 0.0,
            odd_judgements: 0.0,
            refused_traces: 0.0,
            failed_corrections: 0.0,
            recommending: Recommending::Normally,
            page_size: 20,
            state_file: None,
            home: Home::default(),
            more_homes: Vec::new(),
            judges: Vec::new(),
        }
    }
}

/// Which form of a trace write is understood; every other one is answered with 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceForm {
    /// One object in snake case; the answer has `id`.
    Walkthrough,
    /// One object in camel case; the answer has `id`.
    Object,
    /// An array of objects in camel case; the answer is an array of objects with `id`.
    Array,
    /// The same array; the answer is `{"results":[{"traceId","success"}]}`.
    Results,
    /// All of them; arrays are answered with `results`.
    Any,
}

/// What `addToDataset` answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdditionForm {
    /// `traceId`, `status`, `success`, `datapointId`.
    Current,
    /// A message and nothing else.
    Older,
}

/// How recommendations end once `recommendation_delay` is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recommending {
    /// `completed`, with recommended and other experiments.
    Normally,
    /// `failed`, with null lists.
    Fails,
    /// `completed`, with no experiment recommended.
    NoneRecommended,
    /// `completed`, with null lists.
    NullLists,
    /// `processing` for ever.
    Never,
}

/// How long replies take, on top of the work itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Latency {
    /// A model's answer.
    pub answer: Duration,
    /// A judge's verdict.
    pub judge: Duration,
    /// Every other call.
    pub other: Duration,
}

/// A project with one dataset and one fine-tuned model behind an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The project's id.
    pub project_id: String,
    /// The project's name.
    pub project_name: String,
    /// The alias of the model under evaluation: it follows the project's newest finished job.
    pub model_alias: String,
    /// The dataset's label.
    pub dataset_label: String,
    /// The dataset's id; `None` lets the seed decide.
    pub dataset_id: Option<String>,
    /// Rows that the dataset has from the start; the first model has not learnt them.
    pub rows: Vec<SeedRow>,
}

/// A row that a dataset has from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedRow {
    /// The user's message.
    pub prompt: String,
    /// The assistant's message.
    pub answer: String,
}

impl Default for Home {
    fn default() -> Self {
        let row = |prompt: &str, answer: &str| SeedRow {
            prompt: prompt.to_owned(),
            answer: answer.to_owned(),
        };
        Home {
            project_id: "3c90c3cc-0d44-4b50-8888-8dd25736052a".to_owned(),
            project_name: "Invoices".to_owned(),
            model_alias: "invoice-extractor".to_owned(),
            dataset_label: "invoices".to_owned(),
            dataset_id: None,
            // A dataset is never empty where a model was trained from it, and an empty one can't be snapshot.
            rows: vec![
                row("Which currency does a Swiss invoice usually state?", "CHF"),
                row("What does the abbreviation VAT stand for?", "value added tax"),
                row(
                    "What does net 30 mean on an invoice?",
                    "payment is due within 30 days",
                ),
            ],
        }
    }
}
