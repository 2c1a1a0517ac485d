//! Whose gates decide: a suite's own, those of the same file on the branch that a pull request goes to, or those of
//! another file. Foreign gates are held to their grammar alone: what they name and the suite lacks is for the verdict.

use std::io::Read;
use std::path::Path;

use super::exit;
use super::frame::Earlier;
use super::hub::{Hub, Target};
use super::options::PolicyFrom;
use super::output::Screen;
use crate::gate;
use crate::results::Policy;
use crate::suite::{self, Gate, Severity, Suite};

/// Larger files are no policy: their gates would come from a file that no suite could be read from either.
const LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// Characters of a commit that a person is shown.
const SHORT: usize = 7;

/// Puts the gates of a given file in the place of every suite's own.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn given(suites: &mut [Suite], from: &PolicyFrom) -> anyhow::Result<Vec<Option<Policy>>> {
    let PolicyFrom::Path(path) = from else {
        return Ok(suites.iter().map(|_| None).collect());
    };
    let gates = read(path)
        .and_then(|text| gates(&path.display().to_string(), &text))
        .map_err(|why| exit::usage(format!("the gates of --policy-from can't be taken: {why}")))?;
    let name = path.display().to_string();
    Ok(suites
        .iter_mut()
        .map(|suite| Some(replace(suite, gates.clone(), name.clone())))
        .collect())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(told)?;
    let limit = LIMIT_BYTES as u64;
    file.take(limit + 1).read_to_end(&mut text).map_err(told)?;
    if text.len() > LIMIT_BYTES {
        return Err(format!(
            "{}: larger than {} MiB",
            path.display(),
            LIMIT_BYTES >> 20
        ));
    }
    Ok(text)
}

/// Puts the base branch's gates in the place of each suite's own. Where the branch has no such file the suite's own
/// decide for want of others, which the report says; see [`of_baseline`].
///
/// # Errors
/// Gates that are there and can't be read, or a GitHub that does not say, of all suites at once: a lower bar must not
/// come of that.
pub(crate) async fn of_base(suites: &mut [Suite], hub: &mut Hub) -> anyhow::Result<Vec<Option<Policy>>> {
    let Some(target) = hub.target() else {
        // What is evaluated stands on its branch already: its gates are the branch's.
        return Ok(suites.iter().map(|_| None).collect());
    };
    let commit: String = target.base.chars().take(SHORT).collect();
    let (mut policies, mut faults, mut unanswered) = (Vec::new(), Vec::new(), Vec::new());
    for suite in suites {
        match fetch(suite, &target, hub).await {
            Ok(Some((path, text))) => match gates(&path, &text) {
                Ok(gates) => {
                    let from = format!("{path} on {} ({commit})", target.branch);
                    policies.push(Some(replace(suite, gates, from)));
                }
                Err(why) => faults.push(format!("{path} on {} ({commit}): {why}", target.branch)),
            },
            Ok(None) => policies.push(Some(Policy {
                from: format!(
                    "the suite's own file, for want of those of {0} ({0} has no such file)",
                    target.branch
                ),
                own: suite.gates.clone(),
                differs: false,
                own_for_want: true,
            })),
            Err(why) => unanswered.push(format!("{}: {why}", suite.path)),
        }
    }
    if faults.is_empty() && unanswered.is_empty() {
        return Ok(policies);
    }
    if faults.is_empty() {
        return Err(exit::service(format!(
            "the gates of {}, which are to decide, can't be had:\n{}\nnothing was asked; run again, or give \
             --policy-from head",
            target.branch,
            unanswered.join("\n")
        )));
    }
    faults.append(&mut unanswered);
    Err(exit::usage(format!(
        "the gates that are to decide can't be read:\n{}\nmend them there, or give --policy-from head",
        faults.join("\n")
    )))
}

/// What decides where the base branch has no file of that path: the gates that the baseline was held to, which is of the
/// suite's name, so that a file that was moved or renamed does not bring its own bar; the suite's own where it is new.
pub(crate) fn of_baseline(
    suite: &mut Suite,
    want: Policy,
    base: Option<&Earlier>,
    screen: &Screen,
) -> Policy {
    let run = base.and_then(|base| Some((&base.results.suite, base.source.workflow_run?)));
    let Some((before, run)) = run else {
        screen.warn(&format!(
            "{}: the gates that decide are {}",
            suite.path, want.from
        ));
        return want;
    };
    let from = format!(
        "the baseline's run {run}, where {} had the name {}",
        before.path, before.name
    );
    replace(suite, before.gates.clone(), from)
}

/// A suite's file on the base branch; none where there is no such file there.
async fn fetch(suite: &Suite, target: &Target, hub: &mut Hub) -> Result<Option<(String, Vec<u8>)>, String> {
    let Some(path) = hub.in_repository(&suite.path) else {
        return Ok(None);
    };
    let api = hub.api()?;
    let text = hub.ask(api.file(&path, &target.base, LIMIT_BYTES)).await?;
    Ok(text.map(|text| (path, text)))
}

/// A file's gates, whose grammar is right whatever suite they are for.
fn gates(file: &str, text: &[u8]) -> Result<Vec<Gate>, String> {
    let gates = suite::policy(file, text)?;
    let faults: Vec<String> = gate::check(&gates, &gate::Known::nothing())
        .into_iter()
        .filter(|fault| fault.severity == Severity::Error)
        .map(|fault| format!("line {}: {}", fault.place.line, fault.message))
        .collect();
    if faults.is_empty() {
        Ok(gates)
    } else {
        Err(faults.join("\n"))
    }
}

fn replace(suite: &mut Suite, gates: Vec<Gate>, from: String) -> Policy {
    let own = std::mem::replace(&mut suite.gates, gates);
    let said = |gates: &[Gate]| -> Vec<_> {
        let each = gates.iter();
        each.map(|gate| (gate.require.trim().to_owned(), gate.otherwise))
            .collect()
    };
    let differs = said(&own) != said(&suite.gates);
    Policy {
        from,
        own,
        differs,
        own_for_want: false,
    }
}
