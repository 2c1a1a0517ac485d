//! One case in two runs → what of it was changed, how its answers differ, and what the judge said of both.

use crate::report::diff::{Line, Most, Sign, TextDiff, compare};
use crate::report::numbers::{NONE, score};
use crate::report::view::{Row, Said, said, word};
use crate::results::{AnswerOutcome, CaseResult, Sample};
use crate::score::{Pairing, Part, sample_score};

use crate::report::markdown::escape::{At, code, diff_block, prose, quoted};

/// How much of a case is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    /// Of an answer, or of a part of the prompt.
    most: Most,
    /// Characters of what the judge said.
    said: usize,
}

pub(super) const LEVELS: [Level; 3] = [
    Level {
        most: Most {
            chars: 4_000,
            lines: 60,
        },
        said: 1_200,
    },
    Level {
        most: Most {
            chars: 1_200,
            lines: 20,
        },
        said: 400,
    },
    Level {
        most: Most { chars: 300, lines: 8 },
        said: 120,
    },
];

/// The inside of a case's fold.
pub(super) fn body(row: &Row, level: Level) -> String {
    let (before, now) = (row.base.and_then(|base| base.case()), row.case());
    let mut out = facts(row, now.as_ref());
    if let (Some(before), Some(now)) = (before, now) {
        if row.change.pairing == Pairing::Changed {
            asked(&mut out, row, &before, &now, level);
        }
        if let Some(pair) = row.samples(&before, &now) {
            answers(&mut out, pair, before.samples.len().max(now.samples.len()), level);
        }
    }
    out
}

fn facts(row: &Row, case: Option<&CaseResult>) -> String {
    let Some(case) = case else {
        return String::new();
    };
    let mut facts: Vec<String> = case.tags.iter().take(10).map(|tag| code(tag, At::Line)).collect();
    facts.push(format!("needs {:.3}", case.pass_score));
    if let Some(spread) = row.vote_spread() {
        facts.push(format!("votes differ by up to {}", score(Some(spread))));
    }
    facts.push(code(
        &format!("{}:{}", case.place.file, case.place.line),
        At::Line,
    ));
    facts.join(" · ") + "\n"
}

/// What was asked otherwise.
fn asked(out: &mut String, row: &Row, before: &CaseResult, now: &CaseResult, level: Level) {
    for part in &row.change.parts {
        match part {
            Part::Prompt => prompt(out, before, now, level),
            Part::Reference => {
                let (was, is) = (before.reference.as_deref(), now.reference.as_deref());
                block(
                    out,
                    "Reference",
                    was.unwrap_or_default(),
                    is.unwrap_or_default(),
                    level,
                );
            }
            Part::Parameters => block(out, "Parameters", &parameters(before), &parameters(now), level),
            Part::Checks => block(out, "Checks", &checks(before), &checks(now), level),
        }
    }
}

fn prompt(out: &mut String, before: &CaseResult, now: &CaseResult, level: Level) {
    const MESSAGES: usize = 6;
    let (old, new) = (&before.messages, &now.messages);
    let mut shown = 0;
    for at in 0..old.len().max(new.len()) {
        let (was, is) = (old.get(at), new.get(at));
        if was == is || shown == MESSAGES {
            continue;
        }
        shown += 1;
        let role = |role: &str| {
            if role == "system" {
                "System message"
            } else {
                "Prompt"
            }
            .to_owned()
        };
        let title = match (was, is) {
            (Some(was), Some(is)) if was.role != is.role => {
                format!(
                    "Message {}, {} before and {} now",
                    at + 1,
                    was.role.as_str(),
                    is.role.as_str()
                )
            }
            (_, Some(message)) => role(message.role.as_str()),
            (Some(message), None) => format!("{}, left out now", role(message.role.as_str())),
            (None, None) => continue,
        };
        let (was, is) = (was.map_or("", |m| &*m.content), is.map_or("", |m| &*m.content));
        block(out, &title, was, is, level);
    }
}

fn parameters(case: &CaseResult) -> String {
    let text = serde_json::to_string_pretty(&case.parameters).unwrap_or_default();
    format!("{text}\nsamples: {}", case.samples.len())
}

fn checks(case: &CaseResult) -> String {
    let longest = case
        .samples
        .iter()
        .map(|sample| &sample.checks)
        .max_by_key(|checks| checks.len());
    let checks = longest.into_iter().flatten().map(|check| check.check.as_str());
    checks.collect::<Vec<_>>().join("\n")
}

