//! `report`: saved results, shown again.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::comparison::derive;
use super::exit::{self, Exit};
use super::output::Screen;
use crate::report::{self, Record};

/// The arguments of `report`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tunegate report .tunegate/invoice-extraction/results.json
  tunegate report results.json --format markdown > summary.md")]
pub(crate) struct Arguments {
    /// A results.json that `run` or `eval` wrote
    #[arg(value_name = "RESULTS")]
    results: PathBuf,
    /// The form of the report
    #[arg(long, value_enum, env = "TUNEGATE_FORMAT", default_value_t = Form::Text)]
    format: Form,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Form {
    /// For a terminal
    Text,
    /// As the job summary
    Markdown,
    /// The results themselves
    Json,
}

pub(crate) fn main(arguments: &Arguments, screen: &Screen) -> anyhow::Result<Exit> {
    // What stands in the file is derived; the answers, the baseline and the gates decide.
    let Record { results, cycle, .. } = read(&arguments.results)?;
    let record = derive(results, cycle)?;
    match arguments.format {
        Form::Text => {
            let text = report::terminal(&record, &report::Around::default(), screen.columns, screen.colour);
            screen.result(&if screen.github {
                crate::github::fenced(&text)
            } else {
                text
            });
        }
        // It goes into a file more often than into the log, so there can be no fence around it.
        Form::Markdown => {
            screen.result(&screen.inert(&report::markdown(&record, &report::Around::default())))
        }
        Form::Json => screen.json(|to| report::write_json(&record, to))?,
    }
    Ok(Exit::Done)
}

/// Reads a results file of this or an earlier version.
pub(crate) fn read(path: &Path) -> anyhow::Result<Record> {
    let refusal = |error: &dyn std::fmt::Display| exit::usage(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| refusal(&error))?;
    report::read_json_file(file).map_err(|error| refusal(&error))
}
