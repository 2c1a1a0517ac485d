//! Where the key may go: a base URL as a person wrote it comes in, a checked one goes out, and the URLs
//! of calls below it.

use std::net::IpAddr;

use reqwest::Url;

/// A base URL that a key may be sent to.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// Without a slash at its end.
    base: String,
    /// As it was given.
    url: Url,
    origin: String,
    loopback: bool,
}

impl Address {
    /// `https://…`, or `http://…` on loopback; without credentials, query or fragment.
    pub(super) fn parse(text: &str) -> Result<Address, String> {
        let shown = shown(text);
        let url = Url::parse(text.trim()).map_err(|e| format!("base URL{shown} is not a URL: {e}"))?;
        // Not `shown` from here on: what parses may hold credentials, which no message repeats.
        let origin = url.origin().ascii_serialization();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "base URL holds a user name or password; give the address alone, the key is \
                        set apart from it"
                    .to_owned(),
            );
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(
                "base URL holds a `?` or `#`; give the address alone, for example \
                        https://studio.premai.io"
                    .to_owned(),
            );
        }
        let loopback = url.host_str().is_some_and(is_loopback);
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => {
                return Err(format!(
                    "base URL {origin} is not encrypted; the key is sent over https:// only \
                     (http:// is for localhost)"
                ));
            }
            other => return Err(format!("base URL begins with {other}:, use https://")),
        }
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Address {
            base,
            url,
            origin,
            loopback,
        })
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// The whole address, without a `/` at its end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Whether the service is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// Whether calls are not encrypted, which they are not on this machine alone.
    pub(super) fn is_plain(&self) -> bool {
        self.loopback && self.url.scheme() == "http"
    }

    /// Whether a URL has the base's origin and lies below its path, as a call's does.
    pub(super) fn holds(&self, url: &Url) -> bool {
        let below = url.as_str().strip_prefix(self.base.as_str());
        below.is_some_and(|rest| rest.starts_with('/'))
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && url.origin().ascii_serialization() == self.origin
    }

    /// Whether the base and a URL are both on this machine, where `http://` is as good as `https://`.
    pub(super) fn is_loopback_too(&self, url: &Url) -> bool {
        self.loopback && url.scheme() == "http" && url.host_str().is_some_and(is_loopback)
    }

    /// The URL of a call. Refuses a path that would end up elsewhere than it says.
    pub(super) fn join(&self, path: &str, query: &[(&'static str, String)]) -> Result<Url, String> {
        let refused = || format!("the path {path:?} can't be called");
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        // Dot segments, a query or odd characters would make another URL of it than the one written.
        if !path.starts_with('/') || url.as_str().strip_prefix(self.base.as_str()) != Some(path) {
            return Err(refused());
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }
}

/// The text for a message, unless it may hold something secret.
fn shown(text: &str) -> String {
    let text = text.trim();
    if text.len() > 100 || text.contains(['@', '?', '#']) || text.chars().any(char::is_control) {
        return String::new();
    }
    format!(" `{text}`")
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_a_key_may_go_to() {
        for (text, base) in [
            ("https://studio.premai.io", "https://studio.premai.io"),
            ("https://studio.premai.io/", "https://studio.premai.io"),
            (
                " https://gateway.example/prem/v2/\n",
                "https://gateway.example/prem/v2",
            ),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://127.8.9.1", "http://127.8.9.1"),
            ("http://[::1]:9/x", "http://[::1]:9/x"),
            ("http://localhost:3000/", "http://localhost:3000"),
            // However this machine is written, it is this machine, and the request says so plainly.
            ("http://2130706433", "http://127.0.0.1"),
            ("http://0x7f000001/", "http://127.0.0.1"),
            ("http://0x7f.1", "http://127.0.0.1"),
            ("http://0177.0.0.1:80", "http://127.0.0.1"),
            ("http://127.1.", "http://127.0.0.1"),
            ("HTTP://LOCALHOST", "http://localhost"),
            ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
            ("http://ｌｏｃａｌｈｏｓｔ", "http://localhost"),
            ("http://127。0。0。1", "http://127.0.0.1"),
            ("https://localhost:8443", "https://localhost:8443"),
            // Over https anyone is who the certificate says, and is shown as who it is.
            ("https://studio.premai.io.", "https://studio.premai.io."),
            ("https://2130706433", "https://127.0.0.1"),
            ("https://studio.premаi.io", "https://studio.xn--premi-7ve.io"),
            ("https:studio.premai.io", "https://studio.premai.io"),
            (
                "http://127.0.0.1\\@evil.example:x@y",
                "http://127.0.0.1/@evil.example:x@y",
            ),
            (
                "https://studio.premai.io\\@evil.example",
                "https://studio.premai.io/@evil.example",
            ),
        ] {
            assert_eq!(
                Address::parse(text).map(|a| a.base),
                Ok(base.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn addresses_it_may_not_go_to() {
        for (text, says) in [
            ("http://studio.premai.io", "not encrypted"),
            ("http://10.0.0.1", "not encrypted"),
            ("http://localhost.evil.example", "not encrypted"),
            ("http://127.0.0.1.evil.example", "not encrypted"),
            ("http://[::2]", "not encrypted"),
            ("http://localhost.", "not encrypted"),
            ("http://localhost.localdomain", "not encrypted"),
            ("http://x.localhost", "not encrypted"),
            ("http://127.0.0.1.nip.io", "not encrypted"),
            ("http://lοcalhost", "not encrypted"),
            ("http://0.0.0.0", "not encrypted"),
            ("http://0", "not encrypted"),
            ("http://[::]", "not encrypted"),
            ("http://[::ffff:127.0.0.1]", "not encrypted"),
            ("http://128.0.0.1", "not encrypted"),
            ("http://2130706432.1", "not a URL"),
            ("http://127.0.0.256", "not a URL"),
            ("http://[::1", "not a URL"),
            ("http://[::1%25lo]", "not a URL"),
            ("http://127.0.0.1@evil.example", "user name"),
            ("http://localhost:hunter2@evil.example", "user name"),
            ("https://:hunter2@studio.premai.io", "user name"),
            ("https://hunter2:@studio.premai.io", "user name"),
            ("https://studio.premai.io:99999", "not a URL"),
            ("ws://127.0.0.1", "use https"),
            ("data:hunter2", "use https"),
            ("javascript:hunter2", "use https"),
            ("ftp://127.0.0.1", "use https"),
            ("file:///etc/passwd", "use https"),
            ("https://user:hunter2@studio.premai.io", "user name"),
            ("https://studio.premai.io?key=hunter2", "`?`"),
            ("https://studio.premai.io#hunter2", "`#`"),
            ("studio.premai.io", "not a URL"),
            ("", "not a URL"),
            ("https://", "not a URL"),
            ("hunter2@", "not a URL"),
        ] {
            let error = Address::parse(text).map(|a| a.base).expect_err(text);
            assert!(error.contains(says), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn calls_stay_below_the_base() {
        let address = Address::parse("https://gateway.example/prem/").expect("valid");
        assert_eq!(
            address
                .join("/api/v1/traces", &[("modelIds", "a,b&c".to_owned())])
                .map(|u| u.to_string()),
            Ok("https://gateway.example/prem/api/v1/traces?modelIds=a%2Cb%26c".to_owned())
        );
        for path in [
            "@evil.example/",
            "/../x",
            "/a/%2e%2E/b",
            "/a?b",
            "/a#b",
            "\\evil",
            "",
            "/a b",
        ] {
            assert!(address.join(path, &[]).is_err(), "{path}");
        }
    }
}
