//! `schema`: the JSON Schema of a format.

use clap::{Args, ValueEnum};

use super::exit::Exit;
use super::output::Screen;

/// The arguments of `schema`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tunegate schema > schema/suite.v1.json
  tunegate schema results > schema/results.v1.json")]
pub(crate) struct Arguments {
    /// Of what
    #[arg(value_enum, default_value_t = Of::Suite)]
    of: Of,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// The prompt suite
    Suite,
    /// results.json
    Results,
}

pub(crate) fn main(arguments: &Arguments, screen: &Screen) -> anyhow::Result<Exit> {
    screen.result(&text(arguments.of)?);
    Ok(Exit::Done)
}

/// As the types have it: what the checked-in files are written from, and what tests hold them to.
#[cfg(debug_assertions)]
fn text(of: Of) -> anyhow::Result<String> {
    Ok(match of {
        Of::Suite => crate::suite::json_schema(),
        Of::Results => serde_json::to_string_pretty(&crate::report::json_schema())? + "\n",
    })
}

/// The checked-in files. What makes them of the types would be several times their size in the image.
#[cfg(not(debug_assertions))]
fn text(of: Of) -> anyhow::Result<String> {
    let text = match of {
        Of::Suite => include_str!("../../schema/suite.v1.json"),
        Of::Results => include_str!("../../schema/results.v1.json"),
    };
    Ok(text.to_owned())
}
