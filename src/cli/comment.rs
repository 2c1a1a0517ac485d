//! What is done → the comment of each suite on its pull request, and its line on the data branch. All of it comes
//! behind the report: what GitHub does not take is told and fails nothing.

use super::annotate::notice;
use super::hub::Hub;
use super::options::{Commenting, ComparisonOptions, Format, HistoryIn};
use super::output::{Progress, Screen};
use super::publish::Publication;
use super::trend;
use crate::github::{AnnotationKind, Commented, marker};
use crate::report;

/// A commit heads one pull request, rarely two.
const MOST_PULL_REQUESTS: usize = 5;

/// Tells GitHub what became of the suites.
pub(crate) async fn tell(
    done: &[Publication],
    options: &ComparisonOptions,
    hub: &mut Hub,
    format: Format,
    screen: &Screen,
) {
    hub.rested();
    if options.history == HistoryIn::Branch {
        for failed in trend::keep(done, &options.history_branch, hub).await {
            notice(AnnotationKind::Warning, &failed, format, screen);
        }
    }
    let kind = match options.comment {
        Commenting::Never => return,
        Commenting::Auto => AnnotationKind::Notice,
        Commenting::Always => AnnotationKind::Warning,
    };
    let numbers = match numbers(options.comment, hub).await {
        Ok(numbers) => numbers,
        Err(why) => {
            let told = format!("no pull request was looked for to comment on: {why}");
            return notice(kind, &told, format, screen);
        }
    };
    for number in numbers {
        for publication in done {
            let suite = &publication.record.results.suite.name;
            match comment(number, publication, hub).await {
                Ok(_) if screen.progress == Progress::Nothing => {}
                Ok(commented) => screen.note(&format!(
                    "{suite}: the comment on #{number} is {}",
                    word(commented)
                )),
                Err(why) => {
                    let told = format!(
                        "{suite}: no comment on pull request {number}: {why}. The step's summary has the report"
                    );
                    notice(kind, &told, format, screen);
                }
            }
        }
    }
}

/// The pull requests that are commented on.
async fn numbers(commenting: Commenting, hub: &mut Hub) -> Result<Vec<u64>, String> {
    if let Some(pull_request) = hub.pull_request() {
        return Ok(vec![pull_request.number]);
    }
    let Some(commit) = hub.sha().map(str::to_owned) else {
        return Ok(Vec::new());
    };
    if commenting != Commenting::Always || !hub.may_head_a_pull_request() {
        return Ok(Vec::new());
    }
    let api = hub.api()?;
    let mut numbers = hub.ask(api.pull_requests_of(&commit)).await?;
    numbers.truncate(MOST_PULL_REQUESTS);
    Ok(numbers)
}

async fn comment(number: u64, publication: &Publication, hub: &mut Hub) -> Result<Commented, String> {
    let api = hub.api()?;
    let Publication { record, frame, .. } = publication;
    let marker = marker(&record.results.suite.name);
    let room = report::COMMENT_LIMIT.saturating_sub(marker.len());
    let text = format!("{marker}{}", report::comment(record, &frame.around(), room));
    Ok(hub.ask(api.comment(number, &marker, &text)).await?)
}

fn word(commented: Commented) -> &'static str {
    match commented {
        Commented::Created => "new",
        Commented::Edited => "brought up to date",
        Commented::Unchanged => "up to date",
    }
}
