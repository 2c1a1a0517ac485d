//! What calls took comes in; whether the last answers go ahead of judgements that are due goes out.
//!
//! A judgement goes ahead of the next answer, but for the end of a run: the last answers would come when no other
//! judgement is left to fill the places that theirs do not need, and most places would stand empty twice. So when few
//! answers are left, as many of the places as they need of the time are theirs, and they come with the judgements of
//! those before them.

use super::State;
use crate::results::{Sample, Vote};

/// Answers are few when there are fewer than this share of the places. Over suites of one to sixteen rounds it takes 6 % of a
/// run, at best a quarter; where they would just have filled one more round it costs up to 5 %.
const FEW: f64 = 2.0 / 3.0;
/// How far a mean follows the last call.
const FOLLOWS: f64 = 0.1;

/// Mean latencies, in milliseconds; of nothing before the first call that came through.
#[derive(Debug, Default)]
pub(super) struct Tail {
    answer: Option<f64>,
    judgement: Option<f64>,
}

impl Tail {
    pub(super) fn answered(&mut self, sample: &Sample) {
        if let Some(call) = sample.call.as_ref().filter(|_| sample.cached.is_none()) {
            follow(&mut self.answer, call.latency_ms);
        }
    }

    pub(super) fn judged(&mut self, vote: &Vote) {
        if let Some(call) = vote.calls.last().filter(|_| vote.cached.is_none()) {
            follow(&mut self.judgement, call.latency_ms);
        }
    }

    /// `left` answers are to be begun, and so many are in flight; all calls have so many places.
    fn answers_go_ahead(&self, left: usize, in_flight: usize, places: usize, votes: u32) -> bool {
        let (Some(answer), Some(judgement)) = (self.answer, self.judgement) else {
            return false;
        };
        let places = places as f64;
        let share = answer / (answer + judgement * f64::from(votes)).max(f64::MIN_POSITIVE);
        left > 0 && (left as f64) < FEW * places && (in_flight as f64) < share * places
    }
}

fn follow(mean: &mut Option<f64>, latency_ms: u64) {
    let latency = latency_ms as f64;
    let so_far = mean.unwrap_or(latency);
    *mean = Some(so_far + FOLLOWS * (latency - so_far));
}

impl State<'_> {
    /// Whether the next answer goes ahead of a judgement that is due, with so many calls in flight.
    pub(super) fn answers_go_ahead(&self, all: usize) -> bool {
        // Of cases; those that have several answers are not that many.
        let left = self.plan.suite.cases.len().saturating_sub(self.next.0);
        let (in_flight, votes) = (self.answers.in_flight, self.plan.suite.judge.votes);
        // There are as many places as are taken, and this one.
        self.tail.answers_go_ahead(left, in_flight, all + 1, votes)
            && self.purse.refuses(self.an_answer()).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answers_have_their_share_of_the_places() {
        let tail = Tail {
            answer: Some(200.0),
            judgement: Some(400.0),
        };
        assert!(tail.answers_go_ahead(40, 21, 64, 1));
        assert!(!tail.answers_go_ahead(40, 22, 64, 1), "a third of 64");
        assert!(
            tail.answers_go_ahead(42, 0, 64, 1) && !tail.answers_go_ahead(43, 0, 64, 1),
            "two thirds of 64"
        );
        assert!(
            tail.answers_go_ahead(40, 9, 64, 3) && !tail.answers_go_ahead(40, 10, 64, 3),
            "three votes"
        );
        assert!(!tail.answers_go_ahead(0, 0, 64, 1) && !tail.answers_go_ahead(1, 0, 1, 1));
    }

    #[test]
    fn nothing_goes_ahead_before_it_is_known_what_calls_take() {
        let mut tail = Tail::default();
        follow(&mut tail.answer, 0);
        assert!(!tail.answers_go_ahead(2, 0, 64, 1));
        follow(&mut tail.judgement, 0);
        assert!(!tail.answers_go_ahead(2, 0, 64, 1), "nothing takes any time");
        follow(&mut tail.answer, 100);
        assert_eq!(tail.answer, Some(10.0));
        assert!(tail.answers_go_ahead(2, 0, 64, 1));
    }
}
