//! Datasets: uploaded as JSON lines, shown, added to.

use axum::Json;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Answer;
use super::pairs::Id;
use crate::emulator::app::Shared;
use crate::emulator::fields::{Fields, Payload};
use crate::emulator::refusal::Refusal;
use crate::emulator::world::{Message, Snapshot};

/// The most lines an upload may have.
const MOST_LINES: usize = 200_000;

/// `GET /api/v1/public/datasets/{id}`
pub(super) async fn one(State(app): State<Shared>, Id(id): Id) -> Answer {
    app.with(|inner| {
        let dataset = inner
            .world
            .datasets
            .get(&id)
            .ok_or_else(|| Refusal::missing("dataset", &id))?;
        let snapshots = dataset
            .snapshots
            .iter()
            .filter_map(|id| inner.world.snapshots.get(id));
        let shown = |snapshot: &Snapshot| json!({"id": snapshot.id, "created_at": snapshot.created_at});
        Ok(Json(json!({
            "id": dataset.id,
            "name": dataset.name,
            "project_id": dataset.project_id,
            "status": dataset.status.as_str(),
            "datapoints_count": dataset.rows.len(),
            "created_at": dataset.created_at,
            "updated_at": dataset.updated_at,
            "labels": [],
            "snapshots": snapshots.map(shown).collect::<Vec<Value>>(),
        })))
    })
}

/// `POST /api/v1/public/datasets/create-synthetic`: Prem Studio's call and the SDK's, and no part of the cycle.
pub(super) async fn create_synthetic() -> Refusal {
    let error = "the emulator writes no synthetic datasets: upload one with \
                 POST /api/v1/public/datasets/create-from-jsonl";
    Refusal::new(StatusCode::NOT_IMPLEMENTED, error)
}

/// `POST /api/v1/datasets/{id}/addDatapoint`
pub(super) async fn add_datapoint(State(app): State<Shared>, Id(id): Id, Payload(body): Payload) -> Answer {
    let fields = Fields::of(&body, "")?;
    fields.only(&["messages", "bucket"])?;
    let messages = conversation(&fields)?;
    let bucket = match fields.get("bucket") {
        None => "uncategorized",
        Some(_) => fields.word("bucket", &["uncategorized", "training", "validation"])?,
    };
    app.with(|inner| {
        inner
            .world
            .datasets
            .get(&id)
            .ok_or_else(|| Refusal::missing("dataset", &id))?;
        let row = inner.world.add_row(&id, messages, bucket, None);
        Ok(Json(json!({"id": row, "message": "Datapoint added"})))
    })
}

/// `POST /api/v1/public/datasets/create-from-jsonl`
pub(super) async fn create_from_jsonl(
    State(app): State<Shared>,
    form: Result<Multipart, MultipartRejection>,
) -> Answer {
    let mut form = form.map_err(|_rejection| Refusal::bad("`content-type` must be multipart/form-data"))?;
    let (mut project, mut name, mut file) = (None, None, None);
    let unreadable = |error: axum::extract::multipart::MultipartError| {
        Refusal::new(
            error.status(),
            format!("form can't be read: {}", error.body_text()),
        )
    };
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        let slot = match field.name() {
            Some("project_id") => &mut project,
            Some("name") => &mut name,
            Some("file") => &mut file,
            other => {
                let shown: String = other.unwrap_or_default().chars().take(60).collect();
                return Err(Refusal::bad(format!("unknown field `{shown}`")));
            }
        };
        *slot = Some(field.text().await.map_err(unreadable)?);
    }
    let given = |field: Option<String>, name: &str| {
        let text = field.ok_or_else(|| Refusal::bad(format!("`{name}` is required")))?;
        if text.is_empty() {
            return Err(Refusal::bad(format!("`{name}` must have at least 1 character")));
        }
        Ok(text)
    };
    let (project, name) = (given(project, "project_id")?, given(name, "name")?);
    let rows = lines(&given(file, "file")?)?;
    app.with(|inner| {
        inner
            .world
            .projects
            .get(&project)
            .ok_or_else(|| Refusal::missing("project", &project))?;
        let id = inner.world.upload_dataset(&project, &name, rows, &app.delays);
        Ok(Json(json!({"dataset_id": id})))
    })
}

fn lines(text: &str) -> Result<Vec<Vec<Message>>, Refusal> {
    let mut rows = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (place, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let number = place + 1;
        if rows.len() == MOST_LINES {
            return Err(Refusal::bad(format!("`file` has more than {MOST_LINES} lines")));
        }
        let value: Value = serde_json::from_str(line)
            .map_err(|error| Refusal::bad(format!("`file` line {number} is not JSON: {error}")))?;
        let fields = Fields::of(&value, &format!("file line {number}"))?;
        rows.push(conversation(&fields)?);
    }
    if rows.is_empty() {
        return Err(Refusal::bad("`file` has no lines"));
    }
    Ok(rows)
}

/// `messages` as a dataset keeps them.
fn conversation(fields: &Fields<'_>) -> Result<Vec<Message>, Refusal> {
    let mut messages = Vec::new();
    for (place, value) in fields.list("messages")?.iter().enumerate() {
        let message = Fields::of(value, &format!("{}[{place}]", fields.path("messages")))?;
        message.only(&["role", "content"])?;
        let role = message.word("role", &["system", "user", "assistant"])?;
        messages.push(Message::new(role, message.text("content")?));
    }
    Ok(messages)
}
