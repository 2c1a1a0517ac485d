//! Beginning, noting, taking up again: what stands in the folder afterwards.

use std::process::Command;

use proptest::prelude::*;

use super::super::fixtures::{
    answered, any_sample, any_vote, any_writing, begun, everything, judged, judged_beside, sample,
};
use super::super::read::{read, read_from};
use super::super::{History, Line};
use super::*;

mod disk;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn history(folder: &Path) -> History {
    read(folder).unwrap().unwrap()
}

/// Facts by the lines of a journal.
fn facts(bytes: &[u8]) -> Vec<Fact> {
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| serde_json::from_slice::<Line>(line).unwrap().fact)
        .collect()
}

#[test]
fn what_was_noted_is_there_when_it_is_taken_up_again() {
    let folder = folder();
    assert_eq!(read(folder.path()).unwrap(), None);
    let run = begun("0123456789");
    let journal = Journal::begin(folder.path(), run.clone()).unwrap();
    let all = everything();
    let (first, then) = all.split_at(8);
    for fact in first {
        journal.note(fact).unwrap();
    }
    drop(journal);
    let journal = Journal::resume(folder.path()).unwrap();
    for fact in then {
        journal.note(fact).unwrap();
    }
    let resumed = Fact::Resumed {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let want = [&[Fact::Begun(Box::new(run))], first, &[resumed], then].concat();
    let bytes = fs::read(folder.path().join("journal.jsonl")).unwrap();
    assert_eq!(facts(&bytes), want);
    assert!(bytes.starts_with(br#"{"at":"20"#), "{bytes:?}");
    assert_eq!(history(folder.path()).resumed, 2);
    assert_eq!(names(folder.path()), ["journal.jsonl"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_of_many_tasks_never_mix() {
    let folder = folder();
    let journal = Journal::begin(folder.path(), begun("r")).unwrap();
    let tasks: Vec<_> = (0..20)
        .map(|task| {
            let journal = journal.clone();
            tokio::spawn(async move {
                for index in 0..20 {
                    let answer = task.to_string().repeat(1 + 500 * index);
                    let fact = answered(&format!("case-{task}"), sample(index as u32, &answer));
                    journal.note(&fact).unwrap();
                    if index % 5 == 0 {
                        journal.sync().await.unwrap();
                    } else {
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let told = history(folder.path());
    assert_eq!(told.samples.len(), 400);
    for ((case, index), sample) in told.samples {
        let task = case.trim_start_matches("case-");
        assert_eq!(sample.answer, Some(task.repeat(1 + 500 * index as usize)));
    }
}

#[test]
fn a_journal_that_was_cut_anywhere_goes_on() {
    let whole = {
        let folder = folder();
        let journal = Journal::begin(folder.path(), begun("r")).unwrap();
        for fact in everything() {
            journal.note(&fact).unwrap();
        }
        fs::read(folder.path().join("journal.jsonl")).unwrap()
    };
    // Where each line ends, and what is told up to there.
    let mut ends = vec![0];
    ends.extend((1..=whole.len()).filter(|end| whole[end - 1] == b'\n'));
    let told: Vec<_> = ends
        .iter()
        .map(|end| read_from(&whole[..*end]).unwrap().history)
        .collect();
    let folder = folder();
    let path = folder.path().join("journal.jsonl");
    for cut in 0..=whole.len() {
        // With nothing behind the cut; now and then with what a disk may leave there.
        let lost = cut % 10 == 0;
        let behind: &[u8] = if lost { &[0; 700] } else { b"" };
        let _none_at_first = fs::remove_file(&path);
        fs::write(&path, [&whole[..cut], behind].concat()).unwrap();
        // A line is there when nothing but its line break is missing.
        let lines = ends
            .iter()
            .filter(|end| **end <= cut + usize::from(!lost))
            .count()
            - 1;
        let resumed = Journal::resume(folder.path());
        let Some(before) = told[lines].clone() else {
            let fault = resumed.unwrap_err().message;
            assert!(fault.contains("nothing to go on with"), "cut at {cut}: {fault}");
            continue;
        };
        resumed.unwrap().note(&Fact::Evaluated).unwrap();
        let bytes = fs::read(&path).unwrap();
        let (kept, new) = bytes.split_at(ends[lines]);
        assert!(kept == &whole[..ends[lines]], "cut at {cut}");
        assert!(
            matches!(facts(new)[..], [Fact::Resumed { .. }, Fact::Evaluated]),
            "cut at {cut}"
        );
        let mut want = before;
        want.hear(Fact::Resumed { tool: String::new() });
        want.hear(Fact::Evaluated);
        assert_eq!(history(folder.path()), want, "cut at {cut}");
    }
}

#[test]
fn an_earlier_journal_is_set_aside_and_no_other_file_is_harmed() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let begin = |run: &str| Journal::begin(folder.path(), begun(run)).unwrap();
    assert_eq!(begin("01234567-89").set_aside(), None);
    fs::write(at("journal.fedcba98.jsonl"), "mine").unwrap();
    let earlier = fs::read(at("journal.jsonl")).unwrap();
    let journal = begin("fedcba98-76");
    assert_eq!(journal.set_aside(), Some(&*at("journal.01234567.jsonl")));
    assert_eq!(fs::read(at("journal.01234567.jsonl")).unwrap(), earlier);
    assert_eq!(
        begin("../../etc/x").set_aside(),
        Some(&*at("journal.fedcba98-2.jsonl"))
    );
    assert_eq!(begin("").set_aside(), Some(&*at("journal.old.jsonl")));
    let journal = begin("last");
    assert_eq!(journal.set_aside(), Some(&*at("journal.old-2.jsonl")));
    let ended = Fact::Ended {
        outcome: "launched".to_owned(),
    };
    journal.note(&ended).unwrap();
    assert_eq!(begin("r").set_aside(), None);
    assert_eq!(history(folder.path()).begun.run, "r");
    assert_eq!(fs::read(at("journal.fedcba98.jsonl")).unwrap(), b"mine");

    fs::write(at("journal.jsonl"), "{\"x\":1}\n{}\n").unwrap();
    let fault = read(folder.path()).unwrap_err().message;
    assert!(fault.contains("line 1 of the journal"), "{fault}");
    assert!(
        fault.ends_with("`--fresh` sets it aside and begins anew"),
        "{fault}"
    );
    assert_eq!(Journal::resume(folder.path()).unwrap_err().message, fault);
    assert_eq!(begin("r").set_aside(), Some(&*at("journal.unreadable.jsonl")));
    // Half a first line tells nothing.
    fs::write(at("journal.jsonl"), "{\"at\":").unwrap();
    assert_eq!(begin("r").set_aside(), None);
    // What a begin that was killed left behind is in nobody's way.
    fs::write(at("journal.new"), "{\"at\":").unwrap();
    fs::remove_file(at("journal.jsonl")).unwrap();
    assert_eq!(begin("r").set_aside(), None);
    assert_eq!(history(folder.path()).resumed, 0);
    assert_eq!(
        names(folder.path()),
        [
            "journal.01234567.jsonl",
            "journal.fedcba98-2.jsonl",
            "journal.fedcba98.jsonl",
            "journal.jsonl",
            "journal.old-2.jsonl",
            "journal.old.jsonl",
            "journal.unreadable.jsonl"
        ]
    );
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_neither_read_nor_waited_for() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let elsewhere = folder();
    let secret = elsewhere.path().join("secret");
    type Make<'a> = &'a dyn Fn(&Path);
    let makings: [(&str, Make<'_>); 4] = [
        ("a folder", &|at| fs::create_dir(at).unwrap()),
        ("a link", &|at| symlink(&secret, at).unwrap()),
        ("a link", &|at| symlink("nowhere", at).unwrap()),
        ("no regular file", &|at| {
            assert!(Command::new("mkfifo").arg(at).status().unwrap().success());
        }),
    ];
    for (what, make) in makings {
        let folder = folder();
        fs::write(&secret, "").unwrap();
        let path = folder.path().join("journal.jsonl");
        make(&path);
        make(&folder.path().join("journal.new"));
        for fault in [read(folder.path()).err(), Journal::resume(folder.path()).err()] {
            let fault = fault.unwrap().message;
            assert!(
                fault.starts_with(&format!("{} is {what}, ", path.display())),
                "{fault}"
            );
        }
        let begun = Journal::begin(folder.path(), begun("r"));
        if what == "a folder" {
            assert!(begun.unwrap_err().message.starts_with("can't begin the journal"));
            fs::remove_dir(folder.path().join("journal.new")).unwrap();
            Journal::begin(folder.path(), super::super::fixtures::begun("r")).unwrap();
        } else {
            begun.unwrap();
        }
        assert_eq!(
            names(folder.path()),
            ["journal.jsonl", "journal.unreadable.jsonl"]
        );
        assert_eq!(history(folder.path()).begun.run, "r");
        assert_eq!(fs::read(&secret).unwrap(), b"");
        // As readable as the reports beside it: another user's step of a workflow brings both to a cache.
        let beside = folder.path().join("results.json");
        fs::write(&beside, b"{}").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), mode(&beside));
    }
}

#[test]
fn a_folder_is_made_and_a_file_in_its_place_is_told() {
    let folder = folder();
    let below = folder.path().join("out").join("suite");
    Journal::begin(&below, begun("r")).unwrap();
    assert_eq!(names(&below), ["journal.jsonl"]);
    let file = below.join("journal.jsonl");
    let fault = Journal::begin(&file, begun("r")).unwrap_err().message;
    assert!(
        fault.starts_with("can't make the folder ") && fault.contains("--output-dir"),
        "{fault}"
    );
    assert!(Journal::resume(&file).is_err());
    assert!(
        Journal::resume(folder.path())
            .unwrap_err()
            .message
            .contains("nothing to go on with")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_what_is_read(
        answers in prop::collection::vec(("[a-c]", any_sample(), prop::collection::vec(any_vote(), 0..4)), 0..5),
        writings in prop::collection::vec(any_writing(), 0..10),
    ) {
        let mut noted = vec![Fact::Begun(Box::new(begun("r")))];
        let mut samples = std::collections::BTreeMap::new();
        for (case, sample, votes) in answers {
            noted.push(answered(&case, sample.clone()));
            noted.extend(votes.iter().map(|vote| judged(&case, sample.index, vote.clone())));
            // Of each index the last, in order.
            let votes: std::collections::BTreeMap<_, _> = votes.into_iter().map(|v| (v.index, v)).collect();
            let key = (case, sample.index);
            samples.insert(key, crate::results::Sample { votes: votes.into_values().collect(), ..sample });
        }
        noted.extend(writings);
        let folder = folder();
        let journal = Journal::begin(folder.path(), begun("r")).unwrap();
        for fact in &noted[1..] {
            journal.note(fact).unwrap();
        }
        prop_assert_eq!(&facts(&fs::read(folder.path().join("journal.jsonl")).unwrap()), &noted);
        let told = history(folder.path());
        prop_assert_eq!(told.samples, samples.into_iter().collect());
    }
}

#[test]
fn an_answer_and_a_judgement_are_noted_as_their_facts() {
    let folder = tempfile::tempdir().unwrap();
    let answer = sample(0, "an answer");
    let vote = Vote {
        index: 0,
        outcome: crate::results::VoteOutcome::Scored,
        score: Some(0.5),
        feedback: Some("f".to_owned()),
        reasoning: None,
        detail: None,
        calls: Vec::new(),
        cached: None,
    };
    let lines = |note: &dyn Fn(&Journal)| {
        let journal = Journal::begin(folder.path(), begun("r")).unwrap();
        note(&journal);
        let text = fs::read_to_string(folder.path().join(Journal::FILE)).unwrap();
        let facts = text
            .lines()
            .skip(1)
            .map(|line| serde_json::from_str::<Line>(line).unwrap().fact);
        facts.collect::<Vec<_>>()
    };
    let borrowed = lines(&|journal| {
        journal.note_answer("a", &answer).unwrap();
        journal.note_vote("a", 0, &vote).unwrap();
        journal.note_beside("anchor:0a:0", &vote).unwrap();
    });
    let owned = [
        answered("a", answer.clone()),
        judged("a", 0, vote.clone()),
        judged_beside("anchor:0a:0", vote.clone()),
    ];
    assert_eq!(borrowed, owned);
}
