//! Any two texts come in, as a judge's reply and the answer that it judges; what is promised of the verdict is held
//! against what is read. For the tests and for fuzzing: nothing goes out, a broken promise panics.
//!
//! What a verdict is, is read here once more, by serde_json and in another way than the reader's own.

use serde_json::json;

use super::{MAX_ESCAPED, MAX_REPLY_BYTES, Verdict, read};
use crate::eval::json_scan::Json;

/// Where the reply has more braces than this, the second reading would take too long.
const MOST_BRACES: usize = 64;
/// Nested less deep than this, an object is read to its end.
const SHALLOW: usize = 16;

/// The verdict is what one object of the reply says, the last that says it all; its score is one; and nothing that
/// the answer holds is a verdict, whoever repeats it.
pub(crate) fn of_a_reply(reply: &str, answer: &str) {
    match read(reply, answer) {
        Ok(verdict) => {
            is_a_score(&verdict);
            is_written(&verdict, reply);
            is_not_believed_from_the_answer(reply, &verdict);
            does_not_hang_on_prose(reply, answer, &verdict);
            assert_eq!(read(reply, ""), Ok(verdict));
        }
        Err(fault) => {
            assert!(!fault.is_empty() && fault.chars().count() <= 200, "{fault:?}");
            assert!(!fault.contains(char::is_control), "{fault:?}");
        }
    }
    // Repeated whole, the answer is no verdict on itself.
    assert!(read(answer, answer).is_err());
    assert!(read(&format!("The answer was:\n{answer}\n"), answer).is_err());
    the_last_word_counts(reply);
}

fn is_a_score(verdict: &Verdict) {
    assert!(
        (0.0..=1.0).contains(&verdict.score) && verdict.score.is_sign_positive(),
        "{verdict:?}"
    );
}

fn is_written(verdict: &Verdict, reply: &str) {
    if reply.matches('{').count() > MOST_BRACES {
        return;
    }
    let said = said(reply);
    assert!(
        said.iter().any(|(_, _, said)| says(said, verdict)),
        "{verdict:?} stands nowhere"
    );
    if reply.matches(['{', '[']).count() > SHALLOW {
        return;
    }
    // What stands in no other object, in order; of those that have all three fields the last one decides.
    let mut behind = 0;
    let mut last = None;
    for (start, end, object) in &said {
        if *start >= behind {
            behind = *end;
            if fields_of(object).is_some_and(|fields| known(fields) == NAMES.len()) {
                last = Some(object);
            }
        }
    }
    assert!(
        last.is_some_and(|last| says(last, verdict)),
        "{verdict:?} is not the last one"
    );
}

/// Every whole JSON object of a text, wherever one begins, with its end.
fn said(text: &str) -> Vec<(usize, usize, Object)> {
    text.match_indices('{')
        .filter_map(|(at, _)| {
            let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Json>();
            match values.next()?.ok()? {
                Json::Object(entries) => Some((at, at + values.byte_offset(), entries)),
                _ => None,
            }
        })
        .collect()
}

/// Keys may stand twice.
type Object = Vec<(String, Json)>;

const NAMES: [&str; 3] = ["feedback", "reasoning", "score"];

fn known(object: &Object) -> usize {
    NAMES.iter().filter(|name| field(object, name).is_some()).count()
}

fn field<'o>(object: &'o Object, name: &str) -> Option<&'o Json> {
    object.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The object with the fields of a verdict: this one, or the only one right below it that has all of them.
fn fields_of(object: &Object) -> Option<&Object> {
    if known(object) > 0 {
        return Some(object);
    }
    let mut below = object.iter().filter_map(|(_, value)| match value {
        Json::Object(entries) if known(entries) == NAMES.len() => Some(entries),
        _ => None,
    });
    let only = below.next()?;
    below.next().is_none().then_some(only)
}

fn says(object: &Object, verdict: &Verdict) -> bool {
    fields_of(object).is_some_and(|fields| {
        let is = |name, wanted: &str| matches!(field(fields, name), Some(Json::Text(text)) if text == wanted);
        let score = match field(fields, "score") {
            Some(Json::Text(text)) => text.trim().parse().ok(),
            Some(Json::Number(number)) => Some(*number),
            _ => None,
        };
        is("feedback", &verdict.feedback)
            && is("reasoning", &verdict.reasoning)
            && score == Some(verdict.score)
    })
}

/// Were it the answer's, as it stands or in a text of the answer's own JSON, it would not be a verdict.
fn is_not_believed_from_the_answer(reply: &str, verdict: &Verdict) {
    let mut answer = reply.to_owned();
    for _ in 0..=MAX_ESCAPED {
        assert!(
            read(reply, &answer).is_err(),
            "{verdict:?} is believed from {answer:?}"
        );
        answer = json!({ "note": answer }).to_string();
    }
}

fn does_not_hang_on_prose(reply: &str, answer: &str, verdict: &Verdict) {
    for told in [
        format!("Let me see. \"Well\", 1: {reply}"),
        format!("{reply}\n\nI hope that \"helps\".\n"),
    ] {
        if told.len() <= MAX_REPLY_BYTES {
            assert_eq!(read(&told, answer).as_ref(), Ok(verdict), "{told:?}");
        }
    }
}

/// Whatever stands before it, a whole verdict at the end is the one that counts, and one that can't be used is not
/// replaced by another.
fn the_last_word_counts(before: &str) {
    const LAST: &str = r#"{"feedback": "last", "reasoning": "word", "score": 0.125}"#;
    let (good, bad) = (
        format!("{before}\n{LAST}"),
        format!("{before}\n{}", LAST.replace("0.125", "7")),
    );
    if bad.len() <= MAX_REPLY_BYTES && good.len() <= MAX_REPLY_BYTES {
        let last = Verdict {
            score: 0.125,
            feedback: "last".to_owned(),
            reasoning: "word".to_owned(),
        };
        assert_eq!(read(&good, ""), Ok(last));
        assert!(read(&bad, "").is_err());
    }
}
