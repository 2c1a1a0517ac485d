//! The API's address and a token in, typed replies or a classed error out.

use std::time::Duration;

use reqwest::{Method, Url};
use secrecy::SecretString;
use serde::Serialize;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::http::{self, Call, Failure, FailureKind, Limits, Settings, Writes};

use super::names;

/// Waiting for GitHub, of all calls of one client together: nothing that it is asked for is worth more.
const PATIENCE: Duration = Duration::from_secs(60);
const MAX_ATTEMPTS: u32 = 4;
const BACKOFF_CAP: Duration = Duration::from_secs(8);
/// Longer than any limit lasts: whether there is time for it is for [`PATIENCE`] to say.
const RETRY_AFTER_CAP: Duration = Duration::from_secs(24 * 3600);
/// A repository that was renamed, and renamed again.
const REDIRECTS: u8 = 2;
const HEADERS: &[(&str, &str)] = &[("x-github-api-version", "2022-11-28")];
const ACCEPT: &str = "application/vnd.github+json";

/// Whom to ask.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// As `GITHUB_API_URL` has it: `https://api.github.com`, or `https://HOST/api/v3` of an Enterprise Server.
    pub api_url: String,
    /// `owner/name`.
    pub repository: String,
    /// Sent to the API's origin and nowhere else.
    pub token: SecretString,
    /// How long one attempt of a call may take.
    pub timeout: Duration,
}

/// Why GitHub did not do what was asked. None of these is a reason to fail a run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The token may not do this.
    #[error("{call}: GitHub refuses it ({detail}); give the job the permission `{permission}`")]
    Forbidden {
        /// The call, for a person.
        call: &'static str,
        /// As a workflow writes it: `pull-requests: write`.
        permission: &'static str,
        /// What GitHub says.
        detail: String,
    },
    /// A limit of the API's that is not over soon enough.
    #[error("{call}: GitHub's rate limit is reached ({detail})")]
    Limited {
        /// The call.
        call: &'static str,
        /// What GitHub says.
        detail: String,
    },
    /// Anything else.
    #[error("{call}: {detail}")]
    Failed {
        /// The call.
        call: &'static str,
        /// What came back.
        detail: String,
    },
}

/// What is done with the API, and what a token needs for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deed {
    /// For a person.
    pub(super) call: &'static str,
    /// As a workflow writes it.
    pub(super) permission: &'static str,
}

impl Deed {
    /// The failure of a call, for a person.
    pub(super) fn failed(&self, failure: &Failure) -> ApiError {
        let Deed { call, permission } = *self;
        let said = &failure.message;
        match (failure.kind, failure.status) {
            (FailureKind::Limited, _) => ApiError::Limited {
                call,
                detail: match failure.retry_after {
                    Some(asked) => format!("{said}; it asks to be left alone for {} s", asked.as_secs()),
                    None => said.clone(),
                },
            },
            (FailureKind::Unauthorized, Some(401)) => self.told(format!(
                "GitHub does not know the token ({said}); see that `github-token` holds one that is valid"
            )),
            (FailureKind::Unauthorized, _) => ApiError::Forbidden {
                call,
                permission,
                detail: said.clone(),
            },
            (_, Some(404)) => self.told(format!(
                "not there, or the token may not see it ({said}); it needs the permission `{permission}`"
            )),
            (kind, Some(status)) => self.told(format!("{} ({status}): {said}", kind.as_str())),
            (kind, None) => self.told(format!("{}: {said}", kind.as_str())),
        }
    }

    /// What keeps it from being done.
    pub(super) fn told(&self, detail: impl Into<String>) -> ApiError {
        ApiError::Failed {
            call: self.call,
            detail: detail.into(),
        }
    }
}

/// A repository, as the API shows it; cheap to clone.
#[derive(Debug, Clone)]
pub struct Api {
    http: http::Client,
    /// `/repos/owner/name`.
    path: String,
    /// `owner/name`.
    repository: String,
    /// Where people look at it: scheme, host and port.
    server: Option<String>,
}

impl Api {
    /// A client for one repository.
    ///
    /// # Errors
    /// The address is not one a token may be sent to, or the repository has no such name.
    pub fn new(settings: ApiSettings, cancel: CancellationToken) -> Result<Api, String> {
        let path = names::repository(&settings.repository)?;
        let server = server(&settings.api_url);
        let http = Settings {
            timeout: settings.timeout,
            max_attempts: MAX_ATTEMPTS,
            backoff_cap: BACKOFF_CAP,
            retry_after_cap: RETRY_AFTER_CAP,
            accept: ACCEPT,
            headers: HEADERS,
            limits: Limits::Headers,
            redirects: REDIRECTS,
            patience: Some(PATIENCE),
            ..Settings::new(settings.api_url, settings.token)
        };
        if !http.has_key() {
            return Err("there is no token for GitHub's API".to_owned());
        }
        Ok(Api {
            http: http::Client::new(http, cancel).map_err(|why| format!("GitHub's API: {why}"))?,
            path,
            repository: settings.repository,
            server,
        })
    }

