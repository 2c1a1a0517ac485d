//! One reading of the project's traces before anything is written: which answers the service has already, which
//! holdout prompts stand there, and what is new when it is asked again later.

use std::collections::{HashMap, HashSet};

use super::halt::Halt;
use super::journal::{Before, Fact, Standing, Write};
use super::plan::Planned;
use super::record::{Leak, StepState};
use super::run::Cycle;
use crate::studio::{Failure, FailureKind, Processing, Trace, TracePage};

const STEP: &str = "survey";

/// Pages of traces that are read at the most.
const PAGES: u32 = 1_000;

/// Two texts that differ only in the white space around them are the same.
pub(super) fn words<'t>(input: &'t str, output: &'t str) -> (&'t str, &'t str) {
    (input.trim(), output.trim())
}

/// What stood there before this run's first write.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The ids on the newest page before anything in doubt was sent: what is asked for stands before them. None where the
    /// list does not come newest first.
    pub(super) newest: HashSet<String>,
    /// Traces with an answer's words that are not of this run: another model's.
    pub(super) strangers: HashSet<String>,
    /// The service has no list of traces: nothing can be asked for.
    pub(super) unlisted: Option<Failure>,
}

/// What the service holds of an answer that this run has not written.
struct Held {
    trace: String,
    row: bool,
    processing: bool,
}

/// Reads the list. What it finds of the plan is noted in the journal and in the cycle's history.
///
/// # Errors
/// Where the list can't be read just now: without it an answer could be written twice.
pub(super) async fn survey(
    cycle: &mut Cycle<'_>,
    planned: &[Planned],
    before: Before,
) -> Result<Survey, Halt> {
    let began = cycle.begin(STEP, None);
    let mut reading = Reading::new(cycle, planned);
    let mut all = false;
    for page in 1..=PAGES {
        let listed = match cycle.studio.traces(&cycle.settings.project, None, page).await {
            Ok(listed) => listed,
            // 408 says that there was no time for it, not that there is none.
            Err(failure) if failure.kind == FailureKind::Rejected && failure.status != Some(408) => {
                let detail = format!(
                    "the project's traces can't be listed, so nothing is compared with them: {failure}"
                );
                cycle.end(began, StepState::Failed, None, detail);
                note_before(cycle, before)?;
                return Ok(Survey {
                    unlisted: Some(failure),
                    ..Survey::default()
                });
            }
            Err(failure) => {
                cycle.end(began, StepState::Failed, None, failure.to_string());
                return Err(Halt::of(&failure).unwrap_or_else(|| {
                    Halt::stopped(format!(
                        "{failure}: without the list of traces an answer could be written twice, so nothing was; \
                         the same command goes on from here"
                    ))
                }));
            }
        };
        all = reading.take(page, listed);
        if all {
            break;
        }
    }
    let Reading {
        looked_at,
        newest,
        ordered,
        held,
        strangers,
        mut leaks,
        ..
    } = reading;
    leaks.sort_by(|a, b| (&a.case, &a.trace_id).cmp(&(&b.case, &b.trace_id)));
    leaks.dedup();
    let known = held.values().filter(|held| held.row).count();
    let mut detail = format!(
        "{}{looked_at} traces looked at",
        if all { "" } else { "the newest " }
    );
    if !cycle.settings.holdouts.is_empty() {
        detail.push_str(&match leaks.len() {
            0 => ", no holdout prompt among them".to_owned(),
            n => format!(", {n} times a holdout prompt among them"),
        });
    }
    if known > 0 {
        detail.push_str(&format!(", {known} answers are in the dataset already"));
    }
    cycle.record.leaks = leaks;
    let strangers: HashSet<String> = match &cycle.history.before {
        Some(before) => before.traces.iter().cloned().collect(),
        None => strangers,
    };
    let doubted = cycle
        .history
        .traces
        .values()
        .any(|t| matches!(t.trace, Standing::InDoubt(_)));
    let earlier = cycle.history.before.as_ref().map(|before| before.newest.clone());
    let newest = match earlier.filter(|_| doubted) {
        Some(earlier) => earlier.into_iter().collect(),
        None if doubted || !ordered => HashSet::new(),
        None => newest,
    };
    note_before(
        cycle,
        Before {
            traces: strangers.iter().cloned().collect(),
            newest: newest.iter().cloned().collect(),
            ..before
        },
    )?;
    for (place, held) in held {
        adopt(cycle, &planned[place], held)?;
    }
    cycle.end(began, StepState::Done, None, detail);
    Ok(Survey {
        newest: if ordered { newest } else { HashSet::new() },
        strangers,
        unlisted: None,
    })
}

/// Once a run, and once more where it goes on after it had ended: what stands there now is what is not ours.
fn note_before(cycle: &mut Cycle<'_>, before: Before) -> Result<(), Halt> {
    if (cycle.history.before.is_none() || cycle.history.reopened) && !cycle.settings.dry_run {
        let fact = Fact::Before(before);
        cycle.journal.note(&fact)?;
        cycle.history.hear(fact);
    }
    Ok(())
}

