//! The text of a requirement in, its rule out, with every fault found on the way. Hand-written: the
//! grammar is a line long, and each fault deserves words of its own. Linear in the text's length.

use crate::score::Selector;

use super::bound::{out_of_range, plain_decimal};
use super::reader::{Fault, Reader, Span};
use super::rule::{Metric, Op, Rule, Subject};
use super::wording;
use crate::suite::suggest;

/// Longer texts are refused unread.
const LONGEST: usize = 1_000;

/// What could be read.
#[derive(Debug)]
pub(super) struct Parsed {
    /// There exactly when there are no faults.
    pub(super) rule: Option<Rule>,
    /// The cases that are selected and where that is written; also where the rest has faults.
    pub(super) named: Option<(Selector, Span)>,
    pub(super) faults: Vec<Fault>,
    /// What reads well and can be asked of no test: a suite is refused for it, a results file may hold it.
    pub(super) untestable: Option<Fault>,
}

/// Reads a requirement.
pub(super) fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed {
        rule: None,
        named: None,
        faults: Vec::new(),
        untestable: None,
    };
    if text.chars().nth(LONGEST).is_some() {
        let message = format!("the requirement is longer than {LONGEST} characters");
        parsed.faults.push(Fault {
            message,
            span: Span { start: 0, length: 1 },
            help: None,
        });
        return parsed;
    }
    let mut reader = Reader::new(text);
    match reader.requirement(&mut parsed) {
        Ok(rule) if parsed.faults.is_empty() => parsed.rule = rule,
        Ok(_) => {}
        Err(fault) => parsed.faults.push(fault),
    }
    parsed
}

impl Reader {
    fn requirement(&mut self, parsed: &mut Parsed) -> Result<Option<Rule>, Fault> {
        let subject = self.subject(false, parsed)?;
        let (op, op_span) = self.op()?;
        let (bound, bound_span) = self.number()?;
        if let Some(more) = self.run(|c| !c.is_whitespace()) {
            return Err(self.left_over(&more, bound));
        }
        let Some(subject) = subject else { return Ok(None) };
        if subject.drop && !matches!(op, Op::AtMost | Op::Below) {
            let message = format!(
                "a drop is limited from above, and `{}` does not do that",
                op.sign()
            );
            parsed.faults.push(Fault {
                message,
                span: op_span,
                help: Some("write `<=` or `<`".to_owned()),
            });
        }
        let rule = Rule { subject, op, bound };
        parsed.faults.extend(out_of_range(&rule, bound_span));
        Ok(Some(rule))
    }

    fn subject(&mut self, in_drop: bool, parsed: &mut Parsed) -> Result<Option<Subject>, Fault> {
        let Some((word, span)) = self.word() else {
            return Err(self.missing("a metric", &format!("metrics are {}", metrics())));
        };
        if word == "drop" && in_drop {
            let message = "`drop` has no drop".to_owned();
            return Err(Fault {
                message,
                span,
                help: Some(DROPS.to_owned()),
            });
        }
        if word == "drop" {
            const HELP: &str = "write for example `drop(mean) <= 0.03`";
            self.mark('(', HELP)?;
            let subject = self.subject(true, parsed)?;
            self.mark(
                ')',
                "close the drop's parenthesis; a selector stands inside: `drop(mean(tag: x)) <= 0.03`",
            )?;
            return Ok(subject.map(|subject| Subject {
                drop: true,
                ..subject
            }));
        }
        let metric = Metric::of_word(&word);
        if in_drop && metric == Some(Metric::Min) {
            parsed.untestable = Some(Fault {
                message: "the drop of a lowest score can't be tested: one case decides it".to_owned(),
                span,
                help: Some("write `min >= x`, a bound for the score itself".to_owned()),
            });
        }
        match metric {
            None => parsed.faults.push(unknown_metric(&word, span)),
            Some(metric) if in_drop && !metric.can_drop() => {
                let help = DROPS.to_owned();
                let message = format!("`{word}` has no drop");
                parsed.faults.push(Fault {
                    message,
                    span,
                    help: Some(help),
                });
            }
            Some(_) => {}
        }
        let selector = if self.peek() == Some('(') {
            self.selector(parsed)?
        } else {
            Some(Selector::All)
        };
        if let (true, Some((Selector::Case(_), span))) = (in_drop, &parsed.named) {
            parsed.untestable = Some(Fault {
                message: "the drop of one case can't be tested".to_owned(),
                span: *span,
                help: Some("mark the case `critical: true`: it vetoes when it fails".to_owned()),
            });
        }
        if metric == Some(Metric::Stddev) && matches!(selector, Some(Selector::Case(_))) {
            let message = "a single case has no standard deviation".to_owned();
            parsed.faults.push(Fault {
                message,
                span,
                help: None,
            });
        }
        Ok(metric.zip(selector).map(|(metric, selector)| Subject {
            metric,
            selector,
            drop: false,
        }))
    }

