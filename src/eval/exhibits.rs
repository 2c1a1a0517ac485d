//! A suite's anchors and an earlier run's answers come in: what the judge is shown beside this run's own answers. Their
//! judgements come back, as the anchors' results and as the earlier results with new votes.
//!
//! Nothing in here is an answer of this run: an exhibit has no place among the cases, and so none in a figure, a
//! coverage or a trace.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::answer::MAX_ANSWER_BYTES;
use super::judge::Subject;
use super::known::{can_be_judged, usable_votes, with_every_vote};
use crate::results::{AnchorResult, JudgeRecord, Results, SuiteRecord, Vote, VoteOutcome};
use crate::suite::{Anchor, Case, Suite};

/// Everything that is judged beside the answers of the suite's cases: the anchors in the suite's order, then the
/// earlier answers in theirs.
#[derive(Debug)]
pub(super) struct Exhibits<'a> {
    suite: &'a Suite,
    earlier: Option<&'a Results>,
    all: Vec<Exhibit<'a>>,
}

/// A question and an answer that were there before this run.
#[derive(Debug)]
struct Exhibit<'a> {
    key: String,
    what: What<'a>,
}

#[derive(Debug)]
enum What<'a> {
    /// And which of several that are the same.
    Anchor(&'a Anchor, u32),
    /// An earlier answer of a case that is the same in this suite. Its text is read when it is judged.
    Earlier {
        case: &'a Case,
        /// Where it stands in the earlier results: case and sample.
        at: (usize, usize),
    },
}

impl<'a> Exhibits<'a> {
    pub(super) fn new(suite: &'a Suite, earlier: Option<&'a Results>) -> Exhibits<'a> {
        let mut all = Vec::new();
        let mut twins: BTreeMap<String, u32> = BTreeMap::new();
        for anchor in &suite.judge.anchors {
            let reference = anchor.reference.as_deref();
            let parts = [Some(anchor.question.as_str()), Some(&anchor.answer), reference];
            let hash = hash(&parts);
            // The same one twice is judged twice.
            let twin = twins.entry(hash.clone()).or_default();
            all.push(Exhibit {
                key: format!("anchor:{hash}:{twin}"),
                what: What::Anchor(anchor, *twin),
            });
            *twin += 1;
        }
        if let Some(earlier) = earlier {
            all.extend(comparable(suite, earlier));
        }
        Exhibits { suite, earlier, all }
    }

    /// What an exhibit's judgements are kept under: the same in every run whose judge is shown the same thing.
    pub(super) fn key(&self, at: usize) -> &str {
        self.all.get(at).map_or("", |exhibit| &exhibit.key)
    }

    /// Whether it is one of the suite's anchors.
    pub(super) fn is_anchor(&self, at: usize) -> bool {
        let exhibit = self.all.get(at);
        exhibit.is_some_and(|exhibit| matches!(exhibit.what, What::Anchor(..)))
    }

    /// What the judge is shown.
    pub(super) fn subject(&self, at: usize) -> Option<Subject<'a>> {
        Some(match self.all.get(at)?.what {
            What::Anchor(anchor, nth) => Subject {
                system: None,
                question: (&anchor.question).into(),
                answer: anchor.answer.as_str().into(),
                reference: anchor.reference.as_deref().map(Cow::Borrowed),
                nth,
            },
            What::Earlier {
                case,
                at: (at, position),
            } => {
                let mut was = self.earlier?.cases.get(at)?;
                let sample = was.samples.get_mut(position)?;
                Subject::of(&case.texts.read(), sample.index, sample.answer.take()?).into_owned()
            }
        })
    }

    /// Of judgements from before those that can be used, by the exhibit's position.
    pub(super) fn take(&self, known: &mut BTreeMap<String, Vec<Vote>>) -> Vec<Vec<Vote>> {
        let most = self.suite.judge.votes;
        let known = self.all.iter().map(|exhibit| known.remove(&exhibit.key));
        known
            .map(|votes| usable_votes(votes.unwrap_or_default(), most))
            .collect()
    }

    /// The anchors' results, the earlier results with these judgements, and how many judgements were not asked for.
    pub(super) fn judged(&self, votes: Vec<Vec<Vote>>) -> (Vec<AnchorResult>, Option<Results>, u64) {
        let mut anchors = Vec::new();
        let mut again = BTreeMap::new();
        let mut left = 0;
        let votes = votes.into_iter().chain(std::iter::repeat_with(Vec::new));
        for (exhibit, votes) in self.all.iter().zip(votes) {
            let votes = with_every_vote(votes, self.suite.judge.votes);
            let open = |vote: &&Vote| vote.outcome == VoteOutcome::NotAsked;
            left += votes.iter().filter(open).count() as u64;
            match exhibit.what {
                What::Anchor(anchor, _) => anchors.push(result(anchor, votes)),
                What::Earlier { at, .. } => {
                    again.insert(at, votes);
                }
            }
        }
        let rejudged = self.earlier.map(|earlier| self.judged_again(earlier, again));
        (anchors, rejudged, left)
    }

    /// The earlier results as if this run's judge had said nothing but these votes, by case and sample.
    fn judged_again(&self, earlier: &Results, mut votes: BTreeMap<(usize, usize), Vec<Vote>>) -> Results {
        let judge = &self.suite.judge;
        let cases = earlier.cases.iter().enumerate().map(|(at, mut case)| {
            for (position, sample) in case.samples.iter_mut().enumerate() {
                sample.votes = votes.remove(&(at, position)).unwrap_or_default();
            }
            case
        });
        Results {
            cases: cases.collect(),
            // They were another judge's. This one's are this run's own, and would be held against themselves.
            anchors: Vec::new(),
            suite: SuiteRecord {
                judge: JudgeRecord {
                    model: judge.model.clone(),
                    temperature: judge.temperature,
                    votes: judge.votes,
                    fingerprint: judge.fingerprint.clone(),
                },
                ..earlier.suite.clone()
            },
            tool: earlier.tool.clone(),
            run: earlier.run.clone(),
            baseline: earlier.baseline.clone(),
            without_baseline: earlier.without_baseline.clone(),
            calls: earlier.calls.clone(),
            ..*earlier
        }
    }
}

