//! `action`: the program as a GitHub Action. Mode and suites come from the environment, so that no shell
//! stands between a workflow's inputs and the program.

use std::ffi::OsString;
use std::path::{Component, Path};

use super::environment::{Environment, GitHub, given};
use super::exit::{self, Exit, Refusal};
use super::output::Screen;
use super::{Command, check, cycle, merge, run, suites};
use crate::github::{self, Annotation, Event};

/// Where suites are looked for when the workflow names none.
const SUITES: &str = "prompts/*.yaml";

pub(crate) fn main(environment: &Environment, screen: &Screen) -> anyhow::Result<Exit> {
    act(environment, screen).inspect_err(|error| {
        let result = match error.downcast_ref::<Refusal>().map(|refusal| refusal.exit) {
            Some(Exit::Suite | Exit::Usage) => "invalid",
            _ => "stopped",
        };
        tell(environment, screen, result, &quoted(&format!("{error:#}")));
    })
}

fn act(environment: &Environment, screen: &Screen) -> anyhow::Result<Exit> {
    let event = event(environment)?;
    let suites: Vec<String> = given("TUNEGATE_SUITES")
        .as_deref()
        .unwrap_or(SUITES)
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let mode = mode(environment, event.as_ref())?;
    if mode == "check" {
        return check(suites, environment, screen);
    }
    if mode == "merge" || mode == "cycle" {
        return go_on(mode, event.as_ref(), environment, screen);
    }
    let arguments: run::Arguments = match command(mode, &suites)? {
        Command::Run(arguments) => arguments,
        Command::Eval(arguments) => arguments.into(),
        _ => return Err(anyhow::anyhow!("mode {mode} is no command")),
    };
    below_workspace(&arguments.output.output_dir)?;
    let why = event.filter(|_| !arguments.service.emulator);
    if let Some(why) = why.and_then(|event| unsafe_here(&event, environment)) {
        // What can be said without the key is said all the same.
        suites::load(&suites, arguments.output.format, screen)?;
        skip(environment, screen, why);
        return Ok(Exit::Done);
    }
    super::block_on(run::main(&arguments, environment, screen))
}

/// The modes that begin with what earlier steps left: shards to merge, results to go on with.
fn go_on(
    mode: &str,
    event: Option<&Event>,
    environment: &Environment,
    screen: &Screen,
) -> anyhow::Result<Exit> {
    let paths = given("TUNEGATE_RESULTS").unwrap_or_default();
    let paths = paths_of(&paths);
    if paths.is_empty() {
        return Err(exit::usage(format!(
            "mode `{mode}` needs the input `results`: {}",
            match mode {
                "merge" => "the folders that the shards' artifacts were downloaded to",
                _ => "the output `results-path` of the step before",
            }
        )));
    }
    let command = command(mode, &paths)?;
    let emulator = match &command {
        Command::Cycle(arguments) => arguments.service.emulator,
        // It asks no service; but shards that the emulator has answered are there to be merged, whoever proposes them.
        _ => given("TUNEGATE_EMULATOR").is_some_and(|value| is_yes(&value)),
    };
    // Where no suite was run there is nothing to go on with, and no fault in that.
    let why = event.filter(|_| !emulator);
    if let Some(why) = why.and_then(|event| unsafe_here(event, environment)) {
        skip(environment, screen, why);
        return Ok(Exit::Done);
    }
    match command {
        Command::Merge(arguments) => {
            below_workspace(&arguments.output.output_dir)?;
            super::block_on(merge::main(&arguments, environment, screen))
        }
        Command::Cycle(arguments) => {
            below_workspace(&arguments.output.output_dir)?;
            super::block_on(cycle::main(&arguments, environment, screen))
        }
        _ => Err(anyhow::anyhow!("mode {mode} is no command")),
    }
}

/// Paths, a line each: a blank within one is the path's. Like our own output of several, which may well be the input.
fn paths_of(lines: &str) -> Vec<String> {
    let lines = lines.lines().map(str::trim).filter(|path| !path.is_empty());
    lines.map(str::to_owned).collect()
}

/// Whether an option that this command has not would take the value for a yes.
fn is_yes(value: &str) -> bool {
    let yes = ["y", "yes", "t", "true", "on", "1"];
    yes.contains(&value.to_lowercase().as_str())
}

/// A command with its arguments, everything else from the environment. Behind `--` nothing is an option: a workflow may
/// take the names of suites from a pull request.
fn command(mode: &str, arguments: &[String]) -> anyhow::Result<Command> {
    let arguments = ["tunegate", mode, "--"]
        .into_iter()
        .map(OsString::from)
        .chain(arguments.iter().map(OsString::from));
    let cli = super::parse(arguments).map_err(|error| exit::usage(without_frame(&error.to_string())))?;
    Ok(cli.command)
}