    /// `( selector )`; none where the selector's word is unknown, which is noted as a fault.
    fn selector(&mut self, parsed: &mut Parsed) -> Result<Option<Selector>, Fault> {
        const CLOSE: &str =
            "close the selector with `)`; a name that holds spaces or parentheses stands in quotes";
        self.mark('(', "")?;
        let Some((word, span)) = self.word() else {
            return Err(self.missing("a selector", SELECTORS));
        };
        let selector = match word.as_str() {
            "tag" | "case" => {
                self.mark(':', &format!("write `{word}: name`"))?;
                let (name, span) = self.name(&word)?;
                let selector = if word == "tag" {
                    Selector::Tag(name)
                } else {
                    Selector::Case(name)
                };
                parsed.named = Some((selector.clone(), span));
                Some(selector)
            }
            "holdout" | "critical" => {
                if self.peek() == Some(':') {
                    let help = Some(format!("write `({word})`"));
                    let span = Span {
                        start: self.at,
                        length: 1,
                    };
                    return Err(Fault {
                        message: format!("`{word}` takes no value"),
                        span,
                        help,
                    });
                }
                let selector = if word == "holdout" {
                    Selector::Holdout
                } else {
                    Selector::Critical
                };
                parsed.named = Some((selector.clone(), span));
                Some(selector)
            }
            _ => {
                parsed.faults.push(unknown_selector(&word, span));
                if self.peek() == Some(':') {
                    self.mark(':', "")?;
                    self.name(&word)?;
                }
                None
            }
        };
        if self.peek().is_some_and(char::is_alphanumeric) {
            // `tag: two words`: half of a name is not what the suite was asked for.
            parsed.named = None;
        }
        self.mark(')', CLOSE)?;
        Ok(selector)
    }

    fn name(&mut self, after: &str) -> Result<(String, Span), Fault> {
        let Some(quote) = self.peek().filter(|c| matches!(c, '\'' | '"')) else {
            let read = self.run(|c| !c.is_whitespace() && !"()'\"".contains(c));
            let help = "a name that holds spaces or parentheses stands in quotes";
            return read
                .ok_or_else(|| self.missing(&format!("a name after `{}:`", wording::name(after)), help));
        };
        let start = self.at;
        let mut name = String::new();
        self.at += 1;
        while let Some(&c) = self.chars.get(self.at) {
            self.at += 1;
            if c == quote {
                if self.chars.get(self.at) == Some(&quote) {
                    self.at += 1;
                } else {
                    self.last = Span {
                        start,
                        length: self.at - start,
                    };
                    return if name.is_empty() {
                        Err(Fault {
                            message: "the name is empty".to_owned(),
                            span: self.last,
                            help: None,
                        })
                    } else {
                        Ok((name, self.last))
                    };
                }
            }
            name.push(c);
        }
        let span = Span {
            start,
            length: self.at - start,
        };
        Err(Fault {
            message: "the quoted name does not end".to_owned(),
            span,
            help: Some(format!("close it with {quote}")),
        })
    }

    fn op(&mut self) -> Result<(Op, Span), Fault> {
        const HELP: &str = "write `>=`, `>`, `<=`, `<` or `==`";
        let Some((sign, span)) = self.run(|c| "<>=!~≥≤≠".contains(c)) else {
            return Err(self.missing("a comparison", HELP));
        };
        Op::of_sign(&sign).map(|op| (op, span)).ok_or_else(|| {
            let help = match sign.as_str() {
                "=>" | "≥" => "write `>=`",
                "=<" | "≤" => "write `<=`",
                "=" | "===" => "write `==`",
                _ => HELP,
            };
            Fault {
                message: format!("`{}` is no comparison", wording::name(&sign)),
                span,
                help: Some(help.to_owned()),
            }
        })
    }

    fn number(&mut self) -> Result<(f64, Span), Fault> {
        let Some((word, span)) = self.run(|c| !c.is_whitespace()) else {
            return Err(self.missing("a number", "write for example 0.95"));
        };
        plain_decimal(&word).map(|value| (value, span)).ok_or_else(|| {
            let percent = word.strip_suffix('%').and_then(plain_decimal);
            let comma = plain_decimal(&word.replacen(',', ".", 1));
            let help = match percent.map(|p| p / 100.0).or(comma) {
                Some(meant) => format!("write {meant}"),
                None => "write a plain decimal number, for example 0.95".to_owned(),
            };
            let message = format!(
                "`{}` is no number that a gate can compare with",
                wording::name(&word)
            );
            Fault {
                message,
                span,
                help: Some(help),
            }
        })
    }

    fn left_over(&self, (word, span): &(String, Span), bound: f64) -> Fault {
        let help = if word == "%" {
            format!("write {}", bound / 100.0)
        } else {
            "a gate is one comparison; write a second one as a `- require:` of its own".to_owned()
        };
        let message = format!(
            "`{}` follows the number, where the requirement should end",
            wording::name(word)
        );
        Fault {
            message,
            span: *span,
            help: Some(help),
        }
    }
}

const DROPS: &str = "a drop is of mean, median, p10 or pass_rate";

const SELECTORS: &str = "selectors are `tag: x`, `case: id`, `holdout` and `critical`";

fn metrics() -> String {
    let mut words: Vec<&str> = Metric::ALL.iter().map(|metric| metric.word()).collect();
    words.push("drop(metric)");
    words.join(", ")
}

fn unknown_metric(word: &str, span: Span) -> Fault {
    let known = Metric::ALL.iter().map(|metric| metric.word()).chain(["drop"]);
    let help = match suggest(word, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("metrics are {}", metrics()),
    };
    Fault {
        message: format!("unknown metric `{}`", wording::name(word)),
        span,
        help: Some(help),
    }
}

fn unknown_selector(word: &str, span: Span) -> Fault {
    let help = match suggest(word, ["tag", "case", "holdout", "critical"]) {
        Some(meant @ ("tag" | "case")) => format!("did you mean `{meant}: …`?"),
        Some(meant) => format!("did you mean `{meant}`?"),
        None => SELECTORS.to_owned(),
    };
    Fault {
        message: format!("unknown selector `{}`", wording::name(word)),
        span,
        help: Some(help),
    }
}
