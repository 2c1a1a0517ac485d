//! What the cases of a suite ask comes in case by case, and goes out the same; of a large suite it is held packed.
//!
//! A run needs the texts of a case while its calls are in flight, and again when its result is written. In between
//! those of many cases together are one compressed block. A suite that is smaller than a block is held as it is.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use super::{Message, Role};

/// Texts are packed when there are so many bytes of them: what is unpacked for one case, in some 20 microseconds. Twice
/// as many would save a twentieth of the room.
const BLOCK_BYTES: usize = 32 * 1024;
/// Blocks that are at hand as they are: those of the cases whose calls are in flight, which follow one another.
const UNPACKED: usize = 8;

/// What a case asks, and what its answer is compared with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wording {
    /// What the model is asked, the system message first where there is one.
    pub messages: Vec<Message>,
    /// What the judge compares the answer with.
    pub reference: Option<String>,
}

/// The texts of a case. A copy of it shares them.
#[derive(Clone)]
pub struct Texts(Held);

#[derive(Clone)]
enum Held {
    Plain(Arc<Wording>),
    Packed {
        block: Arc<Block>,
        /// Where the case is in it.
        offset: u32,
    },
}

/// Texts of many cases, a JSON text each.
struct Block {
    number: u32,
    /// Compressed, behind its size.
    packed: Box<[u8]>,
    /// The system message that the cases of the block share: many suites have one for all of them.
    system: Option<Arc<str>>,
    unpacked: Arc<Unpacked>,
}

/// Blocks that were read last, by their number, the last one in front.
#[derive(Default)]
struct Unpacked(Mutex<Vec<(u32, Arc<[u8]>)>>);

/// How a case stands in a block: whether it begins with the block's system message, its other messages, its reference.
#[derive(Deserialize)]
struct Stored(bool, Vec<Message>, Option<String>);

impl Wording {
    /// See [`input_of`](super::input_of).
    pub fn input(&self) -> String {
        super::input_of(&self.messages)
    }

    fn bytes(&self) -> usize {
        let messages = self.messages.iter().map(|message| message.content.len());
        messages.sum::<usize>() + self.reference.as_ref().map_or(0, String::len)
    }

    fn system(&self) -> Option<&Arc<str>> {
        let first = self.messages.first()?;
        (first.role == Role::System).then_some(&first.content)
    }
}

impl Texts {
    /// The texts themselves. To be held no longer than they are needed.
    pub fn read(&self) -> Arc<Wording> {
        match &self.0 {
            Held::Plain(wording) => Arc::clone(wording),
            Held::Packed { block, offset } => Arc::new(block.wording(*offset)),
        }
    }

    /// Changes the texts where a test wants others.
    #[cfg(test)]
    pub(crate) fn edit<T>(&mut self, change: impl FnOnce(&mut Wording) -> T) -> T {
        let mut wording = (*self.read()).clone();
        let done = change(&mut wording);
        *self = wording.into();
        done
    }

    #[cfg(test)]
    fn is_packed(&self) -> bool {
        matches!(self.0, Held::Packed { .. })
    }
}

impl From<Wording> for Texts {
    fn from(wording: Wording) -> Texts {
        Texts(Held::Plain(Arc::new(wording)))
    }
}

impl PartialEq for Texts {
    fn eq(&self, other: &Texts) -> bool {
        self.read() == other.read()
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
}

impl Block {
    fn wording(&self, offset: u32) -> Wording {
        let block = self.unpacked.read(self);
        let text = usize::try_from(offset).ok().and_then(|from| block.get(from..));
        // Other cases stand behind it.
        let stored = Stored::deserialize(&mut serde_json::Deserializer::from_slice(
            text.unwrap_or_default(),
        ));
        // What was packed can be unpacked: nothing but this module has a hand on it.
        debug_assert!(stored.is_ok(), "{:?}", stored.err());
        let Ok(Stored(has_system, rest, reference)) = stored else {
            return Wording::default();
        };
        let system = self.system.iter().filter(|_| has_system).map(|text| Message {
            role: Role::System,
            content: Arc::clone(text),
        });
        Wording {
            messages: system.chain(rest).collect(),
            reference,
        }
    }
}

impl Unpacked {
    fn read(&self, block: &Block) -> Arc<[u8]> {
        let mut blocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = blocks.iter().position(|(number, _)| *number == block.number) {
            blocks[..=place].rotate_right(1);
        } else {
            blocks.truncate(UNPACKED - 1);
            let unpacked = lz4_flex::decompress_size_prepended(&block.packed);
            debug_assert!(unpacked.is_ok(), "{unpacked:?}");
            blocks.insert(0, (block.number, unpacked.unwrap_or_default().into()));
        }
        blocks
            .first()
            .map(|(_, block)| Arc::clone(block))
            .unwrap_or_default()
    }
}

/// Packs the texts of cases that come one after the other.
#[derive(Default)]
pub(super) struct Packer {
    /// Bytes of the texts that wait for their block to be full.
    bytes: usize,
    /// So many cases have them.
    waiting: usize,
    blocks: u32,
    unpacked: Arc<Unpacked>,
}

impl Packer {
    /// Takes note of the texts that stand last; packs all that wait when they fill a block. `all`: those of every case so
    /// far, in their order.
    pub(super) fn added<'t>(&mut self, all: impl DoubleEndedIterator<Item = &'t mut Texts>) {
        let mut last = all.rev().take(self.waiting + 1).peekable();
        if let Some(Texts(Held::Plain(wording))) = last.peek() {
            self.bytes += wording.bytes();
        }
        self.waiting += 1;
        if self.bytes >= BLOCK_BYTES {
            self.pack(&mut last.collect::<Vec<_>>());
            (self.bytes, self.waiting) = (0, 0);
        }
    }

