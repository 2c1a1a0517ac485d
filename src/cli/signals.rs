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
        for _ in 0..2 {
            tokio::select! {
                _ = interrupts.recv() => {}
                // The runner sends it 7.5 seconds after the interrupt: the same wish, not an impatient second one.
                _ = terminations.recv() => if cancelled.is_cancelled() { continue },
            }
            if cancelled.is_cancelled() {
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
            cancelled.cancel();
        }
    });
    Ok(token)
}
