//! Paths and globs on the command line → suites that may be run, or everything that is wrong with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::exit;
use super::options::Format;
use super::output::Screen;
use crate::gate;
use crate::github::{Annotation, AnnotationKind, Annotations};
use crate::suite::{self, Diagnostic, Reading, Severity};

/// Expands globs; a path that exists is taken as it is, whatever characters it holds.
pub(crate) fn expand(patterns: &[String]) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        let is_glob = pattern.contains(['*', '?', '[']) && !Path::new(pattern).exists();
        if !is_glob {
            paths.push(PathBuf::from(pattern));
            continue;
        }
        let matches = glob::glob(pattern)
            .map_err(|error| exit::usage(format!("`{pattern}` is not a pattern: {}", error.msg)))?;
        let mut found: Vec<PathBuf> = matches
            .filter_map(Result::ok)
            .filter(|path| path.is_file())
            .collect();
        if found.is_empty() {
            return Err(exit::suite(format!(
                "no file matches `{pattern}`; `tunegate init` writes a first suite"
            )));
        }
        found.sort();
        paths.append(&mut found);
    }
    let mut seen = std::collections::HashSet::new();
    paths.retain(|path| seen.insert(path.clone()));
    Ok(paths)
}

/// Reads the suites and everything that can be said against them without the network.
pub(crate) fn read(paths: &[PathBuf]) -> Vec<Reading> {
    let mut readings: Vec<Reading> = paths.iter().map(|path| suite::read(path)).collect();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for reading in &mut readings {
        let known = gate::Known {
            tags: &reading.tags,
            ids: &reading.ids,
            all_tags: reading.all_tags,
            all_ids: reading.all_ids,
            holdout: reading.holdout,
            critical: reading.critical,
            cases: reading.suite.as_ref().map(|suite| suite.cases.as_slice()),
        };
        let mut faults = gate::check(&reading.gates, &known);
        faults.extend(twice_named(reading, &mut names));
        reading.tell(faults);
    }
    readings
}

/// Two suites of one name would write over each other's reports.
fn twice_named(reading: &Reading, names: &mut BTreeMap<String, String>) -> Option<Diagnostic> {
    let (name, place) = (reading.name.clone()?, reading.name_place.clone()?);
    // Folders are told apart without regard to case on some machines.
    let first = names.insert(name.to_lowercase(), reading.path.clone())?;
    Some(Diagnostic {
        severity: Severity::Error,
        message: format!("two suites are named `{name}`: this one and {first}"),
        length: u32::try_from(name.len()).unwrap_or(1),
        place,
        help: Some("the name is the folder of the report: give each suite its own `name:`".to_owned()),
    })
}

/// True when the suite may not be run.
pub(crate) fn is_refused(reading: &Reading) -> bool {
    reading.suite.is_none() || reading.refused()
}

/// Shows what is wrong: on standard error for a person, as annotations where GitHub's runner reads along. It reads
/// both streams, so that a script's JSON has standard output to itself.
pub(crate) fn show(readings: &[Reading], format: Format, screen: &Screen) {
    let mut annotations = Annotations::default();
    for reading in readings {
        if reading.diagnostics.is_empty() {
            continue;
        }
        screen.coloured(&suite::render(
            &reading.diagnostics,
            &reading.sources,
            screen.colour_errors,
        ));
        if screen.github {
            for d in &reading.diagnostics {
                let kind = match d.severity {
                    Severity::Error => AnnotationKind::Error,
                    Severity::Warning => AnnotationKind::Warning,
                };
                annotations.add(kind, annotation(d));
            }
        }
    }
    match format {
        Format::Text => screen.result(&annotations.commands()),
        Format::Json => screen.command(&annotations.commands()),
    }
}

fn annotation(d: &Diagnostic) -> Annotation {
    let help = d.help.as_ref().map_or(String::new(), |help| format!("\n{help}"));
    Annotation {
        file: Some(d.place.file.to_string()),
        line: Some(d.place.line),
        column: Some(d.place.column),
        title: Some("prompt suite".to_owned()),
        message: format!("{}{help}", d.message),
        ..Annotation::default()
    }
}

/// `1 fault`, `2 faults`.
pub(crate) fn count(number: usize, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

/// The suites, or the refusal of them all: one fault anywhere and nothing is run.
pub(crate) fn load(
    patterns: &[String],
    format: Format,
    screen: &Screen,
) -> anyhow::Result<Vec<suite::Suite>> {
    let readings = read(&expand(patterns)?);
    show(&readings, format, screen);
    let refused = readings.iter().filter(|r| is_refused(r)).count();
    if refused > 0 {
        let errors: usize = readings
            .iter()
            .map(|r| {
                r.diagnostics
                    .iter()
                    .filter(|d| d.severity == Severity::Error)
                    .count()
            })
            .sum();
        return Err(exit::suite(format!(
            "{} in {refused} of {}; nothing was run",
            count(errors, "fault"),
            count(readings.len(), "suite")
        )));
    }
    Ok(readings.into_iter().filter_map(|r| r.suite).collect())
}
