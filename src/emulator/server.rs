//! Starting and stopping: options come in, a running emulator with its address goes out.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::app::{App, Saved, Shared, delays_of};
use super::line::{Line, Loopback, Open};
use super::options::Options;
use super::routes;
use super::store::{self, Store};
use super::world::World;

/// How long calls under way may take to end when the emulator stops.
const GRACE: Duration = Duration::from_millis(500);

/// A running emulator. Dropped, it stops listening; `stop` also waits and saves.
#[must_use = "a dropped emulator stops"]
pub struct Emulator {
    address: SocketAddr,
    base_url: String,
    app: Shared,
    open: Open,
    stop: DropGuard,
    server: JoinHandle<()>,
    store: Option<Arc<Mutex<Store>>>,
    /// Ends the keeper.
    saving: DropGuard,
    keeper: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Emulator")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

/// Starts an emulator on 127.0.0.1.
///
/// # Errors
/// When the port is taken, or the state file can't be read or is no state of this version.
pub async fn start(options: Options) -> io::Result<Emulator> {
    check_placed(&options)?;
    let (store, held) = match &options.state_file {
        Some(path) => {
            let (store, held) = Store::open(path)?;
            (Some(store), held)
        }
        None => (None, None),
    };
    let mut world = held.unwrap_or_else(|| World::new(options.seed));
    world.wake(&delays_of(&options));
    for home in std::iter::once(&options.home).chain(&options.more_homes) {
        world.ensure_home(home, options.cold_models);
    }
    let port = options.port;
    let app = Arc::new(App::new(options, world));
    let listener = Loopback::bind(port, app.connections.clone())
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("listening on 127.0.0.1:{port}: {error}")))?;
    let (address, open) = (listener.address()?, listener.open());
    let store = match store {
        Some(mut store) => {
            // Also a state nobody adds to is to be there when the next start looks for it.
            let changes = store.save_whole(&app)?;
            app.saved.send_replace(Saved {
                changes,
                failed: None,
            });
            Some(Arc::new(Mutex::new(store)))
        }
        None => None,
    };
    let stop = app.closing.clone();

    let service = routes::router(app.clone()).into_make_service_with_connect_info::<Line>();
    let stopped = stop.clone().cancelled_owned();
    let server = tokio::spawn(async move {
        // It only ends when told to, and without an error.
        let _ended = axum::serve(listener, service)
            .with_graceful_shutdown(stopped)
            .await;
    });
    let saving = CancellationToken::new();
    let keeper = store.as_ref().map(|store| {
        let kept = store::keep(app.clone(), store.clone(), saving.clone());
        tokio::spawn(kept)
    });
    Ok(Emulator {
        address,
        base_url: format!("http://{address}"),
        app,
        open,
        stop: stop.drop_guard(),
        server,
        store,
        saving: saving.drop_guard(),
        keeper,
    })
}

/// A fault on a call that does not exist would silently never come.
fn check_placed(options: &Options) -> io::Result<()> {
    let known = || routes::NAMES.into_iter().chain(routes::PARTS);
    match options
        .placed_faults
        .iter()
        .find(|placed| !known().any(|name| name == placed.route))
    {
        None => Ok(()),
        Some(placed) => {
            let list: Vec<&str> = known().collect();
            let error = format!(
                "a fault is placed on `{}`, and there is no such call; they are: {}",
                placed.route,
                list.join(", ")
            );
            Err(io::Error::new(io::ErrorKind::InvalidInput, error))
        }
    }
}

impl Emulator {
    /// Where it listens, as the base of every call: `http://127.0.0.1:4010`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that are open. What came over one that is closed is counted.
    pub fn connections(&self) -> usize {
        self.open.count()
    }

    /// Connections that were accepted since the start.
    pub fn connections_accepted(&self) -> u64 {
        self.app.connections.count()
    }

    /// What `GET /__emulator/state` shows.
    #[expect(
        clippy::unused_async,
        reason = "the agreed signature; the state may move out of the process"
    )]
    pub async fn state(&self) -> Value {
        routes::inspect::show(&self.app)
    }

    /// Stops listening, lets calls under way end for half a second, and saves the state.
    ///
    /// # Errors
    /// When the state could not be saved.
    pub async fn stop(self) -> io::Result<()> {
        drop(self.stop);
        end(self.server).await;
        // Only now: calls under way wait for their changes to be saved.
        drop(self.saving);
        if let Some(keeper) = self.keeper {
            end(keeper).await;
        }
        match &self.store {
            Some(store) => store::close(&self.app, store).await,
            None => Ok(()),
        }
    }
}

/// Waits a little for a task to end by itself.
async fn end(task: JoinHandle<()>) {
    let abort = task.abort_handle();
    if tokio::time::timeout(GRACE, task).await.is_err() {
        abort.abort();
    }
}
