//! The state of all lanes of a client: arrivals and outcomes come in, with the time; who may go out now, or when
//! somebody may, goes out. No clock, no tasks: what waits is a value that is handed back.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::limit::{Limit, MOST};
use super::meter::Meter;
use super::pace::Pace;
use super::{Concurrency, End, LaneFigures, Traffic, Urgency};

/// The first closing time after a refusal that names none, and by how much it grows until a call comes through.
const CLOSED: Duration = Duration::from_millis(50);
const CLOSED_GROWTH: f64 = 1.6;
/// No closing time is longer until calls were refused for about a second.
const LONGEST_FIRST: Duration = Duration::from_millis(200);
const A_SECOND: Duration = Duration::from_millis(1_200);
/// No closing time is longer, unless the service asks for it.
const LONGEST_CLOSED: Duration = Duration::from_secs(5);
/// A limit by the minute is over within this time; whoever is refused longer, and so often, is shut out.
const GIVEN_UP: Duration = Duration::from_secs(120);
const GIVEN_UP_REFUSALS: u32 = 7;
/// Other models are shut out for no longer than that.
const LONGEST_SHARED: Duration = Duration::from_secs(1);
/// Tokens of a call before one has come back.
const FIRST_TOKENS: f64 = 500.0;
/// Asleep or shut out, so many calls of a lane are held beside those that go; the rest is not begun.
const MOST_PARKED: usize = 64;

/// Where a waiting call stands: repeats first, then by urgency, then by arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    new: bool,
    urgency: Urgency,
    arrival: u64,
}

/// One attempt on its way.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) lane: usize,
    sent_at: Instant,
    /// Of its lane when it went out, itself included.
    at_once: usize,
    paced: bool,
}

#[derive(Debug)]
struct Book<W> {
    name: String,
    limit: Limit,
    in_flight: usize,
    asleep: usize,
    waiting: BTreeMap<Key, W>,
    /// Nothing goes out until then.
    closed_until: Instant,
    /// Closed so often without a call that came through.
    in_a_row: u32,
    /// The first of those refusals.
    refused_since: Instant,
    requests: Option<Meter>,
    tokens: Option<Meter>,
    /// Tokens of a call, as those so far were.
    mean_tokens: Option<f64>,
    /// Tokens that were taken for calls whose count is not known yet, in the order in which they went out.
    taken: VecDeque<f64>,
    figures: LaneFigures,
}

/// All lanes of one client.
#[derive(Debug)]
pub(super) struct Books<W> {
    traffic: Traffic,
    pace: Option<Pace>,
    lanes: Vec<Book<W>>,
    in_flight: usize,
    arrivals: u64,
    chance: u64,
}

impl<W> Books<W> {
    /// `chance`: anything that differs from run to run.
    pub(super) fn new(traffic: Traffic, chance: u64, now: Instant) -> Books<W> {
        Books {
            pace: (traffic.concurrency == Concurrency::Auto).then(|| Pace::new(now)),
            traffic,
            lanes: Vec::new(),
            in_flight: 0,
            arrivals: 0,
            chance,
        }
    }

    /// The lane of this name.
    pub(super) fn lane(&mut self, name: &str, now: Instant) -> usize {
        if let Some(at) = self.lanes.iter().position(|lane| lane.name == name) {
            return at;
        }
        self.lanes.push(Book {
            name: name.to_owned(),
            limit: Limit::new(now),
            in_flight: 0,
            asleep: 0,
            waiting: BTreeMap::new(),
            closed_until: now,
            in_a_row: 0,
            refused_since: now,
            requests: self.traffic.rpm.map(|rpm| Meter::new(rpm, now)),
            tokens: self.traffic.tpm.map(|tpm| Meter::new(tpm, now)),
            mean_tokens: None,
            taken: VecDeque::new(),
            figures: LaneFigures::default(),
        });
        self.lanes.len() - 1
    }

    /// A call waits for its turn.
    pub(super) fn arrive(&mut self, lane: usize, repeat: bool, urgency: Urgency, waiter: W) -> Key {
        self.arrivals += 1;
        let key = Key {
            new: !repeat,
            urgency,
            arrival: self.arrivals,
        };
        self.lanes[lane].waiting.insert(key, waiter);
        key
    }

    /// It waits no longer.
    pub(super) fn leave(&mut self, lane: usize, key: Key) {
        self.lanes[lane].waiting.remove(&key);
    }

