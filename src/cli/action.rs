//! `action`: the program as a GitHub Action. Mode and suites come from the environment, so that no shell
//! stands between a workflow's inputs and the program.

use std::ffi::OsString;

use super::environment::{Environment, GitHub, given};
use super::exit::{self, Exit, Refusal};
use super::output::Screen;
use super::{Command, check, suites};
use crate::github::{self, Annotation, Event};

/// Where suites are looked for when the workflow names none.
const SUITES: &str = "prompts/*.yaml";

pub(crate) fn main(environment: &Environment, screen: &Screen) -> anyhow::Result<Exit> {
    let event = event(environment)?;
    let suites: Vec<String> = given("TUNEGATE_SUITES")
        .as_deref()
        .unwrap_or(SUITES)
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let mode = mode(environment)?;
    if mode == "check" {
        return check::main(&check::Arguments::of(suites), environment, screen);
    }
    if let Some(why) = event.as_ref().and_then(|event| unsafe_here(event, environment)) {
        // What can be said without the key is said all the same.
        let readings = suites::read(&suites::expand(&suites)?);
        suites::show(&readings, screen);
        if readings.iter().any(suites::is_refused) {
            return Ok(Exit::Suite);
        }
        return skip(environment, screen, &why);
    }
    let arguments = ["tunegate", mode]
        .into_iter()
        .map(OsString::from)
        .chain(suites.into_iter().map(OsString::from));
    let cli = super::parse(arguments).map_err(|error| exit::usage(error.to_string()))?;
    match cli.command {
        Command::Run(_) | Command::Eval(_) => {
            super::dispatch(cli.command, environment, screen).inspect_err(|error| tell(error, environment))
        }
        _ => Err(anyhow::anyhow!("mode {mode} is no command")),
    }
}

/// `auto`: a pull request is evaluated, everything else runs the whole cycle.
fn mode(environment: &Environment) -> anyhow::Result<&'static str> {
    let asked = given("TUNEGATE_MODE").unwrap_or_else(|| "auto".to_owned());
    let event = environment
        .github
        .as_ref()
        .and_then(|g| g.event_name.as_deref())
        .unwrap_or_default();
    match asked.as_str() {
        "auto" if event.starts_with("pull_request") || event == "merge_group" => Ok("eval"),
        "auto" | "run" => Ok("run"),
        "eval" => Ok("eval"),
        "check" => Ok("check"),
        other => Err(exit::usage(format!(
            "mode `{other}` is not known: write auto, run, eval or check"
        ))),
    }
}

/// The event, where GitHub names one.
fn event(environment: &Environment) -> anyhow::Result<Option<Event>> {
    let Some(GitHub {
        event_name: Some(name),
        event_path: Some(path),
        ..
    }) = &environment.github
    else {
        return Ok(None);
    };
    let file = std::fs::File::open(path)
        .map_err(|error| exit::usage(format!("the event at {}: {error}", path.display())))?;
    Event::read(name, file)
        .map(Some)
        .map_err(|error| exit::usage(error.to_string()))
}

/// Why the key must not be used here, or can't be: a pull request from a fork.
fn unsafe_here(event: &Event, environment: &Environment) -> Option<String> {
    if given("TUNEGATE_EMULATOR").is_some_and(|v| v != "false" && v != "0") {
        return None;
    }
    if event.untrusted_checkout() && given("TUNEGATE_ALLOW_UNTRUSTED").is_none_or(|v| v != "true") {
        return Some(
            "This pull request comes from a fork and the workflow runs on `pull_request_target`: its suites may \
             be a stranger's, and are not run with the key. Use `pull_request`, or set `allow-untrusted: true` \
             where the checkout is known to be the base branch's."
                .to_owned(),
        );
    }
    let secretless = event.fork_without_secrets() || (event.is_pull_request() && event.by_dependabot());
    (secretless && environment.key.is_none()).then(|| {
        "This pull request comes from a fork or from Dependabot, where GitHub gives a workflow no secrets: the suites were \
         checked, and nothing was asked. A maintainer's branch or the nightly run evaluates them."
            .to_owned()
    })
}

/// A run that could not begin has outputs and a summary all the same.
fn tell(error: &anyhow::Error, environment: &Environment) {
    let Some(runner) = environment.github.as_ref().map(GitHub::runner) else {
        return;
    };
    let result = match error.downcast_ref::<Refusal>().map(|refusal| refusal.exit) {
        Some(Exit::Suite | Exit::Usage) => "invalid",
        _ => "stopped",
    };
    let text = format!("### tunegate: {result}\n\nNothing was run; the step's log says why.\n");
    // The error itself is told by whoever gets it; a missing summary or output adds nothing to it.
    let _ = runner.append_summary(&text, &text);
    let _ = runner.append_output("result", result);
    let _ = runner.append_output("launched", "false");
}

fn skip(environment: &Environment, screen: &Screen, why: &str) -> anyhow::Result<Exit> {
    let mut annotations = github::Annotations::default();
    let notice = Annotation {
        title: Some("tunegate skipped".to_owned()),
        message: why.to_owned(),
        ..Annotation::default()
    };
    annotations.add(github::AnnotationKind::Notice, notice);
    screen.result(&annotations.commands());
    if let Some(runner) = environment.github.as_ref().map(GitHub::runner) {
        let text = format!("### tunegate: skipped\n\n{why}\n");
        if let Err(error) = runner.append_summary(&text, &text) {
            screen.warn(&format!("the step's summary could not be written: {error}"));
        }
        runner.append_output("result", "skipped")?;
        runner.append_output("launched", "false")?;
    }
    Ok(Exit::Done)
}
