//! The policy of the lanes against services that exist as arithmetic alone: a limit and a latency come in, how long a
//! thousand cases took and how many calls were refused goes out. No clock passes.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::books::{Books, Ticket};
use super::*;

/// What a service takes, in calls a second.
#[derive(Debug, Clone, Copy)]
enum Takes {
    Bucket {
        rate: f64,
        burst: f64,
    },
    Clock {
        rate: usize,
    },
    Sliding {
        rate: usize,
    },
    Slots(usize),
    /// Beyond so many at once latency grows with their square.
    Collapses(f64),
    /// Everything, but for 0.7 s of every 1.5.
    Storms,
    All,
}

#[derive(Debug, Clone, Copy)]
struct Service {
    takes: Takes,
    /// In microseconds, of answers and judgements alike.
    latency: u64,
    /// Whether a refusal asks for whole seconds.
    retry_after: bool,
}

/// Times are in microseconds since it began.
struct State {
    tokens: f64,
    at: u64,
    taken: VecDeque<u64>,
    slots: Vec<u64>,
    in_flight: usize,
    /// How far the service's seconds are from ours.
    phase: u64,
}

impl State {
    /// How long a call takes that comes now; or how long until one would be taken.
    fn take(&mut self, service: Service, now: u64) -> Result<u64, u64> {
        match service.takes {
            Takes::Bucket { rate, burst } => {
                self.tokens = (self.tokens + now.saturating_sub(self.at) as f64 / 1e6 * rate).min(burst);
                self.at = self.at.max(now);
                if self.tokens < 1.0 {
                    return Err(((1.0 - self.tokens) / rate * 1e6) as u64 + 1);
                }
                self.tokens -= 1.0;
            }
            Takes::Clock { rate } => {
                let second = |at: u64| (at + self.phase) / 1_000_000;
                self.taken.retain(|at| second(*at) == second(now));
                if self.taken.len() >= rate {
                    return Err((second(now) + 1) * 1_000_000 - now - self.phase);
                }
                self.taken.push_back(now);
            }
            Takes::Sliding { rate } => {
                self.taken.retain(|at| at + 1_000_000 > now);
                if let Some(first) = self.taken.front().filter(|_| self.taken.len() >= rate) {
                    return Err(first + 1_000_000 - now);
                }
                self.taken.push_back(now);
            }
            Takes::Slots(slots) => {
                self.slots.resize(slots, 0);
                if let Some(free) = self.slots.iter_mut().min() {
                    *free = now.max(*free) + service.latency;
                    return Ok(*free - now);
                }
            }
            Takes::Collapses(beyond) => {
                let load = ((self.in_flight + 1) as f64 / beyond).max(1.0);
                return Ok((service.latency as f64 * load * load) as u64);
            }
            Takes::Storms => {
                let into = now % 1_500_000;
                if now >= 1_500_000 && into < 700_000 {
                    return Err(700_000 - into);
                }
            }
            Takes::All => {}
        }
        Ok(service.latency)
    }
}

struct Outcome {
    seconds: f64,
    /// Of all calls.
    refused: f64,
    most: usize,
}

