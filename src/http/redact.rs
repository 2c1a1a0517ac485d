//! Keeps the key out of everything: foreign bytes or a foreign text come in, the same without the key goes
//! out. A reply passes through here before anything reads it.
//!
//! The key is found plain, in base64 and in base64url, alone or within a longer encoded text; and each of
//! these in any mix of JSON escapes, percent-encoding and character references, nested [`LEVELS`] deep,
//! and with characters in between that nobody sees.

use std::ops::Range;

use secrecy::{ExposeSecret, SecretString};

use escapes::{LEVELS, is_escape, may_be_skipped, unit};

mod escapes;

/// What stands where the key stood. It means the same in a JSON text as everywhere else.
const MARK: &str = "[key]";
/// A key shorter than this is no secret, and masking it would only garble texts.
const SHORTEST: usize = 6;
/// An encoded piece shorter than this could be part of any word.
const SHORTEST_PIECE: usize = 8;
/// Readings of one place that are followed side by side. More than two need a key that looks like an escape.
const READINGS: usize = 8;
/// Unseen characters between two of a form.
const MOST_SKIPPED: usize = 16;

/// Knows the forms in which a key may come back.
pub(super) struct Redactor {
    /// Longest first, so that no form is masked in part.
    forms: Vec<SecretString>,
    /// Whether a form begins with this byte, or an escape does that may stand for such a beginning.
    begins: [bool; 256],
    /// Whether a form itself begins with what looks like an escape.
    escapes: bool,
}

impl Redactor {
    pub(super) fn new(key: &SecretString) -> Redactor {
        let key = key.expose_secret().trim();
        let mut forms: Vec<String> = Vec::new();
        // A key of other characters is in no request: no header carries it.
        if key.len() >= SHORTEST && key.bytes().all(|b| b.is_ascii_graphic()) {
            forms.push(key.to_owned());
            forms.extend(base64_forms(key));
        }
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        let mut begins = [false; 256];
        for first in forms.iter().filter_map(|form| form.bytes().next()) {
            begins[usize::from(first)] = true;
            for escape in [b'\\', b'%', b'&'] {
                begins[usize::from(escape)] = true;
            }
        }
        let escapes = forms
            .iter()
            .any(|form| form.bytes().next().is_some_and(is_escape));
        Redactor {
            escapes,
            forms: forms.into_iter().map(SecretString::from).collect(),
            begins,
        }
    }

    /// A text for a person without the key.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut kept = 0;
        // What is found begins and ends at whole characters.
        for found in self.finds(text.as_bytes(), Reading::Shown) {
            out.push_str(text.get(kept..found.start).unwrap_or_default());
            out.push_str(MARK);
            kept = found.end;
        }
        out.push_str(text.get(kept..).unwrap_or_default());
        out
    }

    /// A body without the key: the same bytes where it is not there. JSON stays JSON.
    pub(super) fn mask(&self, body: Vec<u8>) -> Vec<u8> {
        let mut out = Vec::new();
        let mut kept = 0;
        for found in self.finds(&body, Reading::Parsed) {
            out.extend_from_slice(&body[kept..found.start]);
            out.extend_from_slice(MARK.as_bytes());
            kept = found.end;
        }
        if kept == 0 {
            return body;
        }
        out.extend_from_slice(&body[kept..]);
        out
    }

    /// Whether the key is in these bytes.
    pub(super) fn knows(&self, bytes: &[u8]) -> bool {
        self.finds(bytes, Reading::Shown).next().is_some()
    }

    /// Where the key stands, from the front.
    fn finds<'a>(&'a self, bytes: &'a [u8], reading: Reading) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut at = 0;
        std::iter::from_fn(move || {
            while at < bytes.len() {
                // Most bytes begin nothing.
                at += bytes[at..].iter().position(|b| self.begins[usize::from(*b)])?;
                if let Some(end) = self.found_at(bytes, at) {
                    let start = std::mem::replace(&mut at, end);
                    return Some(start..end);
                }
                at += match reading {
                    Reading::Shown => 1,
                    // A mark behind half an escape would be no JSON any more.
                    Reading::Parsed if bytes[at] == b'\\' => unit(bytes, at, 1).map_or(1, |u| u.end - at),
                    Reading::Parsed => 1,
                };
            }
            None
        })
    }

    /// Where the longest form ends that begins here.
    fn found_at(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let begins = |level| {
            let first = unit(bytes, at, level).and_then(|u| u8::try_from(u.code).ok());
            first.is_some_and(|b| self.begins[usize::from(b)] && !is_escape(b))
        };
        // Escapes are many, and most stand for nothing that a form begins with.
        if is_escape(bytes[at]) && !self.escapes && !(1..=LEVELS).any(begins) {
            return None;
        }
        let ends = self.forms.iter().filter_map(|form| {
            let form = form.expose_secret().as_bytes();
            end_of(form, bytes, at)
        });
        ends.max()
    }
}

