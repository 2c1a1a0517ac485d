//! The shards of one suite, all of them and in their order → the results of the run that they are together.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::merge::Part;
use crate::results::{
    Baseline, CachedReplies, CallTally, CaseResult, Cases, Kept, Portion, Results, Run, StopKind, Stopped,
    VoteOutcome,
};

/// Shards whose early end is told in their own words, at the most.
const TOLD: usize = 3;

/// The parts as one run; none of no parts. Nothing of the split remains in it.
pub(super) fn join(mut parts: Vec<Part>) -> Option<Results> {
    let mut run = run(&parts)?;
    let calls = calls(&parts);
    let baseline = baseline(&mut parts);
    let of_cases = parts.iter().map(|part| part.results.cases.len()).sum();
    let unknown = parts.iter().any(|part| part.results.baseline_unknown);
    let mut positions = Vec::new();
    let mut cases = Vec::new();
    let mut first = None;
    for mut part in parts {
        positions.push(part.shard.positions);
        cases.push(std::mem::take(&mut part.results.cases));
        first.get_or_insert(part.results);
    }
    let first = first?;
    let cached = &mut run.cached;
    let cases: Cases = in_order(of_cases, positions, cases.iter().map(Cases::iter).collect())
        .inspect(|case| cached.iter_mut().for_each(|cached| count(cached, case)))
        .collect();
    Some(Results {
        version: first.version,
        tool: first.tool,
        run,
        suite: first.suite,
        cases,
        // Only the first shard had any judged.
        anchors: first.anchors,
        baseline,
        without_baseline: first.without_baseline,
        baseline_unknown: unknown,
        calls,
    })
}

/// Entries of several lists by their positions in the whole one, one at a time.
fn in_order<T>(
    all: usize,
    positions: Vec<Vec<u64>>,
    mut lists: Vec<impl Iterator<Item = T>>,
) -> impl Iterator<Item = T> {
    let mut owners = vec![0; all];
    for (owner, positions) in positions.into_iter().enumerate() {
        for position in positions {
            let at = usize::try_from(position).unwrap_or(usize::MAX);
            if let Some(place) = owners.get_mut(at) {
                *place = owner;
            }
        }
    }
    owners
        .into_iter()
        .filter_map(move |owner| lists.get_mut(owner).and_then(Iterator::next))
}

/// When, where and how they ran, as one.
fn run(parts: &[Part]) -> Option<Run> {
    let first = &parts.first()?.results.run;
    let runs = || parts.iter().map(|part| &part.results.run);
    let began = runs().min_by_key(|run| (run.started_at.parse::<Timestamp>().ok(), &run.started_at))?;
    let kept = runs().fold(Kept::default(), |sum, run| Kept {
        answers: sum.answers.saturating_add(run.kept.answers),
        judgements: sum.judgements.saturating_add(run.kept.judgements),
    });
    Some(Run {
        id: id(parts),
        started_at: began.started_at.clone(),
        duration_ms: duration_ms(parts),
        resumed: runs().map(|run| run.resumed).max().unwrap_or_default(),
        kept,
        base_url: first.base_url.clone(),
        emulator: first.emulator,
        commit: first.commit.clone(),
        stopped: stopped(parts),
        cached: cached(parts),
        shard: None,
    })
}

/// What is from the cache; of how many, the cases tell.
fn cached(parts: &[Part]) -> Option<CachedReplies> {
    let all = parts.iter().filter_map(|part| part.results.run.cached.clone());
    let sum = all.reduce(|sum, more| CachedReplies {
        answers: sum.answers.saturating_add(more.answers),
        judgements: sum.judgements.saturating_add(more.judgements),
        beside: sum.beside.saturating_add(more.beside),
        // Times of one form stand in the order of their texts.
        oldest: sum.oldest.min(more.oldest),
        ..sum
    })?;
    Some(CachedReplies {
        of_answers: 0,
        of_judgements: 0,
        ..sum
    })
}

/// One more case's answers, and the judgements that are there.
fn count(cached: &mut CachedReplies, case: &CaseResult) {
    cached.of_answers += case.samples.len() as u64;
    let votes = case.samples.iter().flat_map(|sample| &sample.votes);
    cached.of_judgements += votes.filter(|vote| vote.outcome != VoteOutcome::NotAsked).count() as u64;
}

