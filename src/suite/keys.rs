//! The keys of every map in a suite. The reader knows these and no others; a test holds the published schema to
//! the same lists.

/// The suite itself.
pub(super) const SUITE: &[&str] = &[
    "version", "name", "project", "model", "dataset", "judge", "defaults", "cases", "gates", "cycle",
];
/// `judge:`.
pub(super) const JUDGE: &[&str] = &[
    "model",
    "temperature",
    "votes",
    "rubric",
    "prompt",
    "max_completion_tokens",
    "seed",
    "anchors",
];
/// An entry of `judge.anchors:`.
pub(super) const ANCHOR: &[&str] = &["question", "answer", "reference", "expected", "tolerance"];
/// `defaults:`; every key but the last two may also stand on a case, where it wins. The last two add to the case's.
pub(super) const DEFAULTS: &[&str] = &[
    "system",
    "temperature",
    "top_p",
    "seed",
    "max_completion_tokens",
    "stop",
    "samples",
    "pass_score",
    "checks",
    "tags",
];
/// A case.
pub(super) const CASE: &[&str] = &[
    "id",
    "prompt",
    "messages",
    "reference",
    "tags",
    "critical",
    "holdout",
    "checks",
    "weight",
    "group",
    "system",
    "temperature",
    "top_p",
    "seed",
    "max_completion_tokens",
    "stop",
    "samples",
    "pass_score",
];
/// An entry of `cases:` that stands for the cases of other files.
pub(super) const INCLUDE: &[&str] = &["include"];
/// A file that is included, when it is a map and not a list.
pub(super) const INCLUDED: &[&str] = &["cases"];
/// A message.
pub(super) const MESSAGE: &[&str] = &["role", "content"];
/// An entry of `checks:`, which has exactly one of them.
pub(super) const CHECK: &[&str] = &[
    "equals",
    "contains",
    "icontains",
    "not_contains",
    "regex",
    "is_json",
    "json_schema",
    "similar",
    "max_chars",
    "max_latency",
];
/// `similar:`.
pub(super) const SIMILAR: &[&str] = &["to", "min"];
/// An entry of `gates:`.
pub(super) const GATE: &[&str] = &["require", "else"];
/// `cycle:`.
pub(super) const CYCLE: &[&str] = &[
    "split_percentage",
    "harvest",
    "when_busy",
    "busy_timeout",
    "job_name",
    "poll",
    "settle_timeout",
    "recommendations_timeout",
];

/// Words that other tools use → ours.
pub(super) const FOREIGN: &[(&str, &str)] = &[
    ("input", "prompt"),
    ("question", "prompt"),
    ("user", "prompt"),
    ("expected", "reference"),
    ("expected_output", "reference"),
    ("answer", "reference"),
    ("ideal", "reference"),
    ("assert", "checks"),
    ("asserts", "checks"),
    ("assertions", "checks"),
    ("max_tokens", "max_completion_tokens"),
    ("repeat", "samples"),
    ("threshold", "pass_score"),
    ("tests", "cases"),
    ("prompts", "cases"),
    ("system_prompt", "system"),
    ("project_id", "project"),
    ("model_id", "model"),
    ("dataset_id", "dataset"),
    ("starts_with", "regex"),
    ("not_equals", "not_contains"),
    ("is-json", "is_json"),
    ("latency", "max_latency"),
    ("file", "include"),
    ("import", "include"),
    ("prompt", "question"),
    ("input", "question"),
    ("output", "answer"),
    ("score", "expected"),
    ("expected_score", "expected"),
    ("margin", "tolerance"),
];

/// The maps in which a key is known, for a key that stands in the wrong one.
pub(super) const HOMES: &[(&str, &[&str])] = &[
    ("on a case", CASE),
    ("at the top of the suite", SUITE),
    ("under `judge`", JUDGE),
    ("under `defaults`", DEFAULTS),
    ("under `cycle`", CYCLE),
    ("on a gate", GATE),
    ("in a case's `checks`", CHECK),
    ("on an anchor of the judge", ANCHOR),
];
