//! From a dataset to a fine-tuning job: snapshot, recommendations, launch.

use serde_json::{Map, Value, json};

use super::fields::{Anything, Fields, FromWire};
use super::{Studio, get, not_sent, post, segment};
use crate::http::{Failure, Writes};

/// What the service recommends to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendations {
    /// How far it is.
    pub status: RecommendationStatus,
    /// `recommended_experiments` as they came, in their order; a `null` list is an empty one.
    pub experiments: Vec<Map<String, Value>>,
}

/// How far recommendations are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecommendationStatus {
    /// Being worked out.
    Processing,
    /// There.
    Completed,
    /// They will not come.
    Failed,
    /// A word this client does not know; empty when there was none.
    Unknown(String),
}

/// What is sent to train: the entries with `recommended: true` without `recommended` and
/// `reason_for_recommendation`, and everything else as it came, in its order.
pub fn recommended(experiments: &[Map<String, Value>]) -> Vec<Map<String, Value>> {
    experiments
        .iter()
        .filter(|experiment| experiment.get("recommended") == Some(&Value::Bool(true)))
        .map(|experiment| {
            experiment
                .iter()
                .filter(|(name, _)| !matches!(name.as_str(), "recommended" | "reason_for_recommendation"))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        })
        .collect()
}

impl Studio {
    /// Freezes the dataset's rows, `split_percentage` (1..=99) of them for training; the snapshot's id.
    pub async fn create_snapshot(&self, dataset: &str, split_percentage: u8) -> Result<String, Failure> {
        let name = "create snapshot";
        if !(1..=99).contains(&split_percentage) {
            return Err(not_sent(
                name,
                &format!("a split of {split_percentage} % is not within 1..99"),
            ));
        }
        let body = json!({"dataset_id": dataset, "split_percentage": split_percentage});
        let call = post(name, "/api/v1/public/snapshots/create", &body, Writes::Yes)?;
        Ok(self.ask_value::<SnapshotId>(&call).await?.0)
    }

    /// Asks for recommendations for a snapshot, and does not wait for them.
    pub async fn generate_recommendations(&self, snapshot: &str) -> Result<(), Failure> {
        let body = json!({"snapshot_id": snapshot});
        let path = "/api/v1/public/recommendations/generate";
        let call = post("generate recommendations", path, &body, Writes::Yes)?;
        self.ask_value::<Anything>(&call).await.map(|Anything| ())
    }

    /// How far the recommendations are, and what they are.
    pub async fn recommendations(&self, snapshot: &str) -> Result<Recommendations, Failure> {
        let name = "read recommendations";
        let path = format!("/api/v1/public/recommendations/{}", segment(name, snapshot)?);
        self.ask_value(&get(name, path, Vec::new())).await
    }

    /// Launches a fine-tuning job with experiments as [`recommended`] makes them; the job's id.
    pub async fn create_job(
        &self,
        snapshot: &str,
        name: &str,
        experiments: &[Map<String, Value>],
    ) -> Result<String, Failure> {
        let call_name = "create job";
        if name.trim().is_empty() || experiments.is_empty() {
            return Err(not_sent(call_name, "a job needs a name and an experiment"));
        }
        let body = json!({"snapshot_id": snapshot, "name": name, "experiments": experiments});
        let call = post(call_name, "/api/v1/public/finetuning/create", &body, Writes::Yes)?;
        Ok(self.ask_value::<JobId>(&call).await?.0)
    }
}

struct SnapshotId(String);

impl FromWire for SnapshotId {
    fn from_wire(value: Value) -> Result<Self, String> {
        let mut fields = Fields::of(value, "the answer")?.unwrapped("snapshot");
        Ok(SnapshotId(
            fields.id(&["snapshot_id", "snapshotId", "id"], "the answer")?,
        ))
    }
}

struct JobId(String);

