//! A rule and the figures in, the figure that the rule compares out, or why there is none.

use crate::score::{Figures, Group, Interval, Selector};

use super::rule::{Metric, Subject};
use super::wording;

/// What a rule compares.
pub(super) struct Measured {
    pub(super) figure: f64,
    pub(super) interval: Option<Interval>,
}

/// The figure of a subject without a baseline. The error says why there is none, for a person.
pub(super) fn measure(subject: &Subject, figures: &Figures) -> Result<Measured, String> {
    let group = figures.select(&subject.selector);
    let none = |why: &str| format!("{subject} does not exist: {why}");
    let Some(group) = group else {
        // How many cases there are is known even where there are none.
        return match subject.metric {
            Metric::Cases | Metric::Unscored => Ok(Measured {
                figure: 0.0,
                interval: None,
            }),
            _ => Err(none(&no_case(&subject.selector))),
        };
    };
    let (figure, interval) = figure_of(subject.metric, &group);
    match figure.filter(|figure| figure.is_finite()) {
        Some(figure) => Ok(Measured { figure, interval }),
        None if group.cases == 0 => Err(none("there are no cases")),
        None if group.scored == 0 => Err(none("no case of it has a score")),
        None => Err(none("it needs two scored cases")),
    }
}

fn figure_of(metric: Metric, group: &Group) -> (Option<f64>, Option<Interval>) {
    match metric {
        Metric::Coverage => (group.coverage, None),
        Metric::Mean => (group.mean, group.mean_interval),
        Metric::Median => (group.median, None),
        Metric::Min => (group.min, None),
        Metric::P10 => (group.p10, None),
        Metric::Stddev => (group.stddev, None),
        Metric::PassRate => (group.pass_rate, group.pass_rate_interval),
        Metric::ErrorRate => (group.error_rate, None),
        Metric::Unscored => (Some(f64::from(group.unscored)), None),
        Metric::Cases => (Some(f64::from(group.cases)), None),
    }
}

/// What is said where no case is selected.
pub(super) fn no_case(selector: &Selector) -> String {
    let matching = match selector {
        Selector::All => "there".to_owned(),
        Selector::Tag(tag) => format!("tagged `{}`", wording::name(tag)),
        Selector::Case(id) => format!("called `{}`", wording::name(id)),
        Selector::Holdout => "a holdout".to_owned(),
        Selector::Critical => "critical".to_owned(),
    };
    format!("no case is {matching}")
}
