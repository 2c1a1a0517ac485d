//! What is to go wrong in the emulator, as the command line says it: shares of all requests, and places.

use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::placed;
use super::share;
use crate::cli::options::duration;
use crate::emulator::{Faults, PlacedFault, RetryAfter};

/// The options for faults.
#[derive(Debug, Args)]
pub(super) struct FaultArguments {
    /// Share of requests refused with 429, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_RATE_429"
    )]
    rate_429: f64,
    /// What a 429 says of when to come back
    #[arg(long, value_name = "SECONDS", env = "TUNEGATE_EMULATOR_RETRY_AFTER")]
    retry_after: Option<u64>,
    /// A 429 says it as an HTTP date
    #[arg(
        long,
        requires = "retry_after",
        env = "TUNEGATE_EMULATOR_RETRY_AFTER_DATE",
        value_parser = BoolishValueParser::new()
    )]
    retry_after_date: bool,
    /// Share of requests answered with a server error before any effect, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_RATE_5XX"
    )]
    rate_5xx: f64,
    /// Share of connections broken before any effect, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_RESET"
    )]
    reset: f64,
    /// Share of answers cut in the middle, effect applied, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_CUT_BODY"
    )]
    cut_body: f64,
    /// Share of answers never sent, effect applied, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_LOST_ANSWER"
    )]
    lost_answer: f64,
    /// Share of calls answered with 504, effect applied, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_LATE_5XX"
    )]
    late_5xx: f64,
    /// Share of calls answered with 500, 502 or 503, effect applied, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_BROKEN_AFTER"
    )]
    broken_after: f64,
    /// Share of calls that get no reply for a long time, without effect, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_SILENCE"
    )]
    silence: f64,
    /// Share of calls that get no reply for a long time, effect applied, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_SILENCE_AFTER"
    )]
    silence_after: f64,
    /// Share of answers that say they are HTML, effect applied, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_WRONG_TYPE"
    )]
    wrong_type: f64,
    /// Share of answers with JSON of another shape, effect applied, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_WRONG_SHAPE"
    )]
    wrong_shape: f64,
    /// Share of answers without their ids, effect applied, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_MISSING_ID"
    )]
    missing_id: f64,
    /// Share of answers with a status that nobody knows, effect applied, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_UNKNOWN_STATUS"
    )]
    unknown_status: f64,
    /// Share of answers that come byte by byte, effect applied, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_TRICKLE"
    )]
    trickle: f64,
    /// Share of answers that come twice in one body, effect applied, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_DOUBLED_BODY"
    )]
    doubled_body: f64,
    /// Share of calls answered with 504 whose effect comes later, 0..1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        value_parser = share,
        env = "TUNEGATE_EMULATOR_LATE_EFFECT"
    )]
    late_effect: f64,
    /// How long silence lasts before the connection closes
    #[arg(
        long,
        value_name = "TIME",
        default_value = "30s",
        value_parser = duration,
        env = "TUNEGATE_EMULATOR_SILENCE_FOR"
    )]
    silence_for: Duration,
    /// How long a body that comes byte by byte takes
    #[arg(
        long,
        value_name = "TIME",
        default_value = "1s",
        value_parser = duration,
        env = "TUNEGATE_EMULATOR_TRICKLE_OVER"
    )]
    trickle_over: Duration,
    /// How long after its 504 a late effect comes
    #[arg(
        long,
        value_name = "TIME",
        default_value = "500ms",
        value_parser = duration,
        env = "TUNEGATE_EMULATOR_LATE_BY"
    )]
    late_by: Duration,
    /// Only routes whose path holds this text have faults by share
    #[arg(long, value_name = "TEXT", env = "TUNEGATE_EMULATOR_FAULT_ROUTE")]
    fault_route: Option<String>,
    /// A fault at exact calls: 'POST /api/v1/traces#2=reset-after'; #2-4, #1/2 and #* name several, may be repeated
    #[arg(
        long = "fault",
        value_name = "CALL#N=FAULT",
        value_delimiter = ';',
        value_parser = placed::read,
        env = "TUNEGATE_EMULATOR_FAULT"
    )]
    pub(super) placed: Vec<PlacedFault>,
}

impl FaultArguments {
    /// What every 429 says of when to come back.
    pub(super) fn retry_after(&self) -> RetryAfter {
        match self.retry_after {
            None => RetryAfter::None,
            Some(seconds) if self.retry_after_date => RetryAfter::HttpDate(seconds),
            Some(seconds) => RetryAfter::Seconds(seconds),
        }
    }

    /// The shares, as the emulator takes them.
    pub(super) fn rates(&self) -> Faults {
        Faults {
            rate_429: self.rate_429,
            retry_after: self.retry_after(),
            rate_5xx: self.rate_5xx,
            reset: self.reset,
            cut_body: self.cut_body,
            lost_answer: self.lost_answer,
            late_5xx: self.late_5xx,
            broken_after: self.broken_after,
            silence: self.silence,
            silence_after: self.silence_after,
            wrong_type: self.wrong_type,
            wrong_shape: self.wrong_shape,
            missing_id: self.missing_id,
            unknown_status: self.unknown_status,
            trickle: self.trickle,
            doubled_body: self.doubled_body,
            late_effect: self.late_effect,
            silence_for: self.silence_for,
            trickle_over: self.trickle_over,
            late_by: self.late_by,
            route: self.fault_route.clone(),
        }
    }
}
