//! `cycle`: the rest of the cycle from saved results. Also how `run` takes an evaluated suite through it.

use std::path::{Path, PathBuf};

use clap::Args;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::comparison::derive;
use super::environment::Environment;
use super::evaluate::tally;
use super::exit::{self, Exit};
use super::frame::Frame;
use super::options::{CycleOptions, HistoryIn, OutputOptions, ResumeOptions, ServiceOptions};
use super::output::Screen;
use super::publish::{self, Publication};
use super::resume::{self, Desk, Log};
use super::service::{Home, Service};
use super::{progress, signals, trend};
use crate::cycle::{self, Answer};
use crate::report::Record;
use crate::suite::input_of;
use crate::{eval, score};

/// The arguments of `cycle`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tunegate cycle .tunegate/invoice-extraction/results.json
  tunegate cycle results.json --dry-run       what it would write

Goes on where the results' own cycle ended: what it wrote is not written again, and what it may have written is
asked for.")]
pub(crate) struct Arguments {
    /// Each a results.json that `run`, `eval` or `merge` wrote
    #[arg(required = true, value_name = "RESULTS")]
    results: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) service: ServiceOptions,
    #[command(flatten)]
    cycle: CycleOptions,
    #[command(flatten)]
    resume: ResumeOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

pub(crate) async fn main(
    arguments: &Arguments,
    environment: &Environment,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let cancel = signals::cancellation()?;
    let mut done: Vec<Publication> = Vec::new();
    let mut broken = None;
    for results in &arguments.results {
        match one(results, arguments, &cancel, environment, screen).await {
            Ok(publication) => done.push(publication),
            // What was done before is told first: a job may have been launched.
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
        if cancel.is_cancelled() {
            break;
        }
    }
    if !done.is_empty() {
        publish::publish(
            &done,
            &arguments.output.output_dir,
            arguments.output.format,
            environment,
            screen,
        )?;
    }
    if let Some(error) = broken {
        return Err(error);
    }
    let skipped = arguments.results.len() - done.len();
    if skipped > 0 {
        screen.warn(&format!("{skipped} of the results were not gone on with"));
        return Ok(Exit::Interrupted);
    }
    Ok(done.iter().map(|p| p.exit).max().unwrap_or(Exit::Done))
}

/// The rest of one suite's cycle, up to the files in its folder.
async fn one(
    results: &Path,
    arguments: &Arguments,
    cancel: &CancellationToken,
    environment: &Environment,
    screen: &Screen,
) -> anyhow::Result<Publication> {
    let record = super::report::read(results)?;
    let elsewhere = [
        (
            "project",
            &arguments.service.project,
            &record.results.suite.project,
        ),
        ("model", &arguments.service.model, &record.results.suite.model),
    ];
    for (what, asked, recorded) in elsewhere {
        if let Some(asked) = asked
            && asked != recorded
        {
            return Err(exit::usage(format!(
                "these results are of {what} {recorded}, not of {asked}: the traces of one can't be written as the other's"
            )));
        }
    }
    if record.results.run.emulator != arguments.service.emulator {
        let (was, add) = match record.results.run.emulator {
            true => ("the emulator's", "give --emulator to go on with it"),
            false => ("a real service's", "leave --emulator out"),
        };
        return Err(exit::usage(format!(
            "these answers are {was}, and one service's are never written to the other: {add}"
        )));
    }
    if let Some(shard) = &record.results.run.shard {
        return Err(exit::usage(format!(
            "these are the results of shard {} of {}: put all of them together with `tunegate merge`, and go on from its \
             results.json",
            shard.index, shard.of
        )));
    }
    if let Some(stopped) = &record.results.run.stopped {
        return Err(exit::usage(format!(
            "this evaluation did not go through ({}): run the suite again, there is no cycle from half of it",
            stopped.message
        )));
    }
    if let Some(job) = record.cycle.as_ref().and_then(|c| c.job_id.as_ref()) {
        return Err(exit::usage(format!(
            "these results have launched job {job} already: a new cycle begins with a new `tunegate run`"
        )));
    }
    // What stands in the file is derived; the answers, the baseline and the gates decide.
    drop((record.figures, record.comparison, record.verdict));
    let mut record = derive(record.results, record.cycle)?;
    let home = Home {
        project: record.results.suite.project.clone(),
        model: record.results.suite.model.clone(),
        dataset: arguments
            .service
            .dataset
            .clone()
            .or_else(|| record.results.suite.dataset.clone()),
    };
    let folder = publish::prepare(&arguments.output.output_dir, &record.results.suite.name, None)?;
    let origin = arguments.service.origin()?;
    let now = resume::of_results(&record.results, &home, &origin, environment);
    let mut desk = Desk::take(folder, now, arguments.resume.fresh, screen)?;
    let service = Service::open(
        &arguments.service,
        environment,
        &home,
        &record.results.suite.judge.model,
        &arguments.output.output_dir,
        cancel.clone(),
    )
    .await?;
    if !service.is_emulator() && service.origin != record.results.run.base_url {
        return Err(exit::usage(format!(
            "these answers are from {}, not from {}: give --base-url as the run had it",
            record.results.run.base_url, service.origin
        )));
    }
    let mut log = desk.open()?;
    // Until the project was looked at nothing was sent, and all of it is taken over once more: a process may have ended
    // in the middle of that.
    if log.history.before.is_none()
        && let Some(earlier) = record.cycle.take()
    {
        log.import(&earlier)?;
    }
    let concurrency = arguments.service.pace.writes();
    let options = (&arguments.cycle, &arguments.resume);
    take(&mut record, &log, &home, &service, options, concurrency, screen).await?;
    for (name, more) in tally(&service) {
        let entry = record.results.calls.entry(name).or_default();
        entry.calls += more.calls;
        entry.attempts += more.attempts;
        entry.failed += more.failed;
        entry.total_ms += more.total_ms;
    }
    service.close(screen).await;
    let exit = publish::exit_of(&record, cancel.is_cancelled());
    let mut frame = Frame::default();
    trend::from_folder(&mut frame, &desk.folder, HistoryIn::Artifact, screen);
    // Whether the suite has a history its own runs have decided.
    frame.keeps_history = !frame.history.is_empty();
    trend::add(&mut frame, &record);
    publish::write(&record, &frame, &desk.folder, screen)?;
    resume::end(&log, &record, 0, cancel.is_cancelled())?;
    Ok(Publication {
        folder: desk.folder.clone(),
        record,
        frame,
        exit,
    })
}

/// Takes an evaluated suite through the cycle and notes in its record what became of it.
pub(crate) async fn take(
    record: &mut Record,
    log: &Log,
    home: &Home,
    service: &Service,
    (options, going_on): (&CycleOptions, &ResumeOptions),
    concurrency: usize,
    screen: &Screen,
) -> anyhow::Result<()> {
    let suite = &record.results.suite;
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let run = resume::short(&record.results.run.id);
    let settings = cycle::Settings {
        project: home.project.clone(),
        model: home.model.clone(),
        dataset: home.dataset.clone(),
        job_name: suite
            .cycle
            .render_job_name(&today, &suite.name, &home.model, &run)
            .map_err(|fault| exit::suite(format!("cycle.job_name: {fault}")))?,
        run,
        doubt_timeout: going_on.doubt_timeout,
        assume_not_done: going_on.assume_not_done,
        cycle: suite.cycle.clone(),
        concurrency,
        no_launch: options.no_launch,
        dry_run: options.dry_run,
        holdouts: record
            .results
            .cases
            .iter()
            .filter(|case| case.holdout)
            .map(|case| (case.id.clone(), input_of(&case.messages)))
            .collect(),
    };
    let (events, incoming) = mpsc::unbounded_channel();
    let shown = tokio::spawn(progress::cycle(screen.clone(), incoming));
    let done = cycle::run(
        answers(record),
        &record.verdict,
        &service.studio,
        &settings,
        &log.journal,
        log.history.clone(),
        &events,
    )
    .await;
    drop(events);
    progress::over(shown).await;
    record.cycle = Some(done);
    Ok(())
}

/// Every answer with its score and what its trace says.
fn answers(record: &Record) -> Vec<Answer> {
    let mut answers = Vec::new();
    for case in &record.results.cases {
        for sample in &case.samples {
            let (feedback, reasoning) = eval::sample_feedback(&case, sample);
            answers.push(Answer {
                case: case.id.clone(),
                sample: sample.index,
                holdout: case.holdout,
                cached: sample.cached.is_some(),
                input: input_of(&case.messages),
                output: sample
                    .answer
                    .clone()
                    .filter(|_| sample.outcome == crate::results::AnswerOutcome::Answered),
                score: score::sample_score(sample),
                feedback,
                reasoning,
            });
        }
    }
    answers
}