    fn at_most(&self, lane: &Book<W>) -> usize {
        match self.traffic.concurrency {
            Concurrency::Auto => lane.limit.now(),
            Concurrency::Fixed(_) | Concurrency::Unbounded => usize::MAX,
        }
    }

    fn is_full(&self, lane: &Book<W>) -> bool {
        match self.traffic.concurrency {
            Concurrency::Auto => self.in_flight >= MOST as usize || lane.in_flight >= lane.limit.now(),
            Concurrency::Fixed(most) => self.in_flight >= most.max(1),
            Concurrency::Unbounded => false,
        }
    }

    /// When the lane's next call may go, as far as time decides.
    fn next(&self, lane: &Book<W>) -> Instant {
        let known = [&lane.requests, &lane.tokens].into_iter().flatten();
        let pace = self.pace.iter().map(Pace::next);
        known
            .map(Meter::next)
            .chain(pace)
            .fold(lane.closed_until, Instant::max)
    }

    /// Whether the time of the next call is to be kept better than a timer does.
    pub(super) fn is_exact(&self) -> bool {
        self.pace.as_ref().is_some_and(Pace::is_exact)
    }

    /// The next call that goes out now; or when one may, if time alone is in the way.
    pub(super) fn turn(&mut self, now: Instant) -> Result<(W, Ticket), Option<Instant>> {
        let mut first: Option<(Key, usize)> = None;
        let mut soonest: Option<Instant> = None;
        for (at, lane) in self.lanes.iter().enumerate() {
            let Some(key) = lane.waiting.keys().next().filter(|_| !self.is_full(lane)) else {
                continue;
            };
            let next = self.next(lane);
            if next > now {
                soonest = Some(soonest.map_or(next, |soonest| soonest.min(next)));
            } else if first.is_none_or(|(best, _)| *key < best) {
                first = Some((*key, at));
            }
        }
        let Some((key, at)) = first else {
            return Err(soonest);
        };
        let paced = self.pace.as_mut().is_some_and(|pace| pace.sent(now));
        let lane = &mut self.lanes[at];
        lane.in_flight += 1;
        self.in_flight += 1;
        lane.limit.sent(now, lane.in_flight);
        if let Some(meter) = &mut lane.requests {
            meter.take(1.0, now);
        }
        if let Some(meter) = &mut lane.tokens {
            let tokens = lane.mean_tokens.unwrap_or(FIRST_TOKENS);
            meter.take(tokens, now);
            lane.taken.push_back(tokens);
        }
        let ticket = Ticket {
            lane: at,
            sent_at: now,
            at_once: lane.in_flight,
            paced,
        };
        match lane.waiting.remove(&key) {
            Some(waiter) => Ok((waiter, ticket)),
            None => Err(soonest),
        }
    }

    /// An attempt is over.
    pub(super) fn end(&mut self, ticket: &Ticket, end: End, now: Instant) {
        let chance = self.chance();
        self.in_flight = self.in_flight.saturating_sub(1);
        let lane = &mut self.lanes[ticket.lane];
        lane.in_flight = lane.in_flight.saturating_sub(1);
        if end != End::Through {
            // It may have taken what was taken for it: nobody will tell.
            lane.taken.pop_front();
        }
        match end {
            End::Through => {
                lane.in_a_row = 0;
                let latency = now.saturating_duration_since(ticket.sent_at);
                lane.limit.accepted(ticket.sent_at, now, latency);
                if let Some(pace) = &mut self.pace {
                    pace.accepted(ticket.sent_at, latency, ticket.paced);
                }
            }
            End::Refused { retry_after } => {
                lane.figures.refused += 1;
                let opens = lane.close(ticket.sent_at, now, retry_after, chance);
                lane.limit.refused(ticket.sent_at, now, ticket.at_once);
                if let Some(pace) = &mut self.pace {
                    pace.refused(ticket.sent_at, now, opens);
                    // One that names no time is mostly of the key, and so of all models.
                    if retry_after.is_none() {
                        pace.close(opens.min(now + LONGEST_SHARED));
                    }
                }
            }
            End::Overloaded { retry_after } => {
                lane.figures.refused += 1;
                // Until one comes through it is the same overload.
                if lane.in_a_row == 0 {
                    lane.limit.overloaded(ticket.sent_at, now);
                }
                lane.close(ticket.sent_at, now, retry_after, chance);
            }
            End::TimedOut => lane.limit.overloaded(ticket.sent_at, now),
            End::Other => {}
        }
    }

