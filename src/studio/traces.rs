//! Traces as the service holds them: ids and pages come in, traces and what became of them go out.

use serde_json::Value;

use super::fields::{Fields, FromWire};
use super::{Studio, get, segment};
use crate::http::{Call, Failure, Writes};

/// A trace as the service lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Its id.
    pub id: String,
    /// As the service writes it, usually RFC 3339.
    pub created_at: Option<String>,
    /// The model that answered.
    pub model_id: Option<String>,
    /// The prompt.
    pub input: String,
    /// The answer.
    pub output: String,
    /// 0..1.
    pub score: Option<f64>,
    /// Whether it is a row of a dataset.
    pub added_to_dataset: bool,
    /// Whether the service is writing an improved answer.
    pub processing: Processing,
}

/// What the service is doing with a trace in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Processing {
    /// Nothing (or nothing is said).
    None,
    /// An improved answer is being written.
    Processing,
    /// That failed.
    Failed,
    /// A word this client does not know.
    Unknown(String),
}

/// A page of a project's traces.
#[derive(Debug, Clone, PartialEq)]
pub struct TracePage {
    /// Newest first. Empty: the pages have ended.
    pub traces: Vec<Trace>,
    /// Traces on all pages, as the service counts them.
    pub total: Option<u64>,
}

/// What addToDataset answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// The row is there.
    Row {
        /// The row's id, where the service tells it.
        datapoint: Option<String>,
    },
    /// The service writes an improved answer first.
    Queued,
    /// The service said no (`status: failed` or `success: false`).
    Refused {
        /// In its words, where it gave any.
        reason: String,
    },
    /// An older form of the answer that says nothing but 2xx; the trace tells.
    Unsaid,
}

impl Studio {
    /// One trace (`GET /api/v1/traces/{id}`).
    pub async fn trace(&self, id: &str) -> Result<Trace, Failure> {
        let name = "read trace";
        let path = format!("/api/v1/traces/{}", segment(name, id)?);
        self.ask_value(&get(name, path, Vec::new())).await
    }

    /// One page (from 1) of the project's traces, newest first, optionally of one model; `total` as the
    /// service says. The size of a page is the service's.
    pub async fn traces(&self, project: &str, model: Option<&str>, page: u32) -> Result<TracePage, Failure> {
        let mut query = vec![("page", page.to_string()), ("projectId", project.to_owned())];
        query.extend(model.map(|model| ("modelIds", model.to_owned())));
        query.extend([
            ("sortBy", "createdAt".to_owned()),
            ("sortOrder", "desc".to_owned()),
        ]);
        self.ask_value(&get("list traces", "/api/v1/traces".to_owned(), query))
            .await
    }

    /// Makes the trace a row of its project's dataset (`POST /api/v1/traces/{id}/addToDataset`).
    pub async fn add_to_dataset(&self, trace: &str) -> Result<Added, Failure> {
        let name = "add to dataset";
        let path = format!("/api/v1/traces/{}/addToDataset", segment(name, trace)?);
        let call = Call {
            name,
            method: reqwest::Method::POST,
            path,
            query: Vec::new(),
            body: None,
            writes: Writes::Yes,
        };
        self.ask_value(&call).await
    }
}

impl FromWire for Trace {
    fn from_wire(value: Value) -> Result<Self, String> {
        let mut fields = Fields::of(value, "the trace")?.unwrapped("trace");
        let processing = fields.text(&["processingStatus", "processing_status"]);
        Ok(Trace {
            id: fields.id(&["id", "traceId", "trace_id"], "a trace")?,
            created_at: fields.text(&["createdAt", "created_at"]),
            model_id: fields.text(&["modelId", "model_id"]),
            input: fields.text(&["input"]).unwrap_or_default(),
            output: fields.text(&["output"]).unwrap_or_default(),
            score: fields.number(&["score"]),
            added_to_dataset: fields
                .flag(&["addedToDataset", "added_to_dataset"])
                .unwrap_or(false),
            processing: match processing.as_deref().map(str::trim) {
                None | Some("" | "none") => Processing::None,
                Some("processing") => Processing::Processing,
                Some("failed") => Processing::Failed,
                Some(other) => Processing::Unknown(other.to_owned()),
            },
        })
    }
}

impl FromWire for TracePage {
    fn from_wire(value: Value) -> Result<Self, String> {
        let mut fields = Fields::of(value, "the page of traces")?;
        let total = fields.count(&["total", "totalCount", "total_count"]);
        // An answer of another shape is no empty list, nor is a bare one: someone concludes from it that a trace was
        // never written.
        let Some(Value::Array(items)) = fields.take(&["results", "traces", "data"]) else {
            return Err("the page of traces has no `results`".to_owned());
        };
        let traces = items
            .into_iter()
            .map(Trace::from_wire)
            .collect::<Result<_, _>>()?;
        Ok(TracePage { traces, total })
    }
}

