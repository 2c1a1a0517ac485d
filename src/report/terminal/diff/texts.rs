//! Two runs' prompts and answers → the lines by which they differ, and what the judge said of both.

use crate::report::diff::{Line, Most, Sign, TextDiff, compare};
use crate::report::numbers::{count, score};
use crate::report::text::{Lines, visible};
use crate::report::view::{Diff, Said, Tone, said};
use crate::results::Sample;
use crate::score::sample_score;

use super::super::{Style, foreign};
use super::arrow;

/// Cases whose texts are compared, at most.
const TEXTS: usize = 20;
const MOST: Most = Most {
    chars: 2_000,
    lines: 24,
};

/// What was asked otherwise.
pub(super) fn prompts(diff: &Diff, style: &Style) -> String {
    let mut out = String::new();
    for row in diff.changed.iter().take(TEXTS) {
        let Some((before, now)) = row.both() else {
            continue;
        };
        let (old, new) = (&before.messages, &now.messages);
        let mut pairs: Vec<(Option<&str>, Option<&str>)> = (0..old.len().max(new.len()))
            .map(|at| (old.get(at).map(|m| &*m.content), new.get(at).map(|m| &*m.content)))
            .collect();
        pairs.push((before.reference.as_deref(), now.reference.as_deref()));
        let mut lines = Vec::new();
        for (was, is) in pairs {
            let (was, is) = (was.unwrap_or_default(), is.unwrap_or_default());
            if let TextDiff::Lines(differing) = compare(was, is, MOST) {
                lines.extend(differing);
            }
        }
        if !lines.is_empty() {
            out.push_str(&format!("  {}\n", style.bold(&foreign(&row.change.id, 60))));
            lines
                .iter()
                .take(2 * MOST.lines)
                .for_each(|line| push_line(&mut out, line, style));
        }
    }
    out
}

/// How the answers of the moved cases differ.
pub(super) fn answers(diff: &Diff, style: &Style) -> String {
    if diff.moved.is_empty() {
        return String::new();
    }
    if !diff.texts {
        return "  the baseline's answers are not at hand: no texts are compared\n".to_owned();
    }
    let mut out = String::new();
    for row in diff.moved.iter().take(TEXTS) {
        let Some(both) = row.both() else {
            continue;
        };
        let Some((before, now)) = row.samples(&both.0, &both.1) else {
            continue;
        };
        let title = format!("{}  {}", foreign(&row.change.id, 60), arrow(row));
        out.push_str(&format!("  {}\n", style.bold(&title)));
        match compare(
            before.answer.as_deref().unwrap_or_default(),
            now.answer.as_deref().unwrap_or_default(),
            MOST,
        ) {
            TextDiff::Same => out.push_str("    same answer, judged differently\n"),
            TextDiff::Space => out.push_str("    same answer but for white space, judged differently\n"),
            TextDiff::Lines(lines) => lines.iter().for_each(|line| push_line(&mut out, line, style)),
        }
        for (when, sample) in [("before", before), ("now", now)] {
            out.push_str(&style.wrapped_below(&format!("{when}: {}", judged(sample))));
        }
    }
    let more = diff.moved.len().saturating_sub(TEXTS);
    if more > 0 {
        out.push_str(&format!(
            "  and {} more moved cases, as Markdown or JSON\n",
            count(more as u64)
        ));
    }
    out
}

/// A line behind its sign, so that no foreign text begins one; long lines go on below.
fn push_line(out: &mut String, line: &Line, style: &Style) {
    let (sign, tone) = match line.sign {
        Sign::Same => (' ', None),
        Sign::Removed => ('-', Some(Tone::Bad)),
        Sign::Added => ('+', Some(Tone::Good)),
        Sign::Between => ('@', Some(Tone::Held)),
    };
    let text = visible(&line.text, Lines::Keep)
        .replace(['\t', '\n'], "  ")
        .replace("##[", "## [");
    let chars: Vec<char> = text.chars().collect();
    let room = style.width.saturating_sub(6).max(20);
    let parts: Vec<String> = chars.chunks(room).map(|part| part.iter().collect()).collect();
    for part in if parts.is_empty() {
        vec![String::new()]
    } else {
        parts
    } {
        // A sign that is a blank does not keep a runner from reading a command behind it.
        let part = match part.trim_start().strip_prefix("::") {
            Some(rest) => format!(": :{rest}"),
            None => part,
        };
        let shown = format!("{sign} {part}");
        let shown = tone.map_or_else(|| shown.clone(), |tone| style.tone(tone, &shown));
        out.push_str(&format!("    {}\n", shown.trim_end()));
    }
}

fn judged(sample: &Sample) -> String {
    let shown = score(sample_score(sample));
    match said(sample) {
        Said::Check(check) => {
            let detail = check.detail.as_deref().unwrap_or("failed");
            format!(
                "{shown}, check {}: {}",
                foreign(&check.check, 80),
                foreign(detail, 160)
            )
        }
        Said::Vote(vote) => format!(
            "{shown}, {}",
            foreign(vote.feedback.as_deref().unwrap_or_default(), 240)
        ),
        Said::Nothing(why) => format!("{shown}, {}", foreign(why.unwrap_or("no judgement"), 160)),
    }
}
