//! A call and how its replies are read come in; it is sent and repeated, each attempt in its turn, until a value or
//! the last fault goes out.

use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;

use super::super::attempt::{Body, Fault, Mends};
use super::super::lane::{End, Lane, Permit};
use super::super::pause::Pauses;
use super::super::{
    Call, Download, FailureKind, NextPage, Reply, SHAPE_REPEATS, TIMEOUT_ATTEMPTS, Turn, Writes,
};
use super::{Client, Shared, cancelled};

/// So often a call is repeated because its lane had no room at the service, while others come through.
const REFUSALS: u32 = 200;

/// How a call is sent, and how its replies are read.
pub(super) struct Way<'a, R> {
    pub(super) page: Option<&'a NextPage>,
    pub(super) how: &'a Download,
    /// Without one it waits for nobody.
    pub(super) turn: Option<&'a Turn>,
    pub(super) read: &'a R,
}

/// Requests of a call that were sent, or are about to be.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) attempts: u32,
}

impl Client {
    /// Counts the attempts in `sent`.
    pub(super) async fn repeat<T, R: Fn(Body) -> Result<T, Fault> + Sync>(
        &self,
        call: &Call,
        way: &Way<'_, R>,
        sent: &mut Sent,
    ) -> Result<Reply<T>, Fault> {
        let Shared {
            settings,
            address,
            cancel,
            ..
        } = &*self.shared;
        let not_sent = |why: String| Fault::new(FailureKind::Rejected, None, format!("not sent: {why}"));
        let url = match way.page {
            Some(page) => page.0.clone(),
            None => address.join(&call.path, &call.query).map_err(not_sent)?,
        };
        if !self.may_lose(Duration::from_nanos(1)) {
            return Err(not_sent(
                "earlier calls have taken all the time there is for waiting".to_owned(),
            ));
        }
        let mut pauses = Pauses::new(settings);
        let mut patience = Patience::default();
        let mut last: Option<Fault> = None;
        loop {
            let ended = |last: Option<Fault>| match (last, call.writes) {
                (Some(fault), Writes::Yes) => fault,
                (Some(_), Writes::No) => cancelled("the run was cancelled before the call was repeated"),
                (None, _) => cancelled("the run was cancelled"),
            };
            if cancel.is_cancelled() {
                return Err(ended(last));
            }
            // Whoever waits for its turn counts as sent: it will be.
            let counted = Counted::new(self, call);
            let permit = match way.turn {
                None => None,
                Some(turn) => {
                    let admitted = turn.lane.admit(last.is_some(), turn.urgency);
                    match cancel.run_until_cancelled(admitted).await {
                        Some(permit) => Some(permit),
                        None => return Err(ended(last)),
                    }
                }
            };
            counted.went_out();
            sent.attempts += 1;
            let started = Instant::now();
            // Large, and moved about with everything that awaits this, were it not elsewhere.
            let body = Box::pin(self.attempt(call, url.clone(), way.how)).await;
            let latency = started.elapsed();
            let in_turn = self.shared.order.turn(latency).await;
            self.count(call, |tally| tally.total += latency);
            let status = body
                .as_ref()
                .map_or_else(|fault| fault.status, |body| Some(body.status.as_u16()));
            let value = body.and_then(way.read);
            drop(in_turn);
            // The place is free before anything is waited for.
            let refused = end(permit, value.as_ref().err(), settings.retry_after_cap);
            let pause = match &value {
                Err(fault) if fault.may_repeat(call.writes) && patience.lasts(fault.mends) => {
                    match way.turn {
                        // The lane waits, and it is not this call's fault: it may be repeated as long as others are not
                        // refused for ever.
                        Some(turn) if refused => (patience.refused(&turn.lane)).then_some(Duration::ZERO),
                        _ => pauses.next(fault.retry_after),
                    }
                }
                _ => None,
            };
            debug!(
                call = call.name,
                attempt = sent.attempts,
                status,
                fault = value.as_ref().err().map(|fault| fault.kind.as_str()),
                ms = latency.as_millis(),
                wait_ms = pause.map(|pause| pause.as_millis()),
                "attempt"
            );
            let fault = match value {
                Ok(value) => {
                    return Ok(Reply {
                        value,
                        attempts: sent.attempts,
                        latency,
                    });
                }
                Err(fault) => fault,
            };
            if fault.mends != Mends::Never {
                self.lose(latency);
            }
            let Some(pause) = pause.filter(|pause| self.may_lose(*pause)) else {
                return Err(fault);
            };
            self.lose(pause);
            let asleep = way.turn.map(|turn| turn.lane.sleep());
            let slept = cancel
                .run_until_cancelled(tokio::time::sleep(pause))
                .await
                .is_some();
            drop(asleep);
            last = Some(fault);
            if !slept {
                return Err(ended(last));
            }
        }
    }
}

/// Tells a lane what became of an attempt. Whether it was refused for too much traffic.
fn end(permit: Option<Permit>, fault: Option<&Fault>, longest: Duration) -> bool {
    let asked = |fault: &Fault| fault.retry_after.map(|asked| asked.min(longest));
    let end = match fault {
        None => End::Through,
        Some(fault) => match (fault.kind, fault.status) {
            (FailureKind::Limited, _) => End::Refused {
                retry_after: asked(fault),
            },
            // 529 is what some models' makers say for the same.
            (FailureKind::Server, Some(503 | 529)) => End::Overloaded {
                retry_after: asked(fault),
            },
            (FailureKind::Timeout, _) => End::TimedOut,
            _ => End::Other,
        },
    };
    if let Some(permit) = permit {
        permit.end(end);
    }
    matches!(end, End::Refused { .. })
}

/// A request in the tally, which is taken out again where it was not sent.
struct Counted<'a> {
    client: &'a Client,
    call: &'a Call,
    is_sent: bool,
}

impl<'a> Counted<'a> {
    fn new(client: &'a Client, call: &'a Call) -> Counted<'a> {
        client.count(call, |tally| tally.attempts += 1);
        Counted {
            client,
            call,
            is_sent: false,
        }
    }

    fn went_out(mut self) {
        self.is_sent = true;
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if !self.is_sent {
            let taken_back = |attempts: u64| attempts.saturating_sub(1);
            self.client
                .count(self.call, |tally| tally.attempts = taken_back(tally.attempts));
        }
    }
}

/// Faults of one call that may not come as often as there are attempts.
#[derive(Default)]
struct Patience {
    seldom: u32,
    slowly: u32,
    refused: u32,
}

impl Patience {
    /// Whether to try again after one more fault.
    fn lasts(&mut self, mends: Mends) -> bool {
        match mends {
            Mends::Never => false,
            Mends::Seldom => {
                self.seldom += 1;
                self.seldom <= SHAPE_REPEATS
            }
            Mends::Slowly => {
                self.slowly += 1;
                self.slowly < TIMEOUT_ATTEMPTS
            }
            Mends::Often => true,
        }
    }

    /// Whether to try again after the lane was refused once more.
    fn refused(&mut self, lane: &Lane) -> bool {
        self.refused += 1;
        self.refused <= REFUSALS && !lane.is_given_up()
    }
}
