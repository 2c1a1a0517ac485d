//! The gates as written and the figures of a run in, the verdict out.

use crate::score::{Figures, Pairs};
use crate::suite::{Gate, Otherwise};

use super::drops::{self, Against, Said};
use super::floor::Floor;
use super::measure::measure;
use super::parse::parse;
use super::rule::Rule;
use super::{Decision, GateVerdict, Outcome, Verdict, Veto, wording};

/// The verdict on a run.
///
/// - **Coverage floor.** The largest bound of the suite's own `coverage >= x` (or `>`) gates over the whole
///   run, whatever their `else`; without one, `coverage >= 0.95` is implied and comes first. Below the
///   floor, or with no scored case at all, every gate is INCONCLUSIVE, the floor's own included.
/// - **An evaluation that ended early** is incomplete: what is missing may change every figure, so every gate
///   is INCONCLUSIVE however much was scored, and so is the run. A critical case that failed vetoes all the same.
/// - **A gate whose figure does not exist** is INCONCLUSIVE.
/// - **`drop(…) <= m`** is a test of non-inferiority against the baseline, one-sided at 5 %: PASS when the drop is
///   below `m` with 95 % confidence; FAIL when it is above with 95 % confidence and its p-value, adjusted by Holm's
///   method over the drops of the run, is at most 0.05; INCONCLUSIVE between the two, where nothing can be tested
///   ([`Pairs::test`] says why), below ten independent cases, and where of the cases that are the same in both runs
///   fewer than the coverage floor are scored in both. Where all cases moved alike, the drop itself is compared.
///   `<` is as `<=`. Without a baseline it is INCONCLUSIVE, not applicable, and in no decision.
/// - **Critical cases.** One that fails in a majority of its scored samples (see [`Veto`]) vetoes whatever
///   the mean and the coverage. One without a score leaves the run INCONCLUSIVE at best.
/// - **Decision**, the first that is true: *fail* when a gate with `else: fail` is FAIL or a case vetoes;
///   *inconclusive* when such a gate is INCONCLUSIVE, a critical case is undecided, nothing was scored or the
///   evaluation is incomplete;
///   *hold* when a gate with `else: hold` is not PASS; *pass*. Gates with `else: warn` never decide.
///
/// # Errors
///
/// A gate that can't be read, which only a results file written by hand can hold; the text says which.
pub fn decide(gates: &[Gate], figures: &Figures, pairs: Option<&Pairs<'_>>) -> Result<Verdict, String> {
    decide_against(gates, figures, pairs.map(|pairs| pairs as &dyn Against))
}

/// See [`decide`].
pub(super) fn decide_against(
    gates: &[Gate],
    figures: &Figures,
    against: Option<&dyn Against>,
) -> Result<Verdict, String> {
    let rules: Vec<Rule> = gates.iter().map(read).collect::<Result<_, _>>()?;
    let floor = Floor::of(&rules);
    let incomplete = figures.left.map(|left| format!("the evaluation is {left}"));
    let breach = incomplete.or_else(|| floor.breach(&figures.overall));
    let drops = match against {
        Some(against) => drops::said(&rules, figures, &floor, against),
        None => rules.iter().map(|_| None).collect(),
    };
    let implied = floor.implied.then_some((None, &floor.rule, None));
    let written = gates.iter().zip(&rules).zip(drops);
    let written = written.map(|((gate, rule), drop)| (Some(gate), rule, drop));
    let judged = implied.into_iter().chain(written);
    let mut verdict = Verdict {
        decision: Decision::Pass,
        reason: String::new(),
        gates: judged
            .map(|(gate, rule, drop)| judge(gate, rule, drop, figures, &floor, breach.as_deref()))
            .collect(),
        vetoes: vetoes(figures),
        undecided_critical: undecided(figures),
        defaulted: gates.is_empty(),
    };
    verdict.decision = decision(&verdict, figures);
    verdict.reason = reason(&verdict, breach.as_deref(), figures.left.is_some());
    Ok(verdict)
}

/// The verdict where it is not known whether there is a baseline: a run that would pass is held while a gate on a drop
/// that decides was not applied. It fails nothing; but what the gate would have said is not known either.
pub fn without_knowing(mut verdict: Verdict) -> Verdict {
    let open = |gate: &&GateVerdict| !gate.applicable && gate.otherwise != Otherwise::Warn;
    let open = verdict.gates.iter().filter(open).count();
    if open > 0 && verdict.decision == Decision::Pass {
        verdict.decision = Decision::Hold;
        verdict.reason = format!(
            "held: whether there is a baseline could not be found out, so {} on a drop {} not applied; run again",
            wording::counted(open, "gate", "gates"),
            if open == 1 { "was" } else { "were" },
        );
    }
    verdict
}

