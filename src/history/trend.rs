//! The runs so far come in; what a trend shows of them goes out: which runs, where the judge changed, what the means run
//! between, and the flaky cases. Every renderer shows the same one.

use super::{Entry, Flaky, flaky};

/// The least that a scale spans, in tenths: what is noise should not look like a mountain.
const LEAST_TENTHS: u8 = 2;

/// The last runs of a suite, picked and counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend<'a> {
    /// The runs that are shown, the oldest first. All of them are of one kind: on the emulator, or real.
    pub runs: Vec<&'a Entry>,
    /// Runs of that kind which are older than those shown.
    pub earlier: usize,
    /// Runs of the other kind, which are left out: the two say nothing about each other.
    pub of_other_kind: usize,
    /// Where `runs` goes on with another judge than before: means on the two sides don't compare. Ascending, never 0.
    pub breaks: Vec<usize>,
    /// The first mean since the last of the `breaks`.
    pub first: Option<f64>,
    /// The newest run's mean.
    pub last: Option<f64>,
    /// Times that anything of the suite itself (cases, parameters, gates) was changed since the last of the `breaks`.
    pub suite_changes: usize,
    /// What the means lie between, 0..1, rounded outwards to tenths and at least 0.2 wide.
    pub scale: [f64; 2],
    /// Cases whose verdict flips without any change, the worst first.
    pub flaky: Vec<Flaky>,
}

impl<'a> Trend<'a> {
    /// The trend of the `last` newest runs among those of the newest one's kind; none without a run.
    pub fn of(entries: &'a [Entry], last: usize) -> Option<Trend<'a>> {
        let newest = entries.last()?;
        let alike: Vec<&Entry> = entries
            .iter()
            .filter(|entry| entry.emulator == newest.emulator)
            .collect();
        let earlier = alike.len().saturating_sub(last.max(1));
        let of_other_kind = entries.len() - alike.len();
        let runs = alike[earlier..].to_vec();
        let changes = |of: fn(&Entry) -> &str| -> Vec<usize> {
            let pairs = runs.windows(2).enumerate();
            pairs
                .filter(|(_, pair)| of(pair[0]) != of(pair[1]))
                .map(|(at, _)| at + 1)
                .collect()
        };
        let breaks = changes(|entry| &entry.judge);
        let since = breaks.last().copied().unwrap_or(0);
        let suite_changes = changes(|entry| &entry.suite)
            .iter()
            .filter(|&&at| at > since)
            .count();
        Some(Trend {
            earlier,
            of_other_kind,
            first: runs[since..].iter().find_map(|entry| entry.mean),
            last: newest.mean,
            suite_changes,
            scale: scale(runs.iter().filter_map(|entry| entry.mean)),
            flaky: flaky(entries),
            breaks,
            runs,
        })
    }

    /// The runs since the judge was last changed: those whose means compare with the newest one.
    pub fn comparable(&self) -> &[&'a Entry] {
        &self.runs[self.breaks.last().copied().unwrap_or(0)..]
    }
}

fn scale(means: impl Iterator<Item = f64>) -> [f64; 2] {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for mean in means {
        (low, high) = (low.min(mean), high.max(mean));
    }
    if low > high {
        return [0.0, 1.0];
    }
    // A mean of 0.7 on paper is within 0.7–0.9 also when it is 0.7000000000000001 or the float before it.
    let tenths = |n: f64| n.clamp(0.0, 10.0) as u8;
    let mut low = tenths((low * 10.0 + 1e-6).floor());
    let mut high = tenths((high * 10.0 - 1e-6).ceil());
    while high - low < LEAST_TENTHS {
        low = low.saturating_sub(1);
        if high - low < LEAST_TENTHS && high < 10 {
            high += 1;
        }
    }
    [f64::from(low) / 10.0, f64::from(high) / 10.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_holds_every_mean_and_is_never_too_fine() {
        let of = |means: &[f64]| scale(means.iter().copied());
        assert_eq!(of(&[]), [0.0, 1.0]);
        assert_eq!(of(&[0.5]), [0.4, 0.6]);
        assert_eq!(of(&[0.0, 0.0]), [0.0, 0.2]);
        assert_eq!(of(&[1.0]), [0.8, 1.0]);
        assert_eq!(of(&[0.82, 0.87]), [0.7, 0.9]);
        assert_eq!(of(&[0.1 + 0.2, 0.55]), [0.3, 0.6]);
        assert_eq!(of(&[0.0, 1.0]), [0.0, 1.0]);
        assert_eq!(of(&[-3.0, 7.0]), [0.0, 1.0]);
    }
}
