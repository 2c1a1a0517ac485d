//! Exhibits and what is known of them come in; which of their judgements is due next goes out.
//!
//! They come last, when every answer of the suite is begun and no judgement of one is due: a limit that runs out costs
//! them rather than cases, and they fill the places that the last answers leave. An anchor judged early would save
//! nothing: a drift is known from all of them together, and ends no run.

use std::collections::VecDeque;

use super::State;
use crate::eval::Event;
use crate::eval::known::{Kept, judged as was_judged};
use crate::eval::limits::{Owed, Wanted};
use crate::eval::pipeline::{Job, Judged};
use crate::results::{Stopped, Vote};
use crate::studio::Purpose;

/// The judgements of exhibits.
#[derive(Debug)]
pub(super) struct Beside {
    /// The exhibit's position and the vote's index.
    due: VecDeque<(usize, u32)>,
    kept: usize,
    /// This run has asked for something of the suite's cases, or will. What its anchors are for is then today's judge;
    /// where every score is of another day, so are the anchors that belong to them.
    pub(super) asks: bool,
}

impl Beside {
    /// Those that are not there from before.
    pub(super) fn new(known: &[Vec<Vote>], votes: u32) -> Beside {
        let mut due = VecDeque::new();
        for (at, known) in known.iter().enumerate() {
            let missing = (0..votes).filter(|vote| known.iter().all(|there| there.index != *vote));
            due.extend(missing.map(|vote| (at, vote)));
        }
        Beside {
            due,
            kept: known.iter().map(Vec::len).sum(),
            asks: true,
        }
    }

    pub(super) fn due(&self) -> usize {
        self.due.len()
    }

    /// Judgements that are there from before.
    pub(super) fn kept(&self) -> usize {
        self.kept
    }

    pub(super) fn next(&mut self) -> Option<(usize, u32)> {
        self.due.pop_front()
    }
}

impl State<'_> {
    /// Every answer of the suite is begun, and no judgement of one is due.
    pub(super) fn next_beside(&mut self) -> Option<Job> {
        if self.beside.due() == 0 {
            return None;
        }
        self.owe();
        if self.purse.refuses(Wanted::Beside).is_some() {
            return None;
        }
        let (exhibit, vote) = self.beside.next()?;
        let anew = self.beside.asks && self.plan.exhibits.is_anchor(exhibit);
        self.judgements.in_flight += 1;
        self.purse.begin(Purpose::Judge);
        Some(Job::Beside { exhibit, vote, anew })
    }

    /// Tells what is still to come of the answers that were begun: a judgement of an exhibit that is asked for twice
    /// must not take it from them.
    pub(super) fn owe(&self) {
        let (open, due) = (self.answers.in_flight as u64, self.due.len() as u64);
        let votes = u64::from(self.plan.suite.judge.votes);
        self.purse.owes(Owed {
            judgements: open.saturating_mul(votes).saturating_add(due),
            scores: open.saturating_add(due),
        });
    }

    pub(super) fn take_beside(&mut self, exhibit: usize, judged: Judged) -> Option<Stopped> {
        let Judged { vote, failure } = judged;
        if let Some(stopped) = self.landed(Purpose::Judge, failure.as_ref(), !vote.calls.is_empty()) {
            return Some(stopped);
        }
        let unkept = match was_judged(&vote) && vote.cached.is_none() {
            true => self.keep(Kept::Beside {
                key: self.plan.exhibits.key(exhibit),
                vote: &vote,
            }),
            false => None,
        };
        self.plan.tell(Event::JudgedBeside {
            outcome: vote.outcome,
        });
        self.outcome.add_beside(exhibit, vote);
        unkept
    }
}
