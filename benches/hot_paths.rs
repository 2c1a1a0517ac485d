//! The pure paths that a run's cost beside the models hangs on: `cargo bench`. Texts and results as a run has them come
//! in; times go out. What the whole program costs is `scripts/bench`'s business.

#![expect(
    clippy::expect_used,
    reason = "a bench whose material is broken has nothing to measure"
)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use tunegate::report::{Around, Record};
use tunegate::results::{BaselineSource, Found, Results};
use tunegate::score::{self, DropMetric, Pairs, Selector};
use tunegate::{eval, gate, report};

/// As a `results.json` has it, so that what a run holds in memory may be laid out as it likes.
fn results(cases: usize, gates: &[&str], shift: usize) -> Results {
    let gates: Vec<Value> = gates
        .iter()
        .enumerate()
        .map(|(i, require)| {
            json!({"require": require, "else": "fail", "place": {"file": "s.yaml", "line": i + 1, "column": 1}})
        })
        .collect();
    let cost =
        |ms: usize| json!({"latency_ms": ms, "attempts": 1, "prompt_tokens": 300, "completion_tokens": 40});
    let cases: Vec<Value> = (0..cases)
        .map(|i| {
            // Spread over 0..1 without a pattern that a sort would find done.
            let score = ((i * 7_919 + shift * (i % 5)) % 997) as f64 / 997.0;
            json!({
                "id": format!("case-{i}"), "fingerprint": format!("{i:064x}"),
                "place": {"file": "s.yaml", "line": i + 1, "column": 5},
                "tags": [format!("tag-{}", i % 8)], "weight": 1.0, "critical": i % 50 == 0, "holdout": i % 10 == 0,
                "pass_score": 0.7, "parameters": {}, "reference": format!("{i}.00 EUR"),
                "messages": [{"role": "user", "content": format!("Invoice *{i}*\nTotal due: {i}.00 EUR | net <b>30</b>\nWhat is the total?")}],
                "samples": [{
                    "index": 0, "outcome": "answered", "answer": format!("It is {i}.00 EUR, I think.\n\n```\n{i}\n```"),
                    "call": cost(200 + i % 90), "checks": [{"check": "contains: EUR", "passed": true}],
                    "votes": [{"index": 0, "outcome": "scored", "score": score, "calls": [cost(400 + i % 70)],
                        "feedback": format!("The answer should be: {i}.00 EUR"), "reasoning": "It holds more than was asked for."}],
                }],
            })
        })
        .collect();
    let judge = json!({"model": "judge", "temperature": 0.1, "votes": 1, "fingerprint": "0".repeat(64)});
    let cycle = json!({"split_percentage": 80, "harvest": "always", "when_busy": "hold", "busy_timeout_ms": 1,
        "job_name": "j", "poll_ms": 1, "settle_timeout_ms": 1, "recommendations_timeout_ms": 1});
    serde_json::from_value(json!({
        "version": 1, "tool": {"name": "tunegate", "version": "0.0.0"},
        "run": {"id": "r", "started_at": "2026-11-23T00:00:00Z", "duration_ms": 1, "base_url": "http://127.0.0.1:1",
            "emulator": false},
        "suite": {"name": "s", "path": "s.yaml", "fingerprint": "1".repeat(64), "project": "p", "model": "m",
            "judge": judge, "gates": gates, "cycle": cycle},
        "cases": cases, "calls": {},
    }))
    .expect("results as the program writes them")
}

fn against(mut now: Results, before: &Results) -> Results {
    let source = BaselineSource {
        found: Found::Given,
        path: Some("before.json".to_owned()),
        branch: None,
        workflow_run: None,
        url: None,
    };
    now.baseline = Some(score::baseline(before, source));
    now
}

fn judge_replies(criterion: &mut Criterion) {
    let verdict = r#"{"reasoning": "The reference \"12.00 EUR\" stands in it, with more around it.", "feedback": "The answer should be: 12.00 EUR", "score": 0.6}"#;
    let answer = "The total is 12.00 EUR, as {\"total\": 12} says. ".repeat(20);
    let replies = [
        ("plain", verdict.to_owned()),
        (
            "with 4 kB of prose",
            format!(
                "{}\n```json\n{verdict}\n```\n",
                "Let me {think} about \"this\". ".repeat(150)
            ),
        ),
        (
            "hostile, 200 kB",
            format!("{}{verdict}", "{\"a\":[{\"score\":".repeat(13_000)),
        ),
    ];
    let mut group = criterion.benchmark_group("judge reply");
    for (name, reply) in &replies {
        group.bench_function(*name, |bench| {
            bench.iter(|| eval::read_verdict(black_box(reply), black_box(&answer)));
        });
    }
    group.finish();
}

fn gates(criterion: &mut Criterion) {
    let requirements = [
        "mean >= 0.4",
        "pass_rate >= 0.2",
        "p10 >= 0.01",
        "error_rate <= 0.02",
        "mean(tag: tag-3) >= 0.3",
        "pass_rate(tag: tag-5) >= 0.1",
    ];
    let results = results(1_000, &requirements, 0);
    criterion.bench_function("figures of 1,000 cases", |bench| {
        bench.iter(|| score::figures(black_box(&results)));
    });
    let figures = score::figures(&results);
    gate::decide(&results.suite.gates, &figures, None).expect("the gates are sound");
    criterion.bench_function("decision on 6 gates", |bench| {
        bench.iter(|| gate::decide(black_box(&results.suite.gates), black_box(&figures), None));
    });
}

fn bootstrap(criterion: &mut Criterion) {
    let results = against(results(1_000, &[], 3), &results(1_000, &[], 0));
    let figures = score::figures(&results);
    let test = |pairs: &Pairs<'_>| pairs.test(DropMetric::Mean, &Selector::All, 0.02);
    let pairs = || Pairs::new(&results, &figures).expect("a baseline");
    test(&pairs()).expect("a thousand pairs can be tested");
    criterion.bench_function("bootstrap of 10,000 x 1,000", |bench| {
        // What was tested once is remembered: new pairs each time.
        bench.iter_batched(pairs, |pairs| test(&pairs), BatchSize::LargeInput);
    });
}

fn markdown(criterion: &mut Criterion) {
    let results = results(2_000, &["mean >= 0.9"], 0);
    let figures = score::figures(&results);
    let verdict = gate::decide(&results.suite.gates, &figures, None).expect("the gate is sound");
    let record = Record {
        results,
        figures,
        comparison: None,
        verdict,
        cycle: None,
    };
    criterion.bench_function("Markdown of 2,000 cases", |bench| {
        bench.iter(|| report::markdown(black_box(&record), &Around::default()));
    });
}

criterion_group! {
    name = hot_paths;
    config = Criterion::default().sample_size(20);
    targets = judge_replies, gates, bootstrap, markdown
}
criterion_main!(hot_paths);
