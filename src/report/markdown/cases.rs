//! The cases of the page: the weakest ones folded with their texts, the others in a table of one row each.

use crate::report::numbers::{count, score};
use crate::report::text::plural;
use crate::report::view::{CaseRow, View, samples_by_worth, told, what, word};
use crate::results::{AnswerOutcome, CaseResult, Sample, Vote, VoteOutcome};

use super::escape::{At, code, fenced, prose, quoted, summary};
use super::page::{folded, rows};

/// Cases that get a row of the table, at most.
const ROWS: usize = 1_000;

/// How much of a case is shown. A case whose texts do not fit its share of the page goes down a level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    /// Characters of each text.
    chars: usize,
    samples: usize,
    votes: usize,
    /// Whether the system message and the judge's reasoning are shown.
    background: bool,
}

const LEVELS: [Level; 3] = [
    Level {
        chars: 4_000,
        samples: 3,
        votes: 3,
        background: true,
    },
    Level {
        chars: 1_500,
        samples: 2,
        votes: 1,
        background: false,
    },
    Level {
        chars: 300,
        samples: 1,
        votes: 1,
        background: false,
    },
];

/// The scored cases, the weakest first, in at most `bytes`.
pub(super) fn section(view: &View, bytes: usize) -> String {
    let ranking = &view.ranking;
    if ranking.scored.is_empty() {
        return String::new();
    }
    let mut out = String::from("### Weakest cases\n\n");
    out.push_str(&match ranking.failing {
        0 => format!(
            "Every scored case passed; these are the {}.\n",
            least(ranking.in_full)
        ),
        1 => "1 case did not reach its pass score.\n".to_owned(),
        n => format!("{} cases did not reach their pass score.\n", count(n as u64)),
    });
    let most = bytes.saturating_sub(bytes / 5 + 1_000);
    let full = in_full(&ranking.scored[..ranking.in_full], most);
    out.push_str(&full.text);
    if full.shortened > 0 {
        let n = plural(full.shortened as u64, "case", "cases");
        out.push_str(&format!(
            "\nTo keep this page small, {n} above are shown without reasoning and with shorter texts.\n"
        ));
    }
    let others = &ranking.scored[full.shown..];
    if !others.is_empty() {
        let lines = told(&others[..others.len().min(ROWS)], row).into_iter().flatten();
        let mut table = rows(
            lines.collect::<Vec<_>>().into_iter(),
            ROWS,
            bytes.saturating_sub(out.len() + 1_000),
        );
        table.left = others.len() - table.shown;
        if table.shown > 0 {
            let head = "| | Case | Score | Needed | Tags | |\n| :-: | --- | --- | --- | --- | --- |\n";
            let title = plural(table.shown as u64, "more case", "more cases");
            out.push_str(&format!(
                "\n{}",
                folded(
                    &format!("{title}, the weakest first"),
                    &format!("{head}{}", table.text)
                )
            ));
        }
        if table.left > 0 {
            let all = ranking.scored.len() as u64;
            let text = format!(
                "{} of {} cases not shown; all are in results.json.",
                count(table.left as u64),
                count(all)
            );
            out.push_str(&format!("\n{text}\n"));
        }
    }
    out
}

fn least(n: usize) -> String {
    if n == 1 {
        "weakest".to_owned()
    } else {
        format!("{n} weakest")
    }
}

/// Cases shown with their texts.
pub(super) struct InFull {
    pub text: String,
    pub shown: usize,
    pub shortened: usize,
}

/// As many of the cases as fit, each in its share of `bytes`.
pub(super) fn in_full(cases: &[CaseRow], bytes: usize) -> InFull {
    let mut full = InFull {
        text: String::new(),
        shown: 0,
        shortened: 0,
    };
    for (at, case) in cases.iter().enumerate() {
        let room = bytes.saturating_sub(full.text.len());
        let share = room / (cases.len() - at);
        let Some(texts) = case.case() else { break };
        let mut folds = LEVELS
            .iter()
            .enumerate()
            .map(|(level, &limits)| (level, fold(case, &texts, limits)));
        // The shortest form may take more than its share before a case is left out altogether.
        let fits = |(level, text): &(usize, String)| {
            text.len() < share || (*level + 1 == LEVELS.len() && text.len() < room)
        };
        let Some((level, text)) = folds.find(fits) else {
            break;
        };
        full.text.push('\n');
        full.text.push_str(&text);
        full.shown += 1;
        full.shortened += usize::from(level > 0);
    }
    full
}

fn row(row: &CaseRow, case: &CaseResult) -> String {
    let tags: Vec<String> = case.tags.iter().take(5).map(|tag| code(tag, At::Cell)).collect();
    format!(
        "| {} | {} | {} | {:.3} | {} | {} |\n",
        symbol(row),
        code(&case.id, At::Cell),
        score(row.score),
        case.pass_score,
        tags.join(" "),
        marks(case).join(", "),
    )
}

fn symbol(row: &CaseRow) -> &'static str {
    match row.passed {
        Some(true) => "✅",
        Some(false) => "❌",
        None => "❓",
    }
}

fn marks(case: &CaseResult) -> Vec<&'static str> {
    [(case.critical, "critical"), (case.holdout, "holdout")]
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, m)| *m)
        .collect()
}

