//! `diff`: two saved results compared. The earlier one takes the place of whatever the later one was compared with.

use std::path::{Path, PathBuf};

use clap::Args;

use super::baseline::{self, RESULTS};
use super::comparison::derive;
use super::exit::{self, Exit};
use super::output::Screen;
use super::report::{Form, read};
use crate::gate::Decision;
use crate::report::{self, Around, Record};
use crate::results::Found;
use crate::score;

/// The arguments of `diff`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tunegate diff last-night/results.json .tunegate/invoice-extraction/results.json
  tunegate diff before/ after/ --format markdown > diff.md
  tunegate diff before/ after/ --gate             exit 10 or 11 as the gates of AFTER say
  tunegate diff a.json b.json --format json | jq '.comparison.mean'")]
pub(crate) struct Arguments {
    /// The earlier run: a results.json, or a folder that holds one
    #[arg(value_name = "BASE")]
    base: PathBuf,
    /// The later run: a results.json, or a folder that holds one
    #[arg(value_name = "HEAD")]
    head: PathBuf,
    /// The form of the differences
    #[arg(long, value_enum, env = "TUNEGATE_FORMAT", default_value_t = Form::Text)]
    format: Form,
    /// End as the gates of HEAD say, held against BASE: 10 when one fails, 11 when it can't be said
    #[arg(long)]
    gate: bool,
    /// Compare although the two are of suites with different names
    #[arg(long)]
    any_suite: bool,
}

pub(crate) fn main(arguments: &Arguments, screen: &Screen) -> anyhow::Result<Exit> {
    let Record {
        results: mut head,
        cycle,
        ..
    } = read(&place(&arguments.head, None)?)?;
    let place = place(&arguments.base, Some(&head.suite.name))?;
    let base = read(&place)?.results;
    let (was, is) = (&base.suite.name, &head.suite.name);
    if was != is && !arguments.any_suite {
        return Err(exit::usage(format!(
            "{} is of the suite `{was}` and {} of `{is}`: give two results of one suite, or --any-suite where it was \
             renamed",
            arguments.base.display(),
            arguments.head.display()
        )));
    }
    for (path, results) in [(&arguments.base, &base), (&arguments.head, &head)] {
        if let Some(shard) = &results.run.shard {
            return Err(exit::usage(format!(
                "{} is shard {} of {}, and a part is compared with nothing: put all of them together with `tunegate merge`",
                path.display(),
                shard.index,
                shard.of
            )));
        }
    }
    let source = baseline::source(Found::Given, Some(&place));
    head.baseline = Some(score::baseline(&base, source));
    head.without_baseline = None;
    head.baseline_unknown = false;
    let record = derive(head, cycle)?;
    let around = Around {
        base: Some(&base),
        ..Around::default()
    };
    match arguments.format {
        Form::Text => {
            let text = report::diff_terminal(&record, &around, screen.columns, screen.colour);
            screen.result(&if screen.github {
                crate::github::fenced(&text)
            } else {
                text
            });
        }
        Form::Markdown => {
            let text = report::diff_markdown(&record, &around, report::MARKDOWN_LIMIT_BYTES);
            screen.result(&screen.inert(&text));
        }
        Form::Json => screen.json(|to| report::diff_json(&record, &around, to))?,
    }
    Ok(match record.verdict.decision {
        Decision::Fail if arguments.gate => Exit::GateFailed,
        Decision::Inconclusive if arguments.gate => Exit::Inconclusive,
        _ => Exit::Done,
    })
}

/// The results file that is meant: of a folder its own, that of the suite, or the only one in a folder in it.
fn place(path: &Path, suite: Option<&str>) -> anyhow::Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let own = path.join(RESULTS);
    if own.is_file() {
        return Ok(own);
    }
    let unreadable = |error: std::io::Error| exit::usage(format!("{}: {error}", path.display()));
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let file = entry.path().join(RESULTS);
        if file.is_file() {
            if suite.is_some_and(|suite| entry.file_name().to_str() == Some(suite)) {
                return Ok(file);
            }
            found.push(file);
        }
    }
    found.sort();
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(exit::usage(format!(
            "{}: there is no {RESULTS} in it",
            path.display()
        ))),
        several => Err(exit::usage(format!(
            "{} holds {} results: name one of them, for example {}",
            path.display(),
            several.len(),
            several
                .first()
                .map(|file| file.display().to_string())
                .unwrap_or_default()
        ))),
    }
}
