//! Facts to make journals of, for the tests of this room.

use proptest::prelude::*;

use super::{Before, Begun, Fact, Write};
use crate::cycle::record::TraceState;
use crate::results::{AnswerOutcome, CallCost, CheckResult, Sample, Vote, VoteOutcome};

pub(super) fn begun(run: &str) -> Begun {
    Begun {
        version: 1,
        run: run.to_owned(),
        command: "run".to_owned(),
        suite: "s".to_owned(),
        cases: [("a".to_owned(), "1".to_owned())].into(),
        service: "https://example.com".to_owned(),
        model: "m".to_owned(),
        asks: true,
        ..Begun::default()
    }
}

pub(super) fn sample(index: u32, answer: &str) -> Sample {
    Sample {
        index,
        outcome: AnswerOutcome::Answered,
        answer: Some(answer.to_owned()),
        answered_by: None,
        call: None,
        cached: None,
        detail: None,
        checks: Vec::new(),
        votes: Vec::new(),
    }
}

pub(super) fn answered(case: &str, sample: Sample) -> Fact {
    Fact::Answered {
        case: case.to_owned(),
        sample: Box::new(sample),
    }
}

pub(super) fn vote(index: u32, score: f64) -> Vote {
    Vote {
        index,
        outcome: VoteOutcome::Scored,
        score: Some(score),
        feedback: Some("f".to_owned()),
        reasoning: None,
        detail: None,
        calls: vec![CallCost::default()],
        cached: None,
    }
}

pub(super) fn judged(case: &str, sample: u32, vote: Vote) -> Fact {
    Fact::Judged {
        case: case.to_owned(),
        sample,
        vote,
    }
}

pub(super) fn judged_beside(key: &str, vote: Vote) -> Fact {
    Fact::JudgedBeside {
        key: key.to_owned(),
        vote,
    }
}

pub(super) fn trace(case: &str) -> Write {
    Write::Trace {
        case: case.to_owned(),
        sample: 0,
    }
}

pub(super) fn row(case: &str) -> Write {
    Write::Row {
        case: case.to_owned(),
        sample: 0,
    }
}

pub(super) fn job() -> Write {
    Write::Job {
        snapshot: "s1".to_owned(),
        name: "Nightly \u{2013} 0123".to_owned(),
    }
}

pub(super) fn sending(write: Write) -> Fact {
    Fact::Sending { write }
}

pub(super) fn done(write: Write, made: &str) -> Fact {
    Fact::Done {
        write,
        made: made.to_owned(),
    }
}

pub(super) fn not_done(write: Write) -> Fact {
    Fact::NotDone {
        write,
        cause: "429".to_owned(),
    }
}

pub(super) fn in_doubt(write: Write, late: bool) -> Fact {
    Fact::InDoubt {
        write,
        cause: "reset".to_owned(),
        late,
    }
}

/// A run from its second line to its end: every fact and every write at least once.
pub(super) fn everything() -> Vec<Fact> {
    let snapshot = Write::Snapshot {
        before: vec!["s0".to_owned()],
    };
    let recommendations = Write::Recommendations {
        snapshot: "s1".to_owned(),
    };
    vec![
        answered("a", sample(0, "{\"n\": \"\u{e9}\u{1f980}\u{2028}\"}\n\0\\")),
        answered("b", sample(0, "")),
        judged("a", 0, vote(1, 0.1)),
        judged("a", 0, vote(0, 0.3)),
        judged_beside("anchor:0a:0", vote(1, 0.6)),
        judged_beside("earlier:0b", vote(0, 0.7)),
        judged_beside("anchor:0a:0", vote(0, 0.5)),
        judged_beside("anchor:0a:0", vote(1, 0.4)),
        Fact::Evaluated,
        Fact::Before(Before {
            snapshots: vec!["s0".to_owned()],
            traces: vec!["t9".to_owned()],
            newest: vec!["t8".to_owned()],
        }),
        Fact::Known {
            case: "b".to_owned(),
            sample: 0,
            trace: "t0".to_owned(),
            row: true,
        },
        sending(trace("a")),
        in_doubt(trace("a"), true),
        not_done(trace("a")),
        sending(trace("a")),
        done(trace("a"), "t1"),
        sending(row("a")),
        done(row("a"), "queued"),
        Fact::Stands {
            case: "a".to_owned(),
            sample: 0,
            state: TraceState::Corrected,
        },
        sending(snapshot.clone()),
        done(snapshot, "s1"),
        sending(recommendations.clone()),
        done(recommendations, ""),
        sending(job()),
        in_doubt(job(), false),
        Fact::Resumed {
            tool: "0.1.0".to_owned(),
        },
        done(job(), "j1"),
        Fact::Ended {
            outcome: "launched".to_owned(),
        },
    ]
}

/// Any answer whatever, without judgements.
pub(super) fn any_sample() -> impl Strategy<Value = Sample> {
    let outcome = prop::sample::select(vec![
        AnswerOutcome::Answered,
        AnswerOutcome::Truncated,
        AnswerOutcome::Null,
    ]);
    let check =
        (any::<String>(), any::<bool>(), any::<Option<String>>()).prop_map(|(check, passed, detail)| {
            CheckResult {
                check,
                passed,
                detail,
            }
        });
    (
        0..3u32,
        outcome,
        any::<Option<String>>(),
        any::<Option<String>>(),
        prop::option::of(any_cost()),
        prop::collection::vec(check, 0..3),
    )
        .prop_map(|(index, outcome, answer, detail, call, checks)| Sample {
            outcome,
            answer,
            answered_by: detail.clone(),
            call,
            detail,
            checks,
            ..sample(index, "")
        })
}

fn any_cost() -> impl Strategy<Value = CallCost> {
    (any::<u64>(), any::<u32>(), any::<Option<u64>>()).prop_map(|(latency_ms, attempts, tokens)| CallCost {
        latency_ms,
        attempts,
        prompt_tokens: tokens,
        completion_tokens: tokens,
    })
}

/// Any judgement whatever.
pub(super) fn any_vote() -> impl Strategy<Value = Vote> {
    let outcome = prop::sample::select(vec![VoteOutcome::Scored, VoteOutcome::Unparseable]);
    (
        0..4u32,
        outcome,
        prop::option::of(0.0..=1.0f64),
        any::<Option<String>>(),
        prop::collection::vec(any_cost(), 0..3),
    )
        .prop_map(|(index, outcome, score, text, calls)| Vote {
            index,
            outcome,
            score,
            feedback: text.clone(),
            reasoning: text.clone(),
            detail: text,
            calls,
            cached: None,
        })
}

/// Any write, and what became of it.
pub(super) fn any_writing() -> impl Strategy<Value = Fact> {
    let case = "[a-c]";
    let write = prop_oneof![
        (case, 0..3u32).prop_map(|(case, sample)| Write::Trace { case, sample }),
        (case, 0..3u32).prop_map(|(case, sample)| Write::Row { case, sample }),
        prop::collection::vec(any::<String>(), 0..3).prop_map(|before| Write::Snapshot { before }),
        any::<String>().prop_map(|snapshot| Write::Recommendations { snapshot }),
        any::<(String, String)>().prop_map(|(snapshot, name)| Write::Job { snapshot, name }),
    ];
    (write, any::<String>(), any::<bool>(), 0..4u8).prop_map(|(write, text, late, what)| match what {
        0 => Fact::Sending { write },
        1 => Fact::Done { write, made: text },
        2 => Fact::NotDone { write, cause: text },
        _ => Fact::InDoubt {
            write,
            cause: text,
            late,
        },
    })
}
