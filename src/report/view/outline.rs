//! The cases of a record, looked at once → everything that is counted over all of their calls, and
//! their order.

use serde::Deserialize;

use crate::report::Record;
use crate::results::{AnswerOutcome, CallCost, VoteOutcome};

use super::cases::{Ranking, Rows};
use super::cost::{ChatCost, ChatCosts, Cost};
use super::problems::{Problem, Problems};

/// What is counted of a case: nothing of its texts.
#[derive(Deserialize)]
pub(super) struct Outline {
    pub(super) id: String,
    critical: bool,
    pub(super) samples: Vec<SampleOutline>,
}

#[derive(Deserialize)]
pub(super) struct SampleOutline {
    pub(super) outcome: AnswerOutcome,
    #[serde(default)]
    pub(super) detail: Option<String>,
    #[serde(default)]
    pub(super) call: Option<CallCost>,
    pub(super) votes: Vec<VoteOutline>,
}

#[derive(Deserialize)]
pub(super) struct VoteOutline {
    pub(super) outcome: VoteOutcome,
    #[serde(default)]
    pub(super) detail: Option<String>,
    pub(super) calls: Vec<CallCost>,
}

/// What went wrong, what it cost, and the order of the cases.
pub(super) fn look(record: &Record) -> (Vec<Problem>, Cost<'_>, Ranking<'_>) {
    let mut problems = Problems::default();
    let (mut answers, mut judgements) = (ChatCosts::default(), ChatCosts::default());
    let mut rows = Rows::new(record);
    for (at, case) in record.results.cases.parts::<Outline>().enumerate() {
        for sample in &case.samples {
            sample.call.iter().for_each(|call| answers.add(call));
            let calls = sample.votes.iter().flat_map(|vote| &vote.calls);
            calls.for_each(|call| judgements.add(call));
        }
        rows.add(&case.id, case.critical);
        problems.add(at, case);
    }
    let costs: [ChatCost; 2] = [answers.sum(), judgements.sum()];
    (
        problems.told(&record.figures.cases),
        Cost::new(&record.results, costs),
        rows.ranked(),
    )
}
