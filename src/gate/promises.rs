//! Any text comes in, as a requirement; what the room promises of it is held against what it does. For the tests and
//! for fuzzing: nothing goes out, a broken promise panics.

use std::collections::{BTreeMap, BTreeSet};

use crate::score::{CaseFigure, Difference, DropMetric, DropTest, Figures, Group, Method, Selector};
use crate::suite::{Gate, Otherwise, Place, steers};

use super::decide::decide_against;
use super::drops::Against;
use super::parse::parse;
use super::reader::Span;
use super::rule::Rule;
use super::{Decision, Known, Verdict, check, decide, wording};

/// Where the gate of a promise stands.
const COLUMN: u32 = 14;

/// It is read, or refused with faults that lie in it; what was read shows as a requirement that reads the same; and
/// its verdict is one line.
pub(crate) fn of_a_requirement(text: &str) {
    let parsed = parse(text);
    assert_eq!(parsed.rule.is_some(), parsed.faults.is_empty());
    let spans = parsed.faults.iter().map(|fault| fault.span);
    for span in spans.chain(parsed.named.as_ref().map(|(_, span)| *span)) {
        lies_in(span, text);
    }
    for fault in &parsed.faults {
        is_one_line(&fault.message);
        fault.help.as_deref().inspect(|help| is_one_line(help));
    }
    let reads = parsed.rule.is_some();
    if let Some(rule) = parsed.rule {
        is_in_range(&rule);
        reads_back(&rule);
    }
    is_told_in_its_place(text);
    for figures in [nothing(), one_case()] {
        let verdict = decide(&[gate(text, 7)], &figures, None);
        assert_eq!(verdict.is_ok(), reads);
        let Ok(verdict) = verdict else { continue };
        of_a_verdict(&verdict, &figures);
        for baseline in MADE_UP {
            let verdict = decide_against(&[gate(text, 7)], &figures, Some(&baseline));
            of_a_verdict(&verdict.unwrap_or_else(|fault| unreachable!("{fault}")), &figures);
        }
    }
}

fn of_a_verdict(verdict: &Verdict, figures: &Figures) {
    is_one_line(&verdict.reason);
    assert!(figures.overall.scored > 0 || verdict.decision != Decision::Pass);
    for gate in &verdict.gates {
        is_one_line(&gate.reason);
        assert!(gate.bound.is_finite() && gate.figure.is_none_or(f64::is_finite));
        assert!(gate.test.is_none() || gate.applicable);
    }
}

/// A difference of every compared case's score, with its bounds; none: nothing compares.
struct MadeUp(Option<(f64, f64, f64)>);

const MADE_UP: [MadeUp; 4] = [
    MadeUp(None),
    MadeUp(Some((-0.02, -0.05, 0.01))),
    MadeUp(Some((-1.0, -1.0, -1.0))),
    MadeUp(Some((0.1, f64::NAN, f64::INFINITY))),
];

impl Against for MadeUp {
    fn test(&self, _: DropMetric, _: &Selector, _: f64) -> Result<DropTest, String> {
        let (difference, low, high) = self.0.ok_or("no case compares: 1 changed")?;
        Ok(DropTest {
            difference: Difference {
                n: 60,
                clusters: 60,
                now: Some(0.5),
                before: Some(0.5 - difference),
                difference: Some(difference),
                error: None,
                freedom: None,
                low: Some(low),
                high: Some(high),
                method: Method::T,
                detectable: Some(0.04),
                notes: Vec::new(),
            },
            p_worse: Some(0.04),
            p_no_worse: Some(0.5),
            p_worse_holm: None,
        })
    }

    fn compared(&self) -> (u32, u32) {
        (60, 1)
    }
}

fn lies_in(span: Span, text: &str) {
    let end = text.chars().count().max(1);
    assert!(span.length >= 1 && span.start + span.length <= end, "{span:?}");
}

/// Told and bounded, without a line break or anything else that steers a terminal.
fn is_one_line(text: &str) {
    assert!(!text.is_empty() && text.chars().count() <= 1_000, "{text:?}");
    assert!(!text.contains(steers), "{text:?}");
}

fn is_in_range(rule: &Rule) {
    let most = if rule.subject.metric.is_count() {
        f64::from(u32::MAX)
    } else {
        1.0
    };
    assert!((0.0..=most).contains(&rule.bound), "{rule:?}");
}

fn reads_back(rule: &Rule) {
    if let Selector::Tag(name) | Selector::Case(name) = &rule.subject.selector
        && wording::name(name) != *name
    {
        // A longer name, or one with a line break in it, is not shown whole.
        return;
    }
    let shown = format!("{} {} {}", rule.subject, rule.op.sign(), wording::bound(rule));
    assert_eq!(parse(&shown).rule.as_ref(), Some(rule), "{shown}");
}

/// The faults of a gate that stands there twice, in a suite whose cases may be known or not.
fn is_told_in_its_place(text: &str) {
    let names = |names: [&str; 2]| names.map(str::to_owned).into();
    let (tags, ids): (BTreeSet<String>, BTreeSet<String>) = (names(["totals", "it's"]), names(["a", "b 1"]));
    let first_line = text.split('\n').next().unwrap_or_default();
    let end = u32::try_from(first_line.chars().count().max(1)).unwrap_or(u32::MAX);
    for all in [true, false] {
        let known = Known {
            tags: &tags,
            ids: &ids,
            all_tags: all,
            all_ids: all,
            holdout: !all,
            critical: !all,
            cases: all.then_some(&[]),
        };
        for fault in check(&[gate(text, 7), gate(text, 8)], &known) {
            is_one_line(&fault.message);
            fault.help.as_deref().inspect(|help| is_one_line(help));
            assert!((7..=8).contains(&fault.place.line));
            assert!(fault.length >= 1 && fault.place.column >= COLUMN, "{fault:?}");
            assert!(fault.place.column - COLUMN + fault.length <= end, "{fault:?}");
        }
    }
}

fn gate(require: &str, line: u32) -> Gate {
    Gate {
        require: require.to_owned(),
        otherwise: Otherwise::Fail,
        place: Place {
            file: "suite.yaml".into(),
            line,
            column: COLUMN,
        },
    }
}

fn nothing() -> Figures {
    Figures {
        agreement: None,
        anchors: None,
        overall: group(0, None),
        tags: BTreeMap::new(),
        holdout: None,
        critical: None,
        cases: Vec::new(),
        distribution: [0; 10],
        weighted: false,
        left: None,
    }
}

fn one_case() -> Figures {
    let figure = CaseFigure {
        id: "a".to_owned(),
        score: Some(0.5),
        passed: Some(false),
        critical: false,
        samples_scored: 1,
        samples_failed: 1,
        vote_spread: None,
        unscored: None,
    };
    Figures {
        overall: group(1, Some(0.5)),
        tags: BTreeMap::from([("totals".to_owned(), group(1, Some(0.5)))]),
        cases: vec![figure],
        distribution: [0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
        ..nothing()
    }
}

/// Of so many cases, all with one score that does not pass.
fn group(cases: u32, score: Option<f64>) -> Group {
    Group {
        cases,
        scored: cases,
        unscored: 0,
        errors: 0,
        coverage: score.map(|_| 1.0),
        error_rate: score.map(|_| 0.0),
        passed: 0,
        mean: score,
        mean_interval: None,
        median: score,
        min: score,
        p10: score,
        stddev: None,
        pass_rate: score.map(|_| 0.0),
        pass_rate_interval: None,
        notes: Vec::new(),
    }
}
