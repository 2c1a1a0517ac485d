//! A call comes in, and its exchange goes out: one request and whatever redirects it leads to, bounded in time and ended
//! by cancellation.

use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, Url};
use tokio::time::timeout;

use super::super::attempt::{self, Body, Fault};
use super::super::redirect::{self, Way, Ways};
use super::super::{Call, Download, FailureKind, Writes, transport};
use super::{Client, Shared, WRITE_GRACE, cancelled};

impl Client {
    /// One attempt, bounded in time and ended by cancellation.
    pub(super) async fn attempt(&self, call: &Call, url: Url, how: &Download) -> Result<Body, Fault> {
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
}
