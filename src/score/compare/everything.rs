//! Pairs of cases in, everything that is said of two runs out.

use std::collections::BTreeMap;

use crate::results::{CaseResult, Sample};
use crate::score::Selector;

use super::changes::removed;
use super::difference::nothing;
use super::mcnemar::mid_p;
use super::pairs::{Budget, Pairs, selects};
use super::{Comparison, Difference, DropMetric, Flips, JudgeChange};

impl Pairs<'_> {
    /// Everything that is said of the two runs.
    ///
    /// Where cases are too many to resample every set, the first of these have the bootstrap's bounds: the mean, the
    /// pass rate, the holdout, the critical cases, the tags by name.
    pub fn comparison(&self) -> Comparison {
        let mut budget = Budget::new();
        let comparable = self.incomparable().is_none();
        let mut said = |metric, selector: &Selector, set: &[usize]| {
            self.said(metric, selector, set, &mut budget, comparable)
        };
        let mean = said(DropMetric::Mean, &Selector::All, &self.compared);
        let pass_rate = said(DropMetric::PassRate, &Selector::All, &self.compared);
        let mut marked = |there: bool, selector: Selector| {
            let of = |i: &&usize| selects(&selector, &self.matched[**i]);
            let set: Vec<usize> = self.compared.iter().filter(of).copied().collect();
            there.then(|| said(DropMetric::Mean, &selector, &set))
        };
        let holdout = marked(self.figures.holdout.is_some(), Selector::Holdout);
        let critical = marked(self.figures.critical.is_some(), Selector::Critical);
        let tags = self.tagged().into_iter().map(|(tag, set)| {
            let difference = said(DropMetric::Mean, &Selector::Tag(tag.to_owned()), &set);
            (tag.to_owned(), difference)
        });
        let tags = tags.collect();
        let cases = self.matched.iter().map(|case| case.change(comparable));
        Comparison {
            incomparable: self.incomparable().map(str::to_owned),
            judge: self.judge,
            drift: self.drift.clone(),
            counts: self.counts(),
            mean,
            pass_rate,
            tags,
            holdout,
            critical,
            flips: if comparable {
                self.flips()
            } else {
                Flips::default()
            },
            cases: cases
                .chain(self.removed.iter().map(|case| removed(case)))
                .collect(),
            notes: self.notes(),
        }
    }

    fn said(
        &self,
        metric: DropMetric,
        selector: &Selector,
        set: &[usize],
        budget: &mut Budget,
        comparable: bool,
    ) -> Difference {
        if !comparable {
            return nothing();
        }
        let allowed = budget.takes(set.len());
        self.analysis(metric, selector, set, allowed).difference.clone()
    }

    /// The compared cases of each tag of this run.
    fn tagged(&self) -> BTreeMap<&str, Vec<usize>> {
        let mut tags: BTreeMap<&str, Vec<usize>> = self
            .figures
            .tags
            .keys()
            .map(|tag| (tag.as_str(), Vec::new()))
            .collect();
        for i in &self.compared {
            for tag in &self.matched[*i].tags {
                tags.entry(tag).or_default().push(*i);
            }
        }
        tags
    }

    fn flips(&self) -> Flips {
        let mut flips = Flips::default();
        for case in &self.matched {
            let Some(scores) = case.scores() else { continue };
            match case.passes(scores) {
                (false, true) => flips.newly_failing.push(case.id.to_owned()),
                (true, false) => flips.newly_fixed.push(case.id.to_owned()),
                _ => {}
            }
        }
        let count = |ids: &[String]| u32::try_from(ids.len()).unwrap_or(u32::MAX);
        flips.p = mid_p(count(&flips.newly_failing), count(&flips.newly_fixed));
        flips
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.judge == JudgeChange::Rejudged {
            notes.push("the baseline's stored answers were scored again by this run's judge".to_owned());
        }
        if self.judge == JudgeChange::Same && !self.results.anchors.is_empty() && self.drift.is_none() {
            let open = "no anchor has a score in both runs: they do not tell whether the judge is the same";
            notes.push(open.to_owned());
        }
        if !self.baseline_complete() {
            let ended = match self.judge {
                JudgeChange::Rejudged => "not all of the baseline's answers were judged again",
                _ => "the baseline's evaluation ended early",
            };
            notes.push(format!("{ended}: no drop is tested against it"));
        }
        match (self.base.run.emulator, self.results.run.emulator) {
            (true, false) => {
                notes.push("the built-in emulator answered in the baseline, and not in this run".to_owned())
            }
            (false, true) => {
                notes.push("the built-in emulator answered in this run, and not in the baseline".to_owned())
            }
            _ => {}
        }
        notes.extend(self.of_another_day());
        match self.counts().unscored {
            0 => {}
            1 => notes.push("1 case has no score in one of the runs and is in no difference".to_owned()),
            n => notes.push(format!(
                "{n} cases have no score in one of the runs and are in no difference"
            )),
        }
        notes
    }

    /// What the cache takes from a comparison: the baseline may have the very same replies. They differ by nothing then,
    /// whatever model or judge would answer today.
    fn of_another_day(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.results.run.cached.is_none() {
            return notes;
        }
        let cached = |case: &CaseResult| {
            let whole = |sample: &Sample| {
                sample.cached.is_some() && sample.votes.iter().all(|vote| vote.cached.is_some())
            };
            case.samples.iter().all(whole)
        };
        let cases = self.results.cases.iter().zip(&self.matched);
        let same = cases.filter(|(case, pair)| pair.scores().is_some() && cached(case));
        match (same.count(), self.counts().compared) {
            (0, _) => {}
            (some, all) => notes.push(format!(
                "{some} of {all} compared cases are wholly from the cache, and may be the baseline's own replies: that \
                 they are unchanged tells nothing of today's model"
            )),
        }
        let anchors = &self.results.anchors;
        let cached = anchors
            .iter()
            .filter(|anchor| anchor.votes.iter().any(|vote| vote.cached.is_some()));
        let some = cached.count();
        if some > 0 && self.judge == JudgeChange::Same {
            notes.push(format!(
                "{some} of {} anchors have judgements from the cache: of today's judge these tell nothing",
                anchors.len()
            ));
        }
        notes
    }
}
