//! Fits a judge's words into a trace: feedback and reasoning come in, one text within the service's limit
//! goes out.

/// Most characters of a trace's feedback, as the reference of `POST /api/v1/traces` states it.
pub const FEEDBACK_LIMIT: usize = 2_048;

/// Stands where a text was cut.
const MARK: &str = " … [cut]";
/// Between feedback and reasoning, as in the walkthrough's script.
const BETWEEN: &str = "\n\nReasoning: ";
/// A shorter rest of a reasoning says nothing.
const SHORTEST_REASONING: usize = 40;

/// `"{feedback}\n\nReasoning: {reasoning}"` (the walkthrough's form), or the feedback alone when there is
/// no reasoning.
///
/// At most [`FEEDBACK_LIMIT`] UTF-16 units, the way JavaScript counts characters, so that it fits however
/// the service counts. What does not fit is cut at a character with a visible mark: the reasoning first,
/// and the feedback's end only where it is too long by itself.
pub fn fit_feedback(feedback: &str, reasoning: &str) -> String {
    if reasoning.trim().is_empty() {
        return fit(feedback, FEEDBACK_LIMIT);
    }
    let taken = units(feedback) + units(BETWEEN);
    let room = FEEDBACK_LIMIT.saturating_sub(taken);
    if units(reasoning) <= room || room >= SHORTEST_REASONING {
        return format!("{feedback}{BETWEEN}{}", fit(reasoning, room));
    }
    // Marked even where the feedback is whole: something is missing behind it.
    let room = FEEDBACK_LIMIT - units(MARK);
    format!("{}{MARK}", head(feedback, room))
}

fn fit(text: &str, room: usize) -> String {
    if units(text) <= room {
        return text.to_owned();
    }
    format!("{}{MARK}", head(text, room.saturating_sub(units(MARK))))
}

/// As many characters from the start as fit.
fn head(text: &str, room: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.len_utf16();
        if used > room {
            return text[..at].trim_end();
        }
    }
    text
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_fits_stays_as_it_is() {
        assert_eq!(
            fit_feedback("Good.", "It matches."),
            "Good.\n\nReasoning: It matches."
        );
        assert_eq!(fit_feedback("Good.", " "), "Good.");
        assert_eq!(fit_feedback("", "x"), "\n\nReasoning: x");
        let reasoning = "r".repeat(FEEDBACK_LIMIT - 5 - 13);
        assert_eq!(units(&fit_feedback("Good.", &reasoning)), FEEDBACK_LIMIT);
        assert!(!fit_feedback("Good.", &reasoning).contains("[cut]"));
    }

    #[test]
    fn the_reasoning_is_cut_first() {
        let text = fit_feedback("Good.", &"é".repeat(5_000));
        assert!(
            text.starts_with("Good.\n\nReasoning: éé") && text.ends_with("é … [cut]"),
            "{text}"
        );
        assert_eq!(units(&text), FEEDBACK_LIMIT);
    }

    #[test]
    fn a_long_feedback_keeps_its_head() {
        let text = fit_feedback(&"f".repeat(3_000), &"r".repeat(3_000));
        assert_eq!(units(&text), FEEDBACK_LIMIT);
        assert!(text.starts_with("fff") && text.ends_with("f … [cut]") && !text.contains("Reasoning"));
        // No room for a reasoning that says anything.
        let text = fit_feedback(&"f".repeat(2_030), &"r".repeat(100));
        assert_eq!(text, format!("{} … [cut]", "f".repeat(2_030)));
        // A short one fits all the same.
        let text = fit_feedback(&"f".repeat(2_030), "rrr");
        assert!(text.ends_with("Reasoning: rrr"));
    }

    #[test]
    fn a_pair_of_surrogates_is_not_split() {
        let text = fit_feedback(&"🦀".repeat(2_000), "");
        assert_eq!(text.matches('🦀').count(), (FEEDBACK_LIMIT - 8) / 2);
        assert!(text.ends_with("🦀 … [cut]"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn it_always_fits(feedback in "(\\PC|🦀){0,3000}", reasoning in "(\\PC|é){0,3000}") {
            let text = fit_feedback(&feedback, &reasoning);
            prop_assert!(units(&text) <= FEEDBACK_LIMIT);
            let kept = feedback.chars().take(900).collect::<String>();
            prop_assert!(text.starts_with(kept.trim_end()));
            let whole = units(&feedback) + units(&reasoning) + units(BETWEEN) <= FEEDBACK_LIMIT;
            prop_assert!(whole || text.ends_with(MARK) || reasoning.trim().is_empty());
        }
    }
}
