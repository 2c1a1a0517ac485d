//! Faults at exact places: a route, the numbers of its calls, and what they meet.

use super::Fault;

/// Calls of a route that meet a fault, whatever the shares in [`super::Faults`] say. Of several for one call the
/// first counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedFault {
    /// The call as `GET /__emulator/state` counts it: `POST /api/v1/traces/{id}/addToDataset`. The two kinds of chat
    /// calls can be told apart: `POST /api/v1/chat/completions answer` and `… judge`, each with numbers of its own.
    pub route: String,
    /// Which calls.
    pub calls: Calls,
    /// What they meet.
    pub fault: Fault,
}

/// Numbers of calls, counted from 1 since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    first: u64,
    last: u64,
    step: u64,
}

impl Calls {
    /// Every call.
    pub const ALL: Calls = Calls {
        first: 1,
        last: u64::MAX,
        step: 1,
    };

    /// One call; the first is 1.
    pub fn nth(number: u64) -> Self {
        Calls::range(number, number)
    }

    /// From one call to another, both included.
    pub fn range(first: u64, last: u64) -> Self {
        Calls { first, last, step: 1 }
    }

    /// One call and every `step`th after it; a step of 0 counts as 1.
    pub fn every(first: u64, step: u64) -> Self {
        Calls {
            first,
            last: u64::MAX,
            step: step.max(1),
        }
    }

    fn holds(self, number: u64) -> bool {
        (self.first..=self.last).contains(&number) && (number - self.first).is_multiple_of(self.step)
    }
}

impl PlacedFault {
    /// The first of several that the `number`th call (from 1) of a route meets.
    pub(in crate::emulator) fn find(placed: &[PlacedFault], route: &str, number: u64) -> Option<Fault> {
        placed
            .iter()
            .find(|one| one.route == route && one.calls.holds(number))
            .map(|one| one.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_from_one() {
        let held = |calls: Calls| -> Vec<u64> { (1..=6).filter(|number| calls.holds(*number)).collect() };
        assert_eq!(held(Calls::nth(2)), [2]);
        assert_eq!(held(Calls::range(2, 4)), [2, 3, 4]);
        assert_eq!(held(Calls::every(1, 2)), [1, 3, 5]);
        assert_eq!(held(Calls::every(2, 0)), [2, 3, 4, 5, 6]);
        assert_eq!(held(Calls::ALL), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn the_first_that_names_the_call_counts() {
        let place = |route: &str, calls, fault| PlacedFault {
            route: route.to_owned(),
            calls,
            fault,
        };
        let placed = [
            place("GET /x", Calls::nth(2), Fault::Reset),
            place("GET /x", Calls::ALL, Fault::CutBody),
        ];
        assert_eq!(PlacedFault::find(&placed, "GET /x", 2), Some(Fault::Reset));
        assert_eq!(PlacedFault::find(&placed, "GET /x", 3), Some(Fault::CutBody));
        assert_eq!(PlacedFault::find(&placed, "GET /x/{id}", 2), None);
    }
}
