//! The options of the replies' cache.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::name;

/// Whether replies of earlier runs are used, and which.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cache")]
pub(crate) struct CacheOptions {
    /// Don't ask twice what nothing has changed about: auto (.tunegate-cache where a pull request is evaluated on
    /// GitHub, off elsewhere), off, or a folder
    #[arg(
        long,
        value_name = "auto|off|DIR",
        env = "TUNEGATE_CACHE",
        default_value = "auto",
        value_parser = place
    )]
    pub(crate) cache: CacheIn,
    /// Ask for everything anew, and keep it in the cache for other runs
    #[arg(long, env = "TUNEGATE_CACHE_REFRESH", value_parser = BoolishValueParser::new())]
    pub(crate) cache_refresh: bool,
    /// Older replies are asked for again: 12h or 7d, at most 365d
    #[arg(
        long,
        value_name = "TIME",
        env = "TUNEGATE_CACHE_MAX_AGE",
        default_value = "7d",
        value_parser = age
    )]
    pub(crate) cache_max_age: Duration,
    /// What the cache may hold, the oldest go first: 500MB or 2GB
    #[arg(
        long,
        value_name = "SIZE",
        env = "TUNEGATE_CACHE_MAX_SIZE",
        default_value = "500MB",
        value_parser = size
    )]
    pub(crate) cache_max_size: u64,
}

/// Where replies of earlier runs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CacheIn {
    /// In the usual folder where a pull request is evaluated, nowhere else.
    Auto,
    /// Nowhere.
    Off,
    /// In a folder.
    Folder(PathBuf),
}

fn place(text: &str) -> Result<CacheIn, String> {
    Ok(match name(text)?.as_str() {
        "auto" => CacheIn::Auto,
        "off" | "none" | "false" => CacheIn::Off,
        folder => CacheIn::Folder(PathBuf::from(folder)),
    })
}

const DAY: u64 = 24 * 60 * 60;

fn age(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let days = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u64>().ok())
        .map(|days| Duration::from_secs(days.saturating_mul(DAY)));
    match days.or_else(|| crate::suite::parse_duration(text)) {
        Some(age) if age.is_zero() || age > Duration::from_secs(365 * DAY) => {
            Err("must be longer than zero and at most 365d".to_owned())
        }
        Some(age) => Ok(age),
        None => Err("must be a whole number and its unit: 90m, 12h or 7d".to_owned()),
    }
}

fn size(text: &str) -> Result<u64, String> {
    let text = text.trim().to_ascii_uppercase();
    let with = |unit: &str, bytes: u64| {
        let number = text.strip_suffix(unit)?.trim_end().parse::<u64>().ok()?;
        number.checked_mul(bytes)
    };
    match with("MB", 1_000_000).or_else(|| with("GB", 1_000_000_000)) {
        Some(bytes @ 1_000_000..=1_000_000_000_000) => Ok(bytes),
        Some(_) => Err("must be at least 1MB and at most 1000GB".to_owned()),
        None => Err("must be a whole number and its unit: 500MB or 2GB".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_whole_numbers_with_a_unit() {
        assert_eq!(age("7d"), Ok(Duration::from_secs(7 * DAY)));
        assert_eq!(age("12h"), Ok(Duration::from_secs(12 * 60 * 60)));
        for wrong in [
            "",
            "7",
            "d",
            "0d",
            "366d",
            "-1d",
            "1.5d",
            "99999999999999999999d",
            "7D ",
        ] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_whole_numbers_with_a_unit() {
        assert_eq!(size("500MB"), Ok(500_000_000));
        assert_eq!(size(" 2 gb"), Ok(2_000_000_000));
        for wrong in [
            "",
            "500",
            "0MB",
            "MB",
            "-1MB",
            "1.5GB",
            "18446744073709551615GB",
            "2000GB",
            "1TB",
        ] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_word_is_a_folder() {
        assert_eq!(place("auto"), Ok(CacheIn::Auto));
        assert_eq!(place("off"), Ok(CacheIn::Off));
        assert_eq!(place(" .replies "), Ok(CacheIn::Folder(".replies".into())));
        assert!(place(" ").is_err());
    }
}
