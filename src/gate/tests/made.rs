//! Made-up tests in place of a baseline's.

use std::cell::Cell;

use crate::gate::drops::Against;
use crate::score::{Difference, DropMetric, DropTest, Method, Selector};

/// Gives the next of the tests for each gate, and says how many cases are scored in both runs.
pub(super) struct Made {
    pub(super) tests: Vec<Result<DropTest, String>>,
    pub(super) asked: Cell<usize>,
    pub(super) compared: (u32, u32),
}

impl Made {
    pub(super) fn of(tests: Vec<Result<DropTest, String>>) -> Made {
        Made {
            tests,
            asked: Cell::new(0),
            compared: (20, 0),
        }
    }
}

impl Against for Made {
    fn test(&self, _: DropMetric, _: &Selector, _: f64) -> Result<DropTest, String> {
        let at = self.asked.replace(self.asked.get() + 1);
        self.tests[at].clone()
    }

    fn compared(&self) -> (u32, u32) {
        self.compared
    }
}

/// Twenty cases that moved by so much, between these bounds.
pub(super) fn moved(difference: f64, low: f64, high: f64, p_worse: f64) -> DropTest {
    DropTest {
        difference: Difference {
            n: 20,
            clusters: 20,
            now: Some(0.8),
            before: Some(0.8 - difference),
            difference: Some(difference),
            error: Some(0.016),
            freedom: Some(19.0),
            low: Some(low),
            high: Some(high),
            method: Method::T,
            detectable: Some(0.04),
            notes: Vec::new(),
        },
        p_worse: Some(p_worse),
        p_no_worse: Some(1.0 - p_worse),
        p_worse_holm: None,
    }
}

/// Twenty cases that all moved by so much.
pub(super) fn alike(difference: f64) -> DropTest {
    let mut test = moved(difference, 0.0, 0.0, 0.0);
    (test.p_worse, test.p_no_worse) = (None, None);
    let d = &mut test.difference;
    (d.error, d.freedom, d.low, d.high, d.detectable) = (None, None, None, None, None);
    d.method = Method::None;
    test
}
