//! Answers with their judgements come in one by one, in any order, and go out again the same; in between they are held
//! packed, for a run that is taken up again may hold 100,000 of them.

use std::collections::BTreeMap;
use std::collections::btree_map::IntoIter;

use super::{Sample, Vote};

/// Judgements that are added to an answer before those that were replaced are thrown away.
const LOOSE: u32 = 64;

/// Answers with their judgements, by the case's id and the sample's index. Each is held as its JSON.
#[derive(Debug, Clone, Default)]
pub struct Samples(BTreeMap<(String, u32), Packed>);

/// A sample's JSON, and behind it, a line each, judgements that were added: compressed, behind its size.
#[derive(Debug, Clone, Default)]
struct Packed {
    bytes: Box<[u8]>,
    added: u32,
}

impl Samples {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is one of this case and index.
    pub fn contains(&self, key: &(String, u32)) -> bool {
        self.0.contains_key(key)
    }

    /// Takes an answer in; the one that was there before goes out.
    pub fn insert(&mut self, key: (String, u32), sample: &Sample) -> Option<Sample> {
        self.0.insert(key, Packed::of(sample))?.sample()
    }

    /// Takes note that there is an answer, and not of what it is: it can't be had back.
    pub(crate) fn mark(&mut self, key: (String, u32)) {
        self.0.insert(key, Packed::default());
    }

    /// Adds a judgement to an answer, by its index; a repeated one is the later one. False where there is no answer.
    pub fn add_vote(&mut self, key: &(String, u32), vote: &Vote) -> bool {
        match self.0.get_mut(key) {
            Some(packed) => {
                packed.add(vote);
                true
            }
            None => false,
        }
    }

    /// The answer of this case and index.
    pub fn get(&self, key: &(String, u32)) -> Option<Sample> {
        self.0.get(key)?.sample()
    }

    /// Hands the answer of this case and index over.
    pub fn remove(&mut self, key: &(String, u32)) -> Option<Sample> {
        self.0.remove(key)?.sample()
    }

    /// Case and index of each, in order.
    pub fn keys(&self) -> impl Iterator<Item = &(String, u32)> {
        self.0.keys()
    }

    /// One after the other, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&(String, u32), Sample)> {
        self.0
            .iter()
            .filter_map(|(key, packed)| Some((key, packed.sample()?)))
    }

    /// The answers alone, one after the other.
    pub fn values(&self) -> impl Iterator<Item = Sample> {
        self.0.values().filter_map(Packed::sample)
    }
}

impl Packed {
    /// A sample always has a JSON; where it had none it would be asked for again.
    fn of(sample: &Sample) -> Packed {
        let json = serde_json::to_vec(sample).unwrap_or_default();
        Packed {
            bytes: lz4_flex::compress_prepend_size(&json).into(),
            added: 0,
        }
    }

    fn add(&mut self, vote: &Vote) {
        let Some(mut json) = self.json() else { return };
        let before = json.len();
        json.push(b'\n');
        if serde_json::to_writer(&mut json, vote).is_err() {
            json.truncate(before);
        }
        self.bytes = lz4_flex::compress_prepend_size(&json).into();
        self.added += 1;
        if self.added == LOOSE
            && let Some(sample) = self.sample()
        {
            *self = Packed::of(&sample);
        }
    }

    /// What was packed; none of one that is only marked.
    fn json(&self) -> Option<Vec<u8>> {
        lz4_flex::decompress_size_prepended(&self.bytes).ok()
    }

    fn sample(&self) -> Option<Sample> {
        let json = self.json()?;
        // JSON that is not written for people has no line break in it.
        let mut lines = json.split(|byte| *byte == b'\n');
        let mut sample: Sample = serde_json::from_slice(lines.next()?).ok()?;
        for line in lines {
            let vote: Vote = serde_json::from_slice(line).ok()?;
            match sample.votes.binary_search_by_key(&vote.index, |vote| vote.index) {
                Ok(known) => sample.votes[known] = vote,
                Err(place) => sample.votes.insert(place, vote),
            }
        }
        Some(sample)
    }
}

impl PartialEq for Samples {
    fn eq(&self, other: &Samples) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl FromIterator<((String, u32), Sample)> for Samples {
    fn from_iter<I: IntoIterator<Item = ((String, u32), Sample)>>(samples: I) -> Samples {
        let packed = samples
            .into_iter()
            .map(|(key, sample)| (key, Packed::of(&sample)));
        Samples(packed.collect())
    }
}

impl IntoIterator for Samples {
    type Item = ((String, u32), Sample);
    type IntoIter = Unpacked;

    fn into_iter(self) -> Unpacked {
        Unpacked(self.0.into_iter())
    }
}

/// See [`Samples::into_iter`].
#[derive(Debug)]
pub struct Unpacked(IntoIter<(String, u32), Packed>);

impl Iterator for Unpacked {
    type Item = ((String, u32), Sample);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.find_map(|(key, packed)| Some((key, packed.sample()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{AnswerOutcome, CallCost, VoteOutcome};

    fn sample(answer: &str) -> Sample {
        serde_json::from_value(serde_json::json!({
            "index": 0, "outcome": AnswerOutcome::Answered, "answer": answer, "checks": [], "votes": [],
        }))
        .unwrap()
    }

    fn vote(index: u32, score: f64) -> Vote {
        Vote {
            index,
            outcome: VoteOutcome::Scored,
            score: Some(score),
            feedback: Some("two\nlines".to_owned()),
            reasoning: None,
            detail: None,
            calls: vec![CallCost::default()],
            cached: None,
        }
    }

    fn key(case: &str) -> (String, u32) {
        (case.to_owned(), 0)
    }

    #[test]
    fn what_comes_in_goes_out_the_same() {
        let mut samples = Samples::default();
        assert!(!samples.add_vote(&key("a"), &vote(0, 0.1)));
        assert_eq!(samples.insert(key("a"), &sample("one\ntwo \u{2028} \"")), None);
        for (index, score) in [(1, 0.3), (0, 0.1), (1, 0.7)] {
            assert!(samples.add_vote(&key("a"), &vote(index, score)));
        }
        let whole = Sample {
            votes: vec![vote(0, 0.1), vote(1, 0.7)],
            ..sample("one\ntwo \u{2028} \"")
        };
        assert_eq!(samples.get(&key("a")), Some(whole.clone()));
        let once: Samples = [(key("a"), whole.clone())].into_iter().collect();
        assert_eq!(samples, once);
        assert_eq!(samples.remove(&key("a")), Some(whole));
        assert!(samples.is_empty() && samples != once);
        samples.mark(key("a"));
        assert_eq!((samples.len(), samples.get(&key("a"))), (1, None));
    }

    #[test]
    fn a_judgement_that_is_repeated_for_ever_takes_no_room() {
        let mut samples: Samples = [(key("a"), sample("x"))].into_iter().collect();
        for round in 0..10_000 {
            samples.add_vote(&key("a"), &vote(round % 3, f64::from(round) / 10_000.0));
        }
        assert!(samples.0[&key("a")].json().unwrap().len() < 20_000);
        let scores: Vec<_> = samples
            .get(&key("a"))
            .unwrap()
            .votes
            .iter()
            .map(|v| v.score)
            .collect();
        assert_eq!(scores, [Some(0.9999), Some(0.9997), Some(0.9998)]);
    }
}
