//! A service that says the key wherever it says anything.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::forms;
use crate::stub::{Act, Answer, Request};

/// How far a run comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// To the launch: every text, id, label and unknown field holds the key.
    Launches,
    /// The words that say how far things are hold it.
    Words,
    /// The key is refused.
    Refuses,
    /// Every call is rejected, with a page.
    Rejects,
    /// Every call is redirected.
    Redirects,
    /// Replies are no JSON, or of another shape.
    Babbles,
    /// Models answer, and every write fails once, with an error that can be asked about.
    Stumbles,
    /// Answers, and is silent when a judgement is asked for.
    Hangs,
}

pub(super) struct Echo {
    part: Part,
    said: AtomicUsize,
    stumbled: Mutex<Vec<String>>,
}

impl Echo {
    pub(super) fn new(part: Part) -> Echo {
        Echo {
            part,
            said: AtomicUsize::new(0),
            stumbled: Mutex::default(),
        }
    }

    /// One form, another one each time: for places with little room.
    fn one(&self) -> String {
        let forms = forms::sent();
        forms[self.said.fetch_add(1, Ordering::SeqCst) % forms.len()].clone()
    }

    fn id(&self, what: &str) -> String {
        format!("{what}-{}-{}", self.said.load(Ordering::SeqCst), self.one())
    }

    pub(super) fn answer(&self, request: &Request) -> Act {
        let all = all();
        let location = [
            format!("https://{}.example/{}", self.one(), self.one()),
            format!("/{}", self.one()),
            format!("https://{}@example.com", self.one()),
            "http://[".to_owned() + &self.one(),
        ];
        let act = match self.part {
            Part::Refuses => json_act(
                401,
                &json!({"error": all, "message": [all], "support_id": self.one()}),
            ),
            Part::Rejects => Act::text(
                422,
                &format!("<html><head><title>{all}</title></head>{all}</html>"),
            ),
            Part::Redirects => {
                let turn = self.said.load(Ordering::SeqCst) % location.len();
                Act::Reply(Answer::new(307, all).header("location", &location[turn]))
            }
            Part::Babbles => match self.said.fetch_add(1, Ordering::SeqCst) % 3 {
                0 => json_act(200, &json!(all)),
                1 => json_act(
                    200,
                    &json!({"choices": all, "error": {"message": all}, "project": all}),
                ),
                _ => json_act(200, &json!([all])),
            },
            _ => self.play(request),
        };
        match act {
            Act::Reply(answer) => Act::Reply(
                answer
                    .header("x-echo", forms::sent().join(", "))
                    .header("retry-after", self.one())
                    .header("set-cookie", self.one()),
            ),
            other => other,
        }
    }

    fn play(&self, request: &Request) -> Act {
        let path = request.path.trim_start_matches("/api/v1/").to_owned();
        if self.part == Part::Stumbles && request.method == "POST" && self.stumbles(&path) {
            return json_act(503, &json!({"error": all(), "support_id": self.one()}));
        }
        let all = all();
        let body = request.json();
        let words = |word: &str| match self.part {
            Part::Words => self.one(),
            _ => word.to_owned(),
        };
        let segments: Vec<&str> = path.split('/').collect();
        let reply = match (request.method.as_str(), segments.as_slice()) {
            ("POST", ["chat", "completions"]) if body["model"] == "m" => json!({
                "id": self.one(), "model": all, "usage": {"prompt_tokens": 3, "completion_tokens": 4, "x": all},
                "choices": [{"message": {"content": all}, "finish_reason": all}],
            }),
            ("POST", ["chat", "completions"]) if self.part == Part::Hangs => return Act::Silence,
            ("POST", ["chat", "completions"]) => self.judge(),
            ("GET", ["models", "running"]) => json!({"status": true, "message": all}),
            ("GET", ["models"]) => json!({"data": [{"id": self.one()}, {"id": "m"}]}),
            ("GET", ["traces"]) if request.query.iter().any(|(k, v)| k == "page" && v != "1") => {
                json!({"results": [], "total": 1})
            }
            ("GET", ["traces"]) => json!({"results": [
                {"id": self.id("old"), "input": all, "output": all, "createdAt": all, "modelId": all, "feedback": all}
            ], "total": 1}),
            ("POST", ["traces"]) => json!({"id": self.id("trace"), "input": all}),
            ("POST", ["traces", _, "addToDataset"]) => {
                json!({"status": words("added"), "success": true, "datapointId": self.one(), "error": all})
            }
            ("GET", ["traces", id]) => json!({"id": id, "addedToDataset": true, "input": all,
                "processingStatus": words("none"), "createdAt": all, "feedback": all}),
            ("GET", ["public", "projects", id]) => {
                json!({"project": {"id": id, "name": all, "type": "project",
                "children": [{"id": self.id("dataset"), "type": "dataset", "label": all, "status": words("completed"),
                    "metadata": {"datapoints_count": 3}, "children": [
                        {"id": self.id("snapshot"), "type": "snapshot", "label": all,
                         "metadata": {"created_at": "2020-01-01T00:00:00Z"}, "children": [
                            {"id": self.id("job"), "type": "finetuning-job", "label": all, "status": words("completed"),
                             "children": [{"id": self.id("experiment"), "label": all, "status": all}]}]}]}]}})
            }
            ("POST", ["public", "snapshots", "create"]) => {
                json!({"snapshot_id": self.id("snapshot"), "label": all})
            }
            ("POST", ["public", "recommendations", "generate"]) => json!({"snapshot_id": self.one()}),
            ("GET", ["public", "recommendations", _]) => {
                json!({"status": words("completed"), "snapshot_id": self.one(),
                "recommended_models": [all], "recommended_experiments": [
                    {"base_model_id": all, "recommended": true, "reason_for_recommendation": all, "novel": {&all: all}}]})
            }
            ("POST", ["public", "finetuning", "create"]) => json!({"job_id": self.id("job"), "message": all}),
            _ => return json_act(404, &json!({"error": all})),
        };
        json_act(200, &reply)
    }

    /// The judge's verdict, as a text of parts that are harmless each.
    fn judge(&self) -> Value {
        let all = all();
        let verdict = json!({"feedback": all, "reasoning": all, "score": 0.5}).to_string();
        let (head, tail) = forms::KEY.split_at(9);
        let parts = json!([
            {"type": "text", "text": head}, {"type": "text", "text": tail}, {"type": "text", "text": format!("{all}\n{verdict}")}
        ]);
        json!({"model": all, "choices": [{"message": {"content": parts}, "finish_reason": self.one()}]})
    }

    /// True the first time.
    fn stumbles(&self, path: &str) -> bool {
        let mut stumbled = self.stumbled.lock().unwrap();
        let first = !stumbled.iter().any(|p| p == path);
        if first {
            stumbled.push(path.to_owned());
        }
        first
    }
}

/// Every form in one text.
fn all() -> String {
    format!("{} @slash@ @unicode@ @nested@", forms::sent().join(" "))
}

fn json_act(status: u16, body: &Value) -> Act {
    let body = forms::raw(&body.to_string());
    Act::Reply(Answer::new(status, body).header("content-type", "application/json"))
}