fn fold(row: &CaseRow, case: &CaseResult, level: Level) -> String {
    let mut title = format!("{} {}", symbol(row), summary(&case.id));
    match (row.score, row.unscored) {
        (Some(_), _) => title.push_str(&format!(" · {}, needs {:.3}", score(row.score), case.pass_score)),
        (None, Some(why)) => title.push_str(&format!(" · {}", what(why))),
        (None, None) => {}
    }
    marks(case)
        .iter()
        .for_each(|mark| title.push_str(&format!(" · <b>{mark}</b>")));
    folded(&title, &body(row, case, level))
}

fn body(row: &CaseRow, case: &CaseResult, level: Level) -> String {
    let place = format!("{}:{}", case.place.file, case.place.line);
    let mut facts: Vec<String> = case.tags.iter().take(10).map(|tag| code(tag, At::Line)).collect();
    if let Some(group) = &case.group {
        facts.push(format!("group {}", code(group, At::Line)));
    }
    if case.weight != 1.0 {
        facts.push(format!("weight {}", case.weight));
    }
    if let Some(spread) = row.figure.and_then(|figure| figure.vote_spread) {
        facts.push(format!("votes differ by up to {spread:.3}"));
    }
    facts.push(code(&place, At::Line));
    let mut out = facts.join(" · ") + "\n";
    let (system, spoken): (Vec<_>, Vec<_>) = case.messages.iter().partition(|m| m.role.as_str() == "system");
    for message in &spoken {
        let role = if spoken.len() > 1 {
            format!(" ({})", message.role.as_str())
        } else {
            String::new()
        };
        block(&mut out, &format!("Prompt{role}"), &message.content, level);
    }
    // With one answer the reference stands beside it; several have it once, before them.
    let reference = |out: &mut String| {
        if let Some(reference) = &case.reference {
            block(out, "Reference", reference, level);
        }
    };
    let samples = samples_by_worth(case);
    if samples.len() != 1 {
        reference(&mut out);
    }
    for sample in samples.iter().take(level.samples) {
        answer(&mut out, sample, samples.len(), level);
        if samples.len() == 1 {
            reference(&mut out);
        }
        judgement(&mut out, sample, level);
    }
    if samples.len() > level.samples {
        let more = plural(
            (samples.len() - level.samples) as u64,
            "more answer",
            "more answers",
        );
        out.push_str(&format!("\n{more} in results.json.\n"));
    }
    for message in system.iter().filter(|_| level.background) {
        block(&mut out, "System message", &message.content, level);
    }
    out
}

fn block(out: &mut String, title: &str, text: &str, level: Level) {
    out.push_str(&format!("\n**{title}**\n\n{}", fenced(text, level.chars)));
}

/// What a judge writes is read as text, not as data.
fn quote(out: &mut String, title: &str, text: &str, level: Level) {
    out.push_str(&format!("\n**{title}**\n\n{}", quoted(text, level.chars)));
}

fn answer(out: &mut String, sample: &Sample, samples: usize, level: Level) {
    let mut title = "Answer".to_owned();
    if samples > 1 {
        title.push_str(&format!(" {} of {samples}", sample.index.saturating_add(1)));
    }
    if sample.outcome != AnswerOutcome::Answered {
        title.push_str(&format!(" ({})", word(&sample.outcome)));
    }
    match &sample.answer {
        Some(answer) => block(out, &title, answer, level),
        None => out.push_str(&format!("\n**{title}**\n")),
    }
    if let Some(detail) = &sample.detail {
        out.push_str(&format!("\n{}\n", prose(detail, At::Line)));
    }
}

fn judgement(out: &mut String, sample: &Sample, level: Level) {
    let failed: Vec<_> = sample.checks.iter().filter(|check| !check.passed).collect();
    if !failed.is_empty() {
        out.push_str("\n**Failed checks**\n\n");
        for check in failed.iter().take(20) {
            let detail = check
                .detail
                .as_deref()
                .map(|d| format!(": {}", prose(d, At::Line)))
                .unwrap_or_default();
            out.push_str(&format!("- {}{detail}\n", code(&check.check, At::Line)));
        }
    }
    for (at, one) in sample.votes.iter().take(level.votes).enumerate() {
        vote(
            out,
            one,
            sample.votes.len(),
            Level {
                background: level.background && at == 0,
                ..level
            },
        );
    }
    if sample.votes.len() > level.votes {
        let more = plural(
            (sample.votes.len() - level.votes) as u64,
            "more judgement",
            "more judgements",
        );
        out.push_str(&format!("\n{more} in results.json.\n"));
    }
}

fn vote(out: &mut String, vote: &Vote, votes: usize, level: Level) {
    let of = if votes > 1 {
        format!(" {} of {votes}", vote.index.saturating_add(1))
    } else {
        String::new()
    };
    if vote.outcome != VoteOutcome::Scored {
        let detail = vote
            .detail
            .as_deref()
            .map(|d| format!(": {}", prose(d, At::Line)))
            .unwrap_or_default();
        out.push_str(&format!(
            "\n**Judgement{of}** ({}){detail}\n",
            word(&vote.outcome)
        ));
        return;
    }
    let title = format!("Feedback{of} ({})", score(vote.score));
    quote(out, &title, vote.feedback.as_deref().unwrap_or_default(), level);
    if let Some(reasoning) = vote
        .reasoning
        .as_deref()
        .filter(|r| level.background && !r.trim().is_empty())
    {
        quote(out, "Reasoning", reasoning, level);
    }
}