    fn pack(&mut self, texts: &mut [&mut Texts]) {
        let wordings: Vec<Arc<Wording>> = texts.iter().rev().map(|texts| texts.read()).collect();
        let system = wordings.iter().find_map(|wording| wording.system()).cloned();
        let mut json = Vec::with_capacity(self.bytes * 2);
        let mut offsets = Vec::with_capacity(wordings.len());
        for wording in &wordings {
            offsets.push(u32::try_from(json.len()).unwrap_or(u32::MAX));
            let shares = |(own, of_block): (&Arc<str>, &Arc<str>)| Arc::ptr_eq(own, of_block);
            let has_system = wording.system().zip(system.as_ref()).is_some_and(shares);
            let rest = wording.messages.get(usize::from(has_system)..);
            // Texts always have a JSON, and memory takes it.
            let written = serde_json::to_writer(&mut json, &(has_system, rest, &wording.reference));
            debug_assert!(written.is_ok(), "{written:?}");
        }
        let block = Arc::new(Block {
            number: self.blocks,
            packed: lz4_flex::compress_prepend_size(&json).into(),
            system,
            unpacked: Arc::clone(&self.unpacked),
        });
        self.blocks += 1;
        for (texts, offset) in texts.iter_mut().rev().zip(offsets) {
            let block = Arc::clone(&block);
            texts.0 = Held::Packed { block, offset };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(role: Role, content: impl Into<Arc<str>>) -> Message {
        let content = content.into();
        Message { role, content }
    }

    /// Texts of about 100 bytes, and every third with the shared system message, every third with one of its own.
    fn wording(at: usize, shared: &Arc<str>) -> Wording {
        let system = match at % 3 {
            0 => Some(Arc::clone(shared)),
            1 => Some(format!("own {at}").into()),
            _ => None,
        };
        let question = said(Role::User, format!("\"é\\ \u{0}\u{2028}\n{at} ").repeat(5));
        Wording {
            messages: system
                .map(|text| said(Role::System, text))
                .into_iter()
                .chain([question])
                .collect(),
            reference: at.is_multiple_of(2).then(|| format!("reference {at}")),
        }
    }

    fn packed(plain: &[Wording]) -> Vec<Texts> {
        let (mut all, mut packer) = (Vec::new(), Packer::default());
        for wording in plain {
            all.push(Texts::from(wording.clone()));
            packer.added(all.iter_mut());
        }
        all
    }

    #[test]
    fn what_goes_in_comes_out_in_whatever_order() {
        let shared = Arc::from("be terse ".repeat(100));
        let plain: Vec<Wording> = (0..5_000).map(|at| wording(at, &shared)).collect();
        let all = packed(&plain);
        let waiting = all.iter().filter(|texts| !texts.is_packed()).count();
        assert!((1..600).contains(&waiting), "{waiting}");
        assert!(all[..5_000 - waiting].iter().all(Texts::is_packed));
        for at in (0..5_000)
            .chain((0..5_000).rev())
            .chain((0..5_000).map(|at| at * 1_999 % 5_000))
        {
            assert_eq!(*all[at].read(), plain[at], "{at}");
        }
        // What cases share they share once they are unpacked.
        assert!(Arc::ptr_eq(&all[3].read().messages[0].content, &shared));
        assert!(all[0] == all[0].clone() && all[0] != all[1]);
        assert_eq!(format!("{:?}", all[7]), format!("{:?}", plain[7]));
    }

    #[test]
    fn they_take_less_room_than_they_have_bytes() {
        let plain: Vec<Wording> = (0..5_000).map(|at| wording(at, &Arc::from(""))).collect();
        let (mut seen, mut bytes) = (u32::MAX, 0);
        for texts in packed(&plain) {
            if let Held::Packed { block, .. } = texts.0
                && block.number != seen
            {
                (seen, bytes) = (block.number, bytes + block.packed.len());
            }
        }
        let all: usize = plain.iter().map(Wording::bytes).sum();
        assert!(seen > 10 && bytes * 2 < all, "{bytes} of {all} in {seen}");
        assert_eq!(size_of::<Option<Texts>>(), 16);
    }

    #[test]
    fn a_small_suite_stays_as_it_is_and_a_large_text_is_a_block_of_its_own() {
        let of = |content: String| Wording {
            messages: vec![said(Role::User, content)],
            reference: None,
        };
        let small = vec![of("a".to_owned()), of("b".to_owned())];
        assert!(packed(&small).iter().all(|texts| !texts.is_packed()));
        let plain = vec![
            of("a".to_owned()),
            of("b".repeat(BLOCK_BYTES * 3)),
            of("c".to_owned()),
        ];
        let mut all = packed(&plain);
        assert_eq!(
            all.iter().map(Texts::is_packed).collect::<Vec<_>>(),
            [true, true, false]
        );
        assert!(
            all.iter()
                .zip(&plain)
                .all(|(texts, wording)| *texts.read() == *wording)
        );
        all[0].edit(|wording| wording.reference = Some("r".to_owned()));
        assert_eq!(all[0].read().reference.as_deref(), Some("r"));
        assert_eq!(*all[1].read(), plain[1]);
    }

    #[test]
    fn many_may_read_at_once() {
        let plain: Vec<Wording> = (0..3_000).map(|at| wording(at, &Arc::from("s"))).collect();
        let all = packed(&plain);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (all, plain) = (&all, &plain);
                scope.spawn(move || {
                    for at in (0..3_000).map(|at| (at * 7 + thread * 701) % 3_000) {
                        assert_eq!(*all[at].read(), plain[at]);
                    }
                });
            }
        });
    }
}
