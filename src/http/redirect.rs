//! Where a redirect may lead: a reply's status and `Location` come in, the next URL goes out: with the key below the
//! base URL, or without it to a file that lies elsewhere.

use reqwest::header::LOCATION;
use reqwest::{Method, Response, StatusCode, Url};

use super::address::Address;
use super::attempt::Fault;
use super::redact::Redactor;
use super::{Call, FailureKind};

/// Where to go on.
#[derive(Debug)]
pub(super) enum Way {
    /// With the key.
    Within(Url),
    /// Without the key.
    Away(Url),
}

/// What of redirects a call may follow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ways {
    /// So many more with the key.
    pub(super) within: u8,
    /// One without it.
    pub(super) away: bool,
}

/// The way that a reply shows; none where it is no redirect, or one that is not followed.
pub(super) fn way(
    call: &Call,
    response: &Response,
    ways: Ways,
    address: &Address,
    redactor: &Redactor,
) -> Result<Option<Way>, Fault> {
    let status = response.status();
    if !status.is_redirection() || call.method != Method::GET {
        return Ok(None);
    }
    let Some(url) = target(response, redactor) else {
        return Ok(None);
    };
    // What has moved is asked for where it is now; what was found lies where it says.
    let moved = matches!(
        status,
        StatusCode::MOVED_PERMANENTLY | StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
    );
    let found = matches!(status, StatusCode::FOUND | StatusCode::SEE_OTHER);
    if ways.within > 0 && address.holds(&url) && (moved || (found && !ways.away)) {
        return Ok(Some(Way::Within(url)));
    }
    if !ways.away || !(moved || found) {
        return Ok(None);
    }
    let origin = url.origin().ascii_serialization();
    let unlocked = url.username().is_empty() && url.password().is_none();
    if unlocked && (url.scheme() == "https" || address.is_loopback_too(&url)) {
        return Ok(Some(Way::Away(url)));
    }
    Err(Fault::new(
        FailureKind::Rejected,
        Some(status),
        format!(
            "a redirect to {origin}, which is not followed because it is no https:// address without credentials"
        ),
    ))
}

fn target(response: &Response, redactor: &Redactor) -> Option<Url> {
    let location = response.headers().get(LOCATION)?;
    // A service that puts the key into an address would have it carried there.
    if redactor.knows(location.as_bytes()) {
        return None;
    }
    let mut url = response.url().join(location.to_str().ok()?).ok()?;
    url.set_fragment(None);
    Some(url)
}

/// A reply of the place that a redirect led away to: nothing of its text or address is told, either may hold what opens
/// the file to anybody.
pub(super) fn refused_away(response: &Response) -> Fault {
    let status = response.status();
    let origin = response.url().origin().ascii_serialization();
    let kind = if status.is_server_error() {
        FailureKind::Server
    } else {
        FailureKind::Rejected
    };
    Fault::new(
        kind,
        Some(status),
        format!("the file's place, {origin}, answers {}", status.as_u16()),
    )
}
