//! YAML text → a validated [`Suite`], or [`Diagnostic`]s with places.
//!
//! `yaml` and `jsonl` make a tree with places, `reading`, `parts`, `cases`, `case` and `check` make a suite of it and
//! tell every fault on the way; `raw` is the format's shape for the published JSON Schema.

mod anchors;
mod case;
mod cases;
mod check;
mod diagnostic;
mod faults;
mod fields;
mod fingerprint;
mod folder;
mod glob;
mod json_schema;
mod jsonl;
mod keys;
mod lines;
mod model;
mod overrides;
mod parts;
mod pattern;
mod place;
mod policy;
#[cfg(any(test, fuzzing))]
pub(crate) mod promises;
mod raw;
mod reading;
mod render;
mod sharing;
mod shelf;
mod shield;
mod source;
mod suggest;
mod syntax;
mod template;
#[cfg(test)]
mod tests;
mod texts;
mod tree;
mod values;
mod yaml;

pub use anchors::DEFAULT_TOLERANCE;
pub use case::DEFAULT_PASS_SCORE;
pub use diagnostic::{Diagnostic, Severity};
pub use fingerprint::BUILT_IN_JUDGE_PROMPT;
pub use json_schema::schema_validator;
pub use model::{
    Anchor, Case, Check, CycleSettings, Gate, Harvest, Judge, Message, Otherwise, Parameters, Place, Role,
    Suite, WhenBusy, input_of,
};
pub use parts::{DEFAULT_JUDGE_MODEL, DEFAULT_JUDGE_TEMPERATURE};
pub use pattern::pattern;
pub use policy::policy;
pub use raw::json_schema;
pub use reading::{Reading, read};
pub use render::render;
pub use source::Sources;
pub use suggest::suggest;
pub use template::template_environment;
pub use texts::{Texts, Wording};
pub use tree::steers;
pub use values::parse_duration;
