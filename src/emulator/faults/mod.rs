//! What goes wrong: a route and how often it was called come in, the fault that this call meets goes out. Rates
//! are drawn from the seed; placed faults meet exactly the calls that they name.

mod placed;
mod rates;
mod replies;

use std::time::Duration;

pub use placed::{Calls, PlacedFault};
pub use rates::{Faults, RetryAfter};
pub(super) use replies::{early_reply, spoil};

use super::draw;

/// How long a silent service keeps its caller waiting when nothing else is said.
pub const SILENCE: Duration = Duration::from_secs(30);
/// How long a trickled body takes when nothing else is said.
pub const TRICKLE: Duration = Duration::from_secs(1);
/// How long an effect stays away after its 504 when nothing else is said.
pub const LATE: Duration = Duration::from_millis(500);

/// A fault that one call meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 429, no effect.
    TooMany(RetryAfter),
    /// A 5xx, no effect: 500 with JSON, 504 empty, every other with a proxy's HTML.
    Status(u16),
    /// The connection is reset, no effect.
    Reset,
    /// No reply for so long, then the connection closes; no effect.
    Silence(Duration),
    /// The effect, and a 5xx like [`Fault::Status`].
    StatusAfter(u16),
    /// The effect, and a reset without a reply.
    ResetAfter,
    /// The effect, and half of the reply.
    CutBody,
    /// The effect, and no reply for so long; then the connection closes.
    SilenceAfter(Duration),
    /// The effect, and its reply with `content-type: text/html`.
    WrongType,
    /// The effect, and valid JSON that has nothing of the reply.
    WrongShape,
    /// The effect, and its reply without any id.
    MissingId,
    /// The effect, and its reply with `paused` in place of every `status` and `processingStatus`.
    UnknownStatus,
    /// The effect, and its reply byte by byte over so long.
    Trickle(Duration),
    /// The effect, and its reply twice in one body.
    DoubledBody,
    /// 504 at once, and the effect so much later.
    LateEffect(Duration),
}

impl Fault {
    /// The name in the counters.
    pub(super) fn name(self) -> &'static str {
        match self {
            Fault::TooMany(_) => "429",
            Fault::Status(_) => "5xx",
            Fault::Reset => "reset",
            Fault::Silence(_) => "silence",
            Fault::StatusAfter(504) => "late_5xx",
            Fault::StatusAfter(_) => "broken_after",
            Fault::ResetAfter => "lost_answer",
            Fault::CutBody => "cut_body",
            Fault::SilenceAfter(_) => "silence_after",
            Fault::WrongType => "wrong_type",
            Fault::WrongShape => "wrong_shape",
            Fault::MissingId => "missing_id",
            Fault::UnknownStatus => "unknown_status",
            Fault::Trickle(_) => "trickle",
            Fault::DoubledBody => "doubled_body",
            Fault::LateEffect(_) => "late_effect",
        }
    }
}

/// The fault that the `count`th call (from 0) of a route meets, if any.
pub(super) fn draw(faults: &Faults, seed: u64, route: &str, count: u64) -> Option<Fault> {
    if faults
        .route
        .as_deref()
        .is_some_and(|filter| !route.contains(filter))
    {
        return None;
    }
    let count = count.to_string();
    let drawn = draw::share(seed, &["fault", route, &count]);
    let kind = draw::number(seed, &["status", route, &count]) as usize;
    let mut upper = 0.0;
    faults
        .shares(
            Fault::Status([500, 502, 503, 504][kind % 4]),
            Fault::StatusAfter([500, 502, 503][kind % 3]),
        )
        .into_iter()
        .find_map(|(share, fault)| {
            upper += share;
            (drawn < upper).then_some(fault)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_at_their_rate_and_again_for_the_same_seed() {
        let faults = Faults {
            rate_429: 0.2,
            lost_answer: 0.1,
            ..Faults::default()
        };
        let run = |seed| -> Vec<Option<Fault>> {
            (0..2_000)
                .map(|count| draw(&faults, seed, "GET /x", count))
                .collect()
        };
        let drawn = run(5);
        let of = |fault| drawn.iter().filter(|drawn| **drawn == Some(fault)).count();
        let too_many = of(Fault::TooMany(RetryAfter::None));
        assert!((340..460).contains(&too_many), "{too_many}");
        let lost = of(Fault::ResetAfter);
        assert!((140..260).contains(&lost), "{lost}");
        assert_eq!(drawn, run(5));
        assert_ne!(drawn, run(6));
    }

    #[test]
    fn every_fault_comes_when_all_have_a_share() {
        let faults = Faults::evenly(1.0);
        assert!((faults.sum() - 1.0).abs() < 1e-9, "{}", faults.sum());
        let mut names: Vec<&str> = (0..2_000)
            .filter_map(|count| draw(&faults, 1, "GET /x", count))
            .map(Fault::name)
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 16, "{names:?}");
    }

    #[test]
    fn a_filter_spares_other_routes() {
        let faults = Faults {
            reset: 1.0,
            route: Some("addToDataset".to_owned()),
            ..Faults::default()
        };
        assert_eq!(
            draw(&faults, 1, "POST /api/v1/traces/{id}/addToDataset", 0),
            Some(Fault::Reset)
        );
        assert_eq!(draw(&faults, 1, "POST /api/v1/traces", 0), None);
    }
}
