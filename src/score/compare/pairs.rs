//! Results with a baseline in them in, the pairs of cases that compare out, and tests of their differences.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::results::{Baseline, BaselineCase, Results};
use crate::score::random::Random;
use crate::score::{Figures, Selector};

use super::bootstrap::RESAMPLES;
use super::changes::{Match, matches};
use super::difference::{Analysis, LARGE, Pair, Resampling, SMALL, mean_difference, why_no_error};
use super::drift::{drift, unjudged, why};
use super::order_statistic::quantile_difference;
use super::{Drift, DropMetric, DropTest, JudgeChange, PairCounts};

/// Cases that are resampled for the gates of one run, added up over their sets, and as many again for everything else
/// that is said. A set that would go beyond has the bounds of Student's t, with which the bootstrap agrees at such sizes.
const MOST_RESAMPLED: usize = 10_000;

/// Cases that are drawn for one quantile's difference, over all of its resamples: nothing but resampling gives it bounds,
/// so a large set has fewer resamples, and [`FEWEST_RESAMPLES`] at the least.
const MOST_DRAWN: usize = 40_000_000;
const FEWEST_RESAMPLES: usize = 1_000;

/// The cases of a run beside those of its baseline.
#[derive(Debug)]
pub struct Pairs<'a> {
    pub(super) base: &'a Baseline,
    pub(super) results: &'a Results,
    pub(super) figures: &'a Figures,
    /// This run's cases, in its order.
    pub(super) matched: Vec<Match<'a>>,
    /// The baseline's cases that this run lacks, in its order.
    pub(super) removed: Vec<&'a BaselineCase>,
    pub(super) judge: JudgeChange,
    pub(super) drift: Option<Drift>,
    /// Positions in `matched` of the cases that compare, by id: neither sums nor resamples depend on a suite's order.
    pub(super) compared: Vec<usize>,
    counts: PairCounts,
    incomparable: Option<String>,
    pub(super) resamples: usize,
    done: Mutex<Done>,
}

/// What was computed already, and what is left to spend.
#[derive(Debug, Default)]
struct Done {
    analyses: BTreeMap<(DropMetric, Selector, bool), Arc<Analysis>>,
    gates: BTreeMap<(DropMetric, Selector), bool>,
    spent: usize,
}

