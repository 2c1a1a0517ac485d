//! What stands around the runs of a command, gathered before the first of them asks anything: each suite's baseline,
//! its policy, its history. Given files come in first and may be refused; what GitHub has to say comes after.

use super::baseline::{self, Ground};
use super::exit;
use super::hub::Hub;
use super::options::{Base, ComparisonOptions, PolicyFrom};
use super::output::Screen;
use super::{policy, trend};
use crate::history::Entry;
use crate::report::Around;
use crate::results::{Baseline, BaselineSource, Policy, Results, ShardRecord};
use crate::score;
use crate::suite::Suite;

/// What stands around the run of one suite.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    /// The earlier run with its texts.
    pub(crate) base: Option<Earlier>,
    /// What an earlier attempt of this run was compared with, where its own report is all that was found.
    pub(crate) kept: Option<Baseline>,
    /// Why there is none although one was looked for.
    pub(crate) without: Option<String>,
    /// Whether there is one could not be found out.
    pub(crate) unknown: bool,
    /// Whether the earlier run's answers are judged again.
    pub(crate) rejudge: bool,
    /// Judgements of anchors or of the earlier run that are missing because they failed or were not asked.
    pub(crate) unjudged: u64,
    /// Where the gates are from, when it is not the suite's own file.
    pub(crate) policy: Option<Policy>,
    /// The suite's runs, the oldest first; this one is added at its end.
    pub(crate) history: Vec<Entry>,
    /// Whether this run belongs into that history.
    pub(crate) keeps_history: bool,
    /// Which part of the suite the run is of, where it was split.
    pub(crate) shard: Option<ShardRecord>,
    /// Where the whole run can be looked at.
    pub(crate) url: Option<String>,
}

/// An earlier run, and where it was found.
#[derive(Debug)]
pub(crate) struct Earlier {
    pub(crate) results: Results,
    pub(crate) source: BaselineSource,
}

impl Frame {
    /// What a report shows besides the record.
    pub(crate) fn around(&self) -> Around<'_> {
        Around {
            base: self.base.as_ref().map(|base| &base.results),
            history: &self.history,
            url: self.url.as_deref(),
        }
    }

    /// A run that was cut short and is gone on with is no baseline of itself: its own report may lie where the
    /// baseline is looked for, and was written over it. What that attempt was compared with stands in it, and goes on
    /// to decide: without it a drop that held this run would let it pass.
    pub(crate) fn is_of(&mut self, run: &str) {
        if let Some(own) = self.base.take_if(|base| base.results.run.id == run) {
            // Of a shard that would be the whole run's. Its merged run finds one for itself.
            self.kept = own.results.baseline.filter(|_| self.shard.is_none());
            if let Some(shard) = &mut self.shard {
                shard.baseline = None;
            }
            self.without = match self.kept {
                Some(_) => None,
                None => Some("what was found is an earlier attempt of this run itself".to_owned()),
            };
        }
    }

    /// The earlier results that are to be judged again.
    pub(crate) fn to_rejudge(&self) -> Option<&Results> {
        self.base
            .as_ref()
            .filter(|_| self.rejudge)
            .map(|base| &base.results)
    }

    /// What the run is compared with: the earlier one as it was, or as it was judged again.
    pub(crate) fn baseline(&mut self, rejudged: Option<Results>) -> Option<Baseline> {
        let Some(base) = self.base.as_mut() else {
            return self.kept.take();
        };
        let again = rejudged.is_some();
        if let Some(rejudged) = rejudged {
            base.results = rejudged;
        }
        let mut baseline = score::baseline(&base.results, base.source.clone());
        baseline.rejudged = again;
        Some(baseline)
    }
}

/// A frame for each suite, of the files that were given. Gates are put in the place of the suite's own.
///
/// # Errors
/// Everything that is wrong with these files, at once.
pub(crate) fn given(
    suites: &mut [Suite],
    options: &ComparisonOptions,
    emulator: bool,
    screen: &Screen,
) -> anyhow::Result<Vec<Frame>> {
    let policies = policy::given(suites, &options.policy_from)?;
    let grounds = match &options.baseline {
        Base::Auto | Base::None => suites.iter().map(|_| Ground::default()).collect(),
        Base::Path(path) => baseline::given(path, suites, emulator)?,
    };
    let mut frames = Vec::new();
    for ((suite, policy), ground) in suites.iter().zip(policies).zip(grounds) {
        if let Some(why) = &ground.without {
            screen.warn(&format!("{}: no baseline: {why}", suite.name));
        }
        frames.push(Frame {
            base: ground.base,
            without: ground.without,
            rejudge: options.rejudge_baseline,
            policy,
            ..Frame::default()
        });
    }
    Ok(frames)
}

/// Adds what GitHub has: the gates of the base branch, the baseline, the history; of another place what the folders
/// have. Nothing that GitHub does or doesn't fails a run, but gates that are there and can't be read.
///
/// # Errors
/// The base branch's gates can't be read, or this is no runner of GitHub's and they are asked for.
pub(crate) async fn look(
    frames: &mut [Frame],
    suites: &mut [Suite],
    folders: &[&std::path::Path],
    options: &ComparisonOptions,
    emulator: bool,
    hub: Option<&mut Hub>,
    screen: &Screen,
) -> anyhow::Result<()> {
    let Some(hub) = hub else {
        if options.policy_from == PolicyFrom::Base {
            return Err(exit::usage(
                "--policy-from base is for pull requests on GitHub, and this is no runner of its: give the file with the \
                 gates that are to decide, or head",
            ));
        }
        for (frame, folder) in frames.iter_mut().zip(folders) {
            trend::from_folder(frame, folder, options.history, screen);
        }
        return Ok(());
    };
    if options.policy_from == PolicyFrom::Base {
        let policies = policy::of_base(suites, hub).await?;
        for (frame, policy) in frames.iter_mut().zip(policies) {
            frame.policy = policy;
        }
    }
    for ((frame, suite), folder) in frames.iter_mut().zip(suites.iter_mut()).zip(folders) {
        if options.baseline == Base::Auto {
            let ground = baseline::look(suite, options, emulator, hub, screen).await;
            frame.base = ground.base;
            frame.without = ground.without;
            frame.unknown = ground.unknown;
        }
        if let Some(policy) = frame.policy.take_if(|policy| policy.own_for_want) {
            frame.policy = Some(policy::of_baseline(suite, policy, frame.base.as_ref(), screen));
        }
        trend::look(frame, suite, folder, options, hub, screen).await;
        frame.url = hub.run_url();
    }
    Ok(())
}
