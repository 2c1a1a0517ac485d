//! The forms of a trace write: a body comes in, traces and the way to answer go out. A body in another form than
//! the one spoken is refused with what that form misses.

use serde_json::{Value, json};

use crate::emulator::fields::{Fields, kind};
use crate::emulator::options::TraceForm;
use crate::emulator::refusal::Refusal;
use crate::emulator::world::NewTrace;

/// The most traces one call may carry.
const MOST_TRACES: usize = 100;

/// The most characters of feedback.
const MOST_FEEDBACK: usize = 2_048;

/// How a write is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    One,
    Array,
    Results,
}

/// The names of a trace's fields on the wire.
struct Names {
    project: &'static str,
    model: &'static str,
    conversation: Option<&'static str>,
}

const SNAKE: Names = Names {
    project: "project_id",
    model: "model_id",
    conversation: None,
};
const CAMEL: Names = Names {
    project: "projectId",
    model: "modelId",
    conversation: Some("conversationId"),
};

/// Reads a write in the form that is spoken.
pub(super) fn read(body: &Value, spoken: TraceForm) -> Result<(Vec<NewTrace>, Shape), Refusal> {
    let read = read_as(body, spoken);
    read.map_err(|refusal| {
        let forms = [TraceForm::Walkthrough, TraceForm::Object, TraceForm::Results];
        let elsewhere = forms.into_iter().any(|form| read_as(body, form).is_ok());
        if elsewhere {
            refusal.in_other_form()
        } else {
            refusal
        }
    })
}

fn read_as(body: &Value, form: TraceForm) -> Result<(Vec<NewTrace>, Shape), Refusal> {
    match form {
        TraceForm::Walkthrough => Ok((vec![one(body, "", &SNAKE)?], Shape::One)),
        TraceForm::Object => Ok((vec![one(body, "", &CAMEL)?], Shape::One)),
        TraceForm::Array => Ok((several(body)?, Shape::Array)),
        TraceForm::Results => Ok((several(body)?, Shape::Results)),
        TraceForm::Any if body.is_array() => Ok((several(body)?, Shape::Results)),
        TraceForm::Any => {
            let snake = [SNAKE.project, SNAKE.model]
                .iter()
                .any(|name| body.get(name).is_some());
            Ok((
                vec![one(body, "", if snake { &SNAKE } else { &CAMEL })?],
                Shape::One,
            ))
        }
    }
}

fn several(body: &Value) -> Result<Vec<NewTrace>, Refusal> {
    let list = body
        .as_array()
        .ok_or_else(|| Refusal::bad(format!("`body` must be an array, got {}", kind(body))))?;
    if list.is_empty() || list.len() > MOST_TRACES {
        let got = list.len();
        return Err(Refusal::bad(format!(
            "`body` must have between 1 and {MOST_TRACES} entries, got {got}"
        )));
    }
    list.iter()
        .enumerate()
        .map(|(place, value)| one(value, &format!("[{place}]"), &CAMEL))
        .collect()
}

fn one(value: &Value, at: &str, names: &Names) -> Result<NewTrace, Refusal> {
    let fields = Fields::of(value, at)?;
    let project = fields.text(names.project)?;
    let model = fields.text(names.model)?;
    let mut known = vec![names.project, names.model, "input", "output", "score", "feedback"];
    known.extend(names.conversation);
    fields.only(&known)?;
    let conversation = names
        .conversation
        .map(|name| fields.optional_text(name, 200))
        .transpose()?
        .flatten();
    Ok(NewTrace {
        project_id: project.to_owned(),
        model_id: model.to_owned(),
        input: fields.text("input")?.to_owned(),
        output: fields.text("output")?.to_owned(),
        score: fields.number("score", 0.0..=1.0)?,
        feedback: feedback(&fields)?,
        conversation_id: conversation.map(str::to_owned),
    })
}

/// A trace's feedback within its limit.
pub(super) fn feedback(fields: &Fields<'_>) -> Result<Option<String>, Refusal> {
    Ok(fields
        .optional_text("feedback", MOST_FEEDBACK)?
        .map(str::to_owned))
}

/// The answer to a write; an entry without an id was not kept.
pub(super) fn answer(shape: Shape, ids: &[Option<String>]) -> Value {
    match shape {
        Shape::One => json!({"id": ids.first()}),
        Shape::Array => ids.iter().map(|id| json!({"id": id})).collect(),
        Shape::Results => {
            let results: Vec<Value> = ids
                .iter()
                .map(|id| json!({"traceId": id, "success": id.is_some()}))
                .collect();
            json!({"results": results})
        }
    }
}