/// No verdict: of a part of a suite the gates are not asked. Nothing is launched by it.
pub fn open(reason: String) -> Verdict {
    Verdict {
        decision: Decision::Inconclusive,
        reason,
        gates: Vec::new(),
        vetoes: Vec::new(),
        undecided_critical: Vec::new(),
        defaulted: false,
    }
}

fn read(gate: &Gate) -> Result<Rule, String> {
    let parsed = parse(&gate.require);
    let fault = parsed
        .faults
        .first()
        .map_or("no rule", |fault| fault.message.as_str());
    parsed.rule.ok_or_else(|| {
        format!(
            "can't read the gate `{}`: {fault}; mend it and run again",
            wording::name(&gate.require)
        )
    })
}

fn judge(
    gate: Option<&Gate>,
    rule: &Rule,
    drop: Option<Said>,
    figures: &Figures,
    floor: &Floor,
    breach: Option<&str>,
) -> GateVerdict {
    let Rule { subject, op, bound } = rule;
    let mut verdict = GateVerdict {
        require: gate.map_or_else(
            || format!("coverage >= {}", wording::bound(rule)),
            |gate| gate.require.clone(),
        ),
        otherwise: gate.map_or(Otherwise::Fail, |gate| gate.otherwise),
        outcome: Outcome::Inconclusive,
        applicable: !subject.drop || drop.is_some(),
        implied: gate.is_none(),
        figure: None,
        op: op.sign().to_owned(),
        bound: *bound,
        interval: None,
        test: None,
        reason: String::new(),
    };
    if let Some(said) = drop {
        (verdict.figure, verdict.interval, verdict.test) = (said.figure, said.interval, said.test);
        (verdict.outcome, verdict.reason) = match breach {
            Some(breach) => (Outcome::Inconclusive, format!("not decided: {breach}")),
            None => (said.outcome, said.reason),
        };
        return verdict;
    }
    if subject.drop {
        verdict.reason = "no baseline: not applicable on this run".to_owned();
        return verdict;
    }
    let measured = measure(subject, figures);
    if let Ok(measured) = &measured {
        verdict.figure = Some(measured.figure);
        verdict.interval = measured.interval;
    }
    let is_floor = rule == &floor.rule;
    (verdict.outcome, verdict.reason) = match (breach, measured) {
        (Some(breach), _) if is_floor => (Outcome::Inconclusive, breach.to_owned()),
        (Some(breach), _) => (Outcome::Inconclusive, format!("not decided: {breach}")),
        (None, Err(missing)) => (Outcome::Inconclusive, missing),
        (None, Ok(measured)) => {
            let holds = op.holds(measured.figure, *bound);
            let figure = wording::figure(measured.figure, rule);
            let the_floor = if is_floor { "the floor " } else { "" };
            let relation = wording::relation(*op, holds);
            let reason = format!(
                "{subject} {figure} {relation} {the_floor}{}",
                wording::bound(rule)
            );
            (if holds { Outcome::Pass } else { Outcome::Fail }, reason)
        }
    };
    verdict
}

fn vetoes(figures: &Figures) -> Vec<Veto> {
    let failing = figures
        .cases
        .iter()
        .filter(|case| case.critical && u64::from(case.samples_failed) * 2 > u64::from(case.samples_scored));
    failing
        .map(|case| Veto {
            case: case.id.clone(),
            score: case.score,
            samples_failed: case.samples_failed,
            samples_scored: case.samples_scored,
        })
        .collect()
}

fn undecided(figures: &Figures) -> Vec<String> {
    let unscored = figures
        .cases
        .iter()
        .filter(|case| case.critical && case.samples_scored == 0);
    unscored.map(|case| case.id.clone()).collect()
}

