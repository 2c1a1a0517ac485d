//! What a crash leaves is recovered from, and what it can't have left is refused.

use proptest::prelude::*;

use super::super::fixtures::{any_sample, begun, everything, in_doubt, job, sending};
use super::super::promises::of_a_journal;
use super::super::{Doubt, Standing, fixtures};
use super::*;

const AT: &str = "2026-11-22T03:04:05.678Z";

fn line(fact: &Fact) -> String {
    format!(
        "{{\"at\":\"{AT}\",\"fact\":{}}}\n",
        serde_json::to_string(fact).unwrap()
    )
}

fn journal(facts: &[Fact]) -> String {
    let first = line(&Fact::Begun(Box::new(begun("r"))));
    first + &facts.iter().map(line).collect::<String>()
}

fn history(bytes: impl AsRef<[u8]>) -> Option<History> {
    read_from(bytes.as_ref()).unwrap().history
}

fn refused(bytes: impl AsRef<[u8]>) -> (u64, String) {
    of_a_journal(bytes.as_ref());
    match read_from(bytes.as_ref()) {
        Err(Bad::Line { number, cause }) => (number, cause),
        other => panic!("{other:?}"),
    }
}

#[test]
fn everything_that_happened_is_told() {
    let told = history(journal(&everything())).unwrap();
    assert_eq!((told.begun.clone(), told.resumed), (begun("r"), 1));
    assert_eq!(told.began_at.to_string(), AT);
    assert!(told.evaluated && told.wrote());
    assert_eq!(told.doubts(), 0);
    assert_eq!(told.before.map(|b| b.snapshots), Some(vec!["s0".to_owned()]));
    assert_eq!(told.snapshot, Standing::Done("s1".to_owned()));
    assert_eq!(told.snapshots_before, ["s0"]);
    assert_eq!(told.job, Standing::Done("j1".to_owned()));
    assert_eq!(told.job_name.as_deref(), Some("Nightly \u{2013} 0123"));
    assert_eq!(told.ended.as_deref(), Some("launched"));
    let votes: Vec<_> = told
        .samples
        .get(&("a".to_owned(), 0))
        .unwrap()
        .votes
        .iter()
        .map(|v| (v.index, v.score))
        .collect();
    assert_eq!(votes, [(0, Some(0.3)), (1, Some(0.1))]);
    // The later one of a repeated judgement; and they make no answer.
    let beside: Vec<_> = told.beside["anchor:0a:0"]
        .iter()
        .map(|v| (v.index, v.score))
        .collect();
    assert_eq!(beside, [(0, Some(0.5)), (1, Some(0.4))]);
    assert_eq!((told.beside.len(), told.samples.len()), (2, 2));
    let a = &told.traces[&("a".to_owned(), 0)];
    assert_eq!(a.trace, Standing::Done("t1".to_owned()));
    assert_eq!(a.row, Standing::Done("queued".to_owned()));
    assert!(a.state.is_some() && !a.already);
    assert!(told.traces[&("b".to_owned(), 0)].already);
}

#[test]
fn a_write_stands_where_its_last_fact_left_it() {
    let facts = [
        sending(job()),
        in_doubt(job(), true),
        fixtures::not_done(job()),
        sending(job()),
        fixtures::done(job(), "j"),
    ];
    let doubt = |cause: Option<&str>, late| {
        Standing::InDoubt(Doubt {
            since: AT.parse().unwrap(),
            cause: cause.map(str::to_owned),
            late,
        })
    };
    let want = [
        Standing::Open,
        doubt(None, false),
        doubt(Some("reset"), true),
        Standing::Open,
        doubt(None, false),
        Standing::Done("j".to_owned()),
    ];
    for (facts, want) in (0..=facts.len()).map(|n| &facts[..n]).zip(want) {
        let told = history(journal(facts)).unwrap();
        assert_eq!(
            told.doubts(),
            usize::from(matches!(want, Standing::InDoubt(_))),
            "{facts:?}"
        );
        assert_eq!(told.job, want, "{facts:?}");
    }
}

#[test]
fn a_cut_at_any_byte_leaves_the_lines_before_it() {
    let whole = journal(&everything());
    for cut in 0..=whole.len() {
        let bytes = &whole.as_bytes()[..cut];
        if cut % 5 == 0 {
            of_a_journal(bytes);
        }
        // A line is there when all of it but its line break is.
        let mut lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        if whole.as_bytes().get(cut) == Some(&b'\n') {
            lines += 1;
        }
        let want: String = whole.split_inclusive('\n').take(lines).collect();
        let reading = read_from(bytes).unwrap();
        assert_eq!(reading.history, history(want), "cut at {cut}");
        assert_eq!(reading.history.is_some(), lines > 0, "cut at {cut}");
    }
}

#[test]
fn what_a_power_loss_leaves_of_the_last_line_does_not_count() {
    let whole = journal(&everything()[..3]);
    let want = history(&whole);
    let half = line(&Fact::Evaluated);
    let half = &half.as_bytes()[..20];
    let tails: [&[u8]; 12] = [
        b"\0",
        &[0; 5000],
        b"\0\0\0\n",
        &[b"{\"at\":\"\0\0".as_slice(), &half[10..]].concat(),
        b"\xff\xfe{}\n",
        b"{\"at\":\"\xc3",
        b"{",
        b"7",
        b"\"x\"",
        b"\n",
        b" ",
        &[b"{\"a\":".repeat(10_000), vec![b'['; 100_000]].concat(),
    ];
    for tail in tails.into_iter().chain([half]) {
        let bytes = [whole.as_bytes(), tail].concat();
        of_a_journal(&bytes);
        let reading = read_from(&*bytes).unwrap();
        assert_eq!(reading.history, want, "{:?}", &tail[..tail.len().min(20)]);
        assert_eq!(reading.bytes, whole.len() as u64);
        assert!(!reading.unfinished);
        assert_eq!(history(tail), None);
    }
    assert_eq!(history(""), None);
}

