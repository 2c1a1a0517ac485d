//! The faults of the matrix: what each is called, and by which words a report may tell that it was the cause.

use std::time::Duration;

use tunegate::emulator::{Fault, RetryAfter};

use super::night::LATE;

/// A fault as a row meets it.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) fault: Fault,
    /// One of these stands where a run tells that it was stopped by this.
    pub(super) cause: &'static [&'static str],
    /// The first run must go through: whoever reads a reply to its end has all of it.
    pub(super) harmless: bool,
    /// Whether a write has its effect, and nothing that its caller gets says so.
    pub(super) doubtful: bool,
}

/// Longer than any attempt may take.
const SILENCE: Duration = Duration::from_secs(30);

/// Every fault of the matrix.
pub(super) fn cases() -> Vec<Case> {
    let unreadable: &[&str] = &[
        "unreadable",
        "shape",
        "no `",
        "not JSON",
        "is not an",
        "can't be read",
    ];
    let silence: &[&str] = &["time-out", "no complete reply"];
    let broken: &[&str] = &["connection broken", "no reply came", "cut", "no connection"];
    let harmful = [
        ("500", Fault::Status(500), &["500"][..]),
        ("502 with HTML", Fault::Status(502), &["502"]),
        ("500 after its effect", Fault::StatusAfter(500), &["500"]),
        ("502 after its effect", Fault::StatusAfter(502), &["502"]),
        ("504 after its effect", Fault::StatusAfter(504), &["504"]),
        ("429", Fault::TooMany(RetryAfter::None), &["429"]),
        (
            "429 with seconds",
            Fault::TooMany(RetryAfter::Seconds(1)),
            &["429"],
        ),
        (
            "429 with a date",
            Fault::TooMany(RetryAfter::HttpDate(1)),
            &["429"],
        ),
        ("a reset", Fault::Reset, broken),
        ("a reset after its effect", Fault::ResetAfter, broken),
        ("a cut body", Fault::CutBody, broken),
        ("silence", Fault::Silence(SILENCE), silence),
        ("silence after its effect", Fault::SilenceAfter(SILENCE), silence),
        ("JSON of another shape", Fault::WrongShape, unreadable),
        ("a missing id", Fault::MissingId, unreadable),
        ("an unknown status", Fault::UnknownStatus, &["paused"]),
        ("a body twice", Fault::DoubledBody, unreadable),
        ("a late effect", Fault::LateEffect(LATE), &["504"]),
    ];
    let harmless = [
        ("a wrong content type", Fault::WrongType),
        ("a trickled body", Fault::Trickle(Duration::from_millis(300))),
    ];
    let harmful = harmful.into_iter().map(|(name, fault, cause)| Case {
        name,
        fault,
        cause,
        harmless: false,
        doubtful: matches!(
            fault,
            Fault::StatusAfter(_) | Fault::ResetAfter | Fault::SilenceAfter(_) | Fault::LateEffect(_)
        ),
    });
    let harmless = harmless.into_iter().map(|(name, fault)| Case {
        name,
        fault,
        cause: &[],
        harmless: true,
        doubtful: false,
    });
    harmful.chain(harmless).collect()
}
