//! The sections below the verdict. Each is empty where there is nothing to say.

use crate::cycle::StepState;
use crate::gate::Outcome;
use crate::report::Record;
use crate::report::bars::{bar, sparkline};
use crate::report::numbers::{NONE, against, count, duration, interval, score, with_interval};
use crate::report::text::plural;
use crate::report::view::{ChatCost, OfJudge, Tone, View, of_judge, tally, word};

use super::{Column, Style, columns, foreign};

/// Gates, tags and kinds of trouble that are listed, at most.
const ROWS: usize = 20;
/// Weakest cases that are listed, at most.
pub(super) const WEAKEST: usize = 5;

fn symbol_tone(symbol: &str) -> Tone {
    match symbol {
        "✓" | "▲" => Tone::Good,
        "✗" | "▼" => Tone::Bad,
        "?" => Tone::Unsure,
        _ => Tone::Held,
    }
}

/// A table whose first column is a symbol in its colour; the last column is dim.
pub(super) fn marked(rows: &[Vec<String>], aligned: &[Column], style: &Style) -> String {
    columns(rows, aligned, style.width, |_, at, cell| match at {
        0 => style.tone(symbol_tone(cell), cell),
        at if at + 1 == aligned.len() => style.dim(cell),
        _ => cell.to_owned(),
    })
}

/// A table with what explains a row in lines of their own below it.
pub(super) fn below(table: &str, style: &Style, mut explain: impl FnMut(usize) -> Option<String>) -> String {
    let mut out = String::new();
    for (at, line) in table.lines().enumerate() {
        out.push_str(line);
        out.push('\n');
        if let Some(text) = explain(at) {
            out.push_str(&style.wrapped_below(&text));
        }
    }
    out
}

/// A line of its own behind a symbol, cut at the terminal's width.
fn told(symbol: &str, text: &str, style: &Style) -> String {
    marked(
        &[vec![symbol.to_owned(), text.to_owned()]],
        &[Column::Left, Column::Left],
        style,
    )
}

pub(super) fn rest(all: usize, shown: usize, what: &str) -> String {
    if all > shown {
        format!(
            "  and {} more {what}, in the report\n",
            count((all - shown) as u64)
        )
    } else {
        String::new()
    }
}

pub(super) fn gates(view: &View, style: &Style) -> String {
    let verdict = &view.record.verdict;
    let rows: Vec<Vec<String>> = verdict
        .gates
        .iter()
        .take(ROWS)
        .map(|gate| {
            let symbol = match gate.outcome {
                _ if !gate.applicable => "-",
                Outcome::Pass => "✓",
                Outcome::Fail => "✗",
                Outcome::Inconclusive => "?",
            };
            let mut figure = gate
                .figure
                .map_or_else(|| NONE.to_owned(), |figure| against(figure, gate.bound));
            if let Some(spread) = gate.interval {
                figure.push_str(&format!(" ({})", interval(spread)));
            }
            let otherwise = word(&gate.otherwise);
            let note = match otherwise.as_str() {
                _ if !gate.applicable => foreign(&gate.reason, 100),
                "fail" => String::new(),
                other => format!("else {other}"),
            };
            vec![symbol.to_owned(), foreign(&gate.require, 50), figure, note]
        })
        .collect();
    let table = marked(
        &rows,
        &[Column::Left, Column::Left, Column::Left, Column::Left],
        style,
    );
    // That a gate is met is said by its figure; why one is not takes as many lines as it needs, once.
    let mut reasons: Vec<&str> = Vec::new();
    let mut out = below(&table, style, |at| {
        let gate = verdict.gates.get(at)?;
        let unmet =
            gate.applicable && gate.outcome != Outcome::Pass && !reasons.contains(&gate.reason.as_str());
        reasons.push(&gate.reason);
        unmet.then(|| foreign(&gate.reason, 300))
    });
    out.push_str(&rest(verdict.gates.len(), rows.len(), "gates"));
    if verdict.defaulted {
        out.push_str("  the suite has no gates of its own: nothing but coverage was asked\n");
    }
    for veto in verdict.vetoes.iter().take(ROWS) {
        let text = format!(
            "critical {} vetoes: score {}, {} of {} samples failed",
            foreign(&veto.case, 50),
            score(veto.score),
            veto.samples_failed,
            veto.samples_scored
        );
        out.push_str(&told("✗", &text, style));
    }
    out + &rest(verdict.vetoes.len(), ROWS, "vetoes")
}

/// How far the judge can be believed.
pub(super) fn judge(record: &Record, style: &Style) -> String {
    let mut out = String::new();
    for OfJudge { text, bad } in of_judge(record) {
        let lines = style.wrapped(&format!("the judge: {text}"));
        if bad {
            lines
                .lines()
                .for_each(|line| out.push_str(&(style.tone(Tone::Unsure, line) + "\n")));
        } else {
            out.push_str(&lines);
        }
    }
    out
}

