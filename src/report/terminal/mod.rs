//! A record → what a person sees at the end of a run: the verdict first, then why, within the width of
//! the terminal.

mod cases;
mod diff;
mod parts;
mod style;
#[cfg(test)]
mod tests;
pub(super) mod trend;

use super::text::sentence;
use super::view::{Against, Tone, View};
use super::{Around, Record};
use crate::history::{self, Entry};

pub(super) use diff::differences;
pub(super) use style::{Column, Style, columns, foreign};

/// The report for a terminal of `width` characters, with ANSI colours where `colour` is set.
///
/// Foreign text in it holds no control characters, and no line of it is a workflow command of GitHub's
/// runner, so that it may also go to a CI log.
pub fn terminal(record: &Record, around: &Around<'_>, width: usize, colour: bool) -> String {
    let view = View::new(record);
    let style = Style {
        colour,
        width: width.clamp(40, 160),
    };
    let mut out = headline(&view, &style);
    let sections = [
        ("Gates", parts::gates(&view, &style)),
        (
            "Against the baseline",
            diff::section(&Against::new(record, around), &style),
        ),
        ("Scores", parts::figures(&view, &style)),
        ("Trend", trend(around.history, &style)),
        ("Tags", parts::tags(&view, &style)),
        ("Weakest cases", cases::weakest(&view, &style)),
        ("What went wrong", cases::problems(&view, &style)),
        ("Cycle", parts::cycle(&view, &style)),
        ("Calls", parts::cost(&view, &style)),
    ];
    for (title, body) in sections {
        if !body.is_empty() {
            out.push_str(&format!("\n{}\n{body}", style.bold(title)));
        }
    }
    out
}

/// One run is no trend.
fn trend(history: &[Entry], style: &Style) -> String {
    match history.len() {
        0 | 1 => String::new(),
        _ => trend::brief(history, history::SHOWN, style),
    }
}

fn headline(view: &View, style: &Style) -> String {
    let headline = &view.headline;
    let name = foreign(&view.record.results.suite.name, 60);
    let title = format!("{} {name}: {}", tone_symbol(headline.tone), headline.title);
    let mut out = format!("{}\n", style.bold(&style.tone(headline.tone, &title)));
    for reason in &headline.reasons {
        out.push_str(&style.wrapped(&foreign(&sentence(reason.trim()), 600)));
    }
    if let Some(job) = headline.job {
        out.push_str(&style.wrapped(&format!("Job {}", foreign(job, 80))));
    }
    if let Some(next) = headline.next {
        out.push_str(&style.wrapped(next));
    }
    if let Some(resumed) = &headline.resumed {
        out.push_str(&style.wrapped(&foreign(&sentence(resumed), 300)));
    }
    if let Some(cached) = &headline.cached {
        let told = style.wrapped(&foreign(&sentence(cached), 300));
        out.push_str(&style.tone(Tone::Unsure, told.trim_end()));
        out.push('\n');
    }
    if view.record.results.run.emulator {
        let told =
            "The built-in emulator answered, not Prem Studio: the scores say nothing about a real model.";
        out.push_str(&style.tone(Tone::Unsure, style.wrapped(told).trim_end()));
        out.push('\n');
    }
    out
}

pub(super) fn tone_symbol(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "✓",
        Tone::Held => "‖",
        Tone::Bad => "✗",
        Tone::Unsure => "?",
    }
}
