//! Answers and their scores → the traces to write. Decides who is left out: held-out cases, answers
//! that nobody scored, answers of another day, and a second one of the same answer to the same question.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::record::{PlannedWrite, Record, TraceRecord, TraceState, Traces};
use super::run::Settings;
use crate::studio::{NewTrace, fit_feedback};

/// One answer of the evaluation, with what its trace would carry.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The case's id.
    pub case: String,
    /// The sample's index.
    pub sample: u32,
    /// Whether the case is held out.
    pub holdout: bool,
    /// Whether the answer is another day's, from the cache: the run that asked for it may have traced it.
    pub cached: bool,
    /// The question as the trace carries it.
    pub input: String,
    /// The answer's text, where a usable one came.
    pub output: Option<String>,
    /// 0..1; absent when nobody scored the answer.
    pub score: Option<f64>,
    /// What the judge or the checks tell the model.
    pub feedback: String,
    /// Why the score was given.
    pub reasoning: String,
}

/// A trace to be written, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    pub(super) case: String,
    pub(super) sample: u32,
    pub(super) trace: NewTrace,
}

/// Sorts the answers into traces and counts of what is left out.
pub(super) fn plan(answers: Vec<Answer>) -> (Vec<Planned>, Traces) {
    let mut counts = Traces::default();
    let mut planned: Vec<Planned> = Vec::new();
    let mut seen: HashSet<(String, String)> = HashSet::new();
    let held_out: HashSet<String> = answers
        .iter()
        .filter(|a| a.holdout)
        .map(|a| a.input.trim().to_owned())
        .collect();
    for answer in answers {
        // Another case with a held-out prompt would train on it all the same.
        if answer.holdout || held_out.contains(answer.input.trim()) {
            counts.holdout += 1;
            continue;
        }
        let (Some(output), Some(score)) = (answer.output, answer.score) else {
            counts.unscored += 1;
            continue;
        };
        if answer.cached {
            counts.cached += 1;
            continue;
        }
        // A trace is known by its words: of two with the same ones a lost answer could not be told from the other's.
        if !seen.insert((answer.input.trim().to_owned(), output.trim().to_owned())) {
            counts.repeated += 1;
            continue;
        }
        counts.planned += 1;
        let feedback = fit_feedback(&answer.feedback, &answer.reasoning);
        let trace = NewTrace {
            input: answer.input,
            output,
            score,
            feedback,
        };
        planned.push(Planned {
            case: answer.case,
            sample: answer.sample,
            trace,
        });
    }
    (planned, counts)
}

/// What a dry run shows in place of writing it, in the walkthrough's form, and how many traces are among it: what
/// `record` holds of an earlier part is not written again. `trains`: the gates let a job be launched.
pub(super) fn dry_run(
    planned: &[Planned],
    settings: &Settings,
    dataset: &str,
    trains: bool,
    record: &Record,
) -> (usize, Vec<PlannedWrite>) {
    let write = |call: &str, body: Value| PlannedWrite {
        call: call.to_owned(),
        body,
    };
    let earlier: HashMap<(&str, u32), &TraceRecord> = record
        .written
        .iter()
        .map(|t| ((t.case.as_str(), t.sample), t))
        .collect();
    let (mut writes, mut additions) = (Vec::new(), Vec::new());
    for p in planned {
        let before = earlier.get(&(p.case.as_str(), p.sample));
        let addition = json!({ "case": p.case, "sample": p.sample });
        match before.map(|t| (t.state, t.trace_id.is_some())) {
            None | Some((TraceState::NotSent | TraceState::Failed, false)) => {
                let t = &p.trace;
                let body = json!({
                    "project_id": settings.project, "model_id": settings.model, "input": t.input,
                    "output": t.output, "score": t.score, "feedback": t.feedback,
                });
                writes.push(write("create trace", body));
                additions.push(write("add to dataset", addition));
            }
            Some((TraceState::Written | TraceState::Failed, true)) => {
                additions.push(write("add to dataset", addition));
            }
            Some(_) => {}
        }
    }
    let traces = writes.len();
    writes.append(&mut additions);
    let snapshot = record.snapshot_id.as_deref();
    if trains && snapshot.is_none() {
        let split = settings.cycle.split_percentage;
        writes.push(write(
            "create snapshot",
            json!({ "dataset_id": dataset, "split_percentage": split }),
        ));
    }
    let snapshot = snapshot.unwrap_or("(the snapshot's)");
    if trains {
        writes.push(write(
            "generate recommendations",
            json!({ "snapshot_id": snapshot }),
        ));
    }
    if trains && !settings.no_launch {
        let body = json!({
            "snapshot_id": snapshot, "name": settings.job_name, "experiments": "(the recommended ones)",
        });
        writes.push(write("create job", body));
    }
    (traces, writes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(case: &str, sample: u32, output: Option<&str>, score: Option<f64>) -> Answer {
        Answer {
            case: case.into(),
            sample,
            holdout: false,
            cached: false,
            input: format!("question of {case}"),
            output: output.map(Into::into),
            score,
            feedback: "feedback".into(),
            reasoning: "reasoning".into(),
        }
    }

    #[test]
    fn holdout_and_unscored_answers_are_never_traced() {
        let mut held = answer("held", 0, Some("a"), Some(1.0));
        held.holdout = true;
        let (planned, counts) = plan(vec![
            held,
            answer("unscored", 0, Some("a"), None),
            answer("ok", 0, Some("a"), Some(0.0)),
        ]);
        assert_eq!(
            planned.iter().map(|p| p.case.as_str()).collect::<Vec<_>>(),
            ["ok"]
        );
        assert_eq!((counts.planned, counts.holdout, counts.unscored), (1, 1, 1));
        assert_eq!(planned[0].trace.score, 0.0);
    }

    #[test]
    fn an_answer_of_another_day_is_never_traced_again() {
        let mut cached = answer("a", 0, Some("same"), Some(0.5));
        cached.cached = true;
        // It is no reason to leave out the same answer of today.
        let today = answer("a", 1, Some("same"), Some(0.5));
        let (planned, counts) = plan(vec![cached, today]);
        assert_eq!(planned.iter().map(|p| p.sample).collect::<Vec<_>>(), [1]);
        assert_eq!((counts.planned, counts.cached, counts.repeated), (1, 1, 0));
    }

    #[test]
    fn a_case_with_a_held_out_prompt_is_held_out_too() {
        let mut held = answer("held", 0, Some("a"), Some(1.0));
        held.holdout = true;
        let mut twin = answer("twin", 0, Some("b"), Some(0.5));
        twin.input = format!(" {}\n", held.input);
        let (planned, counts) = plan(vec![twin, held]);
        assert_eq!((planned.len(), counts.holdout), (0, 2));
    }

    #[test]
    fn the_same_answer_to_the_same_question_is_traced_once() {
        let mut twin = answer("c", 0, Some(" same\n"), Some(0.8));
        twin.input = "question of a".into();
        let (planned, counts) = plan(vec![
            answer("a", 0, Some("same"), Some(0.5)),
            answer("a", 1, Some("same"), Some(0.6)),
            answer("b", 0, Some("same"), Some(0.7)),
            twin,
        ]);
        assert_eq!(planned.len(), 2);
        assert_eq!((counts.planned, counts.repeated), (2, 2));
    }
}