/// So many cases: an answer and then a judgement each, begun as the pipeline does.
fn run(service: Service, cases: usize, concurrency: Concurrency, seed: u64) -> Outcome {
    let zero = Instant::now();
    let at = |micros: u64| zero + Duration::from_micros(micros);
    let traffic = Traffic {
        concurrency,
        ..Traffic::default()
    };
    let mut books = Books::new(traffic, seed, zero);
    for model in ["answers", "judge"] {
        books.lane(model, zero);
    }
    let burst = match service.takes {
        Takes::Bucket { burst, .. } => burst,
        _ => 0.0,
    };
    let phase = seed.wrapping_mul(618_034) % 1_000_000;
    let mut state = State {
        tokens: burst,
        at: 0,
        taken: VecDeque::new(),
        slots: Vec::new(),
        in_flight: 0,
        phase,
    };
    let mut under_way: Vec<Option<(Ticket, End)>> = Vec::new();
    let mut events = BinaryHeap::new();
    let (mut now, mut begun, mut due, mut done) = (0_u64, 0, 0, 0);
    let mut woken = 0;
    let (mut flying, mut calls, mut refused, mut most) = ([0_usize; 2], 0_u32, 0_u32, 0);
    while done < cases {
        while due > 0 && flying[1] < books.room(1) {
            due -= 1;
            flying[1] += 1;
            books.arrive(1, false, Urgency::Finishes, ());
        }
        while begun < cases && flying[0] < books.room(0) && due < flying[1].max(32) {
            begun += 1;
            flying[0] += 1;
            books.arrive(0, false, Urgency::Begins, ());
        }
        loop {
            match books.turn(at(now)) {
                Ok(((), ticket)) => {
                    calls += 1;
                    // A timer is of a millisecond; the way there takes a little, and not always the same.
                    let way = 40
                        + u64::from(calls)
                            .wrapping_mul(2_654_435_761)
                            .wrapping_add(seed * 97)
                            % 100;
                    let (end, took) = match state.take(service, now + way) {
                        Ok(latency) => {
                            state.in_flight += 1;
                            most = most.max(state.in_flight);
                            (End::Through, latency)
                        }
                        Err(wait) => {
                            refused += 1;
                            let whole = Duration::from_secs(wait.div_ceil(1_000_000).max(1));
                            let retry_after = service.retry_after.then_some(whole);
                            (End::Refused { retry_after }, 300)
                        }
                    };
                    events.push(Reverse((now + way + took, Some(under_way.len()))));
                    under_way.push(Some((ticket, end)));
                }
                Err(soonest) => {
                    if let Some(soonest) = soonest {
                        let grain = if books.is_exact() { 100 } else { 1_000 };
                        let wake = ((soonest - zero).as_micros() as u64).div_ceil(grain) * grain;
                        // One that is as early is under way already.
                        let wake = wake.max(now + 1);
                        if !(now + 1..=wake).contains(&woken) {
                            woken = wake;
                            events.push(Reverse((wake, None)));
                        }
                    }
                    break;
                }
            }
        }
        let Some(Reverse((next, what))) = events.pop() else {
            panic!("nothing is under way, {done} of {cases} done");
        };
        now = next;
        let Some((ticket, end)) = what.and_then(|call| under_way[call].take()) else {
            continue;
        };
        let lane = ticket.lane;
        books.end(&ticket, end, at(now));
        if end != End::Through {
            books.arrive(lane, true, [Urgency::Begins, Urgency::Finishes][lane], ());
            continue;
        }
        state.in_flight -= 1;
        flying[lane] -= 1;
        match lane {
            0 => due += 1,
            _ => done += 1,
        }
    }
    Outcome {
        seconds: now as f64 / 1e6,
        refused: f64::from(refused) / f64::from(calls),
        most,
    }
}

const SEEDS: u64 = 6;

/// The mean of time / ideal over the seeds, and the worst; none may have as much as 3 % of its calls refused.
fn limited(takes: Takes, retry_after: bool, latency: u64) -> (f64, f64) {
    let cases = 1_000;
    let (rate, burst) = match takes {
        Takes::Bucket { rate, burst } => (rate, burst),
        Takes::Clock { rate } | Takes::Sliding { rate } => (rate as f64, 0.0),
        _ => panic!("no rate"),
    };
    let ideal = (2.0 * cases as f64 - burst) / rate + 2.0 * latency as f64 / 1e6;
    let service = Service {
        takes,
        latency,
        retry_after,
    };
    let ratios: Vec<f64> = (1..=SEEDS)
        .map(|seed| {
            let outcome = run(service, cases, Concurrency::Auto, seed);
            assert!(
                outcome.refused < 0.03,
                "{service:?}, seed {seed}: {}",
                outcome.refused
            );
            outcome.seconds / ideal
        })
        .collect();
    let mean = ratios.iter().sum::<f64>() / SEEDS as f64;
    (mean, ratios.into_iter().fold(0.0, f64::max))
}

