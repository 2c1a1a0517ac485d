//! The client: a call comes in, is sent and repeated as its class of fault allows, and a typed reply or
//! a failure goes out. Every wait ends when the run is cancelled.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::address::Address;
use super::attempt::{self, Body, Fault};
use super::lane::{Lane, Lanes, Turn};
use super::redact::Redactor;
use super::{
    Call, Download, Failure, FailureKind, MAX_REPLY_BYTES, NextPage, Page, Reply, Settings, Tally, page,
    transport,
};

use order::Order;
use repeat::{Sent, Way};

mod exchange;
mod order;
mod repeat;

/// A write that is in flight when the run is cancelled may finish for this long: knowing whether it was
/// done is worth the wait, and a runner kills 10 s after its first signal.
pub const WRITE_GRACE: Duration = Duration::from_secs(5);

/// The client; cheap to clone, one connection pool.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    http: reqwest::Client,
    /// Made when a redirect first leads away.
    keyless: OnceLock<Result<reqwest::Client, String>>,
    address: Address,
    settings: Settings,
    redactor: Redactor,
    cancel: CancellationToken,
    lanes: Lanes,
    order: Order,
    tally: Mutex<BTreeMap<&'static str, Tally>>,
    /// What failed attempts and pauses took of the settings' patience.
    lost: Mutex<Duration>,
}

impl Client {
    /// Fails when the base URL is not one a key may be sent to, or no TLS set-up is possible.
    pub fn new(settings: Settings, cancel: CancellationToken) -> Result<Client, String> {
        let redactor = Redactor::new(&settings.key);
        // Somebody may have put the key in the wrong variable.
        let address = Address::parse(&settings.base_url).map_err(|why| redactor.redact(&why))?;
        let http = transport::client(&settings, &address)?;
        let tally = Mutex::default();
        let lanes = Lanes::new(settings.traffic);
        Ok(Client {
            shared: Arc::new(Shared {
                http,
                keyless: OnceLock::new(),
                address,
                settings,
                redactor,
                cancel,
                lanes,
                order: Order::default(),
                tally,
                lost: Mutex::default(),
            }),
        })
    }

    /// Sends the call until it succeeds, may not be repeated, or the attempts are used up.
    ///
    /// When the run is cancelled, a read ends at once as [`FailureKind::Cancelled`]. A write in flight may
    /// finish for [`WRITE_GRACE`] and ends as `Cancelled`, of unknown effect, after that; one that waits
    /// for its next attempt ends with the failure of its last one, which tells that it was not done.
    /// `Cancelled` with no attempts: nothing was sent.
    pub async fn send<T: DeserializeOwned>(&self, call: &Call) -> Result<Reply<T>, Failure> {
        let read = |body: Body| attempt::parse(&body, &self.shared.redactor);
        self.call(call, None, &self.json(), None, &read).await
    }

    /// As [`Client::send`], with each attempt in its turn of a lane: a place there is held while an attempt is on its
    /// way and at no other time. What is refused there for too much traffic is repeated beyond the settings' attempts,
    /// as long as the lane is not given up.
    pub async fn send_in<T: DeserializeOwned>(&self, call: &Call, turn: &Turn) -> Result<Reply<T>, Failure> {
        let read = |body: Body| attempt::parse(&body, &self.shared.redactor);
        self.call(call, None, &self.json(), Some(turn), &read).await
    }

    /// As [`Client::send`], of a list: its first page, or the one that another page names as the next.
    pub async fn page<T: DeserializeOwned>(
        &self,
        call: &Call,
        page: Option<&NextPage>,
    ) -> Result<Reply<Page<T>>, Failure> {
        let read = |body: Body| {
            let value = attempt::parse(&body, &self.shared.redactor)?;
            let next = page::next(&body.headers, &body.url, &self.shared.address)
                .map_err(|why| Fault::new(FailureKind::Unreadable, Some(body.status), why))?;
            Ok(Page { value, next })
        };
        self.call(call, page, &self.json(), None, &read).await
    }

    /// As [`Client::send`], with a reply that may be anything: its bytes.
    pub async fn download(&self, call: &Call, how: &Download) -> Result<Reply<Vec<u8>>, Failure> {
        self.call(call, None, how, None, &|body: Body| Ok(body.bytes))
            .await
    }

    fn json(&self) -> Download {
        Download {
            accept: None,
            limit: MAX_REPLY_BYTES,
            away: false,
            timeout: None,
        }
    }

    async fn call<T>(
        &self,
        call: &Call,
        page: Option<&NextPage>,
        how: &Download,
        turn: Option<&Turn>,
        read: &(impl Fn(Body) -> Result<T, Fault> + Sync),
    ) -> Result<Reply<T>, Failure> {
        self.count(call, |tally| tally.calls += 1);
        let mut sent = Sent::default();
        let way = Way {
            page,
            how,
            turn,
            read,
        };
        let outcome = self.repeat(call, &way, &mut sent).await;
        outcome.map_err(|fault| {
            self.count(call, |tally| tally.failed += 1);
            Failure {
                call: call.name,
                kind: fault.kind,
                status: fault.status,
                attempts: sent.attempts,
                message: fault.message,
                retry_after: fault
                    .retry_after
                    .map(|asked| asked.min(self.shared.settings.retry_after_cap)),
            }
        })
    }

    /// Whether so much of the patience is left.
    fn may_lose(&self, time: Duration) -> bool {
        let lost = *self.shared.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = self.shared.settings.patience;
        whole.is_none_or(|whole| whole.checked_sub(lost).is_some_and(|left| time <= left))
    }

    fn lose(&self, time: Duration) {
        let mut lost = self.shared.lost.lock().unwrap_or_else(PoisonError::into_inner);
        *lost = lost.saturating_add(time);
    }

    /// Bytes from the service that were packed when they came, without the key.
    pub fn bytes_without_key(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.shared.redactor.mask(bytes)
    }

    /// A text that was put together from parts of a reply, without the key: each part alone may look harmless.
    pub fn without_key(&self, text: &str) -> String {
        self.shared.redactor.redact(text)
    }

    /// Cancelled when the run is.
    pub fn cancel(&self) -> &CancellationToken {
        &self.shared.cancel
    }

    /// The budgets of the models that are asked.
    pub fn lanes(&self) -> &Lanes {
        &self.shared.lanes
    }

    /// The budget of a model.
    pub fn lane(&self, model: &str) -> Lane {
        self.shared.lanes.of(model)
    }

    /// What was called so far, by name.
    pub fn tally(&self) -> BTreeMap<String, Tally> {
        self.tallies()
            .iter()
            .map(|(name, tally)| ((*name).to_owned(), *tally))
            .collect()
    }

    /// The service's scheme, host and port: for reports.
    pub fn origin(&self) -> &str {
        self.shared.address.origin()
    }

    fn tallies(&self) -> MutexGuard<'_, BTreeMap<&'static str, Tally>> {
        self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, call: &Call, change: impl FnOnce(&mut Tally)) {
        change(self.tallies().entry(call.name).or_default());
    }
}

fn cancelled(message: &str) -> Fault {
    Fault::new(FailureKind::Cancelled, None, message.to_owned())
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("origin", &self.origin())
            .finish_non_exhaustive()
    }
}
