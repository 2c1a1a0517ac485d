//! What is done → the step's outputs, as action.yml promises them. Of several suites a line each.

use std::path::Path;

use super::exit::Exit;
use super::publish::Publication;
use crate::cycle::Outcome;
use crate::gate::Decision;
use crate::github::Runner;

/// Sets them all.
pub(crate) fn set(runner: &Runner, done: &[Publication], output_dir: &Path) -> anyhow::Result<()> {
    let worst = done.iter().max_by_key(|p| p.exit);
    let launched = done.iter().any(|p| p.outcome() == Some(Outcome::Launched));
    let each = |value: &dyn Fn(&Publication) -> Option<String>| {
        done.iter()
            .map(|p| value(p).unwrap_or_default())
            .collect::<Vec<_>>()
            .join("\n")
    };
    let figure = |value: Option<f64>| value.map(|v| format!("{v:.4}"));
    let report_dir = match done {
        [only] => only.folder.display().to_string(),
        _ => output_dir.display().to_string(),
    };
    let values = [
        ("result", worst.map_or("skipped", result_of).to_owned()),
        ("launched", launched.to_string()),
        ("job-id", each(&|p| p.record.cycle.as_ref()?.job_id.clone())),
        (
            "snapshot-id",
            each(&|p| p.record.cycle.as_ref()?.snapshot_id.clone()),
        ),
        ("mean", each(&|p| figure(p.record.figures.overall.mean))),
        ("pass-rate", each(&|p| figure(p.record.figures.overall.pass_rate))),
        ("coverage", each(&|p| figure(p.record.figures.overall.coverage))),
        (
            "difference",
            each(&|p| figure(p.record.comparison.as_ref()?.mean.difference)),
        ),
        ("baseline", each(&baseline)),
        (
            "traces",
            each(&|p| Some(p.record.cycle.as_ref()?.traces.written.to_string())),
        ),
        ("report-dir", report_dir),
        (
            "results-path",
            each(&|p| Some(p.folder.join("results.json").display().to_string())),
        ),
    ];
    for (name, value) in values {
        runner.append_output(name, &value)?;
    }
    Ok(())
}

/// What the run was compared with: its commit, or the workflow run that it is of.
fn baseline(p: &Publication) -> Option<String> {
    let baseline = p.record.results.baseline.as_ref()?;
    let run = baseline.source.workflow_run.map(|run| run.to_string());
    baseline.run.commit.clone().or(run)
}

/// The word that the output `result` holds.
fn result_of(p: &Publication) -> &'static str {
    match (p.exit, p.record.verdict.decision, p.outcome()) {
        (Exit::Done, ..) if p.record.results.run.shard.is_some() => "shard",
        (Exit::Done, _, Some(Outcome::Launched)) => "launched",
        (Exit::Done, _, Some(Outcome::NotLaunched)) => "not-launched",
        (Exit::Done, _, Some(Outcome::DryRun)) => "dry-run",
        (Exit::Done, Decision::Hold, _) | (Exit::Done, _, Some(Outcome::Held)) => "held",
        (Exit::Done, ..) => "passed",
        (Exit::GateFailed, ..) => "failed",
        (Exit::Inconclusive, ..) => "inconclusive",
        (Exit::Interrupted, ..) => "interrupted",
        (Exit::Service | Exit::Suite | Exit::Usage, ..) => "stopped",
    }
}
