//! Cases → compressed blocks of JSON texts, and back: where a case is says its spot.

use serde::de::DeserializeOwned;

use crate::results::CaseResult;

/// A block is closed at this size: what LZ4 looks back at, and so where a larger one would gain nothing.
const BLOCK_BYTES: usize = 64 * 1024;
/// Blocks that are held unpacked while cases are read. Cases lie in the order in which they were completed, which is
/// about that of the suite: at the seam of two blocks they come from either.
const UNPACKED: usize = 4;

/// Cases, packed.
#[derive(Clone, Default)]
pub(super) struct Pack {
    /// Compressed, each behind its size.
    blocks: Vec<Box<[u8]>>,
    /// The last block, as it is.
    open: Vec<u8>,
}

/// Where a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    block: u32,
    /// From the block's beginning.
    offset: u32,
}

impl Spot {
    /// Of no case.
    pub(super) const NONE: Spot = Spot {
        block: u32::MAX,
        offset: u32::MAX,
    };
}

impl Pack {
    pub(super) fn add(&mut self, case: &CaseResult) -> Spot {
        if self.open.len() >= BLOCK_BYTES {
            self.close();
        }
        // Neither is anywhere near: a block ends with the first case that goes beyond its size.
        let spot = Spot {
            block: u32::try_from(self.blocks.len()).unwrap_or(u32::MAX),
            offset: u32::try_from(self.open.len()).unwrap_or(u32::MAX),
        };
        // Plain data of texts and numbers always has a JSON text, and memory takes it.
        let written = match case.weight.is_finite() && case.pass_score.is_finite() {
            true => serde_json::to_writer(&mut self.open, case),
            false => serde_json::to_writer(&mut self.open, &with_numbers(case)),
        };
        debug_assert!(written.is_ok(), "{written:?}");
        spot
    }

    fn close(&mut self) {
        let block = lz4_flex::compress_prepend_size(&self.open);
        self.blocks.push(block.into_boxed_slice());
        self.open.clear();
    }

    /// Gives back the room of the last block that it does not need.
    pub(super) fn trim(&mut self) {
        self.open.shrink_to_fit();
        self.blocks.shrink_to_fit();
    }
}

/// JSON has no text for what is no number, and what was written has to be read again.
fn with_numbers(case: &CaseResult) -> CaseResult {
    let number = |n: f64| if n.is_finite() { n } else { 0.0 };
    CaseResult {
        weight: number(case.weight),
        pass_score: number(case.pass_score),
        ..case.clone()
    }
}

/// The blocks that were read last.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    /// The last one read in front.
    blocks: Vec<(u32, Vec<u8>)>,
}

impl Unpacked {
    /// None: there is no such case, or `T` is no part of one.
    pub(super) fn read<T: DeserializeOwned>(&mut self, pack: &Pack, spot: Spot) -> Option<T> {
        let block = self.block(pack, spot.block)?;
        let text = block.get(usize::try_from(spot.offset).ok()?..)?;
        // Other cases stand behind it.
        let case = T::deserialize(&mut serde_json::Deserializer::from_slice(text));
        debug_assert!(case.is_ok(), "{:?}", case.err());
        case.ok()
    }

    fn block<'a>(&'a mut self, pack: &'a Pack, at: u32) -> Option<&'a [u8]> {
        let Some(packed) = pack.blocks.get(usize::try_from(at).ok()?) else {
            return Some(&pack.open);
        };
        match self.blocks.iter().position(|(there, _)| *there == at) {
            Some(0) => {}
            Some(place) => self.blocks[..=place].rotate_right(1),
            None => {
                self.blocks.truncate(UNPACKED - 1);
                let block = lz4_flex::decompress_size_prepended(packed);
                debug_assert!(block.is_ok(), "{block:?}");
                self.blocks.insert(0, (at, block.ok()?));
            }
        }
        self.blocks.first().map(|(_, block)| block.as_slice())
    }
}

#[cfg(test)]
impl Pack {
    pub(super) fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.len()).sum::<usize>() + self.open.len()
    }
}
