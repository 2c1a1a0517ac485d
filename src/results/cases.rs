//! The cases of a run come in one by one, and go out one by one: in between they are held packed.
//!
//! Answers and judgements are most of what a large run keeps. Each case is its compact JSON text, and many of them
//! together are a compressed block: a case takes a fraction of the room that its texts and collections would.

use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeOwned, Deserializer, SeqAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::CaseResult;
use crate::suite::Texts;

mod build;
mod pack;
#[cfg(test)]
mod tests;

pub use build::CasesBuilder;
use pack::{Pack, Spot, Unpacked};

/// The cases of a run, in the suite's order, held packed. In a file they are a list of [`CaseResult`]s.
///
/// A case that is read is a copy; to change cases, build them anew ([`FromIterator`]). Reading them in their order
/// unpacks each block about once; reading single ones costs a block each, some 100 microseconds.
///
/// A weight or a pass score that is no number, which no file can hold and no suite has, is held as 0.
#[derive(Clone, Default)]
pub struct Cases {
    pack: Pack,
    /// Where each case is, by its position.
    spots: Vec<Spot>,
    /// What stands in the suite of each and not in the pack, by its position; empty where all of a case is packed.
    texts: Vec<Option<Texts>>,
}

impl Cases {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.spots.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.spots.is_empty()
    }

    /// All of them, one at a time.
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            reader: self.reader(),
            at: 0,
        }
    }

    /// Of each case as much as `T` takes of its JSON: what is passed over is not allocated. The messages and the
    /// reference may not stand in it.
    pub(crate) fn parts<T: DeserializeOwned>(&self) -> impl Iterator<Item = T> {
        let mut unpacked = Unpacked::default();
        let spots = self.spots.iter();
        spots.map_while(move |spot| unpacked.read(&self.pack, *spot))
    }

    /// The case at a position, from 0. Of several cases a [`Reader`] reads those beside one another at less cost.
    pub fn get(&self, at: usize) -> Option<CaseResult> {
        self.reader().get(at)
    }

    /// For cases here and there.
    pub fn reader(&self) -> Reader<'_> {
        Reader {
            cases: self,
            unpacked: Unpacked::default(),
        }
    }

    /// Adds a case behind the others.
    pub fn push(&mut self, case: &CaseResult) {
        let spot = self.pack.add(case);
        self.spots.push(spot);
    }

    /// Changes cases where a test wants others.
    #[cfg(test)]
    pub(crate) fn edit<T>(&mut self, change: impl FnOnce(&mut Vec<CaseResult>) -> T) -> T {
        let mut cases: Vec<CaseResult> = self.iter().collect();
        let done = change(&mut cases);
        *self = cases.into();
        done
    }
}

/// Reads cases by their position; the blocks of those that it read last are at hand.
#[derive(Debug)]
pub struct Reader<'a> {
    cases: &'a Cases,
    unpacked: Unpacked,
}

impl Reader<'_> {
    /// The case at a position, from 0.
    pub fn get(&mut self, at: usize) -> Option<CaseResult> {
        let spot = *self.cases.spots.get(at)?;
        let mut case: CaseResult = self.unpacked.read(&self.cases.pack, spot)?;
        if let Some(Some(texts)) = self.cases.texts.get(at) {
            let texts = Arc::unwrap_or_clone(texts.read());
            (case.messages, case.reference) = (texts.messages, texts.reference);
        }
        Some(case)
    }
}

/// Cases, one at a time.
#[derive(Debug)]
pub struct Iter<'a> {
    reader: Reader<'a>,
    at: usize,
}

impl Iterator for Iter<'_> {
    type Item = CaseResult;

    fn next(&mut self) -> Option<CaseResult> {
        let case = self.reader.get(self.at)?;
        self.at += 1;
        Some(case)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.reader.cases.len() - self.at;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Cases {
    type Item = CaseResult;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl Extend<CaseResult> for Cases {
    fn extend<I: IntoIterator<Item = CaseResult>>(&mut self, cases: I) {
        cases.into_iter().for_each(|case| self.push(&case));
    }
}

impl FromIterator<CaseResult> for Cases {
    fn from_iter<I: IntoIterator<Item = CaseResult>>(cases: I) -> Cases {
        let mut packed = Cases::default();
        packed.extend(cases);
        packed
    }
}

impl From<Vec<CaseResult>> for Cases {
    fn from(cases: Vec<CaseResult>) -> Cases {
        cases.into_iter().collect()
    }
}

impl PartialEq for Cases {
    fn eq(&self, other: &Cases) -> bool {
        self.len() == other.len() && self.iter().eq(other)
    }
}

impl fmt::Debug for Cases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl Serialize for Cases {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de> Deserialize<'de> for Cases {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cases, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Cases;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                // What serde says of a `Vec`.
                f.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Cases, A::Error> {
                let mut cases = Cases::default();
                while let Some(case) = list.next_element()? {
                    cases.push(&case);
                }
                Ok(cases)
            }
        }

        deserializer.deserialize_seq(List)
    }
}

impl JsonSchema for Cases {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Vec::<CaseResult>::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<CaseResult>::json_schema(generator)
    }
}
