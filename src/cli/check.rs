//! `check`: what is wrong with the suites, offline.

use clap::Args;
use serde_json::json;

use super::environment::Environment;
use super::exit::Exit;
use super::options::Format;
use super::output::Screen;
use super::suites;
use crate::suite::Severity;

/// The arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tunegate check prompts/quickstart.yaml
  tunegate check 'prompts/*.yaml' --format json")]
pub(crate) struct Arguments {
    /// Suites: files or globs
    #[arg(required = true, value_name = "SUITE")]
    suites: Vec<String>,
    /// What standard output gets: text for a person, json for a script
    #[arg(long, value_enum, env = "TUNEGATE_FORMAT", default_value_t = Format::Text)]
    format: Format,
}

impl Arguments {
    /// As the action calls it.
    pub(crate) fn of(suites: Vec<String>) -> Self {
        Arguments {
            suites,
            format: Format::Text,
        }
    }
}

pub(crate) fn main(
    arguments: &Arguments,
    _environment: &Environment,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let readings = suites::read(&suites::expand(&arguments.suites)?);
    let refused = readings.iter().any(suites::is_refused);
    match arguments.format {
        Format::Json => {
            let suites: Vec<_> = readings
                .iter()
                .map(|r| {
                    json!({
                        "path": r.path,
                        "name": r.name,
                        "ok": !suites::is_refused(r),
                        "cases": r.suite.as_ref().map(|s| s.cases.len()),
                        "diagnostics": r.diagnostics,
                    })
                })
                .collect();
            let document = json!({ "version": 1, "ok": !refused, "suites": suites });
            screen.json(|to| writeln!(to, "{document:#}"))?;
        }
        Format::Text => {
            suites::show(&readings, arguments.format, screen);
            for reading in &readings {
                let errors = reading
                    .diagnostics
                    .iter()
                    .filter(|d| d.severity == Severity::Error)
                    .count();
                let line = match &reading.suite {
                    Some(suite) if errors == 0 => {
                        format!(
                            "{}: ok, {}, {}\n",
                            reading.path,
                            suites::count(suite.cases.len(), "case"),
                            suites::count(suite.gates.len(), "gate")
                        )
                    }
                    _ => format!("{}: refused, {}\n", reading.path, suites::count(errors, "fault")),
                };
                screen.result(&screen.harmless(&line));
            }
        }
    }
    Ok(if refused { Exit::Suite } else { Exit::Done })
}
