//! Heads of lines come in; where the newest line of each key stands goes out. 48 bytes a reply, the texts stay on disk.

use std::collections::HashMap;

use super::key::Key;
use super::line::Head;

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// When its reply came, in seconds since 1970.
    pub(super) at: i64,
    pub(super) offset: u64,
    /// The segment's position.
    pub(super) segment: u32,
    /// With the line break, in bytes.
    pub(super) length: u32,
}

/// The newest line of each key.
#[derive(Debug, Default)]
pub(super) struct Index {
    places: HashMap<u128, Place>,
}

impl Index {
    pub(super) fn add(&mut self, head: Head, segment: u32, offset: u64, length: u32) {
        let place = Place {
            at: head.at,
            offset,
            segment,
            length,
        };
        let newest = self.places.entry(head.key.short()).or_insert(place);
        if newest.at <= place.at {
            *newest = place;
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Place> {
        self.places.get(&key.short()).copied()
    }

    /// All places, in no order.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.places.values().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::cache::key::Parts;

    #[test]
    fn the_newest_line_counts_whatever_the_order() {
        let key = Parts::of("x").key();
        let mut index = Index::default();
        for (at, offset) in [(5, 1), (9, 2), (7, 3)] {
            index.add(Head { key, at }, 0, offset, 10);
        }
        assert_eq!(index.get(&key).map(|place| place.offset), Some(2));
        // Of two of one second the one that was read later.
        index.add(Head { key, at: 9 }, 1, 4, 10);
        assert_eq!(index.get(&key).map(|place| place.offset), Some(4));
        assert_eq!(index.places().count(), 1);
        assert_eq!(index.get(&Parts::of("y").key()), None);
    }
}
