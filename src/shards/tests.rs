//! Shards that fit are put together, and those that don't are refused.

use super::*;
use crate::results::{
    BaselineSource, CallTally, CaseResult, Found, Portion, Results, ShardRecord, StopKind, Stopped,
};
use crate::score;
use crate::score::fixtures::{anchor, case, results};

/// The results of a whole run, with a baseline whose order is another one.
fn whole() -> Results {
    let scores = [0.1, 0.9, 0.5, 0.8, 1.0];
    let cases = || {
        let each = scores.into_iter().enumerate();
        each.map(|(i, score)| case(&format!("c{i}"), &[score]))
    };
    let mut whole = results(cases().collect());
    let before: Vec<CaseResult> = cases().rev().chain([case("gone", &[0.3])]).collect();
    whole.baseline = Some(score::baseline(&results(before), source()));
    whole.run.id = "run".to_owned();
    whole.run.started_at = "2026-11-22T02:15:04Z".to_owned();
    whole.anchors = vec![anchor("f", 1.0, 0.1, &[1.0])];
    whole
}

fn source() -> BaselineSource {
    BaselineSource {
        found: Found::Given,
        path: None,
        branch: None,
        workflow_run: None,
        url: None,
    }
}

fn picked<T: Clone>(all: &[T], positions: &[u64]) -> Vec<T> {
    let at = |position: &u64| all[usize::try_from(*position).unwrap()].clone();
    positions.iter().map(at).collect()
}

/// One shard of [`whole`]: the cases and the baseline's cases at these positions.
fn piece(index: u16, of: u16, positions: &[u64], before: &[u64]) -> Piece {
    let mut part = whole();
    part.cases = picked(&part.cases.iter().collect::<Vec<_>>(), positions).into();
    let baseline = part.baseline.as_mut().unwrap();
    let all = baseline.cases.len() as u64;
    baseline.cases = picked(&baseline.cases, before);
    if index != 1 {
        part.anchors.clear();
    }
    part.calls.insert(
        "chat: answer".to_owned(),
        CallTally {
            calls: positions.len() as u64,
            attempts: 10,
            failed: 1,
            total_ms: 5,
        },
    );
    part.run.shard = Some(ShardRecord {
        index,
        of,
        of_cases: 5,
        positions: positions.to_vec(),
        workflow_run: Some(7),
        baseline: Some(Portion {
            of_cases: all,
            positions: before.to_vec(),
        }),
    });
    Piece {
        path: format!("{index}.json"),
        results: part,
    }
}

fn pieces() -> Vec<Piece> {
    vec![
        piece(2, 3, &[0, 4], &[0, 4]),
        piece(3, 3, &[2], &[2]),
        piece(1, 3, &[1, 3], &[1, 3, 5]),
    ]
}

fn shard_of(piece: &mut Piece) -> &mut ShardRecord {
    piece.results.run.shard.as_mut().unwrap()
}

/// What is said of the pieces when one thing is wrong with them.
fn refused(change: impl FnOnce(&mut Vec<Piece>)) -> String {
    let mut pieces = pieces();
    change(&mut pieces);
    merge(pieces).unwrap_err().join("\n")
}

#[test]
fn the_parts_are_the_whole_again() {
    let mut expected = whole();
    expected.calls.insert(
        "chat: answer".to_owned(),
        CallTally {
            calls: 5,
            attempts: 30,
            failed: 3,
            total_ms: 15,
        },
    );
    assert_eq!(merge(pieces()).unwrap(), [expected]);
}

#[test]
fn several_suites_are_told_apart_by_name() {
    let mut all = pieces();
    for mut other in pieces() {
        other.results.suite.name = "another".to_owned();
        all.push(other);
    }
    let merged = merge(all).unwrap();
    let names: Vec<&str> = merged.iter().map(|results| results.suite.name.as_str()).collect();
    assert_eq!(names, ["another", "suite"]);
}

#[test]
fn runs_of_their_own_become_one_that_is_always_the_same() {
    let with_ids = || {
        let mut pieces = pieces();
        for (id, piece) in ["x", "y", "z"].into_iter().zip(&mut pieces) {
            piece.results.run.id = id.to_owned();
        }
        merge(pieces).unwrap().remove(0).run.id
    };
    assert_eq!(with_ids(), with_ids());
    assert!(with_ids().parse::<uuid::Uuid>().is_ok());
}

#[test]
fn the_run_lasts_from_the_first_beginning_to_the_last_end() {
    let mut pieces = pieces();
    for (began, ms, piece) in [
        ("02:15:10", 1_000, 0),
        ("02:15:04", 2_000, 1),
        ("02:15:08", 4_500, 2),
    ]
    .map(|(began, ms, at)| (format!("2026-11-22T{began}Z"), ms, at))
    {
        let run = &mut pieces[piece].results.run;
        (run.started_at, run.duration_ms) = (began, ms);
    }
    let run = merge(pieces).unwrap().remove(0).run;
    assert_eq!(run.started_at, "2026-11-22T02:15:04Z");
    assert_eq!(run.duration_ms, 8_500);
}

#[test]
fn a_shard_that_ended_early_makes_the_whole_incomplete() {
    let mut pieces = pieces();
    let end = |kind, message: &str| {
        Some(Stopped {
            kind,
            message: message.to_owned(),
        })
    };
    pieces[0].results.run.stopped = end(StopKind::Deadline, "no time");
    pieces[1].results.run.stopped = end(StopKind::Unauthorized, "no key");
    let stopped = merge(pieces).unwrap().remove(0).run.stopped.unwrap();
    assert_eq!(stopped.kind, StopKind::Unauthorized);
    assert_eq!(stopped.message, "shard 2 of 3: no time; shard 3 of 3: no key");
}

