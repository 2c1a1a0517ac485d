//! The options that several commands share. A flag wins over its variable, the variable over the suite.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};

pub(crate) use cache::{CacheIn, CacheOptions};
pub(crate) use pace::PaceOptions;
pub(crate) use shard::ShardOptions;

mod cache;
mod pace;
mod shard;

/// Whom to ask, and how hard.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Service")]
pub(crate) struct ServiceOptions {
    /// The project's id, in place of the suite's
    #[arg(long, value_name = "ID", env = "TUNEGATE_PROJECT", value_parser = name)]
    pub(crate) project: Option<String>,
    /// The alias or id of the model, in place of the suite's
    #[arg(long, value_name = "MODEL", env = "TUNEGATE_MODEL", value_parser = name)]
    pub(crate) model: Option<String>,
    /// The dataset's id or label, in place of the suite's
    #[arg(long, value_name = "DATASET", env = "TUNEGATE_DATASET", value_parser = name)]
    pub(crate) dataset: Option<String>,
    /// Where Prem Studio is: https, or http on this machine
    #[arg(
        long,
        value_name = "URL",
        env = "TUNEGATE_BASE_URL",
        default_value = "https://studio.premai.io"
    )]
    pub(crate) base_url: String,
    #[command(flatten)]
    pub(crate) pace: PaceOptions,
    /// How long one attempt of a call may take, for example 90s or 2m
    #[arg(
        long,
        value_name = "TIME",
        env = "TUNEGATE_TIMEOUT",
        default_value = "120s",
        value_parser = duration
    )]
    pub(crate) timeout: Duration,
    /// Ask the built-in emulator in place of Prem Studio: no key, nothing leaves this machine
    #[arg(long, env = "TUNEGATE_EMULATOR", value_parser = BoolishValueParser::new())]
    pub(crate) emulator: bool,
}

/// Who judges.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Service")]
pub(crate) struct JudgeOptions {
    /// The judge model, in place of the suite's
    #[arg(long, value_name = "MODEL", env = "TUNEGATE_JUDGE_MODEL", value_parser = name)]
    pub(crate) judge_model: Option<String>,
}

/// Where reports go.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputOptions {
    /// Where the reports are written, a folder per suite in it
    #[arg(
        long,
        value_name = "DIR",
        env = "TUNEGATE_OUTPUT_DIR",
        default_value = ".tunegate"
    )]
    pub(crate) output_dir: PathBuf,
    /// What standard output gets: text for a person, json for a script
    #[arg(long, value_enum, env = "TUNEGATE_FORMAT", default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// What the cycle does and doesn't.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cycle")]
pub(crate) struct CycleOptions {
    /// Everything but the launch of the fine-tuning job
    #[arg(long, env = "TUNEGATE_NO_LAUNCH", value_parser = BoolishValueParser::new())]
    pub(crate) no_launch: bool,
    /// Show everything that would be written to the service, and write nothing to it
    #[arg(long, env = "TUNEGATE_DRY_RUN", value_parser = BoolishValueParser::new())]
    pub(crate) dry_run: bool,
}

/// What a run may take. Reaching a limit ends its evaluation in order: the rest is not asked, and the same
/// command goes on from there.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitOptions {
    /// When the whole run has to end, from its start on: 90s, 20m or 2h; what is not asked by then is left for
    /// the same command to go on with
    #[arg(long, value_name = "TIME", env = "TUNEGATE_DEADLINE", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,
    /// Requests to the service at the most; of a run's, the asking leaves 40 to the cycle and 2 for each answer
    #[arg(
        long,
        value_name = "N",
        env = "TUNEGATE_MAX_CALLS",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub(crate) max_calls: Option<u64>,
    /// Tokens of questions, answers and judgements at the most, as the service counts them
    #[arg(
        long,
        value_name = "N",
        env = "TUNEGATE_MAX_TOKENS",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub(crate) max_tokens: Option<u64>,
}

/// How a run goes on that ended early.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Resume")]
pub(crate) struct ResumeOptions {
    /// Begin anew: the journal of an unfinished run is set aside
    #[arg(long, env = "TUNEGATE_FRESH", value_parser = BoolishValueParser::new())]
    pub(crate) fresh: bool,
    /// You have looked at the project: a write whose effect is not known, and that is not there, was not done
    #[arg(long, env = "TUNEGATE_ASSUME_NOT_DONE", value_parser = BoolishValueParser::new())]
    pub(crate) assume_not_done: bool,
    /// How long the service is asked for a write of unknown effect before it counts as not done
    #[arg(
        long,
        value_name = "TIME",
        env = "TUNEGATE_DOUBT_TIMEOUT",
        default_value = "15s",
        value_parser = duration
    )]
    pub(crate) doubt_timeout: Duration,
}

