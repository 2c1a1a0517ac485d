use std::time::Duration;

use futures_util::FutureExt;

use super::*;

fn lanes(concurrency: Concurrency) -> Lanes {
    Lanes::with_chance(
        Traffic {
            concurrency,
            ..Traffic::default()
        },
        7,
    )
}

async fn goes(lane: &Lane) -> Permit {
    lane.admit(false, Urgency::Begins).await
}

/// How long it takes until the next call of the lane may go.
async fn waits(lane: &Lane) -> Duration {
    let begun = Instant::now();
    drop(goes(lane).await);
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_fixed_number_is_of_all_models_together() {
    let lanes = lanes(Concurrency::Fixed(2));
    let (a, b) = (lanes.of("a"), lanes.of("b"));
    let (first, _second) = (goes(&a).await, goes(&b).await);
    assert!(goes(&a).now_or_never().is_none());
    assert!(goes(&b).now_or_never().is_none());
    first.end(End::Through);
    assert!(goes(&b).now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_sleeps_holds_no_place() {
    let lanes = lanes(Concurrency::Fixed(1));
    let lane = lanes.of("a");
    goes(&lane).await.end(End::Other);
    let asleep = lane.sleep();
    assert_eq!(lanes.parked(), 1);
    assert!(goes(&lane).now_or_never().is_some());
    drop(asleep);
    assert_eq!(lanes.parked(), 0);
}

#[tokio::test(start_paused = true)]
async fn repeats_go_first_and_then_what_finishes() {
    let lanes = lanes(Concurrency::Fixed(1));
    let (a, b) = (lanes.of("a"), lanes.of("b"));
    let held = goes(&a).await;
    let order = Mutex::new(Vec::new());
    let call = async |lane: &Lane, repeat, urgency, name| {
        let permit = lane.admit(repeat, urgency).await;
        order.lock().unwrap().push(name);
        permit.end(End::Through);
    };
    let free = async { held.end(End::Through) };
    tokio::join!(
        call(&a, false, Urgency::Begins, "answer"),
        call(&b, false, Urgency::Finishes, "judgement"),
        call(&a, true, Urgency::Begins, "repeat"),
        free,
    );
    assert_eq!(order.into_inner().unwrap(), ["repeat", "judgement", "answer"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_service_asks_for_closes_its_lane_for_all_calls_and_no_other() {
    for concurrency in [Concurrency::Auto, Concurrency::Fixed(4), Concurrency::Unbounded] {
        let lanes = lanes(concurrency);
        let (a, b) = (lanes.of("a"), lanes.of("b"));
        goes(&a).await.end(End::Refused {
            retry_after: Some(Duration::from_secs(7)),
        });
        assert!(waits(&b).await < Duration::from_millis(100), "{concurrency:?}");
        let waited = waits(&a).await;
        assert!(
            waited > Duration::from_millis(6_900) && waited < Duration::from_millis(7_200),
            "{concurrency:?}: {waited:?}"
        );
        assert!(waits(&a).await < Duration::from_millis(100), "{concurrency:?}");
        assert_eq!(lanes.figures()["a"].refused, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lane_that_refuses_everything_is_given_up_after_minutes() {
    let lane = lanes(Concurrency::Auto).of("a");
    let begun = Instant::now();
    while !lane.is_given_up() {
        goes(&lane).await.end(End::Refused { retry_after: None });
    }
    let took = begun.elapsed();
    assert!(
        took > Duration::from_secs(100) && took < Duration::from_secs(180),
        "{took:?}"
    );
    goes(&lane).await.end(End::Through);
    assert!(!lane.is_given_up());
}

#[tokio::test(start_paused = true)]
async fn who_gave_up_waiting_leaves_its_turn_to_the_next() {
    let lanes = lanes(Concurrency::Fixed(1));
    let lane = lanes.of("a");
    let held = goes(&lane).await;
    let mut gone = Box::pin(goes(&lane));
    assert!(gone.as_mut().now_or_never().is_none());
    held.end(End::Through);
    // Its turn came, and it is dropped before it takes it.
    drop(gone);
    assert!(goes(&lane).now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn known_limits_space_the_calls() {
    let traffic = Traffic {
        concurrency: Concurrency::Fixed(50),
        rpm: Some(600),
        tpm: None,
    };
    let lanes = Lanes::with_chance(traffic, 7);
    let (a, b) = (lanes.of("a"), lanes.of("b"));
    let begun = Instant::now();
    for _ in 0..100 {
        drop(goes(&a).await);
        drop(goes(&b).await);
    }
    // Ten a second of each model, but for what may be used ahead.
    let took = begun.elapsed().as_secs_f64();
    assert!((9.3..10.2).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn tokens_are_put_right_by_what_replies_tell() {
    let traffic = Traffic {
        concurrency: Concurrency::Fixed(50),
        rpm: None,
        tpm: Some(60_000),
    };
    let lane = Lanes::with_chance(traffic, 7).of("a");
    let begun = Instant::now();
    for _ in 0..100 {
        goes(&lane).await.end(End::Through);
        lane.took(100);
    }
    // 10,000 tokens at a thousand a second.
    let took = begun.elapsed().as_secs_f64();
    assert!((9.0..10.6).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn overload_and_time_outs_halve_what_goes_at_once() {
    for end in [End::Overloaded { retry_after: None }, End::TimedOut] {
        let lanes = lanes(Concurrency::Auto);
        let lane = lanes.of("a");
        goes(&lane).await.end(end);
        assert_eq!(lanes.figures()["a"].limit, Some(4), "{end:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_is_to_mind_the_time_and_goes_instead_leaves_it_to_another() {
    let lanes = Lanes::with_chance(
        Traffic {
            rpm: Some(60),
            ..Traffic::default()
        },
        7,
    );
    let lane = lanes.of("a");
    // What may go at once is gone.
    while let Some(permit) = goes(&lane).now_or_never() {
        permit.end(End::Through);
    }
    let gap = waits(&lane).await;
    let mut nobody = std::task::Context::from_waker(std::task::Waker::noop());
    let mut calls: Vec<_> = (0..3).map(|_| Box::pin(goes(&lane))).collect();
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut nobody).is_pending());
    }
    let mut last = calls.pop().unwrap();
    // The first minds the time; the machine is slow, and when the second is woken for that its own turn has come.
    for mut call in calls {
        tokio::time::advance(gap * 2).await;
        let std::task::Poll::Ready(permit) = call.as_mut().poll(&mut nobody) else {
            panic!("its turn has come");
        };
        drop(call);
        permit.end(End::Through);
    }
    let permit = tokio::time::timeout(gap * 100, &mut last).await;
    assert!(permit.is_ok(), "nobody minds the time");
}
