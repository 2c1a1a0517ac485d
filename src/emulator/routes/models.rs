//! Models: listed, loaded, unloaded. A fine-tuned model is known by its id and by the alias that stands for it;
//! well-known models always run.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Answer;
use super::pairs::Pairs;
use crate::emulator::app::{App, Inner, Shared};
use crate::emulator::fields::{Fields, Payload};
use crate::emulator::model::catalogue;
use crate::emulator::refusal::Refusal;
use crate::emulator::world::{Model, Project};

/// When the well-known models came to be, in seconds since 1970; any time does.
const KNOWN_SINCE: i64 = 1_735_689_600;

/// `GET /api/v1/models`
pub(super) async fn list(State(app): State<Shared>) -> Answer {
    let entry = |id: &str, created: i64, owner: &str| json!({"id": id, "object": "model", "created": created, "owned_by": owner});
    let mut models: Vec<Value> = app.with(|inner| {
        let world = &inner.world;
        let aliases_of = |project: &Project| -> Vec<Value> {
            project
                .aliases
                .iter()
                .map(|alias| entry(&alias.name, KNOWN_SINCE, "you"))
                .collect()
        };
        let tuned = world
            .models
            .iter()
            .map(|model: &Model| entry(&model.id, model.created, "you"));
        world.projects.iter().flat_map(aliases_of).chain(tuned).collect()
    });
    models.extend(catalogue::all().map(|(id, owner)| entry(id, KNOWN_SINCE, owner)));
    models.extend(app.options.judges.iter().map(|id| entry(id, KNOWN_SINCE, "you")));
    Ok(Json(json!({"object": "list", "data": models})))
}

/// `GET /api/v1/models/running?model=`
pub(super) async fn running(State(app): State<Shared>, pairs: Pairs) -> Answer {
    pairs.only(&["model"])?;
    let name = pairs
        .get("model")
        .ok_or_else(|| Refusal::bad("`model` is required"))?;
    let runs = app.with(|inner| match inner.world.model_named(name, None) {
        Some(model) => Ok(model.running),
        None => known(&app, name).map(|()| true),
    })?;
    Ok(Json(json!({"status": runs})))
}

/// `POST /api/v1/models/up`
pub(super) async fn up(State(app): State<Shared>, Payload(body): Payload) -> Answer {
    change(&app, &body, |inner, id| match id {
        Some(id) if inner.world.load_model(id, &app.delays) => "model is being loaded",
        _ => "model is running",
    })
}

/// `POST /api/v1/models/down`
pub(super) async fn down(State(app): State<Shared>, Payload(body): Payload) -> Answer {
    change(&app, &body, |inner, id| match id {
        Some(id) => {
            inner.world.unload_model(id);
            "model is unloaded"
        }
        None => "model always runs",
    })
}

fn change(app: &App, body: &Value, act: impl FnOnce(&mut Inner, Option<&str>) -> &'static str) -> Answer {
    let fields = Fields::of(body, "")?;
    fields.only(&["model"])?;
    let name = fields.text("model")?;
    let message = app.with(|inner| {
        let id = inner.world.model_named(name, None).map(|model| model.id.clone());
        if id.is_none() {
            known(app, name)?;
        }
        Ok(act(inner, id.as_deref()))
    })?;
    Ok(Json(json!({"message": message})))
}

fn known(app: &App, name: &str) -> Result<(), Refusal> {
    if app.knows(name) {
        Ok(())
    } else {
        Err(Refusal::missing("model", name))
    }
}
