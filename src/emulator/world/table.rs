//! Records by id, in the order they were made: records come in, look-ups in constant time go out. On disk it is
//! a plain list.

use std::collections::HashMap;

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
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table {
            records: Vec::new(),
            places: HashMap::new(),
        }
    }
}

impl<T: Record> Table<T> {
    /// Adds a record, whose id must be new; its place.
    pub(crate) fn insert(&mut self, record: T) -> usize {
        let place = self.records.len();
        self.places.insert(record.id().to_owned(), place);
        self.records.push(record);
        place
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.places.get(id).and_then(|place| self.records.get(*place))
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.places.get(id).and_then(|place| self.records.get_mut(*place))
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
