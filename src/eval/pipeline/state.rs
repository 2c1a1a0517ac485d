//! What was done comes in, and what is due goes out: the order of the calls, and the reasons to stop.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Answered, Done, Job, Judged, Outcome, Plan};
use crate::eval::Event;
use crate::eval::checks::Checks;
use crate::eval::diagnosis::may_be_missing;
use crate::eval::readiness::ends_the_run;
use crate::results::{AnswerOutcome, Stopped, Vote, VoteOutcome};
use crate::studio::{Failure, Purpose};

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
    /// The next answer to ask for: the case's position and the sample's index.
    next: (usize, u32),
    /// The checks of the case that was begun last: cases in a row often share theirs.
    checks: Option<Arc<Checks>>,
    due: VecDeque<Job>,
    answers: Line,
    judgements: Line,
    outcome: Outcome,
}

impl<'a> State<'a> {
    pub(super) fn new(plan: &'a Plan<'a>) -> State<'a> {
        State {
            plan,
            next: (0, 0),
            checks: None,
            due: VecDeque::new(),
            answers: Line::default(),
            judgements: Line::default(),
            outcome: Outcome::default(),
        }
    }

    fn line(&mut self, purpose: Purpose) -> &mut Line {
        match purpose {
            Purpose::Answer => &mut self.answers,
            Purpose::Judge => &mut self.judgements,
        }
    }

    /// What to begin now, if anything.
    pub(super) fn next_job(&mut self) -> Option<Job> {
        if let Some(at) = self
            .due
            .iter()
            .position(|job| matches!(job, Job::Diagnose { .. }))
        {
            return self.due.remove(at);
        }
        let waits = |line: &Line| line.diagnosing || line.condemned.is_some();
        let in_flight = self.answers.in_flight + self.judgements.in_flight;
        if in_flight >= self.plan.settings.concurrency.max(1)
            || waits(&self.answers)
            || waits(&self.judgements)
        {
            return None;
        }
        if let Some(job) = self.due.pop_front() {
            self.judgements.in_flight += 1;
            return Some(job);
        }
        let job = self.next_answer()?;
        self.answers.in_flight += 1;
        Some(job)
    }

    fn next_answer(&mut self) -> Option<Job> {
        let (mut at, mut sample) = self.next;
        let mut case = self.plan.suite.cases.get(at)?;
        while sample >= case.samples {
            (at, sample) = (at + 1, 0);
            case = self.plan.suite.cases.get(at)?;
        }
        if case.checks.is_empty() {
            self.checks = None;
        } else if !self
            .checks
            .as_ref()
            .is_some_and(|checks| checks.are(&case.checks))
        {
            self.checks = Some(Arc::new(Checks::new(&case.checks)));
        }
        self.next = (at, sample + 1);
        Some(Job::Answer {
            case: at,
            sample,
            checks: self.checks.clone(),
        })
    }

    /// Takes in what was done; a reason to stop the run at once goes out.
    pub(super) fn take(&mut self, done: Done) -> Option<Stopped> {
        match done {
            Done::Answer { case, answered } => self.take_answer(case, answered),
            Done::Vote { case, sample, judged } => self.take_vote(case, sample, judged),
            Done::Diagnosis { purpose, stopped } => {
                let line = self.line(purpose);
                line.diagnosing = false;
                line.condemned = stopped.filter(|_| !line.works);
                None
            }
        }
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
        let outcome = sample.outcome;
        self.plan.tell(Event::Answered {
            case: id.clone(),
            sample: index,
            outcome,
            latency,
        });
        if sample.failed_a_check() {
            self.plan.tell(Event::Judged {
                case: id.clone(),
                sample: index,
                vote: None,
                outcome: VoteOutcome::Scored,
                score: Some(0.0),
            });
        } else if let (AnswerOutcome::Answered, Some(answer)) = (outcome, sample.answer.as_deref()) {
            let answer: Arc<str> = answer.into();
            let votes = 0..self.plan.suite.judge.votes;
            self.due.extend(votes.map(|vote| Job::Judge {
                case,
                sample: index,
                vote,
                answer: Arc::clone(&answer),
            }));
        }
        self.outcome.add_sample(case, sample);
        None
    }

    fn take_vote(&mut self, case: usize, sample: u32, judged: Judged) -> Option<Stopped> {
        let Judged { vote, failure } = judged;
        if let Some(stopped) = self.landed(Purpose::Judge, failure.as_ref(), !vote.calls.is_empty()) {
            return Some(stopped);
        }
        let Vote {
            index,
            outcome,
            score,
            ..
        } = vote;
        self.plan.tell(Event::Judged {
            case: self.plan.suite.cases[case].id.clone(),
            sample,
            vote: Some(index),
            outcome,
            score,
        });
        self.outcome.add_vote(case, sample, vote);
        None
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
            self.due.push_back(Job::Diagnose {
                purpose,
                failure: failure.clone(),
            });
        }
        None
    }

    /// A reason to stop that no call in flight can contradict any more.
    pub(super) fn condemned(&mut self) -> Option<Stopped> {
        [&mut self.answers, &mut self.judgements]
            .into_iter()
            .find_map(|line| line.condemned.take_if(|_| line.in_flight == 0))
    }

    pub(super) fn outcome(self, stopped: Option<Stopped>) -> Outcome {
        self.outcome.stopped(stopped)
    }
}