pub(super) fn figures(view: &View, style: &Style) -> String {
    let figures = &view.record.figures;
    let group = &figures.overall;
    let weighted = if figures.weighted { ", weighted" } else { "" };
    let mut out = String::new();
    if group.scored > 0 {
        let line = sparkline(&figures.distribution);
        out.push_str(&format!("  0 {} 1\n", style.tone(Tone::Held, &line)));
    }
    let mut rows = vec![
        vec![
            "mean".to_owned(),
            with_interval(group.mean, group.mean_interval) + weighted,
        ],
        vec![
            "pass rate".to_owned(),
            format!(
                "{}{weighted}, {} of {} passed",
                with_interval(group.pass_rate, group.pass_rate_interval),
                count(group.passed.into()),
                count(group.scored.into())
            ),
        ],
        vec![
            "coverage".to_owned(),
            format!(
                "{}, {} of {} scored",
                score(group.coverage),
                count(group.scored.into()),
                count(group.cases.into())
            ),
        ],
        vec![
            "spread".to_owned(),
            format!(
                "min {}, p10 {}, median {}, deviation {}",
                score(group.min),
                score(group.p10),
                score(group.median),
                score(group.stddev)
            ),
        ],
    ];
    for (name, part) in [("holdout", &figures.holdout), ("critical", &figures.critical)] {
        if let Some(part) = part {
            let mean = with_interval(part.mean, part.mean_interval);
            let passed = format!(
                "{} of {} passed",
                count(part.passed.into()),
                count(part.scored.into())
            );
            rows.push(vec![name.to_owned(), format!("{mean}, {passed}")]);
        }
    }
    out.push_str(&columns(
        &rows,
        &[Column::Left, Column::Left],
        style.width,
        |_, _, cell| cell.to_owned(),
    ));
    for note in group.notes.iter().take(5) {
        out.push_str(&style.wrapped(&foreign(note, 300)));
    }
    // Beside a baseline the section on it has told.
    if view.record.comparison.is_none() {
        out.push_str(&judge(view.record, style));
    }
    out
}

pub(super) fn tags(view: &View, style: &Style) -> String {
    let rows: Vec<Vec<String>> = view
        .tags
        .iter()
        .take(ROWS)
        .map(|(tag, group)| {
            vec![
                foreign(tag, 30),
                with_interval(group.mean, group.mean_interval),
                format!("{}/{}", count(group.passed.into()), count(group.scored.into())),
                bar(group.passed, group.scored, 10),
            ]
        })
        .collect();
    let aligned = [Column::Left, Column::Left, Column::Right, Column::Left];
    let painted = |_, at: usize, cell: &str| {
        if at == 3 {
            style.tone(Tone::Held, cell)
        } else {
            cell.to_owned()
        }
    };
    columns(&rows, &aligned, style.width, painted) + &rest(view.tags.len(), rows.len(), "tags")
}

pub(super) fn cycle(view: &View, style: &Style) -> String {
    let Some(cycle) = &view.record.cycle else {
        return String::new();
    };
    let rows: Vec<Vec<String>> = cycle
        .steps
        .iter()
        .take(ROWS)
        .map(|step| {
            let symbol = match step.state {
                StepState::Done => "✓",
                StepState::Skipped => "-",
                StepState::Failed => "✗",
                StepState::Unknown => "?",
            };
            let time = if step.state == StepState::Skipped {
                String::new()
            } else {
                duration(step.duration_ms)
            };
            let id = step.id.as_deref().map(|id| foreign(id, 40));
            // An id that is cut is none: it stands first.
            let what = [id, Some(foreign(&step.detail, 100))]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("  ");
            vec![symbol.to_owned(), foreign(&step.name, 20), time, what]
        })
        .collect();
    let mut out = marked(
        &rows,
        &[Column::Left, Column::Left, Column::Right, Column::Left],
        style,
    );
    if cycle.traces.planned > 0 {
        out.push_str(&style.wrapped(&format!("traces: {}", tally(cycle))));
    }
    let lists = [
        ("unknown effect", &cycle.unknown, "?"),
        ("failed", &cycle.failed, "✗"),
    ];
    for (title, writes, symbol) in lists {
        for write in writes.iter().take(WEAKEST) {
            let text = format!(
                "{title}: {}, {}: {}, {}",
                foreign(&write.call, 40),
                foreign(&write.about, 60),
                foreign(&write.kind, 30),
                foreign(&write.cause, 160)
            );
            out.push_str(&told(symbol, &text, style));
        }
        out.push_str(&rest(writes.len(), WEAKEST, "such calls"));
    }
    for leak in cycle.leaks.iter().take(WEAKEST) {
        let text = format!(
            "leaked: the prompt of holdout case {} is trace {}",
            foreign(&leak.case, 40),
            foreign(&leak.trace_id, 40)
        );
        out.push_str(&told("✗", &text, style));
    }
    out.push_str(&rest(cycle.leaks.len(), WEAKEST, "leaks"));
    for (call, times) in view.planned.iter().take(ROWS) {
        out.push_str(&format!(
            "  would send {} {}×\n",
            foreign(call, 40),
            count(*times)
        ));
    }
    out
}

pub(super) fn cost(view: &View, style: &Style) -> String {
    let cost = &view.cost;
    let row = |name: &str, chat: &ChatCost| {
        let show = |value: Option<u64>, show: fn(u64) -> String| value.map_or_else(|| NONE.to_owned(), show);
        vec![
            name.to_owned(),
            count(chat.calls),
            format!(
                "{} tokens in, {} out; median {}, 95 % within {}",
                show(chat.prompt_tokens, count),
                show(chat.completion_tokens, count),
                show(chat.median_ms, duration),
                show(chat.p95_ms, duration)
            ),
        ]
    };
    let rows = [
        row("answers", &cost.answers),
        row("judgements", &cost.judgements),
        vec![
            "in all".to_owned(),
            count(cost.total.calls),
            format!(
                "{} sent, {} failed; the evaluation took {}",
                plural(cost.total.attempts, "request", "requests"),
                count(cost.total.failed),
                duration(view.record.results.run.duration_ms)
            ),
        ],
    ];
    columns(
        &rows,
        &[Column::Left, Column::Right, Column::Left],
        style.width,
        |_, _, cell| cell.to_owned(),
    )
}
