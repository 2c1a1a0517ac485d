//! The cache's options and where this runs → the cache that a command's evaluations share, or none; and at the end what
//! a workflow has to save.
//!
//! What stands in a cache decides scores. A workflow's saved cache is as trustworthy as the branch that it is of; a folder
//! that was checked in is anybody's who can propose a change, and is not used.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::environment::Environment;
use super::exit;
use super::options::{CacheIn, CacheOptions};
use super::output::Screen;
use crate::eval::{Cache, CacheSettings};

mod checked_in;

/// The folder in a workflow's workspace.
const FOLDER: &str = ".tunegate-cache";

/// The cache of a command.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    open: Option<(Arc<Cache>, PathBuf)>,
}

impl Replies {
    /// Opens the cache where one is wanted. One that can't be used is told, and is none.
    ///
    /// # Errors
    /// A folder outside the workspace of a workflow: it would be gone with the container.
    pub(crate) fn open(
        options: &CacheOptions,
        with_cycle: bool,
        origin: &str,
        environment: &Environment,
        screen: &Screen,
    ) -> anyhow::Result<Replies> {
        let github = environment.github.as_ref();
        let off = || {
            if options.cache_refresh {
                screen.warn(
                    "there is no cache here that --cache-refresh could fill: everything is asked for and nothing is kept \
                     for other runs; give --cache DIR (in a workflow the input `cache`) with it",
                );
            }
            Ok(Replies::default())
        };
        let folder = match &options.cache {
            CacheIn::Off => return off(),
            CacheIn::Folder(folder) => folder.clone(),
            // Not `pull_request_target`: its cache is the base branch's, and what is checked out may be a stranger's.
            CacheIn::Auto => {
                let event = github.and_then(|github| github.event_name.as_deref());
                match event == Some("pull_request") && !with_cycle {
                    true => PathBuf::from(FOLDER),
                    false => return off(),
                }
            }
        };
        if let Some(github) = github {
            let workspace = github.workspace.as_deref().unwrap_or(Path::new("."));
            let below = folder.strip_prefix(workspace).unwrap_or(&folder);
            let is_below = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
            if !below.components().all(is_below) {
                return Err(exit::usage(format!(
                    "cache `{}` is not below the workspace: give a path relative to it, without `..`",
                    folder.display()
                )));
            }
            if let Some(why) = checked_in::is(workspace, below) {
                screen.warn(&format!(
                    "the replies' cache {} is not used: {why}; take it out of the repository, or give another folder",
                    folder.display()
                ));
                return Ok(Replies::default());
            }
        }
        let settings = CacheSettings {
            folder: folder.clone(),
            origin: origin.to_owned(),
            max_age: options.cache_max_age,
            max_bytes: options.cache_max_size,
            refresh: options.cache_refresh,
            // In a workflow another user's step saves what this container's root writes.
            private: github.is_none(),
        };
        match Cache::open(settings) {
            Ok(cache) => {
                if let Some(unread) = cache.unread() {
                    screen.warn(&unread);
                }
                Ok(Replies {
                    open: Some((Arc::new(cache), folder)),
                })
            }
            Err(fault) => {
                screen.warn(&format!("{fault}: everything is asked for"));
                Ok(Replies::default())
            }
        }
    }

    /// For one evaluation.
    pub(crate) fn of_one(&self) -> Option<Arc<Cache>> {
        self.open.as_ref().map(|(cache, _)| Arc::clone(cache))
    }

    /// Tells what could not be kept, and the workflow what there is to save.
    pub(crate) fn close(self, environment: &Environment, screen: &Screen) {
        let Some((cache, folder)) = self.open else { return };
        cache.sync();
        if let Some(fault) = cache.fault() {
            screen.warn(&format!("{fault}: another run asks for these replies again"));
        }
        let runner = environment.github.as_ref().map(|github| github.runner());
        if let Some(runner) = runner.filter(|_| cache.kept() > 0)
            && let Err(error) = runner.append_output("cache-dir", &folder.display().to_string())
        {
            screen.warn(&format!("the step's output cache-dir could not be set: {error}"));
        }
    }
}
