use serde::Deserialize;

use super::*;
use crate::results::Sample;
use crate::score::fixtures::{case, scored};
use crate::suite::Wording;

/// A case whose text is long and its own.
fn long(at: usize) -> CaseResult {
    let mut case = case(&format!("c{at}"), &[at as f64 / 1_000.0]);
    case.reference = Some(format!("reference {at}"));
    let words = ["invoice", "total", "net", "of", "the", "amount", "due", "is"];
    let answer: String = (0..300)
        .map(|i| format!("{} ", words[(at * 7_919 + i * 104_729) % 100_003 % 8]))
        .collect();
    case.samples[0].answer = Some(answer);
    case
}

fn many(n: usize) -> Vec<CaseResult> {
    (0..n).map(long).collect()
}

/// Builds must not go unpacked without anybody's notice.
fn packed_bytes(cases: &Cases) -> usize {
    cases.pack.bytes()
}

#[test]
fn what_goes_in_comes_out_in_its_order() {
    let plain = many(500);
    let cases: Cases = plain.iter().cloned().collect();
    assert_eq!((cases.len(), cases.is_empty()), (500, false));
    assert_eq!(cases.iter().collect::<Vec<_>>(), plain);
    assert_eq!(cases.iter().len(), 500);
    for at in [0, 1, 120, 250, 499] {
        assert_eq!(cases.get(at).as_ref(), Some(&plain[at]));
    }
    assert_eq!(cases.get(500), None);
    let none = Cases::default();
    assert_eq!((none.len(), none.get(0), none.iter().next()), (0, None, None));
}

#[test]
fn they_take_less_room_than_their_texts() {
    let cases = Cases::from(many(500));
    let text = serde_json::to_vec(&cases).unwrap().len();
    assert!(
        packed_bytes(&cases) * 4 < text * 3,
        "{} of {text}",
        packed_bytes(&cases)
    );
}

#[test]
fn a_case_larger_than_a_block_is_held_as_well() {
    let mut plain = many(3);
    plain[1].samples[0].answer = Some("é\u{0}\"\n".repeat(100_000));
    plain.extend(many(200).into_iter().skip(3));
    let cases = Cases::from(plain.clone());
    assert_eq!(cases.get(1).unwrap(), plain[1]);
    assert_eq!(cases.iter().collect::<Vec<_>>(), plain);
}

#[test]
fn in_a_file_they_are_a_list() {
    for n in [0, 1, 300] {
        let plain = many(n);
        let cases = Cases::from(plain.clone());
        let text = serde_json::to_string_pretty(&cases).unwrap();
        assert_eq!(text, serde_json::to_string_pretty(&plain).unwrap());
        let read: Cases = serde_json::from_str(&text).unwrap();
        assert_eq!(read, cases);
        assert_eq!(format!("{cases:?}"), format!("{plain:?}"));
    }
    let fault = |text: &str| serde_json::from_str::<Cases>(text).unwrap_err().to_string();
    let of_a_list = |text: &str| {
        serde_json::from_str::<Vec<CaseResult>>(text)
            .unwrap_err()
            .to_string()
    };
    for text in ["{}", "7", "[3]", r#"[{"id": "a"}]"#, "["] {
        assert_eq!(fault(text), of_a_list(text));
    }
}

#[test]
fn they_are_the_same_where_their_cases_are_whatever_the_blocks() {
    let plain = many(300);
    let mut builder = CasesBuilder::default();
    for at in (0..300).rev() {
        put(&mut builder, at, &plain[at]);
    }
    let cases = builder.finish(300, |_| unreachable!());
    assert_eq!(cases, Cases::from(plain.clone()));
    let mut other = plain.clone();
    other[299].samples[0].answer = None;
    assert_ne!(cases, Cases::from(other));
    assert_ne!(cases, Cases::from(plain[..299].to_vec()));
}

/// A case without what stands in the suite, and that.
fn halves(case: &CaseResult) -> (CaseResult, Texts) {
    let mut case = case.clone();
    let texts = Wording {
        messages: std::mem::take(&mut case.messages),
        reference: case.reference.take(),
    };
    (case, texts.into())
}

fn put(builder: &mut CasesBuilder, at: usize, case: &CaseResult) {
    let (case, texts) = halves(case);
    builder.put(at, &case, &texts);
}

#[test]
fn cases_are_put_in_any_order_and_the_missing_ones_are_made() {
    let plain = many(400);
    let mut builder = CasesBuilder::default();
    // As calls in flight are answered: here and there, and one of them long after its neighbours.
    let late = |at: usize| at == 3 || at % 50 == 7;
    let order = (0..400).map(|at| at ^ 5).filter(|at| !late(*at));
    for at in order.chain([3]) {
        put(&mut builder, at, &plain[at]);
    }
    assert!(builder.has(3) && !builder.has(7) && !builder.has(1_000));
    let mut made = Vec::new();
    let cases = builder.finish(400, |at| {
        made.push(at);
        halves(&plain[at])
    });
    assert_eq!(made, [7, 57, 107, 157, 207, 257, 307, 357]);
    assert_eq!(cases.iter().collect::<Vec<_>>(), plain);
    let mut twice = CasesBuilder::default();
    put(&mut twice, 0, &plain[0]);
    put(&mut twice, 0, &plain[1]);
    assert_eq!(twice.finish(1, |_| unreachable!()).get(0).unwrap(), plain[1]);
}

#[test]
fn a_part_of_each_case_can_be_read() {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Name {
        id: String,
    }
    let cases = Cases::from(many(200));
    let names: Vec<Name> = cases.parts().collect();
    assert_eq!(names.len(), 200);
    assert_eq!(names[123].id, "c123");
}

#[test]
fn what_is_no_number_is_held_as_none() {
    for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut case = case("a", &[odd, 0.1 + 0.2]);
        (case.weight, case.pass_score) = (odd, odd);
        let there = Cases::from(vec![case]).get(0).unwrap();
        assert_eq!((there.weight, there.pass_score), (0.0, 0.0));
        assert_eq!(there.samples[0].votes[0].score, None);
        assert_eq!(
            there.samples[1].votes[0].score,
            Some(0.1 + 0.2),
            "to the last bit"
        );
    }
}

#[test]
fn cases_are_added_and_edited() {
    let mut cases = Cases::from(many(2));
    cases.push(&long(2));
    cases.extend(many(5).into_iter().skip(3));
    let more: Sample = scored(0.5);
    cases.edit(|all| all[4].samples.push(more.clone()));
    assert_eq!(cases.len(), 5);
    assert_eq!(cases.get(4).unwrap().samples[1], more);
}