impl<'a> Pairs<'a> {
    /// None: the results have no baseline. `figures` are those of `results`. Costs a pass over the cases; what takes
    /// longer is done when it is asked for, and once.
    pub fn new(results: &'a Results, figures: &'a Figures) -> Option<Pairs<'a>> {
        let base = results.baseline.as_ref()?;
        let (matched, removed) = matches(&results.cases, &figures.cases, &base.cases);
        let mut counts = PairCounts {
            removed: u32::try_from(removed.len()).unwrap_or(u32::MAX),
            ..PairCounts::default()
        };
        matched.iter().for_each(|case| case.count(&mut counts));
        let mut compared: Vec<usize> = (0..matched.len())
            .filter(|i| matched[*i].scores().is_some())
            .collect();
        compared.sort_by_key(|i| matched[*i].id);
        let judge = match base.judge.fingerprint == results.suite.judge.fingerprint {
            true if base.rejudged => JudgeChange::Rejudged,
            true => JudgeChange::Same,
            // Also where another judge than this run's has judged again: it is a file that somebody edited.
            false => JudgeChange::Changed,
        };
        // Whose scores the anchors of a rejudged baseline are is not said: they are the old judge's, or today's.
        let drift = match judge {
            JudgeChange::Rejudged => None,
            _ => drift(&results.anchors, &base.anchors),
        };
        let incomparable = match judge {
            JudgeChange::Changed => Some(judge_changed(results, base)),
            JudgeChange::Rejudged => None,
            JudgeChange::Same => {
                let drifted = drift.as_ref().and_then(why);
                drifted.or_else(|| unjudged(&results.anchors, &base.anchors))
            }
        };
        Some(Pairs {
            base,
            results,
            figures,
            matched,
            removed,
            judge,
            drift,
            compared,
            counts,
            incomparable,
            resamples: RESAMPLES,
            done: Mutex::default(),
        })
    }

    /// Why no difference is claimed at all, for a person; none where the two runs compare.
    pub fn incomparable(&self) -> Option<&str> {
        self.incomparable.as_deref()
    }

    /// How many cases are compared, and why the others are not.
    pub fn counts(&self) -> PairCounts {
        self.counts
    }

    /// The same over the selected cases of this run; none of them is removed.
    pub fn counts_of(&self, selector: &Selector) -> PairCounts {
        if *selector == Selector::All {
            return self.counts;
        }
        let mut counts = PairCounts::default();
        let selected = self.matched.iter().filter(|case| selects(selector, case));
        selected.for_each(|case| case.count(&mut counts));
        counts
    }

    /// compared / (compared + unscored), 0..1; none where no case of the two runs is the same.
    pub fn coverage(&self) -> Option<f64> {
        let same = f64::from(self.counts.compared) + f64::from(self.counts.unscored);
        (same > 0.0).then(|| f64::from(self.counts.compared) / same)
    }

    /// False when the baseline's evaluation ended early: nothing is tested against it.
    pub fn baseline_complete(&self) -> bool {
        self.base.run.complete
    }

    /// Holds a figure's difference over the selected cases against a margin, 0..1. The error says why nothing can be
    /// tested, for a person: the judge changed, no case compares, fewer than ten do.
    ///
    /// A difference without bounds and p-values has no spread: it decides by itself.
    ///
    /// # Errors
    /// See above.
    pub fn test(&self, metric: DropMetric, selector: &Selector, margin: f64) -> Result<DropTest, String> {
        if let Some(why) = &self.incomparable {
            return Err(why.clone());
        }
        if !self.baseline_complete() {
            return Err(match self.judge {
                JudgeChange::Rejudged => {
                    "not all of the baseline's answers were judged again: run the same command again, with a larger \
                     budget if it has one"
                }
                _ => "the baseline's evaluation ended early: compare with a run that went through",
            }
            .to_owned());
        }
        if let Selector::Case(_) = selector {
            return Err("one case can't carry a test: mark it `critical: true` instead".to_owned());
        }
        let compared = self
            .compared
            .iter()
            .filter(|i| selects(selector, &self.matched[**i]));
        let set: Vec<usize> = compared.copied().collect();
        let clusters = self.clusters(&set);
        if set.is_empty() {
            return Err(format!(
                "no case compares: {}",
                not_compared(&self.counts_of(selector))
            ));
        }
        if clusters < SMALL {
            let what = match (clusters == set.len(), clusters) {
                (true, 1) => "1 case compares".to_owned(),
                (true, n) => format!("{n} cases compare"),
                (false, 1) => "1 independent group of cases compares".to_owned(),
                (false, n) => format!("{n} independent groups of cases compare"),
            };
            return Err(format!("only {what}: a verdict on a difference needs {SMALL}"));
        }
        let quantile = matches!(metric, DropMetric::Median | DropMetric::P10);
        if quantile && clusters < LARGE {
            return Err(format!(
                "{clusters} independent cases compare: a verdict on a quantile's difference needs {LARGE}"
            ));
        }
        let allowed = quantile || self.afford(metric, selector, set.len());
        let analysis = self.analysis(metric, selector, &set, allowed);
        if let Some(missing) = analysis.missing {
            return Err(why_no_error(missing).to_owned());
        }
        let (p_worse, p_no_worse) = analysis.p(margin).unzip();
        Ok(DropTest {
            difference: analysis.difference.clone(),
            p_worse,
            p_no_worse,
            p_worse_holm: None,
        })
    }

    /// Whether a gate's set may be resampled. Gates are served in the order in which they ask first.
    fn afford(&self, metric: DropMetric, selector: &Selector, cases: usize) -> bool {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(allowed) = done.gates.get(&(metric, selector.clone())) {
            return *allowed;
        }
        let allowed = done.spent.saturating_add(cases) <= MOST_RESAMPLED;
        if allowed {
            done.spent += cases;
        }
        done.gates.insert((metric, selector.clone()), allowed);
        allowed
    }

    /// The analysis of a set of compared cases, computed once.
    pub(super) fn analysis(
        &self,
        metric: DropMetric,
        selector: &Selector,
        set: &[usize],
        allowed: bool,
    ) -> Arc<Analysis> {
        let key = (metric, selector.clone(), allowed);
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(analysis) = done.analyses.get(&key) {
            return Arc::clone(analysis);
        }
        let pairs: Vec<Pair<'_>> = set
            .iter()
            .filter_map(|i| pair(metric, &self.matched[*i]))
            .collect();
        let fewer = (MOST_DRAWN / set.len().max(1)).max(FEWEST_RESAMPLES);
        let resampling = Resampling {
            random: Random::seeded(&self.results.suite.fingerprint, &label(metric, selector)),
            resamples: match metric {
                DropMetric::Mean | DropMetric::PassRate => self.resamples,
                DropMetric::Median | DropMetric::P10 => self.resamples.min(fewer),
            },
        };
        let analysis = Arc::new(match metric {
            DropMetric::Mean | DropMetric::PassRate => mean_difference(&pairs, allowed.then_some(resampling)),
            DropMetric::Median => quantile_difference(&pairs, 0.5, resampling),
            DropMetric::P10 => quantile_difference(&pairs, 0.1, resampling),
        });
        done.analyses.insert(key, Arc::clone(&analysis));
        analysis
    }

    fn clusters(&self, set: &[usize]) -> usize {
        let groups = || set.iter().map(|i| self.matched[*i].group.as_deref());
        let named: std::collections::BTreeSet<&str> = groups().flatten().collect();
        named.len() + groups().filter(Option::is_none).count()
    }
}

