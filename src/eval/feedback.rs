//! A judged answer comes in; what its model should learn from it goes out, as text. Pure.

use crate::results::{CaseResult, Sample, VoteOutcome};

/// What to tell the model about an answer: the feedback, and the reasoning behind it. Both are empty for
/// an answer that nobody scored.
///
/// Where checks failed, these are what there is to say, with the reference as the right answer. Else it
/// is the judge's feedback, the harshest vote first.
pub fn sample_feedback(case: &CaseResult, sample: &Sample) -> (String, String) {
    if sample.failed_a_check() {
        return of_checks(case, sample);
    }
    let mut votes: Vec<_> = sample
        .votes
        .iter()
        .filter(|vote| vote.outcome == VoteOutcome::Scored)
        .collect();
    votes.sort_by(|a, b| {
        let score = |score: Option<f64>| score.unwrap_or(1.0);
        score(a.score)
            .total_cmp(&score(b.score))
            .then(a.index.cmp(&b.index))
    });
    (
        joined(votes.iter().filter_map(|vote| vote.feedback.as_deref())),
        joined(votes.iter().filter_map(|vote| vote.reasoning.as_deref())),
    )
}

fn of_checks(case: &CaseResult, sample: &Sample) -> (String, String) {
    let failed: Vec<_> = sample.checks.iter().filter(|check| !check.passed).collect();
    let mut lines: Vec<String> = failed
        .iter()
        .map(|check| match &check.detail {
            Some(detail) => format!("Failed check {}: {detail}", check.check),
            None => format!("Failed check {}", check.check),
        })
        .collect();
    if let Some(reference) = &case.reference {
        lines.push(format!("The answer should be: {reference}"));
    }
    let reasoning = format!(
        "{} of {} checks on the answer's text failed, so no judge was asked.",
        failed.len(),
        sample.checks.len()
    );
    (lines.join("\n"), reasoning)
}

/// The texts in order, each once, with an empty line between them.
fn joined<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for text in texts.map(str::trim).filter(|text| !text.is_empty()) {
        if !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept.join("\n\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::answer::without_answer;
    use super::*;
    use crate::results::{AnswerOutcome, CheckResult, Vote};
    use crate::suite::{Parameters, Place};

    fn case(reference: Option<&str>) -> CaseResult {
        CaseResult {
            id: "a".to_owned(),
            fingerprint: String::new(),
            place: Place {
                file: "s.yaml".into(),
                line: 1,
                column: 1,
            },
            tags: BTreeSet::new(),
            group: None,
            weight: 1.0,
            critical: false,
            holdout: false,
            pass_score: 0.7,
            messages: Vec::new(),
            parameters: Parameters::default(),
            reference: reference.map(str::to_owned),
            samples: Vec::new(),
        }
    }

    fn vote(index: u32, score: f64, feedback: &str, reasoning: &str) -> Vote {
        Vote {
            index,
            outcome: VoteOutcome::Scored,
            score: Some(score),
            feedback: Some(feedback.to_owned()),
            reasoning: Some(reasoning.to_owned()),
            detail: None,
            calls: Vec::new(),
            cached: None,
        }
    }

    fn check(name: &str, detail: Option<&str>) -> CheckResult {
        CheckResult {
            check: name.to_owned(),
            passed: detail.is_none(),
            detail: detail.map(str::to_owned),
        }
    }

    #[test]
    fn failed_checks_come_first_with_the_reference() {
        let mut sample = without_answer(0, AnswerOutcome::Answered, None);
        sample.checks = vec![
            check("is_json", Some("no JSON: x")),
            check("max_chars: 3", None),
            check("contains: \"1\"", Some("the answer is \"2\"")),
        ];
        let (feedback, reasoning) = sample_feedback(&case(Some("1 EUR")), &sample);
        assert_eq!(
            feedback,
            "Failed check is_json: no JSON: x\nFailed check contains: \"1\": the answer is \"2\"\n\
             The answer should be: 1 EUR"
        );
        assert_eq!(
            reasoning,
            "2 of 3 checks on the answer's text failed, so no judge was asked."
        );
        let (feedback, _) = sample_feedback(&case(None), &sample);
        assert!(!feedback.contains("should be"), "{feedback}");
    }

    #[test]
    fn votes_speak_the_harshest_first_and_once() {
        let mut sample = without_answer(0, AnswerOutcome::Answered, None);
        sample.checks = vec![check("is_json", None)];
        let unread = Vote {
            outcome: VoteOutcome::Unparseable,
            score: None,
            ..vote(3, 0.0, "no", "no")
        };
        sample.votes = vec![
            vote(0, 0.9, "good", "same"),
            vote(1, 0.1, " bad ", "same"),
            vote(2, 0.5, "bad", ""),
            unread,
        ];
        let told = sample_feedback(&case(Some("unused")), &sample);
        assert_eq!(told, ("bad\n\ngood".to_owned(), "same".to_owned()));
    }

    #[test]
    fn an_answer_that_nobody_scored_has_no_feedback() {
        let sample = without_answer(0, AnswerOutcome::Failed, Some("why".to_owned()));
        assert_eq!(
            sample_feedback(&case(Some("r")), &sample),
            (String::new(), String::new())
        );
    }
}