/// `bound` of the mean, and of each a tenth more than that.
fn holds(takes: Takes, retry_after: bool, bound: f64) {
    for latency in [20_000, 200_000] {
        let (mean, worst) = limited(takes, retry_after, latency);
        assert!(
            mean <= bound && worst <= bound + 0.1,
            "{takes:?}, Retry-After {retry_after}, {latency} µs: {mean:.3}, at worst {worst:.3}"
        );
    }
}

fn bucket(burst: f64) -> Takes {
    Takes::Bucket { rate: 100.0, burst }
}

#[test]
fn a_bucket_of_one_is_found() {
    holds(bucket(1.0), false, 1.15);
    holds(bucket(1.0), true, 1.3);
}

#[test]
fn a_bucket_of_ten_is_found() {
    holds(bucket(10.0), false, 1.1);
    holds(bucket(10.0), true, 1.15);
}

#[test]
fn a_bucket_of_a_second_is_found() {
    holds(bucket(100.0), false, 1.1);
    holds(bucket(100.0), true, 1.12);
}

#[test]
fn seconds_of_a_clock_are_found() {
    holds(Takes::Clock { rate: 100 }, false, 1.12);
    holds(Takes::Clock { rate: 100 }, true, 1.15);
}

#[test]
fn seconds_that_move_along_are_found() {
    holds(Takes::Sliding { rate: 100 }, false, 1.12);
    holds(Takes::Sliding { rate: 100 }, true, 1.15);
}

/// Not what the constants were made for.
#[test]
fn other_rates_are_found() {
    let other = |rate, burst| Takes::Bucket { rate, burst };
    holds(other(37.0, 12.0), true, 1.15);
    holds(other(230.0, 3.0), false, 1.15);
    holds(Takes::Clock { rate: 60 }, true, 1.2);
}

#[test]
fn slots_are_filled_and_not_flooded() {
    for slots in [4, 16, 64] {
        let service = Service {
            takes: Takes::Slots(slots),
            latency: 200_000,
            retry_after: false,
        };
        let outcome = run(service, 1_000, Concurrency::Auto, 1);
        let ideal = 2_000.0 * 0.2 / slots as f64;
        assert!(
            outcome.seconds <= 1.3 * ideal,
            "{slots}: {} of {ideal}",
            outcome.seconds
        );
        assert!(outcome.most <= 4 * slots + 32, "{slots}: {}", outcome.most);
    }
}

#[test]
fn a_service_that_slows_with_load_is_not_driven_down() {
    for beyond in [8, 16, 40] {
        let service = Service {
            takes: Takes::Collapses(beyond as f64),
            latency: 100_000,
            retry_after: false,
        };
        let best = run(service, 1_000, Concurrency::Fixed(beyond), 1).seconds;
        let seconds = run(service, 1_000, Concurrency::Auto, 1).seconds;
        assert!(seconds <= 1.6 * best, "{beyond}: {seconds} of {best}");
    }
}

#[test]
fn a_service_without_a_limit_is_used() {
    let service = Service {
        takes: Takes::All,
        latency: 600_000,
        retry_after: false,
    };
    let best = run(service, 2_000, Concurrency::Fixed(256), 1).seconds;
    let outcome = run(service, 2_000, Concurrency::Auto, 1);
    assert!(outcome.seconds <= 1.4 * best, "{} of {best}", outcome.seconds);
    assert!(outcome.refused == 0.0);
}

/// What is refused whatever the rate is no reason to go ever slower.
#[test]
fn storms_of_refusals_are_sat_out() {
    for retry_after in [false, true] {
        let service = Service {
            takes: Takes::Storms,
            latency: 75_000,
            retry_after,
        };
        for seed in 1..=SEEDS {
            let fixed = run(service, 2_500, Concurrency::Fixed(32), seed).seconds;
            let seconds = run(service, 2_500, Concurrency::Auto, seed).seconds;
            assert!(
                seconds <= fixed,
                "Retry-After {retry_after}, seed {seed}: {seconds} of {fixed}"
            );
        }
    }
}
