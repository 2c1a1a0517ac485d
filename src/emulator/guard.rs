//! The way every call takes: key, fault, latency, handler, counters. A request comes in, the reply goes out as
//! the network would deliver it: whole, cut, late, or not at all.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::app::Shared;
use super::faults::{self, Fault, PlacedFault};
use super::fields::BODY_LIMIT_BYTES;
use super::line::Line;
use super::refusal::{Note, Refusal};
use super::routes;

/// Calls to the emulator itself, which no fault touches and no key guards.
const OWN: &str = "/__emulator/";

/// The name of a call's route in counters and fault filters.
const UNKNOWN: &str = "unknown";

pub(super) async fn watch(
    State(app): State<Shared>,
    ConnectInfo(line): ConnectInfo<Line>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    if request.uri().path().starts_with(OWN) {
        return next.run(request).await;
    }
    // Methods are any text the caller likes; the counters keep to those that exist.
    let method = request.method();
    let known = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
    ];
    let route = match &path {
        Some(path) if known.contains(method) => format!("{method} {}", path.as_str()),
        _ => UNKNOWN.to_owned(),
    };
    let key = check_key(&app, &request);
    let keyless = !request.headers().contains_key(header::AUTHORIZATION);
    let count = app.with(|inner| inner.counters.called(&route, keyless));
    if let Err(refusal) = key {
        return counted(&app, &route, refusal.into_response());
    }
    // A model that is asked too often has no time for anything else, faults among it.
    if is_chat(&route)
        && let Err(retry_after) = app.load.admit()
    {
        let refused = faults::early_reply(Fault::TooMany(retry_after), &line).await;
        return counted(&app, &route, refused);
    }
    let mut request = request;
    let mut fault = PlacedFault::find(&app.options.placed_faults, &route, count + 1);
    if fault.is_none() && app.parts_placed && path.as_ref().is_some_and(|path| path.as_str() == routes::CHAT)
    {
        let (whole, body) = match read(request).await {
            Ok(read) => read,
            Err(refusal) => return counted(&app, &route, refusal.into_response()),
        };
        request = whole;
        fault = placed_on_part(&app, &route, &body);
    }
    let fault = fault.or_else(|| faults::draw(&app.options.faults, app.options.seed, &route, count));
    if let Some(fault) = fault {
        app.with(|inner| inner.counters.faulted(&route, fault));
    }
    // Chat calls know only after reading the body whether a model or a judge is to take its time.
    let wait = app.options.latency.other;
    if !wait.is_zero() && !is_chat(&route) {
        tokio::time::sleep(wait).await;
    }
    match fault {
        None => take_effect(&app, &route, request, next).await,
        Some(
            early @ (Fault::TooMany(_)
            | Fault::Status(_)
            | Fault::Reset
            | Fault::Silence(_)
            | Fault::LateEffect(_)),
        ) => {
            if let Fault::LateEffect(late_by) = early
                && let Ok((request, _body)) = read(request).await
            {
                tokio::spawn(take_effect_late(app, route, request, next, late_by));
            }
            faults::early_reply(early, &line).await
        }
        Some(late) => {
            let response = take_effect(&app, &route, request, next).await;
            faults::spoil(late, response, &line).await
        }
    }
}

/// Does what a call asks for. What its reply tells, or any other reply told before it, is saved when it goes out: a
/// caller keeps a journal of ids, and they must mean something to the emulator that is started after a crash. A
/// chat call changes nothing and waits for nothing.
async fn take_effect(app: &Shared, route: &str, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if is_chat(route) {
        return counted(app, route, response);
    }
    let saved = app.save().await;
    counted(
        app,
        route,
        saved.map_or_else(IntoResponse::into_response, |()| response),
    )
}

/// Does what a call asks for after its caller has been told that it failed.
async fn take_effect_late(app: Shared, route: String, request: Request, next: Next, late_by: Duration) {
    let effect = async {
        tokio::time::sleep(late_by).await;
        take_effect(&app, &route, request, next).await
    };
    // Nothing changes any more once the last state is saved.
    let _nobody_waits = app.closing.run_until_cancelled(effect).await;
}

fn is_chat(route: &str) -> bool {
    route.ends_with(routes::CHAT)
}

/// The request with its body in hand, and the body.
async fn read(request: Request) -> Result<(Request, Bytes), Refusal> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, BODY_LIMIT_BYTES).await.map_err(|_error| {
        let error = format!("body could not be read or is over {BODY_LIMIT_BYTES} bytes");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error)
    })?;
    Ok((Request::from_parts(parts, Body::from(bytes.clone())), bytes))
}

/// The fault placed on this one among the calls of its kind: a model's answer, or a judgement.
fn placed_on_part(app: &Shared, route: &str, body: &[u8]) -> Option<Fault> {
    let part = format!("{route} {}", routes::chat::part(app, body)?);
    let number = app.with(|inner| inner.counters.part(&part));
    PlacedFault::find(&app.options.placed_faults, &part, number)
}

fn counted(app: &Shared, route: &str, response: Response) -> Response {
    let note = response.extensions().get::<Note>().cloned();
    app.with(|inner| inner.counters.answered(route, response.status(), note.as_ref()));
    response
}

fn check_key(app: &Shared, request: &Request) -> Result<(), Refusal> {
    let unauthorised = || {
        Refusal::new(
            StatusCode::UNAUTHORIZED,
            "`authorization` must be `Bearer <key>`, got none",
        )
    };
    let Some(header) = request.headers().get(header::AUTHORIZATION) else {
        let excused = app.options.key.is_none() && is_forgetful_script(request);
        return if excused { Ok(()) } else { Err(unauthorised()) };
    };
    let shown = header
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim())
        .filter(|key| !key.is_empty())
        .ok_or_else(unauthorised)?;
    if app.options.key.as_deref().is_some_and(|key| key != shown) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "this key is not known here"));
    }
    Ok(())
}

/// Whether a call is a write by `fetch` in Node, Bun or Deno. The walkthrough's TypeScript scripts show their key on
/// calls without a body and lose it on those with JSON (their options overwrite their headers). They are to run here
/// unchanged; such calls are counted as `keyless`.
fn is_forgetful_script(request: &Request) -> bool {
    let header = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let agent = header(header::USER_AGENT).unwrap_or_default();
    let script =
        matches!(agent, "node" | "undici") || agent.starts_with("Bun/") || agent.starts_with("Deno/");
    script && request.method() == Method::POST && header(header::CONTENT_TYPE) == Some("application/json")
}
