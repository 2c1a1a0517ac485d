//! Events of the stages → what a person sees meanwhile: a bar on a terminal, a line every few seconds in a
//! CI's log, nothing elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::output::{Progress, Screen};
use crate::cycle::{self, TraceState};
use crate::eval::{self};
use crate::results::{AnswerOutcome, Kept};

/// What is left to be shown at the end is given up after this time.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A log gets a line this often, and one at the end of every step.
const EVERY: Duration = Duration::from_secs(10);

/// Events that are shown together at the most: a text for each of them would cost more than it tells.
const AT_ONCE: usize = 256;

/// Shows an evaluation until its events end.
pub(crate) async fn evaluation(suite: String, screen: Screen, mut events: UnboundedReceiver<eval::Event>) {
    let mut show = Show::new(&screen, &format!("evaluate {suite}"));
    let mut tick = ticker();
    let (mut answered, mut judged, mut unusable) = (0_usize, 0_usize, 0_usize);
    let (mut answers, mut scores, mut scored) = (0_usize, 0.0_f64, 0_usize);
    let (mut beside, mut all_beside) = (0_usize, 0_usize);
    let mut came = Vec::new();
    loop {
        let many = tokio::select! {
            many = events.recv_many(&mut came, AT_ONCE) => many,
            _ = tick.tick() => { show.line(); continue }
        };
        if many == 0 {
            break;
        }
        for event in came.drain(..) {
            match event {
                eval::Event::Loading { model } => {
                    show.say(&format!("model {model} is being loaded"));
                }
                eval::Event::Started {
                    cases,
                    answers: left,
                    beside: left_beside,
                    kept,
                    kept_beside,
                    ..
                } => {
                    (answers, all_beside) = (left, left_beside);
                    show.length(left + left_beside);
                    show.say(&format!(
                        "{cases} cases, {left} answers to ask for{}{}",
                        taken_over(left, kept),
                        judged_beside(left_beside, kept_beside)
                    ));
                }
                eval::Event::Answered { outcome, .. } => {
                    answered += 1;
                    if outcome != AnswerOutcome::Answered {
                        unusable += 1;
                    }
                }
                eval::Event::Judged { score, .. } => {
                    judged += 1;
                    if let Some(score) = score {
                        scores += score;
                        scored += 1;
                    }
                }
                // No answer of this run: in no mean.
                eval::Event::JudgedBeside { .. } => beside += 1,
            }
        }
        if show.screen.progress == Progress::Nothing {
            continue;
        }
        let mean = if scored > 0 {
            format!(", mean so far {:.2}", scores / scored as f64)
        } else {
            String::new()
        };
        let odd = if unusable > 0 {
            format!(", {unusable} without a usable answer")
        } else {
            String::new()
        };
        let further = match all_beside {
            0 => String::new(),
            all => format!("; {beside}/{all} judgements of anchors or of the baseline"),
        };
        show.state(
            answered + beside,
            &format!("{answered}/{answers} answered, {judged} judged{odd}{mean}{further}"),
        );
    }
    show.finish();
}

/// Shows a cycle until its events end.
pub(crate) async fn cycle(screen: Screen, mut events: UnboundedReceiver<cycle::Event>) {
    let mut show = Show::new(&screen, "cycle");
    let mut tick = ticker();
    let (mut done, mut failed, mut total) = (0_usize, 0_usize, 0_usize);
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            _ = tick.tick() => { show.line(); continue }
        };
        match event {
            None => break,
            Some(cycle::Event::Began { step, total: of }) => {
                (done, failed, total) = (0, 0, of.unwrap_or(0));
                show.length(total);
                show.state(0, step);
            }
            Some(cycle::Event::Advanced { step, state }) => {
                done += 1;
                if matches!(
                    state,
                    TraceState::Failed | TraceState::Unknown | TraceState::CorrectionFailed
                ) {
                    failed += 1;
                }
                let odd = if failed > 0 {
                    format!(", {failed} failed")
                } else {
                    String::new()
                };
                show.state(done, &format!("{step}: {done}/{total}{odd}"));
            }
            Some(cycle::Event::Waiting { step, left, waited }) => {
                show.state(
                    done,
                    &format!("{step}: waiting for {left}, {} s so far", waited.as_secs()),
                );
            }
            Some(cycle::Event::Ended(step)) => {
                let id = step.id.map_or(String::new(), |id| format!(" ({id})"));
                show.say(&format!("{}: {}{id}", step.name, step.detail));
                // What the step said last is old news now.
                show.said.clone_from(&show.state);
            }
        }
    }
    show.finish();
}

