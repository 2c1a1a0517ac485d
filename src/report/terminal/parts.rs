//! The sections below the verdict. Each is empty where there is nothing to say.

use crate::cycle::StepState;
use crate::gate::Outcome;
use crate::report::bars::{bar, sparkline};
use crate::report::numbers::{NONE, against, count, duration, interval, score, with_interval};
use crate::report::text::plural;
use crate::report::view::{CaseRow, ChatCost, Tone, View, samples_by_worth, word};

use super::{Column, Style, columns, foreign};

/// Gates, tags and kinds of trouble that are listed, at most.
const ROWS: usize = 20;
/// Weakest cases that are listed, at most.
const WEAKEST: usize = 5;

fn symbol_tone(symbol: &str) -> Tone {
    match symbol {
        "✓" => Tone::Good,
        "✗" => Tone::Bad,
        "?" => Tone::Unsure,
        _ => Tone::Held,
    }
}

/// A table whose first column is a symbol in its colour; the last column is dim.
fn marked(rows: &[Vec<String>], aligned: &[Column], style: &Style) -> String {
    columns(rows, aligned, style.width, |_, at, cell| match at {
        0 => style.tone(symbol_tone(cell), cell),
        at if at + 1 == aligned.len() => style.dim(cell),
        _ => cell.to_owned(),
    })
}

/// A line of its own behind a symbol, cut at the terminal's width.
fn told(symbol: &str, text: &str, style: &Style) -> String {
    marked(
        &[vec![symbol.to_owned(), text.to_owned()]],
        &[Column::Left, Column::Left],
        style,
    )
}

fn rest(all: usize, shown: usize, what: &str) -> String {
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
            let otherwise = if otherwise == "fail" {
                String::new()
            } else {
                format!("else {otherwise}; ")
            };
            vec![
                symbol.to_owned(),
                foreign(&gate.require, 50),
                figure,
                format!("{otherwise}{}", foreign(&gate.reason, 200)),
            ]
        })
        .collect();
    let mut out = marked(
        &rows,
        &[Column::Left, Column::Left, Column::Left, Column::Left],
        style,
    );
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

pub(super) fn weakest(view: &View, style: &Style) -> String {
    let ranking = &view.ranking;
    let rows: Vec<Vec<String>> = ranking.scored.iter().take(WEAKEST).map(case).collect();
    let mut out = marked(
        &rows,
        &[
            Column::Left,
            Column::Left,
            Column::Left,
            Column::Left,
            Column::Left,
        ],
        style,
    );
    if ranking.failing > rows.len() {
        let all = plural(ranking.failing as u64, "case", "cases");
        out.push_str(&format!(
            "  {all} did not reach their pass score; the report has them\n"
        ));
    }
    out
}

fn case(row: &CaseRow) -> Vec<String> {
    let case = row.case;
    let symbol = if row.passed == Some(false) { "✗" } else { "✓" };
    let marks: Vec<&str> = [(case.critical, "critical"), (case.holdout, "holdout")]
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, mark)| *mark)
        .collect();
    let said = samples_by_worth(case).into_iter().find_map(|sample| {
        let check = sample.checks.iter().find(|check| !check.passed);
        let check = check.map(|c| format!("check {}: {}", c.check, c.detail.as_deref().unwrap_or("failed")));
        check.or_else(|| sample.votes.iter().find_map(|vote| vote.feedback.clone()))
    });
    let said = said.map(|text| foreign(&text, 160)).unwrap_or_default();
    vec![
        symbol.to_owned(),
        foreign(&case.id, 40),
        score(row.score),
        marks.join(" "),
        said,
    ]
}

pub(super) fn problems(view: &View, style: &Style) -> String {
    let rows: Vec<Vec<String>> = view
        .problems
        .iter()
        .map(|problem| {
            let ids: Vec<String> = problem.ids.iter().take(3).map(|id| foreign(id, 30)).collect();
            let more = problem.cases.saturating_sub(ids.len() as u64);
            let more = if more > 0 {
                format!(" and {} more", count(more))
            } else {
                String::new()
            };
            let said = problem
                .details
                .first()
                .map(|(text, _)| format!(": {}", foreign(text, 120)));
            vec![
                if problem.unscored > 0 { "✗" } else { "?" }.to_owned(),
                problem.what.to_owned(),
                format!("{}×", count(problem.count)),
                format!("{}{more}{}", ids.join(", "), said.unwrap_or_default()),
            ]
        })
        .collect();
    marked(
        &rows,
        &[Column::Left, Column::Left, Column::Right, Column::Left],
        style,
    )
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
            let what = [Some(foreign(&step.detail, 100)), id]
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