/// What the parser says, without its own `error:` and without its hint at `--help`, which a workflow can't ask.
fn without_frame(error: &str) -> &str {
    let error = error.strip_prefix("error: ").unwrap_or(error);
    error.split("\n\n").next().unwrap_or(error).trim_end()
}

/// `check` has no report: its outcome is all there is to tell.
fn check(suites: Vec<String>, environment: &Environment, screen: &Screen) -> anyhow::Result<Exit> {
    let exit = check::main(&check::Arguments::of(suites), environment, screen)?;
    match exit {
        Exit::Done => tell(
            environment,
            screen,
            "passed",
            "The suites were checked; nothing was asked.\n",
        ),
        _ => tell(
            environment,
            screen,
            "invalid",
            "The suites are at fault: the step's log has every fault with its line.\n",
        ),
    }
    Ok(exit)
}

/// The workspace is all that outlives the container. `github.workspace` in a workflow is the path on the
/// machine outside, which is none in here: a report written to it would be gone without a word.
fn below_workspace(output_dir: &Path) -> anyhow::Result<()> {
    let below = output_dir
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if below {
        return Ok(());
    }
    Err(exit::usage(format!(
        "output-dir `{}` is not below the workspace: give a path relative to it, without `..`",
        output_dir.display()
    )))
}

/// `auto`: what somebody proposes is evaluated, everything else runs the whole cycle.
fn mode(environment: &Environment, event: Option<&Event>) -> anyhow::Result<&'static str> {
    let asked = given("TUNEGATE_MODE").unwrap_or_else(|| "auto".to_owned());
    let name = environment
        .github
        .as_ref()
        .and_then(|g| g.event_name.as_deref())
        .unwrap_or_default();
    // By its name alone where the runner gives no event.
    let proposal = name.starts_with("pull_request") || name == "merge_group";
    match asked.as_str() {
        "auto" if proposal || event.is_some_and(Event::is_about_a_proposal) => Ok("eval"),
        "auto" | "run" => Ok("run"),
        "eval" => Ok("eval"),
        "check" => Ok("check"),
        "merge" => Ok("merge"),
        "cycle" => Ok("cycle"),
        other => Err(exit::usage(format!(
            "mode `{other}` is not known: write auto, run, eval, merge, cycle or check"
        ))),
    }
}

/// The event, where GitHub names one.
fn event(environment: &Environment) -> anyhow::Result<Option<Event>> {
    let event = environment
        .github
        .as_ref()
        .and_then(|github| github.event.clone());
    event.transpose().map_err(exit::usage)
}

/// Why the key must not be used here, or can't be: a pull request from a fork.
fn unsafe_here(event: &Event, environment: &Environment) -> Option<&'static str> {
    if event.untrusted_checkout() && given("TUNEGATE_ALLOW_UNTRUSTED").is_none_or(|v| v != "true") {
        return Some(
            "This run was started by a pull request from a fork and has the repository's secrets \
             (`pull_request_target` or `workflow_run`): its suites may be a stranger's, and are not run with the key. \
             Use `pull_request`, or set `allow-untrusted: true` where a person has approved what is checked out.",
        );
    }
    let secretless = event.fork_without_secrets() || (event.is_pull_request() && event.by_dependabot());
    (secretless && environment.key.is_none()).then_some(
        "This pull request comes from a fork or from Dependabot, where GitHub gives a workflow no secrets: the suites were \
         checked, and nothing was asked. A maintainer's branch or the nightly run evaluates them.",
    )
}

fn skip(environment: &Environment, screen: &Screen, why: &str) {
    let mut annotations = github::Annotations::default();
    let notice = Annotation {
        title: Some("tunegate skipped".to_owned()),
        message: why.to_owned(),
        ..Annotation::default()
    };
    annotations.add(github::AnnotationKind::Notice, notice);
    screen.result(&annotations.commands());
    tell(environment, screen, "skipped", &format!("{why}\n"));
}

/// A run without a report has outputs and a summary all the same. That they can't be written is told, and
/// changes nothing.
fn tell(environment: &Environment, screen: &Screen, result: &str, text: &str) {
    let Some(runner) = environment.github.as_ref().map(GitHub::runner) else {
        return;
    };
    let text = format!("### tunegate: {result}\n\n{text}");
    if let Err(error) = runner.append_summary(&text, &text) {
        screen.warn(&format!("the step's summary could not be written: {error}"));
    }
    let outputs = runner
        .append_output("result", result)
        .and_then(|()| runner.append_output("launched", "false"));
    if let Err(error) = outputs {
        screen.warn(&format!("the step's outputs could not be set: {error}"));
    }
}

/// An error in the summary. It can hold foreign names: in an indented block nothing comes alive, and
/// nothing in a line can end it.
fn quoted(error: &str) -> String {
    let error: String = error.chars().take(4_000).collect();
    error
        .split(['\n', '\r'])
        .map(|line| format!("    {line}\n"))
        .collect()
}
