//! Where an earlier run may be → that run of each suite, or why there is none: a file or a folder that was given, or
//! the artifact of a workflow run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::exit;
use super::frame::Earlier;
use super::hub::{Hub, Unanswered};
use super::options::ComparisonOptions;
use super::output::Screen;
use crate::github::{FoundRun, RunKind, find_baseline};
use crate::report;
use crate::results::{BaselineSource, Found, Results};
use crate::suite::Suite;

/// The file that a run leaves.
pub(crate) const RESULTS: &str = "results.json";

/// What a suite's run is compared with, or why with nothing.
#[derive(Debug, Default)]
pub(crate) struct Ground {
    pub(crate) base: Option<Earlier>,
    pub(crate) without: Option<String>,
    /// Whether there is one is not known: GitHub did not answer.
    pub(crate) unknown: bool,
}

impl Ground {
    fn without(why: impl Into<String>) -> Ground {
        Ground {
            base: None,
            without: Some(why.into()),
            unknown: false,
        }
    }
}

/// The given file or folder, for each suite. Of several suites it must have one; the others go without.
///
/// # Errors
/// Everything that is wrong with it, for all suites at once.
pub(crate) fn given(path: &Path, suites: &[Suite], emulator: bool) -> anyhow::Result<Vec<Ground>> {
    let (mut faults, mut read) = (Vec::new(), BTreeMap::new());
    let places: Vec<Option<PathBuf>> = suites.iter().map(|suite| place(path, &suite.name)).collect();
    for place in places.iter().flatten() {
        if !read.contains_key(place) {
            let results = super::report::read(place).map(|record| record.results);
            faults.extend(results.as_ref().err().map(ToString::to_string));
            read.insert(place.clone(), results.ok());
        }
    }
    if places.iter().all(Option::is_none) {
        faults.push(format!(
            "{}: there is no {RESULTS} in it, nor in a folder of the suite's name in it",
            path.display()
        ));
    }
    let fit = |(suite, place): (&Suite, &Option<PathBuf>)| {
        let results = read.get(place.as_ref()?)?.as_ref()?;
        Some(fits(results, suite, emulator))
    };
    let fits: Vec<_> = suites.iter().zip(&places).map(fit).collect();
    let mut grounds = Vec::new();
    for (place, fits) in places.iter().zip(fits) {
        let ground = match (place, fits) {
            (None, _) => Ground::without(format!("{} has none of this suite", path.display())),
            (Some(_), None) => Ground::default(),
            // Results have one name, and so have suites: no other suite takes the same ones.
            (Some(place), Some(Ok(()))) => Ground {
                base: read.remove(place).flatten().map(|results| Earlier {
                    results,
                    source: source(Found::Given, Some(place)),
                }),
                ..Ground::default()
            },
            (Some(place), Some(Err(misfit))) => {
                let why = format!("{}: {}", place.display(), misfit.why());
                if let Misfit::Service(_) = misfit {
                    faults.push(why.clone());
                }
                Ground::without(why)
            }
        };
        grounds.push(ground);
    }
    if faults.is_empty() && grounds.iter().all(|ground| ground.base.is_none()) {
        faults.extend(grounds.iter().filter_map(|ground| ground.without.clone()));
        faults.dedup();
    }
    if faults.is_empty() {
        return Ok(grounds);
    }
    faults.push("give --baseline a results.json of the suite, a folder that holds one, or `none`".to_owned());
    Err(exit::usage(faults.join("\n")))
}

/// The suite's file: the path itself, or what a folder holds. None: it is a folder and has none of it.
fn place(path: &Path, suite: &str) -> Option<PathBuf> {
    if !path.is_dir() {
        return Some(path.to_owned());
    }
    let places = [path.join(suite).join(RESULTS), path.join(RESULTS)];
    places.into_iter().find(|place| place.is_file())
}

