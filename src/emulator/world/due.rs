//! What takes time: events come in with the instant they are due, and take place when the world is next looked
//! at after it. No task runs for them, so a stopped clock stops them and nothing races with a reader.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::{ExperimentStatus, Processing, Recommendations, Status, Trace, World};
use crate::emulator::draw;

/// How long things take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delays {
    pub(crate) correction: Duration,
    /// `None`: recommendations never get ready.
    pub(crate) recommendation: Option<Duration>,
    pub(crate) training: Duration,
    pub(crate) load: Duration,
    pub(crate) upload: Duration,
    /// Share (0..1) of corrections that fail.
    pub(crate) failed_corrections: f64,
    /// Trained models must be loaded first.
    pub(crate) cold_models: bool,
}

/// Something that takes place later.
#[derive(Debug)]
pub(super) enum Event {
    /// The trace's improved row is written, or can't be.
    Corrected { trace: String, fails: bool },
    /// The snapshot's recommendations are there.
    Recommended(String),
    /// The job's experiments run.
    Started(String),
    /// The job is done.
    Trained { job: String, cold: bool },
    /// The dataset's upload is read.
    Uploaded(String),
    /// The model is loaded.
    Loaded(String),
}

/// What is still to take place, in order.
#[derive(Debug, Default)]
pub(crate) struct Due {
    events: BTreeMap<(Instant, u64), Event>,
    count: u64,
}

impl Due {
    pub(super) fn at(&mut self, instant: Instant, event: Event) {
        self.count += 1;
        self.events.insert((instant, self.count), event);
    }

    fn next(&mut self, now: Instant) -> Option<Event> {
        let entry = self.events.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }
}

/// Whether a correction fails: drawn for each time that it is asked for, and the same again after a restart.
pub(super) fn correction_fails(seed: u64, trace: &Trace, delays: &Delays) -> bool {
    let additions = trace.additions.to_string();
    draw::share(seed, &["correction", &trace.id, &additions]) < delays.failed_corrections
}

impl World {
    /// Lets everything take place that is due by now.
    pub(crate) fn advance(&mut self) {
        // Looking at the clock costs more than finding that nothing is waiting.
        if self.due.events.is_empty() {
            return;
        }
        let now = Instant::now();
        while let Some(event) = self.due.next(now) {
            self.touch();
            self.take_place(event);
        }
    }

    fn take_place(&mut self, event: Event) {
        match event {
            Event::Corrected { trace, fails } => self.finish_correction(&trace, fails),
            Event::Recommended(id) => {
                if let Some(snapshot) = self.snapshots.get_mut(&id) {
                    snapshot.recommendations = Recommendations::Ready;
                }
            }
            Event::Started(id) => {
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.experiments
                        .iter_mut()
                        .for_each(|one| one.status = ExperimentStatus::Running);
                }
            }
            Event::Trained { job, cold } => self.finish_job(&job, cold),
            Event::Uploaded(id) => {
                if let Some(dataset) = self.datasets.get_mut(&id) {
                    dataset.status = Status::Completed;
                }
            }
            Event::Loaded(id) => {
                if let Some(model) = self.models.get_mut(&id).filter(|model| model.loading) {
                    (model.running, model.loading) = (true, false);
                }
            }
        }
    }

    /// Makes a world that was read from a file ready: what is derived is derived, and what was under way when
    /// it was written is done, for the time between the two counts as having passed.
    pub(crate) fn wake(&mut self, delays: &Delays) {
        let mut events = Vec::new();
        for place in 0.. {
            let Some(trace) = self.traces.at(place) else { break };
            let processing = trace.processing_status == Processing::UnderWay;
            if processing {
                events.push(Event::Corrected {
                    trace: trace.id.clone(),
                    fails: correction_fails(self.seed, trace, delays),
                });
            }
            let project = trace.project_id.clone();
            if let Some(project) = self.projects.get_mut(&project) {
                project.traces.push(place);
                project.processing += usize::from(processing);
            }
        }
        let unread = self
            .datasets
            .iter()
            .filter(|dataset| dataset.status == Status::Processing);
        events.extend(unread.map(|dataset| Event::Uploaded(dataset.id.clone())));
        if delays.recommendation.is_some() {
            let asked = |snapshot: &&super::Snapshot| snapshot.recommendations == Recommendations::Processing;
            let waiting = self.snapshots.iter().filter(asked);
            events.extend(waiting.map(|snapshot| Event::Recommended(snapshot.id.clone())));
        }
        let running = self.jobs.iter().filter(|job| job.status == Status::Processing);
        events.extend(running.map(|job| Event::Trained {
            job: job.id.clone(),
            cold: delays.cold_models,
        }));
        for event in events {
            self.touch();
            self.take_place(event);
        }
        if !delays.cold_models {
            self.models.iter_mut().for_each(|model| model.running = true);
        }
    }
}
