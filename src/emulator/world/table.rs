//! Records by id, in the order they were made: records come in, look-ups in constant time go out. On disk it is
//! a plain list.

use std::collections::{BTreeSet, HashMap};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A record with an id of its own.
pub(crate) trait Record {
    fn id(&self) -> &str;
}

/// Records in the order they were made.
#[derive(Debug)]
pub(crate) struct Table<T> {
    records: Vec<T>,
    places: HashMap<String, usize>,
    /// Places of records that are new, or may have changed, since they were last settled.
    changed: BTreeSet<usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table {
            records: Vec::new(),
            places: HashMap::new(),
            changed: BTreeSet::new(),
        }
    }
}

impl<T: Record> Table<T> {
    /// Adds a record, whose id must be new; its place.
    pub(crate) fn insert(&mut self, record: T) -> usize {
        let place = self.records.len();
        self.places.insert(record.id().to_owned(), place);
        self.records.push(record);
        self.changed.insert(place);
        place
    }

    /// Adds a record, or takes it in place of the one with its id.
    pub(crate) fn put(&mut self, record: T) {
        match self.get_mut(record.id()) {
            Some(held) => *held = record,
            None => {
                self.insert(record);
            }
        }
    }

    /// The records that are new, or may have changed, since the last `settle`; oldest first.
    pub(crate) fn changed(&self) -> impl Iterator<Item = &T> {
        self.changed.iter().filter_map(|place| self.records.get(*place))
    }

    /// The same, to be changed.
    pub(crate) fn for_each_changed(&mut self, act: impl Fn(&mut T)) {
        for place in &self.changed {
            self.records.get_mut(*place).map(&act);
        }
    }

    /// From here on nothing counts as changed.
    pub(crate) fn settle(&mut self) {
        self.changed.clear();
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.places.get(id).and_then(|place| self.records.get(*place))
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let place = *self.places.get(id)?;
        self.changed.insert(place);
        self.records.get_mut(place)
    }

    /// The record at a place.
    pub(crate) fn at(&self, place: usize) -> Option<&T> {
        self.records.get(place)
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.records.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.changed.extend(0..self.records.len());
        self.records.iter_mut()
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.records.serialize(serializer)
    }
}

impl<'de, T: Record + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Table::default();
        for record in Vec::<T>::deserialize(deserializer)? {
            if table.get(record.id()).is_some() {
                return Err(D::Error::custom(format!(
                    "id `{}` stands there twice",
                    record.id()
                )));
            }
            table.insert(record);
        }
        Ok(table)
    }
}
