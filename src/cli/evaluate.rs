//! One suite through evaluation, figures and gates: a record that has everything but the cycle.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;

use super::budget::Budget;
use super::environment::Environment;
use super::output::Screen;
use super::progress;
use super::service::{Home, Service};
use crate::report::Record;
use crate::results::{CallTally, JudgeRecord, Results, Run, Stopped, SuiteRecord, Tool, VERSION};
use crate::suite::Suite;
use crate::{eval, gate, score};

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
}

/// Asks, judges, scores and gates, within the budget, from which the tokens are taken. `refused`: why nothing may be
/// asked.
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
    refused: Option<Stopped>,
    environment: &Environment,
    screen: &Screen,
) -> anyhow::Result<Record> {
    let settings = eval::Settings {
        project: home.project.clone(),
        model: home.model.clone(),
        concurrency,
        load_timeout: LOAD_TIMEOUT,
        load_poll: suite.cycle.poll,
        limits: budget.limits(),
    };
    let (events, incoming) = mpsc::unbounded_channel();
    let shown = tokio::spawn(progress::evaluation(suite.name.clone(), screen.clone(), incoming));
    let evaluation = match refused {
        Some(stopped) => eval::not_begun(suite, None, taken.known, stopped),
        None => {
            eval::run(
                suite,
                None,
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
            base_url: service.origin.clone(),
            emulator: service.is_emulator(),
            commit: environment.commit.clone(),
            stopped: evaluation.stopped,
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
            policy: None,
            cycle: suite.cycle.clone(),
        },
        cases: evaluation.cases,
        anchors: evaluation.anchors,
        baseline: None,
        without_baseline: None,
        baseline_unknown: false,
        calls: tally(service),
    };
    let figures = score::figures(&results);
    let verdict =
        gate::decide(&results.suite.gates, &figures, None).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    Ok(Record {
        results,
        figures,
        comparison: None,
        verdict,
        cycle: None,
    })
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
