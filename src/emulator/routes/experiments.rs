//! Experiments: what is recommended goes out, what a job is to run comes in and is checked. Recommended ones name
//! the kind of training both ways (`lora` as the reference does, `training_type` as the SDK does).

use serde_json::{Map, Value, json};

use crate::emulator::fields::Fields;
use crate::emulator::model::catalogue::BASES;
use crate::emulator::options::Recommending;
use crate::emulator::refusal::Refusal;
use crate::emulator::world::World;

/// The most experiments of one job.
const MOST_EXPERIMENTS: usize = 20;

/// `recommended_experiments` and `recommended_models` of a snapshot that is done.
pub(super) fn recommended(kind: Recommending) -> (Value, Value) {
    if matches!(kind, Recommending::NullLists | Recommending::Fails) {
        return (Value::Null, Value::Null);
    }
    let any = kind != Recommending::NoneRecommended;
    let experiment = |base: &str, training: &str, rate: f64, recommended: bool| {
        let reason = recommended.then_some("the best of its size on rows like these");
        json!({
            "base_model_id": base,
            "batch_size": 4,
            "learning_rate_multiplier": rate,
            "lora": training != "full",
            "training_type": training,
            "n_epochs": 3,
            // Known to no client: it must travel along unchanged.
            "scheduler": {"kind": "cosine", "warmup_steps": 12},
            "recommended": recommended,
            "reason_for_recommendation": reason,
        })
    };
    let experiments = json!([
        experiment("Qwen/Qwen2.5-1.5B-Instruct", "lora", 0.0002, any),
        experiment("meta-llama/Llama-3.2-3B-Instruct", "full", 0.000_02, false),
        experiment("Qwen/Qwen2.5-0.5B-Instruct", "qlora", 0.0001, any),
    ]);
    let parameters = json!({"batch_size": 4, "learning_rate_multiplier": 0.0002, "n_epochs": 3});
    let models = json!([
        {
            "base_model_id": "Qwen/Qwen2.5-1.5B-Instruct",
            "recommended": any,
            "reason_for_recommendation": any.then_some("small and quick"),
            "lora_hyperparameters": parameters,
            "full_hyperparameters": null,
        },
        {
            "base_model_id": "meta-llama/Llama-3.2-3B-Instruct",
            "recommended": false,
            "reason_for_recommendation": null,
            "lora_hyperparameters": null,
            "full_hyperparameters": parameters,
        },
    ]);
    (experiments, models)
}

/// The experiments of a job, sound and as they came.
pub(super) fn read(fields: &Fields<'_>, world: &World) -> Result<Vec<Map<String, Value>>, Refusal> {
    let list = fields.list("experiments")?;
    if list.len() > MOST_EXPERIMENTS {
        let got = list.len();
        return Err(Refusal::bad(format!(
            "`experiments` must have at most {MOST_EXPERIMENTS} entries, got {got}"
        )));
    }
    list.iter()
        .enumerate()
        .map(|(place, value)| one(value, place, world))
        .collect()
}

fn one(value: &Value, place: usize, world: &World) -> Result<Map<String, Value>, Refusal> {
    let fields = Fields::of(value, &format!("experiments[{place}]"))?;
    for own in ["recommended", "reason_for_recommendation"] {
        if fields.map().contains_key(own) {
            return Err(Refusal::bad(format!(
                "`{}` is not part of an experiment",
                fields.path(own)
            )));
        }
    }
    let base = fields.text("base_model_id")?;
    if !BASES.contains(&base) && world.models.get(base).is_none() {
        let name = fields.path("base_model_id");
        return Err(Refusal::bad(format!(
            "`{name}` must be a model that can be fine-tuned, got `{base:.80}`"
        )));
    }
    fields.whole("batch_size", 1..=4_096)?;
    fields.whole("n_epochs", 1..=1_000)?;
    let rate = fields.number("learning_rate_multiplier", 0.0..=1_000.0)?;
    if rate.is_none_or(|rate| rate <= 0.0) {
        let name = fields.path("learning_rate_multiplier");
        return Err(Refusal::bad(format!("`{name}` is required and must be above 0")));
    }
    let lora = fields.boolean("lora")?;
    let training = match fields.get("training_type") {
        Some(_) => Some(fields.word("training_type", &["full", "lora", "qlora"])?),
        None => None,
    };
    match (lora, training) {
        (None, None) => {
            let name = fields.path("lora");
            return Err(Refusal::bad(format!(
                "`{name}` or `{}` is required",
                fields.path("training_type")
            )));
        }
        (Some(lora), Some(training)) if lora == (training == "full") => {
            let name = fields.path("lora");
            return Err(Refusal::bad(format!(
                "`{name}` and `{}` disagree",
                fields.path("training_type")
            )));
        }
        _ => {}
    }
    fields.optional_text("refinetune_from_experiment_id", 200)?;
    Ok(fields.map().clone())
}
