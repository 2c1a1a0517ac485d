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
    screen.result(&match arguments.of {
        Of::Suite => crate::suite::json_schema(),
        Of::Results => serde_json::to_string_pretty(&crate::report::json_schema())? + "\n",
    });
    Ok(Exit::Done)
}