    /// A reply took so many tokens.
    pub(super) fn took(&mut self, lane: usize, tokens: u64) {
        let lane = &mut self.lanes[lane];
        // What a service says of itself does not stop the run for longer than a minute.
        let most = self.traffic.tpm.unwrap_or(u64::MAX).max(1);
        let tokens = tokens.min(most) as f64;
        let mean = lane.mean_tokens.unwrap_or(tokens);
        lane.mean_tokens = Some(mean + 0.1 * (tokens - mean));
        if let Some(meter) = &mut lane.tokens {
            meter.correct(lane.taken.pop_front().unwrap_or(mean), tokens);
        }
    }

    /// A call sleeps before it is repeated, or does so no longer.
    pub(super) fn asleep(&mut self, lane: usize, is_asleep: bool) {
        let asleep = &mut self.lanes[lane].asleep;
        *asleep = match is_asleep {
            true => *asleep + 1,
            false => asleep.saturating_sub(1),
        };
    }

    /// How many calls of the lane may be begun at any time: those that go, and some that can't for now.
    pub(super) fn room(&self, lane: usize) -> usize {
        let lane = &self.lanes[lane];
        self.at_most(lane).saturating_add(lane.asleep.min(MOST_PARKED))
    }

    /// How many calls are begun and can't go for now: they sleep, or their lane is closed.
    pub(super) fn parked(&self, now: Instant) -> usize {
        let parked = |lane: &Book<W>| match lane.closed_until > now {
            true => lane.asleep + lane.waiting.len(),
            false => lane.asleep,
        };
        self.lanes.iter().map(parked).sum::<usize>().min(MOST_PARKED)
    }

    /// Whether refusals came for so long, and nothing else, that waiting is no use any more.
    pub(super) fn is_given_up(&self, lane: usize, now: Instant) -> bool {
        let lane = &self.lanes[lane];
        lane.in_a_row >= GIVEN_UP_REFUSALS && now.duration_since(lane.refused_since) >= GIVEN_UP
    }

    /// What became of each lane, by its name.
    pub(super) fn figures(&self) -> impl Iterator<Item = (&str, LaneFigures)> {
        let rate = self.pace.as_ref().and_then(Pace::learned);
        self.lanes.iter().map(move |lane| {
            let auto = self.traffic.concurrency == Concurrency::Auto;
            let figures = LaneFigures {
                limit: auto.then(|| lane.limit.now()),
                highest: auto.then(|| lane.limit.highest()),
                calls_a_second: rate,
                ..lane.figures
            };
            (lane.name.as_str(), figures)
        })
    }

    /// From 0 up to 1 (splitmix64).
    fn chance(&mut self) -> f64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.chance;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ (z >> 31)) >> 11) as f64) / (1_u64 << 53) as f64
    }
}

impl<W> Book<W> {
    /// Closes the lane; when it opens again.
    fn close(
        &mut self,
        sent_at: Instant,
        now: Instant,
        retry_after: Option<Duration>,
        chance: f64,
    ) -> Instant {
        // Of calls that went out together the first refusal tells all.
        let told_before = sent_at < self.closed_until && self.in_a_row > 0;
        let closed = match retry_after.filter(|asked| !asked.is_zero()) {
            // Whoever was told the same second doesn't come back in the same instant.
            Some(asked) => asked + CLOSED.min(asked / 10).mul_f64(chance),
            None if told_before => Duration::ZERO,
            None => {
                // Most limits count by the second: until one is over no long time is worth missing its end.
                let longest = match self.in_a_row > 0 && now.duration_since(self.refused_since) > A_SECOND {
                    true => LONGEST_CLOSED,
                    false => LONGEST_FIRST,
                };
                let upper = CLOSED.mul_f64(CLOSED_GROWTH.powi(self.in_a_row.min(20).cast_signed()));
                upper.min(longest).mul_f64(0.75 + 0.25 * chance)
            }
        };
        if !told_before {
            if self.in_a_row == 0 {
                self.refused_since = now;
            }
            self.in_a_row += 1;
        }
        self.closed_until = self.closed_until.max(now + closed);
        self.closed_until
    }
}
