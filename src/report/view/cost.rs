//! The calls of an evaluation → how many, how many tokens, how fast.

use std::collections::BTreeMap;

use crate::results::{CallCost, CallTally, Results};

/// What a run cost.
#[derive(Debug)]
pub(in crate::report) struct Cost<'a> {
    pub answers: ChatCost,
    pub judgements: ChatCost,
    /// Every call to the service, by name.
    pub calls: &'a BTreeMap<String, CallTally>,
    /// All calls added up.
    pub total: CallTally,
}

/// The chat calls of one purpose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::report) struct ChatCost {
    pub calls: u64,
    /// Requests beyond the first of each call.
    pub repeats: u64,
    /// Added up where the service counts them; absent where it never does.
    pub prompt_tokens: Option<u64>,
    /// Added up where the service counts them; absent where it never does.
    pub completion_tokens: Option<u64>,
    /// Calls for which the service counted no tokens.
    pub uncounted: u64,
    /// Of the last attempts, in milliseconds, by nearest rank; absent without calls.
    pub median_ms: Option<u64>,
    /// As `median_ms`, at 95 %.
    pub p95_ms: Option<u64>,
}

impl<'a> Cost<'a> {
    pub(super) fn new(results: &'a Results, [answers, judgements]: [ChatCost; 2]) -> Cost<'a> {
        let mut total = CallTally::default();
        for tally in results.calls.values() {
            total.calls = total.calls.saturating_add(tally.calls);
            total.attempts = total.attempts.saturating_add(tally.attempts);
            total.failed = total.failed.saturating_add(tally.failed);
            total.total_ms = total.total_ms.saturating_add(tally.total_ms);
        }
        Cost {
            answers,
            judgements,
            calls: &results.calls,
            total,
        }
    }
}

/// The chat calls of one purpose, as they come in.
#[derive(Debug, Default)]
pub(super) struct ChatCosts {
    cost: ChatCost,
    latencies: Vec<u64>,
}

impl ChatCosts {
    pub(super) fn add(&mut self, call: &CallCost) {
        let cost = &mut self.cost;
        cost.calls += 1;
        cost.repeats += u64::from(call.attempts.saturating_sub(1));
        add(&mut cost.prompt_tokens, call.prompt_tokens);
        add(&mut cost.completion_tokens, call.completion_tokens);
        cost.uncounted += u64::from(call.prompt_tokens.or(call.completion_tokens).is_none());
        self.latencies.push(call.latency_ms);
    }

    pub(super) fn sum(mut self) -> ChatCost {
        self.latencies.sort_unstable();
        self.cost.median_ms = nearest_rank(&self.latencies, 50);
        self.cost.p95_ms = nearest_rank(&self.latencies, 95);
        self.cost
    }
}

fn add(sum: &mut Option<u64>, more: Option<u64>) {
    if let Some(more) = more {
        *sum = Some(sum.unwrap_or(0).saturating_add(more));
    }
}

/// The smallest value that at least `percent` of the sorted values do not exceed.
fn nearest_rank(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_of_values_that_occurred() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(
            (nearest_rank(&hundred, 50), nearest_rank(&hundred, 95)),
            (Some(50), Some(95))
        );
        assert_eq!(
            (nearest_rank(&[7], 50), nearest_rank(&[7], 95)),
            (Some(7), Some(7))
        );
        assert_eq!(nearest_rank(&[1, 2, 3], 50), Some(2));
        assert_eq!(nearest_rank(&[], 50), None);
    }

    #[test]
    fn tokens_that_nobody_counted_are_not_zero() {
        let call = |tokens| CallCost {
            latency_ms: 10,
            attempts: 2,
            prompt_tokens: tokens,
            completion_tokens: tokens,
        };
        let of = |calls: &[CallCost]| {
            let mut costs = ChatCosts::default();
            calls.iter().for_each(|call| costs.add(call));
            costs.sum()
        };
        let none = of(&[call(None)]);
        assert_eq!((none.prompt_tokens, none.uncounted, none.repeats), (None, 1, 1));
        let some = of(&[call(None), call(Some(5)), call(Some(u64::MAX))]);
        assert_eq!(
            (some.prompt_tokens, some.uncounted, some.calls),
            (Some(u64::MAX), 1, 3)
        );
    }
}
