//! The parts → two pages of their own: the comment on a pull request, and the differences alone.

use crate::gate::{Decision, Outcome};
use crate::report::numbers::count;
use crate::report::view::{Against, Said, View, said, samples_by_worth};
use crate::report::{Around, Record};

use super::{cases, changes, head, rest, whole, without};
use crate::report::markdown::escape::{At, code, prose};
use crate::report::markdown::page::{Page, folded, rows};
use crate::report::markdown::{head as top, problems};

/// The comment on a pull request, in at most `limit` bytes: headline, gates and moved cases open, the rest folded.
pub(in crate::report) fn comment(record: &Record, around: &Around<'_>, limit: usize) -> String {
    let view = View::new(record);
    let against = Against::new(record, around);
    let foot = foot(record, around);
    let mut page = Page::new(limit.saturating_sub(foot.len() + 1));
    page.push(top::verdict(&view, blocks(record)));
    let gates = top::gates(&view, limit / 10);
    // Gates that are met need no look before what moved.
    let met = all_met(record);
    if !met {
        page.push(gates.clone());
    }
    page.push(head::policy(record));
    match &against {
        Against::Nothing => {}
        Against::Without(why) => page.push(without(why)),
        Against::Run(diff) => {
            page.push(head::head(diff, around, "###"));
            page.push(cases::moved(diff, around, limit / 6).trim_start().to_owned());
            page.push(changes::bars(diff, around, limit / 20).trim_start().to_owned());
        }
    }
    // The answers take what room the sections behind them leave.
    let mut behind = vec![failing(&view, around, limit / 10)];
    if met {
        behind.insert(0, folded("Gates", without_heading(&gates)));
    }
    if let Some(diff) = against.run() {
        behind.push(changes::tags(diff, around, limit / 20).trim_start().to_owned());
        behind.push(
            changes::not_compared(diff, around, limit / 5)
                .trim_start()
                .to_owned(),
        );
    }
    let wrong = problems::section(&view, limit / 10);
    if !wrong.is_empty() {
        behind.push(folded("What went wrong", without_heading(&wrong)));
    }
    behind.push(folded("Figures", without_heading(&top::figures(&view))));
    let reserved: usize = behind.iter().map(|section| section.len() + 1).sum();
    if let Some(diff) = against.run() {
        let room = page.room().saturating_sub(reserved);
        page.push(cases::folds(diff, around, room).trim_start().to_owned());
    }
    for section in behind {
        page.push(section);
    }
    let mut page = page.finish();
    if page.len() + foot.len() < limit {
        page.push('\n');
        page.push_str(&foot);
    }
    page
}

/// Whether every gate is met, so far as it applies.
fn all_met(record: &Record) -> bool {
    let verdict = &record.verdict;
    let mut gates = verdict.gates.iter().filter(|gate| gate.applicable);
    verdict.vetoes.is_empty() && !verdict.defaulted && gates.all(|gate| gate.outcome == Outcome::Pass)
}

/// What becomes of the merge, as the exit code decides it; absent where the cycle has a say in that.
fn blocks(record: &Record) -> Option<&'static str> {
    if record.cycle.is_some() {
        return None;
    }
    let red = "This check fails, which blocks the merge where the check is required.";
    Some(match record.verdict.decision {
        _ if record.results.run.stopped.is_some() => red,
        Decision::Fail | Decision::Inconclusive => red,
        Decision::Pass | Decision::Hold => "Nothing here blocks the merge.",
    })
}

/// A section whose title is that of its fold.
fn without_heading(section: &str) -> &str {
    match section.split_once("\n\n") {
        Some((heading, body)) if heading.starts_with('#') => body,
        _ => section,
    }
}

/// Where all of it is, and what wrote it.
fn foot(record: &Record, around: &Around<'_>) -> String {
    let tool = format!(
        "{} {}",
        prose(&record.results.tool.name, At::Line),
        prose(&record.results.tool.version, At::Line)
    );
    match around.url {
        Some(_) => format!("All of it is in {}. Written by {tool}.\n", whole(around)),
        None => format!("Written by {tool}.\n"),
    }
}

/// The cases below their pass score, folded, with the first words said of each.
fn failing(view: &View, around: &Around<'_>, bytes: usize) -> String {
    let ranking = &view.ranking;
    if ranking.failing == 0 {
        return String::new();
    }
    let row = |row: &crate::report::view::CaseRow| {
        let Some(case) = &row.case() else {
            return String::new();
        };
        let why = samples_by_worth(case)
            .first()
            .map_or(String::new(), |sample| match said(sample) {
                Said::Check(check) => format!("check {}", code(&check.check, At::Cell)),
                Said::Vote(vote) => first_line(vote.feedback.as_deref().unwrap_or_default()),
                Said::Nothing(why) => first_line(why.unwrap_or_default()),
            });
        format!(
            "| {} | {:.3} | {:.3} | {} | {why} |\n",
            code(&case.id, At::Cell),
            row.score.unwrap_or_default(),
            case.pass_score,
            if case.critical { "critical" } else { "" },
        )
    };
    let shown = rows(ranking.scored[..ranking.failing].iter().map(row), 100, bytes);
    if shown.shown == 0 {
        return String::new();
    }
    let title = match ranking.failing {
        1 => "1 case did not reach its pass score".to_owned(),
        n => format!("{} cases did not reach their pass score", count(n as u64)),
    };
    let head = "| Case | Score | Needed | | |\n| --- | --- | --- | --- | --- |\n";
    folded(
        &title,
        &format!("{head}{}{}", shown.text, rest(&shown, "such cases", around)),
    )
}

fn first_line(text: &str) -> String {
    prose(&crate::report::text::line(text, 160), At::Cell)
}

/// The differences alone, in at most `limit` bytes.
pub(in crate::report) fn differences(record: &Record, around: &Around<'_>, limit: usize) -> String {
    let view = View::new(record);
    let against = Against::new(record, around);
    let mut page = Page::new(limit);
    page.push(format!("## What moved in {}\n", head::name(record)));
    let diff = match &against {
        Against::Nothing => {
            page.push("There is no baseline: nothing was compared.\n".to_owned());
            return page.finish();
        }
        Against::Without(why) => {
            page.push(without(why));
            return page.finish();
        }
        Against::Run(diff) => diff,
    };
    page.push(head::head(diff, around, "###"));
    if !diff.gates.is_empty() {
        page.push(top::gates(&view, limit / 10));
        page.push(head::policy(record));
    }
    page.push(cases::moved(diff, around, limit / 6).trim_start().to_owned());
    page.push(changes::bars(diff, around, limit / 20).trim_start().to_owned());
    let behind = [
        changes::tags(diff, around, limit / 10).trim_start().to_owned(),
        changes::not_compared(diff, around, limit / 4)
            .trim_start()
            .to_owned(),
    ];
    let reserved: usize = behind.iter().map(|section| section.len() + 1).sum();
    page.push(
        cases::folds(diff, around, page.room().saturating_sub(reserved))
            .trim_start()
            .to_owned(),
    );
    for section in behind {
        page.push(section);
    }
    page.finish()
}