/// What a run is compared with, whose gates decide, and where the comparison is told.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Comparison")]
pub(crate) struct ComparisonOptions {
    /// The earlier run to compare with: auto (looked for on GitHub, none elsewhere), none, or a results.json or a
    /// folder that holds one for each suite
    #[arg(
        long,
        value_name = "auto|none|PATH",
        env = "TUNEGATE_BASELINE",
        default_value = "auto",
        value_parser = base
    )]
    pub(crate) baseline: Base,
    /// The workflow's file whose runs are looked through for the baseline, in place of this one's
    #[arg(
        long,
        value_name = "FILE",
        env = "TUNEGATE_BASELINE_WORKFLOW",
        value_parser = name
    )]
    pub(crate) baseline_workflow: Option<String>,
    /// Have this run's judge score the baseline's stored answers again: bridges a changed judge, and costs its
    /// judgements once more
    #[arg(long, env = "TUNEGATE_REJUDGE_BASELINE", value_parser = BoolishValueParser::new())]
    pub(crate) rejudge_baseline: bool,
    /// Whose gates decide: head (the suite's own), base (the same file's where the pull request goes to), or a
    /// suite's file
    #[arg(
        long,
        value_name = "head|base|PATH",
        env = "TUNEGATE_POLICY_FROM",
        default_value = "head",
        value_parser = policy
    )]
    pub(crate) policy_from: PolicyFrom,
    /// When to comment on the pull request: auto (on its own events), always (on a push to its branch too), never
    #[arg(long, value_enum, env = "TUNEGATE_COMMENT", default_value_t = Commenting::Auto)]
    pub(crate) comment: Commenting,
    /// Where the suite's earlier runs are kept: in the artifact chain, on a data branch, or nowhere
    #[arg(long, value_enum, env = "TUNEGATE_HISTORY", default_value_t = HistoryIn::Artifact)]
    pub(crate) history: HistoryIn,
    /// The data branch
    #[arg(
        long,
        value_name = "NAME",
        env = "TUNEGATE_HISTORY_BRANCH",
        default_value = "tunegate-history",
        value_parser = name
    )]
    pub(crate) history_branch: String,
}

/// The earlier run that a run is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Base {
    /// Looked for on GitHub; elsewhere none.
    Auto,
    /// None.
    None,
    /// A results file, or a folder of them.
    Path(PathBuf),
}

/// Whose gates decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PolicyFrom {
    /// The suite's own.
    Head,
    /// Those of the same file on the branch that the pull request goes to.
    Base,
    /// Those of another suite's file.
    Path(PathBuf),
}

/// When a pull request gets a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Commenting {
    /// On a pull request's own events
    Auto,
    /// On a push to its branch too
    Always,
    /// Not at all
    Never,
}

/// Where a suite's earlier runs are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HistoryIn {
    /// In each run's report, which the next one reads
    Artifact,
    /// On a branch of the repository
    Branch,
    /// Nowhere
    Off,
}

fn base(text: &str) -> Result<Base, String> {
    Ok(match name(text)?.as_str() {
        "auto" => Base::Auto,
        "none" => Base::None,
        path => Base::Path(PathBuf::from(path)),
    })
}

fn policy(text: &str) -> Result<PolicyFrom, String> {
    Ok(match name(text)?.as_str() {
        "head" => PolicyFrom::Head,
        "base" => PolicyFrom::Base,
        path => PolicyFrom::Path(PathBuf::from(path)),
    })
}

/// How a person watches.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Display")]
pub(crate) struct DisplayOptions {
    /// When to colour
    #[arg(
        long,
        value_enum,
        global = true,
        env = "TUNEGATE_COLOR",
        default_value_t = When::Auto
    )]
    pub(crate) color: When,
    /// No progress on standard error
    #[arg(
        long,
        short,
        global = true,
        env = "TUNEGATE_QUIET",
        value_parser = BoolishValueParser::new()
    )]
    pub(crate) quiet: bool,
    /// Log every call on standard error (never its texts, never the key)
    #[arg(
        long,
        short,
        global = true,
        env = "TUNEGATE_VERBOSE",
        value_parser = BoolishValueParser::new()
    )]
    pub(crate) verbose: bool,
}

/// The form of the results on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a person
    Text,
    /// For a script
    Json,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Even into a file
    Always,
    /// Not at all
    Never,
}

impl When {
    pub(crate) fn colour(self, is_terminal: bool, no_color: bool) -> bool {
        match self {
            When::Auto => is_terminal && !no_color,
            When::Always => true,
            When::Never => false,
        }
    }
}

/// A name without the blanks around it: `--model "$MODEL"` of a variable that is not set asks for nobody.
fn name(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("must not be empty".to_owned()),
        name => Ok(name.to_owned()),
    }
}

/// Longer than this nothing is waited for.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a duration as the suite writes it; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let bare = text.parse::<u64>().ok().map(Duration::from_secs);
    match bare.or_else(|| crate::suite::parse_duration(text)) {
        Some(duration) if duration.is_zero() || duration > LONGEST => {
            Err("must be longer than zero and at most 24h".to_owned())
        }
        Some(duration) => Ok(duration),
        None => Err("must be a whole number and its unit: 300ms, 90s, 2m or 1h".to_owned()),
    }
}
