//! Everything that shapes a reply comes in, part by part; the name under which the reply is kept goes out. Pure.

use std::fmt;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Begins every hash: another layout of the parts, or another reading of replies, must not meet what was kept before.
const VERSION: &str = "tunegate replies 1";

/// SHA-256 over what shapes a reply.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::eval) struct Key(pub(super) [u8; 32]);

impl Key {
    /// As it stands in a file: 64 hex digits.
    pub(super) fn hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// Reads 64 hex digits.
    pub(super) fn read(hex: &[u8]) -> Option<Key> {
        let mut key = [0; 32];
        if hex.len() != 2 * key.len() {
            return None;
        }
        HEXLOWER.decode_mut(hex, &mut key).ok()?;
        Some(Key(key))
    }

    /// Enough of it for a list in memory: what is found by it is compared with the whole key.
    pub(super) fn short(&self) -> u128 {
        let mut short = [0; 16];
        short.copy_from_slice(&self.0[..16]);
        u128::from_be_bytes(short)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

/// Collects the parts. Each stands behind its kind and length, so that no two lists of parts are one text.
#[derive(Debug, Clone)]
pub(in crate::eval) struct Parts(Sha256);

impl Parts {
    /// `kind`: of replies that could be taken for one another none of another kind is ever found.
    pub(in crate::eval) fn of(kind: &str) -> Parts {
        Parts(Sha256::new()).text(VERSION).text(kind)
    }

    /// A text.
    pub(in crate::eval) fn text(mut self, text: &str) -> Parts {
        self.0.update([b't']);
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
        self
    }

    /// A text that may be missing; an empty one is not a missing one.
    pub(in crate::eval) fn option(self, text: Option<&str>) -> Parts {
        match text {
            Some(text) => self.text(text),
            None => self.none(),
        }
    }

    /// A number that may be missing, bit by bit.
    pub(in crate::eval) fn real(mut self, number: Option<f64>) -> Parts {
        let Some(number) = number else {
            return self.none();
        };
        self.0.update([b'r']);
        self.0.update(number.to_bits().to_be_bytes());
        self
    }

    /// A whole number that may be missing.
    pub(in crate::eval) fn whole(mut self, number: Option<i128>) -> Parts {
        let Some(number) = number else {
            return self.none();
        };
        self.0.update([b'w']);
        self.0.update(number.to_be_bytes());
        self
    }

    fn none(mut self) -> Parts {
        self.0.update([b'n']);
        self
    }

    pub(in crate::eval) fn key(self) -> Key {
        Key(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_can_not_be_shifted_into_one_another() {
        let keys = [
            Parts::of("a").text("bc").key(),
            Parts::of("a").text("b").text("c").key(),
            Parts::of("ab").text("c").key(),
            Parts::of("a").option(Some("bc")).text("").key(),
            Parts::of("a").option(None).text("bc").key(),
            Parts::of("a").whole(Some(1)).key(),
            Parts::of("a").real(Some(1.0)).key(),
            Parts::of("a").real(Some(-0.0)).key(),
            Parts::of("a").real(Some(0.0)).key(),
            Parts::of("a").whole(None).key(),
            Parts::of("a").text("").key(),
            Parts::of("a").key(),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key), "{at}");
        }
        assert_eq!(
            Parts::of("a").option(Some("b")).key(),
            Parts::of("a").text("b").key()
        );
    }

    #[test]
    fn a_key_is_the_same_on_every_machine_and_in_every_build() {
        let key = Parts::of("answer")
            .text("x")
            .option(None)
            .real(Some(0.5))
            .whole(Some(-1))
            .key();
        assert_eq!(
            key.hex(),
            "8314ac9f4f0d10a0ea15043f179777920da164fec03812fa90160a430fe03230"
        );
        assert_eq!(Key::read(key.hex().as_bytes()), Some(key));
    }

    #[test]
    fn only_64_small_hex_digits_are_a_key() {
        let hex = "0123456789abcdef".repeat(4);
        assert_eq!(Key::read(hex.as_bytes()).unwrap().hex(), hex);
        assert_eq!(Key::read(hex.to_uppercase().as_bytes()), None);
        assert_eq!(Key::read(&hex.as_bytes()[1..]), None);
        assert_eq!(Key::read("g".repeat(64).as_bytes()), None);
    }
}
