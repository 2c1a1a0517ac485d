//! `emulator`: a Prem Studio on this machine.

mod capacity;
mod faults;
mod placed;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::exit::{self, Exit};
use super::options::duration;
use super::output::Screen;
use super::signals;
use crate::emulator;
use capacity::CapacityArguments;
use faults::FaultArguments;

/// The arguments of `emulator`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tunegate emulator --port 8787
  PREMAI_API_KEY=any tunegate run prompts/quickstart.yaml --base-url http://127.0.0.1:8787
  tunegate emulator --port 0 --rate-5xx 0.2 --lost-answer 0.05 --seed 7    rehearse a bad night
  tunegate emulator --fault 'POST /api/v1/public/snapshots/create#1=reset-after'    one fault, at one place

The first line on standard output is its address. GET /__emulator/state shows what it holds.")]
pub(crate) struct Arguments {
    /// Where it listens on 127.0.0.1; 0 takes any free port
    #[arg(long, default_value_t = 8787, env = "TUNEGATE_EMULATOR_PORT")]
    port: u16,
    /// The one key that it takes; any, when none is given
    #[arg(long, value_name = "KEY", env = "TUNEGATE_EMULATOR_ACCEPT_KEY")]
    accept_key: Option<String>,
    /// The project that is there from the start
    #[arg(long, value_name = "ID", env = "TUNEGATE_EMULATOR_PROJECT")]
    project: Option<String>,
    /// The alias of the model that is there from the start
    #[arg(long, value_name = "ALIAS", env = "TUNEGATE_EMULATOR_MODEL")]
    model: Option<String>,
    /// The label of the dataset that is there from the start
    #[arg(long, value_name = "LABEL", env = "TUNEGATE_EMULATOR_DATASET")]
    dataset: Option<String>,
    /// Where its state lives; it is forgotten at the end when no file is given
    #[arg(long, value_name = "FILE", env = "TUNEGATE_EMULATOR_STATE_FILE")]
    state_file: Option<PathBuf>,
    /// The form of the trace call that it speaks
    #[arg(long, value_enum, default_value_t = TraceForm::Any, env = "TUNEGATE_EMULATOR_TRACE_FORM")]
    trace_form: TraceForm,
    /// What its draws begin with: the same seed, the same faults
    #[arg(long, default_value_t = 0, env = "TUNEGATE_EMULATOR_SEED")]
    seed: u64,
    /// How long an answer of the model takes
    #[arg(
        long,
        value_name = "TIME",
        default_value = "0ms",
        value_parser = instant_or,
        env = "TUNEGATE_EMULATOR_ANSWER_LATENCY"
    )]
    answer_latency: Duration,
    /// How long an answer of the judge takes
    #[arg(
        long,
        value_name = "TIME",
        default_value = "0ms",
        value_parser = instant_or,
        env = "TUNEGATE_EMULATOR_JUDGE_LATENCY"
    )]
    judge_latency: Duration,
    /// How long any other answer takes
    #[arg(
        long,
        value_name = "TIME",
        default_value = "0ms",
        value_parser = instant_or,
        env = "TUNEGATE_EMULATOR_OTHER_LATENCY"
    )]
    other_latency: Duration,
    #[command(flatten)]
    capacity: CapacityArguments,
    /// How long the correction of a weak answer takes
    #[arg(
        long,
        value_name = "TIME",
        default_value = "300ms",
        value_parser = instant_or,
        env = "TUNEGATE_EMULATOR_CORRECTION_DELAY"
    )]
    correction_delay: Duration,
    /// How long the recommendations take
    #[arg(
        long,
        value_name = "TIME",
        default_value = "300ms",
        value_parser = instant_or,
        env = "TUNEGATE_EMULATOR_RECOMMENDATION_DELAY"
    )]
    recommendation_delay: Duration,
    /// How long a fine-tuning job takes
    #[arg(
        long,
        value_name = "TIME",
        default_value = "0ms",
        value_parser = instant_or,
        env = "TUNEGATE_EMULATOR_TRAINING_DELAY"
    )]
    training_delay: Duration,
    /// Fine-tuned models must be loaded before they answer
    #[arg(long, env = "TUNEGATE_EMULATOR_COLD_MODELS")]
    cold_models: bool,
    /// How much later the list of traces, a trace and the project tree show an effect
    #[arg(
        long,
        value_name = "TIME",
        default_value = "0ms",
        value_parser = instant_or,
        env = "TUNEGATE_EMULATOR_LISTING_LAG"
    )]
    listing_lag: Duration,
    #[command(flatten)]
    faults: Box<FaultArguments>,
    /// Share of the model's answers that are empty, null or truncated, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_ODD_ANSWERS"
    )]
    odd_answers: f64,
    /// Share of the judge's replies that hold no verdict, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_ODD_JUDGEMENTS"
    )]
    odd_judgements: f64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TraceForm {
    /// One object, snake case
    Walkthrough,
    /// One object, camel case
    Object,
    /// An array, answered with traces
    Array,
    /// An array, answered with results
    Results,
    /// Whatever is sent
    Any,
}

pub(crate) async fn main(arguments: &Arguments, screen: &Screen) -> anyhow::Result<Exit> {
    let options = options(arguments);
    // A call meets one fault: beyond 1 the last ones would silently never come.
    if options.faults.sum() > 1.0 + 1e-9 {
        return Err(exit::usage(
            "the shares of faults (--rate-429, --rate-5xx, …) are more than 1 together: \
             each is a share of all requests",
        ));
    }
    let cancel = signals::cancellation()?;
    let emulator = emulator::start(options)
        .await
        .map_err(|error| exit::usage(format!("the emulator can't start: {error}")))?;
    screen.result(&format!("{}\n", emulator.base_url()));
    cancel.cancelled().await;
    emulator
        .stop()
        .await
        .map_err(|error| exit::usage(format!("the emulator's state could not be saved: {error}")))?;
    Ok(Exit::Done)
}

fn options(a: &Arguments) -> emulator::Options {
    let home = emulator::Home::default();
    emulator::Options {
        port: a.port,
        key: a.accept_key.clone(),
        state_file: a.state_file.clone(),
        home: emulator::Home {
            project_id: a.project.clone().unwrap_or(home.project_id),
            model_alias: a.model.clone().unwrap_or(home.model_alias),
            dataset_label: a.dataset.clone().unwrap_or(home.dataset_label),
            project_name: home.project_name,
            dataset_id: home.dataset_id,
            rows: home.rows,
        },
        trace_form: match a.trace_form {
            TraceForm::Walkthrough => emulator::TraceForm::Walkthrough,
            TraceForm::Object => emulator::TraceForm::Object,
            TraceForm::Array => emulator::TraceForm::Array,
            TraceForm::Results => emulator::TraceForm::Results,
            TraceForm::Any => emulator::TraceForm::Any,
        },
        seed: a.seed,
        latency: emulator::Latency {
            answer: a.answer_latency,
            judge: a.judge_latency,
            other: a.other_latency,
        },
        capacity: a.capacity.capacity(a.faults.retry_after()),
        correction_delay: a.correction_delay,
        recommendation_delay: a.recommendation_delay,
        training_delay: a.training_delay,
        cold_models: a.cold_models,
        odd_answers: a.odd_answers,
        odd_judgements: a.odd_judgements,
        listing_lag: a.listing_lag,
        faults: a.faults.rates(),
        placed_faults: a.faults.placed.clone(),
        ..emulator::Options::default()
    }
}

fn instant_or(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s" | "0ms") {
        Ok(Duration::ZERO)
    } else {
        duration(text)
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("must be a number from 0 to 1".to_owned()),
    }
}
