//! One suite through evaluation, figures, comparison and gates: a record that has everything but the cycle.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::budget::Budget;
use super::comparison::derive;
use super::environment::Environment;
use super::frame::Frame;
use super::output::Screen;
use super::progress;
use super::service::{Home, Service};
use crate::eval;
use crate::report::Record;
use crate::results::{CallTally, JudgeRecord, Results, Run, Stopped, SuiteRecord, Tool, VERSION};
use crate::suite::Suite;

/// How long a model that needs loading is waited for: a large one takes minutes to get to its GPU.
const LOAD_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// The run that an evaluation belongs to, and what earlier attempts of it leave.
pub(crate) struct Taken<'a> {
    /// A UUID made for the run.
    pub(crate) run: String,
    /// When its first attempt began, RFC 3339, UTC.
    pub(crate) began_at: String,
    /// Times that it was taken up again.
    pub(crate) resumed: u32,
    /// What is known from earlier attempts.
    pub(crate) known: eval::Known,
    /// Where new answers and judgements go.
    pub(crate) keep: &'a eval::Keep<'a>,
    /// Replies of earlier runs.
    pub(crate) cache: Option<Arc<eval::Cache>>,
}

/// Asks, judges, scores, compares and gates, within the budget, from which the tokens are taken. `refused`: why nothing
/// may be asked. In the frame the earlier run becomes what it was judged again as.
#[expect(
    clippy::too_many_arguments,
    reason = "the one place where a command's parts meet; each is used once"
)]
pub(crate) async fn evaluate(
    suite: &Suite,
    home: &Home,
    service: &Service,
    concurrency: usize,
    budget: &mut Budget,
    taken: Taken<'_>,
    frame: &mut Frame,
    refused: Option<Stopped>,
    environment: &Environment,
    screen: &Screen,
) -> anyhow::Result<Record> {
    frame.is_of(&taken.run);
    let settings = eval::Settings {
        project: home.project.clone(),
        model: home.model.clone(),
        concurrency,
        load_timeout: LOAD_TIMEOUT,
        load_poll: suite.cycle.poll,
        limits: budget.limits(),
        cache: taken.cache,
    };
    let (events, incoming) = mpsc::unbounded_channel();
    let shown = tokio::spawn(progress::evaluation(suite.name.clone(), screen.clone(), incoming));
    let evaluation = match refused {
        Some(stopped) => eval::not_begun(suite, frame.to_rejudge(), taken.known, stopped),
        None => {
            eval::run(
                suite,
                frame.to_rejudge(),
                &service.studio,
                &settings,
                taken.known,
                taken.keep,
                &events,
            )
            .await
        }
    };
    budget.spend_tokens(evaluation.tokens);
    frame.unjudged = evaluation.unjudged_beside();
    drop(events);
    progress::over(shown).await;
    let results = Results {
        version: VERSION,
        tool: Tool {
            name: "tunegate".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        run: Run {
            id: taken.run,
            started_at: taken.began_at,
            duration_ms: u64::try_from(evaluation.duration.as_millis()).unwrap_or(u64::MAX),
            resumed: taken.resumed,
            kept: evaluation.kept,
            cached: evaluation.cached,
            base_url: service.origin.clone(),
            emulator: service.is_emulator(),
            commit: environment.commit.clone(),
            stopped: evaluation.stopped,
            shard: frame.shard.clone(),
        },
        suite: SuiteRecord {
            name: suite.name.clone(),
            path: suite.path.clone(),
            fingerprint: suite.fingerprint.clone(),
            project: home.project.clone(),
            model: home.model.clone(),
            dataset: home.dataset.clone(),
            judge: JudgeRecord {
                model: suite.judge.model.clone(),
                temperature: suite.judge.temperature,
                votes: suite.judge.votes,
                fingerprint: suite.judge.fingerprint.clone(),
            },
            gates: suite.gates.clone(),
            policy: frame.policy.clone(),
            cycle: suite.cycle.clone(),
        },
        cases: evaluation.cases,
        anchors: evaluation.anchors,
        baseline: frame.baseline(evaluation.rejudged),
        without_baseline: frame.without.clone(),
        baseline_unknown: frame.unknown,
        calls: tally(service),
    };
    derive(results, None)
}

/// The client's tally as the results hold it.
pub(crate) fn tally(service: &Service) -> BTreeMap<String, CallTally> {
    let millis = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
    service
        .studio
        .http()
        .tally()
        .into_iter()
        .map(|(name, t)| {
            let tally = CallTally {
                calls: t.calls,
                attempts: t.attempts,
                failed: t.failed,
                total_ms: millis(t.total),
            };
            (name.to_string(), tally)
        })
        .collect()
}
