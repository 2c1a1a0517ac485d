//! Counts and shares → bars of block characters.

const EIGHTHS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
const LEVELS: [char; 9] = ['▁', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A bar from left to right: `n` of `of` parts of `width` cells, without padding. Something is always
/// drawn for more than nothing.
pub(super) fn bar(n: u32, of: u32, width: u32) -> String {
    if n == 0 || of == 0 {
        return String::new();
    }
    let eighths = (u64::from(n.min(of)) * u64::from(width) * 8)
        .div_ceil(u64::from(of))
        .max(1);
    let mut out: String = (0..eighths / 8).map(|_| '█').collect();
    if !eighths.is_multiple_of(8) {
        out.extend(EIGHTHS.get((eighths % 8) as usize));
    }
    out
}

/// One character a count, as high as its part of the largest.
pub(super) fn sparkline(counts: &[u32]) -> String {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    counts
        .iter()
        .map(|&n| {
            let level = (u64::from(n) * 8).div_ceil(u64::from(most)) as usize;
            // A gap, not the lowest block, where nothing is.
            if n == 0 {
                '·'
            } else {
                LEVELS.get(level).copied().unwrap_or('█')
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_show_something_for_anything_and_nothing_for_nothing() {
        assert_eq!(bar(0, 10, 8), "");
        assert_eq!(bar(1, 1_000_000, 8), "▏");
        assert_eq!(bar(5, 10, 8), "████");
        assert_eq!(bar(10, 10, 8), "████████");
        assert_eq!(bar(3, 0, 8), "");
        assert_eq!(bar(u32::MAX, u32::MAX, 4), "████");
    }

    #[test]
    fn sparklines_have_a_character_a_count() {
        assert_eq!(sparkline(&[0, 1, 4, 8]), "·▁▄█");
        assert_eq!(sparkline(&[0, 0]), "··");
        assert_eq!(sparkline(&[u32::MAX, 1]), "█▁");
    }
}
