//! Traces: written in the form that is spoken, listed by page, changed, and made into rows.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Answer;
use super::pairs::{Id, Pairs};
use super::trace_forms::{self, Shape};
use crate::emulator::app::Shared;
use crate::emulator::fields::{Fields, Payload};
use crate::emulator::options::AdditionForm;
use crate::emulator::refusal::Refusal;
use crate::emulator::world::{Addition, Trace, View, World};

/// `POST /api/v1/traces`
pub(super) async fn create(State(app): State<Shared>, Payload(body): Payload) -> Answer {
    let (traces, shape) = trace_forms::read(&body, app.options.trace_form)?;
    app.with(|inner| {
        let world = &mut inner.world;
        for trace in &traces {
            let project = &trace.project_id;
            world
                .projects
                .get(project)
                .ok_or_else(|| Refusal::missing("project", project))?;
            let model = &trace.model_id;
            if world.model_named(model, Some(project)).is_none() && !app.knows(model) {
                return Err(Refusal::missing("model", model));
            }
        }
        let ids: Vec<Option<String>> = traces
            .into_iter()
            .map(|trace| {
                let refused =
                    shape == Shape::Results && world.chance("refused trace") < app.options.refused_traces;
                (!refused).then(|| world.create_trace(trace))
            })
            .collect();
        Ok(Json(trace_forms::answer(shape, &ids)))
    })
}

/// `GET /api/v1/traces`
pub(super) async fn list(State(app): State<Shared>, pairs: Pairs) -> Answer {
    pairs.only(&["page", "projectId", "modelIds", "sortBy", "sortOrder"])?;
    let page = match pairs.get("page") {
        None => 1,
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|page| *page > 0)
            .ok_or_else(|| Refusal::bad("`page` must be an integer of at least 1"))?,
    };
    let by_score = pairs.word("sortBy", &["createdAt", "score"])? == "score";
    let descending = pairs.word("sortOrder", &["desc", "asc"])? == "desc";
    let models: Vec<&str> = pairs
        .get("modelIds")
        .map(|ids| ids.split(',').collect())
        .unwrap_or_default();
    let size = app.options.page_size.max(1);
    let view = app.view();
    app.with(|inner| {
        let world = &inner.world;
        let places: Cow<'_, [usize]> = match pairs.get("projectId") {
            Some(id) => {
                let project = world
                    .projects
                    .get(id)
                    .ok_or_else(|| Refusal::missing("project", id))?;
                Cow::Borrowed(project.traces.as_slice())
            }
            None => (0..world.traces.len()).collect(),
        };
        let wanted = |trace: &&Trace| {
            (models.is_empty() || models.contains(&trace.model_id.as_str())) && trace.stand(view).is_some()
        };
        let traces = || {
            places
                .iter()
                .filter_map(|place| world.traces.at(*place))
                .filter(wanted)
        };
        let start = (page - 1).saturating_mul(size);
        // The order of creation needs no sorting, and without a filter no counting: this is what pollers ask for.
        let total = if models.is_empty() && view.is_current() {
            places.len()
        } else {
            traces().count()
        };
        let shown: Vec<Value> = if by_score {
            let mut sorted: Vec<&Trace> = traces().collect();
            // Traces without a score come before all others.
            let key = |trace: &Trace| trace.score.unwrap_or(-1.0);
            sorted.sort_by(|one, other| key(one).total_cmp(&key(other)));
            if descending {
                sorted.reverse();
            }
            sorted
                .into_iter()
                .skip(start)
                .take(size)
                .filter_map(|trace| trace.shown(view))
                .collect()
        } else if descending {
            traces()
                .rev()
                .skip(start)
                .take(size)
                .filter_map(|trace| trace.shown(view))
                .collect()
        } else {
            traces()
                .skip(start)
                .take(size)
                .filter_map(|trace| trace.shown(view))
                .collect()
        };
        Ok(Json(json!({"results": shown, "total": total})))
    })
}

/// `GET /api/v1/traces/{id}`
pub(super) async fn one(State(app): State<Shared>, Id(id): Id) -> Answer {
    let view = app.view();
    app.with(|inner| {
        let shown = find(&inner.world, &id)?.shown(view);
        shown.map(Json).ok_or_else(|| Refusal::missing("trace", &id))
    })
}

/// `PUT /api/v1/traces/{id}`
pub(super) async fn change(State(app): State<Shared>, Id(id): Id, Payload(body): Payload) -> Answer {
    let fields = Fields::of(&body, "")?;
    fields.only(&["score", "feedback", "projectId"])?;
    let score = fields.number("score", 0.0..=1.0)?;
    let feedback = trace_forms::feedback(&fields)?;
    let project = fields
        .get("projectId")
        .map(|_| fields.text("projectId"))
        .transpose()?;
    if score.is_none() && feedback.is_none() {
        return Err(Refusal::bad("`score` or `feedback` is required"));
    }
    app.with(|inner| {
        let trace = find(&inner.world, &id)?;
        if let Some(project) = project.filter(|project| *project != trace.project_id) {
            return Err(Refusal::bad(format!(
                "`projectId` must be the trace's own, got `{project:.80}`"
            )));
        }
        inner.world.touch();
        let trace = inner
            .world
            .traces
            .get_mut(&id)
            .ok_or_else(|| Refusal::missing("trace", &id))?;
        trace.score = score.or(trace.score);
        trace.feedback = feedback.or(trace.feedback.take());
        let shown = trace.shown(View::behind(Duration::ZERO));
        Ok(Json(shown.unwrap_or_default()))
    })
}

/// `POST /api/v1/traces/{id}/addToDataset`
pub(super) async fn add_to_dataset(State(app): State<Shared>, Id(id): Id) -> Answer {
    let addition = app.with(|inner| {
        let addition = inner.world.add_to_dataset(&id, &app.delays)?;
        if addition == Addition::Repeated {
            inner.counters.repeated_additions += 1;
        }
        Ok(addition)
    })?;
    let (status, datapoint) = match addition {
        Addition::Added(row) => ("added", Some(row)),
        Addition::Queued => ("queued", None),
        Addition::Repeated => {
            return Err(Refusal::bad(format!(
                "trace `{id}` was already added to a dataset"
            )));
        }
    };
    Ok(Json(match app.options.addition_form {
        AdditionForm::Current => {
            json!({"traceId": id, "status": status, "success": true, "datapointId": datapoint})
        }
        AdditionForm::Older => json!({"message": "Trace added to dataset"}),
    }))
}

fn find<'a>(world: &'a World, id: &str) -> Result<&'a Trace, Refusal> {
    world.traces.get(id).ok_or_else(|| Refusal::missing("trace", id))
}