impl FromWire for JobId {
    fn from_wire(value: Value) -> Result<Self, String> {
        let mut fields = Fields::of(value, "the answer")?.unwrapped("job");
        Ok(JobId(fields.id(&["job_id", "jobId", "id"], "the answer")?))
    }
}

impl FromWire for Recommendations {
    fn from_wire(value: Value) -> Result<Self, String> {
        let mut fields = Fields::of(value, "the recommendations")?;
        let status = fields.text(&["status"]).unwrap_or_default();
        let experiments = fields
            .list(&["recommended_experiments"])?
            .into_iter()
            .map(|e| match e {
                Value::Object(map) => Ok(map),
                other => Err(format!(
                    "a recommended experiment is {}",
                    super::fields::kind(&other)
                )),
            });
        Ok(Recommendations {
            status: match status.trim() {
                "processing" => RecommendationStatus::Processing,
                "completed" => RecommendationStatus::Completed,
                "failed" => RecommendationStatus::Failed,
                other => RecommendationStatus::Unknown(other.to_owned()),
            },
            experiments: experiments.collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn experiments_travel_unchanged_but_for_two_fields() {
        let wire = r#"{"snapshot_id":"s","status":"completed","recommended_models":null,"recommended_experiments":[
            {"zeta":1,"base_model_id":"b","recommended":true,"batch_size":8,"learning_rate_multiplier":1e-5,
             "lora":true,"n_epochs":1.0,"reason_for_recommendation":"because","big":18446744073709551615,
             "fine":1.8999999999999997,"nested":{"b":[null,2,0.1],"a":"ü"}},
            {"base_model_id":"c","recommended":false},{"base_model_id":"d"},{"recommended":"true"}]}"#;
        let all = Recommendations::from_wire(serde_json::from_str(wire).expect("JSON")).expect("readable");
        assert_eq!(
            (all.status, all.experiments.len()),
            (RecommendationStatus::Completed, 4)
        );
        let sent = serde_json::to_string(&recommended(&all.experiments)).expect("JSON");
        assert_eq!(
            // The same number in another notation.
            sent.replace("0.00001", "1e-5"),
            r#"[{"zeta":1,"base_model_id":"b","batch_size":8,"learning_rate_multiplier":1e-5,"lora":true,"n_epochs":1.0,"big":18446744073709551615,"fine":1.8999999999999997,"nested":{"b":[null,2,0.1],"a":"ü"}}]"#
        );
    }

    #[test]
    fn recommendations_in_every_state() {
        for (wire, status) in [
            (
                json!({"status": "processing", "recommended_experiments": null}),
                RecommendationStatus::Processing,
            ),
            (json!({"status": "failed"}), RecommendationStatus::Failed),
            (
                json!({"status": "paused"}),
                RecommendationStatus::Unknown("paused".to_owned()),
            ),
            (json!({}), RecommendationStatus::Unknown(String::new())),
        ] {
            let expected = Recommendations {
                status,
                experiments: vec![],
            };
            assert_eq!(Recommendations::from_wire(wire), Ok(expected));
        }
        assert!(Recommendations::from_wire(json!({"recommended_experiments": [7]})).is_err());
        assert!(Recommendations::from_wire(json!([])).is_err());
    }

    #[test]
    fn ids_of_what_was_made() {
        for wire in [
            json!({"snapshot_id": "s"}),
            json!({"snapshotId": "s"}),
            json!({"snapshot": {"id": "s"}}),
        ] {
            assert_eq!(SnapshotId::from_wire(wire).map(|s| s.0), Ok("s".to_owned()));
        }
        assert!(SnapshotId::from_wire(json!({"snapshot_id": ""})).is_err());
        assert!(JobId::from_wire(json!({"job_id": null})).is_err());
        assert!(JobId::from_wire(json!(null)).is_err());
        assert_eq!(
            JobId::from_wire(json!({"job_id": "j"})).map(|j| j.0),
            Ok("j".to_owned())
        );
    }
}
