//! Services that have limits and don't say so, as simulations on the paused clock: the real pipeline and the real lanes
//! find out what they take.

use std::collections::VecDeque;

use super::*;
use crate::http::{Concurrency, Lanes, Traffic};
use crate::http::{End, Urgency};
use crate::studio::{ChatReply, ChatRequest, Reply};

/// What a service takes.
#[derive(Debug, Clone, Copy)]
enum Takes {
    /// Anything.
    All,
    /// So many a second, and so many at once after a pause.
    Bucket(f64, f64),
    /// So many in each second.
    Window(usize),
    /// So many in any second.
    Sliding(usize),
    /// It works on so many at once; the others wait.
    Slots(usize),
}

struct Server {
    takes: Takes,
    answer: Duration,
    judgement: Duration,
    /// Of the logarithm of latencies.
    spread: f64,
    retry_after: Option<Duration>,
    lanes: Lanes,
    state: Mutex<Books>,
}

struct Books {
    began: Instant,
    tokens: f64,
    at: Instant,
    window: VecDeque<Instant>,
    slots: Vec<Instant>,
    calls: u64,
    refused: u64,
    in_flight: usize,
    most: usize,
    random: u64,
}

impl Books {
    fn random(&mut self) -> f64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.random >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// How long the call takes, if it is taken.
    fn take(&mut self, takes: Takes, latency: Duration) -> Option<Duration> {
        let now = Instant::now();
        self.calls += 1;
        let taken = match takes {
            Takes::All => Some(latency),
            Takes::Bucket(rate, burst) => {
                let came = rate * now.duration_since(self.at).as_secs_f64();
                (self.tokens, self.at) = ((self.tokens + came).min(burst), now);
                let has_one = self.tokens > 0.999;
                self.tokens -= if has_one { 1.0 } else { 0.0 };
                has_one.then_some(latency)
            }
            Takes::Window(most) => {
                let second = |at: &Instant| at.duration_since(self.began).as_secs();
                self.window.retain(|at| second(at) == second(&now));
                let fits = self.window.len() < most;
                if fits {
                    self.window.push_back(now);
                }
                fits.then_some(latency)
            }
            Takes::Sliding(most) => {
                let second = Duration::from_secs(1);
                self.window.retain(|at| now.duration_since(*at) < second);
                let fits = self.window.len() < most;
                if fits {
                    self.window.push_back(now);
                }
                fits.then_some(latency)
            }
            Takes::Slots(most) => {
                self.slots.resize(most, now);
                let slot = self.slots.iter_mut().min().unwrap();
                *slot = (*slot).max(now) + latency;
                Some(slot.duration_since(now))
            }
        };
        match taken {
            Some(_) => self.in_flight += 1,
            None => self.refused += 1,
        }
        self.most = self.most.max(self.in_flight);
        taken
    }
}

impl Server {
    fn new(takes: Takes, latency_ms: u64, concurrency: Concurrency) -> Server {
        let latency = Duration::from_millis(latency_ms);
        let traffic = Traffic {
            concurrency,
            ..Traffic::default()
        };
        let now = Instant::now();
        Server {
            takes,
            answer: latency,
            judgement: latency,
            spread: 0.0,
            retry_after: None,
            lanes: Lanes::with_chance(traffic, 1),
            state: Mutex::new(Books {
                began: now,
                tokens: match takes {
                    Takes::Bucket(_, burst) => burst,
                    _ => 0.0,
                },
                at: now,
                window: VecDeque::new(),
                slots: Vec::new(),
                calls: 0,
                refused: 0,
                in_flight: 0,
                most: 0,
                random: 1,
            }),
        }
    }

    fn latency(&self, purpose: Purpose) -> Duration {
        let latency = match purpose {
            Purpose::Answer => self.answer,
            Purpose::Judge => self.judgement,
        };
        let mut state = self.state.lock().unwrap();
        // About normal: the sum of twelve even numbers.
        let normal = (0..12).map(|_| state.random()).sum::<f64>() - 6.0;
        latency.mul_f64((self.spread * normal).exp())
    }
}

