//! The top of the page: verdict line, notices, gates, figures, tags.

use crate::gate::{GateVerdict, Outcome, Veto};
use crate::report::Record;
use crate::report::bars::bar;
use crate::report::numbers::{NONE, against, count, score, with_interval};
use crate::report::text::{plural, sentence};
use crate::report::view::{OfJudge, Tone, View, of_judge, word};
use crate::score::Group;

use super::escape::{At, code, prose};
use super::page::rows;

/// Gates and vetoes that are listed, at most.
const GATES: usize = 100;
/// Tags that are listed, at most.
const TAGS: usize = 100;
/// Cells of the distribution's longest bar.
const BAR_CELLS: u32 = 24;

/// The line a person acts on, and what they must know before they read on; `more` ends it.
pub(super) fn verdict(view: &View, more: Option<&str>) -> String {
    let headline = &view.headline;
    let name = code(&view.record.results.suite.name, At::Line);
    let mut out = format!("## {} {name}: {}\n", symbol(headline.tone), headline.title);
    let mut line: Vec<String> = headline
        .reasons
        .iter()
        .map(|reason| as_sentence(reason))
        .collect();
    if let Some(job) = headline.job {
        line.push(format!("The job is {}.", code(job, At::Line)));
    }
    line.extend(headline.next.map(|next| format!("**{next}**")));
    line.extend(more.map(str::to_owned));
    if !line.is_empty() {
        out.push_str(&format!("\n{}\n", line.join(" ")));
    }
    if let Some(resumed) = &headline.resumed {
        out.push_str(&format!("\n{}\n", as_sentence(resumed)));
    }
    if let Some(cached) = &headline.cached {
        out.push_str(&format!("\n> [!NOTE]\n> {}\n", as_sentence(cached)));
    }
    if view.record.results.run.emulator {
        out.push_str(
            "\n> [!NOTE]\n> The built-in emulator answered, not Prem Studio: the scores say nothing about a \
             real model, and nothing was written to a real project.\n",
        );
    }
    let leaks = view
        .record
        .cycle
        .as_ref()
        .map_or(0, |cycle| cycle.leaks.len() as u64);
    if leaks > 0 {
        out.push_str(&format!(
            "\n> [!WARNING]\n> {} among the project's traces: the model may have been trained on what it is \
             measured by. They are listed under Cycle.\n",
            if leaks == 1 {
                "1 holdout prompt stands".into()
            } else {
                format!("{} holdout prompts stand", count(leaks))
            },
        ));
    }
    out
}

/// A reason as a sentence of its own.
pub(super) fn as_sentence(reason: &str) -> String {
    let text = prose(&sentence(reason.trim()), At::Line);
    let end = if text.ends_with(['.', '!', '?', '…']) {
        ""
    } else {
        "."
    };
    text + end
}

fn symbol(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "✅",
        Tone::Held => "⏸️",
        Tone::Bad => "❌",
        Tone::Unsure => "❓",
    }
}

/// The gates' table, and the critical cases that veto.
pub(super) fn gates(view: &View, bytes: usize) -> String {
    let verdict = &view.record.verdict;
    let mut out = String::from("### Gates\n\n");
    if verdict.defaulted {
        out.push_str("The suite has no gates of its own: nothing but coverage was asked.\n\n");
    }
    out.push_str("| | Gate | Figure | Bound | Why |\n| --- | --- | --- | --- | --- |\n");
    let shown = rows(verdict.gates.iter().map(gate), GATES, bytes);
    out.push_str(&shown.text);
    out.push_str(&shown.rest("gates"));
    if !verdict.vetoes.is_empty() {
        let n = plural(verdict.vetoes.len() as u64, "critical case", "critical cases");
        out.push_str(&format!("\n**Vetoed by {n}**, whatever the mean:\n\n"));
        let shown = rows(verdict.vetoes.iter().map(veto), GATES, bytes / 2);
        out.push_str(&shown.text);
        out.push_str(&shown.rest("vetoes"));
    }
    out
}

fn gate(gate: &GateVerdict) -> String {
    let otherwise = word(&gate.otherwise);
    let outcome = match (gate.outcome, otherwise.as_str()) {
        _ if !gate.applicable => "➖",
        (Outcome::Pass, _) => "✅ PASS",
        (Outcome::Fail, "warn") => "⚠️ FAIL",
        (Outcome::Fail, "hold") => "⏸️ FAIL",
        (Outcome::Fail, _) => "❌ FAIL",
        (Outcome::Inconclusive, _) => "❓ INCONCLUSIVE",
    };
    let figure = gate
        .figure
        .map_or_else(|| NONE.to_owned(), |figure| against(figure, gate.bound));
    let figure = match gate.interval {
        Some(spread) => format!("{figure} ({})", crate::report::numbers::interval(spread)),
        None => figure,
    };
    let mut asked = code(&gate.require, At::Cell);
    if otherwise != "fail" {
        asked.push_str(&format!(", else {otherwise}"));
    }
    if gate.implied {
        asked.push_str(" (always asked)");
    }
    let op = match gate.op.as_str() {
        ">=" => "≥",
        "<=" => "≤",
        "==" => "=",
        other => other,
    };
    // An operator and its bound stay on one line, and so do the two ends of an interval.
    format!(
        "| {} | {asked} | {} | {}\u{a0}{} | {} |\n",
        outcome.replace(' ', "\u{a0}"),
        one_line(&figure),
        prose(op, At::Cell),
        gate.bound,
        prose(&gate.reason, At::Cell),
    )
}