/// The answers of cases that are the same in this suite, as far as a judge can score them. Of a case or a sample that is
/// there twice the first one.
fn comparable<'a>(suite: &'a Suite, earlier: &'a Results) -> Vec<Exhibit<'a>> {
    let cases: BTreeMap<&str, &Case> = suite.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let mut seen = BTreeSet::new();
    let mut exhibits = Vec::new();
    for (at, was) in earlier.cases.iter().enumerate() {
        let same = cases
            .get(was.id.as_str())
            .filter(|case| case.fingerprint == was.fingerprint);
        let Some(case) = same else { continue };
        for (position, sample) in was.samples.iter().enumerate() {
            let answer = sample.answer.as_deref().filter(|answer| {
                // The file is somebody else's: no more is paid for than this suite itself would ask.
                can_be_judged(sample) && answer.len() <= MAX_ANSWER_BYTES && sample.index < case.samples
            });
            let Some(answer) = answer else { continue };
            if !seen.insert((case.id.as_str(), sample.index)) {
                continue;
            }
            let index = sample.index.to_string();
            let parts = [case.id.as_str(), &case.fingerprint, &index, answer].map(Some);
            exhibits.push(Exhibit {
                key: format!("earlier:{}", hash(&parts)),
                what: What::Earlier {
                    case,
                    at: (at, position),
                },
            });
        }
    }
    exhibits
}

fn result(anchor: &Anchor, votes: Vec<Vote>) -> AnchorResult {
    AnchorResult {
        fingerprint: anchor.fingerprint.clone(),
        question: anchor.question.clone(),
        answer: anchor.answer.clone(),
        reference: anchor.reference.clone(),
        expected: anchor.expected,
        tolerance: anchor.tolerance,
        votes,
    }
}

/// SHA-256 (hex) over texts, each behind its length, so that no two lists of them are one text.
fn hash(parts: &[Option<&str>]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        hasher.update(length.to_be_bytes());
        hasher.update(part.unwrap_or_default());
    }
    HEXLOWER.encode(&hasher.finalize())
}

#[cfg(test)]
mod tests;
