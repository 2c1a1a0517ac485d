//! Decision, the cycle's outcome and an early end → the one line that says what happened, and what to do.

use crate::cycle;
use crate::gate::{Decision, GateVerdict, Outcome};
use crate::report::Record;
use crate::report::text::plural;
use crate::report::view::cached::told;
use crate::report::view::{interrupted, word};
use crate::results::{Run, StopKind};

/// How the line is to be felt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Tone {
    Good,
    /// Nothing is wrong, and nothing was launched.
    Held,
    Bad,
    /// It can't be said.
    Unsure,
}

/// How a reason says that the run can be taken up again.
const GOES_ON: &str = "; the same command goes on from here";

/// The verdict line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Headline<'a> {
    pub tone: Tone,
    /// What happened, in our own words.
    pub title: &'static str,
    /// Why, as gate, cycle or evaluation say it: without repeats.
    pub reasons: Vec<&'a str>,
    /// The launched job, where no reason names it.
    pub job: Option<&'a str>,
    /// What to do, where the reasons do not say it; in our own words.
    pub next: Option<&'static str>,
    /// That the run was taken up again, and with what; in our own words, but for the time.
    pub resumed: Option<String>,
    /// How much of it is from another day; in our own words, but for the time.
    pub cached: Option<String>,
}