    /// The client underneath.
    pub fn http(&self) -> &http::Client {
        &self.http
    }

    /// Whether a repository is this one.
    pub(super) fn is_own(&self, full_name: &str) -> bool {
        self.repository.eq_ignore_ascii_case(full_name)
    }

    /// A page of GitHub's for people, where it is one of the server that the API belongs to.
    pub(super) fn page_of(&self, url: &str) -> Option<String> {
        let parsed = Url::parse(url).ok()?;
        let plain = parsed.query().is_none() && parsed.fragment().is_none() && parsed.as_str() == url;
        let own = url.strip_prefix(self.server.as_deref()?)?.starts_with('/');
        (plain && own).then(|| url.to_owned())
    }

    /// A read below the repository's path.
    pub(super) fn get(&self, deed: &Deed, below: &str, query: Vec<(&'static str, String)>) -> Call {
        Call {
            name: deed.call,
            method: Method::GET,
            path: format!("{}{below}", self.path),
            query,
            body: None,
            writes: Writes::No,
        }
    }

    /// A write below the repository's path.
    pub(super) fn write(
        &self,
        deed: &Deed,
        method: Method,
        below: &str,
        body: &impl Serialize,
        writes: Writes,
    ) -> Result<Call, ApiError> {
        let body = serde_json::to_vec(body).map_err(|e| deed.told(format!("not sent: {e}")))?;
        Ok(Call {
            name: deed.call,
            method,
            path: format!("{}{below}", self.path),
            query: Vec::new(),
            body: Some(body.into()),
            writes,
        })
    }

    /// Waits for up to so long; an error when the run is cancelled.
    pub(super) async fn pause(&self, deed: &Deed, upper: Duration) -> Result<(), ApiError> {
        let pause = tokio::time::sleep(upper / 2 + http::jitter(upper / 2));
        let waited = self.http.cancel().run_until_cancelled(pause).await;
        waited.ok_or_else(|| deed.told("the run was cancelled"))
    }
}

/// `https://api.github.com` → `https://github.com`; `https://api.SUB.ghe.com` → `https://SUB.ghe.com`;
/// `https://HOST/api/v3` → `https://HOST`.
fn server(api_url: &str) -> Option<String> {
    let url = Url::parse(api_url.trim()).ok()?;
    let origin = url.origin().ascii_serialization();
    if url.path().trim_matches('/').is_empty()
        && let Some(host) = origin.strip_prefix("https://api.")
    {
        return Some(format!("https://{host}"));
    }
    Some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(api_url: &str, repository: &str, token: &str) -> Result<Api, String> {
        let settings = ApiSettings {
            api_url: api_url.to_owned(),
            repository: repository.to_owned(),
            token: token.into(),
            timeout: Duration::from_secs(30),
        };
        Api::new(settings, CancellationToken::new())
    }

    #[test]
    fn a_token_goes_to_an_address_that_may_have_it() {
        for url in [
            "https://api.github.com",
            "https://hub.example/api/v3/",
            "http://127.0.0.1:9",
        ] {
            assert!(api(url, "acme/invoices", "ghs_0123456789").is_ok(), "{url}");
        }
        for (url, repository, token) in [
            ("http://api.github.com", "acme/invoices", "ghs_0123456789"),
            (
                "https://ghs_0123456789@api.github.com",
                "acme/invoices",
                "ghs_0123456789",
            ),
            ("https://api.github.com", "acme/../x", "ghs_0123456789"),
            ("https://api.github.com", "acme/invoices", "ghs_0123456789\n"),
            ("https://api.github.com", "acme/invoices", ""),
        ] {
            let error = api(url, repository, token).expect_err(url);
            assert!(!error.contains("ghs_0123456789"), "{error}");
        }
        assert!(!format!("{:?}", api("https://api.github.com", "a/b", "ghs_0123456789")).contains("ghs_"));
    }

    #[test]
    fn a_page_for_people_is_one_of_the_same_server() {
        for (api_url, page, own) in [
            (
                "https://api.github.com",
                "https://github.com/a/b/actions/runs/1",
                true,
            ),
            (
                "https://api.acme.ghe.com/",
                "https://acme.ghe.com/a/b/actions/runs/1",
                true,
            ),
            (
                "https://hub.example/api/v3",
                "https://hub.example/a/b/actions/runs/1",
                true,
            ),
            ("https://api.github.com", "https://evil.example/a/b", false),
            (
                "https://api.github.com",
                "https://github.com.evil.example/a",
                false,
            ),
            ("https://api.github.com", "http://github.com/a", false),
            ("https://api.github.com", "https://github.com/a?b", false),
            ("https://api.github.com", "https://github.com/a)[x](y", true),
            ("https://api.github.com", "https://github.com/a b", false),
            ("https://api.github.com", "javascript:alert(1)", false),
        ] {
            let api = api(api_url, "a/b", "ghs_0123456789").expect("valid");
            assert_eq!(api.page_of(page).is_some(), own, "{page}");
        }
    }
}