#[test]
fn a_line_that_no_crash_left_is_refused_where_it_stands() {
    let [first, second] = [0, 1].map(|n| journal(&everything()[..n]).len());
    let whole = journal(&everything()[..3]);
    let (head, rest) = whole.split_at(second);
    for bad in ["\0\0\n", "\n", "{\"at\":\"20\n", "7\n", "\u{feff}{}\n"] {
        let (number, cause) = refused(format!("{head}{bad}{rest}"));
        assert_eq!(
            (number, cause.as_str()),
            (3, "it is not a JSON object"),
            "{bad:?}"
        );
    }
    let (number, cause) = refused([head.as_bytes(), b"\xff\n", rest.as_bytes()].concat());
    assert_eq!((number, cause.as_str()), (3, "it is not UTF-8"));
    let (number, _) = refused(&whole[first..]);
    assert_eq!(number, 1);
}

#[test]
fn what_this_version_does_not_know_is_refused_and_named() {
    let known = journal(&[]);
    let with = |fact: &str| format!("{known}{{\"at\":\"{AT}\",\"fact\":{fact}}}");
    let (number, cause) = refused(with("{\"promoted\\u001b[31m\":{}}"));
    assert_eq!(number, 2);
    assert!(
        cause.contains("`promoted\\u{1b}[31m`, which this version of tunegate does not know"),
        "{cause}"
    );
    assert!(
        refused(with(&format!("\"{}\"", "x".repeat(10_000))))
            .1
            .contains("xxx…`")
    );
    for (fact, want) in [
        ("{\"answered\":{\"case\":\"a\"}}", "missing field `sample`"),
        ("{\"sending\":{\"write\":{\"rename\":{}}}}", "`rename`"),
        (
            "{\"judged\":{\"case\":\"z\",\"sample\":1,\"vote\":{\"index\":0,\"outcome\":\"scored\",\"calls\":[]}}}",
            "a judgement of case z, sample 1, which has no answer",
        ),
        (
            "{\"judged_beside\":{\"key\":\"anchor:0\",\"vote\":{\"index\":1000,\"outcome\":\"scored\",\"calls\":[]}}}",
            "a judgement with the index 1000",
        ),
        ("7", "expected value"),
    ] {
        let (number, cause) = refused(with(fact));
        assert!(number == 2 && cause.contains(want), "{cause}");
    }
    assert!(refused(journal(&[]).repeat(2)).1.contains("a second beginning"));
    assert!(refused(line(&Fact::Evaluated)).1.contains("does not say `begun`"));
    let newer = known.replace("\"version\":1", "\"version\":2");
    for newer in [newer.clone(), newer.replace("\"asks\"", "\"puts\"")] {
        let (number, cause) = refused(newer);
        assert!(
            number == 1 && cause.contains("of format version 2, and this program reads version 1"),
            "{cause}"
        );
    }
    assert!(
        refused(known.replace("\"asks\"", "\"puts\""))
            .1
            .contains("missing field `asks`")
    );
}

#[test]
fn further_fields_and_other_line_breaks_do_no_harm() {
    let whole = journal(&everything());
    let further = whole
        .replace("\"case\":", "\"later\":{\"x\":[1,{}]},\"case\":")
        .replace("{\"at\":", "{\"seq\":7,\"at\":")
        .replace("\"asks\":", "\"later\":null,\"asks\":")
        .replace('\n', "\r\n");
    assert_eq!(history(further), history(whole));
}

#[test]
fn a_line_has_a_bound_and_so_has_its_depth() {
    let most = Journal::MAX_LINE_BYTES;
    let mut long = journal(&[]).into_bytes();
    let before = long.len();
    long.resize(before + most, b' ');
    long[before + most - 1] = b'\n';
    assert_eq!(read_from(&*long).unwrap().bytes, before as u64);
    long[before + most - 1] = b' ';
    long.extend(b"x\n");
    // Too long, and the last one: it is cut off like any other.
    assert_eq!(read_from(&*long).unwrap().bytes, before as u64);
    long.extend(line(&Fact::Evaluated).bytes());
    assert!(matches!(
        read_from(&*long),
        Err(Bad::Line { number: 2, cause }) if cause == format!("it is longer than {most} bytes")
    ));
    let deep = format!("{{\"x\":{}{}}}\n", "[".repeat(200_000), "]".repeat(200_000));
    assert_eq!(refused(journal(&[]) + &deep).0, 2);
}

proptest! {
    #[test]
    fn whatever_stands_there_the_promises_hold(
        from in 0..25usize, cut in any::<prop::sample::Index>(), junk in prop::collection::vec(any::<u8>(), 0..40),
        at in any::<prop::sample::Index>(), sample in any_sample(),
    ) {
        let mut facts = everything();
        facts.insert(from.min(facts.len()), fixtures::answered("c", sample));
        let mut bytes = journal(&facts).into_bytes();
        of_a_journal(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        of_a_journal(&bytes);
        let place = at.index(bytes.len() + 1);
        bytes.splice(place..place, junk.iter().copied());
        of_a_journal(&bytes);
        of_a_journal(&junk);
    }
}