impl<'a> Headline<'a> {
    pub(in crate::report) fn new(record: &'a Record) -> Headline<'a> {
        let stopped = record.results.run.stopped.as_ref();
        let outcome = record.cycle.as_ref().map(|cycle| cycle.outcome);
        let decision = record.verdict.decision;
        let (tone, title) = match stopped {
            Some(stopped) if outcome != Some(cycle::Outcome::Launched) => {
                title_of_part(stopped.kind, decision, outcome)
            }
            _ if record.cycle.as_ref().is_some_and(interrupted) => title_of_interrupted(decision),
            _ if record.results.run.shard.is_some() => (Tone::Held, "evaluated, to be merged"),
            _ => title(decision, outcome),
        };
        let said = [
            stopped.map(|s| s.message.as_str()),
            Some(record.verdict.reason.as_str()),
            record.cycle.as_ref().map(|cycle| cycle.reason.as_str()),
        ];
        let mut reasons: Vec<&str> = Vec::new();
        for reason in said.into_iter().flatten().filter(|r| !r.trim().is_empty()) {
            if !reasons.iter().any(|r| r.contains(reason)) {
                reasons.push(reason);
            }
        }
        say_once(&mut reasons);
        let job = record.cycle.as_ref().and_then(|cycle| cycle.job_id.as_deref());
        let job = job.filter(|id| !reasons.iter().any(|reason| reason.contains(id)));
        let next = next(record, &reasons);
        Headline {
            tone,
            title,
            reasons,
            job,
            next,
            resumed: resumed(&record.results.run),
            cached: record.results.run.cached.as_ref().map(told),
        }
    }
}

/// Of several reasons the last one says that the same command goes on.
fn say_once(reasons: &mut [&str]) {
    let Some(last) = reasons.iter().rposition(|reason| reason.contains(GOES_ON)) else {
        return;
    };
    for reason in &mut reasons[..last] {
        *reason = reason.strip_suffix(GOES_ON).unwrap_or(reason);
    }
}

/// The title of a cycle that was interrupted behind a whole evaluation.
fn title_of_interrupted(decision: Decision) -> (Tone, &'static str) {
    let title = match decision {
        Decision::Pass => "passed, then interrupted",
        Decision::Hold => "held, then interrupted",
        Decision::Fail => "failed, then interrupted",
        Decision::Inconclusive => "inconclusive, then interrupted",
    };
    (Tone::Bad, title)
}

/// The title of an evaluation that ended early.
fn title_of_part(
    kind: StopKind,
    decision: Decision,
    outcome: Option<cycle::Outcome>,
) -> (Tone, &'static str) {
    use cycle::Outcome as Cycle;
    match (kind, decision, outcome) {
        (StopKind::Interrupted, Decision::Fail, _) => (Tone::Bad, "interrupted, failed so far"),
        (StopKind::Interrupted, ..) => (Tone::Bad, "interrupted"),
        (StopKind::Deadline | StopKind::Budget, Decision::Fail, _) => (Tone::Bad, "failed, and incomplete"),
        (StopKind::Deadline | StopKind::Budget, _, None) => (Tone::Unsure, "incomplete"),
        (StopKind::Deadline | StopKind::Budget, _, Some(Cycle::Stopped)) => {
            (Tone::Bad, "incomplete, and the cycle stopped")
        }
        (StopKind::Deadline | StopKind::Budget, _, Some(Cycle::DryRun)) => {
            (Tone::Unsure, "incomplete, dry run: nothing was sent")
        }
        (StopKind::Deadline | StopKind::Budget, _, Some(_)) => (Tone::Unsure, "incomplete, nothing launched"),
        (StopKind::Unauthorized | StopKind::Unavailable | StopKind::Unrecorded, ..) => {
            (Tone::Bad, "stopped before every case was asked")
        }
    }
}

fn title(decision: Decision, outcome: Option<cycle::Outcome>) -> (Tone, &'static str) {
    use cycle::Outcome as Cycle;
    match (decision, outcome) {
        (Decision::Pass, None) => (Tone::Good, "passed"),
        (Decision::Pass, Some(Cycle::Launched)) => (Tone::Good, "passed, fine-tuning job launched"),
        (Decision::Pass, Some(Cycle::NotLaunched)) => (Tone::Good, "passed, ready to launch"),
        (Decision::Pass, Some(Cycle::Held)) => (Tone::Held, "passed, nothing launched"),
        (Decision::Pass, Some(Cycle::Stopped)) => (Tone::Bad, "passed, but the cycle stopped"),
        (Decision::Pass, Some(Cycle::DryRun)) => (Tone::Good, "passed, dry run: nothing was sent"),
        (Decision::Hold, Some(Cycle::Stopped)) => (Tone::Bad, "held, and the cycle stopped"),
        (Decision::Hold, Some(Cycle::DryRun)) => (Tone::Held, "held, dry run: nothing was sent"),
        (Decision::Hold, Some(Cycle::Launched)) => (Tone::Bad, "held, and yet a job was launched"),
        (Decision::Hold, _) => (Tone::Held, "held, nothing launched"),
        (Decision::Fail, None) => (Tone::Bad, "failed"),
        (Decision::Fail, Some(Cycle::Launched)) => (Tone::Bad, "failed, and yet a job was launched"),
        (Decision::Fail, Some(Cycle::Stopped)) => (Tone::Bad, "failed, and the cycle stopped"),
        (Decision::Fail, Some(Cycle::DryRun)) => (Tone::Bad, "failed, dry run: nothing was sent"),
        (Decision::Fail, Some(_)) => (Tone::Bad, "failed, nothing launched"),
        (Decision::Inconclusive, None) => (Tone::Unsure, "inconclusive"),
        (Decision::Inconclusive, Some(Cycle::Launched)) => {
            (Tone::Bad, "inconclusive, and yet a job was launched")
        }
        (Decision::Inconclusive, Some(Cycle::Stopped)) => (Tone::Bad, "inconclusive, and the cycle stopped"),
        (Decision::Inconclusive, Some(Cycle::DryRun)) => {
            (Tone::Unsure, "inconclusive, dry run: nothing was sent")
        }
        (Decision::Inconclusive, Some(_)) => (Tone::Unsure, "inconclusive, nothing launched"),
    }
}

fn next(record: &Record, reasons: &[&str]) -> Option<&'static str> {
    let untold = |g: &GateVerdict| {
        g.applicable && g.outcome != Outcome::Pass && !reasons.iter().any(|reason| reason.contains(&g.reason))
    };
    let all = &record.figures.overall;
    let outcome = record.cycle.as_ref().map(|cycle| cycle.outcome);
    match record.verdict.decision {
        _ if goes_on(record) && !reasons.iter().any(|reason| reason.contains("the same command")) => {
            Some("The same command goes on from here.")
        }
        _ if record.results.run.stopped.is_some() => None,
        Decision::Pass if outcome == Some(cycle::Outcome::Launched) => {
            Some("Run the suite against the job's model once it has finished.")
        }
        Decision::Pass | Decision::Hold => None,
        Decision::Fail if !record.verdict.vetoes.is_empty() => {
            Some("Start with the critical cases that failed; they are among the weakest cases below.")
        }
        Decision::Fail if only_drops(record) => Some("Start with the cases that fell, below."),
        Decision::Fail => Some("Start with the weakest cases below."),
        Decision::Inconclusive if all.errors > 0 => Some(
            "See what went wrong below; the same command asks for what is missing, and for nothing twice.",
        ),
        Decision::Inconclusive if all.unscored > 0 => Some("See what went wrong below, and run again."),
        Decision::Inconclusive if record.verdict.gates.iter().any(untold) => {
            Some("See the reason at each open gate below.")
        }
        Decision::Inconclusive => None,
    }
}

/// Whether the figures themselves are good enough, and nothing failed but their drop.
fn only_drops(record: &Record) -> bool {
    let compares = record
        .comparison
        .as_ref()
        .is_some_and(|comparison| comparison.incomparable.is_none());
    let mut failed = record
        .verdict
        .gates
        .iter()
        .filter(|gate| gate.applicable && gate.outcome == Outcome::Fail && word(&gate.otherwise) == "fail")
        .peekable();
    compares && failed.peek().is_some() && failed.all(|gate| gate.require.trim_start().starts_with("drop"))
}

/// Whether the run has something to go on from, once its cause is mended.
fn goes_on(record: &Record) -> bool {
    let stopped = record.results.run.stopped.as_ref().map(|s| s.kind);
    let wrote = record.cycle.as_ref().is_some_and(|cycle| {
        cycle.outcome == cycle::Outcome::Stopped && (cycle.traces.written > 0 || !cycle.unknown.is_empty())
    });
    wrote || matches!(stopped, Some(StopKind::Unauthorized | StopKind::Unrecorded))
}

