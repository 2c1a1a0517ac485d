//! A model's name comes in; the go-ahead goes out once it runs, or why it can't be asked.

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::excerpt::excerpt;
use super::limits::Wanted;
use super::service::Service;
use super::{Event, Settings};
use crate::results::{StopKind, Stopped};
use crate::studio::{Failure, FailureKind};

/// Loads the model under evaluation where the service says that it is not running, and waits for it: until it
/// runs, or until a limit is reached, which the first answer will then meet.
///
/// Only a clear "not running" starts that. Not every service has these routes, and models that are
/// always there may be unknown to them, so anything else leaves it to the first answers to tell.
pub(super) async fn make_ready<S: Service>(
    settings: &Settings,
    events: &UnboundedSender<Event>,
    cancel: &CancellationToken,
    service: &S,
) -> Result<(), Stopped> {
    let over = async {
        match settings.limits.until {
            Some(until) => sleep_until(until).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(interrupted()),
        () = over => Ok(()),
        ready = wait_for(settings, events, service) => ready,
    }
}

async fn wait_for<S: Service>(
    settings: &Settings,
    events: &UnboundedSender<Event>,
    service: &S,
) -> Result<(), Stopped> {
    match service.model_running(&settings.model).await {
        Ok(false) => {}
        Ok(true) => return Ok(()),
        Err(failure) => return ends_the_run(&failure).map_or(Ok(()), Err),
    }
    // Whoever listened may have gone; the run goes on without.
    let _ = events.send(Event::Loading {
        model: settings.model.clone(),
    });
    let begun = Instant::now();
    let mut last = match service.load_model(&settings.model).await {
        Ok(()) => None,
        Err(failure) => {
            if let Some(stopped) = ends_the_run(&failure) {
                return Err(stopped);
            }
            // The service takes this model for none that is loaded.
            if failure.kind == FailureKind::Rejected {
                return Ok(());
            }
            Some(failure)
        }
    };
    loop {
        match service.model_running(&settings.model).await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(failure) => match ends_the_run(&failure) {
                Some(stopped) => return Err(stopped),
                None => last = Some(failure),
            },
        }
        let left = settings.load_timeout.saturating_sub(begun.elapsed());
        if left.is_zero() {
            break;
        }
        if !service.holds(Wanted::Request) {
            return Ok(());
        }
        sleep(settings.load_poll.min(left)).await;
    }
    let trouble = last.map(|failure| format!(" (last trouble: {})", excerpt(&failure.to_string(), 300)));
    Err(Stopped {
        kind: StopKind::Unavailable,
        message: format!(
            "model `{}` was asked to load and does not run after {} s{}: look at it in Prem Studio, then run \
             again",
            excerpt(&settings.model, 100),
            settings.load_timeout.as_secs(),
            trouble.unwrap_or_default(),
        ),
    })
}

/// The end of the run, where a failure is one: the key is refused, or the client was cancelled.
pub(super) fn ends_the_run(failure: &Failure) -> Option<Stopped> {
    match failure.kind {
        FailureKind::Unauthorized => Some(unauthorized(failure)),
        FailureKind::Cancelled => Some(interrupted()),
        _ => None,
    }
}

/// The client was cancelled.
pub(super) fn interrupted() -> Stopped {
    Stopped {
        kind: StopKind::Interrupted,
        message: "the run was interrupted".to_owned(),
    }
}

fn unauthorized(failure: &Failure) -> Stopped {
    let advice = if failure.status == Some(403) {
        "use a key that may use this project and its models in PREMAI_API_KEY"
    } else {
        "set PREMAI_API_KEY to a valid key of Prem Studio"
    };
    Stopped {
        kind: StopKind::Unauthorized,
        message: format!(
            "the service refused the key: {}: {advice}",
            excerpt(&failure.to_string(), 300)
        ),
    }
}

#[cfg(test)]
mod tests;
