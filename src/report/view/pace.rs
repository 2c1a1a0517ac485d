//! The pace of an evaluation → a line for each model that was asked.

use crate::report::numbers::{count, duration};
use crate::results::{ModelPace, Pace};

/// Models and how each was asked, at most so many: an evaluation asks two.
pub(in crate::report) fn lines(pace: Option<&Pace>) -> impl Iterator<Item = (&str, String)> {
    pace.into_iter().flat_map(|pace| {
        let models = pace.models.iter().take(MOST);
        models.map(move |(model, of)| (model.as_str(), line(pace, of)))
    })
}

const MOST: usize = 10;

/// `at most 43 calls at once, 44 allowed at the end; 3 refused, closed for 1.2 s; about 98 calls a second to all models`
fn line(pace: &Pace, model: &ModelPace) -> String {
    let mut line = match model.most_at_once {
        1 => "1 call at once".to_owned(),
        most => format!("at most {} calls at once", count(most)),
    };
    match (pace.concurrency, model.limit) {
        (Some(given), _) => line.push_str(&format!(", {} were given", count(given))),
        (None, Some(limit)) => line.push_str(&format!(", {} allowed at the end", count(limit))),
        (None, None) => {}
    }
    for (given, what) in [(pace.rpm, "requests"), (pace.tpm, "tokens")] {
        if let Some(given) = given {
            line.push_str(&format!("; at most {} {what} a minute, as given", count(given)));
        }
    }
    if model.refused > 0 {
        line.push_str(&format!(
            "; {} refused, closed for {}",
            count(model.refused),
            duration(model.closed_ms)
        ));
        match pace.learned_per_minute {
            Some(slow @ 0..120) => {
                line.push_str(&format!("; about {} calls a minute to all models", count(slow)))
            }
            Some(rate) => line.push_str(&format!(
                "; about {} calls a second to all models",
                count(rate.saturating_add(30) / 60)
            )),
            None => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pace: &Pace) -> Vec<String> {
        lines(Some(pace))
            .map(|(model, line)| format!("{model}: {line}"))
            .collect()
    }

    #[test]
    fn what_was_given_is_told_beside_what_was_found() {
        let model = ModelPace {
            most_at_once: 43,
            limit: Some(44),
            ..ModelPace::default()
        };
        let mut pace = Pace {
            models: [("m".to_owned(), model)].into(),
            ..Pace::default()
        };
        assert_eq!(
            told(&pace),
            ["m: at most 43 calls at once, 44 allowed at the end"]
        );

        let refusals = pace.models.get_mut("m").unwrap();
        (refusals.refused, refusals.closed_ms) = (1_003, 1_200);
        pace.learned_per_minute = Some(5_880);
        let refused = "m: at most 43 calls at once, 44 allowed at the end; 1,003 refused, closed for 1.2 s";
        assert_eq!(
            told(&pace),
            [format!("{refused}; about 98 calls a second to all models")]
        );
        pace.learned_per_minute = Some(119);
        assert_eq!(
            told(&pace),
            [format!("{refused}; about 119 calls a minute to all models")]
        );

        let given = Pace {
            concurrency: Some(64),
            rpm: Some(600),
            tpm: Some(90_000),
            learned_per_minute: None,
            models: [(
                "m".to_owned(),
                ModelPace {
                    most_at_once: 1,
                    ..ModelPace::default()
                },
            )]
            .into(),
        };
        assert_eq!(
            told(&given),
            [
                "m: 1 call at once, 64 were given; at most 600 requests a minute, as given; at most 90,000 tokens a \
              minute, as given"
            ]
        );
    }

    #[test]
    fn nothing_asked_says_nothing_and_a_foreign_file_can_not_fill_the_page() {
        assert_eq!(lines(None).count(), 0);
        let models = (0..1_000)
            .map(|i| (i.to_string(), ModelPace::default()))
            .collect();
        let pace = Pace {
            models,
            ..Pace::default()
        };
        assert_eq!(lines(Some(&pace)).count(), MOST);
    }
}