/// An answer that the service has is not written again: at the most it is added.
fn adopt(cycle: &mut Cycle<'_>, planned: &Planned, held: Held) -> Result<(), Halt> {
    let (case, sample) = (planned.case.clone(), planned.sample);
    let entry = cycle.history.traces.entry((case.clone(), sample)).or_default();
    let sent = matches!(entry.trace, Standing::InDoubt(_));
    entry.trace = Standing::Done(held.trace.clone());
    // One that this run sent is its own: whether it is a row is asked when it is added.
    let row = held.row && !sent;
    entry.already = row;
    if held.processing {
        entry.row = Standing::Done("queued".to_owned());
    }
    if cycle.settings.dry_run {
        return Ok(());
    }
    cycle.journal.note(&Fact::Known {
        case: case.clone(),
        sample,
        trace: held.trace,
        row,
    })?;
    if held.processing {
        cycle.journal.note(&Fact::Done {
            write: Write::Row { case, sample },
            made: "queued".to_owned(),
        })?;
    }
    Ok(())
}

/// The list, as it is read page by page.
struct Reading<'p> {
    /// The places of the answers that are not written, by their words.
    /// With each whether this run may have written it.
    wanted: HashMap<(&'p str, &'p str), (usize, bool)>,
    holdouts: HashMap<&'p str, Vec<&'p str>>,
    model: &'p str,
    /// A later process of a run: what was another's is known.
    not_ours: Option<HashSet<String>>,
    looked_at: u64,
    newest: HashSet<String>,
    ordered: bool,
    last: Option<String>,
    held: HashMap<usize, Held>,
    strangers: HashSet<String>,
    leaks: Vec<Leak>,
}

impl<'p> Reading<'p> {
    fn new(cycle: &Cycle<'p>, planned: &'p [Planned]) -> Reading<'p> {
        let open = planned.iter().enumerate().filter_map(|(at, p)| {
            let history = cycle.history.traces.get(&(p.case.clone(), p.sample));
            match history.map(|h| &h.trace) {
                Some(Standing::Done(_)) => None,
                Some(Standing::InDoubt(_)) => Some((words(&p.trace.input, &p.trace.output), (at, true))),
                Some(Standing::Open) | None => Some((words(&p.trace.input, &p.trace.output), (at, false))),
            }
        });
        let mut holdouts: HashMap<&str, Vec<&str>> = HashMap::new();
        let settings = cycle.settings;
        for (case, prompt) in &settings.holdouts {
            holdouts.entry(prompt.trim()).or_default().push(case);
        }
        let before = cycle.history.before.as_ref();
        Reading {
            wanted: open.collect(),
            holdouts,
            model: &settings.model,
            not_ours: before.map(|before| before.traces.iter().cloned().collect()),
            looked_at: 0,
            newest: HashSet::new(),
            ordered: true,
            last: None,
            held: HashMap::new(),
            strangers: HashSet::new(),
            leaks: Vec::new(),
        }
    }

    /// Takes a page in. True: there are no more.
    fn take(&mut self, page: u32, listed: TracePage) -> bool {
        let end = listed.traces.is_empty();
        self.looked_at += listed.traces.len() as u64;
        for trace in listed.traces {
            if page == 1 {
                self.newest.insert(trace.id.clone());
            }
            // Only a list that is seen to come newest first may be left early later.
            match (&self.last, &trace.created_at) {
                (_, None) => self.ordered = false,
                (Some(last), Some(now)) if now > last => self.ordered = false,
                (_, Some(now)) => self.last = Some(now.clone()),
            }
            for case in self.holdouts.get(trace.input.trim()).into_iter().flatten() {
                self.leaks.push(Leak {
                    case: (*case).to_owned(),
                    trace_id: trace.id.clone(),
                    added_to_dataset: trace.added_to_dataset,
                });
            }
            self.compare(trace);
        }
        end || listed.total.is_some_and(|total| self.looked_at >= total)
    }

    fn compare(&mut self, trace: Trace) {
        let Some((place, doubted)) = self.wanted.get(&words(&trace.input, &trace.output)) else {
            return;
        };
        let ours = match &self.not_ours {
            Some(others) => !others.contains(&trace.id),
            // A service may list a model by another name than it was asked by.
            None => *doubted || trace.model_id.as_deref().is_none_or(|model| model == self.model),
        };
        // What the service failed at is written anew, unless it is this run that wrote it.
        let written = *doubted || self.not_ours.is_some();
        if !ours || (trace.processing == Processing::Failed && !written) {
            self.strangers.insert(trace.id);
            return;
        }
        let processing = trace.processing == Processing::Processing;
        // A word that this version does not know is neither a yes nor a no: the trace itself is asked when it is added.
        let idle = trace.processing == Processing::None;
        let held = Held {
            trace: trace.id,
            row: trace.added_to_dataset && idle,
            processing,
        };
        let better = self.held.get(place).is_none_or(|known| !known.row && held.row);
        if better {
            self.held.insert(*place, held);
        }
    }
}
