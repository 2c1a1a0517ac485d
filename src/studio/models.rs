//! Models: whether one is known and running; a model that sleeps is loaded.

use serde_json::{Value, json};

use super::fields::{Anything, Fields, FromWire};
use super::{Studio, get, post};
use crate::http::{Failure, Writes};

impl Studio {
    /// Ids of the models this key sees (`GET /api/v1/models`, OpenAI's list). Entries without an id are
    /// left out.
    pub async fn models(&self) -> Result<Vec<String>, Failure> {
        let call = get("list models", "/api/v1/models".to_owned(), Vec::new());
        Ok(self.ask_value::<ModelList>(&call).await?.0)
    }

    /// Whether the model can answer now (`GET /api/v1/models/running?model=`).
    pub async fn model_running(&self, model: &str) -> Result<bool, Failure> {
        let query = vec![("model", model.to_owned())];
        let call = get("model running", "/api/v1/models/running".to_owned(), query);
        Ok(self.ask_value::<Running>(&call).await?.0)
    }

    /// Asks for the model to be loaded, and does not wait for it (`POST /api/v1/models/up`). Asking again
    /// does no harm, so that it is repeated like a read.
    pub async fn load_model(&self, model: &str) -> Result<(), Failure> {
        let call = post(
            "load model",
            "/api/v1/models/up",
            &json!({"model": model}),
            Writes::No,
        )?;
        self.ask_value::<Anything>(&call).await.map(|Anything| ())
    }
}

struct ModelList(Vec<String>);

impl FromWire for ModelList {
    fn from_wire(value: Value) -> Result<Self, String> {
        let items = match value {
            Value::Array(items) => items,
            other => Fields::of(other, "the list of models")?.list(&["data", "models"])?,
        };
        let ids = items.into_iter().filter_map(|item| match item {
            Value::String(id) => Some(id),
            other => Fields::of(other, "a model").ok()?.id(&["id"], "a model").ok(),
        });
        Ok(ModelList(ids.collect()))
    }
}

struct Running(bool);

impl FromWire for Running {
    fn from_wire(value: Value) -> Result<Self, String> {
        let mut fields = Fields::of(value, "the answer")?;
        match fields.take(&["status", "running"]) {
            Some(Value::Bool(running)) => Ok(Running(running)),
            Some(Value::String(word)) => Ok(Running(
                ["running", "up", "ready", "true"]
                    .iter()
                    .any(|w| word.trim().eq_ignore_ascii_case(w)),
            )),
            _ => Err("the answer does not say whether the model is running".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_models() {
        let list = json!({"object": "list", "data": [{"id": "a"}, {"id": ""}, {"name": "x"}, {"id": "b"}]});
        assert_eq!(
            ModelList::from_wire(list).map(|l| l.0),
            Ok(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(
            ModelList::from_wire(json!({"data": null})).map(|l| l.0),
            Ok(vec![])
        );
    }

    #[test]
    fn running_or_not() {
        for (answer, running) in [
            (json!({"status": true}), Some(true)),
            (json!({"status": false}), Some(false)),
            (json!({"status": "Running"}), Some(true)),
            (json!({"status": "stopped"}), Some(false)),
            (json!({"status": null}), None),
            (json!({}), None),
        ] {
            assert_eq!(
                Running::from_wire(answer.clone()).ok().map(|r| r.0),
                running,
                "{answer}"
            );
        }
    }
}
