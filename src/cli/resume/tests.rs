use super::*;
use crate::results::{AnswerOutcome, Sample};
use crate::results::{Vote, VoteOutcome};

fn vote(index: u32) -> Vote {
    Vote {
        index,
        outcome: VoteOutcome::Scored,
        score: Some(0.5),
        feedback: None,
        reasoning: None,
        detail: None,
        calls: Vec::new(),
        cached: None,
    }
}

#[test]
fn what_one_process_keeps_the_next_one_knows() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Begun {
        version: journal::VERSION,
        ..Begun::default()
    };
    let log = Log {
        journal: Journal::begin(folder.path(), begun).unwrap(),
        history: History::default(),
    };
    let mut sample = Sample {
        index: 1,
        outcome: AnswerOutcome::Answered,
        answer: Some("a".to_owned()),
        answered_by: None,
        call: None,
        cached: None,
        detail: None,
        checks: Vec::new(),
        votes: Vec::new(),
    };
    let (case, key) = ("anchor:0a:0", "anchor:0a:0");
    for kept in [
        eval::Kept::Answer {
            case,
            sample: &sample,
        },
        eval::Kept::Vote {
            case,
            sample: 1,
            vote: &vote(0),
        },
        eval::Kept::Beside { key, vote: &vote(2) },
    ] {
        log.keep(kept).unwrap();
    }
    let history = journal::read(folder.path()).unwrap().unwrap();
    let known = Log { history, ..log }.known();
    // A case may be called as an exhibit is: the two never meet.
    sample.votes.push(vote(0));
    assert_eq!(
        known.samples.into_iter().collect::<Vec<_>>(),
        [((case.to_owned(), 1), sample)]
    );
    assert_eq!(known.beside, [(key.to_owned(), vec![vote(2)])].into());
}
