//! Cases in the order in which they are completed, each with its position → [`Cases`] in the suite's order.

use super::{CaseResult, Cases, Spot};

/// Cases that are added in any order.
#[derive(Debug, Default)]
pub struct CasesBuilder {
    /// Where nothing is yet stands a spot of no case.
    cases: Cases,
}

impl CasesBuilder {
    /// Holds a case at its position, from 0. Of two at one position the later one counts.
    pub fn put(&mut self, at: usize, case: &CaseResult) {
        let spot = self.cases.pack.add(case);
        let spots = &mut self.cases.spots;
        if spots.len() <= at {
            spots.resize(at + 1, Spot::NONE);
        }
        spots[at] = spot;
    }

    /// Whether there is a case at a position.
    pub fn has(&self, at: usize) -> bool {
        self.cases.spots.get(at).is_some_and(|spot| *spot != Spot::NONE)
    }

    /// The first `len` cases; those that were not put there are made.
    pub fn finish(mut self, len: usize, mut missing: impl FnMut(usize) -> CaseResult) -> Cases {
        for at in 0..len {
            if !self.has(at) {
                self.put(at, &missing(at));
            }
        }
        self.cases.spots.truncate(len);
        self.cases.spots.shrink_to_fit();
        self.cases.pack.trim();
        self.cases
    }
}
