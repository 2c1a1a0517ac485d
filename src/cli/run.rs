//! `run` and `eval`: suites through evaluation and gates and, with `run`, through the cycle. One after the
//! other, with a report each and one total.

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::environment::Environment;
use super::evaluate::{Taken, evaluate, tally};
use super::exit::{self, Exit};
use super::options::{CycleOptions, JudgeOptions, OutputOptions, ServiceOptions};
use super::output::Screen;
use super::publish::{self, Publication};
use super::service::{Home, Service, key};
use super::{cycle, signals, suites};
use crate::cycle::check_dataset;
use crate::eval;
use crate::results::StopKind;
use crate::suite::Suite;

/// The arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tunegate run prompts/quickstart.yaml --emulator    no key needed; run it twice
  PREMAI_API_KEY=… tunegate run prompts/nightly.yaml
  tunegate run 'prompts/*.yaml' --no-launch          everything but the launch
  tunegate run prompts/nightly.yaml --dry-run --format json")]
pub(crate) struct Arguments {
    /// Suites: files or globs
    #[arg(required = true, value_name = "SUITE")]
    pub(crate) suites: Vec<String>,
    #[command(flatten)]
    pub(crate) service: ServiceOptions,
    #[command(flatten)]
    judge: JudgeOptions,
    #[command(flatten)]
    pub(crate) cycle: CycleOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
    /// False for `eval`: nothing is written to the service.
    #[arg(skip = true)]
    pub(crate) with_cycle: bool,
}

/// The arguments of `eval`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tunegate eval prompts/quickstart.yaml --emulator
  tunegate eval prompts/nightly.yaml --format json | jq '.figures.overall.mean'")]
pub(crate) struct EvalArguments {
    /// Suites: files or globs
    #[arg(required = true, value_name = "SUITE")]
    suites: Vec<String>,
    #[command(flatten)]
    service: ServiceOptions,
    #[command(flatten)]
    judge: JudgeOptions,
    #[command(flatten)]
    output: OutputOptions,
}

impl From<EvalArguments> for Arguments {
    fn from(eval: EvalArguments) -> Self {
        Arguments {
            suites: eval.suites,
            service: eval.service,
            judge: eval.judge,
            cycle: CycleOptions::default(),
            output: eval.output,
            with_cycle: false,
        }
    }
}

pub(crate) async fn main(
    arguments: &Arguments,
    environment: &Environment,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let mut suites = suites::load(&arguments.suites, arguments.output.format, screen)?;
    if let Some(judge) = &arguments.judge.judge_model {
        suites.iter_mut().for_each(|suite| suite.judge_with(judge));
    }
    let homes = homes(&suites, &arguments.service)?;
    if !arguments.service.emulator {
        key(environment)?;
    }
    let folders = suites
        .iter()
        .map(|suite| publish::prepare(&arguments.output.output_dir, &suite.name))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let cancel = signals::cancellation()?;
    let mut done: Vec<Publication> = Vec::new();
    let mut broken = None;
    for ((suite, home), folder) in suites.iter().zip(&homes).zip(folders) {
        if suites.len() > 1 {
            screen.note(&format!(
                "{} ({} of {})",
                suite.name,
                done.len() + 1,
                suites.len()
            ));
        }
        let record = match one(suite, home, arguments, environment, screen, &cancel).await {
            Ok(record) => record,
            // What the suites before it did is published first.
            Err(error) => {
                broken = Some(error);
                break;
            }
        };
        let exit = publish::exit_of(&record, cancel.is_cancelled());
        let unauthorized = record
            .results
            .run
            .stopped
            .as_ref()
            .is_some_and(|s| s.kind == StopKind::Unauthorized);
        let exit = match publish::write(&record, &folder, screen) {
            Ok(()) => exit,
            // What was done must be told all the same: a job may have been launched.
            Err(error) => {
                screen.error(&format!("{error:#}"));
                exit.max(Exit::Usage)
            }
        };
        done.push(Publication { folder, record, exit });
        if cancel.is_cancelled() || unauthorized {
            // The key is refused or nobody waits: the suites behind this one would end the same way.
            break;
        }
    }
    let skipped = suites.len() - done.len();
    if skipped > 0 {
        screen.warn(&format!("{skipped} suites were not run"));
    }
    if done.is_empty()
        && let Some(error) = broken
    {
        return Err(error);
    }
    publish::publish(
        &done,
        &arguments.output.output_dir,
        arguments.output.format,
        environment,
        screen,
    )?;
    if let Some(error) = broken {
        return Err(error);
    }
    let worst = done.iter().map(|p| p.exit).max().unwrap_or(Exit::Done);
    // A signal between two suites interrupts none of them, and the run all the same.
    Ok(if skipped > 0 && cancel.is_cancelled() {
        Exit::Interrupted
    } else {
        worst
    })
}

async fn one(
    suite: &Suite,
    home: &Home,
    arguments: &Arguments,
    environment: &Environment,
    screen: &Screen,
    cancel: &CancellationToken,
) -> anyhow::Result<crate::report::Record> {
    let concurrency = usize::from(arguments.service.concurrency);
    let output_dir = &arguments.output.output_dir;
    let service = Service::open(
        &arguments.service,
        environment,
        home,
        &suite.judge.model,
        output_dir,
        cancel.clone(),
    )
    .await?;
    // Answers that no dataset could take are not paid for.
    let refused = match arguments.with_cycle {
        true => check_dataset(&service.studio, &home.project, home.dataset.as_deref())
            .await
            .err(),
        false => None,
    };
    let keep = |_: eval::Kept<'_>| Ok(());
    let mut record = evaluate(
        suite,
        home,
        &service,
        concurrency,
        eval::Limits::default(),
        Taken::new(&keep),
        refused,
        environment,
        screen,
    )
    .await?;
    if arguments.with_cycle && record.results.run.stopped.is_none() {
        cycle::take(&mut record, home, &service, &arguments.cycle, concurrency, screen).await?;
        record.results.calls = tally(&service);
    }
    service.close(screen).await;
    Ok(record)
}

/// Project, model and dataset of every suite after overrides, or everything that is missing, at once.
fn homes(suites: &[Suite], options: &ServiceOptions) -> anyhow::Result<Vec<Home>> {
    let mut missing = Vec::new();
    let mut homes = Vec::new();
    for suite in suites {
        let mut pick = |option: &Option<String>, suite_says: &Option<String>, what: &str, emulated: &str| {
            let found = option.clone().or_else(|| suite_says.clone());
            let found = found.or_else(|| options.emulator.then(|| emulated.to_owned()));
            found.unwrap_or_else(|| {
                missing.push(format!(
                    "{}: no {what}: write `{what}:` into the suite, or give --{what} or TUNEGATE_{}",
                    suite.path,
                    what.to_uppercase()
                ));
                String::new()
            })
        };
        homes.push(Home {
            project: pick(
                &options.project,
                &suite.project,
                "project",
                "00000000-0000-4000-8000-000000000001",
            ),
            model: pick(&options.model, &suite.model, "model", &suite.name),
            dataset: options.dataset.clone().or_else(|| suite.dataset.clone()),
        });
    }
    if missing.is_empty() {
        Ok(homes)
    } else {
        Err(exit::usage(missing.join("\n")))
    }
}
