//! Arguments and environment → settings → the stages, wired; a file a command. Stages emit events and
//! return values: what reaches standard output, standard error or the disk goes through here.

mod action;
mod annotate;
mod baseline;
mod budget;
mod cache;
mod check;
mod comment;
mod comparison;
mod cycle;
mod diff;
mod emulator;
mod environment;
mod evaluate;
mod exit;
mod frame;
mod history;
mod hub;
mod inert;
mod init;
mod merge;
mod options;
mod output;
mod outputs;
mod policy;
mod progress;
mod publish;
mod report;
mod resume;
mod run;
mod runtime;
mod schema;
mod service;
mod shards;
mod signals;
mod suites;
mod trend;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use environment::{Environment, is_empty};
use exit::{Exit, Refusal};
use options::DisplayOptions;
use runtime::{block_on, block_on_several};

/// Evaluate a fine-tuned model on Prem Studio, gate it, and launch the next fine-tuning job
#[derive(Debug, Parser)]
#[command(
    name = "tunegate",
    version,
    propagate_version = true,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = "Examples:
  tunegate run prompts/quickstart.yaml --emulator   the whole cycle on this machine, no key needed
  tunegate check 'prompts/*.yaml'                   what is wrong with the suites, offline
  tunegate eval prompts/quickstart.yaml             scores and gates, writes nothing to the service
  tunegate run prompts/quickstart.yaml --dry-run    what the cycle would write
  tunegate diff before/ after/                      what moved, and whether it is more than noise

The key comes from PREMAI_API_KEY or API_KEY and from nowhere else.

Exit codes: 0 done · 1 a bug · 2 usage · 3 the suite · 4 the service or the network
            10 a gate failed · 11 inconclusive · 130 interrupted"
)]
struct Cli {
    #[command(flatten)]
    display: DisplayOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole cycle: ask, judge, gate, trace, snapshot, launch
    Run(run::Arguments),
    /// Up to the gates: ask, judge, gate; writes nothing to the service
    Eval(run::EvalArguments),
    /// What is wrong with the suites, offline
    Check(check::Arguments),
    /// The shards of a suite, put together and decided
    Merge(merge::Arguments),
    /// The rest of the cycle from saved results
    Cycle(cycle::Arguments),
    /// Two saved results compared
    Diff(diff::Arguments),
    /// Saved results, shown again
    Report(report::Arguments),
    /// The runs of a suite so far: how the mean moved, which cases are flaky
    History(history::Arguments),
    /// The JSON Schema of the suite or of results.json
    Schema(schema::Arguments),
    /// A Prem Studio on this machine, to try things against
    Emulator(emulator::Arguments),
    /// A first suite and workflow
    Init(init::Arguments),
    /// As a GitHub Action: mode and suites come from the environment
    #[command(hide = true)]
    Action,
}

/// Runs the program and says how it ends.
pub fn main() -> ExitCode {
    let environment = Environment::read();
    let cli = match parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::Done.into()
            };
        }
    };
    let screen = output::Screen::new(&cli.display, &environment);
    output::log(&cli.display, &screen);
    #[cfg(debug_assertions)]
    die_at(&environment);
    match dispatch(cli.command, &environment, &screen) {
        Ok(exit) => exit.into(),
        Err(error) => match error.downcast_ref::<Refusal>() {
            Some(refusal) => {
                screen.error(&refusal.message);
                refusal.exit.into()
            }
            None => {
                screen.error(&format!("{error:#}"));
                ExitCode::from(1)
            }
        },
    }
}

/// Parses a command line. A variable that is set to nothing counts as not set: that is how an action's input
/// arrives that nobody gave.
fn parse(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Cli, clap::Error> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let attempt = with_variables(Cli::command(), true).try_get_matches_from(&arguments);
    let matches = attempt.map_err(|error| match error.kind() {
        // Help names every variable, those too that are set to nothing.
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let again = with_variables(Cli::command(), false).try_get_matches_from(&arguments);
            again.err().unwrap_or(error)
        }
        _ => error,
    })?;
    Cli::from_arg_matches(&matches)
}

/// Help says what a variable is named and not what it holds.
fn with_variables(command: clap::Command, drop_empty: bool) -> clap::Command {
    command
        .mut_args(|argument| {
            let argument = argument.hide_env_values(true);
            if drop_empty && argument.get_env().is_some_and(is_empty) {
                argument.env(None::<&'static str>)
            } else {
                argument
            }
        })
        .mut_subcommands(|command| with_variables(command, drop_empty))
}

/// For tests: `7` ends the process right after the journal's seventh line, `-7` right before it.
#[cfg(debug_assertions)]
fn die_at(environment: &Environment) {
    let line: Option<i64> = environment.die_at.as_ref().and_then(|line| line.parse().ok());
    if let Some(line) = line {
        crate::cycle::journal::Journal::die_at(line.unsigned_abs(), line < 0);
    }
}

fn dispatch(command: Command, environment: &Environment, screen: &output::Screen) -> anyhow::Result<Exit> {
    match command {
        Command::Check(arguments) => check::main(&arguments, environment, screen),
        Command::Diff(arguments) => diff::main(&arguments, screen),
        Command::Report(arguments) => report::main(&arguments, screen),
        Command::History(arguments) => history::main(&arguments, screen),
        Command::Schema(arguments) => schema::main(&arguments, screen),
        Command::Init(arguments) => init::main(&arguments, screen),
        Command::Run(arguments) => block_on(run::main(&arguments, environment, screen)),
        Command::Eval(arguments) => block_on(run::main(&arguments.into(), environment, screen)),
        Command::Merge(arguments) => block_on(merge::main(&arguments, environment, screen)),
        Command::Cycle(arguments) => block_on(cycle::main(&arguments, environment, screen)),
        Command::Emulator(arguments) => block_on_several(emulator::main(&arguments, screen)),
        Command::Action => action::main(environment, screen),
    }
}
