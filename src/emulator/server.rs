//! Starting and stopping: options come in, a running emulator with its address goes out.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::app::{App, Shared, delays_of};
use super::line::{Line, Loopback};
use super::options::Options;
use super::routes;
use super::store;
use super::world::World;

/// How long calls under way may take to end when the emulator stops.
const GRACE: Duration = Duration::from_millis(500);

/// A running emulator. Dropped, it stops listening; `stop` also waits and saves.
#[must_use = "a dropped emulator stops"]
pub struct Emulator {
    address: SocketAddr,
    base_url: String,
    app: Shared,
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
    tasks: Vec<JoinHandle<()>>,
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
    let held = match &options.state_file {
        Some(path) => store::read(path)?,
        None => None,
    };
    let mut world = held.unwrap_or_else(|| World::new(options.seed));
    world.wake(&delays_of(&options));
    for home in std::iter::once(&options.home).chain(&options.more_homes) {
        world.ensure_home(home, options.cold_models);
    }
    let listener = Loopback::bind(options.port).await.map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("listening on 127.0.0.1:{}: {error}", options.port),
        )
    })?;
    let address = listener.address()?;
    let state_file = options.state_file.clone();
    let app = Arc::new(App::new(options, world));
    let stop = app.closing.clone();

    let service = routes::router(app.clone()).into_make_service_with_connect_info::<Line>();
    let stopped = stop.clone().cancelled_owned();
    let mut tasks = vec![tokio::spawn(async move {
        // It only ends when told to, and without an error.
        let _ended = axum::serve(listener, service)
            .with_graceful_shutdown(stopped)
            .await;
    })];
    if let Some(path) = state_file {
        // Also a state nobody adds to is to be there when the next start looks for it.
        app.changed.notify_one();
        tasks.push(tokio::spawn(store::keep(app.clone(), path, stop.clone())));
    }
    Ok(Emulator {
        address,
        base_url: format!("http://{address}"),
        app,
        _stop_on_drop: stop.clone().drop_guard(),
        stop,
        tasks,
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
        self.stop.cancel();
        for task in self.tasks {
            let abort = task.abort_handle();
            if tokio::time::timeout(GRACE, task).await.is_err() {
                abort.abort();
            }
        }
        match &self.app.options.state_file {
            Some(path) => store::write(&self.app, path).await,
            None => Ok(()),
        }
    }
}
