//! The runs so far and one more come in, the runs that are kept go out; they come in, the text of `history.jsonl` goes
//! out.

use std::collections::BTreeMap;

use super::{Entry, KEPT, WITH_VERDICTS, WRITTEN_BYTES};

/// Adds a run behind those that are there, in the place of an earlier line of the same run, and lets the oldest go:
/// [`KEPT`] runs stay, and the verdicts of the newest thirty.
pub fn append(earlier: Vec<Entry>, entry: Entry) -> Vec<Entry> {
    let mut entries = earlier;
    match entries.iter_mut().rfind(|there| there.run == entry.run) {
        Some(there) => *there = entry,
        None => entries.push(entry),
    }
    entries.drain(..entries.len().saturating_sub(KEPT));
    let older = entries.len().saturating_sub(WITH_VERDICTS);
    for entry in entries.iter_mut().take(older) {
        entry.verdicts = BTreeMap::new();
    }
    entries
}

/// The text of `history.jsonl`: a line per run, the oldest first, of at most 1,000,000 bytes. Where that is too little,
/// verdicts are left out, the oldest run's first; where it is too little for the runs without them, the oldest runs.
pub fn write(entries: &[Entry]) -> String {
    write_within(entries, WRITTEN_BYTES)
}

fn write_within(entries: &[Entry], bytes: usize) -> String {
    let mut room = bytes;
    let mut lines: Vec<String> = Vec::with_capacity(entries.len());
    for entry in entries.iter().rev() {
        let bare = Entry {
            verdicts: BTreeMap::new(),
            ..entry.clone()
        };
        let Some(line) = line(&bare).filter(|line| line.len() <= room) else {
            break;
        };
        room -= line.len();
        lines.push(line);
    }
    for (entry, bare) in entries.iter().rev().zip(&mut lines).take(WITH_VERDICTS) {
        let Some(line) = line(entry).filter(|line| line.len() - bare.len() <= room) else {
            break;
        };
        room -= line.len() - bare.len();
        *bare = line;
    }
    lines.reverse();
    lines.concat()
}

/// A line with its end. None only for what JSON can't say, and an [`Entry`] holds nothing of the kind.
fn line(entry: &Entry) -> Option<String> {
    serde_json::to_string(entry).ok().map(|line| line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::read;
    use crate::history::tests::run;

    #[test]
    fn what_is_too_large_loses_its_oldest_verdicts_first_and_runs_last() {
        let entries: Vec<Entry> = (0..3).map(|n| run(n, &[("a", "+00"), ("b", "-00")])).collect();
        let whole = write_within(&entries, 10_000);
        assert_eq!(read(whole.as_bytes()), (entries.clone(), 0));
        let bare = write_within(&(0..3).map(|n| run(n, &[])).collect::<Vec<_>>(), 10_000);
        let left = |bytes| -> Vec<usize> {
            let text = write_within(&entries, bytes);
            let (kept, passed_over) = read(text.as_bytes());
            assert!(text.len() <= bytes && passed_over == 0);
            kept.iter().map(|entry| entry.verdicts.len()).collect()
        };
        assert_eq!(left(whole.len()), [2, 2, 2]);
        assert_eq!(left(whole.len() - 1), [0, 2, 2]);
        assert_eq!(left(bare.len()), [0, 0, 0]);
        // Where a run has to go, there is room for the others' verdicts again.
        assert_eq!(left(bare.len() - 1), [2, 2]);
        assert_eq!(left(10), [0; 0]);
    }
}
