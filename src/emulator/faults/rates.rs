//! Faults by chance, as plain data: a share for each kind.

use std::time::Duration;

use super::{Fault, LATE, SILENCE, TRICKLE};

/// What goes wrong, each as a share (0..1) of the calls it applies to; together at most 1. Drawn from the seed,
/// the route and the number of calls that the route has had, so sequential callers meet the same faults again.
#[derive(Debug, Clone, PartialEq)]
pub struct Faults {
    /// 429 before any effect.
    pub rate_429: f64,
    /// What a 429 says about coming back.
    pub retry_after: RetryAfter,
    /// 500, 502, 503 or 504 before any effect; the body is JSON, a proxy's HTML or empty.
    pub rate_5xx: f64,
    /// The connection is reset before any effect.
    pub reset: f64,
    /// The effect takes place and half of the reply arrives.
    pub cut_body: f64,
    /// The effect takes place and the connection is reset without a reply.
    pub lost_answer: f64,
    /// The effect takes place and a 504 arrives.
    pub late_5xx: f64,
    /// The effect takes place and a 500, 502 or 503 arrives; the body is JSON or a proxy's HTML.
    pub broken_after: f64,
    /// No effect and no reply for `silence_for`.
    pub silence: f64,
    /// The effect takes place, and no reply comes for `silence_for`.
    pub silence_after: f64,
    /// The effect takes place and its reply says that it is HTML.
    pub wrong_type: f64,
    /// The effect takes place and valid JSON of another shape arrives.
    pub wrong_shape: f64,
    /// The effect takes place and its reply lacks every id.
    pub missing_id: f64,
    /// The effect takes place and its reply has a status that nobody knows: `paused`.
    pub unknown_status: f64,
    /// The effect takes place and its reply arrives byte by byte over `trickle_over`.
    pub trickle: f64,
    /// The effect takes place and its reply arrives twice in one body.
    pub doubled_body: f64,
    /// A 504 arrives, and the effect takes place `late_by` after it.
    pub late_effect: f64,
    /// How long silence lasts.
    pub silence_for: Duration,
    /// How long a trickled body takes.
    pub trickle_over: Duration,
    /// How long a late effect takes.
    pub late_by: Duration,
    /// Only routes whose name (`POST /api/v1/traces/{id}/addToDataset`) contains this.
    pub route: Option<String>,
}

/// `Retry-After` of a 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RetryAfter {
    /// No header.
    #[default]
    None,
    /// A number of seconds.
    Seconds(u64),
    /// An HTTP date that many seconds ahead.
    HttpDate(u64),
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            rate_429: 0.0,
            retry_after: RetryAfter::None,
            rate_5xx: 0.0,
            reset: 0.0,
            cut_body: 0.0,
            lost_answer: 0.0,
            late_5xx: 0.0,
            broken_after: 0.0,
            silence: 0.0,
            silence_after: 0.0,
            wrong_type: 0.0,
            wrong_shape: 0.0,
            missing_id: 0.0,
            unknown_status: 0.0,
            trickle: 0.0,
            doubled_body: 0.0,
            late_effect: 0.0,
            silence_for: SILENCE,
            trickle_over: TRICKLE,
            late_by: LATE,
            route: None,
        }
    }
}

impl Faults {
    /// Every kind of fault with the same share, `share` together.
    pub fn evenly(share: f64) -> Self {
        let each = share / 16.0;
        Faults {
            rate_429: each,
            rate_5xx: each,
            reset: each,
            cut_body: each,
            lost_answer: each,
            late_5xx: each,
            broken_after: each,
            silence: each,
            silence_after: each,
            wrong_type: each,
            wrong_shape: each,
            missing_id: each,
            unknown_status: each,
            trickle: each,
            doubled_body: each,
            late_effect: each,
            ..Faults::default()
        }
    }

    /// All shares together.
    pub fn sum(&self) -> f64 {
        self.shares(Fault::Reset, Fault::Reset)
            .iter()
            .map(|(share, _)| share)
            .sum()
    }

    /// Each share with its fault, in the order they are drawn in; new ones stand at the end, so that a seed that
    /// somebody has written down brings the same faults as before.
    pub(super) fn shares(&self, broken: Fault, broken_after: Fault) -> [(f64, Fault); 16] {
        [
            (self.rate_429, Fault::TooMany(self.retry_after)),
            (self.rate_5xx, broken),
            (self.reset, Fault::Reset),
            (self.cut_body, Fault::CutBody),
            (self.lost_answer, Fault::ResetAfter),
            (self.late_5xx, Fault::StatusAfter(504)),
            (self.broken_after, broken_after),
            (self.silence, Fault::Silence(self.silence_for)),
            (self.silence_after, Fault::SilenceAfter(self.silence_for)),
            (self.wrong_type, Fault::WrongType),
            (self.wrong_shape, Fault::WrongShape),
            (self.missing_id, Fault::MissingId),
            (self.unknown_status, Fault::UnknownStatus),
            (self.trickle, Fault::Trickle(self.trickle_over)),
            (self.doubled_body, Fault::DoubledBody),
            (self.late_effect, Fault::LateEffect(self.late_by)),
        ]
    }
}
