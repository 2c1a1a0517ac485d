//! `POST /api/v1/chat/completions`: a sound call comes in; a project's model answers from what it learnt, a
//! well-known one judges when it is asked to.

use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

use super::ask::Ask;
use super::reply;
use crate::emulator::app::{App, Shared, Voice};
use crate::emulator::draw;
use crate::emulator::fields::Payload;
use crate::emulator::model::{self, Learner, Prompt};
use crate::emulator::refusal::Refusal;

/// What a model says.
pub(super) struct Spoken {
    /// `None`: null.
    pub(super) content: Option<String>,
    /// Cut by the model itself, whatever the caller's limit.
    pub(super) cut: bool,
}

pub(super) async fn complete(State(app): State<Shared>, Payload(body): Payload) -> Result<Response, Refusal> {
    let ask = Ask::read(&body)?;
    let voice = app.with(|inner| {
        if let Some(project) = ask
            .project
            .filter(|project| inner.world.projects.get(project).is_none())
        {
            return Err(Refusal::missing("project", project));
        }
        // A project's own models come before well-known ones of the same name.
        match inner.tuned(ask.model, ask.project)? {
            Some(tuned) => Ok(tuned),
            None if app.knows(ask.model) => Ok(Voice::Known {
                id: ask.model.to_owned(),
            }),
            None => Err(Refusal::missing("model", ask.model)),
        }
    })?;
    let told = ask.told();
    let fenced = model::fenced(&told);
    let judges = match &voice {
        // A project's model may be its own judge, but only a fenced prompt can't be mistaken for a task.
        Voice::Tuned { .. } => fenced.is_some() && model::asks_for_judgement(&told),
        Voice::Known { .. } => fenced.is_some() || model::asks_for_judgement(&told),
    };
    let latency = if judges {
        app.options.latency.judge
    } else {
        app.options.latency.answer
    };
    let in_hand = app.load.enter();
    let _slot = in_hand.serve(latency).await;
    let (id, learner) = match &voice {
        Voice::Tuned { id, learner } => (id, Some(learner.as_ref())),
        Voice::Known { id } => (id, None),
    };
    let spoken = if judges {
        let brief = fenced.or_else(|| model::headed(&told));
        let text = model::judge(
            brief.as_ref(),
            &told,
            app.options.seed,
            app.options.odd_judgements,
        );
        Spoken {
            content: Some(text),
            cut: false,
        }
    } else {
        answer(&app, &ask, &told, learner)
    };
    Ok(reply::of(&app, &ask, id, spoken))
}

/// Which of the two kinds of chat calls a body is, where it is one.
pub(in crate::emulator) fn part(app: &App, body: &[u8]) -> Option<&'static str> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let ask = Ask::read(&body).ok()?;
    let told = ask.told();
    let judges = model::fenced(&told).is_some() || app.knows(ask.model) && model::asks_for_judgement(&told);
    Some(if judges { "judge" } else { "answer" })
}

fn answer(app: &App, ask: &Ask<'_>, told: &str, learner: Option<&Learner>) -> Spoken {
    let seed = app.options.seed ^ ask.seed.map_or(0, i64::cast_unsigned);
    let prompt = Prompt {
        user: ask.user(),
        whole: told,
        temperature: ask.temperature,
        keys: ask.keys.as_deref(),
        seed,
    };
    let text = match learner {
        Some(learner) => learner.answer(prompt),
        None => model::untrained(prompt),
    };
    if learner.is_none() || draw::share(seed, &["odd answer", told]) >= app.options.odd_answers {
        return Spoken {
            content: Some(text),
            cut: false,
        };
    }
    match draw::number(seed, &["odd answer kind", told]) % 3 {
        0 => Spoken {
            content: Some(String::new()),
            cut: false,
        },
        1 => Spoken {
            content: None,
            cut: false,
        },
        _ => {
            let half = text.chars().count() / 2;
            Spoken {
                content: Some(text.chars().take(half).collect()),
                cut: true,
            }
        }
    }
}
