//! Every call of the cycle meets every fault, and in the end each answer is one trace, each trace one row, and
//! there is one snapshot and one job: the real program against an emulator that fails at exact places.

mod faults;
pub(crate) mod night;
pub(crate) mod row;
mod schedules;

use std::num::NonZero;

use futures_util::{StreamExt, stream};
use tunegate::emulator::{Calls, PlacedFault, TraceForm};

use crate::harness::options;
use faults::{Case, cases};
use night::LAG;
use row::Row;

/// A call of the cycle.
struct Call {
    /// As the emulator counts it.
    route: &'static str,
    /// As a report may call it.
    names: &'static [&'static str],
    form: TraceForm,
    /// Which call of the route is the first to do what is meant: a service is asked for its form before.
    first: u64,
    /// Whether a run makes it more than once when all is well.
    often: bool,
}

impl Call {
    fn once(route: &'static str, names: &'static [&'static str]) -> Call {
        Call {
            route,
            names,
            form: TraceForm::Any,
            first: 1,
            often: false,
        }
    }

    fn often(route: &'static str, names: &'static [&'static str]) -> Call {
        Call {
            often: true,
            ..Call::once(route, names)
        }
    }

    fn trace(form: TraceForm, first: u64) -> Call {
        Call {
            form,
            first,
            ..Call::often("POST /api/v1/traces", &["create trace"])
        }
    }

    /// The calls that meet the fault in each of this call's rows.
    fn places(&self) -> [(&'static str, Calls); 2] {
        let second = if self.often {
            // A look for the form of traces takes `first` calls: with that step each write would meet a fault.
            ("again and again", Calls::every(self.first, self.first + 1))
        } else {
            // Its repeat as well.
            ("twice", Calls::range(self.first, self.first + 1))
        };
        [("once", Calls::nth(self.first)), second]
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for case in cases() {
            for (place, calls) in self.places() {
                rows.push(self.row(&case, place, calls));
            }
            if case.doubtful && self.writes() {
                let mut row = self.row(&case, "once, and the listings lag", Calls::nth(self.first));
                row.options.listing_lag = LAG;
                rows.push(row);
            }
        }
        rows
    }

    fn writes(&self) -> bool {
        self.route.starts_with("POST") && !self.route.contains("chat")
    }

    fn row(&self, case: &Case, place: &str, calls: Calls) -> Row {
        let mut options = options();
        options.trace_form = self.form;
        options.placed_faults.push(PlacedFault {
            route: self.route.to_owned(),
            calls,
            fault: case.fault,
        });
        Row {
            name: format!("{} ({:?}) meets {} {place}", self.route, self.form, case.name),
            options,
            runs: 4,
            blame: Some(row::Blame {
                call: self.names,
                cause: case.cause,
            }),
            harmless: case.harmless,
            chat: self.route.contains("chat"),
        }
    }
}

/// Plays the rows, and names every one that failed.
async fn play(rows: Vec<Row>) {
    let rows = rows.into_iter();
    together(rows.map(|row| async move { row.play().await.map_err(|why| format!("{}: {why}", row.name)) }))
        .await;
}

/// Plays several at a time (they wait for most of their time), and tells of every one that failed.
pub(crate) async fn together<R: Future<Output = Result<(), String>>>(rows: impl Iterator<Item = R>) {
    let cores = std::thread::available_parallelism().map_or(2, NonZero::get);
    let mut total = 0;
    let rows = rows.inspect(|_| total += 1);
    let failed: Vec<String> = stream::iter(rows)
        .buffer_unordered(8 * cores)
        .filter_map(|played| std::future::ready(played.err()))
        .collect()
        .await;
    assert!(
        failed.is_empty(),
        "{} of {total} rows:\n\n{}",
        failed.len(),
        failed.join("\n\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_project() {
    play(Call::often("GET /api/v1/public/projects/{id}", &["read project"]).rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer() {
    play(Call::often("POST /api/v1/chat/completions answer", &["chat: answer"]).rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_judgement() {
    play(Call::often("POST /api/v1/chat/completions judge", &["chat: judge"]).rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_traces() {
    play(Call::often("GET /api/v1/traces", &["list traces"]).rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_in_the_walkthroughs_form() {
    play(Call::trace(TraceForm::Walkthrough, 1).rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_as_an_object() {
    play(Call::trace(TraceForm::Object, 2).rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_in_an_array() {
    play(Call::trace(TraceForm::Array, 3).rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_in_an_array_with_results() {
    play(Call::trace(TraceForm::Results, 3).rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row() {
    let names = &["add to dataset", "add trace to dataset"];
    play(Call::often("POST /api/v1/traces/{id}/addToDataset", names).rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_a_trace() {
    play(Call::often("GET /api/v1/traces/{id}", &["read trace"]).rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_snapshot() {
    play(Call::once("POST /api/v1/public/snapshots/create", &["create snapshot"]).rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_for_recommendations() {
    let names = &["generate recommendations"];
    play(Call::once("POST /api/v1/public/recommendations/generate", names).rows()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recommendations() {
    play(
        Call::often(
            "GET /api/v1/public/recommendations/{id}",
            &["read recommendations"],
        )
        .rows(),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job() {
    play(Call::once("POST /api/v1/public/finetuning/create", &["create job"]).rows()).await;
}
