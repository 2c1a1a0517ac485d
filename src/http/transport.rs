//! The reqwest client underneath: settings come in; TLS, proxy, redirects and pooling go out as decided
//! here and nowhere else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, ClientBuilder, redirect, retry};
use secrecy::{ExposeSecret, SecretString};

use super::Settings;
use super::address::Address;

/// Longest wait for a connection. Below the attempt's time-out, because a write that never got a
/// connection may be repeated, and one that got no answer may not.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Idle connections are dropped before the other side does it (Node's default is 5 s): a write that
/// meets a closing connection has an unknown effect.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// Port 0 stands for the URL's.
const LOCALHOST: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0),
];

/// Whether there is a key to be sent.
pub(super) fn is_given(key: &SecretString) -> bool {
    !key.expose_secret().is_empty()
}

/// For the base URL: what it sends always, the key among it.
pub(super) fn client(settings: &Settings, address: &Address) -> Result<reqwest::Client, String> {
    build(settings, address, &headers(settings)?, address.is_plain())
}

/// For a file that lies elsewhere: it has no key.
pub(super) fn keyless(settings: &Settings, address: &Address) -> Result<reqwest::Client, String> {
    build(settings, address, &HeaderMap::new(), false)
}

/// `plain`: nothing is encrypted wherever its calls lead.
fn build(
    settings: &Settings,
    address: &Address,
    headers: &HeaderMap,
    plain: bool,
) -> Result<reqwest::Client, String> {
    // Fails when there is one already; either way there is one now.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("tunegate/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers.clone())
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .connect_timeout(settings.timeout.mul_f64(0.9).min(CONNECT_TIMEOUT))
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .https_only(!address.is_loopback());
        if address.is_loopback() {
            // Where a machine does not know the name itself, whoever answers for it could be anywhere.
            let builder = builder.no_proxy().resolve_to_addrs("localhost", &LOCALHOST);
            match plain {
                // Reading the system's certificates takes longer than all else before the first call.
                true => builder.tls_certs_only([]),
                false => builder,
            }
        } else {
            builder
        }
    };
    // A client can't be built without any root certificate, and a container from scratch may have none.
    match builder().build() {
        Ok(client) => Ok(client),
        Err(system) => with_bundled_roots(builder())
            .and_then(ClientBuilder::build)
            .map_err(|bundled| {
                format!("could not set up TLS: {system}; with built-in certificates: {bundled}")
            }),
    }
}

fn with_bundled_roots(builder: ClientBuilder) -> reqwest::Result<ClientBuilder> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect::<reqwest::Result<Vec<_>>>()?;
    Ok(builder.tls_certs_only(roots))
}

fn headers(settings: &Settings) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(settings.accept));
    for (name, value) in settings.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| format!("header {name:?}: {e}"))?;
        headers.insert(name, HeaderValue::from_static(value));
    }
    let key = settings.key.expose_secret();
    if !key.is_empty() {
        let token = key
            .bytes()
            .all(|b| b.is_ascii_graphic())
            .then(|| format!("Bearer {key}"));
        let mut value = token.and_then(|token| HeaderValue::try_from(token).ok()).ok_or(
            "the API key holds spaces, line breaks or characters beyond ASCII (a line break at its end?); \
             set it again without them",
        )?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_stands_on_the_built_in_certificates_alone() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = with_bundled_roots(reqwest::Client::builder()).expect("the certificates parse");
        assert!(builder.build().is_ok());
    }

    fn headers(key: &str) -> Result<HeaderMap, String> {
        super::headers(&Settings::new("https://studio.example", key.into()))
    }

    #[test]
    fn a_key_that_no_header_carries_is_refused_and_not_shown() {
        for key in ["pk-secret\n", "pk\u{0}secret", "pk-sécret", "pk secret", " "] {
            let error = headers(key).expect_err("refused");
            assert!(error.contains("API key") && !error.contains("cret"), "{error}");
        }
    }

    #[test]
    fn the_key_is_marked_sensitive() {
        let headers = headers("pk-secret").expect("valid");
        assert!(headers[AUTHORIZATION].is_sensitive());
        assert!(!headers_debug(&headers).contains("secret"));
        assert!(
            !super::headers(&Settings::new("https://studio.example", "".into()))
                .expect("valid")
                .contains_key(AUTHORIZATION)
        );
    }

    fn headers_debug(headers: &HeaderMap) -> String {
        format!("{headers:?}")
    }
}
