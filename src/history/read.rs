//! Bytes of a `history.jsonl` come in, the runs that can be read go out. The file may come from an artifact, a branch or
//! another hand: its size is bounded, and a line that this program can't have written is passed over.

use serde::Deserialize;

use super::{CASES, Entry, KEPT, LINE_BYTES, LINES, MAX_BYTES, VERSION, WITH_VERDICTS};

/// Longest id, name or fingerprint of a line, in bytes.
const WORD_BYTES: usize = 1_024;

/// Only what tells how the rest is to be read.
#[derive(Deserialize)]
struct Head {
    version: u32,
}

/// Reads lines, the oldest first. Lines that can't be read are passed over and counted: the file may come from anywhere.
///
/// Of a larger file than [`MAX_BYTES`], and of more than 10,000 lines, the end is read; what comes before it counts as
/// passed over. Of the runs the newest [`KEPT`] are returned. Where a run has two lines, the later one counts and stands
/// in the earlier one's place.
pub fn read(bytes: &[u8]) -> (Vec<Entry>, usize) {
    let limit = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX);
    let (before, tail) = bytes.split_at(bytes.len().saturating_sub(limit));
    let mut passed_over = before.iter().filter(|&&byte| byte == b'\n').count();
    let mut found: Vec<Entry> = Vec::new();
    // From the newest on, so that what is not kept is never all in memory at once.
    let lines = tail.rsplit(|&byte| byte == b'\n');
    let lines = lines.filter(|line| !line.trim_ascii().is_empty());
    for (at, line) in lines.enumerate() {
        let entry = if at < LINES { parse(line) } else { None };
        let Some(mut entry) = entry else {
            passed_over += 1;
            continue;
        };
        if let Some(later) = found.iter().position(|later| later.run == entry.run) {
            let later = found.remove(later);
            found.push(later);
        } else if found.len() < KEPT {
            if found.len() >= WITH_VERDICTS {
                entry.verdicts.clear();
            }
            found.push(entry);
        }
    }
    found.reverse();
    (found, passed_over)
}

fn parse(line: &[u8]) -> Option<Entry> {
    if line.len() > LINE_BYTES {
        return None;
    }
    // A later version may have the same fields with another meaning.
    let head: Head = serde_json::from_slice(line).ok()?;
    if head.version != VERSION {
        return None;
    }
    let mut entry: Entry = serde_json::from_slice(line).ok()?;
    if !is_sound(&entry) {
        return None;
    }
    if entry.verdicts.len() > CASES {
        entry.verdicts.clear();
    }
    entry.verdicts.retain(|_, verdict| is_verdict(verdict));
    Some(entry)
}

/// What serde can't see, and what every reader of the line relies on.
fn is_sound(entry: &Entry) -> bool {
    let share = |n: &f64| (0.0..=1.0).contains(n);
    let words = [
        Some(&entry.run),
        Some(&entry.at),
        Some(&entry.model),
        Some(&entry.judge),
        Some(&entry.suite),
        entry.commit.as_ref(),
        entry.job.as_ref(),
    ];
    !entry.run.is_empty()
        && words.iter().flatten().all(|word| word.len() <= WORD_BYTES)
        && entry.at.parse::<jiff::Timestamp>().is_ok()
        && entry.scored <= entry.cases
        && entry.mean.iter().all(share)
        && entry.interval.iter().flatten().all(share)
        && entry.pass_rate.iter().all(share)
        && entry.difference.is_none_or(|d| (-1.0..=1.0).contains(&d))
}

fn is_verdict(text: &str) -> bool {
    let basis = text.strip_prefix(['+', '-']);
    basis.is_some_and(|basis| {
        !basis.is_empty() && basis.len() <= 64 && basis.bytes().all(|b| b.is_ascii_hexdigit())
    })
}