impl FromWire for Added {
    fn from_wire(value: Value) -> Result<Self, String> {
        let Ok(mut fields) = Fields::of(value, "the answer") else {
            return Ok(Added::Unsaid);
        };
        let status = fields
            .text(&["status"])
            .map(|s| s.trim().to_ascii_lowercase())
            .unwrap_or_default();
        let success = fields.flag(&["success"]);
        let datapoint = fields
            .text(&["datapointId", "datapoint_id"])
            .filter(|id| !id.is_empty());
        Ok(match status.as_str() {
            "failed" | "error" => Added::Refused {
                reason: fields.reason().unwrap_or(format!("status: {status}")),
            },
            _ if success == Some(false) => Added::Refused {
                reason: fields.reason().unwrap_or("success: false".to_owned()),
            },
            "queued" | "processing" | "pending" => Added::Queued,
            "added" => Added::Row { datapoint },
            _ if datapoint.is_some() => Added::Row { datapoint },
            _ => Added::Unsaid,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_trace_in_either_case() {
        let camel = json!({"id": "t", "createdAt": "2026", "modelId": "m", "projectId": "p", "input": "i",
            "output": "o", "score": 0.5, "feedback": null, "addedToDataset": true, "processingStatus": "processing"});
        let snake = json!({"trace": {"id": "t", "created_at": "2026", "model_id": "m", "input": "i",
            "output": "o", "score": "0.5", "added_to_dataset": true, "processing_status": "processing"}});
        let expected = Trace {
            id: "t".to_owned(),
            created_at: Some("2026".to_owned()),
            model_id: Some("m".to_owned()),
            input: "i".to_owned(),
            output: "o".to_owned(),
            score: Some(0.5),
            added_to_dataset: true,
            processing: Processing::Processing,
        };
        assert_eq!(Trace::from_wire(camel), Ok(expected.clone()));
        assert_eq!(Trace::from_wire(snake), Ok(expected));
        let bare = Trace::from_wire(json!({"id": "t", "score": null})).expect("an id will do");
        assert_eq!(
            (bare.score, bare.added_to_dataset, bare.processing),
            (None, false, Processing::None)
        );
        assert!(Trace::from_wire(json!({"input": "i"})).is_err());
    }

    #[test]
    fn processing_in_every_word() {
        for (word, processing) in [
            ("none", Processing::None),
            ("processing", Processing::Processing),
            ("failed", Processing::Failed),
            ("paused", Processing::Unknown("paused".to_owned())),
        ] {
            let trace = Trace::from_wire(json!({"id": "t", "processingStatus": word}));
            assert_eq!(trace.map(|t| t.processing), Ok(processing));
        }
    }

    #[test]
    fn pages() {
        let page = TracePage::from_wire(json!({"results": [{"id": "a"}, {"id": "b"}], "total": 12.0}));
        assert_eq!(page.map(|p| (p.traces.len(), p.total)), Ok((2, Some(12))));
        let page = TracePage::from_wire(json!({"results": []}));
        assert_eq!(
            page,
            Ok(TracePage {
                traces: vec![],
                total: None
            })
        );
        for page in [
            json!({}),
            json!({"results": null}),
            json!([]),
            json!([{"id": "a"}]),
            json!({"results": [{"input": "no id"}]}),
            json!("x"),
        ] {
            assert!(TracePage::from_wire(page.clone()).is_err(), "{page}");
        }
    }

    #[test]
    fn answers_of_add_to_dataset() {
        let row = |id: Option<&str>| Added::Row {
            datapoint: id.map(str::to_owned),
        };
        let refused = |reason: &str| Added::Refused {
            reason: reason.to_owned(),
        };
        for (answer, added) in [
            (
                json!({"traceId": "t", "status": "added", "success": true, "datapointId": "d"}),
                row(Some("d")),
            ),
            (
                json!({"traceId": "t", "status": "added", "success": true, "datapointId": null}),
                row(None),
            ),
            (
                json!({"traceId": "t", "status": "queued", "success": true, "datapointId": null}),
                Added::Queued,
            ),
            (
                json!({"status": "failed", "success": false, "error": "no dataset"}),
                refused("no dataset"),
            ),
            (json!({"status": "failed"}), refused("status: failed")),
            (
                json!({"status": "added", "success": false}),
                refused("success: false"),
            ),
            (json!({"datapointId": "d"}), row(Some("d"))),
            (json!({"success": true}), Added::Unsaid),
            (json!({"message": "ok"}), Added::Unsaid),
            (json!({}), Added::Unsaid),
            (json!(null), Added::Unsaid),
            (json!("ok"), Added::Unsaid),
        ] {
            assert_eq!(Added::from_wire(answer.clone()), Ok(added), "{answer}");
        }
    }
}
