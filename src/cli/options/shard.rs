//! Which part of the suites a process evaluates.

use clap::Args;

use crate::shards::Shard;

/// One part of the suites for this process, the others for others.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Shards")]
pub(crate) struct ShardOptions {
    /// Evaluate one part of each suite: 3/10 is the third of ten. `tunegate merge` makes one run of all of them, and its
    /// gates decide
    #[arg(long, value_name = "I/N", env = "TUNEGATE_SHARD")]
    pub(crate) shard: Option<Shard>,
}