/// `taken up again once: 12 answers and 30 judgements kept from an earlier attempt, which began at …`
fn resumed(run: &Run) -> Option<String> {
    let times = match run.resumed {
        0 => return None,
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    };
    let kept = match (run.kept.answers, run.kept.judgements) {
        (0, _) => "nothing was kept".to_owned(),
        (answers, 0) => format!("{} kept", plural(answers, "answer", "answers")),
        (answers, judgements) => format!(
            "{} and {} kept",
            plural(answers, "answer", "answers"),
            plural(judgements, "judgement", "judgements")
        ),
    };
    Some(format!(
        "taken up again {times}: {kept} from before; the first attempt began at {}",
        run.started_at
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    #[test]
    fn a_reason_that_is_said_already_is_not_repeated() {
        let mut record = fixtures::failing();
        let reason = record.verdict.reason.clone();
        if let Some(cycle) = &mut record.cycle {
            cycle.reason = reason;
        }
        assert_eq!(Headline::new(&record).reasons.len(), 1);
    }

    #[test]
    fn that_the_same_command_goes_on_is_said_once() {
        let mut record = fixtures::incomplete();
        let mut cycle = fixtures::passing().cycle.unwrap();
        cycle.outcome = cycle::Outcome::Stopped;
        cycle.job_id = None;
        cycle.reason = "interrupted; left: no snapshot yet; the same command goes on from here".to_owned();
        record.cycle = Some(cycle);
        let times = |record: &Record| {
            let headline = Headline::new(record);
            let said: Vec<&str> = headline.reasons.into_iter().chain(headline.next).collect();
            said.join("\n").to_lowercase().matches("the same command").count()
        };
        assert_eq!(times(&record), 1);
        record.results.run.stopped = None;
        assert_eq!(times(&record), 1);
        record.cycle.as_mut().unwrap().reason = "create snapshot: server error (500)".to_owned();
        assert_eq!(times(&record), 1);
        // Nothing to go on from.
        record.cycle.as_mut().unwrap().traces.written = 0;
        record.figures.overall.errors = 0;
        assert_eq!(times(&record), 0);
    }

    #[test]
    fn an_interrupted_cycle_is_not_told_as_a_fault() {
        let mut record = fixtures::passing();
        let cycle = record.cycle.as_mut().unwrap();
        cycle.outcome = cycle::Outcome::Stopped;
        cycle.reason = "interrupted; left: no snapshot yet; the same command goes on from here".to_owned();
        assert_eq!(Headline::new(&record).title, "passed, then interrupted");
    }

    #[test]
    fn a_launch_is_never_hidden_by_the_decision() {
        let mut record = fixtures::passing();
        for decision in [
            Decision::Hold,
            Decision::Fail,
            Decision::Inconclusive,
            Decision::Pass,
        ] {
            record.verdict.decision = decision;
            assert!(Headline::new(&record).title.contains("launched"), "{decision:?}");
            assert_eq!(
                Headline::new(&record).tone == Tone::Good,
                decision == Decision::Pass
            );
        }
    }

    #[test]
    fn what_is_left_is_said_once() {
        let headline = fixtures::incomplete();
        let headline = Headline::new(&headline);
        assert_eq!((headline.tone, headline.title), (Tone::Unsure, "incomplete"));
        assert_eq!(headline.reasons.len(), 1, "{:?}", headline.reasons);
    }

    #[test]
    fn an_end_in_order_never_hides_a_failure() {
        for kind in [StopKind::Budget, StopKind::Deadline, StopKind::Interrupted] {
            let mut record = fixtures::incomplete();
            record.results.run.stopped.as_mut().unwrap().kind = kind;
            record.verdict.decision = Decision::Fail;
            let headline = Headline::new(&record);
            assert_eq!(headline.tone, Tone::Bad);
            assert!(headline.title.contains("failed"), "{}", headline.title);
        }
    }

    #[test]
    fn a_run_that_was_taken_up_again_says_so() {
        let mut run = fixtures::incomplete().results.run;
        let told = |run: &Run| resumed(run).unwrap_or_default();
        assert_eq!(
            told(&run),
            "taken up again twice: 1 answer and 1 judgement kept from before; the first attempt began at \
             2026-11-22T02:15:04Z"
        );
        run.resumed = 3;
        run.kept.judgements = 0;
        assert!(told(&run).starts_with("taken up again 3 times: 1 answer kept from before"));
        run.resumed = 1;
        run.kept.answers = 0;
        assert!(told(&run).starts_with("taken up again once: nothing was kept from before"));
        run.resumed = 0;
        assert_eq!(resumed(&run), None);
    }

    #[test]
    fn an_early_end_is_told_before_the_verdict() {
        let record = fixtures::stopped();
        let headline = Headline::new(&record);
        assert_eq!(headline.tone, Tone::Bad);
        assert!(headline.title.starts_with("stopped"));
        assert!(headline.reasons[0].contains("PREMAI_API_KEY"));
    }
}