/// What an earlier attempt leaves to be used, where it does.
fn taken_over(left: usize, kept: Kept) -> String {
    if kept == Kept::default() {
        return String::new();
    }
    let all = kept.answers + left as u64;
    let judgements = match kept.judgements {
        0 => String::new(),
        1 => " and 1 judgement".to_owned(),
        n => format!(" and {n} judgements"),
    };
    format!("; {} of {all} answers{judgements} kept from before", kept.answers)
}

/// What is judged beside this run's answers, where anything is.
fn judged_beside(left: usize, kept: usize) -> String {
    if left + kept == 0 {
        return String::new();
    }
    let from_before = match kept {
        0 => String::new(),
        kept => format!(", {kept} kept from before"),
    };
    let judgements = if left == 1 { "judgement" } else { "judgements" };
    format!("; {left} {judgements} of anchors or of the baseline to ask for{from_before}")
}

/// Waits until everything is shown; not for ever, where nobody reads standard error.
pub(crate) async fn over(shown: tokio::task::JoinHandle<()>) {
    let _ = tokio::time::timeout(LAST_WORDS, shown).await;
}

fn ticker() -> tokio::time::Interval {
    let mut tick = interval_at(Instant::now() + EVERY, EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    tick
}

/// One stage on the screen.
struct Show {
    screen: Screen,
    bar: ProgressBar,
    /// What the last line of a log said, so that it is not said twice.
    said: String,
    state: String,
}

impl Show {
    fn new(screen: &Screen, stage: &str) -> Self {
        let target = match screen.progress {
            Progress::Bar => ProgressDrawTarget::stderr(),
            Progress::Lines | Progress::Nothing => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {elapsed}") {
            bar.set_style(style.progress_chars("━╸─"));
        }
        if screen.progress == Progress::Bar {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        if screen.progress == Progress::Lines && screen.github {
            screen.command(&crate::github::group(stage));
        }
        Show {
            screen: screen.clone(),
            bar,
            said: String::new(),
            state: String::new(),
        }
    }

    fn length(&self, length: usize) {
        self.bar.set_length(length as u64);
    }

    fn state(&mut self, position: usize, state: &str) {
        self.bar.set_position(position as u64);
        self.bar.set_message(self.screen.harmless(state));
        self.state = state.to_owned();
    }

    /// A line of a log, when there is news.
    fn line(&mut self) {
        if self.screen.progress == Progress::Lines && self.state != self.said {
            self.screen.note(&self.state);
            self.said.clone_from(&self.state);
        }
    }

    /// Something that stays on the screen.
    fn say(&mut self, text: &str) {
        match self.screen.progress {
            Progress::Bar => self.bar.println(self.screen.harmless(text)),
            Progress::Lines => self.screen.note(text),
            Progress::Nothing => {}
        }
    }

    fn finish(mut self) {
        self.line();
        self.bar.finish_and_clear();
        if self.screen.progress == Progress::Lines && self.screen.github {
            self.screen.command(crate::github::group_end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_judged_beside_is_told_where_there_is_any() {
        assert_eq!(judged_beside(0, 0), "");
        assert_eq!(
            judged_beside(1, 0),
            "; 1 judgement of anchors or of the baseline to ask for"
        );
        assert_eq!(
            judged_beside(20, 3),
            "; 20 judgements of anchors or of the baseline to ask for, 3 kept from before"
        );
    }
}
