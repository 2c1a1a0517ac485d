//! The forms of `POST /api/v1/traces`: a trace comes in, the bytes of a form go out; the answer of any form
//! comes in, an id per trace goes out. (Prem's walkthrough and three readings of its reference.)

use serde_json::{Value, json};

use super::FEEDBACK_LIMIT;
use super::fields::{Fields, FromWire, kind};

/// A trace to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTrace {
    /// The prompt, at least 1 character.
    pub input: String,
    /// The answer, at least 1 character.
    pub output: String,
    /// 0..=1.
    pub score: f64,
    /// At most [`FEEDBACK_LIMIT`] characters: see [`super::fit_feedback`].
    pub feedback: String,
}

impl NewTrace {
    /// The limits that the reference states; the error says what is beyond them.
    pub(super) fn check(&self, project: &str, model: &str) -> Result<(), String> {
        let texts = [
            ("project", project),
            ("model", model),
            ("input", &self.input),
            ("output", &self.output),
        ];
        if let Some((name, _)) = texts.into_iter().find(|(_, text)| text.is_empty()) {
            return Err(format!("the {name} is empty"));
        }
        if !(0.0..=1.0).contains(&self.score) {
            return Err(format!("a score of {} is not within 0..1", self.score));
        }
        let feedback = self.feedback.chars().count();
        if feedback > FEEDBACK_LIMIT {
            return Err(format!(
                "feedback of {feedback} characters, and at most {FEEDBACK_LIMIT} are taken"
            ));
        }
        Ok(())
    }
}

/// The trace forms of the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceForm {
    /// One object in snake case; an object with `id` comes back.
    Walkthrough,
    /// One object in camel case; an object with `id` comes back.
    Object,
    /// A list of objects in camel case; a list of objects with `id` comes back.
    Array,
    /// A list of objects in camel case; `{"results": [{"traceId", "success"}]}` comes back.
    Results,
}

impl TraceForm {
    /// The word in reports and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            TraceForm::Walkthrough => "walkthrough",
            TraceForm::Object => "object",
            TraceForm::Array => "array",
            TraceForm::Results => "results",
        }
    }

    /// Whether one write carries many traces.
    pub(super) fn takes_many(self) -> bool {
        matches!(self, TraceForm::Array | TraceForm::Results)
    }

    /// One trace as the form writes it.
    pub(super) fn write(self, project: &str, model: &str, trace: &NewTrace) -> Vec<u8> {
        let NewTrace {
            input,
            output,
            score,
            feedback,
        } = trace;
        let body = match self {
            TraceForm::Walkthrough => json!({
                "project_id": project, "model_id": model,
                "input": input, "output": output, "score": score, "feedback": feedback,
            }),
            TraceForm::Object | TraceForm::Array | TraceForm::Results => json!({
                "projectId": project, "modelId": model,
                "input": input, "output": output, "score": score, "feedback": feedback,
            }),
        };
        body.to_string().into_bytes()
    }
}

/// What the service says of one trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written {
    /// It is there, under this id.
    Id(String),
    /// The service did not take it.
    Refused(String),
    /// It can't be told.
    Unreadable(String),
}

/// The answer of any form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    One(Written),
    List(Vec<Written>),
    Results(Vec<Written>),
}

impl Answer {
    /// The form that a list of traces was answered in.
    pub(super) fn form_of_many(&self) -> TraceForm {
        match self {
            Answer::One(_) | Answer::List(_) => TraceForm::Array,
            Answer::Results(_) => TraceForm::Results,
        }
    }

    /// One entry per trace sent. Where their number differs nothing can be told of any: the entries are
    /// known by their order alone.
    pub(super) fn of_each(self, sent: usize) -> Vec<Written> {
        let mut entries = match self {
            Answer::One(written) => vec![written],
            Answer::List(entries) | Answer::Results(entries) => entries,
        };
        if entries.len() != sent {
            let why = format!("{} entries came back for {sent} traces", entries.len());
            return vec![Written::Unreadable(why); sent];
        }
        for at in 1..entries.len() {
            let (before, rest) = entries.split_at_mut(at);
            if matches!(rest[0], Written::Id(_)) && before.contains(&rest[0]) {
                rest[0] = Written::Unreadable("the same id came back for two traces".to_owned());
            }
        }
        entries
    }
}

impl FromWire for Answer {
    fn from_wire(value: Value) -> Result<Self, String> {
        let list = |items: Vec<Value>| items.into_iter().map(entry).collect();
        match value {
            Value::Array(items) => Ok(Answer::List(list(items))),
            Value::Object(mut map) => match map.remove("results") {
                Some(Value::Array(items)) => Ok(Answer::Results(list(items))),
                _ => match entry(Value::Object(map)) {
                    Written::Unreadable(why) => Err(why),
                    written => Ok(Answer::One(written)),
                },
            },
            other => Err(format!("the answer is {} and tells no trace's id", kind(&other))),
        }
    }
}

