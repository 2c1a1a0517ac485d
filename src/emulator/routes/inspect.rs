//! `GET /__emulator/state`: everything the emulator holds and has counted, for tests and for the curious.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::emulator::app::{App, Shared};

pub(super) async fn state(State(app): State<Shared>) -> Json<Value> {
    Json(show(&app))
}

/// The world as the state file has it, and the counters.
pub(in crate::emulator) fn show(app: &App) -> Value {
    app.with(|inner| {
        let world = serde_json::to_value(&inner.world).unwrap_or_default();
        let mut counters = inner.counters.show();
        if let (Some(counters), Value::Object(load)) = (counters.as_object_mut(), app.load.show()) {
            counters.extend(load);
            counters.insert("connections".to_owned(), json!(app.connections.count()));
        }
        let mut shown = json!({"counters": counters});
        if let (Some(shown), Value::Object(world)) = (shown.as_object_mut(), world) {
            shown.extend(world);
        }
        shown
    })
}
