//! The end of the process at moments of chance, by signals of all kinds, with a fifth of all calls failing or none.

use std::time::{Duration, Instant};

use tunegate::emulator::{Faults, TraceForm};

use super::chance::Chance;
use super::story::{Story, ensure, with};
use crate::harness;
use crate::matrix::night::{LATE, Process, Run};
use crate::matrix::together;

/// Cases, one of them a holdout.
const CASES: u64 = 12;

/// Nights, each with a seed of its own.
const NIGHTS: u64 = 10;

/// Kills of one night.
const KILLS: u64 = 20;

/// Runs after the last kill until one must have ended well.
const RUNS: usize = 10;

/// How long an orderly end may take: the writes in flight have five seconds, the report the rest.
const ORDERLY: Duration = Duration::from_secs(8);

/// Silence is soon a time-out.
const OPTIONS: [&str; 4] = ["--concurrency", "4", "--timeout", "700ms"];

/// What is sent to the process.
#[derive(Clone, Copy, PartialEq)]
enum Blow {
    Kill,
    Interrupt,
    Terminate,
}

fn suite() -> String {
    let mut suite = "cases:\n".to_owned();
    for at in 0..CASES {
        let reference = if at % 3 == 1 {
            "none whatsoever".to_owned()
        } else {
            format!("{at}17.00 EUR")
        };
        let holdout = if at == 5 { ", holdout: true" } else { "" };
        suite += &format!(
            "  - {{id: c{at}, prompt: Invoice {at}. Total due is {at}17.00 EUR. What is the total due?, \
             reference: {reference}{holdout}}}\n"
        );
    }
    suite
        + "gates:\n  - require: cases >= 1\ncycle:\n  poll: 20ms\n  settle_timeout: 15s\n  recommendations_timeout: 15s\n"
}

async fn night(number: u64, blow: Blow, faults: f64) -> Result<(), String> {
    let mut chance = Chance::nth(number);
    let seed = chance.seed;
    let named = |why: String| format!("seed {seed}: {why}");
    let mut options = harness::options();
    options.seed = seed;
    let forms = [
        TraceForm::Any,
        TraceForm::Results,
        TraceForm::Array,
        TraceForm::Walkthrough,
    ];
    options.trace_form = forms[usize::try_from(chance.below(4)).unwrap()];
    options.faults = Faults {
        silence_for: Duration::from_secs(30),
        trickle_over: Duration::from_millis(200),
        late_by: LATE,
        ..Faults::evenly(faults)
    };
    let story = Story::of(&suite(), options).await;
    let mut struck = 0;
    let mut done = None;
    for _ in 0..KILLS {
        let lines = story.journal().len() as u64 + 1 + chance.below(7);
        let mut process = story.start(&OPTIONS, &[]);
        while !process.has_ended() && (story.journal().len() as u64) < lines {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let at = Instant::now();
        strike(&mut process, blow);
        struck += u64::from(!process.has_ended() || blow == Blow::Kill);
        let run = process.end().await;
        let with = |why| named(with(&run)(why));
        in_order(&run, blow, at.elapsed()).map_err(with)?;
        story.once().await.map_err(with)?;
        if run.code == Some(0) || story.is_through() {
            done = Some(run);
            break;
        }
    }
    ensure(struck >= 3, || {
        named(format!("only {struck} signals met a process"))
    })?;
    for _ in 0..RUNS {
        if done.is_some() {
            break;
        }
        let run = story.run(&OPTIONS).await;
        let with = |why| named(with(&run)(why));
        ensure(matches!(run.code, Some(0 | 4 | 11)), || {
            with(format!("ended with {:?}", run.code))
        })?;
        if run.code == Some(0) {
            done = Some(run);
        }
    }
    let run = done.ok_or_else(|| named("it never ended well".into()))?;
    let with = |why| named(with(&run)(why));
    story.whole(CASES - 1).await.map_err(with)?;
    // Without faults every call is one that was asked for: what was in flight at an end is lost, and nothing else.
    let (paid, needed) = (story.paid().await, 2 * CASES);
    ensure(faults > 0.0 || paid <= needed + 4 * struck, || {
        with(format!(
            "{paid} answers and judgements paid for, {needed} needed, {struck} ends"
        ))
    })
}

fn in_order(run: &Run, blow: Blow, took: Duration) -> Result<(), String> {
    if blow == Blow::Kill {
        return ensure(matches!(run.code, None | Some(0 | 4 | 11)), || {
            format!("ended with {:?}", run.code)
        });
    }
    ensure(took < ORDERLY, || format!("took {took:?} to end"))?;
    match run.code {
        Some(0 | 4 | 11) => Ok(()),
        Some(130) => ensure(run.told.contains("goes on from here"), || {
            "does not say what is left".into()
        }),
        code => Err(format!("ended with {code:?}")),
    }
}

fn strike(process: &mut Process, blow: Blow) {
    match blow {
        Blow::Kill => process.kill(),
        Blow::Interrupt => process.signal("-INT"),
        Blow::Terminate => process.signal("-TERM"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_ends_it_and_whenever_it_is_finished_in_the_end() {
    let blows = [
        (Blow::Kill, 0.2),
        (Blow::Interrupt, 0.2),
        (Blow::Kill, 0.0),
        (Blow::Terminate, 0.2),
        (Blow::Interrupt, 0.0),
    ];
    let nights = (0..NIGHTS).map(|number| {
        let (blow, faults) = blows[usize::try_from(number).unwrap() % blows.len()];
        night(number, blow, faults)
    });
    together(nights).await;
}
