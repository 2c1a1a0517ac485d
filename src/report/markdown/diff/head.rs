//! The verdict on the differences, which run they are against, the figures, whose gates decide, and how the judge did.

use crate::report::diff::{Line, Sign};
use crate::report::numbers::{NONE, count, score, signed, signed_interval};
use crate::report::text::plural;
use crate::report::view::{Diff, Standing, word};
use crate::report::{Around, Record};
use crate::results::Policy;
use crate::score::Difference;

use super::notes;
use crate::report::markdown::escape::{At, code, diff_block, link, prose};
use crate::report::markdown::head::{as_sentence, judge};

/// Everything above the cases. `level` is the heading's.
pub(super) fn head(diff: &Diff, around: &Around<'_>, level: &str) -> String {
    let standing = &diff.standing;
    let mut out = format!(
        "{level} {} Against the baseline: {}\n\n",
        symbol(standing),
        standing.words()
    );
    out.push_str(&headline(diff));
    out.push_str(&format!("\n{}\n", compared_with(diff, around)));
    if !diff.base.told.is_empty() {
        let told: Vec<String> = diff.base.told.iter().map(|told| prose(told, At::Line)).collect();
        let list = if told.len() > 1 { "- " } else { "" };
        let told: String = told.iter().map(|told| format!("> {list}{told}\n")).collect();
        out.push_str(&format!("\n> [!WARNING]\n{told}"));
    }
    out.push_str(&figures(diff));
    out.push_str(&notes("Of the comparison", diff.notes()));
    out.push_str(&judge(diff.record));
    out
}

fn symbol(standing: &Standing) -> &'static str {
    match standing {
        Standing::Better => "📈",
        Standing::Worse | Standing::WorseWithin => "📉",
        Standing::Noise | Standing::Same => "➡️",
        Standing::Untold(_) => "❓",
    }
}

/// `Mean 0.742, was 0.861: −0.119 (90 % −0.171 to −0.067).` and what that means.
fn headline(diff: &Diff) -> String {
    let mean = &diff.comparison.mean;
    let mut parts = Vec::new();
    if let Some(difference) = mean.difference {
        let bounds = match (mean.low, mean.high) {
            (Some(low), Some(high)) => format!(" (90 % interval {})", signed_interval(low, high)),
            _ => String::new(),
        };
        parts.push(format!(
            "Mean **{}**, was {}: **{}**{bounds}.",
            score(mean.now),
            score(mean.before),
            signed(difference)
        ));
    }
    if let Some(why) = standing_why(diff) {
        parts.push(why);
    }
    if let Some(detectable) = diff.detectable() {
        parts.push(format!(
            "A fall of {} or more would most likely have been seen (80 % power).",
            score(Some(detectable))
        ));
    }
    // Where nothing compares, that reason has told the counts.
    if diff.comparison.counts.compared > 0
        || !parts
            .iter()
            .any(|part| part.to_lowercase().contains("no case compares"))
    {
        parts.push(format!("{}.", diff.counts()));
    }
    parts.join(" ") + "\n"
}

fn standing_why(diff: &Diff) -> Option<String> {
    if let Some(why) = &diff.comparison.incomparable {
        return Some(format!("**No difference is claimed.** {}", as_sentence(why)));
    }
    match &diff.standing {
        Standing::Untold(why) => Some(as_sentence(why)),
        Standing::Noise => Some("The interval holds 0: it may be chance.".to_owned()),
        _ => None,
    }
}

/// Which run it is, so that nobody takes it for another.
fn compared_with(diff: &Diff, around: &Around<'_>) -> String {
    let base = &diff.base;
    let run = base.workflow_run.map_or(String::new(), |id| {
        let name = format!("run {id}");
        // A record may come from anywhere: only an address beside our own is linked.
        let url = base
            .url
            .filter(|url| around.url.is_some_and(|ours| origin(ours) == origin(url)));
        format!(" ({})", url.and_then(|url| link(&name, url)).unwrap_or(name))
    });
    let age = base
        .age
        .as_ref()
        .map_or(", at a time that can't be read".to_owned(), |age| {
            format!(", {age}")
        });
    let suite = base.suite.map_or(String::new(), |suite| format!(" {suite}"));
    format!(
        "Compared with {}{run}: {}{age}.{suite}",
        prose(&base.what, At::Line),
        prose(&base.found, At::Line)
    )
}

