//! What a reply leads to: the `Link` of a list's page comes in, the next page's URL goes out, where the key may go to
//! it; and what a download may take.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderMap, LINK};

use super::address::Address;

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What is on it.
    pub value: T,
    /// The page behind it.
    pub next: Option<NextPage>,
}

/// Where the next page of a list is: on the base URL's origin and below its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextPage(pub(super) Url);

/// How a file is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Download {
    /// Sent as `Accept` in the place of the settings' one.
    pub accept: Option<&'static str>,
    /// A reply of more bytes, counted after decompression, is a failure.
    pub limit: usize,
    /// Whether one redirect may lead away: to `https://` alone (or loopback, where the base URL is there), and without
    /// the key.
    pub away: bool,
    /// For one attempt, in the place of the settings' one.
    pub timeout: Option<Duration>,
}

/// The next page as the `Link` headers (RFC 8288) tell it; an error names the origin that the key does not go to.
pub(super) fn next(headers: &HeaderMap, from: &Url, address: &Address) -> Result<Option<NextPage>, String> {
    let links = headers
        .get_all(LINK)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let Some(target) = links
        .flat_map(targets)
        .find_map(|(target, next)| next.then_some(target))
    else {
        return Ok(None);
    };
    match from.join(target) {
        Ok(url) if address.holds(&url) => Ok(Some(NextPage(url))),
        Ok(url) => Err(format!(
            "the next page of the list is said to be at {}, beyond the base URL, where the key does not go",
            url.origin().ascii_serialization()
        )),
        Err(_) => Err("the next page of the list is said to be at what is no URL".to_owned()),
    }
}

/// The targets of a `Link` header, and whether each is the next page.
fn targets(value: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let mut rest = value;
    while let Some((_, behind)) = rest.split_once('<') {
        let Some((target, parameters)) = behind.split_once('>') else {
            break;
        };
        // A comma in a quoted parameter would end it here too early: GitHub sends none.
        let (own, others) = parameters.split_once(',').unwrap_or((parameters, ""));
        let next = own
            .split(';')
            .filter_map(|p| p.split_once('='))
            .any(|(name, value)| {
                let relations = value.trim().trim_matches('"');
                name.trim().eq_ignore_ascii_case("rel")
                    && relations
                        .split_ascii_whitespace()
                        .any(|r| r.eq_ignore_ascii_case("next"))
            });
        found.push((target.trim(), next));
        rest = others;
    }
    found
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn next_of(link: &str) -> Result<Option<String>, String> {
        let address = Address::parse("https://hub.example/api/v3").expect("valid");
        let from = Url::parse("https://hub.example/api/v3/list?page=1").expect("valid");
        let mut headers = HeaderMap::new();
        headers.insert(LINK, HeaderValue::from_str(link).expect("a header"));
        Ok(next(&headers, &from, &address)?.map(|page| page.0.to_string()))
    }

    #[test]
    fn the_next_page_is_found_among_the_others() {
        for link in [
            r#"<https://hub.example/api/v3/list?page=2>; rel="next""#,
            r#"<https://hub.example/api/v3/list?page=1>; rel="prev", <https://hub.example/api/v3/list?page=2>; rel="next", <https://hub.example/api/v3/list?page=9>; rel="last""#,
            "</api/v3/list?page=2>;title=x; Rel=NEXT",
            r#"<?page=2>; rel="last next""#,
        ] {
            let url = "https://hub.example/api/v3/list?page=2";
            assert_eq!(next_of(link), Ok(Some(url.to_owned())), "{link}");
        }
        for link in [
            "",
            "next",
            r#"<https://evil.example/>; rel="prev""#,
            "<https://hub.example; rel=next",
            ",,<>",
        ] {
            assert_eq!(next_of(link), Ok(None), "{link}");
        }
    }

    #[test]
    fn a_next_page_beyond_the_base_is_an_error_that_names_no_more_than_the_origin() {
        for link in [
            "<https://evil.example/api/v3/list?sig=hunter2>; rel=next",
            "<http://hub.example/api/v3/list?hunter2>; rel=next",
            "<https://hub.example:8443/api/v3/hunter2>; rel=next",
            "<https://hub.example/hunter2>; rel=next",
            "<https://hub.example/api/v3x/hunter2>; rel=next",
            "<https://hub.example/api/v3/../hunter2>; rel=next",
            "<https://hunter2@hub.example/api/v3/list>; rel=next",
            "<//evil.example/api/v3/hunter2>; rel=next",
            "<data:hunter2>; rel=next",
        ] {
            let error = next_of(link).expect_err(link);
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