#[test]
fn a_baseline_that_one_shard_has_not_judged_again_is_not_whole() {
    let mut pieces = pieces();
    pieces[1].results.baseline.as_mut().unwrap().run.complete = false;
    let baseline = merge(pieces).unwrap().remove(0).baseline.unwrap();
    assert!(!baseline.run.complete);
}

#[test]
fn what_is_missing_or_there_twice_is_named() {
    let told = refused(|pieces| drop(pieces.pop()));
    assert_eq!(
        told,
        "suite: shard 1 of 3 is missing: it left no results, or they were not given"
    );
    let told = refused(|pieces| pieces.truncate(1));
    assert!(
        told.starts_with("suite: 2 of 3 shards are missing: 1, 3; "),
        "{told}"
    );
    let told = refused(|pieces| {
        pieces.push(piece(3, 3, &[2], &[2]));
        pieces[3].path = "copy.json".to_owned();
    });
    assert_eq!(told, "suite: shard 3 of 3 is there 2 times: 3.json, copy.json");
}

#[test]
fn shards_of_two_splits_are_refused() {
    let told = refused(|pieces| shard_of(&mut pieces[1]).of = 4);
    assert_eq!(
        told,
        "suite: these are shards of different splits: of 3 shards (1.json, 2.json), of 4 shards (3.json); give those of one"
    );
}

#[test]
fn foreign_shards_are_refused_with_what_is_foreign_about_them() {
    type Change = fn(&mut Results);
    let changes: [(&str, Change); 10] = [
        ("not of one suite (by its fingerprint): ", |r| {
            r.suite.fingerprint = "another".to_owned()
        }),
        ("not of one model: ", |r| r.suite.model = "another".to_owned()),
        ("not of one project: ", |r| r.suite.project = "another".to_owned()),
        ("not of one dataset: ", |r| r.suite.dataset = Some("d".to_owned())),
        ("not of one judge (by its fingerprint): ", |r| {
            r.suite.judge.fingerprint = "another".to_owned()
        }),
        ("not of one service: ", |r| r.run.emulator = false),
        ("not of one commit: ", |r| {
            r.run.commit = Some("9fceb02".to_owned())
        }),
        ("not of one workflow run: ", |r| {
            r.run.shard.as_mut().unwrap().workflow_run = None
        }),
        ("the baseline in 3.json are not those in 1.json", |r| {
            r.baseline.as_mut().unwrap().rejudged = true
        }),
        ("not of one baseline: ", |r| {
            r.baseline = None;
            r.run.shard.as_mut().unwrap().baseline = None;
        }),
    ];
    for (expected, change) in changes {
        let told = refused(|pieces| change(&mut pieces[1].results));
        assert!(told.starts_with(&format!("suite: {expected}")), "{told}");
        assert!(told.contains("3.json"), "{told}");
    }
}

#[test]
fn everything_wrong_is_told_at_once() {
    let told = refused(|pieces| {
        pieces[0].results.suite.model = "another".to_owned();
        pieces[1].results.suite.project = "elsewhere".to_owned();
        pieces.pop();
        pieces.push(Piece {
            path: "whole.json".to_owned(),
            results: whole(),
        });
    });
    for part in [
        "whole.json: these are the results of a whole run",
        "shard 1 of 3 is missing",
        "one model",
        "one project",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn positions_that_can_t_be_are_refused() {
    type Change = fn(&mut ShardRecord);
    let changes: [Change; 7] = [
        |s| s.positions = vec![4, 0],
        |s| s.positions = vec![0],
        |s| s.positions = vec![0, 5],
        |s| (s.index, s.of) = (4, 3),
        |s| (s.index, s.of) = (1, u16::MAX),
        |s| s.baseline = None,
        |s| s.baseline.as_mut().unwrap().positions = vec![0],
    ];
    for change in changes {
        let told = refused(|pieces| change(shard_of(&mut pieces[0])));
        assert!(
            told.contains("2.json: ") && told.contains("changed by hand"),
            "{told}"
        );
    }
    let told = refused(|pieces| shard_of(&mut pieces[0]).positions = vec![1, 4]);
    assert!(told.contains("none of them has number 1"), "{told}");
    let told = refused(|pieces| shard_of(&mut pieces[0]).positions = vec![0, 3]);
    assert!(told.contains("two of them have number 4"), "{told}");
    let told = refused(|pieces| {
        pieces
            .iter_mut()
            .for_each(|piece| shard_of(piece).of_cases = u64::MAX);
    });
    assert!(told.contains("none of them has number 6"), "{told}");
    let told = refused(|pieces| {
        pieces[1]
            .results
            .cases
            .edit(|cases| cases[0].id = "c0".to_owned())
    });
    assert!(told.contains("case \"c0\" is in 2.json and in 3.json"), "{told}");
}

#[test]
fn a_shard_is_written_as_its_number_and_how_many_there_are() {
    let shard: Shard = " 3/10 ".parse().unwrap();
    assert_eq!((shard.index(), shard.of()), (3, 10));
    assert_eq!(
        (shard.to_string(), shard.folder()),
        ("shard 3 of 10".to_owned(), "3-of-10".to_owned())
    );
    for (wrong, told) in [
        ("", "must be"),
        ("3", "must be"),
        ("+3/10", "must be"),
        ("3/10/2", "must be"),
        ("a/b", "must be"),
        ("0/10", "the first one is 1/10"),
        ("11/10", "the last one 10/10"),
        ("1/0", "1 to 256 shards"),
        ("1/257", "1 to 256 shards"),
    ] {
        let error = wrong.parse::<Shard>().unwrap_err();
        assert!(error.contains(told), "{wrong}: {error}");
    }
}
