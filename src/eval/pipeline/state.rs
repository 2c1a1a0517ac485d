//! What was done comes in, and what is due goes out: the order of the calls, and the reasons to stop.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::{Answered, Done, Job, Judged, Known, Outcome, Plan, Purse, Room};
use crate::eval::Event;
use crate::eval::checks::Checks;
use crate::eval::diagnosis::may_be_missing;
use crate::eval::known::{Kept, Usable, came, can_be_judged, has_score, judged as was_judged};
use crate::eval::limits::Wanted;
use crate::eval::readiness::ends_the_run;
use crate::results::{Sample, StopKind, Stopped, Vote, VoteOutcome};
use crate::studio::{Failure, Purpose};
use crate::suite::Case;

use beside::Beside;
use tail::Tail;

mod beside;
mod ends;
mod recalled;
mod tail;

/// Judgements that may wait for the judge before no more answers are begun.
const MOST_AHEAD: usize = 32;

/// How the calls of one purpose are doing.
#[derive(Default)]
struct Line {
    in_flight: usize,
    /// A call came through: what others are rejected for is their own affair.
    works: bool,
    /// The first telling rejection was looked into, or is being.
    diagnosed: bool,
    diagnosing: bool,
    condemned: Option<Stopped>,
}

/// What is done, what is due.
pub(super) struct State<'a> {
    plan: &'a Plan<'a>,
    purse: &'a Purse<'a>,
    /// The next answer to ask for: the case's position and the sample's index.
    next: (usize, u32),
    /// The checks of the case that was begun last: cases in a row often share theirs.
    checks: Option<Arc<Checks>>,
    /// Answers that are not asked for, because they are there from before.
    known: BTreeSet<(usize, u32)>,
    due: VecDeque<Job>,
    beside: Beside,
    answers: Line,
    judgements: Line,
    tail: Tail,
    /// Answers that have a score or a judgement in flight.
    scored: BTreeSet<(usize, u32)>,
    /// A limit left a judgement in the middle.
    cut_short: bool,
    /// A reply could not be kept: no other one is handed on.
    unkept: bool,
    outcome: Outcome,
}

