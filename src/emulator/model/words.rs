//! Text as the little models see it: text comes in; words, sentences and the question among them go out.

/// Words that say nothing about what a text is about.
const STOP_WORDS: [&str; 50] = [
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "did", "do", "does", "for", "from", "give",
    "has", "have", "how", "i", "in", "is", "it", "its", "me", "much", "of", "on", "only", "or", "please",
    "s", "say", "state", "tell", "that", "the", "this", "to", "was", "were", "what", "when", "where",
    "which", "who", "whose", "why", "will", "with", "you",
];

/// How questions without a question mark begin.
const REQUESTS: [&str; 28] = [
    "answer",
    "categorise",
    "categorize",
    "classify",
    "decide",
    "extract",
    "find",
    "give",
    "how",
    "identify",
    "judge",
    "list",
    "name",
    "provide",
    "read",
    "return",
    "say",
    "state",
    "summarise",
    "summarize",
    "tell",
    "what",
    "when",
    "where",
    "which",
    "who",
    "whose",
    "write",
];

/// The words of a text, in small letters. A number is one word, written the same way however it is grouped:
/// `1,204.00`, `1.204,00` and `1204` are all `1204`.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    let mut word = String::new();
    while let Some(letter) = chars.next() {
        let inside_number = matches!(letter, '.' | ',')
            && word.starts_with(|first: char| first.is_ascii_digit())
            && chars.peek().is_some_and(char::is_ascii_digit);
        if letter.is_alphanumeric() || inside_number {
            word.extend(letter.to_lowercase());
        } else if !word.is_empty() {
            words.push(tidy(std::mem::take(&mut word)));
        }
    }
    if !word.is_empty() {
        words.push(tidy(word));
    }
    words
}

/// Whether a word is a number.
pub(super) fn is_number(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit())
}

fn tidy(word: String) -> String {
    if !is_number(&word)
        || !word
            .chars()
            .all(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ','))
    {
        return word;
    }
    // The last mark is the decimal one unless it groups thousands: three digits after it and no other kind of mark.
    let decimal = word.rfind(['.', ',']).filter(|&at| {
        let mark = &word[at..=at];
        let after = word.len() - at - 1;
        let other = if mark == "." { ',' } else { '.' };
        let lone = word.matches(mark).count() == 1;
        lone && (after != 3 || word.contains(other))
    });
    let digits = |part: &str| part.chars().filter(char::is_ascii_digit).collect::<String>();
    match decimal {
        None => digits(&word),
        Some(at) => {
            let whole = digits(&word[..at]);
            match word[at + 1..].trim_end_matches('0') {
                "" => whole,
                part => format!("{whole}.{part}"),
            }
        }
    }
}

/// The words that say what a text is about.
pub(super) fn content_words(text: &str) -> Vec<String> {
    let mut words = words(text);
    words.retain(|word| !STOP_WORDS.contains(&word.as_str()));
    words
}

/// A text in small letters, without the marks around it and with single spaces.
pub(super) fn plain(text: &str) -> String {
    let inner = text.trim().trim_matches(['`', '"', '\'', '*', '.', ' ', '\n']);
    inner
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// The sentences and lines of a text, in order.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in text.lines() {
        let mut start = 0;
        let mut marks = line.char_indices().peekable();
        while let Some((at, letter)) = marks.next() {
            let next = marks.peek().map(|(_, next)| *next);
            let ends = match letter {
                '.' | '?' | '!' | ';' => next.is_none_or(char::is_whitespace),
                '…' => true,
                _ => false,
            };
            if ends {
                let end = at + letter.len_utf8();
                found.push(&line[start..end]);
                start = end;
            }
        }
        found.push(&line[start..]);
    }
    found.retain(|sentence| sentence.chars().any(char::is_alphanumeric));
    found.into_iter().map(str::trim).collect()
}

/// Which of the sentences asks: the last with a question mark, else the last that begins like a request, else the
/// last. `None` only without sentences.
pub(super) fn question_among(sentences: &[&str]) -> Option<usize> {
    let asks = |sentence: &&str| sentence.ends_with('?');
    let requests = |sentence: &&str| {
        words(sentence)
            .first()
            .is_some_and(|word| REQUESTS.contains(&word.as_str()))
    };
    let last = sentences.len().checked_sub(1)?;
    Some(
        sentences
            .iter()
            .rposition(asks)
            .or_else(|| sentences.iter().rposition(requests))
            .unwrap_or(last),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_one_word_however_they_are_grouped() {
        for text in ["1,204.00", "1.204,00", "1204", "1204.00", "1,204"] {
            assert_eq!(words(text), ["1204"], "{text}");
        }
        assert_eq!(words("3.50 EUR"), ["3.5", "eur"]);
        assert_eq!(
            words("No. 17, due 2026-03-04."),
            ["no", "17", "due", "2026", "03", "04"]
        );
        assert_eq!(words("1,204,500"), ["1204500"]);
    }

    #[test]
    fn sentences_end_at_marks_and_lines_but_not_inside_numbers() {
        let text =
            "Invoice 17 of ACME. Net 1,000.00 EUR; VAT 204.00 EUR.\nTotal: 1,204.00 EUR\nWhat is the total?";
        assert_eq!(
            sentences(text),
            [
                "Invoice 17 of ACME.",
                "Net 1,000.00 EUR;",
                "VAT 204.00 EUR.",
                "Total: 1,204.00 EUR",
                "What is the total?"
            ]
        );
    }

    #[test]
    fn the_question_is_found_wherever_it_stands() {
        let first = sentences("Extract the total. Invoice 17. Total 12 EUR.");
        assert_eq!(question_among(&first), Some(0));
        let last = sentences("Invoice 17. Total 12 EUR. What is the total?");
        assert_eq!(question_among(&last), Some(2));
        assert_eq!(question_among(&[]), None);
    }
}
