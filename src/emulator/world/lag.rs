//! Listings that lag behind: what a record was and since when comes in, what a listing shows of it now goes out.
//! Nothing of this is kept in the state file: after a restart everything is as old as can be.

use std::time::Duration;

use tokio::time::Instant;

use super::{Processing, Trace};

/// What a listing shows: the world as it was a lag ago.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    now: Instant,
    lag: Duration,
}

/// What a listing tells of a trace and changes over time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stand {
    since: Option<Instant>,
    pub(crate) added: bool,
    pub(crate) processing: Processing,
}

impl View {
    pub(crate) fn behind(lag: Duration) -> Self {
        View {
            now: Instant::now(),
            lag,
        }
    }

    /// Whether there is no lag at all.
    pub(crate) fn is_current(self) -> bool {
        self.lag.is_zero()
    }

    /// Whether what took place at an instant (`None`: before the start) is shown.
    pub(crate) fn shows(self, at: Option<Instant>) -> bool {
        at.is_none_or(|at| at + self.lag <= self.now)
    }
}

impl Trace {
    fn current(&self, since: Option<Instant>) -> Stand {
        Stand {
            since,
            added: self.added_to_dataset,
            processing: self.processing_status,
        }
    }

    /// Changes what a listing tells of it; a trace that was just made is changed by doing nothing.
    pub(crate) fn turn(&mut self, new: bool, change: impl FnOnce(&mut Trace)) {
        if self.stands.is_empty() && !new {
            let stand = self.current(None);
            self.stands.push(stand);
        }
        change(self);
        let stand = self.current(Some(Instant::now()));
        self.stands.push(stand);
    }

    /// What a listing tells of it. `None`: the listing does not know it yet.
    pub(crate) fn stand(&self, view: View) -> Option<Stand> {
        if view.is_current() || self.stands.is_empty() {
            return Some(self.current(None));
        }
        self.stands
            .iter()
            .rev()
            .find(|stand| view.shows(stand.since))
            .copied()
    }
}
