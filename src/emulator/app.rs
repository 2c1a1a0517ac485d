//! What all handlers share: options and the held world behind one short lock. Handlers come in with a closure,
//! its result goes out; no lock is ever held over an await.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::capacity::Load;
use super::counters::Counters;
use super::draw;
use super::line::Accepted;
use super::model::{Learner, catalogue};
use super::options::{Options, Recommending};
use super::refusal::Refusal;
use super::routes;
use super::world::{Delays, View, World};

/// How many trained models are kept ready to answer; more are read from their rows again.
const LEARNERS_KEPT: usize = 16;

/// What all handlers share.
pub(super) type Shared = Arc<App>;

/// Options, world and counters.
pub(super) struct App {
    pub(super) options: Options,
    pub(super) delays: Delays,
    pub(super) load: Load,
    /// Connections accepted since the start.
    pub(super) connections: Accepted,
    inner: Mutex<Inner>,
    /// Told after every change of the world.
    pub(super) changed: Notify,
    /// How far the state is saved; nobody saves it where no file is named.
    pub(super) saved: watch::Sender<Saved>,
    /// Cancelled when the emulator stops.
    pub(super) closing: CancellationToken,
    /// Whether a fault is placed on one of the two kinds of chat calls.
    pub(super) parts_placed: bool,
    replies: AtomicU64,
}

/// How far the state is saved.
#[derive(Debug, Default)]
pub(super) struct Saved {
    /// How many of the world's changes.
    pub(super) changes: u64,
    /// Why the last save failed, if it did.
    pub(super) failed: Option<String>,
}

/// What stands behind the lock.
pub(super) struct Inner {
    pub(super) world: World,
    pub(super) counters: Counters,
    learners: HashMap<String, Arc<Learner>>,
}

/// Who answers a chat call.
pub(super) enum Voice {
    /// A fine-tuned model of a project.
    Tuned { id: String, learner: Arc<Learner> },
    /// A well-known model: it judges when asked to.
    Known { id: String },
}

impl App {
    pub(super) fn new(options: Options, world: World) -> Self {
        let delays = delays_of(&options);
        let load = Load::new(options.capacity);
        let parts_placed = options
            .placed_faults
            .iter()
            .any(|placed| routes::PARTS.contains(&placed.route.as_str()));
        App {
            options,
            delays,
            load,
            connections: Accepted::default(),
            inner: Mutex::new(Inner {
                world,
                counters: Counters::default(),
                learners: HashMap::new(),
            }),
            changed: Notify::new(),
            saved: watch::Sender::default(),
            closing: CancellationToken::new(),
            parts_placed,
            replies: AtomicU64::new(0),
        }
    }

    /// Runs a closure on the world as it is by now.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        // A handler that panicked left single records at worst, each of them whole.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let before = inner.world.changes();
        inner.world.advance();
        let result = act(&mut inner);
        if inner.world.changes() != before {
            self.changed.notify_one();
        }
        result
    }

    /// Waits until everything that has changed by now is saved.
    pub(super) async fn save(&self) -> Result<(), Refusal> {
        if self.options.state_file.is_none() {
            return Ok(());
        }
        let mut saved = self.saved.subscribe();
        let wanted = self.with(|inner| inner.world.changes());
        loop {
            {
                let saved = saved.borrow_and_update();
                if saved.changes >= wanted {
                    return Ok(());
                }
                if let Some(why) = &saved.failed {
                    let error = format!("the emulator's state could not be saved: {why}");
                    return Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error));
                }
            }
            if saved.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// What a listing shows at this moment.
    pub(super) fn view(&self) -> View {
        View::behind(self.options.listing_lag)
    }

    /// Whether a name is that of a well-known model or of a judge.
    pub(super) fn knows(&self, name: &str) -> bool {
        catalogue::is_known(name) || self.options.judges.iter().any(|judge| judge == name)
    }

    /// An id for a reply that nobody keeps.
    pub(super) fn reply_id(&self) -> String {
        let count = self.replies.fetch_add(1, Ordering::Relaxed);
        format!(
            "chatcmpl-{:016x}",
            draw::number(self.options.seed, &["reply", &count.to_string()])
        )
    }
}

impl Inner {
    /// The fine-tuned model that a name stands for, ready to answer; refused while it isn't loaded.
    pub(super) fn tuned(&mut self, name: &str, project: Option<&str>) -> Result<Option<Voice>, Refusal> {
        let Some(model) = self.world.model_named(name, project) else {
            return Ok(None);
        };
        if !model.running {
            let error = format!("model `{name}` is not running, load it with POST /api/v1/models/up first");
            return Err(Refusal::new(StatusCode::CONFLICT, error));
        }
        let id = model.id.clone();
        if let Some(learner) = self.learners.get(&id) {
            return Ok(Some(Voice::Tuned {
                id,
                learner: Arc::clone(learner),
            }));
        }
        let learner = Arc::new(Learner::new(self.world.rows_of_model(model)));
        if self.learners.len() >= LEARNERS_KEPT {
            self.learners.clear();
        }
        self.learners.insert(id.clone(), Arc::clone(&learner));
        Ok(Some(Voice::Tuned { id, learner }))
    }
}

/// The delays that the options ask for.
pub(super) fn delays_of(options: &Options) -> Delays {
    Delays {
        correction: options.correction_delay,
        recommendation: (options.recommending != Recommending::Never).then_some(options.recommendation_delay),
        training: options.training_delay,
        load: options.load_delay,
        upload: options.upload_delay,
        failed_corrections: options.failed_corrections,
        cold_models: options.cold_models,
    }
}
