//! A write that is never blindly repeated: after a server error the service is asked whether the effect
//! is there, and only where it says no the write is sent again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::studio::{Effect, Failure, FailureKind, Studio};

/// Times a write is sent at the most.
const ROUNDS: usize = 5;

/// A write that did not come through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unwritten {
    /// The service has surely not done it.
    NotDone(Failure),
    /// It may have been done.
    Unknown(Failure),
}

impl Unwritten {
    pub(super) fn of(failure: Failure) -> Self {
        match failure.effect() {
            Effect::NotDone => Unwritten::NotDone(failure),
            Effect::Askable | Effect::Unknown => Unwritten::Unknown(failure),
        }
    }

    /// Whether nothing at all went out, because the run had been cancelled before.
    pub(super) fn unsent(&self) -> bool {
        let failure = self.failure();
        failure.kind == FailureKind::Cancelled && failure.attempts == 0
    }

    pub(super) fn failure(&self) -> &Failure {
        match self {
            Unwritten::NotDone(failure) | Unwritten::Unknown(failure) => failure,
        }
    }
}

/// The pauses between a server error and the question whether it took effect all the same.
pub(super) fn pauses() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(8))
        .with_max_times(ROUNDS - 1)
        .with_jitter()
        .build()
}

/// Sends a write; after a server error asks for its effect before sending it again.
///
/// `ask` answers `None` where the service says that the effect is not there.
pub(super) async fn write<T>(
    studio: &Studio,
    send: impl AsyncFn() -> Result<T, Failure>,
    ask: impl AsyncFn() -> Result<Option<T>, Failure>,
) -> Result<T, Unwritten> {
    let mut pauses = pauses();
    let mut sent = 0;
    loop {
        let mut failure = match send().await {
            Ok(done) => return Ok(done),
            Err(failure) => failure,
        };
        let repeated = sent > 0;
        sent += failure.attempts;
        failure.attempts = sent;
        // A repeat that is refused may be so because the first one took effect, later than it was asked for.
        if repeated
            && failure.kind == FailureKind::Rejected
            && let Ok(Some(done)) = ask().await
        {
            return Ok(done);
        }
        if failure.effect() != Effect::Askable {
            return Err(Unwritten::of(failure));
        }
        let pause = pauses.next();
        sleep(studio, before_asking(pause, &failure)).await;
        match ask().await {
            Ok(Some(done)) => return Ok(done),
            // Asked, and it is not there: nothing is in doubt, even when no repeat is left.
            Ok(None) if pause.is_none() => return Err(Unwritten::NotDone(failure)),
            Ok(None) => {}
            Err(why) => return Err(in_doubt(failure, &why)),
        }
    }
}

/// The longer of our own pause and what the service asked for.
pub(super) fn before_asking(pause: Option<Duration>, failure: &Failure) -> Duration {
    pause
        .unwrap_or_default()
        .max(failure.retry_after.unwrap_or_default())
}

/// A write that met a server error, and the question for its effect failed too.
pub(super) fn in_doubt(mut failure: Failure, why: &Failure) -> Unwritten {
    failure.message = format!("{}; asking whether it is there failed: {why}", failure.message);
    Unwritten::Unknown(failure)
}

/// Sleeps, or returns early when the run is cancelled. True: slept through.
pub(super) async fn sleep(studio: &Studio, pause: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(pause) => true,
        () = studio.http().cancel().cancelled() => false,
    }
}