impl Service for Server {
    async fn chat(&self, request: &ChatRequest<'_>) -> Result<Reply<ChatReply>, Failure> {
        let lane = self.lanes.of(request.model);
        let mut repeat = false;
        let latency = self.latency(request.purpose);
        loop {
            let permit = lane.admit(repeat, Urgency::Begins).await;
            let taken = self.state.lock().unwrap().take(self.takes, latency);
            if let Some(latency) = taken {
                sleep(latency).await;
                self.state.lock().unwrap().in_flight -= 1;
                permit.end(End::Through);
                return Ok(match request.purpose {
                    Purpose::Answer => reply("42"),
                    Purpose::Judge => verdict(0.5),
                });
            }
            sleep(Duration::from_millis(5)).await;
            permit.end(End::Refused {
                retry_after: self.retry_after,
            });
            repeat = true;
        }
    }

    async fn model_running(&self, _: &str) -> Result<bool, Failure> {
        Ok(true)
    }

    async fn load_model(&self, _: &str) -> Result<(), Failure> {
        Ok(())
    }

    async fn models(&self) -> Result<Vec<String>, Failure> {
        Ok(Vec::new())
    }

    async fn projects(&self) -> Result<Vec<(String, String)>, Failure> {
        Ok(Vec::new())
    }

    fn sent(&self) -> u64 {
        self.state.lock().unwrap().calls
    }

    fn room(&self, model: &str) -> usize {
        self.lanes.of(model).room()
    }

    fn parked(&self) -> usize {
        self.lanes.parked()
    }

    async fn more_room(&self) {
        self.lanes.more_room().await;
    }
}

/// How long a suite of so many cases takes; every case has its score.
async fn seconds(cases: usize, server: &Server, concurrency: usize) -> f64 {
    let suite = numbered(cases);
    let (exhibits, settings) = (Exhibits::new(&suite, None), settings(concurrency));
    let (prompt, cancel) = (JudgePrompt::new(None).unwrap(), CancellationToken::new());
    let (events, _told) = unbounded_channel();
    let plan = Plan {
        suite: &suite,
        exhibits: &exhibits,
        settings: &settings,
        prompt: &prompt,
        cancel: &cancel,
        keep: &|_| Ok(()),
        checking: &AtomicUsize::new(0),
        events: &events,
    };
    let begun = Instant::now();
    let outcome = run(&plan, Known::default(), server).await;
    let took = begun.elapsed();
    let evaluation = outcome.into_evaluation(&suite, &exhibits, took);
    assert_eq!(evaluation.stopped, None);
    let calls = server.state.lock().unwrap();
    assert_eq!(calls.calls - calls.refused, 2 * cases as u64);
    took.as_secs_f64()
}

/// How much longer than the ideal 1,000 cases take, at a hundred calls a second; fewer than 3 % of the calls are
/// refused.
async fn longer(takes: Takes, latency_ms: u64, asks: bool, chance: u64) -> f64 {
    let mut server = Server::new(takes, latency_ms, Concurrency::Auto);
    server.retry_after = asks.then_some(Duration::from_secs(1));
    // Latencies differ by a few per cent.
    server.spread = 0.05;
    server.state.lock().unwrap().random = chance;
    // Where in the service's second it begins.
    sleep(Duration::from_millis(chance * 137 % 1_000)).await;
    let took = seconds(1_000, &server, usize::MAX).await;
    let burst = match takes {
        Takes::Bucket(_, burst) => burst,
        _ => 100.0,
    };
    let ideal = (2_000.0 - burst) / 100.0 + latency_ms as f64 / 1_000.0;
    let state = server.state.lock().unwrap();
    assert!(
        state.refused * 100 < 3 * state.calls,
        "{takes:?} {latency_ms} ms, {asks}, {chance}: {} refused",
        state.refused
    );
    took / ideal
}

