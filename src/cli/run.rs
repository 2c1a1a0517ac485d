//! `run` and `eval`: suites through evaluation and gates and, with `run`, through the cycle. One after the
//! other, with a report each and one total.

use std::path::Path;

use clap::Args;
use tokio::time::Instant;

use super::budget::Budget;
use super::cache::Replies;
use super::environment::Environment;
use super::evaluate::{evaluate, tally};
use super::exit::{self, Exit};
use super::frame::{self, Frame};
use super::hub::Hub;
use super::options::{
    CacheOptions, ComparisonOptions, CycleOptions, JudgeOptions, LimitOptions, OutputOptions, ResumeOptions,
    ServiceOptions, ShardOptions,
};
use super::output::Screen;
use super::publish::{self, Publication};
use super::resume::{self, Desk, Log};
use super::service::{Home, Service, key};
use super::signals::{Cause, Ending};
use super::{comment, cycle, shards, suites, trend};
use crate::cycle::check_dataset;
use crate::eval;
use crate::results::StopKind;
use crate::shards::Shard;
use crate::suite::Suite;

/// The arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tunegate run prompts/quickstart.yaml --emulator    no key needed; run it twice
  PREMAI_API_KEY=… tunegate run prompts/nightly.yaml
  tunegate run 'prompts/*.yaml' --no-launch          everything but the launch
  tunegate run prompts/nightly.yaml --dry-run --format json
  tunegate run prompts/nightly.yaml --baseline last-night/results.json")]
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
    comparison: ComparisonOptions,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    cache: CacheOptions,
    #[command(flatten)]
    resume: ResumeOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
    /// Of `eval`: a cycle from a part of a suite would launch a job from it.
    #[arg(long, hide = true, value_name = "I/N", env = "TUNEGATE_SHARD")]
    pub(crate) shard: Option<Shard>,
    /// False for `eval`: nothing is written to the service.
    #[arg(skip = true)]
    pub(crate) with_cycle: bool,
}

/// The arguments of `eval`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tunegate eval prompts/quickstart.yaml --emulator
  tunegate eval prompts/nightly.yaml --format json | jq '.figures.overall.mean'
  tunegate eval prompts/nightly.yaml --shard 3/10    a tenth of it; `tunegate merge` puts the tenths together")]
pub(crate) struct EvalArguments {
    /// Suites: files or globs
    #[arg(required = true, value_name = "SUITE")]
    suites: Vec<String>,
    #[command(flatten)]
    service: ServiceOptions,
    #[command(flatten)]
    judge: JudgeOptions,
    #[command(flatten)]
    comparison: ComparisonOptions,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    cache: CacheOptions,
    #[command(flatten)]
    resume: ResumeOptions,
    #[command(flatten)]
    shards: ShardOptions,
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
            comparison: eval.comparison,
            limits: eval.limits,
            cache: eval.cache,
            resume: eval.resume,
            output: eval.output,
            shard: eval.shards.shard,
            with_cycle: false,
        }
    }
}

