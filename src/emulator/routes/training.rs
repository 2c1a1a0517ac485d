//! From rows to a model: snapshots, recommendations and jobs.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::pairs::Id;
use super::{Answer, experiments};
use crate::emulator::app::Shared;
use crate::emulator::fields::{Fields, Payload};
use crate::emulator::options::Recommending;
use crate::emulator::refusal::Refusal;
use crate::emulator::world::Recommendations;

/// `POST /api/v1/public/snapshots/create`
pub(super) async fn create_snapshot(State(app): State<Shared>, Payload(body): Payload) -> Answer {
    let fields = Fields::of(&body, "")?;
    fields.only(&["dataset_id", "split_percentage"])?;
    let dataset = fields.text("dataset_id")?;
    let split = fields
        .integer("split_percentage", 1..=99)?
        .and_then(|split| u8::try_from(split).ok());
    app.with(|inner| {
        let (id, early) = inner.world.create_snapshot(dataset, split.unwrap_or(80))?;
        let counters = &mut inner.counters;
        counters.max_processing_at_snapshot = counters.max_processing_at_snapshot.max(early);
        counters.snapshots_while_processing += u64::from(early > 0);
        Ok(Json(json!({"snapshot_id": id})))
    })
}

/// `POST /api/v1/public/recommendations/generate`
pub(super) async fn generate_recommendations(State(app): State<Shared>, Payload(body): Payload) -> Answer {
    let fields = Fields::of(&body, "")?;
    fields.only(&["snapshot_id"])?;
    let id = fields.text("snapshot_id")?;
    app.with(|inner| inner.world.ask_recommendations(id, &app.delays))?;
    Ok(Json(json!({"snapshot_id": id})))
}

/// `GET /api/v1/public/recommendations/{id}`
pub(super) async fn recommendations(State(app): State<Shared>, Id(id): Id) -> Answer {
    let stand = app.with(|inner| {
        let snapshot = inner
            .world
            .snapshots
            .get(&id)
            .ok_or_else(|| Refusal::missing("snapshot", &id))?;
        Ok(snapshot.recommendations)
    })?;
    let kind = app.options.recommending;
    let (status, (experiments, models)) = match stand {
        Recommendations::NotAsked => {
            let error = format!("no recommendations were generated for snapshot `{id}`");
            return Err(Refusal::new(StatusCode::NOT_FOUND, error));
        }
        Recommendations::Processing => ("processing", (Value::Null, Value::Null)),
        Recommendations::Ready if kind == Recommending::Fails => ("failed", (Value::Null, Value::Null)),
        Recommendations::Ready => ("completed", experiments::recommended(kind)),
    };
    Ok(Json(json!({
        "snapshot_id": id,
        "status": status,
        "recommended_experiments": experiments,
        "recommended_models": models,
    })))
}

/// `POST /api/v1/public/finetuning/create`
pub(super) async fn create_job(State(app): State<Shared>, Payload(body): Payload) -> Answer {
    let fields = Fields::of(&body, "")?;
    fields.only(&["snapshot_id", "name", "experiments"])?;
    let (snapshot, name) = (fields.text("snapshot_id")?, fields.text("name")?);
    app.with(|inner| {
        let experiments = experiments::read(&fields, &inner.world)?;
        let id = inner.world.create_job(snapshot, name, experiments, &app.delays)?;
        Ok(Json(json!({"job_id": id})))
    })
}

/// `GET /api/v1/public/finetuning/{id}`
pub(super) async fn job(State(app): State<Shared>, Id(id): Id) -> Answer {
    app.with(|inner| {
        let job = inner
            .world
            .jobs
            .get(&id)
            .ok_or_else(|| Refusal::missing("fine-tuning job", &id))?;
        Ok(Json(job.shown()))
    })
}
