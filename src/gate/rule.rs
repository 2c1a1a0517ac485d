//! A requirement as data: what is measured, over which cases, how it is compared, and with what.

use std::fmt;

use crate::score::{Selector, TOLERANCE};

/// What a requirement measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Metric {
    Coverage,
    Mean,
    Median,
    Min,
    P10,
    Stddev,
    PassRate,
    ErrorRate,
    Unscored,
    Cases,
}

impl Metric {
    pub(super) const ALL: [Metric; 10] = [
        Metric::Coverage,
        Metric::Mean,
        Metric::Median,
        Metric::Min,
        Metric::P10,
        Metric::Stddev,
        Metric::PassRate,
        Metric::ErrorRate,
        Metric::Unscored,
        Metric::Cases,
    ];

    /// The word in the grammar.
    pub(super) fn word(self) -> &'static str {
        match self {
            Metric::Coverage => "coverage",
            Metric::Mean => "mean",
            Metric::Median => "median",
            Metric::Min => "min",
            Metric::P10 => "p10",
            Metric::Stddev => "stddev",
            Metric::PassRate => "pass_rate",
            Metric::ErrorRate => "error_rate",
            Metric::Unscored => "unscored",
            Metric::Cases => "cases",
        }
    }

    pub(super) fn of_word(word: &str) -> Option<Metric> {
        Metric::ALL.into_iter().find(|metric| metric.word() == word)
    }

    /// A number of cases; every other metric lies in 0..1.
    pub(super) fn is_count(self) -> bool {
        matches!(self, Metric::Unscored | Metric::Cases)
    }

    /// Whether `drop(…)` of it means something: a figure of the scores where more is better. That of `min` does, and can
    /// be asked of no test.
    pub(super) fn can_drop(self) -> bool {
        matches!(
            self,
            Metric::Mean | Metric::Median | Metric::Min | Metric::P10 | Metric::PassRate
        )
    }
}

/// How a figure is compared with the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Op {
    AtLeast,
    Above,
    AtMost,
    Below,
    Equal,
}

impl Op {
    /// The sign in the grammar.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Op::AtLeast => ">=",
            Op::Above => ">",
            Op::AtMost => "<=",
            Op::Below => "<",
            Op::Equal => "==",
        }
    }

    pub(super) fn of_sign(sign: &str) -> Option<Op> {
        [Op::AtLeast, Op::Above, Op::AtMost, Op::Below, Op::Equal]
            .into_iter()
            .find(|op| op.sign() == sign)
    }

    /// Whether the comparison holds, figures within the tolerance of the bound being equal to it.
    pub(super) fn holds(self, figure: f64, bound: f64) -> bool {
        let equal = (figure - bound).abs() <= TOLERANCE;
        match self {
            Op::AtLeast => equal || figure > bound,
            Op::Above => !equal && figure > bound,
            Op::AtMost => equal || figure < bound,
            Op::Below => !equal && figure < bound,
            Op::Equal => equal,
        }
    }
}

/// What is measured, over which cases.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    pub(super) metric: Metric,
    pub(super) selector: Selector,
    /// The metric's loss against a baseline instead of the metric itself.
    pub(super) drop: bool,
}

/// A requirement, read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub(super) subject: Subject,
    pub(super) op: Op,
    pub(super) bound: f64,
}

impl Rule {
    /// Whether this asks for a least coverage of the whole run.
    pub(super) fn is_coverage_floor(&self) -> bool {
        let whole = self.subject.metric == Metric::Coverage && self.subject.selector == Selector::All;
        whole && matches!(self.op, Op::AtLeast | Op::Above)
    }

    /// Whether no figure can meet it.
    pub(super) fn never_holds(&self) -> bool {
        if self.subject.drop {
            return false;
        }
        match self.op {
            Op::Below => self.bound == 0.0,
            Op::Above => self.bound == 1.0 && !self.subject.metric.is_count(),
            Op::AtLeast | Op::AtMost | Op::Equal => false,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.drop { ("drop(", ")") } else { ("", "") };
        write!(f, "{open}{}", self.metric.word())?;
        if self.selector != Selector::All {
            write!(f, "({})", super::wording::selector(&self.selector))?;
        }
        f.write_str(close)
    }
}
