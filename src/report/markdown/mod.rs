//! A record → `summary.md`, which is also what GitHub shows for the step: top down from the verdict to
//! the run's facts, within a bound of bytes whatever the suite.

mod cases;
mod cost;
mod cycle;
mod diff;
mod escape;
#[cfg(test)]
mod escape_tests;
mod head;
mod page;
mod problems;
#[cfg(any(test, fuzzing))]
pub(crate) mod promises;
#[cfg(test)]
mod tests;
pub(super) mod trend;

use super::view::{Against, View};
use super::{Around, Record};
use crate::history;
use page::Page;

pub(super) use diff::{comment, differences};
pub(super) use escape::{At, code};

/// The most that [`markdown`] returns. GitHub shows nothing at all of a step's summary above 1,024 KiB;
/// the rest is room for what else the step writes.
pub const MARKDOWN_LIMIT_BYTES: usize = 1_000 * 1024;

/// The report as GitHub-flavoured Markdown of at most [`MARKDOWN_LIMIT_BYTES`].
pub fn markdown(record: &Record, around: &Around<'_>) -> String {
    markdown_within(record, around, MARKDOWN_LIMIT_BYTES)
}

/// The report as GitHub-flavoured Markdown of at most `limit_bytes` (and [`MARKDOWN_LIMIT_BYTES`]), for
/// a page that several suites share. What is left out, the least interesting first, is told.
pub fn markdown_within(record: &Record, around: &Around<'_>, limit_bytes: usize) -> String {
    let view = View::new(record);
    let limit = limit_bytes.min(MARKDOWN_LIMIT_BYTES);
    let mut page = Page::new(limit);
    page.push(head::verdict(&view, None));
    page.push(head::gates(&view, limit / 10));
    page.push(diff::policy(record));
    // One run is no trend.
    if around.history.len() > 1 {
        page.push(trend::section(
            "### Trend",
            around.history,
            history::SHOWN,
            limit / 10,
        ));
    }
    page.push(diff::section(&Against::new(record, around), around, limit / 4));
    page.push(head::figures(&view));
    page.push(head::tags(&view, limit / 10));

    // The cases take what room the sections behind them leave.
    let behind = [
        problems::section(&view, limit / 5),
        cycle::section(&view, limit / 5),
        cost::section(&view, limit / 20),
        cost::facts(&view),
    ];
    let reserved: usize = behind.iter().map(|section| section.len() + 1).sum();
    page.push(cases::section(&view, page.room().saturating_sub(reserved)));
    for section in behind {
        page.push(section);
    }
    page.finish()
}
