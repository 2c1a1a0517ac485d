//! The client: a call comes in, is sent and repeated as its class of fault allows, and a typed reply or
//! a failure goes out. Every wait ends when the run is cancelled.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::address::Address;
use super::attempt::{self, Body, Fault, Mends};
use super::pause::Pauses;
use super::redact::Redactor;
use super::{
    Call, Failure, FailureKind, Reply, SHAPE_REPEATS, Settings, TIMEOUT_ATTEMPTS, Tally, Writes, transport,
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
    address: Address,
    settings: Settings,
    redactor: Redactor,
    cancel: CancellationToken,
    tally: Mutex<BTreeMap<&'static str, Tally>>,
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
                address,
                settings,
                redactor,
                cancel,
                tally,
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
        self.count(call, |tally| tally.calls += 1);
        let mut attempts = 0;
        let outcome = self.send_counted(call, &mut attempts).await;
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

    async fn send_counted<T: DeserializeOwned>(
        &self,
        call: &Call,
        attempts: &mut u32,
    ) -> Result<Reply<T>, Fault> {
        let Shared {
            settings,
            address,
            cancel,
            redactor,
            ..
        } = &*self.shared;
        let url = address
            .join(&call.path, &call.query)
            .map_err(|why| Fault::new(FailureKind::Rejected, None, format!("not sent: {why}")))?;
        let mut pauses = Pauses::new(settings);
        let mut patience = Patience::default();
        loop {
            if cancel.is_cancelled() {
                return Err(cancelled("the run was cancelled"));
            }
            *attempts += 1;
            self.count(call, |tally| tally.attempts += 1);
            let started = Instant::now();
            let body = self.attempt(call, url.clone()).await;
            let latency = started.elapsed();
            self.count(call, |tally| tally.total += latency);
            let status = body
                .as_ref()
                .map_or_else(|fault| fault.status, |body| Some(body.0.as_u16()));
            let value = body.and_then(|body| attempt::parse(&body, redactor));
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
            let Some(pause) = pause else { return Err(fault) };
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
    async fn attempt(&self, call: &Call, url: Url) -> Result<Body, Fault> {
        let Shared {
            http,
            settings,
            redactor,
            cancel,
            ..
        } = &*self.shared;
        let mut request = http.request(call.method.clone(), url);
        if let Some(body) = &call.body {
            request = request
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(body.clone());
        } else if call.method != Method::GET {
            // A proxy may answer 411 to a request that could have a body and says nothing of it.
            request = request.header(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let exchange = async {
            timeout(settings.timeout, attempt::exchange(request, redactor))
                .await
                .unwrap_or_else(|_| {
                    let message = format!("no complete reply within {:?}", settings.timeout);
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
