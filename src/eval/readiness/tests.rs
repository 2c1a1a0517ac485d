use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;

use super::super::fixtures::{failure, settings, silent};
use super::*;

struct Seen {
    ready: Result<(), Stopped>,
    loading: bool,
    looks: usize,
    loads: usize,
    took: Duration,
}

/// What `make_ready` does of a service whose looks answer so, the last one again and again.
async fn seen(looks: Vec<Result<bool, Failure>>, load: Result<(), Failure>) -> Seen {
    let (events, mut told) = unbounded_channel();
    let mut service = silent();
    *service.running.get_mut().unwrap() = looks.into();
    service.load = load;
    let begun = Instant::now();
    let ready = make_ready(&settings(1), &events, &CancellationToken::new(), &service).await;
    let loading = told.try_recv()
        == Ok(Event::Loading {
            model: "the-model".to_owned(),
        });
    Seen {
        ready,
        loading,
        looks: service.looks.load(Ordering::Relaxed),
        loads: service.loads.load(Ordering::Relaxed),
        took: begun.elapsed(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_running_model_is_asked_at_once() {
    let seen = seen(vec![Ok(true)], Ok(())).await;
    assert_eq!(
        (seen.ready, seen.loading, seen.looks, seen.loads),
        (Ok(()), false, 1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_model_that_is_not_running_is_loaded_and_waited_for() {
    let trouble = Err(failure(FailureKind::Server, Some(503), ""));
    let seen = seen(vec![Ok(false), Ok(false), trouble, Ok(true)], Ok(())).await;
    assert_eq!(
        (seen.ready, seen.loading, seen.looks, seen.loads),
        (Ok(()), true, 4, 1)
    );
    assert_eq!(seen.took, Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn waiting_has_an_end() {
    for load in [Ok(()), Err(failure(FailureKind::Timeout, None, "slow"))] {
        let lost = load.is_err();
        let seen = seen(vec![Ok(false)], load).await;
        let stopped = seen.ready.unwrap_err();
        assert_eq!(stopped.kind, StopKind::Unavailable);
        assert!(
            stopped.message.contains("`the-model`") && stopped.message.contains("60 s"),
            "{}",
            stopped.message
        );
        assert_eq!(stopped.message.contains("time-out after 1 attempt: slow"), lost);
        assert_eq!((seen.took, seen.loads), (Duration::from_secs(60), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_without_these_routes_is_asked_anyway() {
    for kind in [
        FailureKind::Rejected,
        FailureKind::Server,
        FailureKind::Connect,
        FailureKind::Unreadable,
    ] {
        let seen = seen(vec![Err(failure(kind, Some(404), ""))], Ok(())).await;
        assert_eq!(
            (seen.ready, seen.loading, seen.loads),
            (Ok(()), false, 0),
            "{kind:?}"
        );
    }
    let seen = seen(
        vec![Ok(false)],
        Err(failure(FailureKind::Rejected, Some(400), "not loadable")),
    )
    .await;
    assert_eq!((seen.ready, seen.looks), (Ok(()), 1));
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_ends_it_before_the_first_answer() {
    for status in [401, 403] {
        let no = || failure(FailureKind::Unauthorized, Some(status), "no");
        for (looks, load) in [
            (vec![Err(no())], Ok(())),
            (vec![Ok(false)], Err(no())),
            (vec![Ok(false), Err(no())], Ok(())),
        ] {
            let stopped = seen(looks, load).await.ready.unwrap_err();
            assert_eq!(stopped.kind, StopKind::Unauthorized);
            assert!(stopped.message.contains("PREMAI_API_KEY"), "{}", stopped.message);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_interruption_ends_the_wait() {
    let (events, _told) = unbounded_channel();
    let cancel = CancellationToken::new();
    let settings = settings(1);
    let mut service = silent();
    *service.running.get_mut().unwrap() = [Ok(false)].into();
    let waiting = make_ready(&settings, &events, &cancel, &service);
    let (ready, ()) = tokio::join!(waiting, async {
        sleep(Duration::from_secs(7)).await;
        cancel.cancel();
    });
    assert_eq!(ready.unwrap_err().kind, StopKind::Interrupted);
}
