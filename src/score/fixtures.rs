//! Builders of results for the tests of `score` and `gate`.

use std::collections::{BTreeMap, BTreeSet};

use crate::results::{
    AnchorResult, AnswerOutcome, CaseResult, CheckResult, JudgeRecord, Kept, Results, Run, Sample,
    SuiteRecord, Tool, Vote, VoteOutcome,
};
use crate::suite::{CycleSettings, Parameters, Place};

pub(crate) fn vote(outcome: VoteOutcome, score: Option<f64>) -> Vote {
    Vote {
        index: 0,
        outcome,
        score,
        feedback: None,
        reasoning: None,
        detail: None,
        calls: Vec::new(),
        cached: None,
    }
}

pub(crate) fn sample(votes: Vec<Vote>) -> Sample {
    Sample {
        index: 0,
        outcome: AnswerOutcome::Answered,
        answer: Some("an answer".to_owned()),
        answered_by: None,
        call: None,
        cached: None,
        detail: None,
        checks: Vec::new(),
        votes,
    }
}

pub(crate) fn scored(score: f64) -> Sample {
    sample(vec![vote(VoteOutcome::Scored, Some(score))])
}

pub(crate) fn unanswered(outcome: AnswerOutcome) -> Sample {
    Sample {
        outcome,
        answer: None,
        ..sample(Vec::new())
    }
}

pub(crate) fn failed_check() -> CheckResult {
    CheckResult {
        check: "is_json".to_owned(),
        passed: false,
        detail: None,
    }
}

pub(crate) fn lost_vote() -> Vote {
    vote(VoteOutcome::Failed, None)
}

/// An anchor with one vote per score.
pub(crate) fn anchor(fingerprint: &str, expected: f64, tolerance: f64, scores: &[f64]) -> AnchorResult {
    AnchorResult {
        fingerprint: fingerprint.to_owned(),
        question: "a question".to_owned(),
        answer: "an answer".to_owned(),
        reference: None,
        expected,
        tolerance,
        votes: scored_votes(scores),
    }
}

fn scored_votes(scores: &[f64]) -> Vec<Vote> {
    scores
        .iter()
        .map(|score| vote(VoteOutcome::Scored, Some(*score)))
        .collect()
}

/// A case of weight 1 and pass score 0.7 with one sample and vote per score.
pub(crate) fn case(id: &str, scores: &[f64]) -> CaseResult {
    CaseResult {
        id: id.to_owned(),
        fingerprint: String::new(),
        place: Place {
            file: "suite.yaml".into(),
            line: 1,
            column: 1,
        },
        tags: BTreeSet::new(),
        group: None,
        weight: 1.0,
        critical: false,
        holdout: false,
        pass_score: 0.7,
        messages: Vec::new(),
        parameters: Parameters::default(),
        reference: None,
        samples: scores.iter().map(|score| scored(*score)).collect(),
    }
}

pub(crate) fn lost(id: &str) -> CaseResult {
    CaseResult {
        samples: vec![unanswered(AnswerOutcome::Failed)],
        ..case(id, &[])
    }
}

pub(crate) fn results(cases: Vec<CaseResult>) -> Results {
    Results {
        version: crate::results::VERSION,
        tool: Tool {
            name: "tunegate".to_owned(),
            version: "0".to_owned(),
        },
        run: Run {
            id: String::new(),
            started_at: String::new(),
            duration_ms: 0,
            resumed: 0,
            kept: Kept::default(),
            cached: None,
            base_url: String::new(),
            emulator: true,
            commit: None,
            stopped: None,
            shard: None,
        },
        suite: SuiteRecord {
            name: "suite".to_owned(),
            path: "suite.yaml".to_owned(),
            fingerprint: String::new(),
            project: String::new(),
            model: String::new(),
            dataset: None,
            judge: JudgeRecord {
                model: String::new(),
                temperature: 0.1,
                votes: 1,
                fingerprint: String::new(),
            },
            gates: Vec::new(),
            policy: None,
            cycle: CycleSettings::default(),
        },
        cases: cases.into(),
        anchors: Vec::new(),
        baseline: None,
        without_baseline: None,
        baseline_unknown: false,
        calls: BTreeMap::new(),
    }
}

/// Holds a figure against an independent computation's.
#[track_caller]
pub(crate) fn near(name: &str, what: &str, got: Option<f64>, expected: &serde_json::Value) {
    match (got, expected.as_f64()) {
        (Some(got), Some(expected)) => {
            assert!(
                (got - expected).abs() < 1e-9,
                "{name}: {what} is {got}, not {expected}"
            );
        }
        (got, expected) => assert_eq!(got, expected, "{name}: {what}"),
    }
}
