//! The state of a run → why it is to stop, where something is left undone.

use super::State;
use crate::results::Stopped;

impl State<'_> {
    /// Why things are left undone when nothing is in flight: a limit is in the way.
    pub(in crate::eval::pipeline) fn unfinished(&self) -> Option<Stopped> {
        let reached = self
            .purse
            .refused()
            .filter(|_| self.is_open() || self.cut_short)?;
        Some(self.purse.stopped(reached))
    }

    /// A reason to stop that no call in flight can contradict any more.
    pub(in crate::eval::pipeline) fn condemned(&mut self) -> Option<Stopped> {
        [&mut self.answers, &mut self.judgements]
            .into_iter()
            .find_map(|line| line.condemned.take_if(|_| line.in_flight == 0))
    }
}
