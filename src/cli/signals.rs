//! Ctrl-C and SIGTERM → cancellation; a second one ends the process at once. The program may be PID 1 of
//! its container, where a signal without a handler is not seen at all.

use tokio_util::sync::CancellationToken;

use super::exit::Exit;

/// A token that is cancelled by the first signal.
pub(crate) fn cancellation() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let token = CancellationToken::new();
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut terminations = signal(SignalKind::terminate())?;
    let cancelled = token.clone();
    tokio::spawn(async move {
        let mut heard = Heard::Nothing;
        loop {
            let signal = tokio::select! {
                _ = interrupts.recv() => Signal::Interrupt,
                _ = terminations.recv() => Signal::Termination,
            };
            heard = heard.then(signal);
            if heard == Heard::Enough {
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
            cancelled.cancel();
        }
    });
    Ok(token)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Interrupt,
    Termination,
}

/// What was asked of the process so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nothing,
    /// To end in order, by an interrupt.
    Interrupt,
    /// To end in order; the next one is a second wish whatever it is.
    Wish,
    /// To end at once.
    Enough,
}

impl Heard {
    fn then(self, signal: Signal) -> Heard {
        match (self, signal) {
            (Heard::Nothing, Signal::Interrupt) => Heard::Interrupt,
            // The runner sends it 7.5 seconds after its interrupt: the same wish, not an impatient second one.
            (Heard::Nothing | Heard::Interrupt, Signal::Termination) => Heard::Wish,
            (Heard::Interrupt, Signal::Interrupt) | (Heard::Wish | Heard::Enough, _) => Heard::Enough,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runners_pair_is_one_wish_and_everything_else_is_counted() {
        use Signal::{Interrupt, Termination};
        let after = |signals: &[Signal]| signals.iter().fold(Heard::Nothing, |h, s| h.then(*s));
        for in_order in [&[Interrupt][..], &[Termination], &[Interrupt, Termination]] {
            assert_ne!(after(in_order), Heard::Enough, "{in_order:?}");
        }
        for at_once in [
            &[Interrupt, Interrupt][..],
            &[Termination, Termination],
            &[Termination, Interrupt],
            &[Interrupt, Termination, Interrupt],
            &[Interrupt, Termination, Termination],
        ] {
            assert_eq!(after(at_once), Heard::Enough, "{at_once:?}");
        }
    }
}
