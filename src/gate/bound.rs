//! The number of a requirement: its text in, its value out; a rule in, whether its number can mean anything out.

use super::reader::{Fault, Span};
use super::rule::{Op, Rule};

/// Digits with at most one point between or before them, and a sign for the range check to refuse.
pub(super) fn plain_decimal(word: &str) -> Option<f64> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let (whole, decimals) = digits
        .split_once('.')
        .map_or((digits, None), |(w, d)| (w, Some(d)));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let some = if let Some(decimals) = decimals {
        !decimals.is_empty()
    } else {
        !whole.is_empty()
    };
    if !some || !all_digits(whole) || !decimals.is_none_or(all_digits) {
        return None;
    }
    word.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A bound outside what the metric can be: the comparison would say nothing.
pub(super) fn out_of_range(rule: &Rule, span: Span) -> Option<Fault> {
    let Rule { subject, op, bound } = rule;
    let metric = subject.metric.word();
    if subject.metric.is_count() {
        let whole = bound.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(bound);
        return (!whole).then(|| Fault {
            message: format!("`{metric}` is a whole number of cases and can't be compared with {bound}"),
            span,
            help: Some("write a whole number, 0 or more".to_owned()),
        });
    }
    if (0.0..=1.0).contains(bound) {
        return None;
    }
    let from_above = matches!(op, Op::AtMost | Op::Below);
    let holds = if from_above {
        *bound > 1.0
    } else {
        *bound < 0.0 && *op != Op::Equal
    };
    let message = if subject.drop {
        format!("a drop's margin is between 0 and 1, not {bound}")
    } else {
        let when = if holds { "always" } else { "never" };
        format!(
            "`{metric}` is between 0 and 1: `{} {bound}` {when} holds",
            op.sign()
        )
    };
    let help = if *bound > 1.0 && *bound <= 100.0 {
        format!("write {} for {bound} %", bound / 100.0)
    } else {
        "write a number from 0 to 1".to_owned()
    };
    Some(Fault {
        message,
        span,
        help: Some(help),
    })
}
