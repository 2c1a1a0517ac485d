//! A suite and `i/n` → the part of it that one process evaluates; the results of all parts → the results of one run, or
//! everything that is wrong with them. Pure.
//!
//! Which part a case belongs to follows from its id, on every machine and in every build alike ([`assign`]). What a part
//! left out, where its cases stand and whose fingerprint is whose, stands in its results ([`ShardRecord`]), so that they
//! can be put together without the suite's file.
//!
//! [`ShardRecord`]: crate::results::ShardRecord

mod agree;
mod assign;
mod join;
mod merge;
mod share;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub use assign::assign;
pub use merge::{Piece, merge};
pub use share::Share;

/// More parts than this make nothing faster: GitHub's matrix has no more legs.
pub const MOST: u16 = 256;

/// One part of a suite: `3/10` is the third of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u16,
    of: u16,
}

impl Shard {
    /// The part's number, counted from 1.
    pub fn index(self) -> u16 {
        self.index
    }

    /// How many parts there are.
    pub fn of(self) -> u16 {
        self.of
    }

    /// What its folder is called: `3-of-10`.
    pub fn folder(self) -> String {
        format!("{}-of-{}", self.index, self.of)
    }
}

impl fmt::Display for Shard {
    /// `shard 3 of 10`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shard {} of {}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let number = |text: &str| {
            let plain = text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<u16>().ok().filter(|_| plain)
        };
        let parts = text.trim().split_once('/');
        let numbers = parts.and_then(|(index, of)| Some((number(index)?, number(of)?)));
        let Some((index, of)) = numbers else {
            return Err("must be a shard's number and how many there are: 1/10, 2/10 up to 10/10".to_owned());
        };
        if of == 0 || of > MOST {
            return Err(format!("there can be 1 to {MOST} shards, not {of}"));
        }
        if index == 0 || index > of {
            return Err(format!(
                "of {of} shards the first one is 1/{of} and the last one {of}/{of}"
            ));
        }
        Ok(Shard { index, of })
    }
}
