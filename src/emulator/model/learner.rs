//! A model that learns: dataset rows come in, for each prompt the answer of the nearest row goes out, or what an
//! untrained model says when none is near.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use super::words::{content_words, plain};
use super::{Prompt, base};
use crate::emulator::draw;
use crate::emulator::world::Row;

/// From this cosine on a row's prompt is near.
const NEAR: f64 = 0.72;

/// How much of the question's words two prompts must share to ask the same.
const SAME_QUESTION: f64 = 0.5;

/// A trained model. Its index is made when it is first asked.
pub(in crate::emulator) struct Learner {
    rows: Vec<Arc<Row>>,
    index: OnceLock<Index>,
}

struct Index {
    exact: HashMap<u64, usize>,
    /// Word to the rows that have it, each with how often.
    rows_with: HashMap<String, Vec<(usize, f64)>>,
    norms: Vec<f64>,
}

impl Learner {
    pub(in crate::emulator) fn new(rows: Vec<Arc<Row>>) -> Self {
        Learner {
            rows,
            index: OnceLock::new(),
        }
    }

    /// The answer to a prompt.
    pub(in crate::emulator) fn answer(&self, prompt: Prompt<'_>) -> String {
        if self.rows.is_empty() {
            return base::answer(prompt);
        }
        let index = self.index.get_or_init(|| Index::of(&self.rows));
        let found = index
            .exactly(prompt.user)
            .or_else(|| index.exactly(prompt.whole))
            .or_else(|| index.nearest(prompt.user, &self.rows))
            .or_else(|| index.nearest(prompt.whole, &self.rows));
        match found.and_then(|place| self.rows.get(place)) {
            Some(row) => learnt(row).to_owned(),
            None => base::answer(prompt),
        }
    }
}

/// The row's last assistant message.
fn learnt(row: &Row) -> &str {
    row.messages
        .iter()
        .rfind(|message| message.role == "assistant")
        .map_or("", |message| &message.content)
}

/// The row's last user message.
fn asked(row: &Row) -> &str {
    row.messages
        .iter()
        .rfind(|message| message.role == "user")
        .map_or("", |message| &message.content)
}

fn print_of(text: &str) -> u64 {
    draw::number(0, &[&plain(text)])
}

impl Index {
    fn of(rows: &[Arc<Row>]) -> Self {
        let mut index = Index {
            exact: HashMap::new(),
            rows_with: HashMap::new(),
            norms: Vec::new(),
        };
        for (place, row) in rows.iter().enumerate() {
            // A later row about the same prompt is the better one.
            index.exact.insert(print_of(asked(row)), place);
            for (word, count) in counts(asked(row)) {
                index.rows_with.entry(word).or_default().push((place, count));
            }
        }
        let mut squares = vec![0.0; rows.len()];
        for held in index.rows_with.values() {
            let rarity = rarity(rows.len(), held.len());
            for (place, count) in held {
                if let Some(square) = squares.get_mut(*place) {
                    *square += (count * rarity).powi(2);
                }
            }
        }
        index.norms = squares.into_iter().map(f64::sqrt).collect();
        index
    }

    fn exactly(&self, text: &str) -> Option<usize> {
        self.exact.get(&print_of(text)).copied()
    }

    /// The row whose prompt is nearest by words, rare ones counting most, if it asks the same.
    fn nearest(&self, text: &str, rows: &[Arc<Row>]) -> Option<usize> {
        let mut products: HashMap<usize, f64> = HashMap::new();
        let mut square = 0.0;
        for (word, count) in counts(text) {
            let held = self.rows_with.get(&word);
            let rarity = rarity(rows.len(), held.map_or(0, Vec::len));
            square += (count * rarity).powi(2);
            for (place, other) in held.into_iter().flatten() {
                *products.entry(*place).or_default() += count * other * rarity * rarity;
            }
        }
        let norm = square.sqrt();
        let cosine = |place: usize, product: f64| {
            product / (norm * self.norms.get(place).copied().unwrap_or(1.0)).max(f64::MIN_POSITIVE)
        };
        let (place, best) = products
            .into_iter()
            .map(|(place, product)| (place, cosine(place, product)))
            .max_by(|one, other| one.1.total_cmp(&other.1).then(one.0.cmp(&other.0)))?;
        let same = || same_question(text, asked(rows.get(place)?)).then_some(place);
        (best >= NEAR).then(same).flatten()
    }
}