/// Why results are no baseline of a suite's run.
#[derive(Debug, PartialEq, Eq)]
enum Misfit {
    /// They are another suite's.
    Suite(String),
    /// Another service answered.
    Service(String),
}

impl Misfit {
    fn why(&self) -> &str {
        match self {
            Misfit::Suite(why) | Misfit::Service(why) => why,
        }
    }
}

fn fits(results: &Results, suite: &Suite, emulator: bool) -> Result<(), Misfit> {
    if results.suite.name != suite.name {
        return Err(Misfit::Suite(format!(
            "these are results of the suite `{}`, not of `{}`",
            results.suite.name, suite.name
        )));
    }
    if let Some(shard) = &results.run.shard {
        return Err(Misfit::Suite(format!(
            "these are the results of shard {} of {}, and not of a whole run: merge them first",
            shard.index, shard.of
        )));
    }
    match (results.run.emulator, emulator) {
        (true, false) => Err(Misfit::Service(
            "the built-in emulator gave these answers, and Prem Studio's are never compared with them"
                .to_owned(),
        )),
        (false, true) => Err(Misfit::Service(
            "Prem Studio gave these answers, and the built-in emulator's are never compared with them"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

/// Looks on GitHub. That there is none, or that GitHub does not say, is told and fails nothing.
pub(crate) async fn look(
    suite: &Suite,
    options: &ComparisonOptions,
    emulator: bool,
    hub: &mut Hub,
    screen: &Screen,
) -> Ground {
    let workflow = options.baseline_workflow.as_deref();
    let (found, unknown) = match find(suite, workflow, hub).await {
        Ok(found) => (found.and_then(|run| taken(&run, suite, emulator)), false),
        Err(unanswered) => (Err(unanswered.why), !unanswered.refused),
    };
    match found {
        Ok(base) => Ground {
            base: Some(base),
            ..Ground::default()
        },
        Err(why) => {
            screen.note(&format!("{}: no baseline: {why}", suite.name));
            Ground {
                unknown,
                ..Ground::without(why)
            }
        }
    }
}

/// The run, or why there is none.
async fn find(
    suite: &Suite,
    workflow: Option<&str>,
    hub: &mut Hub,
) -> Result<Result<FoundRun, String>, Unanswered> {
    let asked = hub
        .api()
        .and_then(|api| Ok((api, hub.query(&suite.name, workflow)?)));
    let (api, query) = match asked {
        Ok(asked) => asked,
        Err(why) => return Ok(Err(why)),
    };
    let found = hub.ask(find_baseline(&api, &query)).await?;
    Ok(found.map_err(|why| match workflow {
        // A pull request's own workflow hardly ever runs on the branch that it goes to.
        None if hub.target().is_some() => {
            format!("{why}; where another workflow uploads it, name that one with `baseline-workflow`")
        }
        _ => why,
    }))
}

fn taken(run: &FoundRun, suite: &Suite, emulator: bool) -> Result<Earlier, String> {
    let told = |why: &dyn std::fmt::Display| format!("the artifact of workflow run {}: {why}", run.run);
    let record = report::read_json(run.results.as_slice()).map_err(|error| told(&error))?;
    fits(&record.results, suite, emulator).map_err(|misfit| told(&misfit.why()))?;
    let found = match run.kind {
        RunKind::MergeBase => Found::MergeBase,
        RunKind::BaseBranch => Found::BaseBranch,
        RunKind::Previous => Found::Previous,
    };
    Ok(Earlier {
        results: record.results,
        source: BaselineSource {
            branch: run.branch.clone(),
            workflow_run: Some(run.run),
            url: run.url.clone(),
            ..source(found, None)
        },
    })
}

/// What is known of where results were found.
pub(crate) fn source(found: Found, path: Option<&Path>) -> BaselineSource {
    BaselineSource {
        found,
        path: path.map(|path| path.display().to_string()),
        branch: None,
        workflow_run: None,
        url: None,
    }
}
