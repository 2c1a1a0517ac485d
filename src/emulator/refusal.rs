//! A call that is turned down: a status and a text come in, Prem Studio's error object goes out
//! (`{"error","status","support_id"}`), with a note for the counters.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::draw;

/// Why a call is turned down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    error: String,
    other_form: bool,
}

/// What the counters keep of a refusal; travels as an extension of the response.
#[derive(Debug, Clone)]
pub(super) struct Note {
    /// The error's text.
    pub(super) error: String,
    /// A trace in a form that this emulator does not speak, sound in itself: the caller was looking for the form.
    pub(super) other_form: bool,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Refusal {
            status,
            error: error.into(),
            other_form: false,
        }
    }

    pub(super) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(super) fn missing(what: &str, id: &str) -> Self {
        // Ids are the caller's text: a long one would come back in full.
        let shown: String = id.chars().take(80).collect();
        Self::new(StatusCode::NOT_FOUND, format!("{what} `{shown}` not found"))
    }

    /// The same refusal, told as a trace in a form that is not spoken here.
    pub(super) fn in_other_form(self) -> Self {
        Refusal {
            other_form: true,
            ..self
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let support = draw::number(0, &[&self.error]);
        let body = json!({
            "error": self.error,
            "status": self.status.as_u16(),
            "support_id": format!("sup-{support:016x}"),
        });
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, "application/json")],
            body.to_string(),
        )
            .into_response();
        response.extensions_mut().insert(Note {
            error: self.error,
            other_form: self.other_form,
        });
        response
    }
}
