//! Writes in doubt come in; what the service says of each goes out: done, surely not done, or still in doubt.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::{Desk, Kind, Left, Open, ROUNDS, Unwritten, lost};
use crate::cycle::halt::Halt;
use crate::cycle::journal::{Doubt, Fact};
use crate::studio::Failure;

/// A service that may be at it yet (a time-out, 504) is asked so many times longer.
const LATE: u32 = 2;

/// However old a doubt is, so many answers have to be a no.
const LOOKS: u32 = 3;

/// A service that can't be asked is tried for so many times the patience.
const ASKING: u32 = 4;

/// A write that is asked for.
pub(super) struct Asking {
    /// By the wall clock, from the journal: an earlier process may have lost the answer.
    since: Timestamp,
    /// The same by this process's clock.
    from: Instant,
    late: bool,
    /// What an earlier process left, and a person has looked at.
    assumed: bool,
    /// Answers that were a no.
    looks: u32,
}

impl Asking {
    /// How long ago the answer was lost. A wall clock that was set back must not shorten the wait.
    /// A doubt that an earlier process left.
    pub(super) fn earlier(doubt: &Doubt, assumed: bool) -> Asking {
        Asking {
            since: doubt.since,
            from: Instant::now(),
            late: doubt.late,
            assumed,
            looks: 0,
        }
    }

    /// A doubt that begins now.
    pub(super) fn now(late: bool) -> Asking {
        Asking {
            since: Timestamp::now(),
            from: Instant::now(),
            late,
            assumed: false,
            looks: 0,
        }
    }

    fn age(&self) -> Duration {
        let wall = Timestamp::now().duration_since(self.since);
        Duration::try_from(wall)
            .unwrap_or_default()
            .max(self.from.elapsed())
    }
}

/// Asks once for everything that is in doubt.
pub(super) async fn look<K: Kind>(
    desk: Desk<'_>,
    kind: &K,
    doubted: Vec<Open<K::Item>>,
    told: &mut impl FnMut(K::Item, Result<K::Made, Unwritten>),
) -> Left<K::Item> {
    let mut left = Left {
        open: Vec::new(),
        doubted: Vec::new(),
        halt: None,
    };
    // A no counts only when the question was asked after the patience was over.
    let ages: Vec<Duration> = doubted
        .iter()
        .filter_map(|w| Some(w.doubt.as_ref()?.age()))
        .collect();
    let items: Vec<&K::Item> = doubted.iter().map(|w| &w.item).collect();
    let answers = kind.ask(&items).await;
    for ((mut write, age), answer) in doubted.into_iter().zip(ages).zip(answers) {
        let Some(doubt) = &mut write.doubt else { continue };
        doubt.looks += u32::from(matches!(answer, Ok(None)));
        let patience = match (doubt.assumed, doubt.late) {
            (true, _) => Duration::ZERO,
            (_, true) => desk.patience * K::CARE * LATE,
            _ => desk.patience * K::CARE,
        };
        let (assumed, asking) = (doubt.assumed, doubt.from.elapsed());
        let key = kind.write(&write.item);
        let noted = match answer {
            Ok(Some(made)) => {
                let noted = desk.journal.note(&Fact::Done {
                    write: key,
                    made: K::made(&made),
                });
                told(write.item, Ok(made));
                noted
            }
            Err(why) if !assumed && let Some(halt) = Halt::of(&why) => {
                left.halt = left.halt.or(Some(halt));
                left.doubted.push(write);
                Ok(())
            }
            Err(why) if !assumed => {
                // By this process's clock: an old doubt is no reason to give up at the first question that fails.
                if asking >= patience * ASKING {
                    let failure = write.failure.take().unwrap_or_else(|| lost(K::CALL));
                    told(write.item, Err(in_doubt(failure, &why)));
                } else {
                    left.doubted.push(write);
                }
                Ok(())
            }
            Ok(None) if age < patience || (doubt.looks < LOOKS && !assumed) => {
                left.doubted.push(write);
                Ok(())
            }
            Ok(None) | Err(_) => {
                let cause = if assumed {
                    "a person has looked (--assume-not-done)"
                } else {
                    "asked for, and not there"
                };
                write.doubt = None;
                let noted = desk.journal.note(&Fact::NotDone {
                    write: key,
                    cause: cause.to_owned(),
                });
                match write.failure.take() {
                    Some(failure) if write.rounds >= ROUNDS => {
                        told(write.item, Err(Unwritten::NotDone(failure)))
                    }
                    failure => {
                        write.failure = failure;
                        left.open.push(write);
                    }
                }
                noted
            }
        };
        if let Err(fault) = noted {
            left.halt = left.halt.or(Some(fault.into()));
        }
    }
    left
}

/// A write in doubt, and the question for its effect failed to the end.
fn in_doubt(mut failure: Failure, why: &Failure) -> Unwritten {
    failure.message = format!("{}; asking whether it is there failed: {why}", failure.message);
    Unwritten::Unknown(failure)
}
