//! What differs → a document for scripts, of borrowed parts: no text is copied to be written.

use serde::{Serialize, Serializer};

use crate::gate::{Decision, GateVerdict};
use crate::report::Record;
use crate::report::text::cut;
use crate::report::view::{Against, Diff, Flip, Held, Row};
use crate::results::{
    BaselineSource, CaseResult, CasesReader, JudgeRecord, Policy, Sample, Tool, VoteOutcome,
};
use crate::score::{CaseChange, Comparison, sample_score};

/// The version of the document that this build writes.
const VERSION: u32 = 1;
/// Characters of each text that are written.
const TEXT_CHARS: usize = 20_000;

/// The whole document.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    version: u32,
    tool: &'a Tool,
    suite: &'a str,
    head: Side<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<BaseSide<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    without_baseline: Option<&'a str>,
    verdict: Verdict<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a Policy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<&'a Comparison>,
    #[serde(serialize_with = "each")]
    cases: Option<&'a Diff<'a>>,
}

/// One of the two runs.
#[derive(Serialize)]
struct Side<'a> {
    run: &'a str,
    started_at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    model: &'a str,
    emulator: bool,
    complete: bool,
    fingerprint: &'a str,
    judge: &'a JudgeRecord,
}

#[derive(Serialize)]
struct BaseSide<'a> {
    #[serde(flatten)]
    side: Side<'a>,
    source: &'a BaselineSource,
    rejudged: bool,
    /// Absent where the times can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_s: Option<i64>,
    /// Whether its answers and prompts are in `cases`.
    texts: bool,
}

#[derive(Serialize)]
struct Verdict<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    decision: Decision,
    reason: &'a str,
    /// Those of `drop(…)`.
    gates: Vec<&'a GateVerdict>,
}

#[derive(Serialize)]
struct Case<'a> {
    #[serde(flatten)]
    change: &'a CaseChange,
    #[serde(skip_serializing_if = "Option::is_none")]
    flip: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vote_spread: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<Texts<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<Texts<'a>>,
}

/// A case as one of the runs has it.
#[derive(Serialize)]
struct Texts<'a> {
    tags: Vec<&'a str>,
    critical: bool,
    holdout: bool,
    pass_score: f64,
    messages: Vec<Message<'a>>,
    parameters: serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    samples: Vec<Answer<'a>>,
    /// Characters of the texts above that were left out.
    left_out: usize,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct Answer<'a> {
    index: u32,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'a str>,
    failed_checks: Vec<&'a str>,
    votes: Vec<Judgement<'a>>,
}

#[derive(Serialize)]
struct Judgement<'a> {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feedback: Option<&'a str>,
}

impl<'a> Document<'a> {
    pub(super) fn new(record: &'a Record, against: &'a Against<'a>) -> Document<'a> {
        let (results, diff) = (&record.results, against.run());
        let run = &results.run;
        Document {
            version: VERSION,
            tool: &results.tool,
            suite: &results.suite.name,
            head: Side {
                run: &run.id,
                started_at: &run.started_at,
                commit: run.commit.as_deref(),
                model: &results.suite.model,
                emulator: run.emulator,
                complete: run.stopped.is_none() && record.figures.left.is_none(),
                fingerprint: &results.suite.fingerprint,
                judge: &results.suite.judge,
            },
            base: diff.map(base),
            without_baseline: match against {
                Against::Without(why) => Some(why),
                Against::Nothing | Against::Run(_) => None,
            },
            verdict: Verdict {
                standing: diff.map(|diff| diff.standing.name()),
                why: diff.and_then(|diff| diff.standing.why()),
                decision: record.verdict.decision,
                reason: &record.verdict.reason,
                gates: diff.map(|diff| diff.gates.clone()).unwrap_or_default(),
            },
            policy: results.suite.policy.as_ref(),
            comparison: diff.map(|diff| diff.comparison),
            cases: diff,
        }
    }
}

fn base<'a>(diff: &'a Diff<'a>) -> BaseSide<'a> {
    let (baseline, run) = (diff.baseline, &diff.baseline.run);
    BaseSide {
        side: Side {
            run: &run.id,
            started_at: &run.started_at,
            commit: run.commit.as_deref(),
            model: &run.model,
            emulator: run.emulator,
            complete: run.complete,
            fingerprint: &run.fingerprint,
            judge: &baseline.judge,
        },
        source: &baseline.source,
        rejudged: baseline.rejudged,
        age_s: diff.base.age_s,
        texts: diff.texts,
    }
}

/// Case by case, so that one case's parts are in memory at a time.
fn each<S: Serializer>(diff: &Option<&Diff<'_>>, to: S) -> Result<S::Ok, S::Error> {
    let mut readers: [Option<CasesReader<'_>>; 2] = [None, None];
    let rows = diff.iter().flat_map(|diff| &diff.rows);
    to.collect_seq(rows.map(|row| {
        let [now, before] = &mut readers;
        Loaded {
            row,
            head: row.now.and_then(|held| read(held, now)),
            base: row.base.and_then(|held| read(held, before)),
        }
    }))
}

/// Both runs have their cases in about this order: one reader for each.
fn read<'a>(held: Held<'a>, reader: &mut Option<CasesReader<'a>>) -> Option<CaseResult> {
    reader.get_or_insert_with(|| held.reader()).get(held.at)
}

/// A row and its texts.
struct Loaded<'a> {
    row: &'a Row<'a>,
    head: Option<CaseResult>,
    base: Option<CaseResult>,
}

impl Serialize for Loaded<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let row = self.row;
        let case = Case {
            change: row.change,
            flip: row.flip.map(|flip| match flip {
                Flip::Failing => "newly_failing",
                Flip::Fixed => "newly_fixed",
            }),
            vote_spread: row.vote_spread(),
            head: self.head.as_ref().map(texts),
            base: self.base.as_ref().map(texts),
        };
        case.serialize(to)
    }
}

fn texts(case: &CaseResult) -> Texts<'_> {
    let mut left_out = 0;
    let messages = case.messages.iter().map(|message| Message {
        role: message.role.as_str(),
        content: bounded(&message.content, &mut left_out),
    });
    let messages = messages.collect();
    Texts {
        tags: case.tags.iter().map(String::as_str).collect(),
        critical: case.critical,
        holdout: case.holdout,
        pass_score: case.pass_score,
        messages,
        parameters: serde_json::to_value(&case.parameters).unwrap_or_default(),
        reference: case.reference.as_deref().map(|text| bounded(text, &mut left_out)),
        samples: case
            .samples
            .iter()
            .map(|sample| answer(sample, &mut left_out))
            .collect(),
        left_out,
    }
}

fn answer<'a>(sample: &'a Sample, left_out: &mut usize) -> Answer<'a> {
    Answer {
        index: sample.index,
        outcome: sample.outcome.as_str(),
        score: sample_score(sample),
        answer: sample.answer.as_deref().map(|text| bounded(text, left_out)),
        failed_checks: sample
            .checks
            .iter()
            .filter(|check| !check.passed)
            .map(|check| check.check.as_str())
            .collect(),
        votes: sample
            .votes
            .iter()
            .map(|vote| Judgement {
                outcome: vote.outcome.as_str(),
                score: vote.score.filter(|_| vote.outcome == VoteOutcome::Scored),
                feedback: vote.feedback.as_deref().map(|text| bounded(text, left_out)),
            })
            .collect(),
    }
}

fn bounded<'a>(text: &'a str, left_out: &mut usize) -> &'a str {
    let (shown, beyond) = cut(text, TEXT_CHARS);
    *left_out += beyond;
    shown
}
