//! How traces are put into writes: the bytes of traces come in, runs that fit into one write go out.

use std::ops::Range;

/// How many traces one write may carry where the service takes arrays.
pub const TRACES_PER_WRITE: usize = 50;

/// Bytes of one write's body, unless a single trace is larger.
const BYTES_PER_WRITE: usize = 4_000_000;

/// A JSON list of what is JSON already.
pub(super) fn list_of(bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut list = Vec::with_capacity(bodies.iter().map(|b| b.len() + 1).sum::<usize>() + 1);
    for (i, body) in bodies.iter().enumerate() {
        list.push(if i == 0 { b'[' } else { b',' });
        list.extend_from_slice(body);
    }
    list.push(b']');
    list
}

/// Runs of traces that fit into one write.
pub(super) fn chunks(bodies: &[Vec<u8>]) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (i, body) in bodies.iter().enumerate() {
        if i > start && (i - start == TRACES_PER_WRITE || bytes + body.len() > BYTES_PER_WRITE) {
            chunks.push(start..i);
            (start, bytes) = (i, 0);
        }
        bytes += body.len() + 1;
    }
    if start < bodies.len() {
        chunks.push(start..bodies.len());
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_bounded_in_number_and_size() {
        let lengths = |bodies: &[usize]| {
            let bodies: Vec<Vec<u8>> = bodies.iter().map(|n| vec![b'x'; *n]).collect();
            chunks(&bodies).into_iter().map(|r| r.len()).collect::<Vec<_>>()
        };
        assert_eq!(lengths(&[]), [0; 0]);
        assert_eq!(lengths(&[10; 50]), [50]);
        assert_eq!(lengths(&[10; 101]), [50, 50, 1]);
        assert_eq!(lengths(&[1_500_000, 1_500_000, 1_500_000]), [2, 1]);
        assert_eq!(lengths(&[10, 9_000_000, 10]), [1, 1, 1]);
    }

    #[test]
    fn a_list_is_json() {
        let list = list_of(&[b"{\"a\":1}".to_vec(), b"2".to_vec()]);
        assert_eq!(list, b"[{\"a\":1},2]");
        assert_eq!(list_of(&[b"1".to_vec()]), b"[1]");
    }
}
