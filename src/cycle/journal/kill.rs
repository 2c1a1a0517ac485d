//! The end of this process at a line of the journal: for tests, and in no release build.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::Journal;

/// The line at which the process ends, counted from 1; 0: none.
static LINE: AtomicU64 = AtomicU64::new(0);
/// Whether it ends before the line is written instead of after.
static BEFORE: AtomicBool = AtomicBool::new(false);
/// Lines that this process went about writing.
static LINES: AtomicU64 = AtomicU64::new(0);

impl Journal {
    /// Ends this process at once, as `kill -9` would, just before or just after the `line`th line (from 1) that it
    /// writes to any journal: nothing is flushed, dropped or told. What `begin` and `resume` write counts.
    pub fn die_at(line: u64, before: bool) {
        BEFORE.store(before, Ordering::SeqCst);
        LINE.store(line, Ordering::SeqCst);
    }
}

pub(super) fn before_line() {
    let line = LINES.fetch_add(1, Ordering::SeqCst) + 1;
    if line == LINE.load(Ordering::SeqCst) && BEFORE.load(Ordering::SeqCst) {
        std::process::abort();
    }
}

pub(super) fn after_line() {
    if LINES.load(Ordering::SeqCst) == LINE.load(Ordering::SeqCst) && !BEFORE.load(Ordering::SeqCst) {
        std::process::abort();
    }
}