pub(crate) async fn main(
    arguments: &Arguments,
    environment: &Environment,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    if let Some(shard) = arguments.shard.filter(|_| arguments.with_cycle) {
        return Err(exit::usage(format!(
            "a cycle is of a whole suite, and {shard} is not one: `tunegate eval --shard` evaluates each shard, `tunegate \
             merge` makes one run of them and decides, and `tunegate cycle` goes on from its results.json"
        )));
    }
    let mut budget = Budget::new(&arguments.limits, Instant::now(), arguments.with_cycle);
    let mut suites = suites::load(&arguments.suites, arguments.output.format, screen)?;
    if let Some(judge) = &arguments.judge.judge_model {
        suites.iter_mut().for_each(|suite| suite.judge_with(judge));
    }
    let shares = shards::split(&mut suites, arguments.shard);
    let comparison = &shards::comparison(&arguments.comparison, arguments.shard);
    let emulator = arguments.service.emulator;
    let mut frames = frame::given(&mut suites, comparison, emulator, screen)?;
    let homes = homes(&suites, &arguments.service)?;
    if !arguments.service.emulator {
        key(environment)?;
    }
    let desks = desks(&suites, &homes, arguments, environment, screen)?;
    let (with_cycle, address) = (arguments.with_cycle, arguments.service.address()?);
    let replies = Replies::open(&arguments.cache, with_cycle, &address, environment, screen)?;
    let ending = Ending::listen()?;
    if let Some(end) = budget.end() {
        ending.at(end);
    }
    let cancel = ending.token();
    let mut hub = Hub::open(environment, arguments.limits.deadline, cancel);
    let folders: Vec<&Path> = desks.iter().map(|desk| desk.folder.as_path()).collect();
    frame::look(
        &mut frames,
        &mut suites,
        &folders,
        comparison,
        emulator,
        hub.as_mut(),
        screen,
    )
    .await?;
    shards::mark(&mut frames, &shares, environment);
    let mut done: Vec<Publication> = Vec::new();
    let mut through = Vec::new();
    let mut broken = None;
    for (((suite, home), mut desk), mut frame) in suites.iter().zip(&homes).zip(desks).zip(frames) {
        if suites.len() > 1 {
            screen.note(&format!(
                "{} ({} of {})",
                suite.name,
                done.len() + 1,
                suites.len()
            ));
        }
        let (record, log) = match one(
            suite,
            home,
            (&mut desk, &mut frame),
            arguments,
            environment,
            screen,
            (&ending, &mut budget, &replies),
        )
        .await
        {
            Ok(done) => done,
            // What the suites before it did is published first.
            Err(error) => {
                broken = Some(error);
                break;
            }
        };
        let folder = desk.folder.clone();
        let exit = publish::exit_of(&record, ending.cause() == Some(Cause::Signal));
        let unauthorized = record
            .results
            .run
            .stopped
            .as_ref()
            .is_some_and(|s| s.kind == StopKind::Unauthorized);
        trend::add(&mut frame, &record);
        let exit = match publish::write(&record, &frame, &desk.folder, screen) {
            Ok(()) => {
                through.push((done.len(), log, desk, cancel.is_cancelled()));
                exit
            }
            // What was done must be told all the same: a job may have been launched.
            Err(error) => {
                screen.error(&format!("{error:#}"));
                exit.max(Exit::Usage)
            }
        };
        done.push(Publication {
            folder,
            record,
            frame,
            exit,
        });
        if cancel.is_cancelled() || unauthorized {
            // The key is refused or nobody waits: the suites behind this one would end the same way.
            break;
        }
    }
    replies.close(environment, screen);
    let skipped = suites.len() - done.len();
    if skipped > 0 {
        screen.warn(&format!("{skipped} suites were not run"));
    }
    if done.is_empty()
        && let Some(error) = broken
    {
        return Err(error);
    }
    let published = publish::publish(
        &done,
        &arguments.output.output_dir,
        arguments.output.format,
        environment,
        screen,
    );
    // Nobody waits for these where a signal ended the run.
    if let Some(hub) = hub.as_mut().filter(|_| ending.cause() != Some(Cause::Signal)) {
        comment::tell(&done, comparison, hub, arguments.output.format, screen).await;
    }
    // Last of all, and for all together: whoever ends this process before, or asks for an end of it, finds no suite
    // begun anew by the next one. A second cycle of the same night could be a second job.
    let interrupted = ending.cause() == Some(Cause::Signal);
    for (at, log, _desk, cut_short) in &through {
        let (record, unjudged) = (&done[*at].record, done[*at].frame.unjudged);
        if let Err(fault) = resume::end(log, record, unjudged, interrupted || *cut_short) {
            screen.error(&fault.to_string());
            done[*at].exit = done[*at].exit.max(Exit::Usage);
        }
    }
    published?;
    if let Some(error) = broken {
        return Err(error);
    }
    let worst = done.iter().map(|p| p.exit).max().unwrap_or(Exit::Done);
    // A signal between two suites interrupts none of them, and the run all the same.
    Ok(match ending.cause().filter(|_| skipped > 0) {
        Some(Cause::Signal) => Exit::Interrupted,
        Some(Cause::Deadline) => worst.max(Exit::Inconclusive),
        None => worst,
    })
}

/// Every suite's folder, for this process alone, and how its journal goes on: decided for all of them before anything
/// is asked.
fn desks(
    suites: &[Suite],
    homes: &[Home],
    arguments: &Arguments,
    environment: &Environment,
    screen: &Screen,
) -> anyhow::Result<Vec<Desk>> {
    let origin = arguments.service.origin()?;
    let command = if arguments.with_cycle { "run" } else { "eval" };
    let fresh = arguments.resume.fresh;
    let all = suites.iter().zip(homes).map(|(suite, home)| {
        let folder = publish::prepare(&arguments.output.output_dir, &suite.name, arguments.shard)?;
        let now = resume::of_suite(suite, home, &origin, command, fresh, environment);
        Desk::take(folder, now, fresh, screen)
    });
    all.collect()
}

async fn one(
    suite: &Suite,
    home: &Home,
    (desk, frame): (&mut Desk, &mut Frame),
    arguments: &Arguments,
    environment: &Environment,
    screen: &Screen,
    (ending, budget, replies): (&Ending, &mut Budget, &Replies),
) -> anyhow::Result<(crate::report::Record, Log)> {
    let pace = arguments.service.pace;
    let output_dir = &arguments.output.output_dir;
    let service = Service::open(
        &arguments.service,
        environment,
        home,
        &suite.judge.model,
        output_dir,
        ending.token().clone(),
    )
    .await?;
    // Answers that no dataset could take are not paid for.
    let refused = match arguments.with_cycle && !budget.is_spent() {
        true => check_dataset(&service.studio, &home.project, home.dataset.as_deref())
            .await
            .err(),
        false => None,
    };
    let mut log = desk.open()?;
    let known = log.known();
    let keep = |kept: eval::Kept<'_>| log.keep(kept);
    let mut record = evaluate(
        suite,
        home,
        &service,
        pace.calls(),
        budget,
        log.taken(known, &keep, replies.of_one()),
        frame,
        refused,
        environment,
        screen,
    )
    .await?;
    if record.results.run.stopped.is_none() {
        log.evaluated()?;
    }
    if arguments.with_cycle && resume::may_harvest(&record) {
        let options = (&arguments.cycle, &arguments.resume);
        cycle::take(&mut record, &log, home, &service, options, pace.writes(), screen).await?;
        record.results.calls = tally(&service);
        // What ends a cycle is one token; which of the two it was is known here.
        if ending.cause() == Some(Cause::Deadline)
            && let Some(cycle) = &mut record.cycle
            && let Some(rest) = cycle.reason.strip_prefix("interrupted")
        {
            cycle.reason = format!("the deadline is reached{rest}");
        }
    }
    budget.spend_calls(record.results.calls.values().map(|tally| tally.attempts).sum());
    service.close(screen).await;
    Ok((record, log))
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
