//! Any bytes come in, as a journal; what its reader promises is held against what it does. For the tests and for
//! fuzzing: nothing goes out, a broken promise panics.

use std::io::BufReader;

use super::read::{Bad, Reading, Words, read_from, read_with};

/// They are read, or refused at a line that is there; what counts reads the same alone, takes a further line, and leaves
/// no more than one line out.
pub(crate) fn of_a_journal(bytes: &[u8]) {
    let reading = match read_from(bytes) {
        Ok(reading) => reading,
        Err(bad) => return is_told(&bad, bytes),
    };
    let (counted, torn) = bytes.split_at(usize::try_from(reading.bytes).unwrap_or(usize::MAX));
    assert_eq!(reading.history.is_none(), counted.is_empty());
    assert_eq!(
        reading.unfinished,
        !counted.is_empty() && !counted.ends_with(b"\n")
    );
    assert!(torn.is_empty() || !reading.unfinished);
    assert!(!torn.strip_suffix(b"\n").unwrap_or(torn).contains(&b'\n'));
    // However the bytes come, a few at a time too.
    same(
        &reading,
        read_from(BufReader::with_capacity(7, bytes)),
        reading.bytes,
    );
    same(&reading, read_from(counted), reading.bytes);
    is_skimmed(&reading, bytes);

    let Some(history) = &reading.history else {
        return;
    };
    assert!(history.wrote() || history.doubts() == 0);
    let mut further = counted.to_vec();
    if reading.unfinished {
        further.push(b'\n');
    }
    further.extend(br#"{"at":"2026-11-22T03:04:05Z","fact":{"resumed":{"tool":"1"}}}"#);
    let taken_up = read_from(&*further);
    let taken_up = taken_up.ok().and_then(|reading| reading.history);
    assert_eq!(
        taken_up.map(|taken_up| taken_up.resumed),
        Some(history.resumed + 1)
    );
}

/// Without the words it is the same, but for them.
fn is_skimmed(reading: &Reading, bytes: &[u8]) {
    let skimmed = read_with(bytes, Words::PassedOver).ok();
    let told = |reading: &Reading| (reading.bytes, reading.unfinished);
    assert_eq!(skimmed.as_ref().map(told), Some(told(reading)));
    let skimmed = skimmed.and_then(|skimmed| skimmed.history);
    assert_eq!(skimmed.is_some(), reading.history.is_some());
    if let (Some(mut skimmed), Some(history)) = (skimmed, reading.history.clone()) {
        assert!(skimmed.samples.keys().eq(history.samples.keys()));
        skimmed.samples = history.samples.clone();
        assert_eq!(skimmed, history);
    }
}

fn same(reading: &Reading, again: Result<Reading, Bad>, bytes: u64) {
    let again = again.ok();
    assert_eq!(again.as_ref().map(|again| &again.history), Some(&reading.history));
    assert_eq!(again.map(|again| again.bytes), Some(bytes));
}

/// At a line that is there, in a text that is bounded and moves no cursor.
fn is_told(bad: &Bad, bytes: &[u8]) {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').count() as u64;
    assert!(
        matches!(bad, Bad::Line { .. }),
        "bytes in memory can be read: {bad:?}"
    );
    if let Bad::Line { number, cause } = bad {
        assert!((1..=lines).contains(number), "{bad:?}");
        assert!(!cause.is_empty() && cause.chars().count() <= 400, "{cause:?}");
        assert!(!cause.contains(char::is_control), "{cause:?}");
    }
}
