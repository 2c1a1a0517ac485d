//! Projects: listed, made, shown as a tree.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Answer;
use super::pairs::Id;
use crate::emulator::app::Shared;
use crate::emulator::fields::{Fields, Payload};
use crate::emulator::refusal::Refusal;

/// `GET /api/v1/public/projects`
pub(super) async fn list(State(app): State<Shared>) -> Answer {
    let projects: Vec<Value> = app.with(|inner| {
        let shown = |project: &crate::emulator::world::Project| {
            json!({"id": project.id, "name": project.name, "created_at": project.created_at})
        };
        inner.world.projects.iter().map(shown).collect()
    });
    Ok(Json(json!({"projects": projects})))
}

/// `POST /api/v1/public/projects/create`
pub(super) async fn create(State(app): State<Shared>, Payload(body): Payload) -> Answer {
    let fields = Fields::of(&body, "")?;
    fields.only(&["name", "goal"])?;
    let (name, goal) = (fields.text("name")?, fields.text("goal")?);
    let id = app.with(|inner| inner.world.create_project(name, goal));
    Ok(Json(json!({"project_id": id})))
}

/// `GET /api/v1/public/projects/{id}`
pub(super) async fn tree(State(app): State<Shared>, Id(id): Id) -> Answer {
    app.with(|inner| {
        let project = inner
            .world
            .projects
            .get(&id)
            .ok_or_else(|| Refusal::missing("project", &id))?;
        Ok(Json(inner.world.project_tree(project, app.view())))
    })
}
