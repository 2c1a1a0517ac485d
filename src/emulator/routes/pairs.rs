//! What stands in a call's address, read strictly: the request comes in, the id in its path and the pairs of its
//! query go out.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;

use crate::emulator::refusal::Refusal;

/// The id in a path.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Id(id)),
            Err(rejection) => Err(Refusal::bad(format!("path can't be read: {rejection}"))),
        }
    }
}

/// The pairs of a query string.
pub(super) struct Pairs(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Pairs {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refusal> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(pairs)| Pairs(pairs))
            .map_err(|error| Refusal::bad(format!("query can't be read: {error}")))
    }
}

impl Pairs {
    /// Refuses every parameter that is not among `known`, and any that stands there twice.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Refusal> {
        for (place, (name, _)) in self.0.iter().enumerate() {
            let shown: String = name.chars().take(60).collect();
            if !known.contains(&name.as_str()) {
                return Err(Refusal::bad(format!("unknown query parameter `{shown}`")));
            }
            if self.0.iter().take(place).any(|(earlier, _)| earlier == name) {
                return Err(Refusal::bad(format!(
                    "query parameter `{shown}` stands there twice"
                )));
            }
        }
        Ok(())
    }

    /// A parameter's value, if it is given and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// A parameter that is one of a few words; the first where it isn't given.
    pub(super) fn word<'a>(&self, name: &str, words: &[&'a str]) -> Result<&'a str, Refusal> {
        let first = words.first().copied().unwrap_or_default();
        match self.get(name) {
            None => Ok(first),
            Some(given) => words
                .iter()
                .find(|word| **word == given)
                .copied()
                .ok_or_else(|| Refusal::bad(format!("`{name}` must be one of {}", words.join(", ")))),
        }
    }
}
