//! One case in two runs → whether it moved, its marks, the two answers that are worth a look, and what was said of them.

use crate::results::{CaseResult, Cases, CasesReader, CheckResult, Sample, Vote, VoteOutcome};
use crate::score::{CaseChange, CaseFigure, Pairing, sample_score};

use super::MOVED;

/// Which way a compared case's verdict turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Flip {
    /// It passed and fails now.
    Failing,
    /// It failed and passes now.
    Fixed,
}

/// One case in two runs. Its texts are read when they are shown.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Row<'a> {
    pub change: &'a CaseChange,
    /// As this run has it.
    pub now: Option<Held<'a>>,
    pub figure: Option<&'a CaseFigure>,
    /// As the baseline has it, where its texts are at hand.
    pub base: Option<Held<'a>>,
    pub flip: Option<Flip>,
}

/// A case of one run.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Held<'a> {
    pub(super) cases: &'a Cases,
    pub at: usize,
    pub critical: bool,
    pub holdout: bool,
}

impl<'a> Held<'a> {
    /// For all the cases of the same run.
    pub(in crate::report) fn reader(&self) -> CasesReader<'a> {
        self.cases.reader()
    }

    /// The case itself, read anew each time.
    pub(in crate::report) fn case(&self) -> Option<CaseResult> {
        self.cases.get(self.at)
    }
}

impl Row<'_> {
    /// The case as this run has it.
    pub(in crate::report) fn case(&self) -> Option<CaseResult> {
        self.now?.case()
    }

    /// The case as the baseline has it and as this run has it, where both are at hand.
    pub(in crate::report) fn both(&self) -> Option<(CaseResult, CaseResult)> {
        Some((self.base?.case()?, self.now?.case()?))
    }

    pub(in crate::report) fn moved(&self) -> bool {
        self.change.pairing == Pairing::Unchanged && self.change.difference.is_some_and(|d| d.abs() > MOVED)
    }

    pub(in crate::report) fn critical(&self) -> bool {
        self.now.is_some_and(|case| case.critical)
    }

    /// In the order of their weight.
    pub(in crate::report) fn marks(&self) -> Vec<&'static str> {
        let flip = self.flip.map(|flip| match flip {
            Flip::Failing => "newly failing",
            Flip::Fixed => "newly fixed",
        });
        let holdout = self.now.is_some_and(|case| case.holdout);
        let mark = |is: bool, mark: &'static str| is.then_some(mark);
        [flip, mark(self.critical(), "critical"), mark(holdout, "holdout")]
            .into_iter()
            .flatten()
            .collect()
    }

    /// How far the judge's votes lie apart; absent where they agree.
    pub(in crate::report) fn vote_spread(&self) -> Option<f64> {
        self.figure
            .and_then(|figure| figure.vote_spread)
            .filter(|spread| *spread > MOVED)
    }

    /// The answers to show: of the pairs by index the one that moved most, the way that the case moved; where no pair
    /// has two scores, the first whose answers differ.
    pub(in crate::report) fn samples<'c>(
        &self,
        before: &'c CaseResult,
        after: &'c CaseResult,
    ) -> Option<(&'c Sample, &'c Sample)> {
        let falls = self.change.difference.is_none_or(|difference| difference < 0.0);
        sample_pair(&before.samples, &after.samples, falls)
    }
}

/// See [`Row::samples`]; the samples of one case in two runs.
fn sample_pair<'a>(
    before: &'a [Sample],
    after: &'a [Sample],
    falls: bool,
) -> Option<(&'a Sample, &'a Sample)> {
    let pairs = || before.iter().zip(after);
    let way = |(a, b): &(&Sample, &Sample)| {
        let moved = sample_score(b)? - sample_score(a)?;
        Some(if falls { -moved } else { moved })
    };
    let mut best: Option<((&Sample, &Sample), f64)> = None;
    for pair in pairs() {
        // Only more than the pair in hand, so that of equals the first one stays.
        if let Some(moved) = way(&pair)
            && best.as_ref().is_none_or(|(_, most)| moved > most + MOVED)
        {
            best = Some((pair, moved));
        }
    }
    best.filter(|(_, moved)| *moved > MOVED)
        .map(|(pair, _)| pair)
        .or_else(|| pairs().find(|(a, b)| a.answer != b.answer))
        .or_else(|| pairs().next())
}

/// What was said of an answer.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) enum Said<'a> {
    /// A check that failed: no judge was asked.
    Check(&'a CheckResult),
    /// The lowest judgement.
    Vote(&'a Vote),
    /// Why there is neither.
    Nothing(Option<&'a str>),
}

/// What explains an answer's score best.
pub(in crate::report) fn said(sample: &Sample) -> Said<'_> {
    if let Some(check) = sample.checks.iter().find(|check| !check.passed) {
        return Said::Check(check);
    }
    let scored = |vote: &&Vote| vote.outcome == VoteOutcome::Scored && vote.score.is_some();
    let lowest = sample
        .votes
        .iter()
        .filter(scored)
        .min_by(|a, b| super::ascending(a.score, b.score));
    match lowest {
        Some(vote) => Said::Vote(vote),
        None => {
            let why = sample.votes.iter().find_map(|vote| vote.detail.as_deref());
            Said::Nothing(why.or(sample.detail.as_deref()))
        }
    }
}