fn decision(verdict: &Verdict, figures: &Figures) -> Decision {
    let deciding = |otherwise, unless: fn(Outcome) -> bool| {
        let mut gates = verdict
            .gates
            .iter()
            .filter(|gate| gate.applicable && gate.otherwise == otherwise);
        gates.any(|gate| unless(gate.outcome))
    };
    if !verdict.vetoes.is_empty() || deciding(Otherwise::Fail, |o| o == Outcome::Fail) {
        Decision::Fail
    } else if figures.overall.scored == 0
        || figures.left.is_some()
        || !verdict.undecided_critical.is_empty()
        || deciding(Otherwise::Fail, |o| o == Outcome::Inconclusive)
    {
        Decision::Inconclusive
    } else if deciding(Otherwise::Hold, |o| o != Outcome::Pass) {
        Decision::Hold
    } else {
        Decision::Pass
    }
}

/// The verdict in one line: what decided, with figures and bounds.
fn reason(verdict: &Verdict, breach: Option<&str>, incomplete: bool) -> String {
    let mut parts = match verdict.decision {
        Decision::Fail => failures(verdict),
        Decision::Inconclusive => Vec::new(),
        Decision::Hold => vec![format!(
            "held: {}",
            told(verdict, Otherwise::Hold, |o| o != Outcome::Pass)
        )],
        Decision::Pass => vec![all_met(verdict)],
    };
    if matches!(verdict.decision, Decision::Fail | Decision::Inconclusive) {
        parts.extend(open_questions(verdict, breach, incomplete));
    }
    let warnings = told(verdict, Otherwise::Warn, |o| o == Outcome::Fail);
    if !warnings.is_empty() {
        parts.push(format!("warning: {warnings}"));
    }
    parts.join("; ")
}

/// The reasons of the gates of one kind that end so, the first few of them.
fn told(verdict: &Verdict, otherwise: Otherwise, so: fn(Outcome) -> bool) -> String {
    let gates = verdict
        .gates
        .iter()
        .filter(|g| g.applicable && g.otherwise == otherwise && so(g.outcome));
    wording::list(&gates.map(|gate| gate.reason.clone()).collect::<Vec<_>>(), "; ")
}

fn failures(verdict: &Verdict) -> Vec<String> {
    let mut parts = Vec::new();
    let gates = told(verdict, Otherwise::Fail, |o| o == Outcome::Fail);
    if !gates.is_empty() {
        parts.push(gates);
    }
    match verdict.vetoes.as_slice() {
        [] => {}
        [veto] => parts.push(format!(
            "critical case `{}` failed in {} of {}",
            wording::name(&veto.case),
            veto.samples_failed,
            wording::counted(veto.samples_scored as usize, "sample", "samples"),
        )),
        several => parts.push(format!(
            "critical cases {} failed",
            ids(several.iter().map(|veto| &veto.case))
        )),
    }
    parts
}

fn open_questions(verdict: &Verdict, breach: Option<&str>, incomplete: bool) -> Vec<String> {
    let mut parts: Vec<String> = breach.map(str::to_owned).into_iter().collect();
    if breach.is_none() {
        let gates = told(verdict, Otherwise::Fail, |o| o == Outcome::Inconclusive);
        parts.extend(Some(gates).filter(|gates| !gates.is_empty()));
    }
    match verdict.undecided_critical.as_slice() {
        // They are among what was not asked.
        _ if incomplete => {}
        [] => {}
        [one] => parts.push(format!("critical case `{}` has no score", wording::name(one))),
        several => parts.push(format!("critical cases {} have no score", ids(several))),
    }
    parts
}

fn ids<'a>(ids: impl IntoIterator<Item = &'a String>) -> String {
    wording::list(
        &ids.into_iter()
            .map(|id| format!("`{}`", wording::name(id)))
            .collect::<Vec<_>>(),
        ", ",
    )
}

fn all_met(verdict: &Verdict) -> String {
    if verdict.defaulted {
        let coverage = verdict.gates.first().map_or("", |gate| gate.reason.as_str());
        return format!("{coverage}; the suite asks for nothing else");
    }
    let decide = verdict
        .gates
        .iter()
        .filter(|g| g.applicable && g.otherwise != Otherwise::Warn)
        .count();
    let open = verdict.gates.iter().filter(|gate| !gate.applicable).count();
    let mut met = match decide {
        0 => "no gate decides here: all of them only warn".to_owned(),
        1 => "the one gate that decides is met".to_owned(),
        n => format!("all {n} gates are met"),
    };
    if open > 0 {
        met += &format!(
            "; {} without a baseline not applied",
            wording::counted(open, "gate", "gates")
        );
    }
    met
}
