//! Traces: judged answers come in, dataset rows come of them, at once for good ones and after a correction in
//! the background for weak ones. The correction knows what the feedback says and nothing else.

use axum::http::StatusCode;
use tokio::time::Instant;

use super::due::{Delays, Event, correction_fails};
use super::{Message, Processing, Trace, World, now};
use crate::emulator::refusal::Refusal;

/// From this score on an answer becomes a row as it is.
const GOOD_SCORE: f64 = 0.7;

/// What the judge writes before the answer it wanted.
pub(crate) const CORRECTION_MARK: &str = "The answer should be:";

/// A trace as it was sent.
#[derive(Debug)]
pub(crate) struct NewTrace {
    pub(crate) project_id: String,
    pub(crate) model_id: String,
    pub(crate) input: String,
    pub(crate) output: String,
    pub(crate) score: Option<f64>,
    pub(crate) feedback: Option<String>,
    pub(crate) conversation_id: Option<String>,
}

/// What came of addToDataset.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Addition {
    /// The row's id.
    Added(String),
    /// The row is being written.
    Queued,
    /// It was added, or is being corrected, already.
    Repeated,
}

impl World {
    /// Keeps a trace; its id.
    pub(crate) fn create_trace(&mut self, new: NewTrace) -> String {
        self.touch();
        let id = self.new_id();
        let project = new.project_id.clone();
        let mut trace = Trace {
            id: id.clone(),
            created_at: now(),
            project_id: new.project_id,
            model_id: new.model_id,
            input: new.input,
            output: new.output,
            score: new.score,
            feedback: new.feedback,
            conversation_id: new.conversation_id,
            added_to_dataset: false,
            datapoint_id: None,
            processing_status: Processing::None,
            additions: 0,
            stands: Vec::new(),
        };
        trace.turn(true, |_| {});
        let place = self.traces.insert(trace);
        if let Some(project) = self.projects.get_mut(&project) {
            project.traces.push(place);
        }
        id
    }

    /// Makes a row of a trace, now or after a correction.
    pub(crate) fn add_to_dataset(&mut self, id: &str, delays: &Delays) -> Result<Addition, Refusal> {
        let seed = self.seed;
        let trace = self
            .traces
            .get_mut(id)
            .ok_or_else(|| Refusal::missing("trace", id))?;
        if trace.added_to_dataset || trace.processing_status == Processing::UnderWay {
            return Ok(Addition::Repeated);
        }
        let project = self
            .projects
            .get_mut(&trace.project_id)
            .filter(|project| !project.datasets.is_empty())
            .ok_or_else(|| Refusal::new(StatusCode::CONFLICT, "the trace's project has no dataset"))?;
        trace.additions += 1;
        let good = trace.score.is_some_and(|score| score >= GOOD_SCORE);
        if !good {
            trace.turn(false, |trace| trace.processing_status = Processing::UnderWay);
            project.processing += 1;
            let fails = correction_fails(seed, trace, delays);
            let event = Event::Corrected {
                trace: id.to_owned(),
                fails,
            };
            self.due.at(Instant::now() + delays.correction, event);
            self.touch();
            return Ok(Addition::Queued);
        }
        let output = trace.output.clone();
        let row = self
            .row_of_trace(id, &output)
            .ok_or_else(|| Refusal::missing("trace", id))?;
        Ok(Addition::Added(row))
    }

    /// Writes the row of a trace with the given answer; its id.
    fn row_of_trace(&mut self, id: &str, output: &str) -> Option<String> {
        let trace = self.traces.get(id)?;
        let project = self.projects.get(&trace.project_id)?;
        // The dataset of the model that answered; of a model without an alias, the project's first.
        let name = &trace.model_id;
        let alias = project
            .aliases
            .iter()
            .find(|alias| alias.name == *name || alias.model_id == *name);
        let dataset = alias
            .map(|alias| &alias.dataset_id)
            .or(project.datasets.first())?
            .clone();
        let messages = vec![
            Message::new("user", &trace.input),
            Message::new("assistant", output),
        ];
        let row = self.add_row(&dataset, messages, "uncategorized", Some(id));
        let trace = self.traces.get_mut(id)?;
        trace.turn(false, |trace| {
            trace.added_to_dataset = true;
            trace.processing_status = Processing::None;
        });
        trace.datapoint_id = Some(row.clone());
        Some(row)
    }

    /// The end of a correction.
    pub(super) fn finish_correction(&mut self, id: &str, fails: bool) {
        let Some(trace) = self.traces.get_mut(id) else {
            return;
        };
        if trace.processing_status != Processing::UnderWay {
            return;
        }
        if let Some(project) = self.projects.get_mut(&trace.project_id) {
            project.processing = project.processing.saturating_sub(1);
        }
        if fails {
            trace.turn(false, |trace| trace.processing_status = Processing::Failed);
            return;
        }
        let improved = trace.feedback.as_deref().and_then(correction);
        let output = improved.unwrap_or(&trace.output).to_owned();
        if self.row_of_trace(id, &output).is_none()
            && let Some(trace) = self.traces.get_mut(id)
        {
            trace.turn(false, |trace| trace.processing_status = Processing::Failed);
        }
    }
}

/// The answer that a feedback asks for, if it says so.
fn correction(feedback: &str) -> Option<&str> {
    let (_, wanted) = feedback.split_once(CORRECTION_MARK)?;
    let ends = ["\n\nReasoning:", CORRECTION_MARK].map(|end| wanted.find(end).unwrap_or(wanted.len()));
    let wanted = &wanted[..ends.into_iter().min()?];
    Some(wanted.trim()).filter(|wanted| !wanted.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_is_what_the_feedback_asks_for() {
        let feedback =
            "check failed\n\nWrong. The answer should be: unsafe\nS1\n\nReasoning: the words differ";
        assert_eq!(correction(feedback), Some("unsafe\nS1"));
        assert_eq!(correction("The answer should be: 17"), Some("17"));
        let twice = "The answer should be: 17\nThe answer should be: 18";
        assert_eq!(correction(twice), Some("17"));
        assert_eq!(correction("good"), None);
        assert_eq!(correction("The answer should be:\n\nReasoning: none"), None);
    }
}
