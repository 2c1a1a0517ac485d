//! What the cache has of every reply that a case needs comes in, before the first call: what is whole there is asked no
//! more.
//!
//! Only what lacks nothing is taken here. An answer without one of its judgements is taken when its turn comes, like
//! one that is asked for: so no more of them wait in memory than of others.

use super::State;
use crate::eval::answer;
use crate::eval::known::can_be_judged;
use crate::eval::recall::Recall;
use crate::results::Kept;

/// Others have their turn after so many cases.
const TURN: usize = 64;

impl State<'_> {
    /// Takes from the cache what is whole there.
    pub(in crate::eval::pipeline) async fn recall(&mut self) {
        let plan = self.plan;
        let recall = Recall::new(plan.suite, plan.settings);
        if recall.is_off() {
            return;
        }
        for (at, case) in plan.suite.cases.iter().enumerate() {
            if at % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            if plan.cancel.is_cancelled() || self.purse.is_over() {
                break;
            }
            for index in (0..case.samples)
                .filter(|index| !self.known.contains(&(at, *index)))
                .collect::<Vec<_>>()
            {
                let Some(sample) = recall.answer(case, index) else {
                    continue;
                };
                let checks = self.checks_of(case);
                let mut sample = answer::again(sample, checks, plan.checking).await.sample;
                if can_be_judged(&sample) {
                    let answer = sample.answer.as_deref().unwrap_or_default();
                    let Some(votes) = recall.votes(case, index, answer) else {
                        continue;
                    };
                    sample.votes = votes;
                } else if !sample.failed_a_check() {
                    continue;
                }
                self.known.insert((at, index));
                self.outcome.add_recalled(plan.suite, at, sample);
            }
        }
        self.pass_by_known();
        self.beside.asks = self.is_open() || self.outcome.kept() != Kept::default();
    }
}