/// A figure, and its interval on the line below where the column is narrow.
fn one_line(figure: &str) -> String {
    let (figure, spread) = match figure.split_once(" (") {
        Some((figure, spread)) => (figure, format!(" ({spread}")),
        None => (figure, String::new()),
    };
    // A browser breaks behind a dash unless it is told not to.
    let spread = spread.replace('–', "–\u{2060}");
    let spread = spread.trim_start().replace(' ', "\u{a0}");
    if spread.is_empty() {
        figure.to_owned()
    } else {
        format!("{figure} {spread}")
    }
}

fn veto(veto: &Veto) -> String {
    format!(
        "- {}: score {}, {} of {} samples failed\n",
        code(&veto.case, At::Line),
        score(veto.score),
        veto.samples_failed,
        veto.samples_scored
    )
}

/// How far the judge can be believed, in our own words; empty where nothing is known of it.
pub(super) fn judge(record: &Record) -> String {
    let told: Vec<String> = of_judge(record)
        .into_iter()
        .map(|OfJudge { text, bad }| if bad { format!("**{text}**") } else { text })
        .collect();
    if told.is_empty() {
        return String::new();
    }
    format!("\n_The judge:_ {}.\n", told.join("; "))
}

/// The figures of the run, with the distribution of its scores.
pub(super) fn figures(view: &View) -> String {
    let figures = &view.record.figures;
    let groups: Vec<(&str, &Group)> = [
        Some(("All cases", &figures.overall)),
        figures.holdout.as_ref().map(|group| ("Holdout", group)),
        figures.critical.as_ref().map(|group| ("Critical", group)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut out = String::from("### Figures\n\n|  |");
    groups
        .iter()
        .for_each(|(name, _)| out.push_str(&format!(" {name} |")));
    out.push_str("\n| --- |");
    groups.iter().for_each(|_| out.push_str(" --- |"));
    out.push('\n');
    let mean = if figures.weighted {
        "Mean, weighted (95 %)"
    } else {
        "Mean (95 %)"
    };
    let rate = if figures.weighted {
        "Pass rate, weighted (95 %)"
    } else {
        "Pass rate (95 %)"
    };
    let mut row = |name: &str, cell: &dyn Fn(&Group) -> String| {
        out.push_str(&format!("| {name} |"));
        groups
            .iter()
            .for_each(|(_, group)| out.push_str(&format!(" {} |", cell(group))));
        out.push('\n');
    };
    row(mean, &|g| {
        format!("**{}**", with_interval(g.mean, g.mean_interval))
    });
    row(rate, &|g| with_interval(g.pass_rate, g.pass_rate_interval));
    row("Passed", &|g| {
        format!("{} of {}", count(g.passed.into()), count(g.scored.into()))
    });
    row("Coverage", &|g| {
        format!(
            "{}, {} of {}",
            score(g.coverage),
            count(g.scored.into()),
            count(g.cases.into())
        )
    });
    row("Unscored", &|g| match g.errors {
        0 => count(g.unscored.into()),
        n if n == g.unscored => format!("{}, by failed calls", count(n.into())),
        n => format!(
            "{}, {} of them by failed calls",
            count(g.unscored.into()),
            count(n.into())
        ),
    });
    row("Median", &|g| score(g.median));
    row("Min / p10", &|g| format!("{} / {}", score(g.min), score(g.p10)));
    row("Standard deviation", &|g| score(g.stddev));
    for (name, group) in &groups {
        let notes: Vec<String> = group
            .notes
            .iter()
            .take(10)
            .map(|note| prose(note, At::Line))
            .collect();
        if !notes.is_empty() {
            out.push_str(&format!("\n_{name}:_ {}\n", notes.join("; ")));
        }
    }
    // Beside a baseline the section on it has told.
    if view.record.comparison.is_none() {
        out.push_str(&judge(view.record));
    }
    if figures.overall.scored > 0 {
        out.push_str(&distribution(&figures.distribution));
    }
    out
}

fn distribution(bins: &[u32; 10]) -> String {
    let most = bins.iter().copied().max().unwrap_or(0);
    let width = count(most.into()).len();
    let mut out = String::from("\nScores of the cases:\n\n```\n");
    for (at, &n) in bins.iter().enumerate() {
        let upper = if at == 9 {
            "1.0".to_owned()
        } else {
            format!("0.{}", at + 1)
        };
        let line = format!(
            "0.{at}–{upper}  {:>width$}  {}",
            count(n.into()),
            bar(n, most, BAR_CELLS)
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out + "```\n"
}

/// One row per tag, the weakest first.
pub(super) fn tags(view: &View, bytes: usize) -> String {
    if view.tags.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "### Tags\n\n| Tag | Mean (95 %) | Pass rate (95 %) | Passed | Min | Unscored |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    let tag = |(tag, group): &(&str, &Group)| {
        format!(
            "| {} | {} | {} | {} of {} | {} | {} |\n",
            code(tag, At::Cell),
            with_interval(group.mean, group.mean_interval),
            with_interval(group.pass_rate, group.pass_rate_interval),
            count(group.passed.into()),
            count(group.scored.into()),
            score(group.min),
            count(group.unscored.into()),
        )
    };
    let shown = rows(view.tags.iter().map(tag), TAGS, bytes);
    out.push_str(&shown.text);
    out.push_str(&shown.rest("tags"));
    out
}