/// Scheme and host of an address.
fn origin(url: &str) -> Option<&str> {
    let (scheme, after) = url.split_once("://")?;
    let host = after.split(['/', '?', '#']).next()?;
    Some(&url[..scheme.len() + 3 + host.len()])
}

fn figures(diff: &Diff) -> String {
    let figures = diff.figures();
    if figures.is_empty() {
        return String::new();
    }
    let mut out =
        String::from("\n| | Now | Before | Difference (90 %) | Cases |\n| --- | --- | --- | --- | --- |\n");
    for (name, difference) in figures {
        out.push_str(&format!(
            "| {name} | {} | {} | {} | {} |\n",
            score(difference.now),
            score(difference.before),
            with_bounds(difference),
            cases(difference)
        ));
    }
    if let Some((told, p)) = diff.turned() {
        let p = p.map_or(String::new(), |p| format!(" (McNemar's mid-p = {p:.3})"));
        out.push_str(&format!("\n**{told}**{p}.\n"));
    }
    out
}

/// `**−0.119** (−0.171 to −0.067)`; what belongs together stays on one line.
pub(super) fn with_bounds(difference: &Difference) -> String {
    let shown = difference
        .difference
        .map_or_else(|| NONE.to_owned(), |d| format!("**{}**", signed(d)));
    match (difference.low, difference.high) {
        (Some(low), Some(high)) => format!("{shown} ({})", signed_interval(low, high)).replace(' ', "\u{a0}"),
        _ => shown,
    }
}

pub(super) fn cases(difference: &Difference) -> String {
    if difference.clusters == difference.n {
        return count(difference.n.into());
    }
    format!(
        "{} in {}",
        count(difference.n.into()),
        plural(difference.clusters.into(), "group", "groups")
    )
}

/// Whose gates decide, and how the suite's own differ from them.
pub(in crate::report::markdown) fn policy(record: &Record) -> String {
    let Some(policy) = &record.results.suite.policy else {
        return String::new();
    };
    let from = prose(&policy.from, At::Line);
    if policy.own_for_want {
        return format!(
            "> [!WARNING]\n> The gates that decide are those of {from}. Whoever changed this suite set the bar that it is \
             held to.\n"
        );
    }
    if !policy.differs {
        return format!("The gates that decide are those of {from}; the suite's own are the same.\n");
    }
    format!(
        "> [!IMPORTANT]\n> This suite's own gates are others than those of {from}, **and do not decide**.\n\n\
         From the gates that decide to the suite's own:\n\n{}",
        diff_block(&gates(record, policy))
    )
}

/// The gates of both, those that are in one alone behind a sign.
fn gates(record: &Record, policy: &Policy) -> Vec<Line> {
    const GATES: usize = 60;
    let (decide, own) = (&record.results.suite.gates, &policy.own);
    let text = |require: &str, otherwise: String| match otherwise.as_str() {
        "fail" => require.to_owned(),
        other => format!("{require}, else {other}"),
    };
    let decide: Vec<String> = decide
        .iter()
        .take(GATES)
        .map(|gate| text(&gate.require, word(&gate.otherwise)))
        .collect();
    let own: Vec<String> = own
        .iter()
        .take(GATES)
        .map(|gate| text(&gate.require, word(&gate.otherwise)))
        .collect();
    let mut lines: Vec<Line> = decide
        .iter()
        .map(|gate| {
            Line::new(
                if own.contains(gate) {
                    Sign::Same
                } else {
                    Sign::Removed
                },
                gate.as_str(),
            )
        })
        .collect();
    lines.extend(
        own.iter()
            .filter(|gate| !decide.contains(gate))
            .map(|gate| Line::new(Sign::Added, gate.as_str())),
    );
    if lines.is_empty() {
        lines.push(Line::new(Sign::Between, "neither has any"));
    }
    lines
}

/// The suite's name as the page's own heading has it.
pub(super) fn name(record: &Record) -> String {
    code(&record.results.suite.name, At::Line)
}
