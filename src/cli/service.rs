//! Whom to ask: Prem Studio with the key, or the emulator without one.

use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::environment::Environment;
use super::exit;
use super::options::ServiceOptions;
use super::output::Screen;
use crate::emulator::{self, Emulator};
use crate::http;
use crate::studio::Studio;

/// A service that answers, real or not.
pub(crate) struct Service {
    pub(crate) studio: Studio,
    /// Where it is, without credentials.
    pub(crate) origin: String,
    emulator: Option<Emulator>,
}

/// What of a suite's, after overrides, the emulator has from the start.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    pub(crate) project: String,
    pub(crate) model: String,
    pub(crate) dataset: Option<String>,
}

impl Service {
    /// Starts the emulator, or makes a client for Prem Studio.
    pub(crate) async fn open(
        options: &ServiceOptions,
        environment: &Environment,
        home: &Home,
        judge: &str,
        output_dir: &Path,
        cancel: CancellationToken,
    ) -> anyhow::Result<Service> {
        let emulator = if options.emulator {
            Some(emulate(home, judge, output_dir).await?)
        } else {
            None
        };
        let (base_url, key) = match &emulator {
            // The key is masked in every reply: this one is a word that no answer holds.
            Some(emulator) => (
                emulator.base_url().to_owned(),
                SecretString::from("no-key-is-needed-here"),
            ),
            None => (options.base_url.clone(), key(environment)?),
        };
        let mut settings = http::Settings::new(base_url, key);
        settings.timeout = options.timeout;
        settings.traffic = options.pace.traffic();
        let client = http::Client::new(settings, cancel).map_err(|error| exit::usage(error.to_string()))?;
        let origin = client.origin().to_string();
        Ok(Service {
            studio: Studio::new(client),
            origin,
            emulator,
        })
    }

    pub(crate) fn is_emulator(&self) -> bool {
        self.emulator.is_some()
    }

    /// Ends the emulator; its state is saved.
    pub(crate) async fn close(self, screen: &Screen) {
        let Some(emulator) = self.emulator else { return };
        match tokio::time::timeout(LONGEST_STOP, emulator.stop()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => screen.warn(&format!("the emulator's state could not be saved: {error}")),
            Err(_) => {
                screen.warn("the emulator did not stop in time; what it said is in its log beside its state")
            }
        }
    }
}

impl ServiceOptions {
    /// Whom a reply in the cache is of: two services can stand behind one origin, each below a path of its own.
    pub(crate) fn address(&self) -> anyhow::Result<String> {
        if self.emulator {
            return self.origin();
        }
        http::base(&self.base_url).map_err(exit::usage)
    }

    /// Where the service is, for a journal: its origin, or `emulator`, whose port is another one each time.
    pub(crate) fn origin(&self) -> anyhow::Result<String> {
        if self.emulator {
            return Ok("emulator".to_owned());
        }
        http::origin(&self.base_url).map_err(exit::usage)
    }
}

/// The key, or what to set.
pub(crate) fn key(environment: &Environment) -> anyhow::Result<SecretString> {
    environment.key.clone().ok_or_else(|| {
        exit::usage(
            "no key: set PREMAI_API_KEY (or API_KEY) to a Prem Studio API key, \
             or try things with --emulator, which needs none",
        )
    })
}

/// The built-in emulator may take so long to save its state and stop.
const LONGEST_STOP: Duration = Duration::from_secs(30);

/// How long the built-in emulator takes for what a real service takes minutes for.
const DELAY: Duration = Duration::from_millis(200);

async fn emulate(home: &Home, judge: &str, output_dir: &Path) -> anyhow::Result<Emulator> {
    let state = output_dir.join("emulator.json");
    let options = emulator::Options {
        state_file: Some(state.clone()),
        home: emulator::Home {
            project_id: home.project.clone(),
            model_alias: home.model.clone(),
            dataset_label: home
                .dataset
                .clone()
                .unwrap_or_else(|| emulator::Home::default().dataset_label),
            ..emulator::Home::default()
        },
        judges: vec![judge.to_owned()],
        // A person waits for it, and the next run is to meet the model that this one trains.
        correction_delay: DELAY,
        recommendation_delay: DELAY,
        training_delay: Duration::ZERO,
        ..emulator::Options::default()
    };
    emulator::start(options).await.map_err(|error| {
        exit::usage(format!(
            "the emulator can't start with {}: {error}",
            state.display()
        ))
    })
}