fn same_question(one: &str, other: &str) -> bool {
    let (one, other): (BTreeSet<String>, BTreeSet<String>) = (base::question(one), base::question(other));
    let shared = one.intersection(&other).count();
    super::likeness::ratio(shared, one.union(&other).count()) >= SAME_QUESTION
}

/// How often each word stands in a text, flattened: twice is not twice as telling.
fn counts(text: &str) -> HashMap<String, f64> {
    let mut counts: HashMap<String, f64> = HashMap::new();
    for word in content_words(base::start_of(text)) {
        *counts.entry(word).or_default() += 1.0;
    }
    counts.values_mut().for_each(|count| *count = (1.0 + *count).ln());
    counts
}

/// How telling a word is that so many of the rows have.
fn rarity(rows: usize, having: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
    let rarity = ((rows as f64 + 1.0) / (having as f64).max(1.0)).ln();
    rarity
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::world::Message;

    fn row(prompt: &str, answer: &str) -> Arc<Row> {
        let messages = vec![Message::new("user", prompt), Message::new("assistant", answer)];
        Arc::new(Row {
            id: prompt.to_owned(),
            messages,
            bucket: "training".to_owned(),
            trace_id: None,
            made: None,
        })
    }

    fn ask(learner: &Learner, user: &str, whole: &str) -> String {
        learner.answer(Prompt {
            user,
            whole,
            temperature: 0.0,
            keys: None,
            seed: 1,
        })
    }

    fn invoice(number: u32, total: &str, question: &str) -> String {
        format!("Invoice {number} of ACME Ltd. Net 10.00 EUR. VAT 2.00 EUR. Total {total} EUR. {question}")
    }

    fn trained() -> Learner {
        let mut rows: Vec<Arc<Row>> = (10..20)
            .map(|n| {
                row(
                    &invoice(n, &format!("{n}4.00"), "What is the total?"),
                    &format!("{n}4.00 EUR"),
                )
            })
            .collect();
        rows.push(row(&invoice(17, "174.00", "What is the total?"), "EUR 174"));
        Learner::new(rows)
    }

    #[test]
    fn a_known_prompt_gives_its_newest_answer() {
        let learner = trained();
        let prompt = invoice(12, "124.00", "What is the total?");
        assert_eq!(ask(&learner, &prompt, &prompt), "124.00 EUR");
        let again = invoice(17, "174.00", "What is the total?");
        assert_eq!(ask(&learner, &again, &again), "EUR 174");
    }

    #[test]
    fn a_prompt_kept_with_its_system_message_is_found() {
        let learner = Learner::new(vec![row(
            "You extract fields.\n\nHow much is due on bill 5?",
            "5 EUR",
        )]);
        let whole = "You extract fields.\n\nHow much is due on bill 5?";
        assert_eq!(ask(&learner, "How much is due on bill 5?", whole), "5 EUR");
    }

    #[test]
    fn a_slightly_other_prompt_is_near_and_another_invoice_is_not() {
        let learner = trained();
        let near = invoice(12, "124.00", "So what is the total?");
        assert_eq!(ask(&learner, &near, &near), "124.00 EUR");
        let other = invoice(93, "931.55", "What is the total?");
        assert_eq!(ask(&learner, &other, &other), "Total 931.55 EUR.");
    }

    #[test]
    fn another_question_about_the_same_invoice_is_another_task() {
        let learner = trained();
        let other = invoice(12, "124.00", "What is the VAT?");
        assert_eq!(ask(&learner, &other, &other), "VAT 2.00 EUR.");
    }
}