/// What may still be resampled of the sets that no gate asks for.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) fn new() -> Budget {
        Budget { left: MOST_RESAMPLED }
    }

    pub(super) fn takes(&mut self, cases: usize) -> bool {
        let left = self.left.checked_sub(cases);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }
}

pub(super) fn selects(selector: &Selector, case: &Match<'_>) -> bool {
    match selector {
        Selector::All => true,
        Selector::Tag(tag) => case.tags.iter().any(|has| **has == **tag),
        Selector::Holdout => case.holdout,
        Selector::Critical => case.critical,
        Selector::Case(id) => case.id == *id,
    }
}

fn pair<'m>(metric: DropMetric, case: &'m Match<'_>) -> Option<Pair<'m>> {
    let scores = case.scores()?;
    let (now, before) = match metric {
        DropMetric::PassRate => {
            let (now, before) = case.passes(scores);
            (f64::from(u8::from(now)), f64::from(u8::from(before)))
        }
        DropMetric::Mean | DropMetric::Median | DropMetric::P10 => scores,
    };
    Some(Pair {
        now,
        before,
        weight: case.weight,
        group: case.group.as_deref(),
    })
}

/// Names the stream of random numbers of a set: it may not change, or figures of one and the same run do.
fn label(metric: DropMetric, selector: &Selector) -> String {
    let metric = match metric {
        DropMetric::Mean => "mean",
        DropMetric::PassRate => "pass_rate",
        DropMetric::Median => "median",
        DropMetric::P10 => "p10",
    };
    match selector {
        Selector::All => metric.to_owned(),
        Selector::Tag(tag) => format!("{metric}(tag: {tag})"),
        Selector::Holdout => format!("{metric}(holdout)"),
        Selector::Critical => format!("{metric}(critical)"),
        Selector::Case(id) => format!("{metric}(case: {id})"),
    }
}

fn judge_changed(results: &Results, base: &Baseline) -> String {
    let (now, before) = (&results.suite.judge, &base.judge);
    let what = if now.model != before.model {
        "the judge is another model"
    } else if now.votes != before.votes {
        "the judge votes another number of times"
    } else {
        "the judge's prompt, rubric or parameters changed"
    };
    format!("{what}, so scores do not compare: score the baseline's answers again with `--rejudge-baseline`")
}

/// `12 changed, 2 added`
fn not_compared(counts: &PairCounts) -> String {
    let parts = [
        (counts.unscored, "without a score in one of the runs"),
        (counts.changed, "changed"),
        (counts.added, "added"),
        (counts.removed, "removed"),
    ];
    let told: Vec<String> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{n} {what}"))
        .collect();
    if told.is_empty() {
        return "there is none".to_owned();
    }
    told.join(", ")
}