fn entry(value: Value) -> Written {
    let mut fields = match Fields::of(value, "a trace's entry") {
        Ok(fields) => fields.unwrapped("trace"),
        Err(why) => return Written::Unreadable(why),
    };
    if fields.flag(&["success"]) == Some(false) {
        return Written::Refused(fields.reason().unwrap_or("success: false".to_owned()));
    }
    fields
        .id(&["id", "traceId", "trace_id"], "a trace's entry")
        .map_or_else(Written::Unreadable, Written::Id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(id: &str) -> Written {
        Written::Id(id.to_owned())
    }

    #[test]
    fn what_each_form_sends() {
        let trace = NewTrace {
            input: "i".into(),
            output: "o".into(),
            score: 1.0,
            feedback: "f \"quoted\"".into(),
        };
        let sent = |form: TraceForm| String::from_utf8(form.write("p", "m", &trace)).expect("text");
        assert_eq!(
            sent(TraceForm::Walkthrough),
            r#"{"project_id":"p","model_id":"m","input":"i","output":"o","score":1.0,"feedback":"f \"quoted\""}"#
        );
        for form in [TraceForm::Object, TraceForm::Array, TraceForm::Results] {
            assert_eq!(
                sent(form),
                r#"{"projectId":"p","modelId":"m","input":"i","output":"o","score":1.0,"feedback":"f \"quoted\""}"#
            );
        }
    }

    #[test]
    fn what_each_form_answers() {
        for (wire, form, written) in [
            (json!({"id": "a", "input": "i"}), TraceForm::Array, vec![id("a")]),
            (
                json!([{"id": "a"}, {"id": "b"}]),
                TraceForm::Array,
                vec![id("a"), id("b")],
            ),
            (
                json!({"results": [{"traceId": "a", "success": true}, {"traceId": "b"}]}),
                TraceForm::Results,
                vec![id("a"), id("b")],
            ),
            (
                json!({"results": [{"traceId": null, "success": false, "error": "too long"}, {"traceId": "b"}]}),
                TraceForm::Results,
                vec![Written::Refused("too long".to_owned()), id("b")],
            ),
        ] {
            let answer = Answer::from_wire(wire.clone()).expect("readable");
            assert_eq!(answer.form_of_many(), form, "{wire}");
            assert_eq!(answer.of_each(written.len()), written, "{wire}");
        }
        for wire in [
            json!({}),
            json!({"id": ""}),
            json!({"results": 7}),
            json!("id"),
            json!(null),
        ] {
            assert!(Answer::from_wire(wire.clone()).is_err(), "{wire}");
        }
    }

    #[test]
    fn entries_that_can_not_be_told_apart() {
        let unreadable = |answer: Value, sent: usize| {
            let each = Answer::from_wire(answer).expect("readable").of_each(sent);
            assert_eq!(each.len(), sent);
            each.iter()
                .map(|w| matches!(w, Written::Unreadable(_)))
                .collect::<Vec<_>>()
        };
        assert_eq!(unreadable(json!([{"id": "a"}]), 2), [true, true]);
        assert_eq!(unreadable(json!([{"id": "a"}, {"id": "b"}]), 1), [true]);
        assert_eq!(unreadable(json!([]), 1), [true]);
        assert_eq!(unreadable(json!([{"id": "a"}, {"id": "a"}]), 2), [false, true]);
        assert_eq!(
            unreadable(json!({"results": [{"success": true}, {"traceId": "b"}]}), 2),
            [true, false]
        );
        assert_eq!(unreadable(json!([7, {"id": "b"}]), 2), [true, false]);
    }

    #[test]
    fn what_is_surely_refused_is_not_sent() {
        let fine = NewTrace {
            input: "i".into(),
            output: "o".into(),
            score: 0.5,
            feedback: String::new(),
        };
        assert_eq!(fine.check("p", "m"), Ok(()));
        assert_eq!(
            NewTrace {
                feedback: "ü".repeat(2_048),
                ..fine.clone()
            }
            .check("p", "m"),
            Ok(())
        );
        for (trace, says) in [
            (
                NewTrace {
                    input: String::new(),
                    ..fine.clone()
                },
                "input is empty",
            ),
            (
                NewTrace {
                    output: String::new(),
                    ..fine.clone()
                },
                "output is empty",
            ),
            (
                NewTrace {
                    score: 1.01,
                    ..fine.clone()
                },
                "score of 1.01",
            ),
            (
                NewTrace {
                    score: -0.01,
                    ..fine.clone()
                },
                "score",
            ),
            (
                NewTrace {
                    score: f64::NAN,
                    ..fine.clone()
                },
                "score of NaN",
            ),
            (
                NewTrace {
                    feedback: "x".repeat(2_049),
                    ..fine.clone()
                },
                "2049 characters",
            ),
        ] {
            let why = trace.check("p", "m").expect_err("refused");
            assert!(why.contains(says), "{why}");
        }
        assert!(fine.check("", "m").is_err() && fine.check("p", "").is_err());
    }
}
