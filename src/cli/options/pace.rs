//! How fast the service may be asked: what the command line says comes in, what a client is told of it goes out.

use clap::Args;

use crate::http::{Concurrency, Traffic};

/// Writes of the cycle at once, where the number for everything else is found out: a service that takes hundreds of
/// questions need not like as many writes to one project.
const WRITES: usize = 8;

/// How hard to ask.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Service")]
pub(crate) struct PaceOptions {
    /// Calls in flight at any time: auto (as many as each model is found to take), or a number for all of them together
    #[arg(
        long,
        value_name = "auto|N",
        env = "TUNEGATE_CONCURRENCY",
        default_value = "auto",
        value_parser = concurrency
    )]
    pub(crate) concurrency: Concurrency,
    /// Requests a minute that each model takes, where you know it
    #[arg(
        long,
        value_name = "N",
        env = "TUNEGATE_RPM",
        value_parser = clap::value_parser!(u64).range(1..=10_000_000)
    )]
    pub(crate) rpm: Option<u64>,
    /// Tokens a minute, of questions and answers, that each model takes, where you know it
    #[arg(
        long,
        value_name = "N",
        env = "TUNEGATE_TPM",
        value_parser = clap::value_parser!(u64).range(1..=10_000_000_000)
    )]
    pub(crate) tpm: Option<u64>,
}

impl PaceOptions {
    /// As a client takes it.
    pub(crate) fn traffic(self) -> Traffic {
        Traffic {
            concurrency: self.concurrency,
            rpm: self.rpm,
            tpm: self.tpm,
        }
    }

    /// Chat calls that may be begun at once, as far as it is given.
    pub(crate) fn calls(self) -> usize {
        match self.concurrency {
            Concurrency::Fixed(most) => most,
            Concurrency::Auto | Concurrency::Unbounded => usize::MAX,
        }
    }

    /// Calls of the cycle at once.
    pub(crate) fn writes(self) -> usize {
        match self.concurrency {
            Concurrency::Fixed(most) => most,
            Concurrency::Auto | Concurrency::Unbounded => WRITES,
        }
    }
}

fn concurrency(text: &str) -> Result<Concurrency, String> {
    match text.trim() {
        "auto" => Ok(Concurrency::Auto),
        number => match number.parse::<u16>() {
            Ok(most @ 1..=1024) => Ok(Concurrency::Fixed(usize::from(most))),
            _ => Err("must be auto or a number from 1 to 1024".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concurrency_is_auto_or_a_number() {
        assert_eq!(concurrency(" auto "), Ok(Concurrency::Auto));
        assert_eq!(concurrency("1024"), Ok(Concurrency::Fixed(1024)));
        for text in ["", "0", "1025", "-1", "many", "8.5"] {
            assert!(concurrency(text).is_err(), "{text}");
        }
    }
}