impl<'a> State<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, purse: &'a Purse<'a>, mut known: Known) -> State<'a> {
        let beside = plan.exhibits.take(&mut known.beside);
        let mut state = State {
            plan,
            purse,
            next: (0, 0),
            checks: None,
            known: BTreeSet::new(),
            due: VecDeque::new(),
            beside: Beside::new(&beside, plan.suite.judge.votes),
            answers: Line::default(),
            judgements: Line::default(),
            tail: Tail::default(),
            scored: BTreeSet::new(),
            cut_short: false,
            unkept: false,
            outcome: Outcome::with_known(beside),
        };
        for usable in known.usable(plan.suite) {
            let Usable {
                case,
                sample,
                written,
            } = usable;
            state.known.insert((case, sample.index));
            // What is from the cache is never traced.
            if has_score(&sample) && !written && sample.cached.is_none() {
                state.counts(case, sample.index);
            }
            state.judge_it(case, &sample);
            state.outcome.add_known(plan.suite, case, sample);
        }
        state.pass_by_known();
        state
    }

    /// What is left to ask, before anything was.
    pub(super) fn started(&self) -> Event {
        let cases = &self.plan.suite.cases;
        let all: usize = cases.iter().map(|case| case.samples as usize).sum();
        let answers = all.saturating_sub(self.known.len());
        Event::Started {
            cases: cases.len(),
            answers,
            judgements: answers
                .saturating_mul(self.plan.suite.judge.votes as usize)
                .saturating_add(self.due.len()),
            beside: self.beside.due(),
            kept: self.outcome.kept(),
            kept_beside: self.beside.kept(),
        }
    }

    /// Whether anything of the suite's cases is left to begin.
    pub(super) fn is_open(&self) -> bool {
        !self.due.is_empty() || self.answers_are_left()
    }

    fn answers_are_left(&self) -> bool {
        self.next.0 < self.plan.suite.cases.len()
    }

    /// Moves on to the next answer that has to be asked for.
    fn pass_by_known(&mut self) {
        while let Some(case) = self.plan.suite.cases.get(self.next.0) {
            if self.next.1 >= case.samples {
                self.next = (self.next.0 + 1, 0);
            } else if self.known.contains(&self.next) {
                self.next.1 += 1;
            } else {
                return;
            }
        }
    }

    fn line(&mut self, purpose: Purpose) -> &mut Line {
        match purpose {
            Purpose::Answer => &mut self.answers,
            Purpose::Judge => &mut self.judgements,
        }
    }

    /// What to begin now, if anything.
    pub(super) fn next_job(&mut self, room: &Room) -> Option<Job> {
        // It stands in front of all judgements, and of those there may be as many as answers.
        if matches!(self.due.front(), Some(Job::Diagnose { .. })) {
            return self.due.pop_front();
        }
        let waits = |line: &Line| line.diagnosing || line.condemned.is_some();
        if waits(&self.answers) || waits(&self.judgements) {
            return None;
        }
        let (answers, judgements) = (self.answers.in_flight, self.judgements.in_flight);
        let all = answers + judgements;
        let taken = |own: usize| if room.shared { all } else { own };
        let is_full = |own: usize, room: usize| taken(own) >= room;
        if all >= room.all {
            return None;
        }
        // A judgement goes ahead of the next answer, and where the judge is the slow one few answers wait for it.
        let judge_is_full = is_full(judgements, room.judgements);
        if judge_is_full && self.due.len() >= judgements.max(MOST_AHEAD) {
            return None;
        }
        let ahead = !is_full(answers, room.answers) && self.answers_go_ahead(all);
        if let Some(Job::Judge { case, sample, .. }) = self.due.front().filter(|_| !judge_is_full && !ahead) {
            let at = (*case, *sample);
            let counts = self.scored.contains(&at);
            if self.purse.refuses(Wanted::Judgement { counts }).is_some() {
                return None;
            }
            self.counts(at.0, at.1);
            self.judgements.in_flight += 1;
            self.purse.begin(Purpose::Judge);
            return self.due.pop_front();
        }
        if !self.answers_are_left() {
            // What the judge owes this run's own answers comes first.
            return match judge_is_full || !self.due.is_empty() {
                true => None,
                false => self.next_beside(),
            };
        }
        if is_full(answers, room.answers) {
            return None;
        }
        if self.purse.refuses(self.an_answer()).is_some() {
            return None;
        }
        let job = self.next_answer()?;
        self.answers.in_flight += 1;
        self.purse.begin(Purpose::Answer);
        Some(job)
    }

    fn an_answer(&self) -> Wanted {
        let votes = u64::from(self.plan.suite.judge.votes);
        // An answer whose judgements wait is not with the judge either.
        let open = self.answers.in_flight as u64 + (self.due.len() as u64).div_ceil(votes.max(1));
        Wanted::Answer { votes, open }
    }

    /// An answer has a score, or may have one soon.
    fn counts(&mut self, case: usize, sample: u32) {
        self.scored.insert((case, sample));
        self.purse.scored(self.scored.len());
    }

    pub(super) fn plan(&self) -> &'a Plan<'a> {
        self.plan
    }

    fn next_answer(&mut self) -> Option<Job> {
        let (at, sample) = self.next;
        let case = self.plan.suite.cases.get(at)?;
        let checks = self.checks_of(case);
        self.next.1 += 1;
        self.pass_by_known();
        Some(Job::Answer {
            case: at,
            sample,
            checks,
        })
    }

    fn checks_of(&mut self, case: &Case) -> Option<Arc<Checks>> {
        if case.checks.is_empty() {
            self.checks = None;
        } else if !self
            .checks
            .as_ref()
            .is_some_and(|checks| checks.are(&case.checks))
        {
            self.checks = Some(Arc::new(Checks::new(&case.checks)));
        }
        self.checks.clone()
    }

    /// Takes in what was done; a reason to stop the run at once goes out.
    pub(super) fn take(&mut self, done: Done) -> Option<Stopped> {
        let stopped = match done {
            Done::Answer { case, answered } => self.take_answer(case, answered),
            Done::Vote { case, sample, judged } => self.take_vote(case, sample, judged),
            Done::Beside { exhibit, judged } => self.take_beside(exhibit, judged),
            Done::Diagnosis { purpose, stopped } => {
                let line = self.line(purpose);
                line.diagnosing = false;
                line.condemned = stopped.filter(|_| !line.works);
                None
            }
        };
        self.owe();
        stopped
    }

    fn take_answer(&mut self, case: usize, answered: Answered) -> Option<Stopped> {
        let Answered {
            sample,
            latency,
            failure,
        } = answered;
        if let Some(stopped) = self.landed(Purpose::Answer, failure.as_ref(), sample.call.is_some()) {
            return Some(stopped);
        }
        let id = &self.plan.suite.cases[case].id;
        let index = sample.index;
        let unkept = match came(&sample) {
            true => self.keep(Kept::Answer {
                case: id,
                sample: &sample,
            }),
            false => None,
        };
        self.tail.answered(&sample);
        self.plan.tell(Event::Answered {
            case: id.clone(),
            sample: index,
            outcome: sample.outcome,
            latency,
        });
        if sample.failed_a_check() {
            self.counts(case, index);
            self.plan.tell(Event::Judged {
                case: id.clone(),
                sample: index,
                vote: None,
                outcome: VoteOutcome::Scored,
                score: Some(0.0),
            });
        }
        self.judge_it(case, &sample);
        self.outcome.add_sample(self.plan.suite, case, sample);
        unkept
    }

    /// The judgements that an answer lacks are due.
    fn judge_it(&mut self, case: usize, sample: &Sample) {
        let Some(answer) = sample.answer.as_deref().filter(|_| can_be_judged(sample)) else {
            return;
        };
        let answer: Arc<str> = answer.into();
        let votes = 0..self.plan.suite.judge.votes;
        let missing = votes.filter(|vote| sample.votes.iter().all(|there| there.index != *vote));
        self.due.extend(missing.map(|vote| Job::Judge {
            case,
            sample: sample.index,
            vote,
            answer: Arc::clone(&answer),
        }));
    }

    /// Hands on what was paid for; that it can't be kept is a reason to stop.
    fn keep(&mut self, kept: Kept<'_>) -> Option<Stopped> {
        if self.unkept {
            return None;
        }
        let fault = (self.plan.keep)(kept).err()?;
        self.unkept = true;
        Some(Stopped {
            kind: StopKind::Unrecorded,
            message: format!(
                "an answer or a judgement could not be written down, and would be paid for again: {fault}"
            ),
        })
    }

    fn take_vote(&mut self, case: usize, sample: u32, judged: Judged) -> Option<Stopped> {
        let Judged { vote, failure } = judged;
        if let Some(stopped) = self.landed(Purpose::Judge, failure.as_ref(), !vote.calls.is_empty()) {
            return Some(stopped);
        }
        let id = &self.plan.suite.cases[case].id;
        self.tail.judged(&vote);
        self.cut_short |= vote.outcome == VoteOutcome::NotAsked;
        // What is from the cache is found there again.
        let unkept = match was_judged(&vote) && vote.cached.is_none() {
            true => self.keep(Kept::Vote {
                case: id,
                sample,
                vote: &vote,
            }),
            false => None,
        };
        let Vote {
            index,
            outcome,
            score,
            ..
        } = vote;
        self.plan.tell(Event::Judged {
            case: id.clone(),
            sample,
            vote: Some(index),
            outcome,
            score,
        });
        self.outcome.add_vote(self.plan.suite, case, sample, vote);
        unkept
    }

    /// Keeps the books of one purpose when a call is over.
    fn landed(&mut self, purpose: Purpose, failure: Option<&Failure>, called: bool) -> Option<Stopped> {
        let line = self.line(purpose);
        line.in_flight = line.in_flight.saturating_sub(1);
        let Some(failure) = failure else {
            if called {
                line.works = true;
                line.condemned = None;
            }
            return None;
        };
        if let Some(stopped) = ends_the_run(failure) {
            return Some(stopped);
        }
        if may_be_missing(failure) && !line.works && !line.diagnosed {
            line.diagnosed = true;
            line.diagnosing = true;
            self.due.push_front(Job::Diagnose {
                purpose,
                failure: failure.clone(),
            });
        }
        None
    }

    pub(super) fn outcome(self, stopped: Option<Stopped>) -> Outcome {
        self.outcome.took(self.purse.tokens()).stopped(stopped)
    }
}