/// The shards of one workflow run have one id already. Where they have not, the same shards always give the same one.
fn id(parts: &[Part]) -> String {
    let ids = || parts.iter().map(|part| part.results.run.id.as_str());
    match ids().next() {
        Some(first) if ids().all(|id| id == first) => first.to_owned(),
        _ => {
            let mut hasher = Sha256::new();
            for id in ids() {
                hasher.update((id.len() as u64).to_be_bytes());
                hasher.update(id);
            }
            let mut bytes = [0; 16];
            bytes.copy_from_slice(&hasher.finalize()[..16]);
            uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
        }
    }
}

/// From the first beginning to the last end; where a time can't be read, that of the longest.
fn duration_ms(parts: &[Part]) -> u64 {
    let mut span: Option<(Timestamp, Timestamp)> = None;
    let mut longest = 0;
    for run in parts.iter().map(|part| &part.results.run) {
        longest = longest.max(run.duration_ms);
        let millis = i64::try_from(run.duration_ms).unwrap_or(i64::MAX);
        let began: Option<Timestamp> = run.started_at.parse().ok();
        let ended = began.and_then(|began| began.checked_add(SignedDuration::from_millis(millis)).ok());
        if let (Some(began), Some(ended)) = (began, ended) {
            let (from, to) = span.unwrap_or((began, ended));
            span = Some((from.min(began), to.max(ended)));
        }
    }
    let spanned = span.map(|(from, to)| to.duration_since(from).as_millis());
    spanned
        .and_then(|millis| u64::try_from(millis).ok())
        .unwrap_or_default()
        .max(longest)
}

/// Why the whole is not: the gravest of the ends, in the words of the first few.
fn stopped(parts: &[Part]) -> Option<Stopped> {
    let gravity = |kind: StopKind| match kind {
        StopKind::Unauthorized => 5,
        StopKind::Unavailable => 4,
        StopKind::Unrecorded => 3,
        StopKind::Interrupted => 2,
        StopKind::Budget => 1,
        StopKind::Deadline => 0,
    };
    let ends = || {
        parts
            .iter()
            .filter_map(|part| Some((part, part.results.run.stopped.as_ref()?)))
    };
    let (_, gravest) = ends().max_by_key(|(_, stopped)| gravity(stopped.kind))?;
    let mut told: Vec<String> = ends()
        .take(TOLD)
        .map(|(part, stopped)| {
            format!(
                "shard {} of {}: {}",
                part.shard.index, part.shard.of, stopped.message
            )
        })
        .collect();
    let more = ends().count().saturating_sub(TOLD);
    if more > 0 {
        told.push(format!("and {more} more shards ended early"));
    }
    Some(Stopped {
        kind: gravest.kind,
        message: told.join("; "),
    })
}

/// Calls of all of them, by name.
fn calls(parts: &[Part]) -> BTreeMap<String, CallTally> {
    let mut calls: BTreeMap<String, CallTally> = BTreeMap::new();
    for (name, more) in parts.iter().flat_map(|part| &part.results.calls) {
        let tally = calls.entry(name.clone()).or_default();
        tally.calls = tally.calls.saturating_add(more.calls);
        tally.attempts = tally.attempts.saturating_add(more.attempts);
        tally.failed = tally.failed.saturating_add(more.failed);
        tally.total_ms = tally.total_ms.saturating_add(more.total_ms);
    }
    calls
}

/// The baseline whose cases each shard has a part of.
fn baseline(parts: &mut [Part]) -> Option<Baseline> {
    let mut positions = Vec::new();
    let mut cases = Vec::new();
    let mut whole: Option<Baseline> = None;
    for part in parts {
        let mut baseline = part.results.baseline.take()?;
        let portion: Option<Portion> = part.shard.baseline.take();
        positions.push(portion.map(|portion| portion.positions).unwrap_or_default());
        cases.push(std::mem::take(&mut baseline.cases).into_iter());
        let whole = whole.get_or_insert(baseline.clone());
        whole.run.complete &= baseline.run.complete;
    }
    let all = positions.iter().map(Vec::len).sum();
    let mut whole = whole?;
    whole.cases = in_order(all, positions, cases).collect();
    Some(whole)
}
