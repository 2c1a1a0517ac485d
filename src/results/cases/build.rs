//! Cases in the order in which they are completed, each with its position → [`Cases`] in the suite's order.

use super::{CaseResult, Cases, Spot};
use crate::suite::Texts;

/// Cases that are added in any order.
#[derive(Debug, Default)]
pub struct CasesBuilder {
    /// Where nothing is yet stands a spot of no case.
    cases: Cases,
}

impl CasesBuilder {
    /// Holds a case at its position, from 0. Of two at one position the later one counts. The messages and the
    /// reference, which the case itself goes without, are the suite's and stay shared with it.
    pub fn put(&mut self, at: usize, case: &CaseResult, texts: &Texts) {
        debug_assert!(case.messages.is_empty() && case.reference.is_none());
        let spot = self.cases.pack.add(case);
        let (spots, all) = (&mut self.cases.spots, &mut self.cases.texts);
        if spots.len() <= at {
            spots.resize(at + 1, Spot::NONE);
            all.resize(at + 1, None);
        }
        (spots[at], all[at]) = (spot, Some(texts.clone()));
    }

    /// Whether there is a case at a position.
    pub fn has(&self, at: usize) -> bool {
        self.cases.spots.get(at).is_some_and(|spot| *spot != Spot::NONE)
    }

    /// The first `len` cases; those that were not put there are made, as [`CasesBuilder::put`] takes them.
    pub fn finish(mut self, len: usize, mut missing: impl FnMut(usize) -> (CaseResult, Texts)) -> Cases {
        for at in 0..len {
            if !self.has(at) {
                let (case, texts) = missing(at);
                self.put(at, &case, &texts);
            }
        }
        self.cases.spots.truncate(len);
        self.cases.spots.shrink_to_fit();
        self.cases.texts.truncate(len);
        self.cases.texts.shrink_to_fit();
        self.cases.pack.trim();
        self.cases
    }
}
