//! The client: a call comes in, is sent and repeated as its class of fault allows, and a typed reply or
//! a failure goes out. Every wait ends when the run is cancelled.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::address::Address;
use super::attempt::{self, Body, Fault, Mends};
use super::pause::Pauses;
use super::redact::Redactor;
use super::redirect::{self, Way, Ways};
use super::{
    Call, Download, Failure, FailureKind, MAX_REPLY_BYTES, NextPage, Page, Reply, SHAPE_REPEATS, Settings,
    TIMEOUT_ATTEMPTS, Tally, Writes, page, transport,
};

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
        Ok(Client {
            shared: Arc::new(Shared {
                http,
                keyless: OnceLock::new(),
                address,
                settings,
                redactor,
                cancel,
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
        self.call(call, None, &self.json(), &read).await
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
        self.call(call, page, &self.json(), &read).await
    }

    /// As [`Client::send`], with a reply that may be anything: its bytes.
    pub async fn download(&self, call: &Call, how: &Download) -> Result<Reply<Vec<u8>>, Failure> {
        self.call(call, None, how, &|body: Body| Ok(body.bytes)).await
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
        read: &(impl Fn(Body) -> Result<T, Fault> + Sync),
    ) -> Result<Reply<T>, Failure> {
        self.count(call, |tally| tally.calls += 1);
        let mut attempts = 0;
        let outcome = self.call_counted(call, page, how, read, &mut attempts).await;
        outcome.map_err(|fault| {
            self.count(call, |tally| tally.failed += 1);
            Failure {
                call: call.name,
                kind: fault.kind,
                status: fault.status,
                attempts,
                message: fault.message,
                retry_after: fault
                    .retry_after
                    .map(|asked| asked.min(self.shared.settings.retry_after_cap)),
            }
        })
    }

    async fn call_counted<T>(
        &self,
        call: &Call,
        page: Option<&NextPage>,
        how: &Download,
        read: &(impl Fn(Body) -> Result<T, Fault> + Sync),
        attempts: &mut u32,
    ) -> Result<Reply<T>, Fault> {
        let Shared {
            settings,
            address,
            cancel,
            ..
        } = &*self.shared;
        let not_sent = |why: String| Fault::new(FailureKind::Rejected, None, format!("not sent: {why}"));
        let url = match page {
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
        loop {
            if cancel.is_cancelled() {
                return Err(cancelled("the run was cancelled"));
            }
            *attempts += 1;
            self.count(call, |tally| tally.attempts += 1);
            let started = Instant::now();
            let body = self.attempt(call, url.clone(), how).await;
            let latency = started.elapsed();
            self.count(call, |tally| tally.total += latency);
            let status = body
                .as_ref()
                .map_or_else(|fault| fault.status, |body| Some(body.status.as_u16()));
            let value = body.and_then(read);
            let pause = match &value {
                Err(fault) if fault.may_repeat(call.writes) && patience.lasts(fault.mends) => {
                    pauses.next(fault.retry_after)
                }
                _ => None,
            };
            debug!(
                call = call.name,
                attempt = *attempts,
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
                        attempts: *attempts,
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
            if cancel
                .run_until_cancelled(tokio::time::sleep(pause))
                .await
                .is_none()
            {
                return Err(match call.writes {
                    Writes::Yes => fault,
                    Writes::No => cancelled("the run was cancelled before the call was repeated"),
                });
            }
        }
    }

    /// One attempt, bounded in time and ended by cancellation.
    async fn attempt(&self, call: &Call, url: Url, how: &Download) -> Result<Body, Fault> {
        let Shared { settings, cancel, .. } = &*self.shared;
        let time = how.timeout.unwrap_or(settings.timeout);
        let exchange = async {
            timeout(time, self.exchange(call, url, how))
                .await
                .unwrap_or_else(|_| {
                    let message = format!("no complete reply within {time:?}");
                    Err(Fault::new(FailureKind::Timeout, None, message))
                })
        };
        tokio::pin!(exchange);
        if let Some(outcome) = cancel.run_until_cancelled(&mut exchange).await {
            return outcome;
        }
        let late = match call.writes {
            Writes::No => return Err(cancelled("the run was cancelled before a reply came")),
            Writes::Yes => timeout(WRITE_GRACE, exchange).await,
        };
        late.unwrap_or_else(|_| {
            Err(cancelled(
                "the run was cancelled while it was sent, and no reply came in time",
            ))
        })
    }

    /// From sending to the last byte, wherever redirects lead that may be followed.
    async fn exchange(&self, call: &Call, mut url: Url, how: &Download) -> Result<Body, Fault> {
        let Shared {
            settings,
            address,
            redactor,
            ..
        } = &*self.shared;
        let mut ways = Ways {
            within: settings.redirects,
            away: how.away,
        };
        loop {
            let response = attempt::send(self.request(call, url, how), redactor).await?;
            match redirect::way(call, &response, ways, address, redactor)? {
                None => return attempt::receive(response, how.limit, settings.limits, redactor).await,
                Some(Way::Within(to)) => {
                    ways.within -= 1;
                    url = to;
                }
                Some(Way::Away(to)) => {
                    let response = self.fetch_keyless(to).await?;
                    return attempt::receive(response, how.limit, settings.limits, redactor).await;
                }
            }
        }
    }

    fn request(&self, call: &Call, url: Url, how: &Download) -> RequestBuilder {
        let mut request = self.shared.http.request(call.method.clone(), url);
        if let Some(accept) = how.accept {
            request = request.header(ACCEPT, HeaderValue::from_static(accept));
        }
        if let Some(body) = &call.body {
            request = request
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(body.clone());
        } else if call.method != Method::GET {
            // A proxy may answer 411 to a request that could have a body and says nothing of it.
            request = request.header(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        request
    }

    /// A success of the place that a redirect led away to.
    async fn fetch_keyless(&self, url: Url) -> Result<Response, Fault> {
        let Shared {
            settings,
            address,
            redactor,
            ..
        } = &*self.shared;
        let made = self
            .shared
            .keyless
            .get_or_init(|| transport::keyless(settings, address));
        let http = made
            .as_ref()
            .map_err(|why| Fault::new(FailureKind::Rejected, None, format!("not sent: {why}")))?;
        let response = attempt::send(http.get(url), redactor).await?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(redirect::refused_away(&response))
        }
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

/// Faults of one call that may not come as often as there are attempts.
#[derive(Default)]
struct Patience {
    seldom: u32,
    slowly: u32,
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