async fn is_found(takes: Takes) {
    let asked = |asks| [5, 50, 200, 1_000].map(|latency_ms| (asks, latency_ms));
    for (asks, latency_ms) in [false, true].into_iter().flat_map(asked) {
        let most = match (takes, asks, latency_ms) {
            // A start of 8 calls at once that doubles each round trip takes seconds.
            (_, false, 1_000) => 1.25,
            (_, true, 1_000) => 1.45,
            // The timer's own millisecond is a tenth of the gap that it allows for, and each refusal costs a second.
            (Takes::Bucket(_, 1.0), true, _) => 1.25,
            // What is seen first may be parts of two of its seconds, and both models may be refused at once, which
            // leaves none to tell that it counts by the second: then it takes another refusal, of a second.
            (Takes::Window(_) | Takes::Sliding(_), true, _) => 1.2,
            _ => 1.15,
        };
        let longer = longer(takes, latency_ms, asks, 6).await;
        assert!(
            longer <= most,
            "{takes:?} {latency_ms} ms, asks: {asks}: {longer:.3}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_allows_one_ahead_is_found() {
    is_found(Takes::Bucket(100.0, 1.0)).await;
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_allows_ten_ahead_is_found() {
    is_found(Takes::Bucket(100.0, 10.0)).await;
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_allows_a_second_ahead_is_found() {
    is_found(Takes::Bucket(100.0, 100.0)).await;
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_each_second_is_found() {
    is_found(Takes::Window(100)).await;
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_any_second_is_found() {
    is_found(Takes::Sliding(100)).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_where_there_is_no_limit() {
    let server = Server::new(Takes::All, 1, Concurrency::Auto);
    let took = seconds(5_000, &server, usize::MAX).await;
    assert!(took < 0.7, "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_queue_is_kept_busy_and_not_filled() {
    let server = Server::new(Takes::Slots(16), 200, Concurrency::Auto);
    let took = seconds(2_000, &server, usize::MAX).await;
    let (ideal, most) = (4_000.0 * 0.2 / 16.0, server.state.lock().unwrap().most);
    assert!(took * 0.9 <= ideal, "{took} s of {ideal} s");
    // Two models fill it, and neither knows of the other.
    assert!(most <= 5 * 16, "{most}");
}

#[tokio::test(start_paused = true)]
async fn answers_that_differ_tenfold_are_no_sign_of_load() {
    let mut took = Vec::new();
    for (concurrency, most) in [(Concurrency::Auto, usize::MAX), (Concurrency::Fixed(256), 256)] {
        let mut server = Server::new(Takes::All, 200, concurrency);
        server.spread = 1.0;
        took.push(seconds(3_000, &server, most).await);
    }
    assert!(took[0] <= took[1] / 0.8, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_fixed_number_takes_hardly_more_than_the_bound() {
    let mut server = Server::new(Takes::All, 200, Concurrency::Fixed(64));
    server.judgement = Duration::from_millis(400);
    // A number of cases that fills every round.
    let took = seconds(64 * 15, &server, 64).await;
    assert!(took <= 1.01 * 15.0 * 0.6, "{took}");
    assert_eq!(server.state.lock().unwrap().most, 64);
}

#[tokio::test(start_paused = true)]
async fn where_the_judge_is_slow_few_answers_wait_for_it() {
    let mut server = Server::new(Takes::All, 5, Concurrency::Auto);
    server.judgement = Duration::from_secs(5);
    let suite = numbered(400);
    let (exhibits, settings) = (Exhibits::new(&suite, None), settings(usize::MAX));
    let (prompt, cancel) = (JudgePrompt::new(None).unwrap(), CancellationToken::new());
    let (events, mut told) = unbounded_channel();
    let plan = Plan {
        suite: &suite,
        exhibits: &exhibits,
        settings: &settings,
        prompt: &prompt,
        cancel: &cancel,
        keep: &|_| Ok(()),
        checking: &AtomicUsize::new(0),
        events: &events,
    };
    // Before the first judgement is there.
    let _ = timeout(Duration::from_secs(4), run(&plan, Known::default(), &server)).await;
    let answered = std::iter::from_fn(|| told.try_recv().ok())
        .filter(|event| matches!(event, Event::Answered { .. }))
        .count();
    assert!((8..=80).contains(&answered), "{answered}");
}
