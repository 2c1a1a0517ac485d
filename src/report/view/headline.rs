//! Decision, the cycle's outcome and an early end → the one line that says what happened, and what to do.

use crate::cycle;
use crate::gate::{Decision, GateVerdict, Outcome};
use crate::report::Record;

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
}

impl<'a> Headline<'a> {
    pub(in crate::report) fn new(record: &'a Record) -> Headline<'a> {
        let stopped = record.results.run.stopped.as_ref();
        let outcome = record.cycle.as_ref().map(|cycle| cycle.outcome);
        let (tone, title) = match (stopped, record.verdict.decision) {
            (Some(_), _) if outcome != Some(cycle::Outcome::Launched) => {
                (Tone::Bad, "stopped before every case was asked")
            }
            (_, decision) => title(decision, outcome),
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
        let job = record.cycle.as_ref().and_then(|cycle| cycle.job_id.as_deref());
        let job = job.filter(|id| !reasons.iter().any(|reason| reason.contains(id)));
        Headline {
            tone,
            title,
            reasons,
            job,
            next: next(record, outcome),
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

fn next(record: &Record, outcome: Option<cycle::Outcome>) -> Option<&'static str> {
    let unmet = |g: &GateVerdict| g.applicable && g.outcome != Outcome::Pass;
    match record.verdict.decision {
        _ if record.results.run.stopped.is_some() => None,
        Decision::Pass if outcome == Some(cycle::Outcome::Launched) => {
            Some("Run the suite against the job's model once it has finished.")
        }
        Decision::Pass | Decision::Hold => None,
        Decision::Fail if !record.verdict.vetoes.is_empty() => {
            Some("Start with the critical cases that failed; they are among the weakest cases below.")
        }
        Decision::Fail => Some("Start with the weakest cases below."),
        Decision::Inconclusive if record.figures.overall.unscored > 0 => {
            Some("See what went wrong below, and run again.")
        }
        Decision::Inconclusive if record.verdict.gates.iter().any(unmet) => {
            Some("See the reason at each open gate below.")
        }
        Decision::Inconclusive => None,
    }
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
    fn an_early_end_is_told_before_the_verdict() {
        let record = fixtures::stopped();
        let headline = Headline::new(&record);
        assert_eq!(headline.tone, Tone::Bad);
        assert!(headline.title.starts_with("stopped"));
        assert!(headline.reasons[0].contains("PREMAI_API_KEY"));
    }
}