fn block(out: &mut String, title: &str, before: &str, now: &str, level: Level) {
    let lines = match compare(before, now, level.most) {
        TextDiff::Same => return out.push_str(&format!("\n**{title}**: the same.\n")),
        TextDiff::Space => {
            return out.push_str(&format!(
                "\n**{title}**: the same but for white space or line breaks.\n"
            ));
        }
        TextDiff::Lines(lines) => lines,
    };
    out.push_str(&format!("\n**{title}**\n\n{}", diff_block(&lines)));
}

fn answers(out: &mut String, (before, now): (&Sample, &Sample), of: usize, level: Level) {
    let mut title = "Answer".to_owned();
    if of > 1 {
        title.push_str(&format!(
            " {} of {of}, the one that moved most",
            now.index.saturating_add(1)
        ));
    }
    let outcomes = (before.outcome, now.outcome);
    if outcomes != (AnswerOutcome::Answered, AnswerOutcome::Answered) {
        title.push_str(&format!(
            " ({} before, {} now)",
            word(&before.outcome),
            word(&now.outcome)
        ));
    }
    let judged_alike = match (sample_score(before), sample_score(now)) {
        (Some(was), Some(is)) => (was - is).abs() <= 1e-9,
        (was, is) => was.is_none() && is.is_none(),
    };
    let judged = if judged_alike {
        "judged alike"
    } else {
        "judged differently"
    };
    match (before.answer.as_deref(), now.answer.as_deref()) {
        (None, None) => out.push_str(&format!("\n**{title}**: there is no text in either run.\n")),
        (Some(was), Some(is)) => match compare(was, is, level.most) {
            TextDiff::Same => out.push_str(&format!("\n**{title}**: same answer, {judged}.\n")),
            TextDiff::Space => out.push_str(&format!(
                "\n**{title}**: same answer but for white space or line breaks, {judged}.\n"
            )),
            TextDiff::Lines(lines) => out.push_str(&format!("\n**{title}**\n\n{}", diff_block(&lines))),
        },
        (was, is) => {
            let sign = if was.is_some() { Sign::Removed } else { Sign::Added };
            let text = was.or(is).unwrap_or_default();
            let lines = whole(text, sign, level.most);
            out.push_str(&format!(
                "\n**{title}**: a text in one run alone\n\n{}",
                diff_block(&lines)
            ));
        }
    }
    said_of(out, "before", before, level);
    said_of(out, "now", now, level);
}

/// The lines of a text that stands against nothing.
fn whole(text: &str, sign: Sign, most: Most) -> Vec<Line> {
    let (shown, left) = crate::report::text::cut(text.trim_end(), most.chars);
    let mut lines: Vec<Line> = shown
        .split('\n')
        .take(most.lines)
        .map(|line| Line::new(sign, line))
        .collect();
    if left > 0 || shown.split('\n').nth(most.lines).is_some() {
        lines.push(Line::new(Sign::Between, "more not shown"));
    }
    lines
}

/// What was said of an answer.
fn said_of(out: &mut String, when: &str, sample: &Sample, level: Level) {
    let shown = sample_score(sample).map_or_else(|| NONE.to_owned(), |value| score(Some(value)));
    match said(sample) {
        Said::Vote(vote) => {
            let text = quoted(vote.feedback.as_deref().unwrap_or_default(), level.said);
            let of = if sample.votes.len() > 1 {
                format!(
                    ", the lowest of {} votes {}",
                    sample.votes.len(),
                    score(vote.score)
                )
            } else {
                String::new()
            };
            out.push_str(&format!("\n**Feedback {when}** ({shown}{of})\n\n{text}"));
        }
        Said::Check(check) => {
            let detail = check
                .detail
                .as_deref()
                .map_or(String::new(), |d| format!(": {}", prose(d, At::Line)));
            out.push_str(&format!(
                "\n**Failed check {when}** ({shown}): {}{detail}\n",
                code(&check.check, At::Line)
            ));
        }
        Said::Nothing(why) => {
            let why = why.map_or(String::new(), |why| format!(": {}", prose(why, At::Line)));
            out.push_str(&format!("\n**No judgement {when}**{why}\n"));
        }
    }
}
