//! The judge: what is to be judged comes in, a reply as chatty models write it goes out, with the verdict as
//! fenced JSON. It compares with the reference; without one it says how plausible the answer looks.

use serde_json::json;

use super::likeness::{Likeness, Verdict, compare, ratio, rounded};
use super::sections::Brief;
use super::words::content_words;
use super::{base, words};
use crate::emulator::draw;
use crate::emulator::world::CORRECTION_MARK;

/// A judge's reply. `odd`: the share of replies that hold no usable verdict; `text` is all that was asked.
pub(in crate::emulator) fn judge(brief: Option<&Brief<'_>>, text: &str, seed: u64, odd: f64) -> String {
    if odd > 0.0 && draw::share(seed, &["odd judgement", text]) < odd {
        return oddity(draw::number(seed, &["odd kind", text]));
    }
    let (score, feedback, reasoning) = match brief {
        Some(brief) => verdict(brief, seed),
        None => (
            0.5,
            "The prompt names no answer to judge.".to_owned(),
            "There was nothing to compare.".to_owned(),
        ),
    };
    let object = json!({"feedback": feedback, "reasoning": reasoning, "score": score});
    let object = serde_json::to_string_pretty(&object).unwrap_or_default();
    format!("Here is my evaluation of the response.\n\n```json\n{object}\n```\n")
}

fn verdict(brief: &Brief<'_>, seed: u64) -> (f64, String, String) {
    let Some(reference) = brief.reference.filter(|reference| !reference.trim().is_empty()) else {
        return plausibility(brief, seed);
    };
    let Likeness { score, verdict } = compare(brief.answer, reference);
    let (opening, reasoning) = match verdict {
        Verdict::Same => ("The answer is right.", "It says what the reference says."),
        Verdict::Contained => (
            "The answer holds what was asked for, with more around it.",
            "The reference stands in it whole.",
        ),
        Verdict::Partly => (
            "Parts of the answer are right.",
            "It shares words with the reference.",
        ),
        Verdict::Wrong => ("The answer is wrong.", "It has next to nothing of the reference."),
        Verdict::Empty => ("There is no answer.", "An empty answer can't be right."),
    };
    let feedback = if verdict == Verdict::Same {
        opening.to_owned()
    } else {
        format!("{opening} {CORRECTION_MARK} {}", reference.trim())
    };
    (score, feedback, reasoning.to_owned())
}

/// Without a reference: an answer that is one of the alternatives the question names, or that speaks of what was
/// asked, looks better than one that doesn't; never very good, never very bad.
fn plausibility(brief: &Brief<'_>, seed: u64) -> (f64, String, String) {
    let answer = brief.answer.trim();
    if answer.is_empty() {
        return (
            0.0,
            "There is no answer.".to_owned(),
            "An empty answer can't be right.".to_owned(),
        );
    }
    let options = base::alternatives(brief.question);
    let first = words::plain(answer.lines().next().unwrap_or_default());
    let (start, feedback) = if options.is_empty() {
        let asked = content_words(brief.question);
        let given = content_words(answer);
        let met = given.iter().filter(|word| asked.contains(word)).count();
        (
            0.45 + 0.2 * ratio(met, given.len()),
            "The answer speaks of what was asked.",
        )
    } else if options.iter().any(|option| words::plain(option) == first) {
        (0.6, "The answer has the form that was asked for.")
    } else {
        (0.3, "The answer is none of the alternatives that the task names.")
    };
    let score = rounded(start + 0.2 * draw::share(seed, &["plausible", brief.question, answer]));
    (
        score,
        feedback.to_owned(),
        "There was no reference to compare with.".to_owned(),
    )
}

/// Replies that real judges give now and then, and no verdict is in.
fn oddity(number: u64) -> String {
    let reply = match number % 6 {
        0 => "I would rather not put a number on this answer.",
        1 => "```json\n{\"feedback\": \"The answer is",
        2 => "{\"feedback\": \"Good.\", \"reasoning\": \"It fits.\", \"score\": 7}",
        3 => "{\"feedback\": \"Good.\", \"reasoning\": \"It fits.\", \"score\": \"high\"}",
        4 => "{\"feedback\": \"Good.\", \"reasoning\": \"It fits.\", \"score\": NaN}",
        _ => "",
    };
    reply.to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn verdict_of(reply: &str) -> Value {
        let from = reply.find('{').unwrap();
        let to = reply.rfind('}').unwrap();
        serde_json::from_str(&reply[from..=to]).unwrap()
    }

    #[test]
    fn the_feedback_says_what_the_corrector_needs() {
        let brief = Brief {
            question: "Total?",
            answer: "12",
            reference: Some("17 EUR"),
            rubric: None,
        };
        let verdict = verdict_of(&judge(Some(&brief), "", 1, 0.0));
        assert_eq!(verdict["score"], 0.05);
        assert_eq!(
            verdict["feedback"],
            "The answer is wrong. The answer should be: 17 EUR"
        );
        let right = Brief {
            answer: "17 EUR",
            ..brief
        };
        let verdict = verdict_of(&judge(Some(&right), "", 1, 0.0));
        assert_eq!(verdict["score"], 1.0);
        assert_eq!(verdict["feedback"], "The answer is right.");
    }

    #[test]
    fn without_a_reference_it_stays_modest() {
        let question = "First line must read 'safe' or 'unsafe'.";
        for answer in ["safe", "unsafe\nS1", "perhaps", "score: 1.0"] {
            let brief = Brief {
                question,
                answer,
                reference: None,
                rubric: None,
            };
            let score = verdict_of(&judge(Some(&brief), "", 1, 0.0))["score"]
                .as_f64()
                .unwrap();
            assert!((0.25..0.85).contains(&score), "{answer}: {score}");
        }
    }

    #[test]
    fn odd_judgements_come_at_their_rate() {
        let brief = Brief {
            question: "Total?",
            answer: "12",
            reference: Some("12"),
            rubric: None,
        };
        let odd = (0..500)
            .map(|n: u32| judge(Some(&brief), &n.to_string(), 1, 0.3))
            .filter(|reply| !reply.contains("\"score\": 1.0"))
            .count();
        assert!((110..190).contains(&odd), "{odd}");
    }
}
