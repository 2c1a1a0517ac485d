//! The calls, one file a subject: requests come in, the world is asked or changed, JSON goes out.

mod ask;
pub(super) mod chat;
mod datasets;
mod experiments;
pub(super) mod inspect;
mod models;
mod pairs;
mod projects;
mod reply;
mod trace_forms;
mod traces;
mod training;

use axum::extract::DefaultBodyLimit;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;

use super::app::Shared;
use super::guard;
use super::refusal::Refusal;

/// What a handler answers.
type Answer = Result<Json<Value>, Refusal>;

/// The most that an uploaded dataset may weigh, in bytes.
const UPLOAD_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// The path of chat calls.
pub(super) const CHAT: &str = "/api/v1/chat/completions";

/// The two kinds of chat calls, as faults are placed on them.
pub(super) const PARTS: [&str; 2] = [
    "POST /api/v1/chat/completions answer",
    "POST /api/v1/chat/completions judge",
];

/// Every route that a fault can be placed on, by the name that the counters give it.
pub(super) const NAMES: [&str; 22] = [
    "POST /api/v1/chat/completions",
    "GET /api/v1/traces",
    "POST /api/v1/traces",
    "GET /api/v1/traces/{id}",
    "PUT /api/v1/traces/{id}",
    "POST /api/v1/traces/{id}/addToDataset",
    "GET /api/v1/models",
    "GET /api/v1/models/running",
    "POST /api/v1/models/up",
    "POST /api/v1/models/down",
    "POST /api/v1/datasets/{id}/addDatapoint",
    "GET /api/v1/public/projects",
    "POST /api/v1/public/projects/create",
    "GET /api/v1/public/projects/{id}",
    "POST /api/v1/public/datasets/create-from-jsonl",
    "POST /api/v1/public/datasets/create-synthetic",
    "GET /api/v1/public/datasets/{id}",
    "POST /api/v1/public/snapshots/create",
    "POST /api/v1/public/recommendations/generate",
    "GET /api/v1/public/recommendations/{id}",
    "POST /api/v1/public/finetuning/create",
    "GET /api/v1/public/finetuning/{id}",
];

/// Every call of the API.
pub(super) fn router(app: Shared) -> Router {
    Router::new()
        .route(CHAT, post(chat::complete))
        .route("/api/v1/traces", get(traces::list).post(traces::create))
        .route("/api/v1/traces/{id}", get(traces::one).put(traces::change))
        .route("/api/v1/traces/{id}/addToDataset", post(traces::add_to_dataset))
        .route("/api/v1/models", get(models::list))
        .route("/api/v1/models/running", get(models::running))
        .route("/api/v1/models/up", post(models::up))
        .route("/api/v1/models/down", post(models::down))
        .route(
            "/api/v1/datasets/{id}/addDatapoint",
            post(datasets::add_datapoint),
        )
        .route("/api/v1/public/projects", get(projects::list))
        .route("/api/v1/public/projects/create", post(projects::create))
        .route("/api/v1/public/projects/{id}", get(projects::tree))
        .route(
            "/api/v1/public/datasets/create-from-jsonl",
            post(datasets::create_from_jsonl).layer(DefaultBodyLimit::max(UPLOAD_LIMIT_BYTES)),
        )
        .route(
            "/api/v1/public/datasets/create-synthetic",
            post(datasets::create_synthetic),
        )
        .route("/api/v1/public/datasets/{id}", get(datasets::one))
        .route("/api/v1/public/snapshots/create", post(training::create_snapshot))
        .route(
            "/api/v1/public/recommendations/generate",
            post(training::generate_recommendations),
        )
        .route(
            "/api/v1/public/recommendations/{id}",
            get(training::recommendations),
        )
        .route("/api/v1/public/finetuning/create", post(training::create_job))
        .route("/api/v1/public/finetuning/{id}", get(training::job))
        .route("/__emulator/state", get(inspect::state))
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown)
        .layer(from_fn_with_state(app.clone(), guard::watch))
        .with_state(app)
}

async fn unknown(method: Method, uri: Uri) -> Refusal {
    let path: String = uri.path().chars().take(200).collect();
    Refusal::new(StatusCode::NOT_FOUND, format!("no such call: {method} {path}"))
}

async fn wrong_method(method: Method, uri: Uri) -> Refusal {
    let path: String = uri.path().chars().take(200).collect();
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{method} is not a method of {path}"),
    )
}
