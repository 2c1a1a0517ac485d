//! What a person allows a run to take → what each of its evaluations may take of it, and when the run must end.

use std::time::Duration;

use tokio::time::Instant;

use super::options::LimitOptions;
use crate::eval;

/// The cycle's share of a run's time: one part in so many, and no more than [`MOST_SHARE`].
const SHARE: u32 = 5;
/// Snapshot, recommendations and launch take minutes, however long the evaluation took.
const MOST_SHARE: Duration = Duration::from_secs(5 * 60);
/// Requests of a cycle that sends nothing for any answer: project, list of traces, snapshot, recommendations, launch, and
/// the looks between them.
const CYCLE_CALLS: u64 = 40;
/// Requests of a cycle for an answer: its trace, and the trace's addition to the dataset.
const ANSWER_CALLS: u64 = 2;

/// What is left of what a run may take. Its suites share it: the first one takes what it needs.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Asking ends then, and the run at `end`.
    until: Option<Instant>,
    end: Option<Instant>,
    calls: Option<u64>,
    tokens: Option<u64>,
    with_cycle: bool,
}

impl Budget {
    /// Of a run that began at `began`, with or without a cycle behind its evaluations.
    pub(crate) fn new(options: &LimitOptions, began: Instant, with_cycle: bool) -> Budget {
        let deadline = options.deadline;
        let share = |whole: Duration| (whole / SHARE).min(MOST_SHARE);
        Budget {
            until: deadline.map(|whole| match with_cycle {
                true => began + whole - share(whole),
                false => began + whole,
            }),
            end: deadline.map(|whole| match with_cycle {
                true => began + whole,
                // Nothing comes behind the evaluation, and what is in flight when it ends may arrive.
                false => began + whole + eval::GRACE,
            }),
            calls: options.max_calls,
            tokens: options.max_tokens,
            with_cycle,
        }
    }

    /// What the next evaluation may take. Its client has sent nothing yet.
    pub(crate) fn limits(&self) -> eval::Limits {
        let cycle = |calls: u64| if self.with_cycle { calls } else { 0 };
        eval::Limits {
            until: self.until,
            calls: self.calls,
            tokens: self.tokens,
            calls_per_answer: cycle(ANSWER_CALLS),
            calls_reserved: cycle(CYCLE_CALLS),
        }
    }

    /// When the whole run has to end.
    pub(crate) fn end(&self) -> Option<Instant> {
        self.end
    }

    /// Whether nothing can be asked any more.
    pub(crate) fn is_spent(&self) -> bool {
        let reserved = self.limits().calls_reserved;
        self.calls.is_some_and(|calls| calls <= reserved)
            || self.tokens == Some(0)
            || self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Requests that a suite took, its cycle's included.
    pub(crate) fn spend_calls(&mut self, calls: u64) {
        self.calls = self.calls.map(|left| left.saturating_sub(calls));
    }

    /// Tokens that an evaluation took.
    pub(crate) fn spend_tokens(&mut self, tokens: u64) {
        self.tokens = self.tokens.map(|left| left.saturating_sub(tokens));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(seconds: u64, with_cycle: bool) -> (Budget, Instant) {
        let began = Instant::now();
        let options = LimitOptions {
            deadline: Some(Duration::from_secs(seconds)),
            max_calls: Some(100),
            max_tokens: Some(1_000),
        };
        (Budget::new(&options, began, with_cycle), began)
    }

    #[tokio::test(start_paused = true)]
    async fn a_cycle_has_its_share_of_the_time_and_of_the_calls() {
        for (deadline, asking) in [(10, 8), (600, 480), (1_500, 1_200), (3_600, 3_300)] {
            let (budget, began) = budget(deadline, true);
            let limits = budget.limits();
            assert_eq!(limits.until, Some(began + Duration::from_secs(asking)));
            assert_eq!(budget.end(), Some(began + Duration::from_secs(deadline)));
            assert_eq!((limits.calls_reserved, limits.calls_per_answer), (40, 2));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_evaluation_alone_has_all_of_both() {
        let (budget, began) = budget(600, false);
        let limits = budget.limits();
        assert_eq!(limits.until, Some(began + Duration::from_secs(600)));
        assert_eq!(budget.end(), Some(began + Duration::from_secs(605)));
        assert_eq!((limits.calls_reserved, limits.calls_per_answer), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_suites_of_a_run_share_what_there_is() {
        let (mut budget, _) = budget(600, true);
        assert!(!budget.is_spent());
        budget.spend_calls(30);
        budget.spend_tokens(900);
        let limits = budget.limits();
        assert_eq!((limits.calls, limits.tokens), (Some(70), Some(100)));
        assert!(!budget.is_spent());
        budget.spend_calls(30);
        assert!(budget.is_spent(), "what is left is the cycle's");
        let (mut budget, _) = super::tests::budget(600, false);
        budget.spend_tokens(1_001);
        assert!(budget.is_spent());
        let (budget, _) = super::tests::budget(600, true);
        tokio::time::advance(Duration::from_secs(480)).await;
        assert!(budget.is_spent());
    }

    #[tokio::test(start_paused = true)]
    async fn without_limits_there_are_none() {
        let mut budget = Budget::new(&LimitOptions::default(), Instant::now(), false);
        budget.spend_calls(7);
        budget.spend_tokens(7);
        assert_eq!(budget.limits(), eval::Limits::default());
        assert_eq!((budget.end(), budget.is_spent()), (None, false));
    }
}
