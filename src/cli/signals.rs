//! Ctrl-C, SIGTERM and a deadline → cancellation, and which of them it was; a second signal ends the process at
//! once. The program may be PID 1 of its container, where a signal without a handler is not seen at all.

use std::io;
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;

use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{Signal as UnixSignal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::exit::Exit;

/// Why a run ends before it is through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A signal.
    Signal,
    /// Its time is over.
    Deadline,
}

/// The end of a run that is not through: the token that everything listens to, and what cancelled it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    token: CancellationToken,
    by: Arc<OnceLock<Cause>>,
}

impl Ending {
    /// An end that comes with the first signal; a second one ends the process at once.
    pub(crate) fn listen() -> anyhow::Result<Ending> {
        let ending = Ending::default();
        let to_end = ending.clone();
        let (listens, heard) = mpsc::channel();
        let listener = move || {
            let (told, runtime) = match signals() {
                Ok(runtime) => (Ok(()), Some(runtime)),
                Err(error) => (Err(error), None),
            };
            // It waits for this.
            let _ = listens.send(told);
            if let Some((runtime, signals)) = runtime {
                runtime.block_on(to_end.hear(signals));
            }
        };
        // A thread of its own: a second signal is also heard where the run is at work and lets nothing else go on.
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(listener)?;
        heard.recv()??;
        Ok(ending)
    }

    async fn hear(self, (mut interrupts, mut terminations): (UnixSignal, UnixSignal)) {
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
            self.end(Cause::Signal);
        }
    }

    /// Ends the run then, where it is not over before.
    pub(crate) fn at(&self, deadline: Instant) {
        let ending = self.clone();
        tokio::spawn(async move {
            sleep_until(deadline).await;
            ending.end(Cause::Deadline);
        });
    }

    /// What everything listens to.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// What ended the run; the first of several.
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.by.get().copied()
    }

    fn end(&self, cause: Cause) {
        // Whoever sees the token cancelled finds the cause.
        let _ = self.by.set(cause);
        self.token.cancel();
    }
}

/// A token that is cancelled by the first signal.
pub(crate) fn cancellation() -> anyhow::Result<CancellationToken> {
    Ok(Ending::listen()?.token)
}

/// Interrupts and terminations, and the runtime that hears them. From here on the system's own handlers are gone.
fn signals() -> io::Result<(Runtime, (UnixSignal, UnixSignal))> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let within = runtime.enter();
    let both = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    drop(within);
    Ok((runtime, both))
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
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_cause_is_the_cause() {
        let ending = Ending::default();
        ending.at(Instant::now() + Duration::from_secs(60));
        tokio::time::sleep(Duration::from_secs(59)).await;
        assert_eq!((ending.cause(), ending.token().is_cancelled()), (None, false));
        ending.token().cancelled().await;
        assert_eq!(ending.cause(), Some(Cause::Deadline));
        ending.end(Cause::Signal);
        assert_eq!(ending.cause(), Some(Cause::Deadline));
        let ending = Ending::default();
        ending.end(Cause::Signal);
        assert_eq!(
            (ending.cause(), ending.token().is_cancelled()),
            (Some(Cause::Signal), true)
        );
    }

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