/// How bytes are read afterwards.
#[derive(Clone, Copy)]
enum Reading {
    /// As they are.
    Shown,
    /// By a JSON parser, perhaps.
    Parsed,
}

/// Where the form ends that begins at `start`, in whatever mix of escapes.
fn end_of(form: &[u8], bytes: &[u8], start: usize) -> Option<usize> {
    // As it is, up to the first character that may stand for another.
    let plain = form.iter().zip(&bytes[start..]);
    let same = plain.take_while(|(a, b)| a == b && !is_escape(**b)).count();
    if same == form.len() {
        return Some(start + same);
    }
    let next = *bytes.get(start + same)?;
    // Nothing is skipped in front of the first character.
    if !is_escape(next) && (same == 0 || !may_be_skipped_byte(next)) {
        return None;
    }
    let mut readings = Readings::at(start + same);
    for (i, wanted) in form.iter().enumerate().skip(same) {
        let mut after = Readings::default();
        for at in readings.all() {
            follow(bytes, at, u32::from(*wanted), i > 0, &mut after);
        }
        if after.count == 0 {
            return None;
        }
        readings = after;
    }
    readings.all().max()
}

/// All places where a reading of `wanted` at `at` ends, at every level.
fn follow(bytes: &[u8], at: usize, wanted: u32, skips: bool, after: &mut Readings) {
    for level in 0..=LEVELS {
        let mut from = at;
        for _ in 0..=if skips { MOST_SKIPPED } else { 0 } {
            let Some(unit) = unit(bytes, from, level) else {
                break;
            };
            if unit.code == wanted {
                after.add(unit.end);
                break;
            }
            if !may_be_skipped(unit.code) {
                break;
            }
            from = unit.end;
        }
        // Nothing to decode: every level says the same.
        if bytes
            .get(at)
            .is_none_or(|b| !is_escape(*b) && !may_be_skipped_byte(*b))
        {
            break;
        }
    }
}

/// Whether a character that nobody sees may begin with this byte.
fn may_be_skipped_byte(byte: u8) -> bool {
    !(0x20..0x7f).contains(&byte)
}

/// A few places, each once.
#[derive(Default)]
struct Readings {
    ends: [usize; READINGS],
    count: usize,
}

impl Readings {
    fn at(end: usize) -> Readings {
        let mut readings = Readings::default();
        readings.add(end);
        readings
    }

    fn all(&self) -> impl Iterator<Item = usize> + '_ {
        self.ends.iter().take(self.count).copied()
    }

    fn add(&mut self, end: usize) {
        if self.count < READINGS && self.all().all(|e| e != end) {
            self.ends[self.count] = end;
            self.count += 1;
        }
    }
}

/// The key in base64, alone and as part of a longer text (`Bearer key`, `user:key`): of each of the
/// three ways it can lie in groups of three bytes, the characters that depend on it alone.
fn base64_forms(key: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for lead in 0..3_usize {
        let mut bytes = vec![0_u8; lead];
        bytes.extend_from_slice(key.as_bytes());
        let whole_characters = bytes.len() * 8 / 6;
        let first = (lead * 8).div_ceil(6);
        for alphabet in [STANDARD, URL_SAFE] {
            let text: String = base64(&bytes, alphabet)
                .chars()
                .take(whole_characters)
                .skip(first)
                .collect();
            if text.len() >= SHORTEST_PIECE {
                forms.push(text);
            }
        }
    }
    forms
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// RFC 4648, without padding.
fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let word = group
            .iter()
            .enumerate()
            .fold(0_u32, |w, (i, b)| w | u32::from(*b) << (16 - 8 * i));
        for i in 0..=group.len() {
            let six = (word >> (18 - 6 * i)) & 0x3f;
            text.push(char::from(alphabet[six as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests;
