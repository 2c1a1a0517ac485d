//! `merge`: the results of all shards of a suite → the results, report, comment and exit code of one run.

mod find;
mod head;

use std::path::{Path, PathBuf};

use clap::Args;

use super::environment::Environment;
use super::exit::{self, Exit};
use super::frame::{self, Frame};
use super::hub::Hub;
use super::options::{Base, ComparisonOptions, OutputOptions};
use super::output::{Progress, Screen};
use super::publish::{self, Publication};
use super::{comment, comparison, signals, suites, trend};
use crate::cycle::journal::{self, Lock};
use crate::results::{Results, StopKind, Tool};
use crate::shards;

/// Shards of one run are evaluated within this time, or some may be left from an earlier one.
const OF_ONE_RUN_MS: u64 = 24 * 60 * 60 * 1_000;

/// The arguments of `merge`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tunegate merge .tunegate                       every suite whose shards are in it
  tunegate merge shards/ --baseline last-night/  compared with an earlier run
  tunegate merge 1/results.json 2/results.json 3/results.json

All shards of a suite have to be there, once each, and of one split. What comes out is what one `tunegate eval` would have
left; `tunegate cycle` goes on from it.")]
pub(crate) struct Arguments {
    /// The shards' results.json, or folders that are searched for them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    comparison: ComparisonOptions,
    #[command(flatten)]
    pub(crate) output: OutputOptions,
}

pub(crate) async fn main(
    arguments: &Arguments,
    environment: &Environment,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let pieces = find::pieces(&arguments.paths)?;
    let found = pieces.len();
    let merged = shards::merge(pieces).map_err(|faults| {
        exit::usage(format!(
            "the shards can't be merged:\n{}\nnothing was written",
            faults.join("\n")
        ))
    })?;
    let emulator = merged.iter().any(|results| results.run.emulator);
    if emulator && !merged.iter().all(|results| results.run.emulator) {
        return Err(exit::usage(
            "some of these suites were answered by the built-in emulator and others by a real service: merge them apart",
        ));
    }
    if screen.progress != Progress::Nothing {
        let suites = suites::count(merged.len(), "suite");
        screen.note(&format!("{} of {suites} merged", suites::count(found, "shard")));
    }
    for results in &merged {
        if results.run.duration_ms > OF_ONE_RUN_MS {
            screen.warn(&format!(
                "{}: its shards were evaluated {} hours apart, the first at {}: evaluate one that is left from an earlier run \
                 again, it was another day's model",
                results.suite.name,
                results.run.duration_ms / (60 * 60 * 1_000),
                results.run.started_at
            ));
        }
    }
    let options = &arguments.comparison;
    let own_policy = head::Policy::of(options);
    let mut heads: Vec<_> = merged
        .iter()
        .map(|results| head::suite(&results.suite, own_policy))
        .collect();
    let mut frames = frame::given(&mut heads, options, emulator, screen)?;
    for (frame, results) in frames.iter_mut().zip(&merged) {
        if own_policy == head::Policy::OfTheShards {
            frame.policy = results.suite.policy.clone();
        }
    }
    let mut folders = Vec::new();
    let mut locks = Vec::new();
    for results in &merged {
        let folder = publish::prepare(&arguments.output.output_dir, &results.suite.name, None)?;
        locks.push(hold(&folder, results)?);
        folders.push(folder);
    }
    let cancel = signals::cancellation()?;
    let mut hub = Hub::open(environment, None, &cancel);
    let paths: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
    frame::look(
        &mut frames,
        &mut heads,
        &paths,
        options,
        emulator,
        hub.as_mut(),
        screen,
    )
    .await?;
    let mut done = Vec::new();
    let whole = merged.into_iter().zip(heads).zip(frames).zip(folders);
    for (((mut results, head), mut frame), folder) in whole {
        results.tool = Tool {
            name: "tunegate".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        results.suite.gates = head.gates;
        results.suite.policy = frame.policy.clone();
        if options.baseline == Base::None {
            uncompared(&mut results, screen);
        } else {
            compared(&mut results, &mut frame, options)?;
        }
        let record = comparison::derive(results, None)?;
        let exit = exit_of(&record);
        trend::add(&mut frame, &record);
        publish::write(&record, &frame, &folder, screen)?;
        done.push(Publication {
            folder,
            record,
            frame,
            exit,
        });
    }
    publish::publish(
        &done,
        &arguments.output.output_dir,
        arguments.output.format,
        environment,
        screen,
    )?;
    if let Some(hub) = &mut hub {
        comment::tell(&done, options, hub, arguments.output.format, screen).await;
    }
    drop(locks);
    Ok(done.iter().map(|p| p.exit).max().unwrap_or(Exit::Done))
}

/// The suite's folder for this process alone, unless a cycle of another run stands in it that is not through.
fn hold(folder: &Path, results: &Results) -> anyhow::Result<Lock> {
    let refusal = |fault: journal::Fault| exit::usage(fault.to_string());
    let lock = Lock::take(folder).map_err(refusal)?;
    if let Some(history) = journal::skim(folder).map_err(refusal)?
        && history.ended.is_none()
        && history.wrote()
        && history.begun.run != results.run.id
    {
        return Err(exit::usage(format!(
            "{} holds the journal of another run, which has written to the service and is not through: finish that one as \
             it was begun, or choose another --output-dir",
            folder.display()
        )));
    }
    Ok(lock)
}

/// Puts in what the run is compared with: what the shards were, where they judged it again or it was given to them alone,
/// or else what was found for all of them.
fn compared(results: &mut Results, frame: &mut Frame, options: &ComparisonOptions) -> anyhow::Result<()> {
    frame.is_of(&results.run.id);
    let of_shards = results.baseline.take();
    let rejudged = of_shards.as_ref().is_some_and(|baseline| baseline.rejudged);
    if options.rejudge_baseline && !rejudged {
        return Err(exit::usage(format!(
            "{}: nothing is judged by `merge`, and its shards did not judge the baseline again: give --rejudge-baseline to \
             each `tunegate eval --shard`",
            results.suite.name
        )));
    }
    results.baseline = match of_shards {
        Some(baseline) if rejudged || frame.base.is_none() => {
            // The texts of another run are not shown beside its scores.
            frame.base.take_if(|base| base.results.run.id != baseline.run.id);
            Some(baseline)
        }
        _ => frame.baseline(None),
    };
    match results.baseline {
        Some(_) => results.without_baseline = None,
        None => results.without_baseline = frame.without.take().or(results.without_baseline.take()),
    }
    results.baseline_unknown = results.baseline.is_none() && (frame.unknown || results.baseline_unknown);
    Ok(())
}

/// Takes out what the shards were compared with: somebody asked for no comparison in so many words.
fn uncompared(results: &mut Results, screen: &Screen) {
    if results.baseline.take().is_some() {
        screen.warn(&format!(
            "{}: what its shards were compared with, and judged again of it, is left out, as --baseline none asks",
            results.suite.name
        ));
    }
    results.without_baseline = None;
    results.baseline_unknown = false;
}

/// As of a run; but it was not this process that a signal ended.
fn exit_of(record: &crate::report::Record) -> Exit {
    match record.results.run.stopped.as_ref().map(|stopped| stopped.kind) {
        Some(StopKind::Interrupted | StopKind::Unrecorded) => Exit::Inconclusive,
        _ => publish::exit_of(record, false),
    }
}
