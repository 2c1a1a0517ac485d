//! A suite's runs so far → a small trend: what all its forms have in common, the words and the line of blocks.

use super::markdown::trend as markdown;
use super::numbers::{count, score};
use super::terminal::{Style, foreign, trend as terminal};
use super::text::plural;
use super::view::Tone;
use crate::cycle;
use crate::gate::Decision;
use crate::history::{Entry, Trend};

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Where there is nothing to draw.
const NOTHING: char = '·';
/// Where another judge begins.
const BREAK: char = '│';
/// Flaky cases that are listed, at most.
pub(super) const FLAKY: usize = 20;

/// A suite's history as Markdown of at most `limit_bytes`: the last `last` runs of the newest one's kind, their table
/// and the flaky cases. `name` is foreign.
pub fn trend_markdown(name: &str, history: &[Entry], last: usize, limit_bytes: usize) -> String {
    markdown::page(name, history, last, limit_bytes)
}

/// The same for a terminal of `width` characters, with ANSI colours where `colour` is set.
pub fn trend_terminal(name: &str, history: &[Entry], last: usize, width: usize, colour: bool) -> String {
    let style = Style {
        colour,
        width: width.clamp(40, 160),
    };
    format!(
        "{}\n{}",
        style.bold(&foreign(name, 60)),
        terminal::whole(history, last, &style)
    )
}

/// The sentences above the line of blocks.
pub(super) fn sentences(trend: &Trend<'_>) -> Vec<String> {
    let runs = |n: usize| plural(n as u64, "run", "runs");
    let comparable = trend.comparable().len();
    let mut said = vec![match (comparable, trend.breaks.is_empty()) {
        (1, true) => format!("Mean {}: one run, no trend yet.", score(trend.last)),
        (1, false) => format!(
            "Mean {}: the first run since the judge was changed; the means before it don't compare.",
            score(trend.last)
        ),
        (n, unbroken) => {
            let since = if unbroken {
                ""
            } else {
                " since the judge was changed; the means before don't compare"
            };
            let (first, last) = (score(trend.first), score(trend.last));
            format!("Mean {first} → {last} over {}{since}.", runs(n))
        }
    }];
    if trend.suite_changes > 0 {
        let times = match trend.suite_changes {
            1 => "once".to_owned(),
            n => format!("{} times", count(n as u64)),
        };
        said.push(format!(
            "The suite's cases or gates were changed {times} on the way."
        ));
    }
    let emulator = trend.runs.last().is_some_and(|run| run.emulator);
    let (kind, other) = if emulator {
        ("All of it on the built-in emulator", "on the service")
    } else {
        ("", "on the emulator")
    };
    match (kind, trend.of_other_kind) {
        ("", 0) => {}
        ("", n) => said.push(format!("Left out: {} {other}.", runs(n))),
        (kind, 0) => said.push(format!("{kind}.")),
        (kind, n) => said.push(format!("{kind}; left out: {} {other}.", runs(n))),
    }
    if trend.earlier > 0 {
        said.push(format!("Not shown: {} before these.", runs(trend.earlier)));
    }
    said
}

/// A row of the picture. Nothing in it is foreign.
pub(super) struct Row {
    /// What it shows.
    pub(super) word: &'static str,
    /// A character a run, and one where another judge begins.
    pub(super) drawn: Vec<(Option<Tone>, char)>,
    /// How it is to be read.
    pub(super) told: String,
}

/// The rows of the picture: means, verdicts and, where there was one, launches.
pub(super) fn picture(trend: &Trend<'_>) -> Vec<Row> {
    let row = |of: &dyn Fn(&Entry) -> (Option<Tone>, char)| {
        let mut drawn = Vec::with_capacity(trend.runs.len() + trend.breaks.len());
        for (at, run) in trend.runs.iter().enumerate() {
            if trend.breaks.contains(&at) {
                drawn.push((None, BREAK));
            }
            drawn.push(of(run));
        }
        drawn
    };
    let [low, high] = trend.scale;
    let block = |run: &Entry| {
        let Some(mean) = run.mean else {
            return (None, NOTHING);
        };
        let part = ((mean - low) / (high - low)).clamp(0.0, 1.0);
        let level = (part * LEVELS.len() as f64) as usize;
        (None, LEVELS[level.min(LEVELS.len() - 1)])
    };
    let mut scale = format!("{low:.1}–{high:.1}, newest right");
    if !trend.breaks.is_empty() {
        scale.push_str(&format!("  {BREAK} the judge was changed"));
    }
    let verdict = |run: &Entry| {
        let (tone, symbol) = mark(run.decision);
        (Some(tone), symbol)
    };
    let mut rows = vec![
        Row {
            word: "mean",
            drawn: row(&block),
            told: scale,
        },
        Row {
            word: "verdict",
            drawn: row(&verdict),
            told: "✓ passed  ‖ held  ✗ failed  ? inconclusive".to_owned(),
        },
    ];
    let launched = |run: &Entry| run.outcome == Some(cycle::Outcome::Launched);
    if trend.runs.iter().any(|run| launched(run)) {
        let dot = |run: &Entry| (None, if launched(run) { '●' } else { NOTHING });
        rows.push(Row {
            word: "job",
            drawn: row(&dot),
            told: "● launched".to_owned(),
        });
    }
    rows
}

/// How a verdict is drawn.
pub(super) fn mark(decision: Decision) -> (Tone, char) {
    match decision {
        Decision::Pass => (Tone::Good, '✓'),
        Decision::Hold => (Tone::Held, '‖'),
        Decision::Fail => (Tone::Bad, '✗'),
        Decision::Inconclusive => (Tone::Unsure, '?'),
    }
}

/// What a run came to, in words.
pub(super) fn ending(run: &Entry) -> String {
    let decision = match run.decision {
        Decision::Pass => "passed",
        Decision::Hold => "held",
        Decision::Fail => "failed",
        Decision::Inconclusive => "inconclusive",
    };
    let outcome = match run.outcome {
        None | Some(cycle::Outcome::Held) => "",
        Some(cycle::Outcome::Launched) => ", launched",
        Some(cycle::Outcome::NotLaunched) => ", not launched",
        Some(cycle::Outcome::Stopped) => ", cycle stopped",
        Some(cycle::Outcome::DryRun) => ", dry run",
    };
    format!("{decision}{outcome}")
}

/// When a run began, to the minute, UTC; none where that is no time.
pub(super) fn began(run: &Entry) -> Option<String> {
    let at: jiff::Timestamp = run.at.parse().ok()?;
    Some(at.strftime("%Y-%m-%d %H:%M").to_string())
}

/// The mean, and of how many cases where it is not of all.
pub(super) fn mean(run: &Entry) -> String {
    match run.mean {
        Some(_) if run.scored < run.cases => format!(
            "{} ({} of {})",
            score(run.mean),
            count(run.scored.into()),
            count(run.cases.into())
        ),
        mean => score(mean),
    }
}

/// The difference to the run's baseline, with its sign.
pub(super) fn difference(run: &Entry) -> String {
    run.difference.map_or_else(
        || super::numbers::NONE.to_owned(),
        |d| format!("{d:+.3}").replace('-', "−"),
    )
}

/// The start of a commit, fingerprint or job's id, which is enough to tell it from the others of a table.
pub(super) fn start(id: &str) -> String {
    id.chars().take(8).collect()
}

#[cfg(test)]
mod tests;
